"""The choices of the dashboard's reader: kept in the page's address, and turned into a filter at a moment."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta, tzinfo
from urllib.parse import parse_qs

from catsdogs.datetimes import parse_timestamp, utc, zone_name
from catsdogs.domain import Answer
from catsdogs.errors import InvalidInput
from catsdogs.i18n import Translator
from catsdogs.monitoring.charts import answer_name
from catsdogs.monitoring.prediction_filter import Listing, PredictionFilter

WINDOWS: dict[str, timedelta | None] = {
    "1h": timedelta(hours=1),
    "24h": timedelta(hours=24),
    "7d": timedelta(days=7),
    "30d": timedelta(days=30),
    "all": None,
}
"""Windows of time to choose from, each up to now."""
DEFAULT_WINDOW = "7d"
CUSTOM = "custom"
"""The window between two moments that the reader chose."""
LONGEST_NAME = 100
"""Largest number of characters of a model version in an address."""


@dataclass(frozen=True, slots=True)
class View:
    """The choices of a reader: a time window, and which predictions of it; empty for all."""

    window: str = DEFAULT_WINDOW
    """One of :data:`WINDOWS`, or :data:`CUSTOM`."""
    start: datetime | None = None
    end: datetime | None = None
    model_version: str = ""
    answer: str = ""
    listing: str = Listing.LATEST

    @classmethod
    def of_address(cls, query: str) -> tuple[View, list[str]]:
        """Read the query string of an address.

        Returns
        -------
        View
        list of str
            Names of parameters that are not understood; the view has the defaults in their place.
        """
        view, wrong = cls(), []
        given = {name: values[-1] for name, values in parse_qs(query, errors="replace").items()}
        for name, read in _READERS.items():
            if name in given:
                try:
                    view = read(view, given[name])
                except (ValueError, InvalidInput):
                    wrong.append(name)
        try:
            PredictionFilter(view.start, view.end)
        except InvalidInput:  # each is a date, but the end is not after the start
            view = replace(view, window=DEFAULT_WINDOW, start=None, end=None)
            wrong += ["from", "to"]
        return view, wrong

    def between(self, start: datetime | None, end: datetime | None) -> View:
        """Return the same choices for the window between two moments; without either, for all the time.

        Raises
        ------
        InvalidInput
            `start` is not before `end`.
        """
        PredictionFilter(start, end)
        return replace(self, window=CUSTOM if start or end else "all", start=start, end=end)

    def address(self) -> dict[str, str]:
        """Return the parameters of the address; a default is an empty text."""
        custom = self.window == CUSTOM
        parameters = {
            "window": "" if custom or self.window == DEFAULT_WINDOW else self.window,
            "from": _to_text(self.start) if custom else "",
            "to": _to_text(self.end) if custom else "",
            "model": self.model_version,
            "answer": self.answer,
            "list": "" if self.listing == Listing.LATEST else self.listing,
        }
        return {name: str(value) for name, value in parameters.items()}

    def bounds(self, now: datetime) -> tuple[datetime | None, datetime | None]:
        """Return start and end of the window at the moment `now`."""
        if self.window == CUSTOM:
            return self.start, self.end
        length = WINDOWS[self.window]
        return (None if length is None else now - length), None

    def at(self, now: datetime) -> PredictionFilter:
        """Return the filter of the predictions that the view shows at the moment `now`."""
        answer = Answer(self.answer) if self.answer else None
        return PredictionFilter(*self.bounds(now), self.model_version or None, answer, Listing(self.listing))


@dataclass(frozen=True, slots=True)
class ViewSnapshot:
    """A view at one moment, with times by the wall clock of a time zone."""

    view: View
    now: datetime
    zone: tzinfo

    @property
    def prediction_filter(self) -> PredictionFilter:
        """The filter of the predictions that the view shows."""
        return replace(self.view.at(self.now), zone=zone_name(self.zone))

    @property
    def key(self) -> str:
        """A text that stays the same as long as the reader changes neither a choice nor the time zone."""
        return f"{self.view.address()} {self.zone}"

    def of_all_answers(self) -> ViewSnapshot:
        """Return the same window and model version, for all answers and the default list."""
        return replace(self, view=replace(self.view, answer="", listing=Listing.LATEST))

    def caption(self, versions: Sequence[str], _: Translator) -> str:
        """Describe the period, the model and the answer, for a picture that is saved without the controls.

        Parameters
        ----------
        versions
            Model versions that answered in the period. A single one is named, whether it was chosen or not.
        """
        start, end = self._period()
        there = {"end": _.datetime(end), "zone": str(self.zone)}
        period = (
            _("Up to {end} ({zone})", **there)
            if start is None
            else _("{start} to {end} ({zone})", start=_.datetime(start), **there)
        )
        version, answer = self.view.model_version or (versions[0] if len(versions) == 1 else ""), self.view.answer
        model = _("Model {version}", version=version) if version else _("All models")
        return " · ".join((period, model, answer_name(answer, _) if answer else _("All answers")))

    @property
    def suffix(self) -> str:
        """The period, the model and the answer, as the end of a file's name."""
        model = re.sub(r"[^\w.-]+", "-", self.view.model_version)
        moments = (f"{moment:%Y-%m-%d-%H%M}" if moment else "until" for moment in self._period())
        return "".join(f"_{part}" for part in (*moments, model, self.view.answer) if part)

    def file_name(self, name: str) -> str:
        """Insert the suffix into the name of a file."""
        stem, dot, ending = name.rpartition(".")
        return f"{stem}{self.suffix}{dot}{ending}"

    def _period(self) -> tuple[datetime | None, datetime]:
        start, end = self.view.bounds(self.now)
        return start and start.astimezone(self.zone), (end or self.now).astimezone(self.zone)


def parse_bound(text: str, name: str) -> datetime | None:
    """Parse a bound of a window, to the second; an empty text is none.

    Raises
    ------
    InvalidInput
        It is not a date and time in ISO 8601, or out of range.
    """
    return utc(parse_timestamp(text, name), name).replace(microsecond=0) if text else None


def _to_text(moment: datetime | None) -> str:
    return moment.strftime("%Y-%m-%dT%H:%M:%SZ" if moment.second else "%Y-%m-%dT%H:%MZ") if moment else ""


def _one_of(known: object, text: str) -> str:
    if text not in known:  # type: ignore[operator]
        raise ValueError(text)
    return text


def _model(text: str) -> str:
    if len(text) > LONGEST_NAME or not text.isprintable():
        raise ValueError(text)
    return text


_READERS: dict[str, Callable[[View, str], View]] = {
    "window": lambda view, text: replace(view, window=_one_of(WINDOWS, text)),
    "from": lambda view, text: replace(view, start=parse_bound(text, "from"), window=CUSTOM),
    "to": lambda view, text: replace(view, end=parse_bound(text, "to"), window=CUSTOM),
    "model": lambda view, text: replace(view, model_version=_model(text)),
    "answer": lambda view, text: replace(view, answer=_one_of(set(Answer), text)),
    "list": lambda view, text: replace(view, listing=_one_of(set(Listing), text)),
}
