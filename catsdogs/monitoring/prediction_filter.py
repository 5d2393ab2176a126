"""Which predictions a figure or a list is of: a time window, a model version, an answer, and the kind of list.

A filter is built and checked once, where a request comes in (the dashboard's address, a REST query, a command, a
notebook), and passed as one object down to SQL (:mod:`catsdogs.monitoring.prediction_filter_sql`). It is plain data,
so that a visitor's kernel can import it without a database driver.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Annotated, Self

from typing_extensions import TypedDict

from catsdogs.datetimes import is_time_zone, iso, parse_timestamp, utc
from catsdogs.domain import Answer, AnswerName
from catsdogs.errors import InvalidInput
from catsdogs.json_types import JsonSchema, Timestamp

MAX_LISTED = 1000
"""Largest number of predictions that one request lists."""
DEFAULT_LISTED = 10
"""Number of predictions that a request lists where it names none, as in V2."""
LEAST_SURE_OF = 10_000
"""Number of predictions among which the least sure are found: of a longer window, the latest."""


DEFAULT_ZONE = "UTC"


class Listing(StrEnum):
    """Which single predictions to list."""

    LATEST = "latest"
    LEAST_SURE = "least_sure"
    """The answers of the lowest confidence."""
    DISPUTED = "disputed"
    """The answers that people said were wrong."""


class HealthQuery(TypedDict, total=False):
    """Parameters of the REST query that filter the model's health.

    The answer is no parameter: accuracy among the answers of one kind would be another figure.
    """

    start: Timestamp
    """Start of the time window."""
    end: Timestamp
    """End of the time window, not included."""
    model_version: str
    """Model version that answered."""


class StatisticsQuery(HealthQuery, total=False):
    """Parameters of the REST query that filter the key figures."""

    answer: AnswerName
    """Answer given."""
    zone: Annotated[str, JsonSchema(default=DEFAULT_ZONE)]
    """Time zone whose days `worst_days` are: a name of the IANA database, such as ``Europe/Paris``."""


class ListQuery(HealthQuery, total=False):
    """Parameters of the REST query that filter the list of predictions."""

    answer: AnswerName
    """Answer given."""
    list: Annotated[str, JsonSchema(enum=list(Listing), default=Listing.LATEST)]
    """Kind of list."""
    limit: Annotated[int, JsonSchema(minimum=1, maximum=MAX_LISTED, default=DEFAULT_LISTED)]
    """Largest number of predictions listed."""


@dataclass(frozen=True, slots=True)
class PredictionFilter:
    """The predictions of a time window, a model version and an answer; ``None`` for all.

    Parameters
    ----------
    start, end
        The window ``[start, end)`` of the predictions' timestamps. A bound without a time zone is taken as UTC.
    model_version
        Name of the model version that answered.
    answer
        The answer given; also accepted as text.
    listing
        The kind of list, where single predictions are listed; also accepted as text. Figures do not depend on it.
    zone
        Name of the time zone whose days are meant, where a figure is one of a day.
    of_people
        Whether demonstration data is left out. Roll-ups cannot tell it, so only rows are filtered.

    Raises
    ------
    InvalidInput
        `start` is not before `end`, or a value is out of range.
    """

    start: datetime | None = None
    end: datetime | None = None
    model_version: str | None = None
    answer: Answer | None = None
    listing: Listing = Listing.LATEST
    zone: str = DEFAULT_ZONE
    of_people: bool = False

    def __post_init__(self) -> None:
        start, end = (None if bound is None else utc(bound) for bound in (self.start, self.end))
        if start and end and start >= end:
            raise InvalidInput("The start of the window must be before its end.")
        if self.model_version is not None and "\0" in self.model_version:  # PostgreSQL stores no such text
            raise InvalidInput("This is not a model version.")
        if self.answer is not None and self.answer not in set(Answer):
            raise InvalidInput("The answer must be cat, dog, neither or error.")
        if self.listing not in set(Listing):
            raise InvalidInput("The list must be latest, least_sure or disputed.")
        if not is_time_zone(self.zone):
            raise InvalidInput("The time zone must be a name like Europe/Paris.")
        checked = {"start": start, "end": end, "answer": self.answer and Answer(self.answer)}
        for name, value in (checked | {"listing": Listing(self.listing)}).items():
            object.__setattr__(self, name, value)

    @classmethod
    def from_query(cls, query: Mapping[str, str]) -> Self:
        """Read a filter from the parameters of a REST query; other parameters are ignored.

        Raises
        ------
        InvalidInput
            A value is out of range.
        """
        start, end = (parse_timestamp(query[name], name) if name in query else None for name in ("start", "end"))
        return cls(
            start,
            end,
            model_version=query.get("model_version") or None,
            answer=query.get("answer"),  # type: ignore[arg-type]  # checked, as everything is
            listing=query.get("list", Listing.LATEST),  # type: ignore[arg-type]
            zone=query.get("zone", DEFAULT_ZONE),
        )

    def to_query(self, query: type[HealthQuery] = ListQuery) -> dict[str, str]:
        """Write the parameters of a REST query, those of `query` that are not ``None``."""
        values = {
            "start": self.start and iso(self.start),
            "end": self.end and iso(self.end),
            "model_version": self.model_version,
            "answer": self.answer,
            "list": self.listing,
            "zone": self.zone,
        }
        return {
            name: str(value) for name, value in values.items() if name in query.__annotations__ and value is not None
        }


ALL_PREDICTIONS = PredictionFilter()
"""Every prediction, the latest first."""


def parse_limit(text: str) -> int:
    """Read the number of predictions to list.

    Raises
    ------
    InvalidInput
        It is not a whole number from 1 to :data:`MAX_LISTED`.
    """
    is_number = text.isascii() and text.isdecimal() and len(text) <= len(str(MAX_LISTED))
    return check_limit(int(text) if is_number else 0)


def check_limit(limit: int) -> int:
    """Return the number of predictions to list.

    Raises
    ------
    InvalidInput
        It is not between 1 and :data:`MAX_LISTED`.
    """
    if not 1 <= limit <= MAX_LISTED:
        raise InvalidInput("limit must be a whole number from 1 to {most}.", most=MAX_LISTED)
    return limit
