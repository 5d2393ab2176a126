"""The made-up history: the same for one seed, within the rules of the table, and with its incidents in their place."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from statistics import mean

import pytest
import sqlalchemy as sa

from catsdogs.database import Database
from catsdogs.database.demo_ids import is_demo
from catsdogs.demo.history import PHOTOS_A_DAY, History, Incident, IncidentKind, Row
from catsdogs.model.card import SHIPPED
from catsdogs.settings import Settings

START = datetime(2026, 3, 2, tzinfo=UTC)
DAY = timedelta(days=1)
INCIDENTS = [
    Incident(kind, START + DAY * number, START + DAY * (number + 1)) for number, kind in enumerate(IncidentKind)
]
HISTORY = History(START, len(INCIDENTS) + 3, INCIDENTS)


@pytest.fixture(scope="module")
def rows() -> list[Row]:
    return list(HISTORY.rows())


def day(rows: list[Row], kind: IncidentKind) -> list[Row]:
    [incident] = [incident for incident in INCIDENTS if incident.kind is kind]
    return [row for row in rows if incident.start <= row["timestamp"] < incident.end]


def test_one_seed_gives_the_same_rows_and_another_gives_others(rows: list[Row]) -> None:
    assert list(History(START, 1).rows()) == list(History(START, 1).rows())
    assert list(History(START, 1).rows()) != list(History(START, 1, seed=1).rows())
    assert [row["timestamp"] for row in rows] == sorted(row["timestamp"] for row in rows)
    steady = [row for row in rows if row["timestamp"] >= INCIDENTS[-1].end]
    assert len(steady) / 3 == pytest.approx(PHOTOS_A_DAY, rel=0.15)


def test_each_incident_changes_what_it_names(rows: list[Row]) -> None:
    def answered(kind: IncidentKind) -> list[Row]:
        return [row for row in day(rows, kind) if row["success"]]

    def share(kind: IncidentKind, value: str) -> float:
        return mean(float(row["prediction_result"] == value) for row in day(rows, kind))

    assert day(rows, IncidentKind.GAP) == []
    assert mean(row["inference_time_ms"] for row in answered(IncidentKind.SLOW)) > 20
    assert mean(row["inference_time_ms"] for row in answered(IncidentKind.STALLED)) > 700
    ratings = [row["user_feedback"] for row in day(rows, IncidentKind.DISSATISFIED)]
    assert mean(rating for rating in ratings if rating is not None) < 0.5
    assert share(IncidentKind.UNREADABLE, "error") > 0.2
    assert share(IncidentKind.ONE_ANSWER, "cat") > 0.9
    assert share(IncidentKind.OTHER_THINGS, "neither") > 0.3
    assert max(max(row["proba_cat"], row["proba_dog"]) for row in answered(IncidentKind.UNSURE)) <= 0.6
    assert max(row["brightness"] for row in answered(IncidentKind.DARK_PHOTOS)) <= 0.25
    sharpness = [row["sharpness"] / row["brightness"] ** 2 for row in answered(IncidentKind.BLURRED_PHOTOS)]
    assert max(sharpness) <= 0.03
    assert {row["model_version"] for row in day(rows, IncidentKind.NEW_VERSION)} == {f"{SHIPPED.name}-demo"}


def test_the_table_takes_every_row_and_all_are_found_again_by_their_identifiers(
    database: Settings, rows: list[Row]
) -> None:
    opened = Database(database)
    table = opened.tables.predictions

    def work(connection: sa.Connection) -> int | None:
        connection.execute(sa.insert(table), rows)
        return connection.scalar(sa.select(sa.func.count()).select_from(table).where(is_demo(table.c.id)))

    assert opened.run(work) == len(rows)
    opened.close()
