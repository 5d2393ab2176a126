from __future__ import annotations

from datetime import timedelta

import pandas as pd
import pytest

from catsdogs.database import Database
from catsdogs.errors import InvalidInput
from catsdogs.monitoring.dataframes import prediction_chunks, read_predictions
from catsdogs.monitoring.prediction_filter import PredictionFilter
from catsdogs.settings import Settings
from tests.rows import NOW, InsertRows, make_row, random_rows

PERSONAL = {"filename", "user_comment", "consent_id"}


def test_every_prediction_is_read_typed_and_in_order(insert_rows: InsertRows, database: Settings) -> None:
    rows = sorted(random_rows(6, n=60), key=lambda row: row["timestamp"])
    insert_rows(rows)
    frame = read_predictions(settings=database)
    assert list(frame["timestamp"]) == [row["timestamp"] for row in rows]
    for name in set(frame.columns) & set(rows[0]) - {"id", "timestamp"}:
        wanted = [row[name] for row in rows]
        assert [None if pd.isna(value) else value for value in frame[name]] == wanted, name
    assert frame["id"].tolist() == [str(row["id"]) for row in rows]
    assert not PERSONAL & set(frame.columns)


def test_column_types_do_not_depend_on_the_data(insert_rows: InsertRows, database: Settings) -> None:
    """A column that is empty in this window is not of another type: code written on one window works on the next."""
    insert_rows([])
    empty = read_predictions(settings=database)
    insert_rows([make_row(NOW, prediction_result="error", inference_time_ms=None)])
    failure = read_predictions(settings=database)
    insert_rows(random_rows(7, n=20))
    many = read_predictions(settings=database)
    assert (len(empty), len(failure), len(many)) == (0, 1, 21)
    for name in many.columns:
        kinds = {frame[name].dtype.name for frame in (empty, failure, many)}
        assert len(kinds) == 1, name
    assert isinstance(many["timestamp"].dtype, pd.DatetimeTZDtype)
    assert many["success"].dtype == bool
    assert many["proba_cat"].dtype == float


def test_only_predictions_that_pass_the_filter_are_read(insert_rows: InsertRows, database: Settings) -> None:
    hour = timedelta(hours=1)
    insert_rows([make_row(NOW - hour), make_row(NOW), make_row(NOW + hour)])
    assert list(read_predictions(PredictionFilter(NOW, NOW + hour), settings=database)["timestamp"]) == [NOW]
    assert len(read_predictions(PredictionFilter(NOW), settings=database)) == 2


def test_chunks_hold_each_row_once(insert_rows: InsertRows, database: Settings) -> None:
    same_moment = [make_row(NOW, proba_cat=0.9 - index / 100, proba_dog=0.1 + index / 100) for index in range(5)]
    insert_rows(random_rows(8, n=30) + same_moment)
    whole = read_predictions(settings=database)
    for size in (1, 4, 35, 50):
        chunks = list(prediction_chunks(size=size, settings=database))
        assert max(len(chunk) for chunk in chunks) <= size
        assert [identifier for chunk in chunks for identifier in chunk["id"]] == whole["id"].tolist()
        assert chunks[-1].dtypes["timestamp"] == whole.dtypes["timestamp"]
    with pytest.raises(InvalidInput):
        next(prediction_chunks(size=0, settings=database))


def test_the_connection_is_closed(insert_rows: InsertRows, database: Settings) -> None:
    insert_rows([make_row(NOW)])
    observer = Database(database)
    question = "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() AND pid <> pg_backend_pid()"
    with observer.engine.connect() as connection:
        before = connection.exec_driver_sql(question).scalar_one()
        read_predictions(settings=database)
        after = connection.exec_driver_sql(question).scalar_one()
    observer.close()
    assert after == before
