"""Pictures of many pixels in few bytes, all of one colour."""

from __future__ import annotations

import struct
import zlib

_DC, _AC = 0, 1


def png(width: int, height: int) -> bytes:
    """A valid black PNG."""

    def chunk(kind: bytes, data: bytes) -> bytes:
        return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))

    compressor = zlib.compressobj(9)
    row = bytes(1 + -(-width // 8))
    body = b"".join(compressor.compress(row) for _ in range(height)) + compressor.flush()
    header = struct.pack(">IIBBBBB", width, height, 1, 0, 0, 0, 0)
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + chunk(b"IDAT", body) + chunk(b"IEND", b"")


def bmp(width: int, height: int) -> bytes:
    """A valid black BMP of one bit a pixel."""
    pixels = bytes(-(-width // 32) * 4 * height)
    start = 14 + 40 + 8
    info = struct.pack("<IiiHHIIiiII", 40, width, height, 1, 1, 0, len(pixels), 0, 0, 2, 0) + bytes(8)
    return b"BM" + struct.pack("<IHHI", start + len(pixels), 0, 0, start) + info + pixels


def jpeg(width: int, height: int) -> bytes:
    """A valid grey JPEG of three components in one scan."""
    return _beginning(0xFFC0, width, height) + _scan([1, 2, 3], (0, 63), bits=6 * _blocks(width, height)) + b"\xff\xd9"


def jpeg_by_component(width: int, height: int) -> bytes:
    """A valid grey JPEG of three components, each in its own scan."""
    scans = (_scan([component], (0, 63), bits=2 * _blocks(width, height)) for component in (1, 2, 3))
    return _beginning(0xFFC0, width, height) + b"".join(scans) + b"\xff\xd9"


def progressive_jpeg(width: int, height: int, scans: int = 1) -> bytes:
    """A valid grey progressive JPEG: the first coefficient of all blocks, in `scans` scans."""
    first = _scan([1, 2, 3], (0, 0), bits=3 * _blocks(width, height))
    return _beginning(0xFFC2, width, height) + first * scans + b"\xff\xd9"


def _blocks(width: int, height: int) -> int:
    return -(-width // 8) * -(-height // 8)


def _beginning(frame: int, width: int, height: int) -> bytes:
    components = b"".join(bytes([component, 0x11, 0]) for component in (1, 2, 3))
    tables = b"".join(_segment(0xFFC4, bytes([kind << 4, 1, *[0] * 15, 0])) for kind in (_DC, _AC))  # 0: all zero
    size = struct.pack(">BHHB", 8, height, width, 3)
    return b"\xff\xd8" + _segment(0xFFDB, b"\0" + bytes([1]) * 64) + _segment(frame, size + components) + tables


def _scan(components: list[int], spectrum: tuple[int, int], bits: int) -> bytes:
    chosen = b"".join(bytes([component, 0]) for component in components)
    return _segment(0xFFDA, bytes([len(components)]) + chosen + bytes([*spectrum, 0])) + bytes(-(-bits // 8))


def _segment(marker: int, data: bytes) -> bytes:
    return struct.pack(">HH", marker, 2 + len(data)) + data
