"""The preview in a HEIC: a small picture beside the main one, which phones store for their lists of photos."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator

from catsdogs.errors import InvalidImage
from catsdogs.model.photos.items import Items
from catsdogs.model.photos.source import DamagedError

MIN_PREVIEW_SIDE = 240
"""Shorter side, in pixels, of the smallest preview that is looked at instead of a picture that is too large. Phones
store 240 to 400."""
MAX_PREVIEW_PIXELS = 4 * 10**6
"""Most pixels that are decoded for a preview, its alpha channel included."""
_MAX_PREVIEWS = 4


def with_previews_as_main(items: Items) -> Iterator[bytes]:
    """Return copies of a HEIC that say that one of its previews is the main picture, the one with most pixels first.

    A few bytes are changed: the number of the main picture, the link that calls the other one a preview, and the mark
    that hides it. A preview of tiles is none: it may cost as much as the picture.
    """
    at, size = items.main_at
    found = []
    for number, link in items.previews[items.main][:_MAX_PREVIEWS]:
        kind, described_at = items.kinds.get(number, (b"", 0))
        is_stored_as_usual = items.content[link : link + 4] == b"thmb" and number < 1 << 8 * size
        with contextlib.suppress(DamagedError, InvalidImage):
            if kind == b"hvc1" and is_stored_as_usual:
                found.append((items.decoding_of(number).pixels, number, link, described_at))
    for pixels, number, link, described_at in sorted(found, reverse=True):
        if pixels > MAX_PREVIEW_PIXELS:
            continue
        changed = bytearray(items.content)
        changed[at : at + size] = number.to_bytes(size, "big")
        changed[link : link + 4] = b"free"
        changed[described_at + 3] &= 0xFE
        yield bytes(changed)
