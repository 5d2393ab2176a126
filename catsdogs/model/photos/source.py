"""What the modules of the formats share: a photo whose header was read, and the bounds of its decoding."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import IO, cast

import numpy as np
from PIL import Image

from catsdogs.domain import Note
from catsdogs.errors import InvalidImage
from catsdogs.model.photo_limits import MAX_DECODED_BYTES, MAX_JPEG_MEGAPIXELS, MAX_MEGAPIXELS, MAX_PIXELS, MIN_SIDE

MAX_PARTS = 400_000
"""Largest number of segments, chunks or blocks that a file may consist of. A GIF of the largest size, which has the
smallest blocks, consists of 131,000."""


class DamagedError(Exception):
    """Raised where a file breaks the rules of its format."""


class TimeLimit:
    """The processor time that the decoding of a photo may take; other threads do not count, nor does waiting."""

    def __init__(self, seconds: float) -> None:
        self._end = time.thread_time() + seconds

    def check(self) -> None:
        """Raise an error where the time is over.

        Raises
        ------
        InvalidImage
        """
        if time.thread_time() > self._end:
            raise takes_too_long()


class _Parts:
    """A file for Pillow, which consists of parts of another one; they are not copied.

    Pillow reads 64 kB at a time: a read after the time limit raises an error, which ends the decoding.
    """

    def __init__(self, parts: Sequence[bytes | memoryview], time_limit: TimeLimit) -> None:
        self._parts = parts
        self._time_limit = time_limit
        self._position = self._index = self._offset = 0

    def read(self, size: int = -1) -> bytes:
        """Read up to `size` bytes; all that remain for -1."""
        self._time_limit.check()
        pieces = []
        remaining = size if size >= 0 else sum(map(len, self._parts))
        while remaining and self._index < len(self._parts):
            part = self._parts[self._index]
            piece = part[self._offset : self._offset + remaining]
            pieces.append(piece)
            remaining -= len(piece)
            self._offset += len(piece)
            self._position += len(piece)
            if self._offset == len(part):
                self._index, self._offset = self._index + 1, 0
        return bytes(pieces[0]) if len(pieces) == 1 else b"".join(pieces)

    def seek(self, position: int, whence: int = 0) -> int:
        """Go to a position, counted from the beginning (0) or from where the file stands (1)."""
        position += self._position if whence else 0
        self._position = position
        self._index, self._offset = 0, position
        while self._index < len(self._parts) and self._offset >= len(self._parts[self._index]):
            self._offset -= len(self._parts[self._index])
            self._index += 1
        return position

    def tell(self) -> int:
        """Return the position."""
        return self._position


def open_parts(parts: Sequence[bytes | memoryview], time_limit: TimeLimit) -> IO[bytes]:
    """Return a file that consists of `parts`, for Pillow."""
    return cast("IO[bytes]", _Parts(parts, time_limit))


@dataclass(frozen=True, slots=True)
class Decoded:
    """Decoded pixels, which are read some rows at a time."""

    size: tuple[int, int]
    rows: Callable[[int, int], Image.Image]
    """Returns the rows from the first number up to, without, the second one."""
    bytes_a_pixel: int
    """Memory that they take until they are converted."""
    image: Image.Image | None = None
    """All rows, where they are a picture already."""
    notes: tuple[Note, ...] = ()

    @classmethod
    def of(cls, image: Image.Image, notes: tuple[Note, ...] = ()) -> Decoded:
        """Return the pixels of a loaded picture."""
        width = image.width
        size = 1 if image.mode in ("1", "L", "P") else 2 if image.mode.startswith("I;16") else 4
        return cls(image.size, lambda top, bottom: image.crop((0, top, width, bottom)), size, image, notes)

    @classmethod
    def of_buffer(
        cls, content: bytes | memoryview, size: tuple[int, int], mode: str, rawmode: str, stride: int
    ) -> Decoded:
        """Return the pixels in a buffer whose rows are `stride` bytes long."""
        view = np.frombuffer(content, np.uint8)

        def rows(top: int, bottom: int) -> Image.Image:
            part = view[top * stride : bottom * stride]
            return Image.frombuffer(mode, (size[0], bottom - top), part, "raw", rawmode, stride, 1)

        return cls(size, rows, -(-stride // size[0]))


@dataclass(frozen=True, slots=True)
class Source:
    """A photo whose header was read, and whose pixels were not."""

    width: int
    """Width as it is stored, in pixels."""
    height: int
    load: Callable[[int | None], Decoded]
    """Decodes the photo; given a side, at a fraction of its size with sides of at least twice that, if it can."""
    decoding_bytes: float = 4
    """Memory that the decoder takes for each pixel, at most."""
    most_pixels: int = MAX_PIXELS
    """Largest number of pixels for the kind of file."""
    orientation: int = 1
    """EXIF orientation, 1..8."""
    profile: bytes = b""
    """ICC profile, or empty."""
    notes: tuple[Note, ...] = ()
    later_frames: Callable[[], Iterator[Image.Image]] | None = None
    """Decodes the first frames after the first one of an animation."""
    opaque_if_empty: bool = False
    """Whether an alpha channel of zeros only means that there is none."""

    def check(self) -> None:
        """Refuse a photo that is too small, or whose pixels would take too much memory or time.

        Raises
        ------
        InvalidImage
        """
        most = min(self.most_pixels, int(MAX_DECODED_BYTES / self.decoding_bytes))
        if self.width * self.height > most:
            raise too_many_pixels(most)
        if min(self.width, self.height) < MIN_SIDE:
            raise InvalidImage("This picture is too small: each side needs at least {pixels} pixels.", pixels=MIN_SIDE)


def too_many_pixels(most: int) -> InvalidImage:
    """Return the error of a photo with more than `most` pixels, the limit of its kind of file."""
    if most < 10**6:  # the file is decoded in parts that are much larger than the picture
        return takes_too_long()
    if most < MAX_PIXELS:
        return InvalidImage(
            "This picture is too large for its kind of file: at most {megapixels} megapixels. "
            "Save it as a JPEG, and choose that.",
            megapixels=most // 10**6,
        )
    return InvalidImage(
        "This picture is too large: at most {megapixels} megapixels, or {jpeg} as a JPEG that is not progressive.",
        megapixels=MAX_MEGAPIXELS,
        jpeg=MAX_JPEG_MEGAPIXELS,
    )


def takes_too_long() -> InvalidImage:
    """Return the error of a file that would take too much time or memory."""
    return InvalidImage("This picture takes too long to read. Save it as a JPEG, and choose that.")


def unknown_kind() -> InvalidImage:
    """Return the error of a file whose way of storing pixels is not read here, as far as its header tells."""
    return InvalidImage("This kind of file cannot be read. Save the picture as a JPEG, and choose that.")


def too_many_parts() -> InvalidImage:
    """Return the error of a file with more than `MAX_PARTS` parts."""
    return InvalidImage("This file consists of too many parts. Save the picture as a JPEG, and choose that.")
