"""BMP. Pillow reads the usual layouts; pixels whose colours lie in other bits are read here."""

from __future__ import annotations

import struct

import numpy as np
import numpy.typing as npt
from PIL import BmpImagePlugin, Image

from catsdogs.model.photo_limits import MAX_PIXELS
from catsdogs.model.photos.source import (
    DamagedError,
    Decoded,
    Source,
    TimeLimit,
    open_parts,
    takes_too_long,
    unknown_kind,
)

MAX_RUN_LENGTH_BYTES = 512 * 1024
"""Size of the largest file with run-length encoding, which Pillow decodes in Python: a MB takes a second."""
MAX_RUN_LENGTH_PIXELS = 4 * 10**6
_MASKS = 54
"""Where the four masks of the colours are, in the header or just after it."""
_HEADER_WITH_ALPHA = 56
"""Length of the shortest header that has a mask of the alpha channel."""
_PIXEL_TYPES = {16: "<u2", 32: "<u4"}


def open_bmp(content: bytes, time_limit: TimeLimit) -> Source:
    """Read the header."""
    try:
        image = BmpImagePlugin.BmpImageFile(open_parts([memoryview(content)], time_limit))
    except OSError as error:
        if str(error) == "Unsupported BMP bitfields layout":
            return _open_bit_fields(content)
        if str(error).startswith("Unsupported"):
            raise unknown_kind() from error
        raise
    is_run_length = image.info.get("compression") in (1, 2)
    if is_run_length and len(content) > MAX_RUN_LENGTH_BYTES:
        raise takes_too_long()

    def load(_: int | None) -> Decoded:
        image.load()
        return Decoded.of(image)

    most = MAX_RUN_LENGTH_PIXELS if is_run_length else MAX_PIXELS
    return Source(image.width, image.height, load, most_pixels=most, opaque_if_empty=True)


def _open_bit_fields(content: bytes) -> Source:
    """Read the header of a BMP that says in which bits of a pixel each colour is."""
    start, header, width, height, bits = struct.unpack_from("<10xIIii2xH", content)
    if bits not in _PIXEL_TYPES or width < 1:
        raise unknown_kind()
    red, green, blue, alpha = (mask & (2**bits - 1) for mask in struct.unpack_from("<4I", content, _MASKS))
    masks = [red, green, blue, alpha] if alpha and header >= _HEADER_WITH_ALPHA else [red, green, blue]
    if not red | green | blue:
        raise unknown_kind()
    channels = [(mask, *_levels(mask)) for mask in masks]
    stride = -(-width * bits // 32) * 4

    def load(_: int | None) -> Decoded:
        if len(content) < start + abs(height) * stride:
            raise DamagedError("the file ends before its pixels")
        rows = np.frombuffer(content, np.uint8, abs(height) * stride, start).reshape(-1, stride)
        pixels = rows[:: -1 if height > 0 else 1].view(_PIXEL_TYPES[bits])[:, :width]
        colours = np.empty((abs(height), width, len(masks)), np.uint8)
        for index, (mask, shift, levels) in enumerate(channels):
            colours[..., index] = levels[(pixels & mask) >> shift]
        return Decoded.of(Image.fromarray(colours))

    return Source(width, abs(height), load, decoding_bytes=bits / 8 * 3 + len(masks) + 1, opaque_if_empty=True)


def _levels(mask: int) -> tuple[int, npt.NDArray[np.uint8]]:
    """Return by how many bits to shift what a mask leaves of a pixel, and the level, 0..255, of each result."""
    lowest = (mask & -mask).bit_length() - 1
    values = mask >> max(lowest, 0)
    if values & (values + 1):  # the bits do not lie together
        raise unknown_kind()
    unused = max(values.bit_length() - 8, 0)
    most = values >> unused
    return max(lowest, 0) + unused, np.round(np.arange(most + 1) * (255 / max(most, 1))).astype(np.uint8)
