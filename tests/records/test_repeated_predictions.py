"""A prediction that is sent twice under one receipt code is recorded once, whenever and wherever the two arrive."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
import sqlalchemy as sa
from uuid_utils.compat import uuid7

from catsdogs.domain import Consent
from catsdogs.errors import NotFound, ReceiptRefused
from catsdogs.records import data_subject_rights
from catsdogs.records.consent_changes import ConsentChange
from catsdogs.records.predictions import PredictionRecord
from catsdogs.records.repeated_predictions import store_once
from catsdogs.settings import Settings
from tests.storage import Storage
from tests.waiting import until

MakeRecord = Callable[..., tuple[PredictionRecord, str]]
ALL = Consent(True, True)
LOCKED = sa.text(
    "SELECT count(*) FROM pg_stat_activity WHERE wait_event_type = 'Lock' AND datname = current_database()"
)


@pytest.fixture
def replica(database: Settings, storage: Storage, tmp_path: Path) -> Iterator[Storage]:
    """Storage of another replica: the same database, and a spool of its own."""
    other = Storage.open(database.model_copy(update={"data_dir": tmp_path / "other"}))
    yield other
    other.close()


@pytest.fixture
def stranded(database: Settings) -> Iterator[Storage]:
    """Storage with the same spool as `storage`, whose database cannot be reached."""
    opened = Storage.open(database.model_copy(update={"db_host": "/nonexistent"}))
    yield opened
    opened.close()


def repeated(record: PredictionRecord) -> PredictionRecord:
    """Return the record of the same photo and code, as the server makes it for the request that comes again."""
    assert record.decision
    return record.model_copy(update={"id": uuid7(), "decision": record.decision.model_copy(update={"id": uuid7()})})


def hash_of(record: PredictionRecord) -> str:
    assert record.decision
    return record.decision.receipt_hash


def test_the_second_of_two_requests_waits_for_the_first_and_finds_its_prediction(
    storage: Storage, replica: Storage, make_record: MakeRecord
) -> None:
    record, receipt = make_record(ALL)
    with ThreadPoolExecutor(1) as threads:
        with storage.database.engine.begin() as connection:
            store_once(connection, storage.database.tables, record, hash_of(record))
            second = threads.submit(replica.writer.store_prediction_once, repeated(record))
            until(lambda: storage.database.run(lambda other: other.scalar(LOCKED)))
        assert second.result() == (record.id, True)
    assert set(storage.rows()) == {record.id}
    held = data_subject_rights.export(storage.database, storage.spool, receipt)
    assert (len(held["decisions"]), len(held["photos"])) == (1, 1)


def test_an_erasure_waits_for_what_is_just_stored_under_its_receipt(
    storage: Storage, replica: Storage, make_record: MakeRecord
) -> None:
    record, receipt = make_record(ALL)
    with ThreadPoolExecutor(1) as threads:
        with storage.database.engine.begin() as connection:
            store_once(connection, storage.database.tables, record, hash_of(record))
            erasure = threads.submit(data_subject_rights.erase, replica.database, replica.spool, receipt)
            until(lambda: storage.database.run(lambda other: other.scalar(LOCKED)))
        assert erasure.result().predictions == [record.id]
    assert storage.rows() == {}


def test_a_withdrawal_waits_for_the_replay_of_another_replica(
    storage: Storage, replica: Storage, make_record: MakeRecord
) -> None:
    record, receipt = make_record(ALL)
    with ThreadPoolExecutor(1) as threads:
        with storage.database.engine.begin() as connection:
            store_once(connection, storage.database.tables, record, hash_of(record))
            withdrawal = threads.submit(data_subject_rights.withdraw, replica.database, replica.spool, receipt)
            until(lambda: storage.database.run(lambda other: other.scalar(LOCKED)))
        assert withdrawal.result().photos == 1
    assert storage.rows()[record.id]["filename"] is None


def test_without_a_database_it_waits_once(storage: Storage, stranded: Storage, make_record: MakeRecord) -> None:
    record, _ = make_record(ALL)
    storage.replayer.close()
    with ThreadPoolExecutor(8) as threads:
        found = list(threads.map(stranded.writer.store_prediction_once, [repeated(record) for _ in range(8)]))
    assert len(set(found)) == len(stranded.spool) == 1
    other = repeated(record).model_copy(update={"width": 7})
    with pytest.raises(ReceiptRefused, match="in use already"):
        stranded.writer.store_prediction_once(other)


def test_what_waits_at_two_replicas_is_stored_once(storage: Storage, replica: Storage, make_record: MakeRecord) -> None:
    first, receipt = make_record(ALL)
    for where in (storage, replica):
        where.replayer.close()
        for _ in range(2):
            where.spool.put_prediction(repeated(first))
    assert [where.replayer.replay() for where in (storage, replica)] == [2, 2]
    assert len(storage.rows()) == 1
    assert len(data_subject_rights.export(storage.database, storage.spool, receipt)["predictions"]) == 1


def test_the_code_of_an_erasure_is_never_used_again(storage: Storage, make_record: MakeRecord) -> None:
    """Not even by the same request, which a proxy may still repeat."""
    record, receipt = make_record(ALL)
    storage.writer.store_prediction_once(record)
    data_subject_rights.erase(storage.database, storage.spool, receipt)
    with pytest.raises(ReceiptRefused):
        storage.writer.store_prediction_once(repeated(record))
    other, _ = make_record()
    storage.writer.store_prediction(other)
    change = ConsentChange.create(other.id, Consent(True), filename="a", photo=None, receipt=None, new_receipt=receipt)
    with pytest.raises(ReceiptRefused):
        storage.writer.change_consent(change)
    with pytest.raises(NotFound):
        data_subject_rights.export(storage.database, storage.spool, receipt)
