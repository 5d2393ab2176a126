"""The verdict on the model's health: whether people judge its answers as right, and whether it can be trusted."""

from __future__ import annotations

from collections.abc import Iterator

from catsdogs.i18n import Translator
from catsdogs.monitoring.drift_limits import has_moved
from catsdogs.monitoring.figures import DriftLevel, ModelHealth
from catsdogs.monitoring.health_texts import MIN_JUDGED, overconfidence, percentage_points, signal_name
from catsdogs.monitoring.verdict import Level, Reason, Verdict, worst

MIN_ACCURACY = 0.9
"""Share of right answers below which the model is bad; the same as in the alert rule on accuracy."""
LEAST_JUDGED = 5
"""Number of judged answers from which they can show that something is to be watched; as in the packaged alert rule."""
MAX_OVERCONFIDENCE = 0.05
"""Difference between confidence and judged accuracy from which the model is bad."""


def health_verdict(health: ModelHealth, _: Translator) -> Verdict:
    """Judge the model's health; the worst reason decides."""
    return worst(_reasons(health, _), _verdict_without_reasons(health, _))


def _reasons(health: ModelHealth, _: Translator) -> Iterator[Reason]:
    judged, rate = health["judged"], health["judged"]["rate"]
    is_certain, are_few = (judged["high"] or 1.0) < MIN_ACCURACY, judged["n"] < MIN_JUDGED
    if rate is not None and rate < MIN_ACCURACY and (is_certain or not are_few) and judged["n"] >= LEAST_JUDGED:
        text = _(
            "People judged {rate} of {n} answers as right; at least {least} should be.",
            rate=_.percent(rate),
            n=_.number(judged["n"]),
            least=_.percent(MIN_ACCURACY, digits=0),
        )
        yield Reason(Level.BAD if is_certain and not are_few else Level.WATCH, text)
    surer = overconfidence(health)
    if surer > 0:
        text = _("The model is over-confident by {points}.", points=percentage_points(surer, _))
        yield Reason(Level.BAD if surer >= MAX_OVERCONFIDENCE else Level.WATCH, text)
    moved = [signal_name(one["signal"], _) for one in health["drift"] if has_moved(one)]
    if moved:
        yield Reason(Level.WATCH, _("Drift: {signals}.", signals=", ".join(moved)))


def _verdict_without_reasons(health: ModelHealth, _: Translator) -> Verdict:
    judged = health["judged"]
    if judged["rate"] is not None and judged["n"] >= MIN_JUDGED:
        rate, n = _.percent(judged["rate"]), _.number(judged["n"])
        return Verdict(Level.GOOD, [_("People judged {rate} of {n} answers as right.", rate=rate, n=n)])
    too_few = _.plural(
        "People judged {n} answer, and {least} are needed.",
        "People judged {n} answers, and {least} are needed.",
        judged["n"],
        least=MIN_JUDGED,
    )
    is_drift_known = any(one["reading"] != DriftLevel.TOO_FEW for one in health["drift"])
    return Verdict(Level.UNKNOWN, [too_few, _("No drift is seen.")] if is_drift_known else [too_few])
