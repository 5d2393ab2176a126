"""If there are many predictions, a sample is read, the same one each time."""

from __future__ import annotations

import pytest
import sqlalchemy as sa

from catsdogs.i18n import Translator
from catsdogs.monitoring import csv_export, health_charts, sampling
from tests.monitoring import queries
from tests.rows import InsertRows, calibrated_rows


def test_of_many_predictions_a_sample_is_drawn(insert_rows: InsertRows, monkeypatch: pytest.MonkeyPatch) -> None:
    database = insert_rows(calibrated_rows(6000))
    with database.engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
        connection.execute(sa.text("ANALYZE"))
    monkeypatch.setattr(sampling.draw_sample, "__defaults__", (1500,))
    monkeypatch.setattr(sampling, "SAMPLE_SIZE", 1500)
    health = queries.health(database)
    assert health["estimated_from"] < health["estimated_of"] == 6000
    assert health["judged"]["n"] < health["judged_of"] == 6000
    assert 300 < health["estimated"]["n"] < 3000
    assert 1000 < health["judged"]["n"] < 3000  # of every interval of eight minutes, two or more
    assert all(bucket["judged"]["n"] for bucket in health["timeline"])
    assert health["estimated"]["rate"] == pytest.approx(health["judged"]["rate"], abs=0.05)
    assert health == queries.health(database)  # and the same one each time
    n, judged = health["estimated_from"], health["judged"]["n"]
    assert csv_export.health_file_name("drift", health) == f"catsdogs-drift-sample-{n}-of-6000.csv"
    assert csv_export.health_file_name("reliability", health) == f"catsdogs-reliability-sample-{judged}-of-6000.csv"
    title = health_charts.accuracy(health, Translator("en")).layout.title.text
    assert title == f"Right answers over time ({n:,} of 6,000, a sample)"
