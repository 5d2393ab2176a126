"""One verdict on the model's health, and the warning where labels contradict the estimate."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

import pytest

from catsdogs.database.demo_ids import demo_id
from catsdogs.i18n import Translator
from catsdogs.model.card import SHIPPED
from catsdogs.monitoring.accuracy import accuracy
from catsdogs.monitoring.figures import DriftLevel, ReferenceKind
from catsdogs.monitoring.health_charts import drift
from catsdogs.monitoring.health_texts import sentences
from catsdogs.monitoring.health_verdict import health_verdict
from tests.monitoring import queries
from tests.rows import NOW, InsertRows, Row, calibrated_rows, make_row

EN = Translator("en")


def judged(n: int, right: int, cat: float, first: int = 0, **values: Any) -> list[Row]:
    return [
        make_row(
            NOW - timedelta(seconds=first + k), proba_cat=cat, proba_dog=1 - cat, user_feedback=int(k < right), **values
        )
        for k in range(n)
    ]


def test_neither_is_no_bar_of_the_reliability_diagram(insert_rows: InsertRows) -> None:
    neither = judged(5, 0, 0.6, 500, prediction_result="neither", neither_score=0.9)
    found = queries.health(insert_rows([*judged(40, 38, 0.95), *neither]))
    assert found["judged"]["n"] == 45
    [bar] = found["reliability"]
    assert (bar["n"], bar["rate"]) == (40, 0.95)
    assert bar["confidence"] == pytest.approx(0.95)


def test_labels_that_contradict_the_estimate_say_so(insert_rows: InsertRows) -> None:
    found = queries.health(insert_rows([*judged(300, 282, 0.999), *judged(300, 270, 0.98, 300)]))
    calibration = found["calibration"]
    assert calibration
    assert (calibration["n"], calibration["rate"]) == (600, 0.92)
    assert calibration["confidence"] == pytest.approx((0.999 + 0.98) / 2)
    assert calibration["ece"] == pytest.approx((0.059 + 0.08) / 2, abs=1e-9)
    warning = [text for text in sentences(found, EN) if "over-confident" in text]
    assert warning == [
        "But where people judged answers cat and dog, the model is over-confident by 7.0 points (ECE 7.0%, n = 600): "
        "do not trust the estimate."
    ]
    verdict = health_verdict(found, EN)
    assert verdict.line(EN) == "Bad. The model is over-confident by 7.0 points."


def test_calibrated_answers_are_good_and_few_say_nothing(insert_rows: InsertRows) -> None:
    assert not [
        text for text in sentences(queries.health(insert_rows(calibrated_rows(300))), EN) if "confident" in text
    ]
    few = {"rate": 0.5, "low": 0.2, "high": 0.95, "n": 9}
    health: Any = {"judged": few, "calibration": None, "drift": []}
    assert health_verdict(health, EN).line(EN) == "Cannot be told yet. People judged 9 answers, and 50 are needed."


@pytest.mark.parametrize(
    ("right", "n", "line"),
    [
        (97, 100, "Good. People judged 97.0% of 100 answers as right."),
        (86, 100, "To be watched. People judged 86.0% of 100 answers as right; at least 90% should be."),
        (2, 4, "Cannot be told yet. People judged 4 answers, and 50 are needed."),
        (1, 1, "Cannot be told yet. People judged 1 answer, and 50 are needed."),
        (2, 10, "To be watched. People judged 20.0% of 10 answers as right; at least 90% should be."),
        (700, 1000, "Bad. People judged 70.0% of 1,000 answers as right; at least 90% should be."),
    ],
)
def test_the_verdict_says_why(right: int, n: int, line: str) -> None:
    health: Any = {"judged": accuracy(right, n), "calibration": None, "drift": []}
    assert health_verdict(health, EN).line(EN) == line


def test_no_card_is_told_from_no_reference(insert_rows: InsertRows) -> None:
    found = queries.health(insert_rows([make_row(NOW, model_version="unknown")]))
    assert found["reference_kind"] == ReferenceKind.NO_CARD
    assert "this machine does not have the card of model unknown" in " ".join(sentences(found, EN))
    found = {**found, "reference_kind": ReferenceKind.NONE}
    assert "the card of model unknown has no reference" in " ".join(sentences(found, EN))


def test_signals_that_too_few_photos_have_are_not_said_to_be_steady(insert_rows: InsertRows) -> None:
    """Rows of early versions have neither brightness nor sharpness nor a size."""
    rows = [
        row | {"model_version": SHIPPED.name, "brightness": None, "sharpness": None} for row in calibrated_rows(200)
    ]
    said = sentences(queries.health(insert_rows(rows)), EN)
    assert said[-1] == "Too few photos to tell: brightness, sharpness, size."


def test_several_versions_are_named_as_their_figures_are_mixed(insert_rows: InsertRows) -> None:
    rows = [*judged(60, 10, 0.9, model_version="old"), *judged(60, 59, 0.9, first=100, model_version="new")]
    said = sentences(queries.health(insert_rows(rows)), EN)
    assert said[0].startswith("2 model versions answered in this window (")
    assert not sentences(queries.health(insert_rows([]), model_version="new"), EN)[0].startswith("2 model")


def test_no_prediction_is_told_from_no_card(insert_rows: InsertRows) -> None:
    found = queries.health(insert_rows([]))
    assert found["reference_kind"] == ReferenceKind.NONE
    assert [note["text"] for note in drift(found, EN).to_dict()["layout"]["annotations"]] == [
        "Nothing to compare in this window."
    ]


def test_a_chosen_period_is_the_reference(insert_rows: InsertRows) -> None:
    """As many photos with neither as always in production, but not as in the evaluation, are no drift."""
    rows = [
        make_row(
            NOW - timedelta(minutes=10 * n),
            prediction_result="neither" if n % 3 == 0 else "cat" if n % 3 == 1 else "dog",
            model_version=SHIPPED.name,
        )
        for n in range(1000)
    ]
    database = insert_rows(rows)
    chosen = {"start": NOW - timedelta(days=3), "end": NOW}

    def reading(period: tuple[datetime, datetime] | None) -> tuple[str, str]:
        found = queries.health(database, reference_period=period, **chosen)
        [neither] = [one for one in found["drift"] if one["signal"] == "neither"]
        return found["reference_kind"], neither["reading"]

    assert reading(None) == (ReferenceKind.PHOTOS, DriftLevel.STRONG)
    week = NOW - timedelta(days=7), NOW - timedelta(days=3)
    assert reading(week) == (ReferenceKind.PERIOD, DriftLevel.NONE)
    texts = sentences(queries.health(database, reference_period=week, **chosen), EN)
    assert "the chosen reference" in texts[-1]
    empty = NOW - timedelta(days=70), NOW - timedelta(days=60)
    assert reading(empty) == (ReferenceKind.PHOTOS, DriftLevel.STRONG)
    said = " ".join(sentences(queries.health(database, reference_period=empty, **chosen), EN))
    assert "(CATSDOGS_DRIFT_REFERENCE) is not used: it has 0 photos of model" in said


def test_demonstration_data_is_no_reference_for_peoples_photos(insert_rows: InsertRows) -> None:
    last_week = [make_row(NOW - timedelta(days=7, minutes=n), model_version=SHIPPED.name) for n in range(150)]
    demonstration = [row | {"id": demo_id(n)} for n, row in enumerate(last_week)]
    week = NOW - timedelta(days=9), NOW - timedelta(days=6)
    database = insert_rows(demonstration)
    assert queries.health(database, reference_period=week)["reference_kind"] == ReferenceKind.PERIOD
    insert_rows([make_row(NOW, model_version=SHIPPED.name)])
    found = queries.health(database, reference_period=week)
    assert (found["reference_kind"], found["chosen_reference_n"]) == (ReferenceKind.PHOTOS, 0)
