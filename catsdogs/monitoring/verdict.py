"""A verdict in one line: good, to be watched or bad, and why."""

from __future__ import annotations

from collections.abc import Iterable
from enum import StrEnum
from typing import NamedTuple

from catsdogs.i18n import Translator


class Level(StrEnum):
    """How good something is."""

    GOOD = "good"
    WATCH = "watch"
    BAD = "bad"
    UNKNOWN = "unknown"
    """There are too few figures."""


class Reason(NamedTuple):
    """One thing that is not good."""

    level: Level
    sentence: str


class Verdict(NamedTuple):
    """A level, and why."""

    level: Level
    sentences: list[str]

    def line(self, _: Translator) -> str:
        """Return the verdict in one line."""
        names = {
            Level.GOOD: _("Good."),
            Level.WATCH: _("To be watched."),
            Level.BAD: _("Bad."),
            Level.UNKNOWN: _("Cannot be told yet."),
        }
        return " ".join([names[self.level], *self.sentences])


def worst(reasons: Iterable[Reason], otherwise: Verdict) -> Verdict:
    """Return the verdict of the worst reasons; without any, `otherwise`."""
    found = list(reasons)
    for level in (Level.BAD, Level.WATCH):
        # several rules may say the same, and one rule several times
        sentences = list(dict.fromkeys(reason.sentence for reason in found if reason.level == level))
        if sentences:
            return Verdict(level, sentences)
    return otherwise
