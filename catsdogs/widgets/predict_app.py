"""The prediction app: choose a photo, read the answer, say whether it is right."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from functools import cached_property

import ipywidgets

from catsdogs import samples
from catsdogs.i18n import Translator
from catsdogs.service import data_controller, page_address
from catsdogs.service.interface import Service
from catsdogs.widgets.answer_card import AnswerCard
from catsdogs.widgets.base import invalid_message
from catsdogs.widgets.comment_form import CommentForm
from catsdogs.widgets.consent_form import ConsentForm
from catsdogs.widgets.feedback_form import FeedbackForm
from catsdogs.widgets.my_data import MyData
from catsdogs.widgets.page_header import PageHeader
from catsdogs.widgets.photo_input import PhotoInput
from catsdogs.widgets.receipt_card import ReceiptCard
from catsdogs.widgets.session_language import session_language
from catsdogs.widgets.upload_texts import app_title
from catsdogs.widgets.visit import Remark, Visit, VisitPhoto


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
        self._visit = visit = Visit(self._draw)
        self._shown = 0
        self.header = PageHeader(_, *app_title(_))
        self.photo_input = PhotoInput(_, self)
        self.answer_card = AnswerCard(_, _model_card(_))
        self.feedback_form = FeedbackForm(_, visit, lambda: self.service)
        self.consent_form = ConsentForm(_, data_controller(), visit, lambda: self.service)
        self.comment_form = CommentForm(_, visit, lambda: self.service)
        self.my_data = MyData(_, visit, lambda: self.service)
        self.receipt_card = ReceiptCard(_, self.my_data.look_up)
        forms = [self.feedback_form, self.consent_form, self.comment_form]
        results = ipywidgets.Box([self.answer_card, *forms, self.receipt_card, self.my_data])
        results.add_class("catsdogs-results")
        super().__init__([self.header, self.photo_input, results])
        self.add_class("catsdogs-app")

    @cached_property
    def service(self) -> Service:
        """Service that predicts and records; opened at first use."""
        return self._connect()

    def predict(self, number: int, name: str, photo: bytes) -> None:
        """Predict a photo, record the prediction without consent, and show the answer.

        Parameters
        ----------
        number
            Number of the photo in this visit.
        name
            File name.
        photo
            Content of the file.

        Raises
        ------
        CatsDogsError
            There is no answer; the page shows none of an earlier photo either.
        """
        self._show(0)
        outcome = self.service.predict(photo)
        self._visit.put(VisitPhoto.of_outcome(number, name, photo, outcome))
        self._show(number)

    def predict_sample(self, number: int, name: str) -> None:
        """Predict a sample picture and show the answer; nothing is recorded, so no feedback is asked for.

        Raises
        ------
        CatsDogsError
            There is no such sample, or no answer.
        """
        self._show(0)
        sample = samples.find(name)
        prediction = self.service.predict_sample(sample.name)
        self._visit.put(VisitPhoto(number, name, prediction, remark=Remark.DRAWN if sample.is_drawn else Remark.SAMPLE))
        self._show(number)

    def show(self, number: int, content: bytes = b"") -> None:
        """Show the answer for an earlier photo of this visit again.

        Parameters
        ----------
        number
            Number of the photo.
        content
            Small copy of the photo, where it was restored; otherwise empty.

        Raises
        ------
        InvalidInput
            No photo has this number.
        """
        photo = self._visit.get(number)
        if photo is None:
            raise invalid_message()
        if content and not photo.content:
            self._visit.put(replace(photo, content=content))
        self._show(number)

    def discard(self, number: int) -> None:
        """Forget a photo that the person cancelled; its prediction, without anything personal, stays recorded."""
        self._visit.remove(number)

    def restore(self, photos: Sequence[VisitPhoto], shown: int) -> None:
        """Take over the photos of this visit that the page kept while it was reloaded.

        Parameters
        ----------
        photos
            Photos in the order in which they came.
        shown
            Number of the photo to show; 0 for none.
        """
        for photo in photos:
            self._visit.put(photo)
        self._show(shown)

    def start_over(self) -> None:
        """Forget all photos of this visit; what is recorded about them stays."""
        self._shown = 0
        self._visit.clear()

    def _show(self, number: int) -> None:
        self._shown = number
        self._draw()

    def _draw(self) -> None:
        """Bring the page up to date with the photos of the visit."""
        photo = self._visit.get(self._shown)
        self.photo_input.list_photos(self._visit)
        self.photo_input.show_map(photo)
        if photo:
            self.answer_card.show(photo.prediction, *self._remarks(photo))
        else:
            self.answer_card.clear()
        for form in (self.feedback_form, self.consent_form, self.comment_form):
            form.show(photo)
        self.receipt_card.show(self._visit)

    def _remarks(self, photo: VisitPhoto) -> list[str]:
        _ = self._
        sample = _("A sample picture: nothing about it is recorded, and it counts in no statistics.")
        why = _("Why neither? The model knows photographs only: to it, a drawn dog is not a dog.")
        texts = {
            Remark.SAMPLE: [sample],
            Remark.DRAWN: [why, sample],
            Remark.WAITING: [_("Your answer is safe, and will be stored as soon as our database takes it.")],
            Remark.NOT_RECORDED: [
                _("Nothing was recorded about this photo: our service has no room for records just now.")
            ],
            Remark.ERASED: [_("What was kept about this photo is erased.")],
        }
        return texts[photo.remark] if photo.remark else []


def _model_card(_: Translator) -> str:
    """Return the address of the page that describes the model; empty outside of the catsdogs server."""
    return page_address(f"/info?lang={_.language}") or ""
