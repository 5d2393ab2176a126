"""JPEG: the segments that decoding needs, the scans, and files whose end is missing."""

from __future__ import annotations

import contextlib
import re
import struct
from collections.abc import Iterable
from dataclasses import dataclass, field

import numpy as np
from PIL import Image, JpegImagePlugin

from catsdogs.domain import Note
from catsdogs.errors import InvalidImage
from catsdogs.model.photo_limits import MAX_DECODED_BYTES, MAX_JPEG_PIXELS, MAX_PIXELS
from catsdogs.model.photos.exif import read_orientation
from catsdogs.model.photos.source import (
    MAX_PARTS,
    DamagedError,
    Decoded,
    Source,
    TimeLimit,
    open_parts,
    too_many_parts,
    unknown_kind,
)

MAX_SCANNED_PIXELS = 20 * MAX_PIXELS
"""Largest number of pixels times scans; encoders write about ten scans."""
MAX_SEGMENTS = 1000
"""Largest number of segments that decoding needs, such as tables."""
LEAST_SHARE = 0.75
"""Share of the rows that a photo needs whose end is missing."""
LEAST_SCANS = 2
"""Number of complete scans that a progressive photo needs whose end is missing: each shows all of it, more finely."""

_FILL = re.compile(rb"\xff+")
_LONG_FILL = re.compile(rb"\xff{4096,}")
_FRAMES = (0xC0, 0xC1, 0xC2, 0xC9, 0xCA)  # baseline, extended and progressive; the last two with arithmetic coding
_HUFFMAN_SEQUENTIAL = (0xC0, 0xC1)
_TABLES = (0xC4, 0xCC, 0xDB, 0xDD)  # DHT, DAC, DQT, DRI
_WITHOUT_LENGTH = (0x00, 0x01, *range(0xD0, 0xD9))
_UNUSED_COLOUR = (3, 2, 1, 4)  # no photo has it in all of its rows


@dataclass
class _Header:
    needed: list[bytes] = field(default_factory=lambda: [b"\xff\xd8"])
    frame: bytes = b""
    frame_kind: int = 0
    exif: bytes = b""
    xmp: bytes = b""
    profile: dict[int, bytes] = field(default_factory=dict)
    """Parts of the ICC profile by number."""
    scan: int = 0
    """Where the first scan begins."""
    is_single_scan: bool = False


def open_jpeg(content: bytes, time_limit: TimeLimit) -> Source:
    """Read the header."""
    header = _read_header(content)
    if b"\xff" * 16 in content[header.scan :: 4096]:  # 64 kB of fill, which Pillow would read again and again
        content = content[: header.scan] + _LONG_FILL.sub(b"\xff", content[header.scan :])
    height, width, components = struct.unpack_from(">HHB", header.frame, 1)
    is_progressive = header.frame_kind in (0xC2, 0xCA)
    sampling = [(byte >> 4) * (byte & 15) for byte in header.frame[7 : 6 + 3 * components : 3]]
    if not (all(sampling) and len(sampling) == components):
        raise DamagedError("components")
    is_read_by_rows = header.is_single_scan and not is_progressive
    scans = 1 if is_read_by_rows else content.count(b"\xff\xda", header.scan)
    coefficients = 0 if is_read_by_rows else 2 * sum(sampling) / max(sampling) * width * height
    parts: list[bytes | memoryview] = [b"".join(header.needed), memoryview(content)[header.scan :]]

    def load(side: int | None) -> Decoded:
        divisor = _divisor(width, height, side, coefficients)
        try:
            return Decoded.of(_decode(parts, time_limit, divisor))
        except OSError as error:
            if content.rfind(b"\xff\xd9", header.scan) >= 0:  # it has an end: something else is damaged
                raise
            if is_read_by_rows:
                enough = _complete_share(parts, time_limit, divisor) >= LEAST_SHARE
            else:
                enough = scans > LEAST_SCANS
            if not enough:
                raise InvalidImage("Too much of this picture is missing. Choose another photo.") from error
        return Decoded.of(_decode([*parts, b"\xff\xd9"], time_limit, divisor), (Note.INCOMPLETE,))

    return Source(
        width,
        height,
        load,
        decoding_bytes=coefficients / (width * height or 1) if not is_read_by_rows else 1,
        most_pixels=MAX_JPEG_PIXELS if is_read_by_rows else min(MAX_PIXELS, MAX_SCANNED_PIXELS // max(1, scans)),
        orientation=read_orientation(header.exif, header.xmp),
        profile=b"".join(header.profile[number] for number in sorted(header.profile)),
    )


def check_embedded(content: bytes, starts: Iterable[int]) -> None:
    """Refuse JPEG streams within a file whose decoding may take long however small they are.

    That is a stream of several scans, such as a progressive one, or with arithmetic coding: a bit of it may stand for
    any number of pixels.

    Raises
    ------
    InvalidImage
    """
    parts = 0
    for start in starts:
        position, components = start + 2, b""
        while True:
            parts += 1
            marker = content[position + 1 : position + 2]
            length = int.from_bytes(content[position + 2 : position + 4], "big")
            if parts > MAX_PARTS:
                raise too_many_parts()
            if content[position : position + 1] != b"\xff" or length < 2:
                raise unknown_kind()
            if marker == b"\xda":
                if content[position + 4 : position + 5] != components:
                    raise unknown_kind()
                break
            if 0xC0 <= marker[0] <= 0xCF and marker[0] not in _TABLES:
                if marker[0] not in _HUFFMAN_SEQUENTIAL:
                    raise unknown_kind()
                components = content[position + 9 : position + 10]
            position += 2 + length


def _read_header(content: bytes) -> _Header:
    header = _Header()
    position = 2
    for _ in range(MAX_PARTS):
        start = content.find(b"\xff", position)
        fill = _FILL.match(content, start) if start >= 0 else None
        if not fill or fill.end() + 3 > len(content):
            raise DamagedError("no scan")
        marker, position = content[fill.end()], fill.end() + 1
        if marker in _WITHOUT_LENGTH:
            continue
        length = struct.unpack_from(">H", content, position)[0]
        body = content[position + 2 : position + length]
        if marker == 0xDA:
            header.scan = position - 2
            header.is_single_scan = body[:1] == header.frame[5:6]
            if not header.frame:
                raise DamagedError("no frame")
            return header
        _read_segment(header, marker, body)
        if len(header.needed) > MAX_SEGMENTS:
            raise too_many_parts()
        position += length
    raise too_many_parts()


def _read_segment(header: _Header, marker: int, body: bytes) -> None:
    if 0xC0 <= marker <= 0xCF and marker not in _TABLES:
        if header.frame or len(body) < 6:
            raise DamagedError("frame")
        if marker not in _FRAMES or body[0] != 8:  # lossless, in layers, or of 12 bits
            raise unknown_kind()
        header.frame, header.frame_kind = body, marker
    elif marker == 0xE1 and body.startswith(b"Exif\0\0"):
        header.exif = header.exif or body
        return
    elif marker == 0xE1 and body.startswith(b"http://ns.adobe.com/xap/1.0/\0"):
        header.xmp = header.xmp or body
        return
    elif marker == 0xE2 and body.startswith(b"ICC_PROFILE\0"):
        header.profile.setdefault(body[12] if len(body) > 12 else 0, body[14:])
        return
    elif marker not in _TABLES and not _says_how_colours_are_stored(marker, body):
        return
    header.needed.append(struct.pack(">BBH", 0xFF, marker, len(body) + 2) + body)


def _says_how_colours_are_stored(marker: int, body: bytes) -> bool:
    """Tell whether a segment is the one of JFIF or the one of Adobe, and complete."""
    is_jfif = marker == 0xE0 and body.startswith(b"JFIF\0") and len(body) >= 14
    return is_jfif or (marker == 0xEE and body.startswith(b"Adobe") and len(body) >= 12)


def _divisor(width: int, height: int, side: int | None, coefficients: float) -> int:
    """Return the divisor of the size for decoding: 1, 2, 4 or 8."""
    enough = [divisor for divisor in (2, 4, 8) if side and min(width, height) // divisor >= 2 * side]
    room = min(4 * MAX_PIXELS, MAX_DECODED_BYTES - coefficients)
    allowed = [divisor for divisor in (1, 2, 4, 8) if 4 * width * height <= room * divisor**2]
    return max([*enough, *allowed[:1], *([] if allowed else [8])])


def _open(parts: list[bytes | memoryview], time_limit: TimeLimit, divisor: int) -> JpegImagePlugin.JpegImageFile:
    image = JpegImagePlugin.JpegImageFile(open_parts(parts, time_limit))
    image.draft(None, (image.width // divisor, image.height // divisor))
    return image


def _decode(parts: list[bytes | memoryview], time_limit: TimeLimit, divisor: int) -> Image.Image:
    image = _open(parts, time_limit, divisor)
    image.load()
    return image


def _complete_share(parts: list[bytes | memoryview], time_limit: TimeLimit, divisor: int) -> float:
    """Decode a file whose end is missing; return the share of the rows that are there."""
    image = _open(parts, time_limit, divisor)
    colour = _UNUSED_COLOUR[: len(image.getbands())]
    image.im = Image.new(image.mode, image.size, colour).im
    with contextlib.suppress(OSError):
        image.load()
    image.tile = []  # it is not loaded again
    some_columns = np.asarray(image)[:, :: max(1, image.width // 64)].reshape(image.height, -1, len(colour))
    written = (some_columns != colour).any(axis=(1, 2))
    return float(1 - np.argmax(written[::-1]) / image.height) if written.any() else 0.0
