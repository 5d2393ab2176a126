"""Recording a prediction beside a plain INSERT, and the replay of the spool, on an embedded server of its own."""

from __future__ import annotations

import statistics
import tempfile
import time
from collections.abc import Callable
from uuid import uuid4

import sqlalchemy as sa

from catsdogs.database import Database, setup
from catsdogs.domain import Answer, Consent, Prediction
from catsdogs.images import ImageStatistics
from catsdogs.predictions import PredictionRecord
from catsdogs.recorder import Recorder
from catsdogs.settings import Settings
from catsdogs.spool import Spool

REPEATS = 300
WAITING = 2000


def measure() -> list[tuple[str, str, str]]:
    with tempfile.TemporaryDirectory(prefix="catsdogs-bench-") as folder:
        settings = Settings(_env_file=None, db_host=None, CATSDOGS_DATA_DIR=folder)
        database = Database(settings)
        setup.ensure(database)
        recorder = Recorder(database, Spool.of(settings))  # without its thread, which would help
        insert = _median(_plain_insert(database))
        record = _median(lambda: recorder.store(_prediction()))
        kept = _median(lambda: recorder.spool.put_prediction(_prediction()))
        for _ in range(WAITING - REPEATS):
            recorder.spool.put_prediction(_prediction())
        started = time.perf_counter()
        rate = recorder.replay() / (time.perf_counter() - started)
        recorder.close()
    return [
        ("one plain INSERT in a transaction", f"{insert:.2f} ms", "1.0"),
        ("one prediction recorded", f"{record:.2f} ms", f"{record / insert:.1f} x the INSERT"),
        ("one prediction put into the spool", f"{kept:.2f} ms", f"{kept / insert:.1f} x the INSERT"),
        ("replay of the spool", f"{rate:,.0f} records/s", f"{rate * insert / 1000:.1f} x the rate"),
    ]


def _prediction() -> PredictionRecord:
    prediction = Prediction(Answer.CAT, 0.9, 0.1, 0.02, "bench", 3.5)
    return PredictionRecord.of(
        prediction, ImageStatistics(640, 480, 0.5, 0.1), photo=b"", filename=None, consent=Consent()
    )[0]


def _plain_insert(database: Database) -> Callable[[], object]:
    """Insert the same figures with one statement and no more."""
    statement = sa.text(
        """INSERT INTO predictions_feedback (id, timestamp, success, prediction_result, proba_cat, proba_dog,
        neither_score, rgpd_consent, model_version, inference_time_ms, width, height, brightness, sharpness)
        VALUES (:id, now(), true, 'cat', 0.9, 0.1, 0.02, false, 'bench', 3.5, 640, 480, 0.5, 0.1)"""
    )

    def insert() -> None:
        with database.engine.begin() as connection:
            connection.execute(statement, {"id": uuid4()})

    return insert


def _median(work: Callable[[], object]) -> float:
    """Milliseconds."""
    times = []
    for _ in range(REPEATS):
        started = time.perf_counter()
        work()
        times.append(1000 * (time.perf_counter() - started))
    return statistics.median(times)
