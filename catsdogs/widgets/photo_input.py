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
from catsdogs.widgets.answer_card import look
from catsdogs.widgets.base import Part, field, not_understood, script, style
from catsdogs.widgets.upload_texts import MAX_UPLOAD_BYTES, PHOTO_SCRIPTS, photo_texts


class Visit(Protocol):
    """What a person does with photos; each has a number in the visit. Errors are shown below the photo."""

    def predict(self, number: int, name: str, photo: bytes) -> None:
        """Answer a photo, of which the file name and the bytes are given."""

    def predict_sample(self, number: int, name: str) -> None:
        """Answer a picture of :data:`catsdogs.samples.SAMPLES`."""

    def recall(self, number: int) -> None:
        """Show the answer for an earlier photo again."""

    def forget(self, number: int) -> None:
        """Take back a photo that was brought; it may not have come."""


class PhotoInput(Part):
    """Takes photos and hands them to the kernel, scaled down by the browser and free of metadata.

    What the browser cannot decode, and what only the server can judge (animations, damaged or huge
    pictures), goes up as it is, up to `MAX_UPLOAD_BYTES`.
    """

    _esm = script(*PHOTO_SCRIPTS)
    _css = style("photo_input")

    max_bytes = traitlets.Int().tag(sync=True)
    samples: traitlets.List[dict[str, object]] = traitlets.List().tag(sync=True)
    """Each a dictionary of ``name``, ``title``, ``credit`` and ``jpeg``."""
    answered = traitlets.Dict().tag(sync=True)
    """The photos of this visit that have an answer: number to `look`."""
    explained = traitlets.Dict().tag(sync=True)
    """Number of the photo shown, with ``activation`` and ``box`` of :class:`~catsdogs.domain.Explanation`."""

    def __init__(self, translator: Translator, visit: Visit) -> None:
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
        self._visit = visit

    def answer(self, number: int, prediction: Prediction) -> None:
        """Show that photo `number` has an answer, and what it was made of."""
        explanation = prediction.explanation
        with self.hold_sync():
            self.answered = {**self.answered, str(number): look(prediction)}
            self.explained = {"number": number, **asdict(explanation)} if explanation else {}

    def receive(self, content: dict[str, object], buffers: Sequence[memoryview]) -> None:
        """Take a photo, or a wish about one; nothing that came with it is trusted."""
        number = field(content, "number", int)
        match content.get("wish"):
            case "recall":
                self._visit.recall(number)
            case "forget":
                self._visit.forget(number)
            case "sample":
                self._visit.predict_sample(number, field(content, "name", str))
            case None:
                self._visit.predict(number, field(content, "name", str), _photo(buffers))
            case _:
                raise not_understood()


def _photo(buffers: Sequence[memoryview]) -> bytes:
    if len(buffers) != 1:
        raise not_understood()
    if buffers[0].nbytes > MAX_UPLOAD_BYTES:
        raise InvalidImage("This file is too large: at most {megabytes} MB.", megabytes=MAX_UPLOAD_BYTES // 10**6)
    return bytes(buffers[0])
