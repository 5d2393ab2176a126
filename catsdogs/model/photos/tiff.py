"""TIFF: the first page, with the tags that decoding needs. Others may be as large or as damaged as they like."""

from __future__ import annotations

import io
import struct

from PIL import Image, ImageFile, TiffImagePlugin

from catsdogs.domain import Note
from catsdogs.model.photo_limits import MAX_DEEP_TIFF_MEGABYTES, MAX_PIXELS, MAX_PROFILE_BYTES
from catsdogs.model.photos.deep_tiff import SIGNED, Layout, decode_deep
from catsdogs.model.photos.exif import read_orientation
from catsdogs.model.photos.jpeg import check_embedded
from catsdogs.model.photos.source import (
    DamagedError,
    Decoded,
    Source,
    TimeLimit,
    takes_too_long,
    too_many_parts,
    unknown_kind,
)
from catsdogs.model.photos.tiff_pages import KIND_BYTES, MAX_TABLES, Entries, File, Page

MAX_PAGES = 1000
"""Number of pages that are looked for."""
MAX_STRIPS = 65_536
"""Largest number of strips or tiles."""
_MAX_LIST = 8 * MAX_STRIPS
SLOW_BYTES = 120 * 10**6
"""Most pixels, in bytes, of a file with one of the compressions that decode at 100 MB/s or slower; and most pixels, in
bytes, of tiles beyond the edges of the picture: a small file may have them over and over."""

_SUBFILE, _WIDTH, _HEIGHT, _BITS, _COMPRESSION, _PHOTOMETRIC = 254, 256, 257, 258, 259, 262
_OFFSETS, _ORIENTATION, _SAMPLES, _STRIP_ROWS, _LENGTHS, _PLANAR, _PREDICTOR = 273, 274, 277, 278, 279, 284, 317
_TILE_WIDTH, _TILE_HEIGHT, _TILES, _TILE_LENGTHS, _EXTRA, _SAMPLE_FORMAT = 322, 323, 324, 325, 338, 339
_XMP, _PROFILE = 700, 34675
_NEEDED = {
    *(_WIDTH, _HEIGHT, _BITS, _COMPRESSION, _PHOTOMETRIC, 266, _OFFSETS, _SAMPLES, _STRIP_ROWS, _LENGTHS, _PLANAR),
    *(292, 293, _PREDICTOR, 320, _TILE_WIDTH, _TILE_HEIGHT, _TILES, _TILE_LENGTHS, 332, _EXTRA, _SAMPLE_FORMAT, 347),
    *(512, 513, 514, 515, 519, 520, 521, 529, 530, 531, 532),  # JPEG within a TIFF, YCbCr
}
_JPEG, _LZMA, _ZSTANDARD = 7, 34925, 50000
_SLOW = (_LZMA,)
_WITH_WINDOW = (_LZMA, _ZSTANDARD)
"""Compressions whose decoder keeps what it decoded: a file may say that it needs all of a block again."""
_OF_BYTES = (1, 5, 8, 32773, 32946, _LZMA, _ZSTANDARD)
"""Compressions of bytes, whatever they mean: none, LZW, deflate, PackBits, LZMA and Zstandard."""


def open_tiff(content: bytes, time_limit: TimeLimit) -> Source:
    """Read the directory of the first page."""
    file = File(content)
    page, pages = _choose_page(file)
    _check_tables(file, page)

    def number(tag: int, default: int) -> int:
        return file.numbers(page, tag, (default,))[0]

    width, height = number(_WIDTH, 0), number(_HEIGHT, 0)
    samples = number(_SAMPLES, 1)
    bits = max(file.numbers(page, _BITS, (1,)))
    compression = number(_COMPRESSION, 1)
    block_width, block_height = width, min(number(_STRIP_ROWS, height), height)
    if _TILES in page.entries:
        block_width, block_height = number(_TILE_WIDTH, width), number(_TILE_HEIGHT, height)
    pixel = 4 if number(_PHOTOMETRIC, 0) == 6 else samples * max(bits, 1) / 8
    pixels = max(width * height, 1)
    block_bytes = _block_bytes(compression, pixel, (width, height), (block_width, block_height))
    first = min(file.numbers(page, _OFFSETS, (0,)))
    if compression == 1 and first + pixels * pixel > len(content):
        raise DamagedError("end")
    if compression == _JPEG:
        check_embedded(content, set(file.numbers(page, _TILES if _TILES in page.entries else _OFFSETS, (), _MAX_LIST)))
    held = 4.0 if samples > 1 else 1.0  # bytes a pixel in Pillow
    layout, most_pixels = None, MAX_PIXELS
    if bits > 8 and number(_PHOTOMETRIC, 0) in (0, 1, 2) and compression in _OF_BYTES:
        layout = _layout(file, page, (width, height), block_width or 1)
        held = layout.pixel_bytes
        most_pixels = min(MAX_PIXELS, int(MAX_DEEP_TIFF_MEGABYTES * 10**6 / layout.counted_bytes))

    def load(_: int | None) -> Decoded:
        time_limit.check()
        if layout:
            return decode_deep(layout, [_open(file, plane) for plane in _planes(file, page, layout)])
        image = _open(file, page.entries)
        if image.mode == "L" and number(_SAMPLE_FORMAT, 1) == SIGNED:  # of eight bits, which Pillow takes for unsigned
            image = image.point([level ^ 128 for level in range(256)])
        return Decoded.of(image)

    return Source(
        width,
        height,
        load,
        decoding_bytes=held + (block_bytes + len(content)) / pixels,  # the file is copied
        most_pixels=most_pixels,
        orientation=_orientation(file, page),
        profile=file.value(page, _PROFILE, MAX_PROFILE_BYTES),
        notes=(Note.FIRST_PAGE,) if pages > 1 else (),
    )


class _TiffImage(TiffImagePlugin.TiffImageFile):
    def load_prepare(self) -> None:
        """Skip Pillow's limit of pixels: bytes that are read as greys are more of them than the picture has."""
        ImageFile.ImageFile.load_prepare(self)


def _open(file: File, entries: Entries) -> Image.Image:
    """Decode a page."""
    with io.BytesIO(_with_page(file, entries)) as stream:  # closed so that this copy is given back
        try:
            image = _TiffImage(stream)
        except (SyntaxError, KeyError) as error:  # Pillow does not know this way of storing pixels
            raise unknown_kind() from error
        image.load()
    return image


def _layout(file: File, page: Page, size: tuple[int, int], block_width: int) -> Layout:
    """Return how the samples of a page are stored that has more than eight bits a sample."""

    def number(tag: int, default: int) -> int:
        return file.numbers(page, tag, (default,))[0]

    bits, kinds = file.numbers(page, _BITS, (1,)), file.numbers(page, _SAMPLE_FORMAT, (1,))
    samples, extra = number(_SAMPLES, 1), number(_EXTRA, 2)
    colours = 3 if number(_PHOTOMETRIC, 0) == 2 else 1
    layout = Layout(
        *size,
        samples,
        colours,
        bits[0],
        kinds[0],
        file.order,
        block_width,
        number(_PREDICTOR, 1),
        number(_PHOTOMETRIC, 1) == 0,
        number(_PLANAR, 1) == 2 and samples > 1,
        0 if samples <= colours else {0: 0, 1: 1}.get(extra, 2),
    )
    if len({*bits}) > 1 or len({*kinds}) > 1 or samples < colours:
        raise unknown_kind()
    layout.check()
    return layout


def _planes(file: File, page: Page, layout: Layout) -> list[Entries]:
    """Return the tags of greyscale pictures whose pixels are the bytes of a page."""

    def whole(value: int) -> tuple[int, int, bytes]:
        return 4, 1, struct.pack(file.order + "I", value).ljust(file.word_size, b"\0")

    entries = {tag: entry for tag, entry in page.entries.items() if tag not in (_PREDICTOR, _EXTRA, _SAMPLE_FORMAT)}
    entries |= {_BITS: whole(8), _SAMPLES: whole(1), _PHOTOMETRIC: whole(1), _PLANAR: whole(1)}
    entries[_WIDTH] = whole(layout.row_bytes(layout.stored_width))
    if _TILES in page.entries:
        entries[_TILE_WIDTH] = whole(layout.row_bytes(layout.block_width))
    if not layout.is_planar:
        return [entries]
    lists = [tag for tag in (_OFFSETS, _LENGTHS, _TILES, _TILE_LENGTHS) if tag in entries]
    used = layout.colours + bool(layout.alpha)
    return [
        entries | {tag: _part_of_list(file, page, tag, number, layout.samples) for tag in lists}
        for number in range(used)
    ]


def _part_of_list(file: File, page: Page, tag: int, number: int, parts: int) -> tuple[int, int, bytes]:
    """Return one of several equal parts of the numbers of a tag."""
    kind, count, inline = page.entries[tag]
    count //= parts
    size = count * KIND_BYTES.get(kind, 0)
    if size <= file.word_size:
        return kind, count, file.value(page, tag)[number * size : (number + 1) * size].ljust(file.word_size, b"\0")
    start = struct.unpack(file.word, inline)[0]
    return kind, count, struct.pack(file.word, start + number * size)


def _block_bytes(compression: int, pixel: float, size: tuple[int, int], block: tuple[int, int]) -> float:
    """Return the memory that a strip or tile takes while it is decoded; refuse a file whose blocks take too long.

    Parameters
    ----------
    compression, pixel
        Number of the compression, and bytes of a pixel.
    size, block
        Width and height of the picture and of a block, the last of which may go beyond the picture.
    """
    (width, height), (block_width, block_height) = size, block
    whole = -(-width // max(block_width, 1)) * -(-height // max(block_height, 1)) * block_width * block_height
    beyond = whole - width * height if block_width != width else 0
    if pixel * beyond > SLOW_BYTES or (compression in _SLOW and pixel * width * height > SLOW_BYTES):
        raise takes_too_long()
    copies = 0 if compression == 1 else 2 if compression in _WITH_WINDOW else 1
    return copies * pixel * block_width * block_height


def _orientation(file: File, page: Page) -> int:
    if _ORIENTATION not in page.entries:
        return read_orientation(b"", file.value(page, _XMP))
    orientation = file.numbers(page, _ORIENTATION, (1,))[0]
    return orientation if 1 <= orientation <= 8 else 1


def _choose_page(file: File) -> tuple[Page, int]:
    """Return the first page that is not a small copy of another one, and the number of such pages."""
    found: list[Page] = []
    first = None
    seen: set[int] = set()
    start = file.first
    while start and start not in seen and len(seen) < MAX_PAGES and start < len(file.content):
        seen.add(start)
        try:
            page = file.read_page(start)
        except (struct.error, DamagedError):  # the file ends here
            break
        first = first or page
        if not (file.numbers(page, _SUBFILE, (0,))[0] & 5):  # 1: reduced, 4: a mask
            found.append(page)
        start = page.next
    if not first:
        raise DamagedError("no page")
    return (found or [first])[0], len(found)


def _check_tables(file: File, page: Page) -> None:
    """Refuse a file whose tables would be slow to read, or are not there."""
    for tag in (_OFFSETS, _LENGTHS, _TILES, _TILE_LENGTHS):
        if page.entries.get(tag, (0, 0, b""))[1] > MAX_STRIPS:
            raise too_many_parts()
    sizes = {tag: KIND_BYTES.get(kind, 0) * count for tag, (kind, count, _) in page.entries.items() if tag in _NEEDED}
    for tag, size in sizes.items():
        if len(file.value(page, tag, size)) < size:
            raise DamagedError("value")
    if sum(sizes.values()) > MAX_TABLES + 4 * _MAX_LIST:
        raise too_many_parts()


def _with_page(file: File, entries: Entries) -> bytes:
    """Return the file with a directory at its end that has only the needed ones of these tags."""
    needed = sorted((tag, *entry) for tag, entry in entries.items() if tag in _NEEDED)
    entry_format = file.order + "HH" + file.word[1]
    directory = struct.pack(file.order + ("Q" if file.is_big else "H"), len(needed))
    directory += b"".join(struct.pack(entry_format, tag, kind, count) + value for tag, kind, count, value in needed)
    start = len(file.content) + len(file.content) % 2
    head = file.content[: file.word_size] + struct.pack(file.word, start)
    parts = (
        head,
        memoryview(file.content)[len(head) :],
        bytes(start - len(file.content)),
        directory,
        bytes(file.word_size),
    )
    return b"".join(parts)
