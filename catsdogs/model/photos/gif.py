"""GIF: the frames that are looked at, without comments and extensions."""

from __future__ import annotations

import struct
from collections.abc import Iterator

from PIL import GifImagePlugin, Image

from catsdogs.domain import Note
from catsdogs.model.photos.source import MAX_PARTS, DamagedError, Decoded, Source, TimeLimit, open_parts, too_many_parts

MAX_FRAMES = 64
"""Number of frames that are looked at, at most: between two and six seconds."""


def open_gif(content: bytes, time_limit: TimeLimit) -> Source:
    """Read the blocks of the first frames."""
    width, height, parts, frames = _first_frames(content)

    def open_file() -> GifImagePlugin.GifImageFile:
        return GifImagePlugin.GifImageFile(open_parts([*parts, b";"], time_limit))

    def load(_: int | None) -> Decoded:
        image = open_file()
        image.load()
        return Decoded.of(image)

    def later_frames() -> Iterator[Image.Image]:
        image = open_file()
        for number in range(1, min(frames, MAX_FRAMES)):
            image.seek(number)
            yield image.copy()

    is_animated = frames > 1
    return Source(
        width,
        height,
        load,
        decoding_bytes=2,
        notes=(Note.FIRST_FRAME,) if is_animated else (),
        later_frames=later_frames if is_animated else None,
    )


def _first_frames(content: bytes) -> tuple[int, int, list[bytes | memoryview], int]:
    """Return width, height, the parts of the file up to the last frame that is looked at, and the number of frames."""
    width, height, flags = struct.unpack_from("<HHB", content, 6)
    position = 13 + (3 << (flags & 7) + 1 if flags & 0x80 else 0)
    view = memoryview(content)
    parts: list[bytes | memoryview] = [view[:position]]
    frames = 0
    control = view[:0]  # the last one before a frame counts
    for start, end, is_frame in _blocks(content, position):
        if not is_frame:
            control = view[start:end]
            continue
        frames += 1
        right, bottom = _right_and_bottom(content, start)
        if frames == 1:
            width, height = max(width, right), max(height, bottom)  # as viewers do
        elif frames > MAX_FRAMES or right > width or bottom > height:  # Pillow would enlarge the picture again
            break
        parts += [control, view[start:end]]
        control = view[:0]
    if not frames:
        raise DamagedError("no frame")
    return width, height, parts, frames


def _right_and_bottom(content: bytes, frame: int) -> tuple[int, int]:
    """Return where the frame at a position ends in the picture; zeros where the file ends before it says so."""
    if frame + 9 > len(content):
        return 0, 0
    left, top, width, height = struct.unpack_from("<HHHH", content, frame + 1)
    return left + width, top + height


def _blocks(content: bytes, position: int) -> Iterator[tuple[int, int, bool]]:
    """Return the start and end of each frame, and of the control block before it; the last one may be cut off."""
    parts = 0
    while position < len(content):
        start = position
        is_frame = content[position] == 0x2C
        if is_frame:
            flags = content[position + 9] if position + 9 < len(content) else 0
            position += 11 + (3 << (flags & 7) + 1 if flags & 0x80 else 0)
        elif content[position] == 0x21:
            position += 2
        elif content[position] == 0x3B:
            return
        else:
            position += 1  # Pillow skips such bytes
            parts += 1
            if parts > MAX_PARTS:
                raise too_many_parts()
            continue
        while position < len(content) and (length := content[position]):
            position += 1 + length
            parts += 1
            if parts > MAX_PARTS:
                raise too_many_parts()
        position += 1
        parts += 1
        if parts > MAX_PARTS:
            raise too_many_parts()
        if is_frame or content[start + 1 : start + 2] == b"\xf9":
            yield start, position, is_frame
