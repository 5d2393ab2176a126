"""The report of a period: what a person reads in the morning, without anything personal."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime, time, timedelta
from html import escape
from typing import Self

import plotly.graph_objects as go
from babel.dates import format_date, format_time
from IPython.display import HTML

import catsdogs
from catsdogs.domain import Statistics
from catsdogs.errors import InvalidInput
from catsdogs.i18n import LANGUAGES, N_, Translator
from catsdogs.monitoring.charts import CHARTS, answer_name
from catsdogs.monitoring.windows import utc

DEFAULT_LENGTH = timedelta(days=7)


def period(start: str = "", end: str = "", *, now: datetime | None = None) -> tuple[datetime, datetime]:
    """Read the bounds of a report.

    Parameters
    ----------
    start, end
        ISO 8601, a date or a moment; without a time zone, the one of this machine. By default the end is the
        coming full minute, and the start is :data:`DEFAULT_LENGTH` before the end.
    now
        Default: the clock's.

    Returns
    -------
    tuple of datetime
        In this machine's time zone.

    Raises
    ------
    InvalidInput
        They are no such texts, the wrong way round, or in the future altogether.
    """
    now = now or datetime.now(UTC)
    until = _moment("end", end) if end else (now + timedelta(minutes=1)).replace(second=0, microsecond=0).astimezone()
    since = _moment("start", start) if start else until - DEFAULT_LENGTH
    if since >= until:
        raise InvalidInput("The start of the window must be before its end.")
    if since > now:
        raise InvalidInput("The period is in the future: there is nothing to report yet.")
    return since, until


def language_of(code: str) -> str:
    """Check the language of a report.

    Raises
    ------
    InvalidInput
    """
    if code not in LANGUAGES:
        raise InvalidInput("The language must be one of {languages}.", languages=", ".join(LANGUAGES))
    return code


def _moment(name: str, said: str) -> datetime:
    try:
        moment = datetime.fromisoformat(said)
    except ValueError:
        raise InvalidInput(N_("{name} must be a moment in ISO 8601, like 2026-01-31T12:00:00Z."), name=name) from None
    utc(moment)  # the range of years
    return moment.astimezone()


class Report:
    """The parts of a report, each to be displayed by a cell.

    Parameters
    ----------
    statistics
        Of the period; comments are left out of it.
    start, end
        The period, in the time zone to write in.
    language
        Of `LANGUAGES`.
    """

    def __init__(self, statistics: Statistics, start: datetime, end: datetime, language: str) -> None:
        anonymous = [point | {"user_comment": None} for point in statistics["feedback"]]
        self.statistics: Statistics = statistics | {"feedback": anonymous}
        self.start, self.end = start, end
        self._ = Translator(language)

    @classmethod
    def of(cls, statistics: Callable[..., Statistics], start: str = "", end: str = "", language: str = "en") -> Self:
        """Read the figures of a period.

        Parameters
        ----------
        statistics
            See :meth:`catsdogs.service.Service.statistics`.
        start, end
            See :func:`period`.
        language
            See :func:`language_of`.

        Raises
        ------
        CatsDogsError
            A parameter is wrong (see :func:`period`), or the figures cannot be read.
        """
        language = language_of(language)
        since, until = period(start, end)
        return cls(statistics(start=since, end=until), since, until, language)

    def headline(self) -> HTML:
        """Say the period and the key figures in words."""
        _ = self._
        items = "".join(f"<li>{escape(sentence)}</li>" for sentence in self.sentences())
        title = escape(_("How the service did"))
        return _html(f'<h1>{title}</h1><p class="period">{escape(self.title())}</p><ul class="words">{items}</ul>')

    def title(self) -> str:
        """Say the period."""
        _ = self._
        return _("From {start} to {end}", start=self._day(self.start), end=self._day(self.end))

    def sentences(self) -> list[str]:
        """Say the key figures."""
        _, figures = self._, self.statistics
        total, failed = figures["total_predictions"], figures["answers"]["error"]
        if not total:
            return [_("Nobody sent a photo in this period.")]
        return [
            _.plural("{n} photo was sent.", "{n} photos were sent.", total)
            + " "
            + (
                _.plural("{n} of them could not be read", "{n} of them could not be read", failed)
                + f" ({_.percent(failed / total)})."
                if failed
                else _("All of them could be read.")
            ),
            *self._latency(),
            *self._satisfaction(),
            _(
                "{share} came with consent to keep file name and comment.",
                share=_.percent(figures["consent_rate"] or 0),
            ),
        ]

    def _latency(self) -> list[str]:
        _, latency = self._, self.statistics["inference_time_ms"]
        said = {
            name: _.milliseconds(value)
            for name, value in (("mean", latency["mean"]), ("min", latency["min"]), ("max", latency["max"]))
            if value is not None
        }
        if not said:
            return []
        return [_("An answer took {mean} on average, from {min} to {max}.", **said)]

    def _satisfaction(self) -> list[str]:
        _, satisfaction = self._, self.statistics["satisfaction"]
        rate, low, high = satisfaction["rate"], satisfaction["low"], satisfaction["high"]
        if rate is None or low is None or high is None:
            return [_("Nobody said whether an answer was right.")]
        return [
            _(
                "{rate} of those who said whether the answer was right were satisfied: {satisfied} of {n} "
                "(95 % interval: {low} to {high}).",
                rate=_.percent(rate),
                satisfied=_.number(satisfaction["satisfied"]),
                n=_.number(satisfaction["n"]),
                low=_.percent(low),
                high=_.percent(high),
            )
        ]

    def charts(self) -> list[go.Figure]:
        """Draw all charts."""
        return [chart(self.statistics, self._, self.end.tzinfo or UTC) for chart in CHARTS.values()]

    def answers(self) -> HTML:
        """Count the answers."""
        _, total = self._, self.statistics["total_predictions"]
        rows = "".join(
            f"<tr><th scope='row'>{escape(answer_name(answer, _))}</th><td>{_.number(n)}</td>"
            f"<td>{_.percent(n / total) if total else ''}</td></tr>"
            for answer, n in self.statistics["answers"].items()
        )
        names = (_("Answer"), _("Predictions"), _("Share"))
        head = "".join(f"<th scope='col'>{escape(name)}</th>" for name in names)
        return _html(
            f"<h2>{escape(_('Answers'))}</h2><table><thead><tr>{head}</tr></thead><tbody>{rows}</tbody></table>"
            f'<p class="note">{escape(self._made())}</p>'
        )

    def _made(self) -> str:
        _ = self._
        return _(
            "Written on {moment} by catsdogs {version}. Models: {models}. Times are those of {zone}. "
            "This report holds no file name and no comment.",
            moment=_.datetime(datetime.now(self.end.tzinfo)),
            version=catsdogs.__version__,
            models=", ".join(self.statistics["model_versions"]) or "–",
            zone=self.end.tzname() or "UTC",
        )

    def _day(self, moment: datetime) -> str:
        day = format_date(moment, format="long", locale=self._.locale)
        return (
            day if moment.time() == time.min else f"{day}, {format_time(moment, format='short', locale=self._.locale)}"
        )


def _html(markup: str) -> HTML:
    return HTML(markup)  # type: ignore[no-untyped-call]  # IPython's has no types
