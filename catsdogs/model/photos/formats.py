"""Which formats are read, and how their files begin."""

from __future__ import annotations

from catsdogs.errors import InvalidImage
from catsdogs.model.photos.bmp import open_bmp
from catsdogs.model.photos.gif import open_gif
from catsdogs.model.photos.heif import AVIF_BRANDS, HEIC_BRANDS, open_avif, open_heic
from catsdogs.model.photos.ico import START, open_ico
from catsdogs.model.photos.jpeg import open_jpeg
from catsdogs.model.photos.png import SIGNATURE, open_png
from catsdogs.model.photos.source import Source, TimeLimit
from catsdogs.model.photos.tiff import open_tiff
from catsdogs.model.photos.webp import open_webp

_TIFF = (b"II*\0", b"MM\0*", b"II\x2b\0", b"MM\0\x2b", b"II\0*", b"MM*\0")


def open_photo(content: bytes, time_limit: TimeLimit) -> Source:
    """Read the header of a photo, whatever its name says.

    Raises
    ------
    InvalidImage
        The file is of another format, damaged, or too large.
    """
    for is_format, open_format in _FORMATS:
        if is_format(content):
            return open_format(content, time_limit)
    raise InvalidImage(
        "This is not a picture that can be read. Choose a JPEG, PNG, WebP, HEIC, AVIF, GIF, BMP or TIFF file."
    )


def _is_avif(content: bytes) -> bool:
    return content[4:8] == b"ftyp" and not _brands(content).isdisjoint(AVIF_BRANDS)


def _is_heic(content: bytes) -> bool:
    return content[4:8] == b"ftyp" and not _brands(content).isdisjoint(HEIC_BRANDS)


def _brands(content: bytes) -> set[bytes]:
    """Return the major and the compatible brands of an ISO media file."""
    end = min(int.from_bytes(content[:4], "big"), 256)
    return {content[8:12], *(content[start : start + 4] for start in range(16, end, 4))}


_FORMATS = (
    (lambda content: content.startswith(b"\xff\xd8\xff"), open_jpeg),
    (lambda content: content.startswith(SIGNATURE), open_png),
    (lambda content: content.startswith(b"RIFF") and content[8:12] == b"WEBP", open_webp),
    (_is_avif, open_avif),
    (_is_heic, open_heic),
    (lambda content: content.startswith((b"GIF87a", b"GIF89a")), open_gif),
    (lambda content: content.startswith(b"BM"), open_bmp),
    (lambda content: content.startswith(_TIFF), open_tiff),
    (lambda content: content.startswith(START), open_ico),
)
