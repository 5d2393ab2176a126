"""HEIC and AVIF: both are ISO media files; libheif decodes the former, and Pillow's libavif the latter."""

from __future__ import annotations

import contextlib
import io
from collections.abc import Callable, Iterator
from dataclasses import replace
from typing import TYPE_CHECKING

from PIL import Image, _avif

from catsdogs.domain import Note
from catsdogs.errors import InvalidImage
from catsdogs.model.cores import usable_cores
from catsdogs.model.photo_limits import (
    MAX_AVIF_MEGAPIXELS,
    MAX_DECODING_SECONDS,
    MAX_HEIC_MEGAPIXELS,
    MAX_JPEG_PIXELS,
)
from catsdogs.model.photos.av1 import frame_sizes
from catsdogs.model.photos.boxes import boxes, colour_codes, quarter_turns, siblings
from catsdogs.model.photos.colour_codes import profile_of_codes
from catsdogs.model.photos.gif import MAX_FRAMES
from catsdogs.model.photos.items import Decoding, Items, read_items
from catsdogs.model.photos.previews import MAX_PREVIEW_PIXELS, MIN_PREVIEW_SIDE, with_previews_as_main
from catsdogs.model.photos.source import (
    DamagedError,
    Decoded,
    Source,
    TimeLimit,
    takes_too_long,
    too_many_parts,
    unknown_kind,
)

if TYPE_CHECKING:
    from pi_heif import HeifImage

AVIF_BRANDS = (b"avif", b"avis")
HEIC_BRANDS = (b"heic", b"heix", b"heim", b"heis", b"hevc", b"hevx", b"hevm", b"hevs", b"mif1", b"msf1")
MAX_HEADER = 2**20
"""Size of the largest box that describes the picture, in bytes; the one of a photo in 100 tiles has six kilobytes."""
_MAX_BOXES = 1000
_HEIC_BYTES = 8.7  # memory that a decoder takes for each pixel: planes, and what it returns
_USUAL_PIXEL_BYTES = 3.0
_RETURNED_BYTES = 5.0
"""Bytes of a pixel in what the decoder returns, and their copy. Where a pixel of the planes has more than the usual
ones, two copies of them count besides, in one piece and in tiles."""
_HEIC_SECONDS_A_PIXEL = 0.12e-6
_FLAT_SECONDS, _SECONDS_A_BYTE = 0.03e-6, 0.17e-6
"""What a pixel takes to decode, at most; it takes less where it has few bytes. 12 megapixels of a phone take 0.6 s."""
_HEIC_PIECE = 16 * 2**20
"""Size of the largest picture or tile that libde265 decodes, in bytes."""
_AVIF_BYTES = 10.8
_AVIF_ALPHA_BYTES = 15.5
_AVIF_FLAT_SECONDS, _AVIF_SECONDS_A_BYTE = 0.025e-6, 0.085e-6
"""What a pixel and a byte of an AVIF take to decode, at most: noise of 12 megapixels in 26 MB took 2.4 s."""
_SLACK = 2**20
"""By how many pixels a coded frame or tile may be larger than the picture: what is beyond its edges is cut off."""


def open_avif(content: bytes, time_limit: TimeLimit) -> Source:
    """Read the boxes."""
    _check_boxes(content)
    decoder = _avif_decoder(content)
    (width, height), frames, mode, profile, _, orientation, _ = decoder.get_info()
    sizes = frame_sizes(content)
    if max(sizes, default=0) > width * height + _SLACK or (
        frames == 1 and sum(sizes) > 3 * (width * height + _SLACK)  # it may have an alpha channel, and a gain map
    ):
        raise DamagedError("size")
    if _AVIF_FLAT_SECONDS * width * height + _AVIF_SECONDS_A_BYTE * len(content) > MAX_DECODING_SECONDS:
        raise takes_too_long()

    def frame_pixels(number: int) -> Decoded:
        time_limit.check()
        return Decoded.of_buffer(decoder.get_frame(number)[0], (width, height), mode, mode, len(mode) * width)

    def later_frames() -> Iterator[Image.Image]:
        for number in range(1, min(frames, MAX_FRAMES)):
            yield frame_pixels(number).rows(0, height).copy()

    return Source(
        width,
        height,
        lambda _: frame_pixels(0),
        decoding_bytes=_AVIF_ALPHA_BYTES if mode == "RGBA" else _AVIF_BYTES,
        most_pixels=MAX_AVIF_MEGAPIXELS * 10**6,
        orientation=orientation,
        profile=profile or profile_of_codes(*colour_codes(content)),
        notes=(Note.FIRST_FRAME,) if frames > 1 else (),
        later_frames=later_frames if frames > 1 else None,
    )


def _avif_decoder(content: bytes) -> _avif.AvifDecoder:
    try:
        return _avif.AvifDecoder(content, "auto", usable_cores())
    except ValueError as error:
        if "Exif" not in str(error):
            raise
    changed = bytearray(content)  # damaged EXIF, which is not needed: as an item of no kind, it is not read
    for kind, start, _ in boxes(content, 0, len(content)):
        place = start + (8 if content[start] < 3 else 10)
        if kind == b"infe" and content[place : place + 4] == b"Exif":
            changed[place : place + 4] = b"free"
    return _avif.AvifDecoder(bytes(changed), "auto", usable_cores())


def open_heic(content: bytes, time_limit: TimeLimit) -> Source:
    """Read the boxes. Of a picture that would take too much time or memory, a preview is read, where there is one."""
    _check_boxes(content)
    items = read_items(content)
    decoding = items.decoding_of(items.main)
    source = _heic_source(content, time_limit)
    if decoding.pixel_bytes > _USUAL_PIXEL_BYTES:
        source = replace(source, decoding_bytes=_RETURNED_BYTES + 2 * decoding.pixel_bytes)
    try:
        _check_decoding(decoding, source)
        source.check()
    except InvalidImage:
        preview = _preview(items, source, time_limit)
        if preview is None:
            raise
        return preview
    return source


def _heic_source(content: bytes, time_limit: TimeLimit) -> Source:
    import pi_heif  # only where it is needed: it takes 20 ms and 5 MB

    try:
        file = pi_heif.HeifFile(io.BytesIO(content), convert_hdr_to_8bit=True, remove_stride=False)
    except RuntimeError as error:
        if "security limit" in str(error):  # of libheif: 1,000 tiles, and the like
            raise too_many_parts() from error
        raise
    image = file[file.primary_index]
    width, height = image.size
    return Source(
        width,
        height,
        _loader(image, time_limit),
        decoding_bytes=_HEIC_BYTES,
        most_pixels=MAX_HEIC_MEGAPIXELS * 10**6,
        profile=image.info.get("icc_profile") or profile_of_codes(*colour_codes(content)),
        notes=(Note.MAIN_PICTURE,) if len(file) > 1 else (),
    )


def _check_decoding(decoding: Decoding, source: Source) -> None:
    """Refuse a picture that libde265 does not decode, or not in time."""
    if decoding.largest_size > _HEIC_PIECE:
        raise unknown_kind()
    if decoding.largest > source.width * source.height + _SLACK:
        raise DamagedError("size")
    pixels = decoding.pixels
    seconds = min(_HEIC_SECONDS_A_PIXEL * pixels, _FLAT_SECONDS * pixels + _SECONDS_A_BYTE * decoding.size)
    if seconds > MAX_DECODING_SECONDS:
        raise takes_too_long()


def _preview(items: Items, source: Source, time_limit: TimeLimit) -> Source | None:
    """Return what is read instead of a picture that would take too much; ``None`` where no preview is large enough."""
    for changed in with_previews_as_main(items):
        with contextlib.suppress(Exception):  # of a preview that is damaged: what is wrong with the picture is told
            preview = _heic_source(changed, time_limit)
            width, height = preview.width, preview.height
            if min(width, height) >= MIN_PREVIEW_SIDE and width * height <= MAX_PREVIEW_PIXELS:
                return _shown_instead(items, source, preview)
    return None


def _shown_instead(items: Items, source: Source, preview: Source) -> Source:
    shown = replace(
        source,
        load=preview.load,
        decoding_bytes=1,  # for a pixel of the picture: the preview takes less
        most_pixels=MAX_JPEG_PIXELS,
        profile=preview.profile or source.profile,
        notes=(*source.notes, Note.PREVIEW),
    )
    if (preview.width - preview.height) * (source.width - source.height) >= 0:  # both upright, or both wide
        return shown
    turn = 8 if quarter_turns(items.content) == 1 else 6  # the preview lacks the turn of the picture
    return replace(shown, width=source.height, height=source.width, orientation=turn)


def _loader(image: HeifImage, time_limit: TimeLimit) -> Callable[[int | None], Decoded]:
    size = image.size

    def load(_: int | None) -> Decoded:
        time_limit.check()
        pixels = image.data
        if image.size != size:
            raise DamagedError("size")
        return Decoded.of_buffer(pixels, image.size, image.mode, image.mode, image.stride)

    return load


def _check_boxes(content: bytes) -> None:
    """Refuse a file whose description is so long that reading it takes much time."""
    for number, (kind, start, end) in enumerate(siblings(content, 0, len(content))):
        if number >= _MAX_BOXES or (kind in (b"meta", b"moov", b"moof", b"ftyp") and end - start > MAX_HEADER):
            raise too_many_parts()
