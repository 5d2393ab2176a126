"""What the dashboard looks at, and how its address says so: a view can be kept and shared."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from urllib.parse import parse_qs

from catsdogs.datetimes import read_moment
from catsdogs.domain import Answer
from catsdogs.errors import InvalidInput
from catsdogs.monitoring.figures import Listing

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
YEARS = range(1971, 2999)
"""Of moments, in UTC: beyond, the database's own limits come near."""
LONGEST_NAME = 100
"""Characters of a model version in an address."""


@dataclass(frozen=True, slots=True)
class View:
    """A window of time, and which predictions of it; empty for all."""

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
            Names of parameters that are not understood; the view has the usual in their place.
        """
        view, wrong = cls(), []
        given = {name: values[-1] for name, values in parse_qs(query, errors="replace").items()}
        for name, read in _READERS.items():
            if name in given:
                try:
                    view = read(view, given[name])
                except (ValueError, InvalidInput):
                    wrong.append(name)
        if view.start and view.end and view.start >= view.end:
            view = replace(view, window=DEFAULT_WINDOW, start=None, end=None)
            wrong += ["from", "to"]
        return view, wrong

    def between(self, start: datetime | None, end: datetime | None) -> View:
        """Look at the window between two moments; without either, at all."""
        return replace(self, window=CUSTOM if start or end else "all", start=start, end=end)

    def address(self) -> dict[str, str]:
        """Give the parameters of the address, those that say the usual empty."""
        custom = self.window == CUSTOM
        said = {
            "window": "" if custom or self.window == DEFAULT_WINDOW else self.window,
            "from": _moment(self.start) if custom else "",
            "to": _moment(self.end) if custom else "",
            "model": self.model_version,
            "answer": self.answer,
            "list": "" if self.listing == Listing.LATEST else self.listing,
        }
        return {name: str(value) for name, value in said.items()}

    def bounds(self, now: datetime) -> tuple[datetime | None, datetime | None]:
        """Give start and end of the window."""
        if self.window == CUSTOM:
            return self.start, self.end
        length = WINDOWS[self.window]
        return (None if length is None else now - length), None


def moment(text: str) -> datetime | None:
    """Read a moment in ISO 8601 to the second, without a time zone in UTC; an empty text is none.

    Raises
    ------
    InvalidInput
        It is not of :data:`YEARS`.
    ValueError
        It is no moment.
    """
    if not text:
        return None
    found = read_moment(text).replace(microsecond=0)
    if found.year not in YEARS:
        raise InvalidInput("Choose dates of the years {first} to {last}.", first=YEARS[0], last=YEARS[-1])
    return found


def _moment(found: datetime | None) -> str:
    return found.strftime("%Y-%m-%dT%H:%M:%SZ" if found.second else "%Y-%m-%dT%H:%MZ") if found else ""


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
    "from": lambda view, text: replace(view, start=moment(text), window=CUSTOM),
    "to": lambda view, text: replace(view, end=moment(text), window=CUSTOM),
    "model": lambda view, text: replace(view, model_version=_model(text)),
    "answer": lambda view, text: replace(view, answer=_one_of(set(Answer), text)),
    "list": lambda view, text: replace(view, listing=_one_of(set(Listing), text)),
}
