"""The answer: in words, by an icon and a colour, with both probabilities as figures and bars."""

from __future__ import annotations

import traitlets

from catsdogs.domain import Answer, Note, Outcome, Prediction
from catsdogs.i18n import Translator
from catsdogs.widgets.part import Part, script, style

SURE = 0.95
"""Confidence from which the answer is said without reserve."""
LIKELY = 0.75
"""Confidence from which the answer is called likely; below, it is called a guess."""
CERTAIN = 0.999
"""Confidence beyond which no figure is given: it would be rounded to 100 %, and nobody is that sure."""


class AnswerCard(Part):
    """Shows the answer for one photo; empty until there is one."""

    _esm = script("answer_card")
    _css = style("answer_card")

    answer = traitlets.Dict().tag(sync=True)
    """What to show, in words; empty: nothing."""

    def __init__(self, translator: Translator) -> None:
        _ = translator
        super().__init__(
            translator,
            {
                "compared": _("Cat or dog, compared"),
                "forced": _("If it had to be one of the two"),
                "time": _("Answered in"),
                "model": _("Model"),
            },
        )

    def show(self, outcome: Outcome) -> None:
        """Show what `outcome` says."""
        _, prediction = self._, outcome.prediction
        self.answer = {
            "kind": str(prediction.answer),
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
            "notes": [*self._notes(prediction), *([] if outcome.stored else [self._waits()])],
        }

    def clear(self) -> None:
        """Show nothing."""
        self.answer = {}

    def _headline(self, prediction: Prediction) -> str:
        _, cat = self._, prediction.answer is Answer.CAT
        if prediction.answer is Answer.NEITHER:
            return _("Neither a cat nor a dog")
        if prediction.confidence >= SURE:
            return _("It is a cat!") if cat else _("It is a dog!")
        if prediction.confidence >= LIKELY:
            return _("It looks like a cat") if cat else _("It looks like a dog")
        return _("Hard to say: perhaps a cat") if cat else _("Hard to say: perhaps a dog")

    def _detail(self, prediction: Prediction) -> str:
        _ = self._
        if prediction.answer is Answer.NEITHER:
            return _("As far as the model can tell, there is neither of them in this picture.")
        if prediction.confidence > CERTAIN:
            return _("The model is more than {share} sure.", share=_.percent(CERTAIN))
        return _("The model is {share} sure.", share=_.percent(prediction.confidence))

    def _notes(self, prediction: Prediction) -> list[str]:
        _ = self._
        said = {Note.FIRST_FRAME: _("This is an animation: only its first picture was looked at.")}
        return [said[note] for note in prediction.notes]

    def _waits(self) -> str:
        _ = self._
        return _("Our database is away for a moment. Your answer is safe and will be stored.")
