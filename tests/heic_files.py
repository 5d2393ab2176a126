"""HEIC put together from items, among them pictures of tiles, as phones write them."""

from __future__ import annotations

import struct
from collections.abc import Sequence
from itertools import accumulate
from typing import NamedTuple


class Item(NamedTuple):
    """An item of a HEIC."""

    kind: bytes
    data: bytes = b""
    properties: tuple[bytes, ...] = ()
    """Boxes."""
    is_hidden: bool = False


Reference = tuple[bytes, int, Sequence[int]]
"""Its kind, the number of an item, and those of the items that it refers to."""


def box(kind: bytes, body: bytes) -> bytes:
    """A box."""
    return struct.pack(">I", len(body) + 8) + kind + body


def full_box(kind: bytes, body: bytes, version: int = 0, flags: int = 0) -> bytes:
    """A box with a version and flags."""
    return box(kind, struct.pack(">I", version << 24 | flags) + body)


def shown_size(width: int, height: int) -> bytes:
    """The property that says how large a picture is."""
    return full_box(b"ispe", struct.pack(">II", width, height))


ALPHA = full_box(b"auxC", b"urn:mpeg:mpegB:cicp:systems:auxiliary:alpha\0")
"""The property of an alpha channel."""


def coded(content: bytes) -> tuple[bytes, bytes]:
    """Return the box `hvcC` and the coded picture of a HEIC of one picture, without alpha."""
    start = content.index(b"hvcC") - 4
    description = content[start:][: int.from_bytes(content[start : start + 4], "big")]
    start = content.index(b"mdat") + 4  # one unit; EXIF may follow
    return description, content[start : start + 4 + int.from_bytes(content[start : start + 4], "big")]


def heic(items: Sequence[Item], references: Sequence[Reference] = (), main: int = 1, *, is_wide: bool = False) -> bytes:
    """A HEIC of items, which are numbered from 1 on; `is_wide`: their numbers have four bytes."""
    letter = "I" if is_wide else "H"
    properties = list(dict.fromkeys(one for item in items for one in item.properties))
    data = list(dict.fromkeys(item.data for item in items))
    offsets = dict(zip(data, accumulate(map(len, data), initial=0), strict=False))
    infos, links = b"", b""
    for number, item in enumerate(items, 1):
        info = struct.pack(f">{letter}H4sB", number, 0, item.kind, 0)
        infos += full_box(b"infe", info, 3 if is_wide else 2, item.is_hidden)
        numbers = [properties.index(one) + 1 | (one[4:8] != b"ispe") << 7 for one in item.properties]
        links += struct.pack(f">{letter}B{len(numbers)}B", number, len(numbers), *numbers)
    named = b"".join(
        box(kind, struct.pack(f">{letter}H{len(others)}{letter}", number, len(others), *others))
        for kind, number, others in references
    )
    kind = box(b"ftyp", b"heic" + bytes(4) + b"mif1heic")

    def meta(at: int) -> bytes:
        places = b"\x44\0" + struct.pack(f">{letter}", len(items))
        for number, item in enumerate(items, 1):
            places += struct.pack(f">{letter}", number) + bytes(4 if is_wide else 2)
            places += struct.pack(">HII", 1, at + offsets[item.data], len(item.data))
        body = full_box(b"hdlr", bytes(4) + b"pict" + bytes(13))
        body += full_box(b"pitm", struct.pack(f">{letter}", main), is_wide)
        body += full_box(b"iloc", places, 2 if is_wide else 0)
        body += full_box(b"iinf", struct.pack(">H", len(items)) + infos) + full_box(b"iref", named, is_wide)
        described = box(b"ipco", b"".join(properties))
        described += full_box(b"ipma", struct.pack(">I", len(items)) + links, is_wide)
        return full_box(b"meta", body + box(b"iprp", described))

    return kind + meta(len(kind) + len(meta(0)) + 8) + box(b"mdat", b"".join(data))


def grid(columns: int, rows: int, width: int, height: int) -> bytes:
    """The data of a picture that is put together from tiles."""
    return struct.pack(">BBBBII", 0, 1, rows - 1, columns - 1, width, height)


def heic_of_tiles(
    tile: bytes,
    side: int,
    columns: int,
    rows: int,
    properties: bytes = b"",
    preview: tuple[int, int] = (0, 0),
    turned_preview: bool = False,
) -> bytes:
    """A HEIC of tiles, all of which are the same one.

    Parameters
    ----------
    tile
        A HEIC of one picture, without alpha.
    side
        Its width and height, in pixels.
    columns, rows
        Number of tiles.
    properties
        A box of how the whole is turned, or nothing.
    preview
        Width and height of a preview, which is the picture of `tile` itself.
    turned_preview
        Whether the preview is turned like the whole.
    """
    description, pixels = coded(tile)
    width, height = columns * side, rows * side
    turns = (properties,) if properties else ()
    items = [Item(b"grid", grid(columns, rows, width, height), (shown_size(width, height), *turns))]
    items += [Item(b"hvc1", pixels, (description, shown_size(side, side)), is_hidden=True)] * (columns * rows)
    references: list[Reference] = [(b"dimg", 1, range(2, len(items) + 1))]
    if any(preview):
        shown = (description, shown_size(*preview), *(turns if turned_preview else ()))
        items.append(Item(b"hvc1", pixels, shown, is_hidden=True))
        references.append((b"thmb", len(items), [1]))
    return heic(items, references)
