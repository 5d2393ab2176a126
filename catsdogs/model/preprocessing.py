"""Preprocessing: from the bytes of a photo to upright RGB pixels, and the limits of what is accepted.

Files are not trusted: only the formats in `FORMATS` are read, the size is checked in the header before a pixel is
decoded, and a truncated file is refused.

A JPEG with one scan is decoded row by row, at 1/2, 1/4 or 1/8 of its size if that is enough: 250 megapixels take 0.5 s
and a few megabytes. For several scans (a progressive JPEG) the decoder stores all coefficients, up to six bytes a pixel
at any scale, and reads them once more for each scan: both numbers are limited.
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

from catsdogs.domain import Note
from catsdogs.errors import InvalidImage
from catsdogs.model.photo_limits import (
    MAX_BYTES,
    MAX_JPEG_MEGAPIXELS,
    MAX_JPEG_PIXELS,
    MAX_MEGABYTES,
    MAX_MEGAPIXELS,
    MAX_PIXELS,
    MIN_SIDE,
)

MAX_SCANNED_PIXELS = 20 * MAX_PIXELS
"""Largest number of pixels times scans of a JPEG; encoders write about ten scans."""
FORMATS = ("JPEG", "PNG", "WEBP", "GIF", "BMP", "TIFF")
"""Accepted formats, by Pillow's names."""

Pixels = npt.NDArray[np.uint8]

_ROTATED = (5, 6, 7, 8)  # EXIF orientations that swap width and height
_ISO_MEDIA = (b"heic", b"heix", b"heim", b"heis", b"hevc", b"hevx", b"mif1", b"msf1", b"avif", b"avis")

# Pillow warns from 89 megapixels on, which only a JPEG may have here.
warnings.filterwarnings("ignore", category=Image.DecompressionBombWarning)


@dataclass(frozen=True, slots=True)
class Photo:
    """A decoded photo."""

    image: Image.Image
    """Upright, RGB; a JPEG may be decoded at a fraction of its size."""
    width: int
    """Width of the upright photo in its file, in pixels."""
    height: int
    """Height of the upright photo in its file, in pixels."""
    notes: tuple[Note, ...] = ()


@dataclass(frozen=True, slots=True)
class ImageStatistics:
    """Figures about a photo that hold no personal data, for drift monitoring."""

    width: int
    """Width of the upright photo, in pixels."""
    height: int
    """Height of the upright photo, in pixels."""
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
        The file is missing, not a regular file, too large or not readable.
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
        Content of a file in one of `FORMATS`.
    side
        Side that the caller needs, in pixels: a JPEG is decoded at 1/2, 1/4 or 1/8 of its size, as long as both sides
        stay at least twice as long. Four times faster at 12 megapixels. A JPEG of more than `MAX_PIXELS` is always
        decoded at a fraction with no more than `MAX_PIXELS`.

    Raises
    ------
    InvalidImage
        The file is empty, too large, of another format, damaged, truncated or too small.
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
            if image.getexif().get(ExifTags.Base.Orientation) in _ROTATED:
                width, height = height, width
            animated = getattr(image, "is_animated", False)
            upright = _to_rgb(ImageOps.exif_transpose(image))
        except Exception as error:  # decoders raise exceptions of any class for damaged files
            raise InvalidImage("This picture is damaged or incomplete. Choose another photo.") from error
    return Photo(upright, width, height, (Note.FIRST_FRAME,) if animated else ())


def square(photo: Photo, side: int, position: float = 0.5) -> Pixels:
    """Crop the largest square at a position along the longer side, and scale it to the network's input.

    Parameters
    ----------
    photo, side
        Decoded photo, and side of the network's input in pixels.
    position
        0 for the left or upper end, 0.5 for the centre, 1 for the right or lower end.

    Returns
    -------
    ndarray
        RGB, uint8, shape (side, side, 3).
    """
    image = photo.image
    edge = min(image.size)
    left, top = (image.width - edge) * position, (image.height - edge) * position
    box = (left, top, left + edge, top + edge)
    return np.asarray(image.resize((side, side), Image.Resampling.BICUBIC, box=box))


def compute_statistics(photo: Photo, pixels: Pixels) -> ImageStatistics:
    """Compute the statistics of a photo from its square `pixels`, shape (side, side, 3)."""
    luma = pixels @ np.array([0.299, 0.587, 0.114], np.float32) / 255  # ITU-R BT.601
    laplacian = luma[:-2, 1:-1] + luma[2:, 1:-1] + luma[1:-1, :-2] + luma[1:-1, 2:] - 4 * luma[1:-1, 1:-1]
    return ImageStatistics(photo.width, photo.height, float(luma.mean()), float(laplacian.var()))


def _open(photo: bytes) -> Image.Image:
    """Read the header."""
    try:
        if photo.startswith(b"\xff\xd8\xff"):  # Image.open would refuse it from 179 megapixels on
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
    """Return the limit of pixels for this file, which depends on how it is decoded."""
    if not isinstance(image, JpegImagePlugin.JpegImageFile) or image.fp is None:
        return MAX_PIXELS
    length = 6 + 2 * image.layers  # of the header of a first scan that holds all components
    start = image.fp.tell() - length
    is_single_scan = photo[start - 2 : start + 3] == struct.pack(">HHB", 0xFFDA, length, image.layers)
    if is_single_scan and not image.info.get("progressive"):
        return MAX_JPEG_PIXELS
    return min(MAX_PIXELS, MAX_SCANNED_PIXELS // max(1, photo.count(b"\xff\xda")))


def _reduction(width: int, height: int, side: int | None) -> int:
    """Return the divisor of a JPEG's size for decoding: 1, 2, 4 or 8."""
    enough = [factor for factor in (2, 4, 8) if side and min(width, height) // factor >= 2 * side]
    allowed = [factor for factor in (1, 2, 4, 8) if width * height <= MAX_PIXELS * factor**2]
    return max([*enough, allowed[0]])


def _to_rgb(image: Image.Image) -> Image.Image:
    """Convert any mode to RGB; transparent parts become white."""
    if image.mode.startswith("I;16"):
        image = Image.fromarray((np.asarray(image) >> 8).astype(np.uint8))
    elif image.mode in ("I", "F"):
        image = _stretch(image)
    if image.has_transparency_data:
        layer = image.convert("RGBA")
        return Image.alpha_composite(Image.new("RGBA", layer.size, "white"), layer).convert("RGB")
    return image.convert("RGB")


def _stretch(image: Image.Image) -> Image.Image:
    """Scale 32-bit greyscale, which has no standard range, to the range from its darkest to its brightest pixel."""
    grey = np.nan_to_num(np.asarray(image, np.float64))
    low, high = grey.min(), grey.max()
    return Image.fromarray(((grey - low) * (255 / (high - low or 1))).astype(np.uint8))


def _too_large_file() -> InvalidImage:
    return InvalidImage("This file is too large: at most {megabytes} MB.", megabytes=MAX_MEGABYTES)


def _too_many_pixels() -> InvalidImage:
    return InvalidImage(
        "This picture is too large: at most {megapixels} megapixels, or {jpeg} as a JPEG that is not progressive.",
        megapixels=MAX_MEGAPIXELS,
        jpeg=MAX_JPEG_MEGAPIXELS,
    )
