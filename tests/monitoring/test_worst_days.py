"""The worst days of a long window are those of the reader's time zone, also where its clock changes."""

from __future__ import annotations

import random
from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
import sqlalchemy as sa

from catsdogs.monitoring.figures import WorstDays
from tests.monitoring import queries
from tests.rows import NOW, InsertRows, Row, make_row

PARIS = "Europe/Paris"


def worst_days(insert_rows: InsertRows, rows: list[Row], start: datetime, end: datetime) -> WorstDays:
    found = queries.statistics(insert_rows(rows), start=start, end=end, zone=PARIS)["worst_days"]
    assert found
    return found


@pytest.mark.parametrize("changes", [date(2026, 3, 29), date(2025, 10, 26)])
def test_a_day_is_that_of_the_time_zone(insert_rows: InsertRows, changes: date) -> None:
    """The clock goes to summer time or back on the bad day, which has 23 or 25 hours."""
    paris = ZoneInfo(PARIS)
    midnight = datetime(changes.year, changes.month, changes.day, tzinfo=paris).astimezone(UTC)
    after = datetime(changes.year, changes.month, changes.day + 1, tzinfo=paris).astimezone(UTC)
    hours = (after - midnight) // timedelta(hours=1)
    assert hours in (23, 25)
    rows = []
    for n in range(-48, 96):
        is_bad = 0 <= n < hours
        for k in range(2):
            at = midnight + timedelta(hours=n, minutes=k)
            rows.append(make_row(at, inference_time_ms=9.0 if is_bad else 4.0, user_feedback=int(not is_bad)))
    found = worst_days(insert_rows, rows, midnight - timedelta(days=2), midnight + timedelta(days=4))
    assert found["latency"] == {"day": changes.isoformat(), "value": 9.0, "n": 2 * hours}
    assert found["satisfaction"] == {"day": changes.isoformat(), "value": 0.0, "n": 2 * hours}
    assert found["errors"] is None


def test_figures_of_the_worst_days_equal_sql_written_by_hand(insert_rows: InsertRows) -> None:
    choose = random.Random(3)
    rows = [
        make_row(
            NOW - timedelta(minutes=choose.uniform(0, 12 * 1440)),
            inference_time_ms=choose.lognormvariate(2, 1),
            prediction_result="error" if choose.random() < 0.05 else "cat",
        )
        for _ in range(1500)
    ]
    for row in rows:
        rated = row["success"] and choose.random() < 0.3
        row |= {"user_feedback": choose.choice([0, 1, 1]) if rated else None, "feedback_at": NOW if rated else None}
    database = insert_rows(rows)
    found = queries.statistics(database, start=NOW - timedelta(days=12), end=NOW, zone=PARIS)["worst_days"]
    assert found
    slowest = """SELECT (timestamp AT TIME ZONE 'Europe/Paris')::date::text AS day, avg(inference_time_ms), count(*)
        FROM predictions_feedback WHERE success GROUP BY 1 HAVING count(*) >= 30 ORDER BY 2 DESC LIMIT 1"""
    share = """SELECT avg((NOT success)::int), count(*) FROM predictions_feedback
        WHERE (timestamp AT TIME ZONE 'Europe/Paris')::date = CAST(:day AS date)"""
    with database.engine.connect() as connection:
        day, mean, n = connection.execute(sa.text(slowest)).one()
        assert found["latency"] == {"day": day, "value": pytest.approx(mean), "n": n}
        assert found["errors"]
        value, n = connection.execute(sa.text(share), {"day": found["errors"]["day"]}).one()
        assert found["errors"] == {"day": found["errors"]["day"], "value": pytest.approx(float(value)), "n": n}


def test_three_bad_ratings_are_not_the_worst_day_and_a_short_window_has_none(insert_rows: InsertRows) -> None:
    few = [make_row(NOW - timedelta(days=3, minutes=n), user_feedback=0) for n in range(3)]
    usual = [make_row(NOW - timedelta(days=4, minutes=n), user_feedback=int(n % 10 < 9)) for n in range(500)]
    many = [make_row(NOW - timedelta(days=5, minutes=n), user_feedback=int(n % 5 < 3)) for n in range(300)]
    database = insert_rows(few + usual + many)
    found = queries.statistics(database, start=NOW - timedelta(days=9), end=NOW)["worst_days"]
    assert found
    assert found["satisfaction"] == {"day": "2026-03-13", "value": pytest.approx(0.6), "n": 300}
    assert queries.statistics(database, start=NOW - timedelta(days=2), end=NOW)["worst_days"] is None


def test_a_time_zone_that_only_python_knows_counts_days_in_utc(
    insert_rows: InsertRows, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("catsdogs.monitoring.prediction_filter.is_time_zone", lambda _: True)
    rows = [make_row(NOW - timedelta(minutes=n)) for n in range(1, 61)]
    found = queries.statistics(insert_rows(rows), start=NOW - timedelta(days=3), end=NOW, zone="Mars/Base")
    assert found["worst_days"]
    assert found["worst_days"]["latency"] == {"day": "2026-03-18", "value": 4.0, "n": 60}
