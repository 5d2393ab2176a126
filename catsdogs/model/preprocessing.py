"""Preprocessing: from the bytes of a photo to upright RGB pixels, and the limits of what is accepted.

Files are not trusted. The modules of :mod:`catsdogs.model.photos` read of a file only what decoding needs, and count it
in one pass; the size is checked, in pixels and in bytes, before a pixel is decoded.
"""

from __future__ import annotations

import contextlib
import stat
import warnings
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt
from PIL import Image

from catsdogs.domain import Note
from catsdogs.errors import InvalidImage
from catsdogs.model.photo_limits import MAX_BYTES, MAX_DECODING_SECONDS, MAX_MEGABYTES, MAX_PIXELS
from catsdogs.model.photos.colours import Transform, apply_transform, profile_transform, to_rgb
from catsdogs.model.photos.formats import open_photo
from catsdogs.model.photos.source import Decoded, Source, TimeLimit

FLAT = 16.0
"""Standard deviation of the brightness, in levels of 255, below which the first frame of an animation is empty."""

MAX_ANIMATION_PIXELS = MAX_PIXELS // 8
"""Largest animation whose later frames are looked at: decoders keep several frames, of four bytes a pixel."""
MAX_SEEN_PIXELS = MAX_PIXELS // 2
"""Number of pixels of later frames after which no further one is looked at."""

Pixels = npt.NDArray[np.uint8]

_TURNS = {  # by EXIF orientation: what turns the stored picture upright
    2: Image.Transpose.FLIP_LEFT_RIGHT,
    3: Image.Transpose.ROTATE_180,
    4: Image.Transpose.FLIP_TOP_BOTTOM,
    5: Image.Transpose.TRANSPOSE,
    6: Image.Transpose.ROTATE_270,
    7: Image.Transpose.TRANSVERSE,
    8: Image.Transpose.ROTATE_90,
}

# Pillow warns from 89 megapixels on; the limits here are our own.
warnings.filterwarnings("ignore", category=Image.DecompressionBombWarning)


@dataclass(frozen=True, slots=True)
class Photo:
    """A decoded photo."""

    image: Image.Image
    """Upright, RGB, in the colours of the file; it may be decoded at a fraction of its size."""
    width: int
    """Width of the upright photo in its file, in pixels."""
    height: int
    """Height of the upright photo in its file, in pixels."""
    notes: tuple[Note, ...] = ()
    to_srgb: Transform | None = None
    """How colours become those of a screen, where they are others: it is cheaper after scaling."""


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
        Content of a file in one of the formats of :mod:`catsdogs.model.photos.formats`.
    side
        Side that the caller needs, in pixels: a JPEG is decoded at 1/2, 1/4 or 1/8 of its size, as long as both sides
        stay at least twice as long. Four times faster at 12 megapixels.

    Raises
    ------
    InvalidImage
        The file is empty, too large, of another format, damaged or too small, or much of it is missing.
    """
    if not photo:
        raise InvalidImage("This file is empty. Choose another photo.")
    if len(photo) > MAX_BYTES:
        raise _too_large_file()
    time_limit = TimeLimit(MAX_DECODING_SECONDS)
    try:
        source = open_photo(photo, time_limit)
        source.check()
        return _load(source, side, time_limit)
    except InvalidImage:
        raise
    except Exception as error:  # decoders raise exceptions of any class for damaged files
        raise InvalidImage("This picture is damaged or incomplete. Choose another photo.") from error


def _load(source: Source, side: int | None, time_limit: TimeLimit) -> Photo:
    decoded = source.load(side)
    image = to_rgb(decoded, source, side, time_limit)
    notes = (*source.notes, *decoded.notes)
    is_rgb = decoded.rows(0, 1).mode in ("RGB", "RGBA", "RGBa", "RGBX", "P", "PA")
    del decoded  # gives its memory back before the picture is turned
    if source.later_frames and _contrast(image) < FLAT and source.width * source.height <= MAX_ANIMATION_PIXELS:
        image, notes = _clearest_frame(image, source, time_limit)
    turn = _TURNS.get(source.orientation)
    if turn is not None:
        image = image.transpose(turn)
    size = (source.height, source.width) if source.orientation > 4 else (source.width, source.height)
    return Photo(image, *size, notes, profile_transform(source.profile, "RGB") if is_rgb else None)


def _clearest_frame(first: Image.Image, source: Source, time_limit: TimeLimit) -> tuple[Image.Image, tuple[Note, ...]]:
    """Return the frame of an animation that shows most, where the first one is almost of one colour."""
    best, most = first, _contrast(first)
    seen = 0
    with contextlib.suppress(Exception):  # of a frame that is damaged: those before it count
        for frame in source.later_frames() if source.later_frames else ():
            seen += frame.width * frame.height
            image = to_rgb(Decoded.of(frame), source, None, time_limit)
            contrast = _contrast(image)
            if contrast > most:
                best, most = image, contrast
            if seen > MAX_SEEN_PIXELS:
                break
    return best, source.notes if best is first else (Note.LATER_FRAME,)


def _contrast(image: Image.Image) -> float:
    """Compute the standard deviation of the brightness, 0..127."""
    return float(np.asarray(image.reduce(max(1, min(image.size) // 32)).convert("L")).std())


def thumbnail(photo: Photo, side: int) -> Image.Image:
    """Return a copy of at most `side` pixels a side, in the colours of a screen and without metadata."""
    image = photo.image.copy()
    image.thumbnail((side, side))
    copy = Image.new("RGB", image.size)
    copy.paste(_to_srgb(photo, image))
    return copy


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
    return np.asarray(_to_srgb(photo, image.resize((side, side), Image.Resampling.BICUBIC, box=box)))


def _to_srgb(photo: Photo, image: Image.Image) -> Image.Image:
    return apply_transform(image, photo.to_srgb) if photo.to_srgb else image


def compute_statistics(photo: Photo, pixels: Pixels) -> ImageStatistics:
    """Compute the statistics of a photo from its square `pixels`, shape (side, side, 3)."""
    luma = pixels @ np.array([0.299, 0.587, 0.114], np.float32) / 255  # ITU-R BT.601
    laplacian = luma[:-2, 1:-1] + luma[2:, 1:-1] + luma[1:-1, :-2] + luma[1:-1, 2:] - 4 * luma[1:-1, 1:-1]
    return ImageStatistics(photo.width, photo.height, float(luma.mean()), float(laplacian.var()))


def _too_large_file() -> InvalidImage:
    return InvalidImage("This file is too large: at most {megabytes} MB.", megabytes=MAX_MEGABYTES)
