"""Frequent queries use an index, so that they stay fast on a long table."""

from __future__ import annotations

import re
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
import sqlalchemy as sa

from catsdogs.database import Database
from catsdogs.errors import NotFound
from catsdogs.monitoring import kpis, listings
from catsdogs.monitoring.prediction_filter import PredictionFilter
from catsdogs.records import data_subject_rights
from catsdogs.records.spool import Spool

NOW = datetime.now(UTC)
FILL = """INSERT INTO predictions_feedback (id, timestamp, success, prediction_result, proba_cat, proba_dog,
    inference_time_ms, rgpd_consent, model_version, user_feedback, feedback_at)
    SELECT gen_random_uuid(), now() - number * interval '1 minute', true, 'cat', 0.9, 0.1, 3.5, false,
    'version-' || number % 50, CASE WHEN number % 20 = 0 THEN 1 END, now() FROM generate_series(1, 30000) AS number"""


@pytest.fixture
def indexes_of(connected: Database) -> Callable[[Callable[[], object]], set[str]]:
    """Return the indexes that the statements of `work` use, in a table of 30,000 predictions."""
    connected.run(lambda connection: connection.execute(sa.text(FILL)))
    connected.run(lambda connection: connection.execute(sa.text("ANALYZE")))

    def indexes_of(work: Callable[[], object]) -> set[str]:
        plans: list[str] = []

        def explain(_: object, cursor: Any, statement: str, parameters: object, *__: object) -> None:
            if statement.lstrip().startswith(("SELECT", "WITH", "DELETE", "UPDATE")):
                cursor.execute(f"EXPLAIN {statement}", parameters)
                plans.extend(line for (line,) in cursor.fetchall())

        sa.event.listen(connected.engine, "before_cursor_execute", explain)
        try:
            work()
        finally:
            sa.event.remove(connected.engine, "before_cursor_execute", explain)
        assert not [line for line in plans if re.search(r"Seq Scan on predictions_feedback\b", line)], plans
        return set(re.findall(r"(?:using|Index Scan on) (\w+)", "\n".join(plans)))

    return indexes_of


@pytest.mark.parametrize(
    ("days", "version", "index"),
    [(1, None, "predictions_feedback_timestamp"), (5, "version-7", "predictions_feedback_version")],
)
def test_the_key_figures_of_a_period(
    connected: Database, indexes_of: Callable[..., set[str]], days: int, version: str | None, index: str
) -> None:
    table = connected.tables.predictions
    period = PredictionFilter(NOW - timedelta(days=days), NOW, version)
    used = indexes_of(lambda: connected.run(lambda connection: kpis.statistics(connection, table, period)))
    assert index in used
    assert used & {"predictions_feedback_feedback", "predictions_feedback_version"}


def test_the_latest_predictions(connected: Database, indexes_of: Callable[..., set[str]]) -> None:
    table = connected.tables.predictions
    used = indexes_of(lambda: connected.run(lambda connection: listings.list_predictions(connection, table)))
    assert used == {"predictions_feedback_timestamp"}


def test_predictions_under_a_receipt_code(connected: Database, indexes_of: Callable[..., set[str]]) -> None:
    def work() -> None:
        with pytest.raises(NotFound):
            data_subject_rights.export(connected, Spool.from_settings(connected.settings), "0000")

    assert "predictions_feedback_consent" in indexes_of(work)
