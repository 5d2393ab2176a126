"""The key figures against the same arithmetic in plain Python, on real PostgreSQL."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta, timezone
from itertools import pairwise
from typing import Any

import pytest

from catsdogs.monitoring import aggregates, kpis
from catsdogs.monitoring.figures import Statistics
from catsdogs.stats import wilson_interval
from tests.monitoring.queries import recent_predictions, statistics
from tests.rows import DAYS, NOW, InsertRows, Row, confidence, make_row, random_rows

FEEDBACK = ("timestamp", "user_feedback", "prediction_result", "confidence", "user_comment")


def percentile(values: list[float], share: float) -> float:
    """Compute a percentile with linear interpolation, as PostgreSQL documents `percentile_cont`."""
    position = share * (len(values) - 1)
    low = int(position)
    high = min(low + 1, len(values) - 1)
    return values[low] + (values[high] - values[low]) * (position - low)


def latency(rows: list[Row]) -> dict[str, float | None]:
    times = sorted(row["inference_time_ms"] for row in rows if row["success"])
    if not times:
        return dict.fromkeys(["mean", "min", "max", "p50", "p95", "p99"])
    return {
        "mean": pytest.approx(sum(times) / len(times)),
        "min": times[0],
        "max": times[-1],
        **{f"p{n}": pytest.approx(percentile(times, n / 100)) for n in (50, 95, 99)},
    }


def count(rows: list[Row], **values: Any) -> int:
    return sum(all(row[name] == value for name, value in values.items()) for row in rows)


def expected(rows: list[Row]) -> dict[str, Any]:
    """The figures that do not depend on the timeline."""
    satisfied, unsatisfied = count(rows, user_feedback=1), count(rows, user_feedback=0)
    n = satisfied + unsatisfied
    low, high = wilson_interval(satisfied, n) or (None, None)
    rated = sorted((row for row in rows if row["user_feedback"] is not None), key=lambda row: row["timestamp"])
    return {
        "total_predictions": len(rows),
        "successful_predictions": count(rows, success=True),
        "rgpd_consents": count(rows, rgpd_consent=True),
        "success_rate": pytest.approx(100 * count(rows, success=True) / len(rows)) if rows else 0.0,
        "error_rate": count(rows, success=False) / len(rows) if rows else None,
        "consent_rate": count(rows, rgpd_consent=True) / len(rows) if rows else None,
        "answers": {answer: count(rows, prediction_result=answer) for answer in ("cat", "dog", "neither", "error")},
        "inference_time_ms": latency(rows),
        "satisfaction": {
            "rate": satisfied / n if n else None,
            "low": low,
            "high": high,
            "n": n,
            "satisfied": satisfied,
            "unsatisfied": unsatisfied,
        },
        "feedback": [
            {
                "timestamp": row["timestamp"].isoformat(),
                "user_feedback": row["user_feedback"],
                "prediction_result": row["prediction_result"],
                "confidence": pytest.approx(confidence(row)),
                "user_comment": row["user_comment"],
            }
            for row in rated
        ],
    }


def check(found: Statistics, rows: list[Row]) -> None:
    for name, value in expected(rows).items():
        assert found[name] == value, name  # type: ignore[literal-required]


def check_timeline(found: Statistics, rows: list[Row], since: datetime) -> None:
    """Every bucket holds the rows of its interval, and none is missing in between."""
    width = timedelta(seconds=found["bucket_seconds"])
    starts = [datetime.fromisoformat(bucket["start"]) for bucket in found["timeline"]]
    assert starts[0] <= since < starts[0] + width
    assert [later - earlier for earlier, later in pairwise(starts)] == [width] * (len(starts) - 1)
    assert sum(bucket["predictions"] for bucket in found["timeline"]) == len(rows)
    for start, bucket in zip(starts, found["timeline"], strict=True):
        inside = [row for row in rows if start <= row["timestamp"] < start + width]
        counts = {
            "predictions": len(inside),
            **{answer: count(inside, prediction_result=answer) for answer in ("cat", "dog", "neither")},
            "errors": count(inside, prediction_result="error"),
            "satisfied": count(inside, user_feedback=1),
            "unsatisfied": count(inside, user_feedback=0),
        }
        assert bucket == {"start": start.isoformat()} | counts | latency(inside)


@pytest.mark.parametrize("seed", [1, 2, 3])
@pytest.mark.parametrize("days", [0.04, 1, 7, DAYS])
@pytest.mark.parametrize("model_version", [None, "1.1"])
def test_figures_equal_those_computed_from_the_rows(
    insert_rows: InsertRows, seed: int, days: float, model_version: str | None
) -> None:
    rows = random_rows(seed)
    start, end = NOW - timedelta(days=days), NOW - timedelta(hours=1) if days > 1 else NOW
    found = statistics(insert_rows(rows), start=start, end=end, model_version=model_version)
    in_window = [row for row in rows if start <= row["timestamp"] < end]
    chosen = [row for row in in_window if model_version in (None, row["model_version"])]
    check(found, chosen)
    check_timeline(found, chosen, start)
    assert (found["start"], found["end"]) == (start.isoformat(), end.isoformat())
    assert found["model_versions"] == sorted({row["model_version"] for row in in_window} - {None})


def test_without_a_window_figures_cover_every_row_up_to_now(insert_rows: InsertRows) -> None:
    rows = [*random_rows(4), make_row(datetime.now(UTC) + timedelta(days=1))]  # the clock of another machine is ahead
    found = statistics(insert_rows(rows))
    check(found, rows)
    first = min(row["timestamp"] for row in rows)
    check_timeline(found, rows, first)
    assert found["start"] == first.isoformat()


def test_the_start_is_in_the_window_and_the_end_is_not(insert_rows: InsertRows) -> None:
    hour = timedelta(hours=1)
    rows = [make_row(NOW - hour - timedelta(microseconds=1)), make_row(NOW - hour), make_row(NOW)]
    database = insert_rows(rows)
    assert statistics(database, start=NOW - hour, end=NOW)["total_predictions"] == 1
    assert statistics(database, start=NOW - hour)["total_predictions"] == 2
    assert statistics(database, end=NOW)["total_predictions"] == 2


def test_a_moment_without_a_time_zone_is_in_utc_and_one_with_is_the_same_moment(insert_rows: InsertRows) -> None:
    database = insert_rows([make_row(NOW)])
    naive = NOW.replace(tzinfo=None)
    tokyo = NOW.astimezone(timezone(timedelta(hours=9)))
    for moment in (naive, tokyo):
        assert statistics(database, start=moment)["total_predictions"] == 1
        assert statistics(database, end=moment)["total_predictions"] == 0


@pytest.mark.parametrize("window", [{}, {"start": NOW}, {"end": NOW}, {"start": NOW - timedelta(days=1), "end": NOW}])
def test_an_empty_database_has_zeros_and_no_rates(insert_rows: InsertRows, window: dict[str, datetime]) -> None:
    found = statistics(insert_rows([]), **window)
    check(found, [])
    assert sum(bucket["predictions"] for bucket in found["timeline"]) == 0
    assert bool(found["timeline"]) == ("start" in window)
    assert (found["start"] is None) == ("start" not in window)
    assert found["model_versions"] == []


def test_figures_of_a_single_row(insert_rows: InsertRows) -> None:
    row = make_row(datetime.now(UTC), user_feedback=0, inference_time_ms=7.5)
    found = statistics(insert_rows([row]))
    check(found, [row])
    check_timeline(found, [row], row["timestamp"])
    assert len(found["timeline"]) <= 2


def test_a_row_at_the_start_of_a_bucket_is_counted_in_it(insert_rows: InsertRows) -> None:
    row = make_row((datetime.now(UTC) + timedelta(days=1)).replace(second=0, microsecond=0))
    check_timeline(statistics(insert_rows([row])), [row], row["timestamp"])


def test_only_errors_have_no_inference_time(insert_rows: InsertRows) -> None:
    rows = [make_row(NOW + timedelta(hours=n), prediction_result="error", inference_time_ms=9.0) for n in range(3)]
    found = statistics(insert_rows(rows), end=NOW + timedelta(days=1))
    check(found, rows)
    assert found["inference_time_ms"]["mean"] is None
    assert found["error_rate"] == 1
    check_timeline(found, rows, NOW)


def test_the_latest_feedbacks_are_kept_where_there_are_many(
    insert_rows: InsertRows, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(kpis, "MAX_FEEDBACK_POINTS", 3)
    rows = [make_row(NOW + timedelta(seconds=n), user_feedback=n % 2) for n in range(7)]
    found = statistics(insert_rows(rows))
    assert [point["timestamp"] for point in found["feedback"]] == [row["timestamp"].isoformat() for row in rows[-3:]]
    assert found["satisfaction"]["n"] == 7


def test_only_the_predictions_of_the_window_decide_whether_roll_ups_are_read(
    insert_rows: InsertRows, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(kpis, "MAX_EXACT_PREDICTIONS", 2)
    monkeypatch.setattr(kpis, "MAX_EXACT_BUCKET_SECONDS", 0)
    database = insert_rows([make_row(NOW - timedelta(hours=age)) for age in (1, 2, 30, 31)])
    assert statistics(database, start=NOW - timedelta(days=1), end=NOW)["bucket_seconds"] == 900
    assert statistics(database, start=NOW - timedelta(days=2), end=NOW)["bucket_seconds"] == 3600, "that of roll-ups"


def test_all_queries_read_the_same_snapshot(insert_rows: InsertRows, monkeypatch: pytest.MonkeyPatch) -> None:
    """Bounds, aggregates and feedback are several queries, but of one moment."""
    database = insert_rows([make_row(NOW, user_feedback=1)])
    aggregate_rows = aggregates.aggregate_rows

    def late(*arguments: Any) -> Any:
        insert_rows([make_row(NOW + timedelta(seconds=1), user_feedback=0)])
        return aggregate_rows(*arguments)

    with monkeypatch.context() as patch:
        patch.setattr(aggregates, "aggregate_rows", late)
        found = statistics(database)
    assert (found["total_predictions"], len(found["feedback"])) == (1, 1)
    assert statistics(database)["total_predictions"] == 2


def test_a_model_version_is_never_interpreted_as_sql(insert_rows: InsertRows) -> None:
    database = insert_rows([make_row()])
    assert statistics(database, model_version="' OR true --")["total_predictions"] == 0
    assert statistics(database)["total_predictions"] == 1


@pytest.mark.parametrize("answer", ["cat", "error"])
def test_figures_of_one_answer(insert_rows: InsertRows, answer: str) -> None:
    rows = random_rows(8)
    found = statistics(insert_rows(rows), start=NOW - timedelta(days=DAYS), end=NOW, answer=answer)
    chosen = [row for row in rows if row["prediction_result"] == answer]
    assert found["error_rate"] is None
    check(found | {"error_rate": expected(chosen)["error_rate"]}, chosen)
    check_timeline(found, chosen, NOW - timedelta(days=DAYS))


def test_the_window_before_is_of_the_same_length(insert_rows: InsertRows) -> None:
    rows = random_rows(9)
    start, end = NOW - timedelta(days=9), NOW - timedelta(days=2)
    before = [row for row in rows if start - (end - start) <= row["timestamp"] < start]
    wanted = expected(before)
    assert statistics(insert_rows(rows), start=start, end=end)["previous"] == {
        "total_predictions": len(before),
        "errors": wanted["answers"]["error"],
        "rgpd_consents": wanted["rgpd_consents"],
        "mean_ms": wanted["inference_time_ms"]["mean"],
        "satisfaction": wanted["satisfaction"],
    }


def test_personal_fields_stay_hidden_without_consent_even_if_the_table_held_them(insert_rows: InsertRows) -> None:
    database = insert_rows([])
    with database.engine.begin() as connection:
        for rule in ("filename_needs_consent", "comment_needs_consent"):
            connection.exec_driver_sql(f"ALTER TABLE predictions_feedback DROP CONSTRAINT {rule}")
    insert_rows([make_row(filename="mine.jpg", user_comment="my comment", user_feedback=1)])
    [row] = recent_predictions(database)
    assert (row["filename"], row["user_comment"]) == (None, None)
    [point] = statistics(database)["feedback"]
    assert point["user_comment"] is None
