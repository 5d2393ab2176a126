"""Trends: how the key figures changed since the window of the same length before, and whether the change is clear."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from math import sqrt

from catsdogs.i18n import Translator
from catsdogs.monitoring.figures import Statistics
from catsdogs.stats import Z95, difference_interval

MIN_INFERENCE_TIME_CHANGE = 0.1
"""Smallest relative change of the mean inference time that is called a change."""
MIN_COUNT = 30
"""Smallest number of predictions or ratings in each window: with fewer, no change is called one or given in percent."""

MAX_PERCENT = 10.0
"""Largest change, as a share, that is given in percent: nobody reads 66,667 %."""


class TrendTone(StrEnum):
    """Whether a trend is good or bad news."""

    GOOD = "good"
    BAD = "bad"
    PLAIN = "plain"
    """Neither, or within what chance explains."""


@dataclass(frozen=True, slots=True)
class Trend:
    """How one figure changed; understood without colours."""

    arrow: str
    """Up, down, or an equals sign."""
    now: str
    """The figure of the window itself."""
    words: str
    """How it was before."""
    tone: TrendTone = TrendTone.PLAIN


def trends(statistics: Statistics, _: Translator) -> dict[str, Trend]:
    """Compare a window with the one before; without one, there is no trend.

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
        return {"total": Trend("↑", _.number(total), _("None in the period before"))} if total else {}
    rated, rated_before = statistics["satisfaction"], previous["satisfaction"]
    errors = statistics["answers"]["error"]
    # among the answers of one kind there is no error rate
    failures = (0, 0) if statistics["error_rate"] is None else (errors, total)
    found = {
        "total": _volume(total, before, _),
        "latency": _latency(statistics, _),
        "satisfaction": _share(
            (rated["satisfied"], rated["n"]), (rated_before["satisfied"], rated_before["n"]), TrendTone.GOOD, _
        ),
        "errors": _share(failures, (previous["errors"], before), TrendTone.BAD, _),
        "consent": _share(
            (statistics["rgpd_consents"], total), (previous["rgpd_consents"], before), TrendTone.PLAIN, _
        ),
    }
    return {name: trend for name, trend in found.items() if trend}


def figure_names(_: Translator) -> dict[str, str]:
    """Return the names of the key figures, by the keys of :func:`trends`."""
    return {
        "total": _("Predictions"),
        "latency": _("Mean inference time"),
        "satisfaction": _("Satisfied people"),
        "errors": _("Errors"),
        "consent": _("Consent given"),
    }


def _volume(total: int, before: int, _: Translator) -> Trend:
    now = _.number(total)
    if total == before:
        return Trend("=", now, _("As many as in the period before"))
    arrow = "↑" if total > before else "↓"
    change = abs(total - before) / before
    if before < MIN_COUNT or change > MAX_PERCENT:
        return Trend(arrow, now, _("{before} in the period before", before=_.number(before)))
    if change < 0.005:
        return Trend("=", now, _("About as many as the {before} before", before=_.number(before)))
    if abs(total - before) <= Z95 * sqrt(total + before):  # two counts of Poisson
        return Trend("=", now, _("No clear change: {before} before", before=_.number(before)))
    share = _.percent(change, digits=0)
    if total > before:
        return Trend(arrow, now, _("{share} more than the {before} before", share=share, before=_.number(before)))
    return Trend(arrow, now, _("{share} fewer than the {before} before", share=share, before=_.number(before)))


def _latency(statistics: Statistics, _: Translator) -> Trend | None:
    """Compare the mean inference times; a small change, or one of few predictions, is no clear change."""
    previous = statistics["previous"]
    mean = statistics["inference_time_ms"]["mean"]
    if mean is None or previous is None or not previous["mean_ms"]:
        return None
    now, before = _.milliseconds(mean), _.milliseconds(previous["mean_ms"])
    n, n_before = statistics["successful_predictions"], previous["total_predictions"] - previous["errors"]
    if min(n, n_before) < MIN_COUNT:
        return _too_few(n_before, now, before, _)
    change = mean / previous["mean_ms"] - 1
    if abs(change) < MIN_INFERENCE_TIME_CHANGE:
        return Trend("=", now, _("No clear change: {before} before", before=before))
    if change > 0:
        return Trend("↑", now, _("Slower than before: {before}", before=before), TrendTone.BAD)
    return Trend("↓", now, _("Faster than before: {before}", before=before), TrendTone.GOOD)


def _share(now: tuple[int, int], before: tuple[int, int], higher_is: TrendTone, _: Translator) -> Trend | None:
    """Compare two shares, each given as part and total; a change that chance explains is no clear change."""
    ends = difference_interval(*now, *before)
    if ends is None:
        return None
    share, share_before = _.percent(now[0] / now[1]), _.percent(before[0] / before[1])
    if min(now[1], before[1]) < MIN_COUNT:
        return _too_few(before[1], share, share_before, _)
    if ends[0] <= 0 <= ends[1]:
        return Trend("=", share, _("No clear change: {before} before", before=share_before))
    opposite = {TrendTone.GOOD: TrendTone.BAD, TrendTone.BAD: TrendTone.GOOD, TrendTone.PLAIN: TrendTone.PLAIN}
    if ends[0] > 0:
        return Trend("↑", share, _("Higher than before: {before}", before=share_before), higher_is)
    return Trend("↓", share, _("Lower than before: {before}", before=share_before), opposite[higher_is])


def _too_few(n_before: int, now: str, before: str, _: Translator) -> Trend:
    """Say that figures of so few cannot be compared: chance alone makes them differ."""
    if n_before < MIN_COUNT:
        return Trend("=", now, _("Too few before to compare with: {n}", n=_.number(n_before)))
    return Trend("=", now, _("Too few now to compare with {before} before", before=before))
