"""Input for photos: click, drop, paste, the phone's camera, or a sample picture."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import asdict
from typing import Protocol

import traitlets

from catsdogs.errors import InvalidImage, InvalidInput
from catsdogs.i18n import Translator
from catsdogs.model.photo_limits import MAX_BYTES, MAX_MEGABYTES
from catsdogs.samples import SAMPLES, Sample
from catsdogs.service import page_address
from catsdogs.widgets.answer_card import answer_kind
from catsdogs.widgets.base import BaseWidget, invalid_message, message_field, script, style
from catsdogs.widgets.upload_texts import PHOTO_LIMITS, photo_texts
from catsdogs.widgets.visit import VisitPhoto


class PhotoHandler(Protocol):
    """What handles the photos of a session. Each has a number; errors are shown below the photo."""

    def predict(self, number: int, name: str, photo: bytes) -> None:
        """Predict a photo, given its file name and its content."""

    def predict_sample(self, number: int, name: str) -> None:
        """Predict a picture of :data:`catsdogs.samples.SAMPLES`."""

    def show(self, number: int, content: bytes) -> None:
        """Show the answer for an earlier photo again; `content` is a small copy where it was restored, or empty."""

    def discard(self, number: int) -> None:
        """Remove a photo that was cancelled; it may not have arrived."""

    def restore(self, photos: Sequence[VisitPhoto], shown: int) -> None:
        """Take over the photos that the page kept while it was reloaded; show one of them (0: none)."""

    def start_over(self) -> None:
        """Forget all photos."""


class PhotoInput(BaseWidget):
    """Takes photos, which the browser frees of metadata and scales down, and sends them to the kernel.

    Small files, those that the browser cannot decode, and those that only the server can judge (animations, damaged or
    very large pictures), are not scaled down, up to the size that the server takes.

    Parameters
    ----------
    translator
        Translates the texts.
    handler
        Called for each message about a photo.
    """

    _esm = script("photo_input")
    _css = style("confirm", "photo_input")

    limits = traitlets.Dict().tag(sync=True)
    samples: traitlets.List[dict[str, object]] = traitlets.List().tag(sync=True)
    """Each a dictionary of ``name``, ``title``, ``credit``, and ``jpeg`` or the addresses ``address``, ``small``."""
    answer_kinds = traitlets.Dict().tag(sync=True)
    """Result of `answer_kind` by number, for the photos of this visit that have an answer."""
    saved_photos = traitlets.Dict().tag(sync=True)
    """:class:`~catsdogs.widgets.visit.SavedPhoto` by number: the page keeps them, and sends them back with ``restore``
    after a reload."""
    explanation = traitlets.Dict().tag(sync=True)
    """Number of the photo shown, with ``activation`` and ``box`` of :class:`~catsdogs.domain.Explanation`."""

    def __init__(self, translator: Translator, handler: PhotoHandler) -> None:
        _ = translator
        super().__init__(
            translator,
            photo_texts(_),
            limits=PHOTO_LIMITS,
            samples=[
                {"name": sample.name, "title": _(sample.title), "credit": _(sample.credit), **_picture(sample)}
                for sample in SAMPLES
            ],
        )
        self._handler = handler

    def list_photos(self, photos: Iterable[VisitPhoto]) -> None:
        """List the photos of this visit that have an answer."""
        listed = {str(photo.number): photo for photo in photos}
        with self.hold_sync():
            self.answer_kinds = {number: answer_kind(photo.prediction) for number, photo in listed.items()}
            self.saved_photos = {number: photo.to_saved() for number, photo in listed.items()}

    def show_map(self, photo: VisitPhoto | None) -> None:
        """Offer the activation map of a photo."""
        explanation = photo and photo.prediction.explanation
        self.explanation = {"number": photo.number, **asdict(explanation)} if photo and explanation else {}

    def handle_message(self, content: dict[str, object], buffers: Sequence[memoryview]) -> None:
        """Pass a message about a photo to the handler, after checking its fields."""
        if content.get("action") == "start_over":
            self._handler.start_over()
            return
        number = message_field(content, "number", int)
        match content.get("action"):
            case "predict":
                self._handler.predict(number, message_field(content, "name", str), _photo(buffers))
            case "predict_sample":
                self._handler.predict_sample(number, message_field(content, "name", str))
            case "show":
                self._handler.show(number, _photo(buffers) if buffers else b"")
            case "discard":
                self._handler.discard(number)
            case "restore":
                self._restore(message_field(content, "photos", list), buffers, number)
            case _:
                raise invalid_message()

    def _restore(self, photos: list[object], contents: Sequence[memoryview], shown: int) -> None:
        """Restore photos, each a dictionary of ``number``, ``name`` and ``saved`` with a buffer of its own.

        The buffer is a small copy of the photo for the person who agrees later that it is kept. Only the photo that is
        shown has one; the others come with ``show``.

        Raises
        ------
        InvalidInput
            Some cannot be restored; the others are.
        """
        restored, failed = [], None
        for fields, content in zip(photos, contents, strict=False):
            try:
                restored.append(_restored(fields, bytes(content)))
            except InvalidInput as error:
                failed = error
        self._handler.restore(restored, shown)
        if failed:
            raise failed


def _picture(sample: Sample) -> dict[str, object]:
    """Return the addresses of a sample picture, or the picture itself outside of our server's pages."""
    large, small = page_address(f"/samples/{sample.name}.jpg"), page_address(f"/samples/{sample.name}.webp")
    return {"address": large, "small": small} if large else {"jpeg": sample.jpeg}


def _restored(fields: object, content: bytes) -> VisitPhoto:
    if not isinstance(fields, dict):
        raise invalid_message()
    number, name = message_field(fields, "number", int), message_field(fields, "name", str)
    return VisitPhoto.from_saved(number, name, content, message_field(fields, "saved", dict))


def _photo(buffers: Sequence[memoryview]) -> bytes:
    if len(buffers) != 1:
        raise invalid_message()
    if buffers[0].nbytes > MAX_BYTES:
        raise InvalidImage("This file is too large: at most {megabytes} MB.", megabytes=MAX_MEGABYTES)
    return bytes(buffers[0])
