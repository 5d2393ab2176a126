"""The spool keeps what it accepted: in order, once, through crashes, damage and a full disk."""

from __future__ import annotations

import errno
import os
import signal
import stat
import subprocess
import sys
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from uuid import uuid4

import pytest

from catsdogs.domain import Consent
from catsdogs.errors import SpoolError
from catsdogs.records import set_aside
from catsdogs.records.feedback import FeedbackRecord
from catsdogs.records.predictions import PredictionRecord
from catsdogs.records.spool import Spool

MakeRecord = Callable[..., tuple[PredictionRecord, str | None]]

WRITE_FOR_EVER = """
import sys
from pathlib import Path
from uuid import uuid4
from catsdogs.records.feedback import FeedbackRecord
from catsdogs.records.spool import Spool
spool = Spool(Path(sys.argv[1]), 10**9)
while True:
    record = FeedbackRecord.create(uuid4(), 1, "x" * 900, None)
    spool.put_feedback(record)
    print(record.id, flush=True)
"""


@pytest.fixture
def spool(tmp_path: Path) -> Spool:
    return Spool(tmp_path / "data" / "spool", 10_000_000)


def test_records_come_back_as_they_were_in_order(spool: Spool, make_record: MakeRecord) -> None:
    records = [make_record(Consent(True, index % 2 == 0))[0] for index in range(20)]
    for record in reversed(records):
        spool.put_prediction(record)
    assert [record for _, record in spool.read(spool.prediction_files(), PredictionRecord)] == records
    assert len(spool) == 20
    assert spool.find_prediction(records[3].id) == records[3]
    assert spool.find_prediction(uuid4()) is None


def test_an_empty_spool_writes_nothing(spool: Spool) -> None:
    assert len(spool) == 0
    assert spool.prediction_files() == spool.feedback_files() == []
    assert not spool.folder.exists()


def test_only_the_owner_can_read_the_spool(spool: Spool, make_record: MakeRecord) -> None:
    spool.put_prediction(make_record(Consent(True))[0])
    spool.put_feedback(FeedbackRecord.create(uuid4(), 1, "comment", None))
    with spool.locked():
        pass
    spool.set_aside(spool.feedback_files()[0], "is only a test")
    paths = [spool.folder, *spool.folder.rglob("*")]
    assert {stat.S_IMODE(path.stat().st_mode) for path in paths if path.is_dir()} == {0o700}
    assert {stat.S_IMODE(path.stat().st_mode) for path in paths if path.is_file()} == {0o600}


def test_without_consent_nothing_personal_reaches_the_disk(spool: Spool, make_record: MakeRecord) -> None:
    record, _ = make_record(Consent(), filename="holiday.jpg")
    spool.put_prediction(record)
    content = spool.prediction_files()[0].read_bytes()
    assert b"holiday" not in content
    assert len(content) < 1000


@pytest.mark.parametrize("content", [b"", b"{", b'{"id": "no"}', b"\xff\xfe", b"[]", b"null"])
def test_a_damaged_record_is_moved_and_does_not_block_others(
    spool: Spool, make_record: MakeRecord, caplog: pytest.LogCaptureFixture, content: bytes
) -> None:
    records = [make_record()[0] for _ in range(3)]
    for record in records:
        spool.put_prediction(record)
    spool.prediction_files()[1].write_bytes(content)
    assert [record for _, record in spool.read(spool.prediction_files(), PredictionRecord)] == [records[0], records[2]]
    assert len(spool) == 2
    assert (spool.folder / "damaged" / f"predictions-{records[1].id}.json").read_bytes() == content
    assert str(records[1].id) in caplog.text


def test_the_log_quotes_nothing_of_a_damaged_record(
    spool: Spool, make_record: MakeRecord, caplog: pytest.LogCaptureFixture
) -> None:
    spool.put_prediction(make_record(Consent(True), filename="holiday.jpg")[0])
    path = spool.prediction_files()[0]
    path.write_text(path.read_text().replace('"cat"', '"holiday"'))
    assert list(spool.read([path], PredictionRecord)) == []
    assert "holiday" not in caplog.text


def test_a_full_spool_raises_and_keeps_its_records(tmp_path: Path, make_record: MakeRecord) -> None:
    small = Spool(tmp_path / "spool", 5 * 4096)
    for _ in range(5):
        small.put_prediction(make_record()[0])
    with pytest.raises(SpoolError, match="are full"):
        small.put_prediction(make_record()[0])
    assert len(small) == 5
    small.remove(small.prediction_files()[:1])
    small.put_prediction(make_record()[0])
    a_byte_less = Spool(tmp_path / "other", 5 * 4096 - 1)
    for _ in range(4):
        a_byte_less.put_prediction(make_record()[0])
    with pytest.raises(SpoolError):
        a_byte_less.put_prediction(make_record()[0])


def test_the_limit_includes_records_of_other_processes(tmp_path: Path, make_record: MakeRecord) -> None:
    for _ in range(5):
        Spool(tmp_path / "spool", 5 * 4096).put_prediction(make_record()[0])
    with pytest.raises(SpoolError):
        Spool(tmp_path / "spool", 5 * 4096).put_prediction(make_record()[0])


def test_a_folder_that_cannot_be_written_says_why(tmp_path: Path, make_record: MakeRecord) -> None:
    (tmp_path / "data").touch()
    with pytest.raises(SpoolError, match="Not a directory"):
        Spool(tmp_path / "data" / "spool", 10_000).put_prediction(make_record()[0])


def test_a_full_disk_raises_and_leaves_no_incomplete_record(tmp_path: Path, make_record: MakeRecord) -> None:
    mount = tmp_path / "disk"
    mount.mkdir()
    mounted = subprocess.run(["mount", "-t", "tmpfs", "-o", "size=64k", "tmpfs", str(mount)], capture_output=True)
    if mounted.returncode:
        pytest.skip("no right to mount a small disk here")
    try:
        spool = Spool(mount / "spool", 10_000_000)
        accepted = []
        with pytest.raises(SpoolError, match=os.strerror(errno.ENOSPC)):  # noqa: PT012
            for _ in range(100):
                record = make_record()[0]
                spool.put_prediction(record)
                accepted.append(record)
        assert accepted
        assert [record for _, record in spool.read(spool.prediction_files(), PredictionRecord)] == accepted
        assert list((spool.folder / "tmp").iterdir()) == []
    finally:
        subprocess.run(["umount", str(mount)], check=True)


def test_writers_killed_at_any_moment_lose_nothing_they_had_accepted(spool: Spool) -> None:
    writers = [
        subprocess.Popen([sys.executable, "-c", WRITE_FOR_EVER, str(spool.folder)], stdout=subprocess.PIPE, text=True)
        for _ in range(3)
    ]
    accepted = set()
    for writer in writers:
        assert writer.stdout
        accepted |= {writer.stdout.readline().strip() for _ in range(30)}
        writer.send_signal(signal.SIGKILL)
        *rest, last = writer.communicate()[0].split("\n")  # the last line may be half written
        accepted |= {*rest, last} if len(last) == 36 else {*rest}
    records = [str(record.id) for _, record in spool.read(spool.feedback_files(), FeedbackRecord)]
    assert accepted <= set(records)
    assert len(set(records)) == len(records)
    assert not (spool.folder / "damaged").exists()


def test_threads_may_share_a_spool(spool: Spool, make_record: MakeRecord) -> None:
    records = [make_record()[0] for _ in range(200)]
    with ThreadPoolExecutor(8) as threads:
        list(threads.map(spool.put_prediction, records))
    assert [record for _, record in spool.read(spool.prediction_files(), PredictionRecord)] == records


def test_old_drafts_and_damaged_records_are_purged(spool: Spool, make_record: MakeRecord) -> None:
    for _ in range(2):
        spool.put_prediction(make_record(Consent(True))[0])
    waiting, damaged = spool.prediction_files()
    spool.set_aside(damaged, "is only a test")
    leftover = spool.folder / "tmp" / "half.json"
    leftover.write_text("{")
    assert spool.purge_drafts() + set_aside.purge(spool, before=0) == 0
    os.utime(leftover, (0, 0))
    os.utime(spool.folder / "damaged" / f"predictions-{damaged.name}", (0, 0))
    assert spool.purge_drafts() == set_aside.purge(spool, before=1) == 1
    assert spool.prediction_files() == [waiting]


def test_record_and_folder_are_synced_before_a_record_is_accepted(
    spool: Spool, make_record: MakeRecord, monkeypatch: pytest.MonkeyPatch
) -> None:
    spool.put_prediction(make_record()[0])  # the folders exist now
    synced: list[tuple[str, int]] = []
    fsync = os.fsync

    def watch(descriptor: int) -> None:
        synced.append((Path(f"/proc/self/fd/{descriptor}").readlink().parent.name, len(spool)))
        fsync(descriptor)

    monkeypatch.setattr(os, "fsync", watch)
    spool.put_prediction(make_record()[0])
    assert synced == [("tmp", 1), ("spool", 2)]  # the draft, then the folder of predictions
