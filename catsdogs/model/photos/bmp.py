"""BMP."""

from __future__ import annotations

from PIL import BmpImagePlugin

from catsdogs.model.photo_limits import MAX_PIXELS
from catsdogs.model.photos.source import Decoded, Source, TimeLimit, open_parts, takes_too_long, unknown_kind

MAX_RUN_LENGTH_BYTES = 512 * 1024
"""Size of the largest file with run-length encoding, which Pillow decodes in Python: a MB takes a second."""
MAX_RUN_LENGTH_PIXELS = 4 * 10**6


def open_bmp(content: bytes, time_limit: TimeLimit) -> Source:
    """Read the header."""
    try:
        image = BmpImagePlugin.BmpImageFile(open_parts([memoryview(content)], time_limit))
    except OSError as error:
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
