"""WebP: the chunks that decoding needs."""

from __future__ import annotations

import struct
from collections.abc import Iterator

from PIL import Image, _webp

from catsdogs.domain import Note
from catsdogs.model.photo_limits import MAX_WEBP_MEGAPIXELS
from catsdogs.model.photos.exif import read_orientation
from catsdogs.model.photos.gif import MAX_FRAMES
from catsdogs.model.photos.source import MAX_PARTS, DamagedError, Decoded, Source, TimeLimit, too_many_parts

_BYTES = 12  # the decoder has two canvases and a copy of one

_NEEDED = (b"VP8 ", b"VP8L", b"VP8X", b"ALPH", b"ANIM", b"ANMF")


def open_webp(content: bytes, time_limit: TimeLimit) -> Source:
    """Read the chunks."""
    needed: list[memoryview] = []
    others: dict[bytes, bytes] = {}
    frames = 0
    view = memoryview(content)
    for kind, start, end in _chunks(content):
        frames += kind == b"ANMF"
        if kind in _NEEDED and frames <= MAX_FRAMES:
            needed.append(view[start:end])
        elif kind in (b"EXIF", b"XMP ", b"ICCP"):
            others.setdefault(kind, content[start + 8 : end])
    if not needed:
        raise DamagedError("no picture")
    width, height = _size(bytes(needed[0][:20]))
    length = 4 + sum(map(len, needed))
    file = content if length + 8 == len(content) else b"".join([b"RIFF", struct.pack("<I", length), b"WEBP", *needed])

    def frame_pixels(decoder: _webp.WebPAnimDecoder) -> Decoded:
        frame = decoder.get_next()
        if frame is None:
            raise DamagedError("frame")
        time_limit.check()
        mode = decoder.get_info()[4]
        return Decoded.of_buffer(frame[0], (width, height), "RGB" if mode == "RGBX" else mode, mode, 4 * width)

    def load(_: int | None) -> Decoded:
        return frame_pixels(_webp.WebPAnimDecoder(file))

    def later_frames() -> Iterator[Image.Image]:
        decoder = _webp.WebPAnimDecoder(file)
        decoder.get_next()
        for _ in range(1, min(frames, MAX_FRAMES)):
            yield frame_pixels(decoder).rows(0, height).copy()

    return Source(
        width,
        height,
        load,
        decoding_bytes=_BYTES,
        most_pixels=10**6 * MAX_WEBP_MEGAPIXELS,
        orientation=read_orientation(others.get(b"EXIF", b""), others.get(b"XMP ", b"")),
        profile=others.get(b"ICCP", b""),
        notes=(Note.FIRST_FRAME,) if frames > 1 else (),
        later_frames=later_frames if frames > 1 else None,
    )


def _chunks(content: bytes) -> Iterator[tuple[bytes, int, int]]:
    position = 12
    for _ in range(MAX_PARTS):
        if position + 8 > len(content):
            return
        kind, length = struct.unpack_from("<4sI", content, position)
        end = position + 8 + length + (length & 1)
        if position + 8 + length > len(content):
            return
        yield kind, position, end
        position = end
    raise too_many_parts()


def _size(chunk: bytes) -> tuple[int, int]:
    """Read the size of the first chunk."""
    if chunk.startswith(b"VP8X"):
        sides = int.from_bytes(chunk[12:15], "little"), int.from_bytes(chunk[15:18], "little")
    elif chunk.startswith(b"VP8L"):
        bits = struct.unpack_from("<I", chunk, 9)[0]
        sides = bits & 0x3FFF, bits >> 14 & 0x3FFF
    else:
        width, height = struct.unpack_from("<HH", chunk, 14)
        return width & 0x3FFF, height & 0x3FFF
    return sides[0] + 1, sides[1] + 1
