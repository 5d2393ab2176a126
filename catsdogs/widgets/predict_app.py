"""The prediction app: choose a photo, read the answer, say whether it is right."""

from __future__ import annotations

import os
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, replace
from functools import cached_property
from uuid import UUID

import ipywidgets

from catsdogs import samples
from catsdogs.errors import NotFound
from catsdogs.i18n import Translator
from catsdogs.service import URL_VARIABLE, data_controller
from catsdogs.service.interface import Service
from catsdogs.widgets.answer_card import AnswerCard
from catsdogs.widgets.answered_photo import AnsweredPhoto
from catsdogs.widgets.base import invalid_message
from catsdogs.widgets.consent_form import ConsentForm
from catsdogs.widgets.feedback_form import FeedbackForm
from catsdogs.widgets.my_data import MyData
from catsdogs.widgets.page_header import PageHeader
from catsdogs.widgets.photo_input import PhotoInput
from catsdogs.widgets.receipt_card import ReceiptCard
from catsdogs.widgets.session_language import session_language
from catsdogs.widgets.upload_texts import app_title


@dataclass(frozen=True, slots=True)
class _Upload:
    """The photo shown, as the person sent it."""

    number: int
    name: str
    content: bytes


class PredictApp(ipywidgets.Box):  # type: ignore[misc]  # ipywidgets ships no types
    """The whole app as one widget; it is the :class:`~catsdogs.widgets.photo_input.PhotoHandler` of its photo input.

    Parameters
    ----------
    connect
        Opens the service. It is called with the first photo, so that the page appears at once and an error of the
        service is shown in it; after an error it is called again with the next photo.
    language
        A key of `LANGUAGES`; by default the language that the browser prefers.
    """

    def __init__(self, connect: Callable[[], Service], language: str | None = None) -> None:
        self._ = _ = Translator(language or session_language())
        self._connect = connect
        self._photos: dict[int, AnsweredPhoto] = {}
        self._shown: int | None = None
        self._upload: _Upload | None = None
        self.header = PageHeader(_, *app_title(_))
        self.photo_input = PhotoInput(_, self)
        self.answer_card = AnswerCard(_, _model_card(_))
        self.feedback_form = FeedbackForm(_, lambda: self.service)
        self.my_data = MyData(_, lambda: self.service, self.remove_receipt)
        self.receipt_card = ReceiptCard(_, self.my_data.look_up)
        self.consent_form = ConsentForm(_, data_controller(), self.predict_again)
        results = ipywidgets.Box(
            [self.answer_card, self.feedback_form, self.receipt_card, self.consent_form, self.my_data]
        )
        results.add_class("catsdogs-results")
        super().__init__([self.header, self.photo_input, results])
        self.add_class("catsdogs-app")

    @cached_property
    def service(self) -> Service:
        """Service that predicts and records; opened at first use."""
        return self._connect()

    def predict(self, number: int, name: str, photo: bytes, replaces: UUID | None = None) -> None:
        """Predict a photo, record the prediction under the consent that the form has now, and show the answer.

        Parameters
        ----------
        number
            Number of the photo in this session.
        name
            File name.
        photo
            Content of the file.
        replaces
            Id of an anonymous prediction of the same photo, which this one replaces in the database.

        Raises
        ------
        CatsDogsError
            There is no answer; the page shows none of an earlier photo either.
        """
        _ = self._
        self._clear()
        consent = self.consent_form.decision
        filename = name if consent.filename_and_comment else None
        outcome = self.service.predict(photo, filename=filename, consent=consent, replaces=replaces)
        if replaces:
            self.feedback_form.copy_feedback(replaces, outcome.feedback_id)
        stored_later = _("Our database cannot be reached just now. Your answer is safe and will be stored.")
        remark = "" if outcome.stored else stored_later
        self._photos[number] = AnsweredPhoto(outcome.prediction, remark, (outcome, consent))
        self._show(number)
        self._upload = _Upload(number, name, photo)
        self.consent_form.set_applied(consent)

    def predict_sample(self, number: int, name: str) -> None:
        """Predict a sample picture and show the answer; nothing is recorded, so no feedback is asked for.

        Raises
        ------
        CatsDogsError
            There is no such sample, or no answer.
        """
        _ = self._
        self._clear()
        prediction = self.service.predict_sample(samples.find(name).name)
        remark = _("A sample picture: nothing about it is recorded, and it counts in no statistics.")
        self._photos[number] = AnsweredPhoto(prediction, remark, None)
        self._show(number)

    def show(self, number: int) -> None:
        """Show the answer for an earlier photo of this session again.

        Raises
        ------
        InvalidInput
            No photo has this number.
        """
        if number not in self._photos:
            raise invalid_message()
        self._clear()
        self._show(number)

    def discard(self, number: int) -> None:
        """Remove a photo that the person cancelled, and erase what was stored about it with consent.

        Raises
        ------
        CatsDogsError
            It could not be erased.
        """
        photo = self._photos.pop(number, None)
        if number == self._shown:
            self._clear()
        if photo and photo.receipt:
            self.service.erase(photo.receipt)
            self.receipt_card.mark_erased(photo.receipt)

    def predict_again(self) -> None:
        """Apply the consent that the form has now to the photo shown.

        What was stored with an earlier consent is erased first: the person may agree to less now.
        """
        if self._upload is None:
            return
        upload = self._upload
        photo = self._photos[upload.number]
        if photo.receipt:
            with suppress(NotFound):  # someone who has the receipt erased it already
                self.service.erase(photo.receipt)
            self.receipt_card.mark_erased(photo.receipt)
        self.predict(upload.number, upload.name, upload.content, replaces=photo.anonymous_id)

    def remove_receipt(self, receipt: str) -> None:
        """Remove a receipt, under which everything was erased, from the page, and the feedback form of its photo."""
        _ = self._
        self.receipt_card.mark_erased(receipt)
        for number, photo in self._photos.items():
            if photo.receipt == receipt:
                remark = _("What was kept about this photo is erased.")
                self._photos[number] = replace(photo, remark=remark, recorded=None)
                if number == self._shown:
                    self.show(number)

    def _show(self, number: int) -> None:
        photo = self._photos[number]
        self._shown = number
        self.photo_input.show_answer(number, photo.prediction)
        self.answer_card.show(photo.prediction, *filter(None, [photo.remark]))
        self.receipt_card.receipt = photo.receipt
        if photo.recorded:
            outcome, consent = photo.recorded
            self.feedback_form.show(outcome.feedback_id, outcome.prediction.answer, consent)

    def _clear(self) -> None:
        self._shown = self._upload = None
        self.answer_card.clear()
        self.feedback_form.clear()
        self.receipt_card.receipt = ""
        self.consent_form.set_applied(None)


def _model_card(_: Translator) -> str:
    """Return the address of the page that describes the model; empty outside of the catsdogs server."""
    return f"/info?lang={_.language}" if URL_VARIABLE in os.environ else ""
