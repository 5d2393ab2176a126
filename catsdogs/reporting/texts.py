"""The sentences of a report about its period and the key figures."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime, time, timedelta

from babel.dates import format_date, format_time

from catsdogs.i18n import Translator
from catsdogs.monitoring.figures import Latency, Satisfaction, Statistics


def period_title(start: datetime, end: datetime, _: Translator) -> str:
    """Return the period in words; of whole days, the last one is that before the midnight at which it ends."""
    if start.time() != time.min and end.time() == time.min:
        return _("From {start} to {end}", start=_format_moment(start, _), end=_format_moment(end, _))
    last = end - timedelta(days=1) if end.time() == time.min else end
    if start.time() == time.min and last == start:
        return _format_day(start, _)
    return _("From {start} to {end}", start=_format_day(start, _), end=_format_day(last, _))


def _format_day(moment: datetime, _: Translator) -> str:
    if moment.time() == time.min:
        return format_date(moment, format="long", locale=_.locale)
    return _format_moment(moment, _)


def _format_moment(moment: datetime, _: Translator) -> str:
    day = format_date(moment, format="long", locale=_.locale)
    return f"{day}, {format_time(moment, format='short', locale=_.locale)}"


def key_figures(statistics: Statistics, _: Translator) -> list[str]:
    """Return the key figures in sentences."""
    total, failed = statistics["total_predictions"], statistics["answers"]["error"]
    if not total:
        return [_("Nobody sent a photo in this period.")]
    sent = _.plural("{n} photo was sent.", "{n} photos were sent.", total)
    if failed:
        unreadable = _.plural("{n} of them could not be read", "{n} of them could not be read", failed)
        readable = f"{unreadable} ({_.percent(failed / total)})."
    else:
        readable = _("All of them could be read.")
    consents = _.percent(statistics["consent_rate"] or 0)
    return [
        f"{sent} {readable}",
        *_latency(statistics["inference_time_ms"], _),
        _satisfaction(statistics["satisfaction"], _),
        _("With consent to keep file name and comment: {share}.", share=consents),
    ]


def _latency(latency: Latency, _: Translator) -> Iterator[str]:
    mean, least, most = latency["mean"], latency["min"], latency["max"]
    if mean is None or least is None or most is None:
        return
    yield _(
        "An answer took {mean} on average, from {min} to {max}.",
        mean=_.milliseconds(mean),
        min=_.milliseconds(least),
        max=_.milliseconds(most),
    )


def _satisfaction(satisfaction: Satisfaction, _: Translator) -> str:
    rate, low, high = satisfaction["rate"], satisfaction["low"], satisfaction["high"]
    if rate is None or low is None or high is None:
        return _("Nobody said whether an answer was right.")
    return _(
        "Of those who said whether the answer was right, {rate} were satisfied: {satisfied} of {n} "
        "(95% interval: {low} to {high}).",
        rate=_.percent(rate),
        satisfied=_.number(satisfaction["satisfied"]),
        n=_.number(satisfaction["n"]),
        low=_.percent(low),
        high=_.percent(high),
    )
