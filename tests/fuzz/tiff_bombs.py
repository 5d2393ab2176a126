"""The TIFF files of :mod:`tests.fuzz.bombs`."""

from __future__ import annotations

import lzma
import struct
import zlib
from collections.abc import Callable, Iterator
from functools import partial

SHORT, LONG = 3, 4


def tiff(tags: dict[int, tuple[int, list[int]]], body: bytes, following: int = 0, *, big_endian: bool = False) -> bytes:
    """A TIFF whose pixels, `body`, begin at byte 8."""
    order = ">" if big_endian else "<"
    start = 8 + len(body) + len(body) % 2
    entries, values = b"", b""
    after = start + 2 + 12 * len(tags) + 4
    for tag, (kind, numbers) in sorted(tags.items()):
        packed = struct.pack(f"{order}{len(numbers)}{'H' if kind == SHORT else 'I'}", *numbers)
        if len(packed) > 4:
            value = struct.pack(order + "I", after + len(values))
            values += packed
        else:
            value = packed.ljust(4, b"\0")
        entries += struct.pack(order + "HHI", tag, kind, len(numbers)) + value
    directory = struct.pack(order + "H", len(tags)) + entries + struct.pack(order + "I", following) + values
    head = (b"MM\0*" if big_endian else b"II*\0") + struct.pack(order + "I", start)
    return head + body.ljust(start - 8, b"\0") + directory


def picture(
    width: int, height: int, samples: int, bits: int, *, photometric: int, compression: int = 8, **options: int
) -> dict[int, tuple[int, list[int]]]:
    """The tags of a picture in one strip."""
    return {
        256: (LONG, [width]),
        257: (LONG, [height]),
        258: (SHORT, [bits] * samples),
        259: (SHORT, [compression]),
        262: (SHORT, [photometric]),
        273: (LONG, [8]),
        277: (SHORT, [samples]),
        278: (LONG, [options.get("rows", height)]),
        279: (LONG, [options.get("length", 0)]),
        **({339: (SHORT, [options["sample_format"]] * samples)} if "sample_format" in options else {}),
        **({338: (SHORT, [2])} if "alpha" in options else {}),
    }


def deflated(size: int) -> bytes:
    """Zeros."""
    compressor = zlib.compressobj(1)
    block = bytes(2**20)
    return b"".join(compressor.compress(block) for _ in range(-(-size // len(block)))) + compressor.flush()


def bombs() -> Iterator[tuple[str, Callable[[], bytes]]]:
    """Return the name of each file, and what makes it."""
    from tests.fuzz.bombs import encoded

    for mode, compression in (
        *(("RGB", name) for name in ("tiff_adobe_deflate", "tiff_lzw", "packbits", "lzma", "zstd", "jpeg")),
        *(("RGBA", name) for name in ("tiff_adobe_deflate", "tiff_lzw", "jpeg")),
        *(("F", name) for name in ("tiff_adobe_deflate", "packbits", "zstd")),
        *(("I", name) for name in ("tiff_adobe_deflate", "lzma")),
        *(("I;16", name) for name in ("tiff_adobe_deflate", "tiff_lzw")),
        *((mode, "tiff_adobe_deflate") for mode in ("L", "P", "CMYK", "LAB")),
        *(("1", name) for name in ("group3", "group4")),
    ):
        make = partial(encoded, "TIFF", mode, (7_000, 7_000), compression=compression)
        yield f"TIFF: 49 megapixels, {mode}, {compression}", make
    for name, samples, bits, photometric, options in (
        ("RGB", 3, 8, 2, {}),
        ("RGBA", 4, 8, 2, {"alpha": 2}),
        ("RGB, 16 bits", 3, 16, 2, {}),
        ("RGBA, 16 bits", 4, 16, 2, {"alpha": 2}),
        ("32 bits", 1, 32, 1, {"sample_format": 3}),
        ("64 bits", 1, 64, 1, {"sample_format": 3}),
        ("CMYK, 16 bits", 4, 16, 5, {}),
    ):
        size = 7_000**2 * samples * bits // 8
        tags = partial(picture, 7_000, 7_000, samples, bits, photometric=photometric, **options)
        yield (
            f"TIFF: one strip, {name}",
            partial(lambda tags, size: tiff(tags(length=2**30), deflated(size)), tags, size),
        )
    many = {273: (LONG, [8] * 60_000), 279: (LONG, [800] * 60_000), 278: (LONG, [1])}
    raw = partial(picture, 800, 60_000, 1, 8, photometric=1, compression=1)
    yield "TIFF: 60,000 strips", lambda: tiff(raw() | many, bytes(800))
    millions = {273: (LONG, [8] * 3_000_000), 279: (LONG, [8] * 3_000_000), 278: (LONG, [1])}
    rows = partial(picture, 8, 3_000_000, 1, 8, photometric=1, compression=1)
    yield "TIFF: millions of strips", lambda: tiff(rows() | millions, bytes(800))
    small = partial(picture, 64, 64, 1, 8, photometric=1, compression=1)
    long = {tag: (SHORT, [0] * 2) for tag in range(40_000, 44_000)}
    yield "TIFF: many tags", lambda: tiff(small() | long, bytes(4096))
    tiled = {322: (LONG, [2**16]), 323: (LONG, [2**14]), 324: (LONG, [8]), 325: (LONG, [4096])}
    yield "TIFF: large tile", lambda: tiff(small() | tiled, bytes(4096))
    compressed = partial(picture, 64, 64, 4, 16, photometric=2, alpha=2)
    yield "TIFF: large compressed tile", lambda: tiff(compressed() | tiled, deflated(2**30))
    wide = partial(_tiled, 16, 1_000_000, (10_000, 16), 62_500)
    yield "TIFF: tiles wider than the picture", lambda: wide(zlib.compress(bytes(160_000), 9))
    rgb = partial(picture, 6_000, 6_000, 3, 8, photometric=2)
    yield (
        "TIFF: Zstandard with a large window",
        lambda: tiff(rgb(compression=50_000, length=9_999), _zstandard(6_000**2 * 3)),
    )
    yield (
        "TIFF: LZMA with a large dictionary",
        lambda: tiff(rgb(compression=34_925, length=99_999), _lzma(6_000**2 * 3)),
    )
    yield "TIFF: loop of pages", lambda: tiff(small(), bytes(4096), following=8 + 4096)
    yield "TIFF: many pages", _pages
    yield "TIFF: long value", lambda: _with_count(tiff(small() | {700: (LONG, [0] * 4)}, bytes(2**20)), 700, 2**31)
    yield "TIFF: samples", lambda: tiff(small() | {277: (SHORT, [65_535])}, bytes(4096))
    yield "TIFF: no rows", lambda: tiff(small() | {278: (LONG, [0])}, bytes(4096))


def _tiled(width: int, height: int, tile: tuple[int, int], number: int, body: bytes) -> bytes:
    """A grey picture in tiles, all of which are stored once."""
    tags = picture(width, height, 1, 8, photometric=1)
    sizes = {
        322: (LONG, [tile[0]]),
        323: (LONG, [tile[1]]),
        324: (LONG, [8] * number),
        325: (LONG, [len(body)] * number),
    }
    return tiff({tag: value for tag, value in tags.items() if tag not in (273, 278, 279)} | sizes, body)


def _zstandard(size: int) -> bytes:
    """Equal bytes, of which the decoder is to keep 128 MB."""
    blocks = [min(2**17, size - start) for start in range(0, size, 2**17)]
    runs = (
        struct.pack("<I", length << 3 | 2 | (number == len(blocks) - 1))[:3] for number, length in enumerate(blocks)
    )
    return b"\x28\xb5\x2f\xfd\0" + bytes([17 << 3]) + b"".join(run + b"\7" for run in runs)


def _lzma(size: int) -> bytes:
    """Zeros, of which the decoder is to keep 256 MB."""
    filters = [{"id": lzma.FILTER_LZMA2, "preset": 0, "dict_size": 2**28}]
    return lzma.compress(bytes(size), check=lzma.CHECK_NONE, filters=filters)


def _pages() -> bytes:
    page = struct.pack("<H", 0)
    return b"II*\0\x08\0\0\0" + b"".join(page + struct.pack("<I", 14 + 6 * number) for number in range(1_000_000))


def _with_count(content: bytes, tag: int, count: int) -> bytes:
    position = content.rindex(struct.pack("<HH", tag, LONG))
    return content[: position + 4] + struct.pack("<I", count) + content[position + 8 :]
