"""What a HEIC asks the decoder for is counted before anything is decoded."""

from __future__ import annotations

import contextlib
import struct
from collections.abc import Callable
from pathlib import Path

import pytest

from catsdogs.domain import Note
from catsdogs.errors import InvalidImage
from catsdogs.model import preprocessing
from catsdogs.model.photos import heif
from catsdogs.model.photos.items import read_items
from tests.heic_files import ALPHA, Item, Reference, box, coded, full_box, grid, heic, heic_of_tiles, shown_size

SIDE = 64
PICTURE = (Path(__file__).parents[2] / "pictures" / "quarters.heic").read_bytes()
DESCRIPTION, PIXELS = coded(PICTURE)
SHOWN = shown_size(SIDE, SIDE)
SMALL = Item(b"hvc1", PIXELS, (DESCRIPTION, SHOWN))
LARGE = (8064, 6048)


def unit(width: int, height: int, chroma: int = 1, depth: int = 8) -> bytes:
    """The unit of a stream that says how large a picture is."""

    def number(value: int) -> str:
        bits = f"{value + 1:b}"
        return "0" * (len(bits) - 1) + bits

    bits = f"{0x4201:016b}" + "0000" + "000" + "1" * 97 + number(0) + number(chroma) + "0" * (chroma == 3)
    bits += number(width) + number(height) + "0" + 2 * number(depth - 8) + "1"
    bits = bits.ljust(-(-len(bits) // 8) * 8, "0")
    return int(bits, 2).to_bytes(len(bits) // 8, "big")


def parameters(*picture: int) -> bytes:
    """A box `hvcC` that holds only such a unit."""
    return box(b"hvcC", bytes(21) + b"\3\1\x21" + struct.pack(">HH", 1, len(unit(*picture))) + unit(*picture))


def large(*more: Item, references: tuple[Reference, ...] = (), is_wide: bool = False) -> bytes:
    """A HEIC of 49 megapixels, which is refused, and other items, of which the first one has the number 3."""
    items = [Item(b"grid", grid(1, 1, *LARGE), (shown_size(*LARGE),)), SMALL._replace(is_hidden=True), *more]
    items[1] = items[1]._replace(properties=(DESCRIPTION, shown_size(*LARGE)))
    return heic(items, [*references, (b"dimg", 1, [2])], is_wide=is_wide)


def test_each_tile_counts_as_often_as_it_is_named() -> None:
    for order in (range(2, 10), [2] * 8):
        whole = Item(b"grid", grid(4, 2, 4 * SIDE, 2 * SIDE), (shown_size(4 * SIDE, 2 * SIDE),))
        items = read_items(heic([whole, *[SMALL] * 8], [(b"dimg", 1, order)]))
        assert items.decoding_of(1) == (8 * SIDE**2, 8 * len(PIXELS), SIDE**2, len(PIXELS), 3)


@pytest.mark.parametrize(
    ("chroma", "depth", "pixel_bytes"), [(0, 8, 1), (1, 8, 1.5), (1, 10, 3), (2, 10, 4), (3, 8, 3), (3, 12, 6)]
)
def test_the_size_of_a_picture_is_read_from_its_stream(chroma: int, depth: int, pixel_bytes: float) -> None:
    picture = Item(b"hvc1", PIXELS, (parameters(1000, 600, chroma, depth), SHOWN))
    assert read_items(heic([picture])).decoding_of(1)[:5] == (600_000, len(PIXELS), 600_000, len(PIXELS), pixel_bytes)
    two = picture._replace(data=2 * PIXELS)
    assert read_items(heic([two])).decoding_of(1).pixels == 1_200_000
    alpha = Item(b"hvc1", PIXELS, (parameters(1000, 600, 0), SHOWN, ALPHA))
    both = read_items(heic([picture, alpha], [(b"auxl", 2, [1])])).decoding_of(1)
    assert (both.pixels, both.pixel_bytes) == (1_200_000, pixel_bytes + 1)
    gain_map = alpha._replace(properties=(*alpha.properties[:2], full_box(b"auxC", b"urn:com:apple:photo:gainmap\0")))
    assert read_items(heic([picture, gain_map], [(b"auxl", 2, [1])])).decoding_of(1).pixels == 600_000


@pytest.mark.parametrize(("chroma", "depth", "most"), [(1, 10, 28), (2, 10, 20), (3, 10, 15)])
def test_deep_colours_take_more_memory(chroma: int, depth: int, most: int) -> None:
    """At 28 megapixels, 12 bits with colours at a half of the pixels took 365 MB; in tiles as much for a pixel."""
    picture = Item(b"hvc1", PIXELS, (parameters(7000, 5000, chroma, depth), shown_size(7000, 5000)))
    tile = Item(b"hvc1", PIXELS, (parameters(1000, 1000, chroma, depth), shown_size(1000, 1000)))
    tiles = [Item(b"grid", grid(7, 5, 7000, 5000), (shown_size(7000, 5000),)), *[tile] * 35]
    for photo in (heic([picture]), heic(tiles, [(b"dimg", 1, range(2, 37))])):
        with pytest.raises(InvalidImage, match=f"at most {most} megapixels"):
            preprocessing.decode(photo)


def _overlay(*size: int) -> bytes:
    return bytes(10) + struct.pack(">HH", *size) + bytes(4)


TABLE = Item(b"grid", grid(30, 30, SIDE, SIDE), (SHOWN,))
ASKING_TOO_MUCH: dict[str, Callable[[], bytes]] = {
    "a tile much larger than the picture": lambda: heic(
        [Item(b"grid", grid(1, 1, SIDE, SIDE), (SHOWN,)), Item(b"hvc1", PIXELS, (parameters(4000, 4000), SHOWN))],
        [(b"dimg", 1, [2])],
    ),
    "an alpha channel much larger than the picture": lambda: heic(
        [SMALL, Item(b"hvc1", PIXELS, (parameters(4000, 4000), SHOWN, ALPHA))], [(b"auxl", 2, [1])]
    ),
    "tables of tables": lambda: heic(
        [TABLE, TABLE, TABLE, SMALL], [(b"dimg", number, [number + 1] * 900) for number in (1, 2, 3)]
    ),
    "many pictures in one stream": lambda: heic([SMALL._replace(data=PIXELS * 25_000)]),
    "a large canvas": lambda: heic([Item(b"iovl", _overlay(30_000, 30_000), (SHOWN,)), SMALL], [(b"dimg", 1, [2])]),
    "tables that name each other": lambda: heic(
        [Item(b"iovl", _overlay(SIDE, SIDE), (SHOWN,))] * 2, [(b"dimg", 1, [2]), (b"dimg", 2, [1])]
    ),
    "a table that names itself": lambda: heic([Item(b"iden", b"", (SHOWN,))], [(b"dimg", 1, [1])]),
    "an alpha channel of itself": lambda: heic(
        [SMALL._replace(properties=(*SMALL.properties, ALPHA))], [(b"auxl", 1, [1])]
    ),
    "many turns": lambda: heic([SMALL._replace(properties=(*SMALL.properties, *[box(b"irot", b"\1")] * 200))]),
    "many units": lambda: heic([SMALL._replace(data=bytes(4) * 150_000 + PIXELS)]),
    "many parameters": lambda: heic(
        [SMALL._replace(data=5 * (struct.pack(">I", len(unit(SIDE, SIDE))) + unit(SIDE, SIDE)) + PIXELS)]
    ),
    "two main pictures": lambda: PICTURE.replace(
        b"\0\0\0\x0epitm", b"\0\0\0\x0epitm" + bytes(4) + b"\0\1" + b"\0\0\0\x0epitm"
    ),
}


@pytest.mark.parametrize("name", ASKING_TOO_MUCH)
def test_what_would_take_too_much_is_not_decoded(monkeypatch: pytest.MonkeyPatch, name: str) -> None:
    monkeypatch.setattr(heif, "_loader", lambda *_: lambda _: pytest.fail("it would be decoded"))
    with pytest.raises(InvalidImage):
        preprocessing.decode(ASKING_TOO_MUCH[name]())


@pytest.mark.parametrize("is_wide", [False, True])
def test_the_largest_of_several_previews_is_looked_at(monkeypatch: pytest.MonkeyPatch, is_wide: bool) -> None:
    monkeypatch.setattr(heif, "MIN_PREVIEW_SIDE", SIDE)
    preview, table = SMALL._replace(is_hidden=True), Item(b"grid", grid(1, 1, SIDE, SIDE), (SHOWN,), is_hidden=True)
    smaller = preview._replace(properties=(parameters(SIDE - 8, SIDE - 8), shown_size(SIDE - 8, SIDE - 8)))
    huge = preview._replace(properties=(parameters(4000, 4000), SHOWN))
    alpha = Item(b"hvc1", PIXELS, (parameters(4000, 4000), SHOWN, ALPHA), is_hidden=True)
    of_itself = Item(b"iden", b"", (SHOWN,), is_hidden=True)
    for others, more in (
        ([smaller], ()),
        ([table], [(b"dimg", 3, [4])]),
        ([huge], ()),
        ([preview, alpha], [(b"auxl", 5, [3])]),
        ([of_itself], [(b"dimg", 3, [3])]),
        ([Item(b"Exif")], ()),
    ):
        items = [others[0], preview, *others[1:]]
        photo = large(*items, references=(*more, (b"thmb", 3, [1]), (b"thmb", 4, [1])), is_wide=is_wide)
        decoded = preprocessing.decode(photo)
        assert (decoded.notes, decoded.image.size) == ((Note.PREVIEW,), (SIDE, SIDE))
    with pytest.raises(InvalidImage, match="at most 28 megapixels"):
        preprocessing.decode(large(huge, references=((b"thmb", 3, [1]),), is_wide=is_wide))


def test_the_order_of_the_boxes_does_not_matter(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(heif, "MIN_PREVIEW_SIDE", SIDE)
    photo = large(SMALL._replace(is_hidden=True), references=((b"thmb", 3, [1]),))
    start = photo.index(b"pitm") - 4
    main = photo[start : start + 14]
    end = photo.index(b"mdat") - 4
    assert preprocessing.decode(photo[:start] + photo[start + 14 : end] + main + photo[end:]).notes == (Note.PREVIEW,)


def test_a_heic_that_is_cut_off_anywhere_ends_as_an_answer_or_the_one_error(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(heif, "MIN_PREVIEW_SIDE", SIDE)
    photo = large(SMALL._replace(is_hidden=True), references=((b"thmb", 3, [1]),))
    tiles = heic_of_tiles(PICTURE, SIDE, 2, 1)
    for whole in (photo, tiles):
        for length in range(0, len(whole), 7):
            with contextlib.suppress(InvalidImage):
                preprocessing.decode(whole[:length])
        for at in range(len(whole) - len(PIXELS)):
            with contextlib.suppress(InvalidImage):
                preprocessing.decode(whole[:at] + bytes([whole[at] ^ 0x55]) + whole[at + 1 :])
