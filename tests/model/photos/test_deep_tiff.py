"""TIFF with more than eight bits a sample, of every kind that scanners and programs write."""

from __future__ import annotations

import struct
import zlib
from itertools import pairwise
from typing import Any

import numpy as np
import numpy.typing as npt
import pytest
from PIL import Image

from catsdogs.errors import InvalidImage
from catsdogs.model import preprocessing
from catsdogs.model.photos.deep_tiff import Layout, _sample
from tests.fuzz.tiff_bombs import LONG, SHORT, tiff
from tests.model.photos.test_formats import BLUE, GREEN, RED, SIDE, WHITE, corners, grey, halves, quarters

Pixels = npt.NDArray[Any]
TILE = 48
"""Side of a tile, which the sides of the picture are not multiples of."""


def deep_quarters(bits: int) -> Pixels:
    """Red, green / blue, white, in whole numbers of some bits: 12 bits are stored in words of 16."""
    return np.asarray(quarters()).astype(np.uint16) // 255 * np.uint16(2**bits - 1)


def _predicted(rows: Pixels, predictor: int) -> bytes:
    """Store differences; `rows` has rows, columns and samples."""
    height, _, samples = rows.shape
    if predictor == 2:
        whole = rows.view(rows.dtype.str.replace("f", "u"))
        return np.concatenate([whole[:, :1], np.diff(whole, axis=1).astype(whole.dtype)], 1).tobytes()
    if predictor == 3:
        size = rows.dtype.itemsize
        planes = rows.astype(f">f{size}").reshape(height, -1).view(np.uint8).reshape(height, -1, size).swapaxes(1, 2)
        row_bytes = planes.reshape(height, -1, samples)
        return np.concatenate([row_bytes[:, :1], np.diff(row_bytes, axis=1).astype(np.uint8)], 1).tobytes()
    return rows.tobytes()


def _blocks(pixels: Pixels, tile: int) -> list[Pixels]:
    """Strips of ten rows, or tiles, of which the last ones are filled with zeros."""
    if not tile:
        return [pixels[top : top + 10] for top in range(0, len(pixels), 10)]
    height, width, samples = pixels.shape
    full = np.zeros((-(-height // tile) * tile, -(-width // tile) * tile, samples), pixels.dtype)
    full[:height, :width] = pixels
    return [full[y : y + tile, x : x + tile] for y in range(0, height, tile) for x in range(0, width, tile)]


def deep_tiff(
    pixels: Pixels,
    *,
    photometric: int = 2,
    compression: int = 1,
    predictor: int = 1,
    tile: int = 0,
    planar: bool = False,
    extra: int | None = None,
    big_endian: bool = False,
) -> bytes:
    """A TIFF of pixels: rows, columns, samples."""
    height, width, samples = pixels.shape
    kinds = np.split(pixels, samples, 2) if planar else [pixels]
    stored = [_predicted(np.ascontiguousarray(block), predictor) for kind in kinds for block in _blocks(kind, tile)]
    stored = [zlib.compress(block) for block in stored] if compression == 8 else stored
    offsets = np.cumsum([8, *map(len, stored)]).tolist()
    lengths = [after - start for start, after in pairwise(offsets)]
    tags = {
        256: (LONG, [width]),
        257: (LONG, [height]),
        258: (SHORT, [8 * pixels.itemsize] * samples),
        259: (SHORT, [compression]),
        262: (SHORT, [photometric]),
        277: (SHORT, [samples]),
        284: (SHORT, [2 if planar else 1]),
        317: (SHORT, [predictor]),
        339: (SHORT, [{"u": 1, "i": 2, "f": 3}[pixels.dtype.kind]] * samples),
        **({338: (SHORT, [extra])} if extra is not None else {}),
    }
    if tile:
        tags |= {322: (LONG, [tile]), 323: (LONG, [tile]), 324: (LONG, offsets[:-1]), 325: (LONG, lengths)}
    else:
        tags |= {273: (LONG, offsets[:-1]), 278: (LONG, [10]), 279: (LONG, lengths)}
    return tiff(tags, b"".join(stored), big_endian=big_endian)


@pytest.mark.parametrize("big_endian", [False, True], ids=["II", "MM"])
@pytest.mark.parametrize(
    "stored",
    [
        {},
        {"compression": 8},
        {"compression": 8, "predictor": 2},
        {"compression": 8, "predictor": 2, "tile": TILE},
        {"compression": 8, "tile": 2 * TILE},
        {"planar": True},
        {"compression": 8, "predictor": 2, "planar": True, "tile": TILE},
        {"compression": 8, "planar": True, "tile": 2 * TILE},
    ],
    ids=str,
)
@pytest.mark.parametrize("bits", [12, 14, 16])
def test_colours_of_twelve_to_sixteen_bits_are_read(bits: int, stored: dict[str, Any], big_endian: bool) -> None:
    pixels = deep_quarters(bits).astype(">u2" if big_endian else "<u2")
    assert corners(deep_tiff(pixels, big_endian=big_endian, **stored)) == [RED, GREEN, BLUE, WHITE]


@pytest.mark.parametrize("kind", ["f2", "f4", "f8"])
@pytest.mark.parametrize("predictor", [1, 3])
@pytest.mark.parametrize("tile", [0, TILE])
def test_colours_in_floating_point_are_read(kind: str, predictor: int, tile: int) -> None:
    for pixels in (np.asarray(quarters()) / 255, np.asarray(quarters()) * 40.0 - 9):
        made = deep_tiff(pixels.astype("<" + kind), compression=8, predictor=predictor, tile=tile)
        assert corners(made) == [RED, GREEN, BLUE, WHITE]
    half = np.full((SIDE, SIDE, 3), 0.25, "<" + kind)
    assert grey(preprocessing.decode(deep_tiff(half))) == [63, 63], "0 to 1 is the whole range"


@pytest.mark.parametrize("bits", [12, 16])
def test_greys_and_colours_with_alpha_are_read(bits: int) -> None:
    most = 2**bits - 1
    alpha = np.where(np.arange(SIDE) < SIDE // 2, 0, most).astype("<u2")[:, None, None].repeat(SIDE, 1)
    dark_and_bright = halves(0, most)[..., None]
    picture = deep_tiff(np.concatenate([dark_and_bright, alpha], 2), photometric=1, extra=2)
    assert corners(picture) == [WHITE, WHITE, (0, 0, 0), WHITE]
    colours = np.concatenate([deep_quarters(bits), alpha], 2)
    assert corners(deep_tiff(colours, extra=2)) == [WHITE, WHITE, BLUE, WHITE]
    multiplied = np.concatenate([deep_quarters(bits) * (alpha > 0), alpha], 2)
    assert corners(deep_tiff(multiplied, extra=1)) == [WHITE, WHITE, BLUE, WHITE]
    assert corners(deep_tiff(colours, extra=0)) == [RED, GREEN, BLUE, WHITE], "what is not alpha is left out"


@pytest.mark.parametrize("bits", range(9, 16))
def test_samples_that_are_packed_are_read(bits: int) -> None:
    places = np.arange(bits - 1, -1, -1)
    width = SIDE - 3  # the last samples of a row fill no whole number of bytes
    rows = deep_quarters(bits)[:, :width].reshape(SIDE, -1)
    body = np.packbits((rows[..., None] >> places & 1).reshape(SIDE, -1).astype(np.uint8), axis=1).tobytes()
    tags = {256: (LONG, [width]), 257: (LONG, [SIDE]), 258: (SHORT, [bits] * 3), 259: (SHORT, [1]), 262: (SHORT, [2])}
    tags |= {273: (LONG, [8]), 277: (SHORT, [3]), 278: (LONG, [SIDE]), 279: (LONG, [len(body)])}
    assert corners(tiff(tags, body)) == [RED, GREEN, BLUE, WHITE]


@pytest.mark.parametrize("kind", ["u2", "i2", "u4", "i4", "f4", "u8"])
@pytest.mark.parametrize("photometric", [0, 1])
def test_greys_are_read_with_black_and_with_white_as_zero(kind: str, photometric: int) -> None:
    dark_and_bright = halves(5, 515).astype("<" + kind)[..., None]
    shown = grey(preprocessing.decode(deep_tiff(dark_and_bright, photometric=photometric)))
    assert shown == ([0, 255] if photometric else [255, 0])


def test_greys_that_do_not_say_what_zero_is_are_black_there() -> None:
    whole = deep_tiff(halves(5, 515).astype("<f4")[..., None], photometric=1)
    without = whole.replace(struct.pack("<HHI", 262, SHORT, 1), struct.pack("<HHI", 263, SHORT, 1))
    assert without != whole
    assert grey(preprocessing.decode(without)) == [0, 255]


def test_sixteen_bits_of_colours_and_alpha_are_the_upper_eight() -> None:
    levels = np.arange(SIDE * SIDE * 4, dtype=np.uint16).reshape(SIDE, SIDE, 4) * 4
    photo = preprocessing.decode(deep_tiff(levels.astype("<u2"), extra=2))
    expected = Image.alpha_composite(
        Image.new("RGBA", (SIDE, SIDE), "white"), Image.fromarray((levels >> 8).astype(np.uint8))
    )
    assert photo.image.tobytes() == expected.convert("RGB").tobytes()


@pytest.mark.parametrize(
    "changed",
    [
        {262: (SHORT, [6])},  # YCbCr
        {262: (SHORT, [32844])},  # LogL
        {258: (SHORT, [16, 8, 16])},
        {339: (SHORT, [6] * 3)},  # complex numbers
        {317: (SHORT, [3])},
        {258: (SHORT, [24] * 3)},
        {259: (SHORT, [34887])},  # LERC
        {259: (SHORT, [9999])},
    ],
    ids=str,
)
def test_what_is_not_read_is_not_called_damaged(changed: dict[int, tuple[int, list[int]]]) -> None:
    body = bytes(2**17)
    tags = {256: (LONG, [SIDE]), 257: (LONG, [SIDE]), 258: (SHORT, [16] * 3), 259: (SHORT, [1]), 262: (SHORT, [2])}
    tags |= {273: (LONG, [8]), 277: (SHORT, [3]), 278: (LONG, [SIDE]), 279: (LONG, [len(body)]), **changed}
    with pytest.raises(InvalidImage, match="This kind of file cannot be read"):
        preprocessing.decode(tiff(tags, body))


@pytest.mark.parametrize(
    ("bits", "kind", "samples", "most"), [(16, 1, 3, 20), (12, 1, 3, 26), (9, 1, 4, 20), (16, 3, 3, 10)]
)
def test_the_limit_of_size_is_that_of_what_takes_as_long(bits: int, kind: int, samples: int, most: int) -> None:
    tags = {256: (LONG, [7000]), 257: (LONG, [7000]), 258: (SHORT, [bits] * samples), 259: (SHORT, [8])}
    tags |= {262: (SHORT, [2]), 273: (LONG, [8]), 277: (SHORT, [samples]), 278: (LONG, [1]), 279: (LONG, [8])}
    with pytest.raises(InvalidImage, match=f"at most {most} megapixels"):
        preprocessing.decode(tiff(tags | {339: (SHORT, [kind] * samples)}, bytes(64)))


def test_a_deep_tiff_without_its_end_is_called_damaged() -> None:
    whole = deep_tiff(deep_quarters(16), compression=8)
    with pytest.raises(InvalidImage, match="damaged or incomplete"):
        preprocessing.decode(whole[:8] + struct.pack("<Q", 0) * 9 + whole[80:])


def test_some_rows_tell_the_range_of_a_tall_picture() -> None:
    layout = Layout(width=2, height=9_999, samples=1, colours=1, bits=16, kind=1, order="<", block_width=2)
    read: list[int] = []

    def rows(top: int, bottom: int) -> Pixels:
        read.append(top)
        return np.zeros((bottom - top, layout.width, 1), np.uint16)

    assert len(_sample(layout, rows)) == len(read) <= 2000
    assert read[-1] > 9_900
