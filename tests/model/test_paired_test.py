"""Two versions are told apart by their answers to the same photos, or not."""

from __future__ import annotations

import pytest

from catsdogs.i18n import Translator
from catsdogs.model.paired_test import PairedCounts, PairedVerdict


def test_photos_are_counted_in_pairs() -> None:
    pairs = [(True, True), (True, False), (True, False), (False, True), (False, False)]
    assert PairedCounts.of(pairs) == PairedCounts(5, 1, 2, 1)
    assert PairedCounts.of([]) == PairedCounts(0, 0, 0, 0)


@pytest.mark.parametrize(
    ("counts", "verdict"),
    [
        (PairedCounts(100, 3, 6, 0), PairedVerdict.BETTER),
        (PairedCounts(100, 3, 0, 6), PairedVerdict.WORSE),
        (PairedCounts(10_000, 0, 0, 5), PairedVerdict.UNCLEAR),
        (PairedCounts(100, 99, 1, 0), PairedVerdict.UNCLEAR),
    ],
)
def test_six_photos_that_only_one_gets_wrong_tell_versions_apart(counts: PairedCounts, verdict: PairedVerdict) -> None:
    assert counts.verdict is verdict
    assert PairedCounts(1000, 0, 40, 10).missing_photos == 1, "more than enough"


def test_where_no_photo_tells_them_apart_no_more_photos_are_asked_for() -> None:
    sentence = PairedCounts(1000, 5, 0, 0).sentence("Errors", Translator("en"))
    assert sentence == "Errors: 5 instead of 5 (McNemar’s test, p = 1.000): the same on each photo."


@pytest.mark.parametrize(
    ("language", "sentence"),
    [
        (
            "en",
            "Errors on val: 3 instead of 4 (McNemar’s test, p = 1.000): cannot tell; about 23,000 more photos would.",
        ),
        (
            "fr",
            "Errors on val\u00a0: 3 au lieu de 4 (test de McNemar, p = 1,000)\u00a0: impossible de trancher\u00a0; "
            "il faudrait environ 23\u202f000 photos de plus.",
        ),
    ],
)
def test_the_verdict_is_a_sentence(language: str, sentence: str) -> None:
    assert PairedCounts(1000, 2, 2, 1).sentence("Errors on val", Translator(language)) == sentence
    assert "p < 0.001): better." in PairedCounts(1000, 2, 30, 2).sentence("Errors", Translator("en"))
    assert "better" in PairedCounts(1000, 2, 9, 1).sentence("Errors", Translator("en"))
