"""Files that are slow, or take much memory, for decoders that trust them: each is made in a moment."""

from __future__ import annotations

import io
import struct
import zlib
from collections.abc import Callable, Iterator
from functools import cache, partial
from pathlib import Path

import numpy as np
from PIL import Image

from tests import large_images
from tests.fuzz import tiff_bombs
from tests.heic_files import Item, Reference, coded, grid, heic_of_tiles, shown_size
from tests.heic_files import heic as heic_of
from tests.icc_profiles import profile_of_many_steps

PICTURES = Path(__file__).parent.parent / "pictures"
MOST = 32 * 2**20
"""Size of the largest file, in bytes."""


def bombs() -> Iterator[tuple[str, Callable[[], bytes]]]:
    """Return the name of each file, and what makes it."""
    for family in (_jpeg_bombs, _png_bombs, _gif_bombs, _webp_bombs, _bmp_bombs, tiff_bombs.bombs, heif_bombs):
        yield from family()


@cache
def small(kind: str, size: tuple[int, int] = (320, 240), **options: object) -> bytes:
    """A picture of a gradient."""
    width, height = size
    y, x = np.mgrid[:height, :width]
    pixels = np.stack([x * 255 // width, y * 255 // height, (x + y) % 256], -1).astype(np.uint8)
    stream = io.BytesIO()
    Image.fromarray(pixels).save(stream, kind, **options)
    return stream.getvalue()


def segment(marker: int, body: bytes) -> bytes:
    """A segment of a JPEG."""
    return struct.pack(">BBH", 0xFF, marker, len(body) + 2) + body


def with_segments(inserted: bytes) -> bytes:
    """A JPEG with something behind its first marker."""
    jpeg = small("JPEG")
    return jpeg[:2] + inserted + jpeg[2:]


def exif(entries: bytes, count: int | None = None, following: int = 0) -> bytes:
    """EXIF with one directory."""
    count = len(entries) // 12 if count is None else count
    return b"Exif\0\0II*\0\x08\0\0\0" + struct.pack("<H", count) + entries + struct.pack("<I", following)


def chunk(kind: bytes, body: bytes) -> bytes:
    """A chunk of a PNG."""
    return struct.pack(">I", len(body)) + kind + body + struct.pack(">I", zlib.crc32(kind + body))


def png(
    width: int, height: int, depth: int, colour: int, *, interlaced: int = 0, row: int = 0, more: bytes = b""
) -> bytes:
    """A PNG without colour; `row` is the filter of all rows, and `more` stands before the pixels."""
    channels = {0: 1, 2: 3, 3: 1, 4: 2, 6: 4}[colour]
    compressor = zlib.compressobj(1)
    line = bytes([row]) + bytes(-(-width * channels * depth // 8))
    body = b"".join(compressor.compress(line) for _ in range(height + height // 8 * interlaced)) + compressor.flush()
    header = chunk(b"IHDR", struct.pack(">IIBBBBB", width, height, depth, colour, 0, 0, interlaced))
    return b"\x89PNG\r\n\x1a\n" + header + more + chunk(b"IDAT", body) + chunk(b"IEND", b"")


def gif(width: int, height: int, blocks: bytes) -> bytes:
    """A GIF of two colours."""
    return b"GIF89a" + struct.pack("<HHBBB", width, height, 0x80, 0, 0) + b"\0\0\0\xff\xff\xff" + blocks + b";"


def with_screen(content: bytes, width: int, height: int) -> bytes:
    """A GIF that says that it is of another size."""
    return content[:6] + struct.pack("<HH", width, height) + content[10:]


def riff(*chunks: tuple[bytes, bytes]) -> bytes:
    """A WebP of these chunks."""
    body = b"WEBP" + b"".join(k + struct.pack("<I", len(b)) + b + bytes(len(b) % 2) for k, b in chunks)
    return b"RIFF" + struct.pack("<I", len(body)) + body


def with_chunks(inserted: bytes) -> bytes:
    """A PNG with something behind its header."""
    small_png = small("PNG")
    return small_png[:33] + inserted + small_png[33:]


def encoded(kind: str, mode: str, size: tuple[int, int], **options: object) -> bytes:
    """A picture of one colour."""
    stream = io.BytesIO()
    Image.new(mode, size).save(stream, kind, **options)
    return stream.getvalue()


def _jpeg_bombs() -> Iterator[tuple[str, Callable[[], bytes]]]:
    for name, one in {
        "EXIF segments": segment(0xE1, b"Exif\0\0" + bytes(10)),
        "empty APP13 segments": segment(0xED, b""),
        "empty comments": segment(0xFE, b""),
        "quantization tables": segment(0xDB, b"\0" + bytes([1]) * 64),
        "Huffman tables": segment(0xC4, bytes([0, 1, *[0] * 15, 0])),
        "profile parts": segment(0xE2, b"ICC_PROFILE\0\1\1" + bytes(1000)),
        "XMP": segment(0xE1, b"http://ns.adobe.com/xap/1.0/\0" + b"tiff:Orientation" * 1000),
        "Photoshop": segment(0xED, b"Photoshop 3.0\0" + b"8BIM\3\xed\0\0\0\0\0\0" * 4000),
        "lengths of zero": b"\xff\xe1\0\0",
        "restart markers": b"\xff\xd0",
        "other images": b"\xff\xd8",
    }.items():
        yield f"JPEG: {name}", partial(lambda one: with_segments(one * (8 * 2**20 // len(one))), one)
    yield "JPEG: fill bytes", lambda: with_segments(b"\xff" * 30_000_000)
    yield "JPEG: no segments", lambda: with_segments(bytes(30_000_000))
    yield (
        "JPEG: restart markers in the scan",
        lambda: small("JPEG")[:-2] + b"\xff\xd0" * 10_000_000,
    )
    yield "JPEG: fill in the scan", lambda: small("JPEG")[:-400] + b"\xff" * 30_000_000 + b"\xff\xd9"
    yield "JPEG: rest", lambda: small("JPEG") + bytes(30_000_000)
    yield "JPEG: 250 megapixels", lambda: large_images.jpeg(15_800, 15_800)
    yield "JPEG: wide", lambda: large_images.jpeg(65_500, 3_800)
    yield "JPEG: progressive", lambda: large_images.progressive_jpeg(8_000, 5_400, scans=19)
    yield "JPEG: wide and progressive", lambda: large_images.progressive_jpeg(65_500, 650, scans=19)
    yield (
        "JPEG: 4 GP",
        lambda: large_images.jpeg(1000, 1000).replace(struct.pack(">HH", 1000, 1000), b"\xff\xff\xff\xff"),
    )
    progressive = partial(large_images.progressive_jpeg, 2_000, 1_000, scans=400)
    yield "JPEG: many scans", progressive
    comments = segment(0xFE, b"") * 200_000
    yield (
        "JPEG: comments between scans",
        lambda: small("JPEG", progressive=True).replace(b"\xff\xda", comments + b"\xff\xda", 3),
    )
    for kind in (0xC3, 0xC9):
        yield (
            f"JPEG: frame {kind:x}",
            partial(lambda kind: small("JPEG").replace(b"\xff\xc0", bytes([0xFF, kind])), kind),
        )
    loop = struct.pack("<HHII", 0x8769, 4, 1, 8)
    yield "JPEG: EXIF loop", lambda: with_segments(segment(0xE1, exif(loop, following=8)))
    yield "JPEG: EXIF entries", lambda: with_segments(segment(0xE1, exif(loop * 5_000, 65_535)))
    yield "JPEG: no end", lambda: large_images.jpeg(15_800, 15_800)[:-1_000_000]
    yield "JPEG: profile", lambda: small("JPEG", icc_profile=profile_of_many_steps(3_000))
    yield "JPEG: CMYK", lambda: encoded("JPEG", "CMYK", (7_000, 7_000))


def _png_bombs() -> Iterator[tuple[str, Callable[[], bytes]]]:
    for colour, depth in ((0, 1), (0, 16), (2, 8), (2, 16), (4, 16), (6, 8)):
        yield f"PNG: 49 megapixels, {colour}, {depth} bits", partial(png, 7_000, 7_000, depth, colour)
    palette = chunk(b"PLTE", bytes(768)) + chunk(b"tRNS", bytes(256))
    yield "PNG: palette", partial(png, 7_000, 7_000, 8, 3, more=palette)
    yield "PNG: transparent colour", partial(png, 7_000, 7_000, 8, 2, more=chunk(b"tRNS", bytes(6)))
    yield "PNG: interlaced", partial(png, 6_000, 6_000, 16, 6, interlaced=1)
    yield "PNG: Paeth", partial(png, 6_000, 6_000, 16, 6, row=4)
    turned = chunk(b"eXIf", exif(struct.pack("<HHIHH", 0x0112, 3, 1, 6, 0))[6:])
    yield "PNG: turned", partial(png, 7_000, 7_000, 8, 2, more=turned)
    yield "PNG: turned and transparent", partial(png, 7_000, 7_000, 8, 6, more=turned)
    yield "PNG: 300 megapixels", lambda: large_images.png(20_000, 15_000)
    yield "PNG: tall", partial(png, 8, 6_000_000, 8, 2)
    text = zlib.compress(bytes(200 * 2**20), 1)
    yield "PNG: text", lambda: with_chunks(chunk(b"zTXt", b"Comment\0\0" + text))
    yield "PNG: profile", lambda: with_chunks(chunk(b"iCCP", b"profile\0\0" + text))
    yield "PNG: XMP", lambda: with_chunks(chunk(b"iTXt", b"XML:com.adobe.xmp\0\1\0\0\0" + text))
    yield "PNG: raw profile", lambda: with_chunks(chunk(b"zTXt", b"Raw profile type exif\0\0" + text))
    most = zlib.compress(bytes(4 * 2**20 - 1), 9)
    for name, kind, start in (
        ("profiles", b"iCCP", b"profile\0\0"),
        ("raw profiles", b"zTXt", b"Raw profile type exif\0\0"),
        ("XMP chunks", b"iTXt", b"XML:com.adobe.xmp\0\1\0\0\0"),
    ):
        yield (
            f"PNG: many {name}",
            partial(lambda one: with_chunks(one * (8 * 2**20 // len(one))), chunk(kind, start + most)),
        )
    yield "PNG: long text", lambda: with_chunks(chunk(b"tEXt", b"Comment\0" + b"x" * 30_000_000))
    yield "PNG: private chunks", lambda: with_chunks(chunk(b"prVt", b"") * 2_500_000)
    yield "PNG: empty IDAT", lambda: with_chunks(chunk(b"IDAT", b"") * 2_500_000)
    yield "PNG: 90,000 empty IDAT", lambda: with_chunks(chunk(b"IDAT", b"") * 90_000)
    yield (
        "PNG: EXIF loop",
        lambda: with_chunks(chunk(b"eXIf", exif(struct.pack("<HHII", 0x8769, 4, 1, 8), following=8))),
    )
    yield "PNG: nested EXIF", lambda: with_chunks(chunk(b"eXIf", b"Exif\0\0" * 5_000_000))
    white = Image.new("L", (3_500, 3_500), 255)
    frames = [Image.new("L", (3_500, 3_500), 254 - n) for n in range(6)]
    yield "PNG: white animation", lambda: _saved(white, "PNG", save_all=True, append_images=frames)


def _saved(image: Image.Image, kind: str, **options: object) -> bytes:
    stream = io.BytesIO()
    image.save(stream, kind, **options)
    return stream.getvalue()


def _gif_bombs() -> Iterator[tuple[str, Callable[[], bytes]]]:
    def frame(width: int, height: int, flags: int = 0) -> bytes:
        return b"," + struct.pack("<HHHHB", 0, 0, width, height, flags) + b"\2\2L\1\0"

    yield "GIF: 49 megapixels", lambda: encoded("GIF", "P", (7_000, 7_000))
    yield "GIF: transparent", lambda: encoded("GIF", "P", (7_000, 7_000), transparency=0, interlace=1)
    yield "GIF: no pixels", lambda: gif(7_000, 7_000, frame(7_000, 7_000))
    yield "GIF: small blocks", lambda: gif(64, 64, b",\0\0\0\0\x40\0\x40\0\0\2" + b"\1\0" * 15_000_000 + b"\0")
    yield "GIF: control blocks", lambda: gif(64, 64, b"!\xf9\4\0\0\0\0\0" * 190_000 + frame(64, 64))
    yield "GIF: comments", lambda: gif(64, 64, b"!\xfe\0" * 9_000_000 + frame(64, 64))
    yield "GIF: comment of small blocks", lambda: gif(64, 64, b"!\xfe" + b"\1x" * 15_000_000 + b"\0" + frame(64, 64))
    yield "GIF: junk", lambda: gif(64, 64, bytes(30_000_000) + frame(64, 64))
    yield "GIF: frames", lambda: gif(64, 64, frame(64, 64) * 2_000_000)
    yield "GIF: large frames", lambda: gif(3_500, 3_500, frame(3_500, 3_500) * 1_000)
    yield "GIF: frame outside", lambda: gif(64, 64, frame(64, 64) + frame(65_535, 65_535))
    yield "GIF: first frame outside", lambda: with_screen(encoded("GIF", "P", (8_000, 8_000)), 64, 64)
    yield "GIF: 4 gigapixels", lambda: gif(65_535, 65_535, frame(65_535, 65_535))
    frames = [Image.new("P", (3_500, 3_500), n) for n in range(1, 20)]
    yield "GIF: transparent animation", _transparent_gif
    yield "GIF: one colour", lambda: _saved(Image.new("P", (3_500, 3_500)), "GIF", save_all=True, append_images=frames)


def _transparent_gif() -> bytes:
    frames = [Image.new("RGBA", (3_500, 3_500), (n, n, n, 255 * (n % 2))) for n in range(1, 8)]
    return _saved(frames[0], "GIF", save_all=True, append_images=frames[1:], disposal=2)


def _webp_bombs() -> Iterator[tuple[str, Callable[[], bytes]]]:
    lossless = encoded("WEBP", "RGB", (64, 64), lossless=True)[12:]
    yield "WebP: 49 megapixels", lambda: encoded("WEBP", "RGB", (7_000, 7_000), lossless=True, method=0)
    yield "WebP: lossless", lambda: encoded("WEBP", "RGBA", (5_000, 4_000), lossless=True, method=0)
    yield "WebP: lossy", lambda: encoded("WEBP", "RGB", (5_000, 4_000), method=0)
    yield (
        "WebP: turned",
        lambda: encoded("WEBP", "RGB", (5_000, 4_000), method=0, exif=exif(struct.pack("<HHIHH", 0x0112, 3, 1, 6, 0))),
    )
    yield "WebP: chunks", lambda: riff((b"VP8L", lossless[8:]), *[(b"junk", b"")] * 1_000_000)
    yield "WebP: XMP", lambda: riff((b"VP8L", lossless[8:]), (b"XMP ", bytes(30_000_000)))
    yield "WebP: nested EXIF", lambda: riff((b"VP8L", lossless[8:]), (b"EXIF", b"Exif\0\0" * 5_000_000))
    frames = [Image.new("RGB", (3_500, 3_500), (n, n, n)) for n in range(4)]
    yield "WebP: animation", lambda: _saved(frames[0], "WEBP", save_all=True, append_images=frames[1:], method=0)
    vp8x = struct.pack("<I", 16) + b"\xff\x3f\0\xff\x3f\0"
    yield "WebP: canvas", lambda: riff((b"VP8X", vp8x), (b"VP8L", lossless[8:]))


def _bmp_bombs() -> Iterator[tuple[str, Callable[[], bytes]]]:
    def bmp(width: int, height: int, bits: int, compression: int, body: bytes) -> bytes:
        palette = bytes(4 << bits) if bits <= 8 else b""
        info = struct.pack("<IiiHHIIiiII", 40, width, height, 1, bits, compression, len(body), 0, 0, 0, 0)
        return (
            b"BM" + struct.pack("<IHHI", 54 + len(palette) + len(body), 0, 0, 54 + len(palette)) + info + palette + body
        )

    yield "BMP: one bit", lambda: large_images.bmp(7_000, 7_000)
    yield "BMP: empty alpha", lambda: bmp(2_800, 2_800, 32, 0, bytes(4 * 2_800**2))
    yield "BMP: eight bits", lambda: bmp(5_700, 5_700, 8, 0, bytes(5_700**2))
    for name, body in {"runs": b"\1\1", "rows": b"\0\0", "copies": b"\0\4abcd", "moves": b"\0\2\1\1"}.items():
        for bits, compression in ((8, 1), (4, 2)):
            for size in (500_000, 30_000_000):
                make = partial(
                    lambda b, c, body, size: bmp(2_000, 2_000, b, c, body * (size // len(body))), bits, compression
                )
                yield f"BMP: {bits} bits, {size} bytes of {name}", partial(make, body, size)
    yield "BMP: long runs", lambda: bmp(2_000, 2_000, 4, 2, b"\xff\1" * 16_000)
    yield "BMP: 49 megapixels of runs", lambda: bmp(7_000, 7_000, 8, 1, b"\xff\1" * 200_000)
    yield "BMP: negative size", lambda: bmp(-(2**31), -(2**31), 24, 0, b"")


def _with_long_pixels(heic: bytes, length: int) -> bytes:
    """A HEIC whose pixels are followed by bytes that mean nothing."""
    start = heic.index(b"mdat") + 4
    unit = heic[start + 4 : start + 4 + int.from_bytes(heic[start : start + 4], "big")]
    body = struct.pack(">I", length) + unit + (b"\0\0\3" * (length // 3 + 1))[: length - len(unit)]
    return heic[: start - 8] + struct.pack(">I4s", len(body) + 8, b"mdat") + body


def _layers(heic: bytes, layers: int, in_each: int) -> bytes:
    """Pictures that are laid over each other, each of which is made of all of the next layer."""
    description, pixels = coded(heic)
    shown = shown_size(64, 64)
    overlay = Item(b"iovl", bytes(10) + struct.pack(">HH", 64, 64) + bytes(4 * in_each), (shown,))
    items = [overlay] * (1 + (layers - 1) * in_each) + [Item(b"hvc1", pixels, (description, shown))] * in_each
    references: list[Reference] = [(b"dimg", 1, range(2, 2 + in_each))]
    for layer in range(1, layers):
        first = 2 + (layer - 1) * in_each
        following = range(first + in_each, first + 2 * in_each)
        references += [(b"dimg", number, following) for number in range(first, first + in_each)]
    return heic_of(items, references)


def _large_canvas(heic: bytes) -> bytes:
    description, pixels = coded(heic)
    overlay = Item(b"iovl", bytes(10) + struct.pack(">HH", 12_000, 12_000) + bytes(4), (shown_size(64, 64),))
    return heic_of([overlay, Item(b"hvc1", pixels, (description, shown_size(64, 64)))], [(b"dimg", 1, [2])])


def _turned(heic: bytes, times: int) -> bytes:
    """Tiles of four megapixels, turned many times."""
    description, pixels = coded(heic)
    turns = [struct.pack(">I", 9) + b"irot\1"] * times
    whole = Item(b"grid", grid(31, 31, 31 * 64, 31 * 64), (shown_size(31 * 64, 31 * 64), *turns))
    tiles = [Item(b"hvc1", pixels, (description, shown_size(64, 64)))] * 961
    return heic_of([whole, *tiles], [(b"dimg", 1, range(2, 963))])


def _many_pictures(heic: bytes, times: int) -> bytes:
    description, pixels = coded(heic)
    return heic_of([Item(b"hvc1", pixels * times, (description, shown_size(64, 64)))])


def _noise() -> bytes:
    pixels = np.random.default_rng(1).integers(0, 256, (2_600, 2_600, 3), np.uint8)
    return _saved(Image.fromarray(pixels), "AVIF", quality=100, speed=10, subsampling="4:4:4")


def heif_bombs() -> Iterator[tuple[str, Callable[[], bytes]]]:
    """Those of HEIC and AVIF."""

    def box(kind: bytes, body: bytes) -> bytes:
        return struct.pack(">I", len(body) + 8) + kind + body

    yield "AVIF: 49 megapixels", lambda: encoded("AVIF", "RGB", (7_000, 7_000), speed=10)
    yield "AVIF: 20 megapixels", lambda: encoded("AVIF", "RGB", (5_000, 4_000), speed=10)
    yield "AVIF: noise", _noise
    frames = [Image.new("RGB", (3_500, 3_500), (n, n, n)) for n in range(4)]
    yield "AVIF: animation", lambda: _saved(frames[0], "AVIF", save_all=True, append_images=frames[1:], speed=10)
    yield "AVIF: transparent", lambda: encoded("AVIF", "RGBA", (4_100, 4_000), speed=10)
    heic = (PICTURES / "quarters.heic").read_bytes()
    yield "HEIC: 992 tiles", partial(heic_of_tiles, heic, 64, 32, 31)
    yield "HEIC: 40,000 tiles", partial(heic_of_tiles, heic, 64, 200, 200)
    yield "HEIC: layers", partial(_layers, heic, 4, 12)
    yield "HEIC: large canvas", partial(_large_canvas, heic)
    yield "HEIC: many turns", partial(_turned, heic, 200)
    yield "HEIC: many pictures in a stream", partial(_many_pictures, heic, 25_000)
    yield "HEIC: a large piece", lambda: heic_of_tiles(_with_long_pixels(heic, 17 * 2**20), 64, 1, 1)
    for brand in (b"avif", b"heic"):
        start = box(b"ftyp", brand + bytes(4) + brand)
        yield f"{brand.decode()}: boxes", partial(lambda start: start + box(b"free", b"") * 3_000_000, start)
        yield (
            f"{brand.decode()}: long description",
            partial(lambda start: start + box(b"meta", bytes(30_000_000)), start),
        )
        items = box(b"infe", b"\2\0\0\0\0\1\0\0av01\0") * 30_000
        table = box(b"meta", bytes(4) + box(b"iinf", b"\0\0\0\0" + struct.pack(">H", 30_000) + items))
        yield f"{brand.decode()}: items", partial(lambda start, table: start + table, start, table)
