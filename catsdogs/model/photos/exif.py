"""The orientation that a camera stores with a photo. Nothing else of the metadata is read."""

from __future__ import annotations

import re
import struct

_TAG = 0x0112
_XMP = re.compile(rb'tiff:Orientation(?:="|>)([0-9])')
_CODES = {1: "B", 2: "B", 3: "H", 4: "I", 6: "B", 7: "B", 8: "H", 9: "I", 13: "I", 16: "Q"}
"""How a value is stored, for each type of the TIFF specification that may hold a whole number."""


def read_orientation(exif: bytes, xmp: bytes = b"") -> int:
    """Read the orientation, 1..8, from EXIF, or from XMP where EXIF has none.

    Only the first directory is read, and no entry but this one: damage elsewhere does not matter.
    """
    for _ in range(2):  # some programs write it twice
        exif = exif.removeprefix(b"Exif\0\0")
    try:
        value = _find(exif)
    except struct.error:  # the directory ends early
        value = None
    if value is None:
        match = _XMP.search(xmp)
        value = int(match[1]) if match else 1
    return value if 1 <= value <= 8 else 1


def _find(exif: bytes) -> int | None:
    order = {b"II": "<", b"MM": ">"}.get(exif[:2])
    if not order:
        return None
    big = exif[2:4] in (b"\x2b\0", b"\0\x2b")  # BigTIFF
    start = struct.unpack_from(order + ("Q" if big else "I"), exif, 8 if big else 4)[0]
    count = struct.unpack_from(order + ("Q" if big else "H"), exif, start)[0]
    first, length, value = (start + 8, 20, 12) if big else (start + 2, 12, 8)
    for position in range(first, min(first + length * count, len(exif)), length):
        tag, kind = struct.unpack_from(order + "HH", exif, position)
        if tag == _TAG:
            number = struct.unpack_from(order + _CODES.get(kind, "H"), exif, position + value)[0]
            return int(chr(number)) if kind == 2 and chr(number).isdigit() else int(number)
    return None
