"""How the key figures moved against the window of the same length before, and whether that means anything."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from catsdogs.i18n import Translator
from catsdogs.monitoring.figures import Statistics
from catsdogs.stats import difference

CLEAR_CHANGE = 0.1
"""Relative change of the mean inference time that is worth a word."""
ENOUGH = 30
"""Predictions or opinions that each window needs before a change is called one, or said in percent."""


class Tone(StrEnum):
    """What a trend means."""

    GOOD = "good"
    BAD = "bad"
    PLAIN = "plain"
    """Neither, or nothing that chance would not do too."""


@dataclass(frozen=True, slots=True)
class Trend:
    """How one figure moved, to be read without colours."""

    arrow: str
    """Up, down, or an equals sign."""
    words: str
    tone: Tone = Tone.PLAIN


def trends(statistics: Statistics, _: Translator) -> dict[str, Trend]:
    """Compare a window with the one before; empty where there is none.

    Returns
    -------
    dict
        By ``total``, ``latency``, ``satisfaction``, ``errors``, ``consent``.
    """
    previous = statistics["previous"]
    if previous is None:
        return {}
    total, before = statistics["total_predictions"], previous["total_predictions"]
    if not before:
        return {"total": Trend("↑", _("None in the period before"))} if total else {}
    rated, rated_before = statistics["satisfaction"], previous["satisfaction"]
    errors = statistics["answers"]["error"]
    found = {
        "total": _volume(total, before, _),
        "latency": _latency(statistics, _),
        "satisfaction": _share(
            (rated["satisfied"], rated["n"]), (rated_before["satisfied"], rated_before["n"]), Tone.GOOD, _
        ),
        "errors": _share((errors, total), (previous["errors"], before), Tone.BAD, _),
        "consent": _share((statistics["rgpd_consents"], total), (previous["rgpd_consents"], before), Tone.PLAIN, _),
    }
    return {name: trend for name, trend in found.items() if trend}


def _volume(total: int, before: int, _: Translator) -> Trend:
    if total == before:
        return Trend("=", _("As many as in the period before"))
    arrow = "↑" if total > before else "↓"
    if before < ENOUGH:
        return Trend(arrow, _("{before} in the period before", before=_.number(before)))
    change = abs(total - before) / before
    if change < 0.005:
        return Trend("=", _("About as many as the {before} before", before=_.number(before)))
    share = _.percent(change, digits=0)
    if total > before:
        return Trend(arrow, _("{share} more than the {before} before", share=share, before=_.number(before)))
    return Trend(arrow, _("{share} fewer than the {before} before", share=share, before=_.number(before)))


def _latency(statistics: Statistics, _: Translator) -> Trend | None:
    """Compare means; of too few, or by little, they say nothing."""
    previous = statistics["previous"]
    mean = statistics["inference_time_ms"]["mean"]
    if mean is None or previous is None or not previous["mean_ms"]:
        return None
    before = _.milliseconds(previous["mean_ms"])
    few = min(statistics["successful_predictions"], previous["total_predictions"] - previous["errors"]) < ENOUGH
    change = mean / previous["mean_ms"] - 1
    if few or abs(change) < CLEAR_CHANGE:
        return Trend("=", _("No clear change: {before} before", before=before))
    if change > 0:
        return Trend("↑", _("Slower than before: {before}", before=before), Tone.BAD)
    return Trend("↓", _("Faster than before: {before}", before=before), Tone.GOOD)


def _share(now: tuple[int, int], before: tuple[int, int], higher_is: Tone, _: Translator) -> Trend | None:
    """Compare shares, each of so many; of too few, or where chance could have done it, nothing changed clearly."""
    ends = difference(*now, *before)
    if ends is None:
        return None
    words = _.percent(before[0] / before[1])
    if min(now[1], before[1]) < ENOUGH or ends[0] <= 0 <= ends[1]:
        return Trend("=", _("No clear change: {before} before", before=words))
    opposite = {Tone.GOOD: Tone.BAD, Tone.BAD: Tone.GOOD, Tone.PLAIN: Tone.PLAIN}
    if ends[0] > 0:
        return Trend("↑", _("Higher than before: {before}", before=words), higher_is)
    return Trend("↓", _("Lower than before: {before}", before=words), opposite[higher_is])
