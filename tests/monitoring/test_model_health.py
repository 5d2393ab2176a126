"""Accuracy with and without labels, over time and by model version, in a real database."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import NamedTuple

import pytest
import sqlalchemy as sa

from catsdogs.monitoring.figures import Accuracy
from tests.monitoring import queries
from tests.rows import InsertRows, calibrated_rows


class Known(NamedTuple):
    rate: float
    low: float
    high: float


def known(accuracy: Accuracy) -> Known:
    """The figures of an accuracy that has some."""
    figures = accuracy["rate"], accuracy["low"], accuracy["high"]
    assert None not in figures
    return Known(*(value or 0.0 for value in figures))


def test_the_estimated_accuracy_agrees_with_the_judged_one(insert_rows: InsertRows) -> None:
    health = queries.health(insert_rows(calibrated_rows(2000)))
    assert (health["judged"]["n"], health["estimated"]["n"]) == (2000, 2000)
    judged, estimated = known(health["judged"]), known(health["estimated"])
    assert judged.low < estimated.rate < judged.high
    assert estimated.low < judged.rate < estimated.high
    assert 0.7 < estimated.rate < 0.8
    assert health["judged_of"] == health["estimated_of"] == 2000


def test_calibrated_probabilities_lie_on_the_diagonal(insert_rows: InsertRows) -> None:
    bins = queries.health(insert_rows(calibrated_rows(2000)))["reliability"]
    assert len(bins) == 10
    assert sum(bin_["n"] for bin_ in bins) == 2000
    missed = [bin_ for bin_ in bins if not known(bin_).low <= bin_["confidence"] <= known(bin_).high]
    assert len(missed) <= 2  # 95 % intervals


def test_accuracy_over_time_and_by_version(insert_rows: InsertRows) -> None:
    new = [
        row | {"model_version": "9.0", "timestamp": row["timestamp"] + timedelta(days=3)}
        for row in calibrated_rows(50, 1)
    ]
    for row in new:
        row |= {"id": sa.func.gen_random_uuid(), "user_feedback": None, "feedback_at": None}
    database = insert_rows(calibrated_rows(100))
    with database.engine.begin() as connection:
        connection.execute(sa.insert(database.tables.predictions).values(new))
    health = queries.health(database)
    assert [version["model_version"] for version in health["versions"]] == ["1.0", "9.0"]
    assert [version["share"] for version in health["versions"]] == pytest.approx([2 / 3, 1 / 3])
    assert [version["judged"]["n"] for version in health["versions"]] == [100, 0]
    assert [version["estimated"]["n"] for version in health["versions"]] == [100, 50]
    assert [(version["neither_rate"], version["mean_ms"]) for version in health["versions"]] == [(0.0, 4.0)] * 2
    starts = [datetime.fromisoformat(bucket["start"]) for bucket in health["timeline"]]
    assert starts[1] - starts[0] == timedelta(seconds=health["bucket_seconds"])
    assert sum(bucket["judged"]["n"] for bucket in health["timeline"]) == 100
    assert sum(bucket["estimated"]["n"] for bucket in health["timeline"]) == 150
    assert len(health["timeline"]) <= 22
    assert health["model_version"] == "9.0"
    assert (health["reference"], health["drift"]) == (None, [])  # there is no card for it
    assert queries.health(database, model_version="1.0")["estimated"]["n"] == 100


def test_an_empty_database_has_no_accuracy(insert_rows: InsertRows) -> None:
    health = queries.health(insert_rows([]))
    assert health["judged"] == health["estimated"] == {"rate": None, "low": None, "high": None, "n": 0}
    assert (health["timeline"], health["reliability"], health["drift"], health["versions"]) == ([], [], [], [])
