"""The answer for one photo: a sentence, an icon, and both probabilities as figures and bars."""

from __future__ import annotations

import traitlets

from catsdogs.domain import Answer, Doubt, Note, Prediction
from catsdogs.i18n import Translator
from catsdogs.widgets.base import BaseWidget, script, style

SURE = 0.9
"""Probability from which the answer is given without reservation: on the photos of the shipped model's card, more than
99.5 % of the answers given so are right."""
LIKELY = 0.75
"""Probability from which the answer is called likely; below it, the answer is a guess."""


def answer_kind(prediction: Prediction) -> str:
    """Return the name of the icon and colour of an answer: ``cat``, ``dog``, ``neither``, ``both`` or ``unsure``."""
    if prediction.doubt is Doubt.BOTH:
        return "both"
    guess = prediction.answer is not Answer.NEITHER and prediction.probability < LIKELY
    return "unsure" if prediction.doubt is Doubt.UNSURE or guess else str(prediction.answer)


def is_question(prediction: Prediction) -> bool:
    """Return whether the answer is no statement that can be right or wrong: people are asked what the photo shows."""
    return answer_kind(prediction) in ("both", "unsure")


class AnswerCard(BaseWidget):
    """Shows the answer for one photo; hidden until there is one.

    Parameters
    ----------
    translator
        Translates the texts.
    model_card
        Address of the page that describes the model; empty where there is none.
    """

    _esm = script("answer_card")
    _css = style("answer_card")

    answer = traitlets.Dict().tag(sync=True)
    """Texts and figures to show; empty to show nothing."""
    model_card = traitlets.Unicode().tag(sync=True)

    def __init__(self, translator: Translator, model_card: str = "") -> None:
        _ = translator
        super().__init__(
            translator,
            {
                "compared": _("How likely the model finds each"),
                "forced": _("If it had to be one of them"),
                "time": _("Answered in"),
            },
            model_card=model_card,
        )

    def show(self, prediction: Prediction, *remarks: str) -> None:
        """Show `prediction`, and `remarks` about it in the reader's language."""
        _ = self._
        names = {Answer.CAT: _("Cat"), Answer.DOG: _("Dog"), Answer.NEITHER: _("Neither")}
        kind = answer_kind(prediction)
        self.answer = {
            "kind": kind,
            "headline": self._headline(prediction),
            "detail": self._detail(prediction),
            "title": self.texts["forced" if kind == "both" else "compared"],
            "bars": [
                {
                    "kind": str(answer),
                    "label": names[answer],
                    "share": share,
                    "figure": _.probability(share, short=True),
                }
                for answer, share in prediction.probabilities.items()
            ],
            "time": _.milliseconds(prediction.inference_time_ms),
            "model": _("Model {version}", version=prediction.model_version),
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
        if prediction.probability >= SURE:
            return _("It is a cat!") if answer is Answer.CAT else _("It is a dog!")
        return _("It looks like a cat") if answer is Answer.CAT else _("It looks like a dog")

    def _detail(self, prediction: Prediction) -> str:
        _ = self._
        if prediction.doubt is Doubt.BOTH:
            return _("There seem to be both. The model works best with one animal per photo.")
        if prediction.doubt is Doubt.UNSURE:
            return _("This photo is close to the limit between two answers: this one may be wrong.")
        if prediction.answer is Answer.NEITHER:
            return _("As far as the model can tell, this picture shows neither.")
        share = _.probability(prediction.probability)
        if answer_kind(prediction) == "unsure":
            return _("The model is only {share} sure.", share=share)
        return _("The model is {share} sure.", share=share)

    def _notes(self, prediction: Prediction) -> list[str]:
        _ = self._
        sentences = {
            Note.FIRST_FRAME: _("This is an animation: only its first picture was used."),
            Note.ENDS_LEFT_OUT: _("This picture is very long: only its middle was looked at."),
            Note.LATER_FRAME: _("This is an animation that begins with an empty picture: a later one was used."),
            Note.FIRST_PAGE: _("This file has several pages: only the first one was used."),
            Note.MAIN_PICTURE: _("This file holds several pictures: only the main one was used."),
            Note.PREVIEW: _("This picture is very large: only the small preview in its file was looked at."),
            Note.INCOMPLETE: _("The picture is incomplete: the end of the file is missing."),
        }
        return [sentences[note] for note in prediction.notes]
