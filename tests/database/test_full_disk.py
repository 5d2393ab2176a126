"""A full disk under the embedded server: a clear error, no accepted record is lost, and a way to continue."""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterator
from pathlib import Path
from uuid import UUID

import pytest
import sqlalchemy as sa

from catsdogs.database.embedded import EmbeddedServer
from catsdogs.domain import Consent
from catsdogs.errors import DatabaseUnavailable, SpoolError
from catsdogs.records.predictions import PredictionRecord
from catsdogs.settings import Settings
from tests.small_disk import fill, small_disk
from tests.storage import Storage
from tests.waiting import until


@pytest.fixture
def disk(data_dir: Path) -> Iterator[Callable[[str], Path]]:
    """Mount a small disk on the data folder."""
    with contextlib.ExitStack() as mounted:
        yield lambda size: mounted.enter_context(small_disk(data_dir, size))


def test_a_disk_too_small_for_a_cluster_is_reported(disk: Callable[[str], Path]) -> None:
    folder = disk("5m")
    with pytest.raises(DatabaseUnavailable, match="cannot make its files") as refused:
        EmbeddedServer(folder).start()
    assert "No space left" in str(refused.value)
    assert not (folder / "postgresql").exists()
    assert not (folder / "postgresql.new").exists()


def test_a_server_reports_a_full_disk_and_starts_once_there_is_room(
    disk: Callable[[str], Path],
) -> None:
    server = EmbeddedServer(disk("150m"))
    server.start()
    server.stop()
    filler = fill(server.data_dir)
    with pytest.raises(DatabaseUnavailable, match="is full: PostgreSQL cannot start"):
        server.start()
    filler.unlink()
    server.start()
    server.stop()


def test_a_disk_that_runs_full_loses_nothing_accepted(
    disk: Callable[[str], Path], make_record: Callable[..., tuple[PredictionRecord, str | None]]
) -> None:
    folder = disk("150m")
    storage = Storage.open(Settings(_env_file=None, db_host=None, CATSDOGS_DATA_DIR=folder))
    accepted: set[UUID] = set()
    filler = fill(folder)
    with pytest.raises(SpoolError, match="No space left"):  # noqa: PT012
        for _ in range(2000):
            record, _ = make_record(Consent(True, True))
            storage.writer.store_prediction(record)
            accepted.add(record.id)
    filler.unlink()

    record, _ = make_record(Consent(True))
    storage.writer.store_prediction(record)
    accepted.add(record.id)
    until(lambda: storage.is_idle, timeout=60)
    query = sa.select(storage.database.tables.predictions.c.id)
    assert accepted <= set(storage.database.run(lambda connection: connection.scalars(query).all()))
    storage.close()
