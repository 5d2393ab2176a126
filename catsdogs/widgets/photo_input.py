"""Bringing a photo: click, drop, paste, or the phone's camera."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import traitlets

from catsdogs.errors import InvalidImage
from catsdogs.i18n import Translator
from catsdogs.widgets.part import Part, field, not_understood, script, style

MAX_UPLOAD_BYTES = 10_000_000
"""Largest photo that goes up as it is: with its envelope it fits into one websocket message (10 MiB)."""


class PhotoInput(Part):
    """Takes photos and hands them to the kernel, scaled down by the browser and free of metadata.

    What the browser cannot decode, and what only the server can judge (animations, damaged or huge
    pictures), goes up as it is, up to `MAX_UPLOAD_BYTES`.

    Parameters
    ----------
    on_photo
        Called with the file's name and its bytes; its errors are shown below the photo.
    """

    _esm = script("photo_file", "photo_input")
    _css = style("photo_input")

    max_bytes = traitlets.Int().tag(sync=True)

    def __init__(self, translator: Translator, on_photo: Callable[[str, bytes], None]) -> None:
        _ = translator
        super().__init__(
            translator,
            {
                "choose": _("Choose a photo"),
                "or_drop": _("or drop it here, or paste it"),
                "hint": _("JPEG, PNG, WebP, GIF, BMP or TIFF"),
                "another": _("Choose another photo"),
                "looking": _("Looking at your photo…"),
                "done": _("Done."),
                "no_preview": _("Your browser cannot show this picture."),
                "one": _("One photo at a time, please: only the first one was taken."),
                "folder": _("This is a folder. Choose a photo in it."),
                "empty": _("This file is empty. Choose another photo."),
                "not_photo": _("This is not a photo. Choose a JPEG, PNG or WebP file."),
                "too_large": _("This file is too large: at most {megabytes} MB.", megabytes=MAX_UPLOAD_BYTES // 10**6),
                "unreadable": _("This file cannot be read. Choose it again, or another one."),
            },
            max_bytes=MAX_UPLOAD_BYTES,
        )
        self._on_photo = on_photo

    def receive(self, content: dict[str, object], buffers: Sequence[memoryview]) -> None:
        """Take a photo; nothing that came with it is trusted."""
        name = field(content, "name", str)
        if len(buffers) != 1:
            raise not_understood()
        if buffers[0].nbytes > MAX_UPLOAD_BYTES:
            raise InvalidImage("This file is too large: at most {megabytes} MB.", megabytes=MAX_UPLOAD_BYTES // 10**6)
        self._on_photo(name, bytes(buffers[0]))
