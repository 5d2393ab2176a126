"""The answer: in words, by an icon and a colour, with both probabilities as figures and bars."""

from __future__ import annotations

import traitlets

from catsdogs.domain import Answer, Doubt, Note, Prediction
from catsdogs.i18n import Translator
from catsdogs.widgets.base import BaseWidget, script, style

SURE = 0.95
"""Confidence from which the answer is said without reserve."""
LIKELY = 0.75
"""Confidence from which the answer is called likely; below, it is called a guess."""
CERTAIN = 0.999
"""Confidence beyond which no figure is given: it would be rounded to 100 %, and nobody is that sure."""


def answer_kind(prediction: Prediction) -> str:
    """Name the icon and colour of an answer: ``cat``, ``dog``, ``neither``, ``both`` or ``unsure``."""
    if prediction.doubt is Doubt.BOTH:
        return "both"
    guess = prediction.answer is not Answer.NEITHER and prediction.confidence < LIKELY
    return "unsure" if prediction.doubt is Doubt.UNSURE or guess else str(prediction.answer)


class AnswerCard(BaseWidget):
    """Shows the answer for one photo; empty until there is one.

    Parameters
    ----------
    model_card
        Address of the page that describes the model; empty where there is none.
    """

    _esm = script("language_switch", "answer_card")
    _css = style("answer_card")

    answer = traitlets.Dict().tag(sync=True)
    """What to show, in words; empty: nothing."""
    model_card = traitlets.Unicode().tag(sync=True)

    def __init__(self, translator: Translator, model_card: str = "") -> None:
        _ = translator
        super().__init__(
            translator,
            {
                "compared": _("Cat or dog, compared"),
                "forced": _("If it had to be one of the two"),
                "time": _("Answered in"),
                "model": _("Model"),
                "model_card": _("What this model can do, and what not"),
                "anew": _("The page now speaks English"),
                "left_behind": _("The photos you brought before are not listed any more."),
            },
            model_card=model_card,
        )

    def show(self, prediction: Prediction, *remarks: str) -> None:
        """Show `prediction`, and `remarks` about it in the reader's language."""
        _ = self._
        self.answer = {
            "kind": answer_kind(prediction),
            "compares": prediction.answer is not Answer.NEITHER,
            "headline": self._headline(prediction),
            "detail": self._detail(prediction),
            "bars": [
                {"kind": kind, "label": label, "share": share, "figure": _.percent(share)}
                for kind, label, share in (
                    ("cat", _("Cat"), prediction.proba_cat),
                    ("dog", _("Dog"), prediction.proba_dog),
                )
            ],
            "time": _.milliseconds(prediction.inference_time_ms),
            "model": prediction.model_version,
            "notes": [*self._notes(prediction), *remarks],
        }

    def clear(self) -> None:
        """Show nothing."""
        self.answer = {}

    def _headline(self, prediction: Prediction) -> str:
        _, answer = self._, prediction.answer
        match answer_kind(prediction):
            case "both":
                return _("A cat and a dog?")
            case "unsure":
                guesses = {
                    Answer.CAT: _("Hard to say: perhaps a cat"),
                    Answer.DOG: _("Hard to say: perhaps a dog"),
                    Answer.NEITHER: _("Hard to say: perhaps neither"),
                }
                return guesses[answer]
            case "neither":
                return _("Neither a cat nor a dog")
        if prediction.confidence >= SURE:
            return _("It is a cat!") if answer is Answer.CAT else _("It is a dog!")
        return _("It looks like a cat") if answer is Answer.CAT else _("It looks like a dog")

    def _detail(self, prediction: Prediction) -> str:
        _ = self._
        if prediction.doubt is Doubt.BOTH:
            return _("There seem to be both. The model knows one animal a photo best.")
        if prediction.doubt is Doubt.UNSURE:
            return _("This photo lies near the line between two answers: take this one with care.")
        if prediction.answer is Answer.NEITHER:
            return _("As far as the model can tell, there is neither of them in this picture.")
        if prediction.confidence > CERTAIN:
            return _("The model is more than {share} sure.", share=_.percent(CERTAIN))
        return _("The model is {share} sure.", share=_.percent(prediction.confidence))

    def _notes(self, prediction: Prediction) -> list[str]:
        _ = self._
        said = {Note.FIRST_FRAME: _("This is an animation: only its first picture was looked at.")}
        return [said[note] for note in prediction.notes]
