"""HEIC whose picture is put together from tiles, as phones write it; all tiles are the same one of a smaller HEIC."""

from __future__ import annotations

import struct


def box(kind: bytes, body: bytes) -> bytes:
    """A box."""
    return struct.pack(">I", len(body) + 8) + kind + body


def full_box(kind: bytes, body: bytes, version: int = 0, flags: int = 0) -> bytes:
    """A box with a version and flags."""
    return box(kind, struct.pack(">I", version << 24 | flags) + body)


def heic_of_tiles(
    tile: bytes,
    side: int,
    columns: int,
    rows: int,
    properties: bytes = b"",
    preview: tuple[int, int] = (0, 0),
    turned_preview: bool = False,
) -> bytes:
    """A HEIC of tiles.

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
    description = tile[tile.index(b"hvcC") - 4 :][: int.from_bytes(tile[tile.index(b"hvcC") - 4 :][:4], "big")]
    start = tile.index(b"mdat") + 4
    pixels = tile[start : start + 4 + int.from_bytes(tile[start : start + 4], "big")]  # one unit; EXIF may follow
    count = columns * rows
    numbers = range(2, count + 2)
    last = count + 2 if any(preview) else count + 1  # the preview comes last
    grid = struct.pack(">BBBBII", 0, 1, rows - 1, columns - 1, columns * side, rows * side)

    def item(number: int, kind: bytes, hidden: int) -> bytes:
        return full_box(b"infe", struct.pack(">HH4sB", number, 0, kind, 0), 2, hidden)

    items = item(1, b"grid", 0) + b"".join(item(number, b"hvc1", 1) for number in range(2, last + 1))
    tiles = box(b"dimg", struct.pack(f">HH{count}H", 1, count, *numbers))
    if any(preview):
        tiles += box(b"thmb", struct.pack(">HHH", last, 1, 1))
    whole = (columns * side, rows * side)
    sizes = [full_box(b"ispe", struct.pack(">II", *size)) for size in ((side, side), whole, preview)]
    links = struct.pack(">IHB", last, 1, 2 if properties else 1) + (b"\x03\x85" if properties else b"\x03")
    links += b"".join(struct.pack(">HBBB", number, 2, 0x81, 2) for number in numbers)
    if any(preview):
        links += struct.pack(">HB", last, 2 + turned_preview) + (b"\x81\x04\x85" if turned_preview else b"\x81\x04")
    kind = box(b"ftyp", b"heic" + bytes(4) + b"mif1heic")

    def meta(at: int) -> bytes:
        places = struct.pack(">HHHII", 1, 0, 1, at, len(grid))
        places += b"".join(
            struct.pack(">HHHII", number, 0, 1, at + len(grid), len(pixels)) for number in range(2, last + 1)
        )
        body = full_box(b"hdlr", bytes(4) + b"pict" + bytes(13)) + full_box(b"pitm", struct.pack(">H", 1))
        body += full_box(b"iloc", b"\x44\0" + struct.pack(">H", last) + places)
        body += full_box(b"iinf", struct.pack(">H", last) + items) + full_box(b"iref", tiles)
        described = box(b"ipco", description + b"".join(sizes) + properties) + full_box(b"ipma", links)
        return full_box(b"meta", body + box(b"iprp", described))

    return kind + meta(len(kind) + len(meta(0)) + 8) + box(b"mdat", grid + pixels)
