"""PNG: the chunks that decoding needs. Others may be as large or as damaged as they like."""

from __future__ import annotations

import contextlib
import struct
import zlib
from collections.abc import Iterator

from PIL import Image, PngImagePlugin

from catsdogs.domain import Note
from catsdogs.model.photo_limits import MAX_DEEP_PNG_MEGAPIXELS, MAX_PIXELS
from catsdogs.model.photos.colour_codes import REC709, profile_of_codes, profile_of_numbers
from catsdogs.model.photos.exif import read_orientation
from catsdogs.model.photos.source import MAX_PARTS, DamagedError, Decoded, Source, TimeLimit, open_parts, too_many_parts

SIGNATURE = b"\x89PNG\r\n\x1a\n"
MAX_TEXT = 4 * 2**20
"""Largest ICC profile or text that is read, in bytes; a larger one is left out."""
MAX_CHUNKS = 100_000
"""Largest number of chunks that decoding needs. One of 32 MB with chunks of a kilobyte has 32,000."""

_END = b"\0\0\0\0IEND\xaeB`\x82"
_FRAMES = (b"acTL", b"fcTL", b"fdAT")
_PIXELS = (b"IHDR", b"PLTE", b"tRNS", b"IDAT")


def open_png(content: bytes, time_limit: TimeLimit) -> Source:
    """Read the chunks."""
    still: list[bytes | memoryview] = [SIGNATURE]
    animated: list[bytes | memoryview] = [SIGNATURE]
    others: dict[bytes, bytes] = {}
    view = memoryview(content)
    for kind, start, end in _chunks(content):
        if kind in _PIXELS:
            still.append(view[start:end])
        if kind in (*_PIXELS, *_FRAMES):
            animated.append(view[start:end])
        else:
            _read_metadata(others, kind, content[start + 8 : end - 4])
        if len(animated) > MAX_CHUNKS:
            raise too_many_parts()
    if len(animated[-1]) == int.from_bytes(animated[-1][:4], "big") + 12:  # the last chunk is complete
        still.append(_END)
        animated.append(_END)
    if len(still) < 2 or still[1][4:8] != b"IHDR" or len(still[1]) != 25:
        raise DamagedError("no header")
    width, height, depth, colour = struct.unpack_from(">IIBB", still[1], 8)
    is_animated = any(part[4:8] == b"fdAT" for part in animated)

    def load(_: int | None) -> Decoded:
        image = PngImagePlugin.PngImageFile(open_parts(still, time_limit))
        image.load()
        _scale_transparent_colour(image, depth, colour)
        return Decoded.of(image)

    def later_frames() -> Iterator[Image.Image]:
        image = PngImagePlugin.PngImageFile(open_parts(animated, time_limit))
        for number in range(1, image.n_frames):
            image.seek(number)
            yield image.copy()

    return Source(
        width,
        height,
        load,
        decoding_bytes=4 if colour in (2, 4, 6) else 2 if depth == 16 else 1,
        most_pixels=MAX_DEEP_PNG_MEGAPIXELS * 10**6 if (depth, colour) == (16, 6) else MAX_PIXELS,
        orientation=read_orientation(others.get(b"exif") or others.get(b"raw exif", b""), others.get(b"xmp", b"")),
        profile=_profile(others, is_grey=colour in (0, 4)),
        notes=(Note.FIRST_FRAME,) if is_animated else (),
        later_frames=later_frames if is_animated else None,
    )


def _scale_transparent_colour(image: Image.Image, depth: int, colour: int) -> None:
    """Give the transparent colour, which Pillow leaves in the bits of the file, the eight bits that its pixels have."""
    transparent = image.info.get("transparency")
    if transparent is not None and colour == 2 and depth == 16:
        image.info["transparency"] = tuple(value >> 8 for value in transparent)
    elif transparent is not None and colour == 0 and depth < 8:
        most = (1 << depth) - 1
        image.info["transparency"] = (transparent & most) * 255 // most


def _chunks(content: bytes) -> Iterator[tuple[bytes, int, int]]:
    """Return the kind, the start and the end of each chunk; where one ends too early, the rest is left out."""
    position = len(SIGNATURE)
    for _ in range(MAX_PARTS):
        if position + 8 > len(content):
            return
        length, kind = struct.unpack_from(">I4s", content, position)
        end = position + 12 + length
        if kind == b"IEND" or (end > len(content) and kind != b"IDAT"):
            return
        yield kind, position, end
        position = end
    raise too_many_parts()


def _read_metadata(others: dict[bytes, bytes], kind: bytes, body: bytes) -> None:
    """Keep EXIF, XMP and the ICC profile, the first of each; leave out what is damaged or too large."""
    name, _, rest = body[:200].partition(b"\0")
    rest = body[len(name) + 1 :]
    if kind in (b"cICP", b"sRGB", b"gAMA", b"cHRM"):
        others.setdefault(kind, body)
    elif kind == b"eXIf":
        others.setdefault(b"exif", body)
    elif kind == b"iCCP" and b"profile" not in others:
        others[b"profile"] = _inflate(rest[1:])
    elif kind == b"iTXt" and name == b"XML:com.adobe.xmp" and b"xmp" not in others:
        text = rest[2:].split(b"\0", 2)[-1]
        others[b"xmp"] = _inflate(text) if rest[:1] == b"\1" else text
    elif kind in (b"zTXt", b"tEXt") and name == b"Raw profile type exif" and b"raw exif" not in others:
        text = _inflate(rest[1:]) if kind == b"zTXt" else rest  # ImageMagick wrote it before there was eXIf
        digits = b"".join(text[:MAX_TEXT].split(b"\n")[3:]).decode("ascii", "ignore")
        others[b"raw exif"] = b""
        with contextlib.suppress(ValueError):
            others[b"raw exif"] = bytes.fromhex(digits)


def _profile(others: dict[bytes, bytes], *, is_grey: bool) -> bytes:
    """Return the ICC profile of what says most of the colours; the order of these chunks is that of the standard."""
    codes = others.get(b"cICP", b"")
    if len(codes) == 4 and codes[2:] == b"\0\1":  # red, green and blue, of the full range; there are no others
        return profile_of_codes(codes[0], REC709.get(codes[1], codes[1]), is_grey=is_grey)
    if others.get(b"profile") or b"sRGB" in others or len(others.get(b"gAMA", b"")) != 4:
        return others.get(b"profile", b"")
    gamma = int.from_bytes(others[b"gAMA"], "big") / 100_000
    numbers = struct.unpack(">8I", others[b"cHRM"]) if len(others.get(b"cHRM", b"")) == 32 else ()
    return profile_of_numbers(tuple(number / 100_000 for number in numbers), gamma, is_grey=is_grey)


def _inflate(body: bytes) -> bytes:
    try:
        decompressor = zlib.decompressobj()
        text = decompressor.decompress(body, MAX_TEXT)
    except zlib.error:
        return b""
    return text if decompressor.eof else b""
