"""Bringing a photo: click, drop, paste, the phone's camera, or a sample picture."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict
from typing import Protocol

import traitlets

from catsdogs.domain import Prediction
from catsdogs.errors import InvalidImage
from catsdogs.i18n import Translator
from catsdogs.samples import SAMPLES
from catsdogs.widgets.answer_card import answer_kind
from catsdogs.widgets.base import BaseWidget, invalid_message, message_field, script, style
from catsdogs.widgets.upload_texts import MAX_UPLOAD_BYTES, PHOTO_SCRIPTS, photo_texts


class PhotoHandler(Protocol):
    """What a person does with photos; each has a number in the visit. Errors are shown below the photo."""

    def predict(self, number: int, name: str, photo: bytes) -> None:
        """Answer a photo, of which the file name and the bytes are given."""

    def predict_sample(self, number: int, name: str) -> None:
        """Answer a picture of :data:`catsdogs.samples.SAMPLES`."""

    def show(self, number: int) -> None:
        """Show the answer for an earlier photo again."""

    def discard(self, number: int) -> None:
        """Take back a photo that was brought; it may not have come."""


class PhotoInput(BaseWidget):
    """Takes photos and hands them to the kernel, scaled down by the browser and free of metadata.

    What the browser cannot decode, and what only the server can judge (animations, damaged or huge
    pictures), goes up as it is, up to `MAX_UPLOAD_BYTES`.
    """

    _esm = script(*PHOTO_SCRIPTS)
    _css = style("photo_input")

    max_bytes = traitlets.Int().tag(sync=True)
    samples: traitlets.List[dict[str, object]] = traitlets.List().tag(sync=True)
    """Each a dictionary of ``name``, ``title``, ``credit`` and ``jpeg``."""
    answer_kinds = traitlets.Dict().tag(sync=True)
    """The photos of this visit that have an answer: number to `answer_kind`."""
    explanation = traitlets.Dict().tag(sync=True)
    """Number of the photo shown, with ``activation`` and ``box`` of :class:`~catsdogs.domain.Explanation`."""

    def __init__(self, translator: Translator, handler: PhotoHandler) -> None:
        _ = translator
        super().__init__(
            translator,
            photo_texts(_),
            max_bytes=MAX_UPLOAD_BYTES,
            samples=[
                {"name": sample.name, "title": _(sample.title), "credit": _(sample.credit), "jpeg": sample.jpeg}
                for sample in SAMPLES
            ],
        )
        self._handler = handler

    def answer(self, number: int, prediction: Prediction) -> None:
        """Show that photo `number` has an answer, and what it was made of."""
        explanation = prediction.explanation
        with self.hold_sync():
            self.answer_kinds = {**self.answer_kinds, str(number): answer_kind(prediction)}
            self.explanation = {"number": number, **asdict(explanation)} if explanation else {}

    def handle_message(self, content: dict[str, object], buffers: Sequence[memoryview]) -> None:
        """Take a photo, or a wish about one; nothing that came with it is trusted."""
        number = message_field(content, "number", int)
        match content.get("action"):
            case "show":
                self._handler.show(number)
            case "discard":
                self._handler.discard(number)
            case "predict_sample":
                self._handler.predict_sample(number, message_field(content, "name", str))
            case "predict":
                self._handler.predict(number, message_field(content, "name", str), _photo(buffers))
            case _:
                raise invalid_message()


def _photo(buffers: Sequence[memoryview]) -> bytes:
    if len(buffers) != 1:
        raise invalid_message()
    if buffers[0].nbytes > MAX_UPLOAD_BYTES:
        raise InvalidImage("This file is too large: at most {megabytes} MB.", megabytes=MAX_UPLOAD_BYTES // 10**6)
    return bytes(buffers[0])
