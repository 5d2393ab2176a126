"""Whether two versions that answered the same photos can be told apart by their answers."""

from __future__ import annotations

from collections.abc import Iterable
from enum import StrEnum
from typing import NamedTuple, Self

from catsdogs.i18n import Translator
from catsdogs.stats import mcnemar_test, pairs_to_tell_apart

SIGNIFICANCE = 0.05
"""Largest p-value with which two versions are told apart."""
_LEAST_P = 0.001
"""Smallest p-value that is written as a number."""


class PairedVerdict(StrEnum):
    """What McNemar's test says of the candidate."""

    BETTER = "better"
    WORSE = "worse"
    UNCLEAR = "unclear"


class PairedCounts(NamedTuple):
    """How often a thing happened to both versions on the same photos, such as an error."""

    n: int
    """Number of photos."""
    both: int
    """Number of photos on which it happened to both versions."""
    only_champion: int
    only_candidate: int

    @classmethod
    def of(cls, pairs: Iterable[tuple[bool, bool]]) -> Self:
        """Count pairs, one for each photo: whether it happened to the champion, and to the candidate."""
        found = list(pairs)
        return cls(len(found), *(found.count(pair) for pair in ((True, True), (True, False), (False, True))))

    @property
    def p_value(self) -> float:
        """See :func:`catsdogs.stats.mcnemar_test`."""
        return mcnemar_test(self.only_champion, self.only_candidate)

    @property
    def verdict(self) -> PairedVerdict:
        """Whether it happens to the candidate less often, more often, or whether that cannot be said."""
        if self.p_value > SIGNIFICANCE:
            return PairedVerdict.UNCLEAR
        return PairedVerdict.BETTER if self.only_candidate < self.only_champion else PairedVerdict.WORSE

    @property
    def missing_photos(self) -> int:
        """About how many more photos would tell the versions apart, if the shares stayed the same."""
        return max(1, pairs_to_tell_apart(self.only_champion, self.only_candidate, self.n) - self.n)

    def sentence(self, title: str, _: Translator) -> str:
        """Say the counts and the verdict; `title` names what was counted."""
        unclear = _("cannot tell; about {n} more photos would", n=_.number(_rounded(self.missing_photos)))
        if not self.only_champion and not self.only_candidate:
            unclear = _("the same on each photo")
        verdicts = {PairedVerdict.BETTER: _("better"), PairedVerdict.WORSE: _("worse"), PairedVerdict.UNCLEAR: unclear}
        return _(
            "{title}: {theirs} instead of {ours} (McNemar’s test, p {p}): {verdict}.",
            title=title,
            theirs=_.number(self.both + self.only_candidate),
            ours=_.number(self.both + self.only_champion),
            p=f"= {_.number(self.p_value, 3)}" if self.p_value >= _LEAST_P else f"< {_.number(_LEAST_P, 3)}",
            verdict=verdicts[self.verdict],
        )


def _rounded(n: int) -> int:
    """Round to two digits: the number is an estimate."""
    return round(n, 2 - len(str(n)))
