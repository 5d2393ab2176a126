"""A photo's bytes -> upright RGB pixels, or one `InvalidImage` that says what to do.

Nothing here trusts the file: formats are listed, its size is known from the header before a pixel is
decoded, and a truncated file is refused rather than half read.

A JPEG whose pixels come in one scan is decoded row by row, at 1/2, 1/4 or 1/8 of its size where that is enough:
250 megapixels take 0.5 s and a few megabytes. With several scans (progressive) the decoder keeps all coefficients,
up to six bytes a pixel whatever the scale, and goes through them once more for each scan: both are limited.
"""

from __future__ import annotations

import io
import stat
import struct
import warnings
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt
from PIL import ExifTags, Image, ImageOps, JpegImagePlugin, UnidentifiedImageError

from catsdogs.domain import MAX_BYTES, MAX_JPEG_PIXELS, MAX_MEGABYTES, MAX_PIXELS, Note
from catsdogs.errors import InvalidImage

MAX_PASSES = 20 * MAX_PIXELS
"""Most pixels times scans of a JPEG; encoders make about ten scans."""
MIN_SIDE = 8
"""Shortest side, in pixels, on which there is anything to see."""
FORMATS = ("JPEG", "PNG", "WEBP", "GIF", "BMP", "TIFF")
"""What is read, by Pillow's names."""

Pixels = npt.NDArray[np.uint8]

_TURNED = (5, 6, 7, 8)  # EXIF orientations that swap width and height
_ISO_MEDIA = (b"heic", b"heix", b"heim", b"heis", b"hevc", b"hevx", b"mif1", b"msf1", b"avif", b"avis")

# Pillow warns from 89 megapixels on; all of those but a JPEG are refused here, with a sentence.
warnings.filterwarnings("ignore", category=Image.DecompressionBombWarning)


@dataclass(frozen=True, slots=True)
class Photo:
    """A decoded photo."""

    image: Image.Image
    """Upright, RGB; a JPEG may be decoded at a fraction of its size."""
    width: int
    """Of the file's picture, upright, in pixels."""
    height: int
    notes: tuple[Note, ...] = ()


@dataclass(frozen=True, slots=True)
class ImageStatistics:
    """Figures about a photo that hold no personal data, to notice when photos change."""

    width: int
    """Upright, in pixels."""
    height: int
    brightness: float
    """Mean luma, 0 (black) .. 1 (white)."""
    sharpness: float
    """Variance of the Laplacian of the luma (0..1) on the model's input, 0 (flat or blurred) upwards.

    Pech-Pacheco et al. 2000, https://doi.org/10.1109/ICPR.2000.903548
    """


def read_file(path: Path) -> bytes:
    """Read the bytes of a photo's file.

    Raises
    ------
    InvalidImage
        It is missing, not a file, too large or not readable.
    """
    try:
        status = path.stat()
        if stat.S_ISDIR(status.st_mode):
            raise InvalidImage("This is a folder. Choose a photo in it.")
        if not stat.S_ISREG(status.st_mode):
            raise InvalidImage("This is not a regular file. Choose a photo.")
        if status.st_size > MAX_BYTES:
            raise _too_large_file()
        return path.read_bytes()
    except FileNotFoundError:
        raise InvalidImage("There is no such file. Check its name.") from None
    except PermissionError as error:
        raise InvalidImage("This file may not be read. Check its permissions.") from error
    except OSError as error:
        raise InvalidImage("This file cannot be read: {reason}.", reason=error.strerror) from error


def decode(photo: bytes, side: int | None = None) -> Photo:
    """Decode a photo.

    Parameters
    ----------
    photo
        Bytes of a file in one of `FORMATS`.
    side
        Pixels a side that are enough for the caller: a JPEG is then decoded at 1/2, 1/4 or 1/8 of
        its size, while both sides keep at least twice that many. Four times faster at 12 megapixels.
        One of more than `MAX_PIXELS` is decoded at a fraction that has no more than those.

    Raises
    ------
    InvalidImage
        Empty, too large, of another format, damaged, truncated or too small.
    """
    if not photo:
        raise InvalidImage("This file is empty. Choose another photo.")
    if len(photo) > MAX_BYTES:
        raise _too_large_file()
    with _open(photo) as image:
        width, height = image.size
        if width * height > _most_pixels(image, photo):
            raise _too_many_pixels()
        if min(width, height) < MIN_SIDE:
            raise InvalidImage("This picture is too small: each side needs at least {pixels} pixels.", pixels=MIN_SIDE)
        try:
            factor = _reduction(width, height, side)
            image.draft(None, (width // factor, height // factor))
            image.load()
            if image.getexif().get(ExifTags.Base.Orientation) in _TURNED:
                width, height = height, width
            animated = getattr(image, "is_animated", False)
            upright = _to_rgb(ImageOps.exif_transpose(image))
        except Exception as error:  # a damaged file makes a decoder raise anything
            raise InvalidImage("This picture is damaged or incomplete. Choose another photo.") from error
    return Photo(upright, width, height, (Note.FIRST_FRAME,) if animated else ())


def centre_square(photo: Photo, side: int) -> Pixels:
    """Crop the largest centred square and scale it: what the model looks at.

    Returns
    -------
    ndarray
        RGB, uint8, shape (side, side, 3).
    """
    image = photo.image
    edge = min(image.size)
    left, top = (image.width - edge) / 2, (image.height - edge) / 2
    box = (left, top, left + edge, top + edge)
    return np.asarray(image.resize((side, side), Image.Resampling.BICUBIC, box=box))


def measure(photo: Photo, pixels: Pixels) -> ImageStatistics:
    """Compute the statistics of a photo from its square `pixels`, shape (side, side, 3)."""
    luma = pixels @ np.array([0.299, 0.587, 0.114], np.float32) / 255  # ITU-R BT.601
    laplacian = luma[:-2, 1:-1] + luma[2:, 1:-1] + luma[1:-1, :-2] + luma[1:-1, 2:] - 4 * luma[1:-1, 1:-1]
    return ImageStatistics(photo.width, photo.height, float(luma.mean()), float(laplacian.var()))


def _open(photo: bytes) -> Image.Image:
    """Read the header."""
    try:
        if photo.startswith(b"\xff\xd8\xff"):  # opened as any file, Pillow refuses it from 179 megapixels on
            return JpegImagePlugin.JpegImageFile(io.BytesIO(photo))
        return Image.open(io.BytesIO(photo), formats=FORMATS)
    except Image.DecompressionBombError as error:
        raise _too_many_pixels() from error
    except UnidentifiedImageError as error:
        if photo[4:8] == b"ftyp" and photo[8:12] in _ISO_MEDIA:
            raise InvalidImage(
                "HEIC and AVIF photos cannot be read. Save the photo as JPEG, PNG or WebP, and choose that."
            ) from error
        raise InvalidImage(
            "This is not a picture that can be read. Choose a JPEG, PNG, WebP, GIF, BMP or TIFF file."
        ) from error
    except Exception as error:  # as above
        raise InvalidImage("This picture is damaged or incomplete. Choose another photo.") from error


def _most_pixels(image: Image.Image, photo: bytes) -> int:
    """Give how many pixels a picture may have, by how it is decoded."""
    if not isinstance(image, JpegImagePlugin.JpegImageFile) or image.fp is None:
        return MAX_PIXELS
    length = 6 + 2 * image.layers  # of the first scan's header, where all components are in that scan
    start = image.fp.tell() - length
    in_one = photo[start - 2 : start + 3] == struct.pack(">HHB", 0xFFDA, length, image.layers)
    if in_one and not image.info.get("progressive"):
        return MAX_JPEG_PIXELS
    return min(MAX_PIXELS, MAX_PASSES // max(1, photo.count(b"\xff\xda")))


def _reduction(width: int, height: int, side: int | None) -> int:
    """Give the fraction of its size at which a JPEG is decoded: 1/1, 1/2, 1/4 or 1/8."""
    enough = [factor for factor in (2, 4, 8) if side and min(width, height) // factor >= 2 * side]
    bearable = [factor for factor in (1, 2, 4, 8) if width * height <= MAX_PIXELS * factor**2]
    return max([*enough, bearable[0]])


def _to_rgb(image: Image.Image) -> Image.Image:
    """Convert any mode; what is transparent is seen over white."""
    if image.mode.startswith("I;16"):
        image = Image.fromarray((np.asarray(image) >> 8).astype(np.uint8))
    elif image.mode in ("I", "F"):
        image = _stretch(image)
    if image.has_transparency_data:
        layer = image.convert("RGBA")
        return Image.alpha_composite(Image.new("RGBA", layer.size, "white"), layer).convert("RGB")
    return image.convert("RGB")


def _stretch(image: Image.Image) -> Image.Image:
    """Scale 32-bit greyscale, which has no agreed range, from its darkest to its brightest."""
    grey = np.nan_to_num(np.asarray(image, np.float64))
    low, high = grey.min(), grey.max()
    return Image.fromarray(((grey - low) * (255 / (high - low or 1))).astype(np.uint8))


def _too_large_file() -> InvalidImage:
    return InvalidImage("This file is too large: at most {megabytes} MB.", megabytes=MAX_MEGABYTES)


def _too_many_pixels() -> InvalidImage:
    return InvalidImage(
        "This picture is too large: at most {megapixels} megapixels, or {jpeg} as a JPEG that is not progressive.",
        megapixels=MAX_PIXELS // 10**6,
        jpeg=MAX_JPEG_PIXELS // 10**6,
    )
