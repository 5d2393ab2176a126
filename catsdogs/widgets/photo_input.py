"""Bringing a photo: click, drop, paste, or the phone's camera."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import traitlets

from catsdogs.domain import Answer
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
        Called with the photo's number in this visit, its file name and its bytes; its errors are shown below it.
    on_recall
        Called with the number of an earlier photo that the person wants to see again.
    """

    _esm = script("photo_file", "photo_input")
    _css = style("photo_input")

    max_bytes = traitlets.Int().tag(sync=True)
    answered = traitlets.Dict().tag(sync=True)
    """The photos of this visit that have an answer: number to answer."""

    def __init__(
        self, translator: Translator, on_photo: Callable[[int, str, bytes], None], on_recall: Callable[[int], None]
    ) -> None:
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
                "visit": _("Photos of this visit"),
                "waiting": _("Photos that wait: {n}"),
                "cat": _("Cat"),
                "dog": _("Dog"),
                "neither": _("Neither"),
                "folder": _("This is a folder. Choose a photo in it."),
                "empty": _("This file is empty. Choose another photo."),
                "not_photo": _("This is not a photo. Choose a JPEG, PNG or WebP file."),
                "too_large": _("This file is too large: at most {megabytes} MB.", megabytes=MAX_UPLOAD_BYTES // 10**6),
                "unreadable": _("This file cannot be read. Choose it again, or another one."),
            },
            max_bytes=MAX_UPLOAD_BYTES,
        )
        self._on_photo = on_photo
        self._on_recall = on_recall

    def add(self, number: int, answer: Answer) -> None:
        """Add a photo to those of this visit that have an answer."""
        self.answered = {**self.answered, str(number): str(answer)}

    def receive(self, content: dict[str, object], buffers: Sequence[memoryview]) -> None:
        """Take a photo, or the wish to see one again; nothing that came with it is trusted."""
        number = field(content, "number", int)
        if "name" not in content:
            self._on_recall(number)
            return
        name = field(content, "name", str)
        if len(buffers) != 1:
            raise not_understood()
        if buffers[0].nbytes > MAX_UPLOAD_BYTES:
            raise InvalidImage("This file is too large: at most {megabytes} MB.", megabytes=MAX_UPLOAD_BYTES // 10**6)
        self._on_photo(number, name, bytes(buffers[0]))
