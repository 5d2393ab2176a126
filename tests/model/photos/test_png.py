"""PNG of all kinds that the PngSuite has, made here: every one is answered, and each damaged one is refused."""

from __future__ import annotations

import contextlib
import struct
import zlib
from itertools import product

import numpy as np
import numpy.typing as npt
import pytest

from catsdogs.errors import InvalidImage
from catsdogs.model import preprocessing
from tests.fuzz.bombs import chunk

SIGNATURE = b"\x89PNG\r\n\x1a\n"
KINDS = {0: (1, 2, 4, 8, 16), 2: (8, 16), 3: (1, 2, 4, 8), 4: (8, 16), 6: (8, 16)}
"""Depths by the code of the colours: grey, red-green-blue, palette, grey with alpha, colours with alpha."""
CHANNELS = {0: 1, 2: 3, 3: 1, 4: 2, 6: 4}
PASSES = ((0, 0, 8, 8), (4, 0, 8, 8), (0, 4, 4, 8), (2, 0, 4, 4), (0, 2, 2, 4), (1, 0, 2, 2), (0, 1, 1, 2))
"""Adam7: the first column and row of each pass, and the steps."""
END = chunk(b"IEND", b"")

Samples = npt.NDArray[np.uint16]


def samples_of(width: int, height: int, depth: int, colour: int) -> Samples:
    """A gradient: dark at the left, bright at the right; what is alpha is opaque."""
    most = 2**depth - 1
    levels = np.linspace(0, most, width).round().astype(np.uint16)
    samples = np.repeat(np.tile(levels, (height, 1))[..., None], CHANNELS[colour], 2)
    if colour in (4, 6):
        samples[..., -1] = most
    return samples


def packed(samples: Samples, depth: int) -> list[bytes]:
    """The bytes of each row."""
    if depth == 16:
        return [row.astype(">u2").tobytes() for row in samples]
    bits = (samples[..., None] >> np.arange(depth - 1, -1, -1)) & 1
    return [np.packbits(row.reshape(-1).astype(np.uint8)).tobytes() for row in bits]


def filtered(rows: list[bytes], step: int, kind: int) -> bytes:
    """Rows with a filter: 0 none, 1 sub, 2 up, 3 average, 4 Paeth; 5 uses all of them in turn."""
    out = bytearray()
    above = bytes(len(rows[0])) if rows else b""
    for number, row in enumerate(rows):
        used = number % 5 if kind == 5 else kind
        now, up = np.frombuffer(row, np.uint8).astype(int), np.frombuffer(above, np.uint8).astype(int)
        left, corner = (np.concatenate([np.zeros(step, int), line])[: len(line)] for line in (now, up))
        estimate = left + up - corner
        near = [abs(estimate - other) for other in (left, up, corner)]
        paeth = np.where((near[0] <= near[1]) & (near[0] <= near[2]), left, np.where(near[1] <= near[2], up, corner))
        guess = (0, left, up, (left + up) // 2, paeth)[used]
        out += bytes([used]) + ((now - guess) % 256).astype(np.uint8).tobytes()
        above = row
    return bytes(out)


def pixels_of(samples: Samples, depth: int, *, interlaced: bool = False, row_filter: int = 0) -> bytes:
    """What is compressed."""
    step = max(1, samples.shape[2] * depth // 8)
    parts = [samples[y::dy, x::dx] for x, y, dx, dy in PASSES] if interlaced else [samples]
    return b"".join(filtered(packed(part, depth), step, row_filter) for part in parts if part.size)


def png(
    size: tuple[int, int],
    depth: int,
    colour: int,
    *,
    interlaced: bool = False,
    row_filter: int = 0,
    level: int = 6,
    more: bytes = b"",
    parts: int = 1,
) -> bytes:
    """A PNG, and chunks, `more`, before its pixels."""
    body = zlib.compress(
        pixels_of(samples_of(*size, depth, colour), depth, interlaced=interlaced, row_filter=row_filter), level
    )
    if colour == 3:
        palette = np.linspace(0, 255, 2**depth).round().astype(np.uint8)
        more = chunk(b"PLTE", np.repeat(palette, 3).tobytes()) + more
    step = -(-len(body) // parts)
    data = b"".join(chunk(b"IDAT", body[start : start + step]) for start in range(0, len(body), step))
    head = chunk(b"IHDR", struct.pack(">IIBBBBB", *size, depth, colour, 0, 0, interlaced))
    return SIGNATURE + head + more + data + END


def halves(photo: bytes) -> tuple[float, float]:
    """Mean levels of the left and of the right half."""
    pixels = np.asarray(preprocessing.decode(photo).image, float)
    middle = pixels.shape[1] // 2
    return pixels[:, :middle].mean(), pixels[:, middle:].mean()


def is_gradient(photo: bytes) -> bool:
    left, right = halves(photo)
    return left < 90 < 160 < right


EVERY = [(colour, depth) for colour, depths in KINDS.items() for depth in depths]


@pytest.mark.parametrize(("colour", "depth"), EVERY)
def test_every_colour_and_depth_is_read_interlaced_or_not(colour: int, depth: int) -> None:
    for interlaced, row_filter in product((False, True), range(6)):
        assert is_gradient(png((32, 32), depth, colour, interlaced=interlaced, row_filter=row_filter))


@pytest.mark.parametrize("interlaced", [False, True])
def test_odd_sizes_are_read_from_eight_pixels_on(interlaced: bool) -> None:
    for side in range(1, 41):
        colour, depth = ((3, 1), (0, 4), (2, 8), (6, 16), (3, 2))[side % 5]
        photo = png((side, side), depth, colour, interlaced=interlaced)
        if side < 8:
            with pytest.raises(InvalidImage, match="too small"):
                preprocessing.decode(photo)
        else:
            assert is_gradient(photo), (side, colour, depth)


def test_ancillary_chunks_do_not_matter() -> None:
    text = b"Title\0PngSuite"
    for colour, depth in EVERY:
        most = 2 ** min(depth, 8) - 1
        grey, colours = struct.pack(">H", most), struct.pack(">HHH", *[most] * 3)
        background = {0: grey, 4: grey, 3: b"\0"}.get(colour, colours)
        bits = bytes([1 if colour == 0 and depth == 1 else min(depth, 8)]) * {0: 1, 3: 3, 2: 3, 4: 2, 6: 4}[colour]
        chunks = (
            (b"gAMA", struct.pack(">I", 45455)),
            (b"bKGD", background),
            (b"sBIT", bits),
            (b"cHRM", struct.pack(">8I", 31270, 32900, 64000, 33000, 30000, 60000, 15000, 6000)),
            (b"pHYs", struct.pack(">IIB", 1, 4, 0)),
            (b"tIME", struct.pack(">HBBBBB", 2000, 1, 1, 12, 34, 56)),
            (b"hIST", bytes(2 * 2**depth) if colour == 3 else b""),
            (b"sPLT", b"six\0\x08" + bytes(6 * 216)),
            (b"tEXt", text),
            (b"zTXt", b"Title\0\0" + zlib.compress(b"PngSuite")),
            (b"iTXt", b"Title\0\0\0fr\0Titre\0PngSuite"),
            (b"eXIf", b"MM\0*\0\0\0\x08\0\0"),
        )
        more = b"".join(chunk(kind, body) for kind, body in chunks)
        assert is_gradient(png((32, 32), depth, colour, more=more)), (colour, depth)


def test_transparent_colours_and_palettes_are_white() -> None:
    for colour, depth in ((0, 1), (0, 2), (0, 4), (0, 8), (0, 16), (2, 8), (2, 16)):
        column = 10  # of a dark colour
        dark = samples_of(32, 32, depth, colour)[0, column]
        shown = np.asarray(preprocessing.decode(png((32, 32), depth, colour)).image)[0, column]
        key = chunk(b"tRNS", dark.astype(">u2").tobytes())
        transparent = np.asarray(preprocessing.decode(png((32, 32), depth, colour, more=key)).image)[0]
        assert (shown < 128).all(), (colour, depth)
        assert (transparent[column] == 255).all(), (colour, depth)
        assert depth == 1 or (transparent[20] < 255).all(), (colour, depth)
    for depth in KINDS[3]:
        left = np.asarray(preprocessing.decode(png((32, 32), depth, 3, more=chunk(b"tRNS", b"\0"))).image)[0, 0]
        assert (left == 255).all(), depth


def test_pixels_in_many_chunks_and_of_every_level_of_compression_are_read() -> None:
    for parts in (1, 2, 4, 1000):
        assert is_gradient(png((32, 32), 16, 2, parts=parts))
    for level in range(10):
        assert is_gradient(png((32, 32), 8, 2, level=level))


def _damaged() -> dict[str, bytes]:
    """The files of the suite whose names begin with x, and some more."""
    whole = png((32, 32), 8, 2)
    header = whole[16:29]
    data = whole.index(b"IDAT") - 4

    def with_header(changed: bytes) -> bytes:
        return whole[:8] + chunk(b"IHDR", changed) + whole[33:]

    return {
        "xs1: first byte": b"\x88" + whole[1:],
        "xs2: letters": whole[:1] + b"pNG" + whole[4:],
        "xs4: no line break": whole[:4] + whole[5:],
        "xs7: eighth byte": whole[:7] + b"\0" + whole[8:],
        "xcr: carriage returns": whole.replace(b"\n", b"\r\n"),
        "xlf: line feeds": whole.replace(b"\r\n", b"\n"),
        "xc1: colours 1": with_header(header[:9] + b"\1" + header[10:]),
        "xc9: colours 9": with_header(header[:9] + b"\x09" + header[10:]),
        "xd0: depth 0": with_header(header[:8] + b"\0" + header[9:]),
        "xd3: depth 3": with_header(header[:8] + b"\3" + header[9:]),
        "xd9: depth 99": with_header(header[:8] + b"\x63" + header[9:]),
        "xdt: no pixels": whole[:data] + END,
        "xhd: checksum of the header": whole[:29] + b"\0\0\0\0" + whole[33:],
        "no header": whole[:8] + whole[33:],
        "no size": with_header(bytes(4) + header[4:]),
        "palette without colours": with_header(header[:8] + b"\x08\3" + header[10:]),
        "unknown filter of rows": whole[:data] + chunk(b"IDAT", zlib.compress(b"\x09" + bytes(96) * 33)) + END,
        "half of the pixels": whole[: data + (len(whole) - data) // 2],
    }


@pytest.mark.parametrize("name", _damaged())
def test_a_damaged_one_is_refused(name: str) -> None:
    with pytest.raises(InvalidImage):
        preprocessing.decode(_damaged()[name])


def test_a_wrong_checksum_of_the_pixels_is_refused_or_read() -> None:
    """The suite's xcs; what browsers make of it differs."""
    whole = png((32, 32), 8, 2)
    with contextlib.suppress(InvalidImage):
        preprocessing.decode(whole[:-16] + b"\0\0\0\0" + whole[-12:])


@pytest.mark.parametrize(("depth", "colour", "most"), [(16, 6, 36), (16, 2, 50), (8, 6, 50)])
def test_the_limit_of_size_is_lower_for_deep_colours_with_transparency(depth: int, colour: int, most: int) -> None:
    header = struct.pack(">IIBBBBB", 7_200, 7_200, depth, colour, 0, 0, 0)
    with pytest.raises(InvalidImage, match=f"at most {most} megapixels"):
        preprocessing.decode(b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + chunk(b"IDAT", b""))
