"""The prediction app: bring a photo, read the answer, say whether it is right."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import suppress
from functools import cached_property
from uuid import UUID

import ipywidgets

from catsdogs.domain import Consent, Outcome
from catsdogs.errors import NotFound
from catsdogs.i18n import Translator
from catsdogs.service import Service, controller
from catsdogs.widgets.answer_card import AnswerCard
from catsdogs.widgets.consent_form import ConsentForm
from catsdogs.widgets.feedback_form import FeedbackForm
from catsdogs.widgets.masthead import Masthead
from catsdogs.widgets.part import not_understood
from catsdogs.widgets.photo_input import PhotoInput
from catsdogs.widgets.receipt_card import ReceiptCard
from catsdogs.widgets.visitor import visitor_language


class PredictApp(ipywidgets.Box):  # type: ignore[misc]  # ipywidgets ships no types
    """The whole app, as one widget.

    Parameters
    ----------
    connect
        Gives the service. It is called for the first photo, so that a page is there at once and a
        service that cannot start is a sentence in it; until it succeeds, for each photo again.
    language
        Of `LANGUAGES`; by default what the visitor's browser asks for.
    """

    def __init__(self, connect: Callable[[], Service], language: str | None = None) -> None:
        _ = Translator(language or visitor_language())
        self._connect = connect
        self._answered: dict[int, tuple[Outcome, Consent]] = {}
        self._photo: tuple[int, str, bytes] | None = None
        self.masthead = Masthead(_, _("Cat or dog?"), _("Bring a photo: the answer is there in the blink of an eye."))
        self.photo_input = PhotoInput(_, self.predict, self.recall)
        self.answer_card = AnswerCard(_)
        self.feedback_form = FeedbackForm(_, lambda: self.service)
        self.receipt_card = ReceiptCard(_)
        self.consent_form = ConsentForm(_, controller(), self.predict_again)
        results = ipywidgets.Box([self.answer_card, self.feedback_form, self.receipt_card, self.consent_form])
        results.add_class("catsdogs-results")
        super().__init__([self.masthead, self.photo_input, results])
        self.add_class("catsdogs-app")

    @cached_property
    def service(self) -> Service:
        """What answers."""
        return self._connect()

    def predict(self, number: int, name: str, photo: bytes, amends: UUID | None = None) -> None:
        """Show the answer for the visit's photo `number`, recorded as far as the person agrees at this moment.

        Parameters
        ----------
        amends
            The anonymous prediction of the same photo, to which the decision is added.

        Raises
        ------
        CatsDogsError
            There is no answer; nothing of an earlier one is left on the page.
        """
        self._show_nothing()
        consent = self.consent_form.decision
        filename = name if consent.filename_and_comment else None
        outcome = self.service.predict(photo, filename=filename, consent=consent, amends=amends)
        self._answered[number] = outcome, consent
        self.photo_input.add(number, outcome.prediction.answer)
        self._show(number)
        self._photo = number, name, photo
        self.consent_form.applied(consent)

    def recall(self, number: int) -> None:
        """Show the answer for an earlier photo of this visit again."""
        if number not in self._answered:
            raise not_understood()
        self._show_nothing()
        self._show(number)

    def predict_again(self) -> None:
        """Let the decision as it is now count for the photo shown.

        Where there was consent before, what was kept is erased first: the person may agree to less now.
        """
        if self._photo is None:
            return
        earlier, _ = self._answered[self._photo[0]]
        if earlier.receipt:
            with suppress(NotFound):  # erased already, by whoever holds the receipt
                self.service.erase(earlier.receipt)
        self.predict(*self._photo, amends=None if earlier.receipt else earlier.feedback_id)

    def _show(self, number: int) -> None:
        outcome, consent = self._answered[number]
        self.answer_card.show(outcome)
        self.feedback_form.ask_about(outcome.feedback_id, outcome.prediction.answer, consent)
        self.receipt_card.receipt = outcome.receipt or ""

    def _show_nothing(self) -> None:
        self._photo = None
        self.answer_card.clear()
        self.feedback_form.clear()
        self.receipt_card.receipt = ""
        self.consent_form.applied(None)
