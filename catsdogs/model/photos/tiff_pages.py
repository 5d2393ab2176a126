"""The directories of a TIFF: of each page, its tags and their values."""

from __future__ import annotations

import struct
from collections.abc import Sequence
from dataclasses import dataclass, field

from catsdogs.model.photos.source import DamagedError, too_many_parts

MAX_TABLES = 2**20
"""Largest size of all values of the tags, without the strips, in bytes."""
KIND_BYTES = {1: 1, 2: 1, 3: 2, 4: 4, 5: 8, 6: 1, 7: 1, 8: 2, 9: 4, 10: 8, 11: 4, 12: 8, 13: 4, 16: 8, 17: 8, 18: 8}
_NUMBERS = {1: "B", 3: "H", 4: "I", 13: "I", 16: "Q"}


Entries = dict[int, tuple[int, int, bytes]]


@dataclass
class Page:
    """An image file directory."""

    entries: Entries = field(default_factory=dict)
    """Type, count and the value or its address, by tag."""
    next: int = 0


class File:
    """A file, and how its numbers are stored."""

    def __init__(self, content: bytes) -> None:
        self.content = content
        self.order = {b"II": "<", b"MM": ">"}[content[:2]]
        self.is_big = content[2:4] in (b"\x2b\0", b"\0\x2b")
        self.word = self.order + ("Q" if self.is_big else "I")
        self.word_size = 8 if self.is_big else 4
        self.first = struct.unpack_from(self.word, content, self.word_size)[0]

    def read_page(self, start: int) -> Page:
        """Read the directory at `start`."""
        page = Page()
        count_format = self.order + ("Q" if self.is_big else "H")
        count = struct.unpack_from(count_format, self.content, start)[0]
        position = start + struct.calcsize(count_format)
        length = 20 if self.is_big else 12
        if count > 4096:
            raise too_many_parts()
        for _ in range(count):
            if position + length > len(self.content):
                raise DamagedError("directory")
            tag, kind, number = struct.unpack_from(self.order + "HH" + self.word[1], self.content, position)
            page.entries.setdefault(
                tag, (kind, number, self.content[position + length - self.word_size : position + length])
            )
            position += length
        if position + self.word_size <= len(self.content):
            page.next = struct.unpack_from(self.word, self.content, position)[0]
        return page

    def value(self, page: Page, tag: int, most: int = MAX_TABLES) -> bytes:
        """Return the bytes of a tag, up to `most`; empty where there are none."""
        kind, count, inline = page.entries.get(tag, (0, 0, b""))
        size = KIND_BYTES.get(kind, 0) * count
        if size <= self.word_size:
            return inline[:size]
        start = struct.unpack(self.word, inline)[0]
        return self.content[start : start + min(size, most)]

    def numbers(self, page: Page, tag: int, default: Sequence[int] = (), most: int = 64) -> Sequence[int]:
        """Return the whole numbers of a tag; no more than `most` bytes are read."""
        code = _NUMBERS.get(page.entries.get(tag, (0, 0, b""))[0])
        value = self.value(page, tag, most)
        if not code or not value:
            return default
        size = struct.calcsize(code)
        return struct.unpack(f"{self.order}{len(value) // size}{code}", value[: len(value) // size * size])
