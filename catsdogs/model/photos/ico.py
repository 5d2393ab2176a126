"""Icons of Windows (ICO): several sizes of one picture, each a PNG or a BMP without the header of its file."""

from __future__ import annotations

import struct

from PIL import IcoImagePlugin

from catsdogs.model.photos.png import SIGNATURE, open_png
from catsdogs.model.photos.source import Decoded, Source, TimeLimit, open_parts, too_many_parts, unknown_kind

START = b"\0\0\1\0"
MAX_PICTURES = 1000
_MAX_BMP_PIXELS = 4 * 10**6
"""Size of the largest BMP in an icon; those that programs write have 65,536."""
_UNCOMPRESSED = (0, 3)


def open_ico(content: bytes, time_limit: TimeLimit) -> Source:
    """Read the table of pictures, and the header of the largest one."""
    if struct.unpack_from("<H", content, 4)[0] > MAX_PICTURES:
        raise too_many_parts()
    icon = IcoImagePlugin.IcoFile(open_parts([memoryview(content)], time_limit))
    largest = icon.entry[0]
    picture = content[largest.offset : largest.offset + largest.size]
    if picture.startswith(SIGNATURE):
        return open_png(picture, time_limit)
    width, doubled, _, _, compression = struct.unpack_from("<iiHHI", picture, 4)
    if compression not in _UNCOMPRESSED:
        raise unknown_kind()

    def load(_: int | None) -> Decoded:
        image = icon.frame(0)
        image.load()
        return Decoded.of(image)

    return Source(
        width,
        abs(doubled) // 2,
        load,
        decoding_bytes=16,  # colours, mask, and copies of both
        most_pixels=_MAX_BMP_PIXELS,
        opaque_if_empty=True,
    )
