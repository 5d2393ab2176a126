"""The prediction app: bring a photo, read the answer, say whether it is right."""

from __future__ import annotations

import os
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, replace
from functools import cached_property
from uuid import UUID

import ipywidgets

from catsdogs import samples
from catsdogs.domain import Consent, Outcome, Prediction
from catsdogs.errors import NotFound
from catsdogs.i18n import Translator
from catsdogs.service import URL_VARIABLE, data_controller
from catsdogs.service.interface import Service
from catsdogs.widgets.answer_card import AnswerCard
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
class _Answered:
    """A photo of this visit with its answer."""

    prediction: Prediction
    remark: str
    """What else is to be said of it; may be empty."""
    recorded: tuple[Outcome, Consent] | None
    """``None`` for a sample picture, and where it was erased."""

    @property
    def receipt(self) -> str:
        """The receipt code, empty where nothing is kept with consent."""
        return (self.recorded[0].receipt or "") if self.recorded else ""

    @property
    def anonymous(self) -> UUID | None:
        """The prediction's id, where it was recorded without consent."""
        return self.recorded[0].feedback_id if self.recorded and not self.receipt else None


class PredictApp(ipywidgets.Box):  # type: ignore[misc]  # ipywidgets ships no types
    """The whole app, as one widget; a :class:`~catsdogs.widgets.photo_input.PhotoHandler`.

    Parameters
    ----------
    connect
        Gives the service. It is called for the first photo, so that a page is there at once and a
        service that cannot start is a sentence in it; until it succeeds, for each photo again.
    language
        Of `LANGUAGES`; by default what the visitor's browser asks for.
    """

    def __init__(self, connect: Callable[[], Service], language: str | None = None) -> None:
        self._ = _ = Translator(language or session_language())
        self._connect = connect
        self._answered: dict[int, _Answered] = {}
        self._shown: int | None = None
        self._photo: tuple[int, str, bytes] | None = None
        self.header = PageHeader(_, *app_title(_))
        self.photo_input = PhotoInput(_, self)
        self.answer_card = AnswerCard(_, _model_card(_))
        self.feedback_form = FeedbackForm(_, lambda: self.service)
        self.my_data = MyData(_, lambda: self.service, self.erased)
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
        """What answers."""
        return self._connect()

    def predict(self, number: int, name: str, photo: bytes, replaces: UUID | None = None) -> None:
        """Show the answer for the visit's photo `number`, recorded as far as the person agrees at this moment.

        Parameters
        ----------
        replaces
            The anonymous prediction of the same photo, which this one is recorded instead of.

        Raises
        ------
        CatsDogsError
            There is no answer; nothing of an earlier one is left on the page.
        """
        _ = self._
        self._show_nothing()
        consent = self.consent_form.decision
        filename = name if consent.filename_and_comment else None
        outcome = self.service.predict(photo, filename=filename, consent=consent, replaces=replaces)
        if replaces:
            self.feedback_form.repeat(replaces, outcome.feedback_id)
        waits = _("Our database is away for a moment. Your answer is safe and will be stored.")
        self._answered[number] = _Answered(outcome.prediction, "" if outcome.stored else waits, (outcome, consent))
        self._show(number)
        self._photo = number, name, photo
        self.consent_form.applied(consent)

    def predict_sample(self, number: int, name: str) -> None:
        """Show the answer for a picture of ours; nothing is recorded, so nothing is asked.

        Raises
        ------
        CatsDogsError
        """
        _ = self._
        self._show_nothing()
        prediction = self.service.predict_sample(samples.find(name).name)
        remark = _("A sample picture: nothing about it is recorded, and it counts in no statistics.")
        self._answered[number] = _Answered(prediction, remark, None)
        self._show(number)

    def show(self, number: int) -> None:
        """Show the answer for an earlier photo of this visit again."""
        if number not in self._answered:
            raise invalid_message()
        self._show_nothing()
        self._show(number)

    def discard(self, number: int) -> None:
        """Take back a photo that was cancelled on its way; what was kept with consent is erased.

        Raises
        ------
        CatsDogsError
        """
        answered = self._answered.pop(number, None)
        if number == self._shown:
            self._show_nothing()
        if answered and answered.receipt:
            self.service.erase(answered.receipt)
            self.receipt_card.forget(answered.receipt)

    def predict_again(self) -> None:
        """Let the decision as it is now count for the photo shown.

        Where there was consent before, what was kept is erased first: the person may agree to less now.
        """
        if self._photo is None:
            return
        answered = self._answered[self._photo[0]]
        if answered.receipt:
            with suppress(NotFound):  # erased already, by whoever holds the receipt
                self.service.erase(answered.receipt)
            self.receipt_card.forget(answered.receipt)
        self.predict(*self._photo, replaces=answered.anonymous)

    def erased(self, receipt: str) -> None:
        """Ask nothing more about a photo of which everything was erased."""
        _ = self._
        self.receipt_card.forget(receipt)
        for number, answered in self._answered.items():
            if answered.receipt == receipt:
                remark = _("What was kept about this photo is erased.")
                self._answered[number] = replace(answered, remark=remark, recorded=None)
                if number == self._shown:
                    self.show(number)

    def _show(self, number: int) -> None:
        answered = self._answered[number]
        self._shown = number
        self.photo_input.answer(number, answered.prediction)
        self.answer_card.show(answered.prediction, *filter(None, [answered.remark]))
        self.receipt_card.receipt = answered.receipt
        if answered.recorded:
            outcome, consent = answered.recorded
            self.feedback_form.ask_about(outcome.feedback_id, outcome.prediction.answer, consent)

    def _show_nothing(self) -> None:
        self._shown = self._photo = None
        self.answer_card.clear()
        self.feedback_form.clear()
        self.receipt_card.receipt = ""
        self.consent_form.applied(None)


def _model_card(_: Translator) -> str:
    """Give the address of the page that describes the model: our server has one."""
    return f"/info?lang={_.language}" if URL_VARIABLE in os.environ else ""
