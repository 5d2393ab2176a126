"""Recording of a prediction, compared with a plain INSERT, and replay of the spool, on an embedded server."""

from __future__ import annotations

import io
import statistics
import tempfile
import time
from collections.abc import Callable
from uuid import uuid4

import skimage.data
import sqlalchemy as sa
from PIL import Image

from catsdogs.database import Database, setup
from catsdogs.domain import Answer, Consent, Prediction
from catsdogs.model.preprocessing import ImageStatistics
from catsdogs.records.predictions import PredictionRecord
from catsdogs.records.spool import Spool
from catsdogs.service.interface import NO_CONSENT
from catsdogs.settings import Settings
from tests.benchmarks._measuring import Row
from tests.storage import Storage

REPEATS = 300
WAITING = 10_000


def measure(*, tiny: bool = False) -> list[Row]:
    repeats, waiting = (2, 10) if tiny else (REPEATS, WAITING)
    with tempfile.TemporaryDirectory(prefix="catsdogs-bench-") as folder:
        settings = Settings(_env_file=None, db_host=None, CATSDOGS_DATA_DIR=folder)
        database = Database(settings)
        setup.ensure(database)
        storage = Storage.create(database, Spool.from_settings(settings))
        photo = _photo()
        insert, record, kept, consented = medians(
            _plain_insert(database),
            lambda: storage.writer.store_prediction(prediction()),
            lambda: storage.spool.put_prediction(prediction()),
            lambda: storage.writer.store_prediction(prediction(photo, Consent(True, True))),
            repeats=repeats,
        )
        for _ in range(waiting - repeats):
            storage.spool.put_prediction(prediction())
        started = time.perf_counter()
        stored = storage.replayer.replay()
        seconds = time.perf_counter() - started
        storage.close()
    return [
        Row("one plain INSERT in a transaction", f"{insert:.2f} ms", "1.0"),
        Row("one prediction recorded", f"{record:.2f} ms", f"{record - insert:+.2f} ms, {record / insert:.1f} x"),
        Row("the same with file name and photo", f"{consented:.2f} ms", f"{consented - insert:+.2f} ms"),
        Row("one prediction put into the spool", f"{kept:.2f} ms", f"{kept / insert:.1f} x"),
        Row(
            f"replay of {stored:,} from the spool",
            f"{stored / seconds:,.0f} /s",
            f"{stored * insert / 1000 / seconds:.1f} x the rate",
        ),
    ]


def prediction(photo: bytes = b"", consent: Consent = NO_CONSENT) -> PredictionRecord:
    prediction = Prediction(Answer.CAT, 0.9, 0.1, 0.02, "bench", 3.5)
    figures = ImageStatistics(640, 480, 0.5, 0.1)
    return PredictionRecord.create(prediction, figures, photo=photo, filename="bench.jpg", consent=consent)[0]


def _photo() -> bytes:
    """A photo, 1,280 pixels wide."""
    stream = io.BytesIO()
    Image.fromarray(skimage.data.chelsea()).resize((1280, 851)).save(stream, "JPEG", quality=90)
    return stream.getvalue()


def _plain_insert(database: Database) -> Callable[[], object]:
    """Return a function that inserts the same figures with one statement."""
    statement = sa.text(
        """INSERT INTO predictions_feedback (id, timestamp, success, prediction_result, proba_cat, proba_dog,
        neither_score, rgpd_consent, model_version, inference_time_ms, width, height, brightness, sharpness)
        VALUES (:id, now(), true, 'cat', 0.9, 0.1, 0.02, false, 'bench', 3.5, 640, 480, 0.5, 0.1)"""
    )

    def insert() -> None:
        with database.engine.begin() as connection:
            connection.execute(statement, {"id": uuid4()})

    return insert


def medians(*works: Callable[[], object], repeats: int) -> list[float]:
    """Return the median milliseconds of each, measured alternately, under the same load."""
    times: list[list[float]] = [[] for _ in works]
    for _ in range(repeats):
        for work, spent in zip(works, times, strict=True):
            started = time.perf_counter()
            work()
            spent.append(1000 * (time.perf_counter() - started))
    return [statistics.median(spent) for spent in times]
