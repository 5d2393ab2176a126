"""The items of a HEIC: coded pictures, what is put together from them, and what the decoding of one takes.

A few bytes may ask for a lot: layers of layers of pictures, tiles or an alpha channel much larger than the picture, or
many pictures in one stream. So what is decoded is counted before anything is.
"""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass, field
from typing import NamedTuple

from catsdogs.model.photos.boxes import (
    MAX_UNITS,
    Range,
    all_boxes,
    item_number,
    item_parts,
    property_numbers,
    reference,
    siblings,
)
from catsdogs.model.photos.hevc import read_stream
from catsdogs.model.photos.source import DamagedError, too_many_parts, unknown_kind

_CODED, _OVERLAY = b"hvc1", b"iovl"
_PUT_TOGETHER = (b"grid", b"iden", _OVERLAY)
_TURNS = (b"irot", b"imir", b"clap")
_MAX_TURNS = 3  # one of each kind
_MAX_BYTES = 64 * 2**20  # that are read of streams, which may lie over each other
_KEPT = (*_TURNS, b"hvcC", b"auxC")


class Decoding(NamedTuple):
    """What the decoding of an item takes."""

    pixels: int = 0
    """Number of pixels of all coded pictures, each as often as it is needed."""
    size: int = 0
    """Number of their bytes."""
    largest: int = 0
    """Number of pixels of the largest coded picture."""
    largest_size: int = 0
    """Number of bytes of the longest one."""
    pixel_bytes: float = 0.0
    """Memory that a decoded pixel takes, before its colours become red, green and blue; more with an alpha channel."""


@dataclass
class Items:
    """What the boxes say of the items."""

    content: bytes
    main: int = 0
    main_at: Range = (0, 0)
    """Where the number of the main picture stands."""
    kinds: dict[int, tuple[bytes, int]] = field(default_factory=dict)
    """Kind of each item, and where the box begins that says so."""
    parts: defaultdict[int, list[Range]] = field(default_factory=lambda: defaultdict(list))
    properties: defaultdict[int, list[tuple[bytes, bytes]]] = field(default_factory=lambda: defaultdict(list))
    made_of: defaultdict[int, list[int]] = field(default_factory=lambda: defaultdict(list))
    """Items that another one is put together from."""
    added: defaultdict[int, list[int]] = field(default_factory=lambda: defaultdict(list))
    """Items that are added to a picture, such as its alpha channel."""
    previews: defaultdict[int, list[tuple[int, int]]] = field(default_factory=lambda: defaultdict(list))
    """Previews of a picture, and where the link stands that says so."""
    _known: dict[int, Decoding | None] = field(default_factory=dict)
    _units: int = 0
    _bytes: int = 0

    def decoding_of(self, number: int) -> Decoding:
        """Count what is decoded for an item.

        Raises
        ------
        InvalidImage
            It is of a kind that is not read.
        DamagedError
            It is put together from itself.
        """
        if number not in self._known:
            self._known[number] = None
            self._known[number] = self._count(number)
        found = self._known[number]
        if found is None:
            raise DamagedError("circle")
        return found

    def _count(self, number: int) -> Decoding:
        if number not in self.kinds:
            raise DamagedError("no such item")
        kind, _ = self.kinds[number]
        if sum(name in _TURNS for name, _ in self.properties[number]) > _MAX_TURNS:
            raise DamagedError("turns")
        if kind == _CODED:
            own = self._coded(number)
        elif kind in _PUT_TOGETHER:
            canvas = self._canvas(number) if kind == _OVERLAY else 0
            own = _together([Decoding(canvas), *(self.decoding_of(part) for part in self.made_of[number])])
        else:
            raise unknown_kind()
        alpha = [self.decoding_of(other) for other in self.added[number] if self._is_alpha(other)]
        whole = _together([own, *alpha])
        return whole._replace(pixel_bytes=own.pixel_bytes + sum(one.pixel_bytes for one in alpha))

    def _coded(self, number: int) -> Decoding:
        size = sum(length for _, length in self.parts[number])
        self._bytes += size
        if self._bytes > _MAX_BYTES:
            raise too_many_parts()
        stream = b"".join(self.content[start : start + length] for start, length in self.parts[number])
        parameters = b"".join(body for name, body in self.properties[number] if name == b"hvcC")
        pixels, pixel_bytes, pictures, units = read_stream(parameters, stream)
        self._units += units
        if self._units > MAX_UNITS:
            raise too_many_parts()
        return Decoding(pixels * max(1, pictures), size, pixels, size, pixel_bytes)

    def _canvas(self, number: int) -> int:
        """Read the number of pixels of what pictures are laid over."""
        start, length = next(iter(self.parts[number]), (0, 0))
        size = 4 if self.content[start + 1 : start + 2] >= b"\1" else 2
        if length < 10 + 2 * size:
            raise DamagedError("canvas")
        first = start + 10
        width, height = (int.from_bytes(self.content[at : at + size], "big") for at in (first, first + size))
        return width * height

    def _is_alpha(self, number: int) -> bool:
        return any(
            name == b"auxC" and (b":alpha" in body or b":auxid:1" in body) for name, body in self.properties[number]
        )


def _together(parts: list[Decoding]) -> Decoding:
    return Decoding(
        sum(part.pixels for part in parts),
        sum(part.size for part in parts),
        max(part.largest for part in parts),
        max(part.largest_size for part in parts),
        max(part.pixel_bytes for part in parts),
    )


def read_items(content: bytes) -> Items:
    """Read the boxes that describe the items.

    Raises
    ------
    DamagedError
        There is no description, or two of one thing.
    """
    descriptions = [(start, end) for kind, start, end in siblings(content, 0, len(content)) if kind == b"meta"]
    if len(descriptions) != 1:
        raise DamagedError("description")
    found: defaultdict[bytes, list[Range]] = defaultdict(list)
    for kind, start, end in all_boxes(content, descriptions[0][0] + 4, descriptions[0][1]):
        found[kind].append((start, end))
    if max(len(found[kind]) for kind in (b"pitm", b"iref", b"ipco", b"idat")) > 1:
        raise DamagedError("two of one thing")
    items = Items(content)
    for start, _ in found[b"pitm"]:
        size = 4 if content[start] else 2
        items.main_at = start + 4, size
        items.main = int.from_bytes(content[start + 4 : start + 4 + size], "big")
    for start, _ in found[b"infe"]:
        _read_kind(items, start)
    _read_places(items, found)
    _read_properties(items, found)
    size = 4 if any(content[start] for start, _ in found[b"iref"]) else 2
    for kind in (b"dimg", b"auxl", b"thmb"):
        for start, end in found[kind]:
            _read_reference(items, kind, start, reference(content[start:end], size))
    return items


def _read_places(items: Items, found: dict[bytes, list[Range]]) -> None:
    beside = next(((start, end - start) for start, end in found[b"idat"]), (0, 0))
    for start, end in found[b"iloc"]:
        for number, parts in item_parts(items.content[start:end], (0, len(items.content)), beside):
            items.parts[number] += parts


def _read_properties(items: Items, found: dict[bytes, list[Range]]) -> None:
    content = items.content
    properties = [
        (name, content[at:to] if name in _KEPT else b"")
        for start, end in found[b"ipco"]
        for name, at, to in siblings(content, start, end)
    ]
    for start, end in found[b"ipma"]:
        for number, linked in property_numbers(content[start:end]):
            items.properties[number] += [properties[one - 1] for one in linked if 0 < one <= len(properties)]


def _read_kind(items: Items, start: int) -> None:
    number = item_number(items.content, start)
    if number in items.kinds:
        raise DamagedError("two items of one number")
    at = start + (8 if items.content[start] < 3 else 10)
    items.kinds[number] = items.content[at : at + 4], start


def _read_reference(items: Items, kind: bytes, start: int, link: tuple[int, list[int]]) -> None:
    number, others = link
    if kind == b"dimg":
        items.made_of[number] += others
    for other in others if kind != b"dimg" else ():
        if kind == b"auxl":
            items.added[other].append(number)
        else:
            items.previews[other].append((number, start - 4))
