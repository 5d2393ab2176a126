"""The boxes that HEIC and AVIF consist of, and the codes of the colours of the main picture in them.

See ISO/IEC 14496-12 (boxes), and ISO/IEC 23008-12 for the tables of pictures and of their properties.
"""

from __future__ import annotations

import struct
from collections.abc import Iterator

from catsdogs.model.photos.source import DamagedError, too_many_parts

MAX_UNITS = 100_000
"""Number of boxes, of samples, and of units of streams that are looked at, at most."""
_CONTAINERS = {
    b"moov": 0,
    b"trak": 0,
    b"mdia": 0,
    b"minf": 0,
    b"stbl": 0,
    b"meta": 4,
    b"iprp": 0,
    b"ipco": 0,
    b"iref": 4,
}
"""How many bytes come before the boxes in a box."""


Range = tuple[int, int]
"""Where something starts, and how long it is."""


class Numbers:
    """Reads whole numbers of several sizes, one after the other."""

    def __init__(self, table: bytes) -> None:
        self.table, self.position = table, 0

    def read(self, size: int) -> int:
        """Read a number of `size` bytes."""
        self.position += size
        if self.position > len(self.table):
            raise DamagedError("table")
        return int.from_bytes(self.table[self.position - size : self.position], "big")


def siblings(content: bytes, position: int, end: int) -> Iterator[tuple[bytes, int, int]]:
    """Return the kind, the start and the end of each box, without those in it."""
    while position + 8 <= end:
        length, kind = struct.unpack_from(">I4s", content, position)
        start = position + 8
        if length == 1:
            length, start = struct.unpack_from(">Q", content, start)[0], start + 8
        after = min(end, position + length) if length else end
        if after < start:
            return
        yield kind, start, after
        position = after


def boxes(content: bytes, position: int, end: int) -> Iterator[tuple[bytes, int, int]]:
    """Return the kind, the start and the end of each box, and of the boxes in it."""
    for kind, start, after in siblings(content, position, end):
        yield kind, start, after
        if kind in _CONTAINERS:
            yield from boxes(content, start + _CONTAINERS[kind], after)
        elif kind == b"iinf":
            yield from boxes(content, start + (8 if content[start : start + 1] > b"\0" else 6), after)


def all_boxes(content: bytes, start: int = 0, end: int | None = None) -> Iterator[tuple[bytes, int, int]]:
    """Return the kind, the start and the end of each box of a file, or of a part of it.

    Raises
    ------
    InvalidImage
        There are more than `MAX_UNITS`.
    """
    for count, box in enumerate(boxes(content, start, len(content) if end is None else end)):
        if count > MAX_UNITS:
            raise too_many_parts()
        yield box


def item_number(content: bytes, start: int) -> int:
    """Return the number of the picture or other item that a box `infe` describes."""
    return int.from_bytes(content[start + 4 : start + (6 if content[start] < 3 else 8)], "big")


def colour_codes(content: bytes) -> tuple[int, int]:
    """Return the codes of the primaries and of the transfer function of the main picture; 2 where there are none."""
    for kind, body in _main_properties(content):
        if kind == b"colr" and body.startswith(b"nclx"):
            return struct.unpack_from(">HH", body.ljust(8, b"\0"), 4)
    return 2, 2


def quarter_turns(content: bytes) -> int:
    """Return by how many quarters of a circle the main picture is turned to the left, 0..3."""
    return sum(body[0] & 3 for kind, body in _main_properties(content) if kind == b"irot" and body) % 4


def _main_properties(content: bytes) -> list[tuple[bytes, bytes]]:
    """Return the kind and the content of each property of the main picture."""
    main, links, properties_end = 0, b"", 0
    properties: list[tuple[bytes, bytes]] = []
    for kind, start, end in all_boxes(content):
        if start < properties_end:
            properties.append((kind, content[start:end] if kind in (b"colr", b"irot") else b""))
        elif kind == b"ipco":
            properties_end = end
        elif kind == b"pitm":
            main = int.from_bytes(content[start + 4 : end], "big")
        elif kind == b"ipma":
            links = content[start:end]
    numbers = next((found for picture, found in property_numbers(links) if picture == main), []) if links else []
    return [properties[number - 1] for number in numbers if 0 < number <= len(properties)]


def property_numbers(links: bytes) -> Iterator[tuple[int, list[int]]]:
    """Return the number of each picture, and those of its properties, from 1 on, given a box `ipma`."""
    numbers = Numbers(links)
    head = numbers.read(4)
    is_long = head & 1
    for _ in range(numbers.read(4)):
        picture = numbers.read(4 if head >> 24 else 2)
        yield picture, [numbers.read(1 + is_long) & (0x7FFF if is_long else 0x7F) for _ in range(numbers.read(1))]


def item_parts(table: bytes, file: Range, description: Range) -> Iterator[tuple[int, list[Range]]]:
    """Return the number of each picture or other item, and where its parts lie: in the file, or in a box beside it."""
    numbers = Numbers(table)
    version = numbers.read(4) >> 24
    sizes = numbers.read(2)
    offset_size, length_size, base_size, index_size = (sizes >> shift & 15 for shift in (12, 8, 4, 0))
    for _ in range(numbers.read(4 if version == 2 else 2)):
        number = numbers.read(4 if version == 2 else 2)
        method = numbers.read(2) & 15 if version else 0
        origin, size = {0: file, 1: description}.get(method, (0, 0))
        numbers.read(2)
        base = numbers.read(base_size)
        parts = []
        for _ in range(numbers.read(2)):
            if version and index_size:
                numbers.read(index_size)
            start, length = base + numbers.read(offset_size), numbers.read(length_size)
            parts.append((origin + start, max(0, min(length or size, size - start))))
        yield number, parts


def reference(body: bytes, size: int) -> tuple[int, list[int]]:
    """Return the number of an item, and of those that it refers to, such as its tiles; each has `size` bytes."""
    numbers = Numbers(body)
    return numbers.read(size), [numbers.read(size) for _ in range(numbers.read(2))]
