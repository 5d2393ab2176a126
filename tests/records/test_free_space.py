"""A disk that is almost full, or cannot be written, is named; what the disk cannot take is said honestly."""

from __future__ import annotations

import os
import resource
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from catsdogs.domain import Consent
from catsdogs.errors import InvalidImage, NotFound, SpoolError
from catsdogs.records import free_space
from catsdogs.service.local import Local
from catsdogs.settings import Settings


@contextmanager
def nothing_can_be_written() -> Iterator[None]:
    """Limit the size of this process's files to nothing, as a full disk or a quota does."""
    before, most = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (0, most))  # Python ignores the signal, and gets an error
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (before, most))


def test_answers_go_on_without_a_record_where_nothing_can_be_written(database: Settings, cat_jpeg: bytes) -> None:
    unreachable = database.model_copy(update={"db_host": "/nonexistent"})
    unreachable.data_dir.mkdir()
    with Local.open(unreachable) as service:
        assert "disk" not in service.health()["degraded"]
        with nothing_can_be_written():
            assert "disk" in service.health()["degraded"]
            for consent in (Consent(), Consent(True, True)):
                outcome = service.predict(cat_jpeg, filename="chelsea.jpg", consent=consent)
                assert (outcome.recorded, outcome.stored, outcome.receipt) == (False, False, None)
                assert outcome.prediction.answer == "cat"
            with pytest.raises(InvalidImage):
                service.predict(b"not a picture")
            with pytest.raises(SpoolError):
                service.give_feedback(outcome.feedback_id, user_feedback=1)
        assert "disk" not in service.health()["degraded"]
        assert service.health()["spooled"] == 0
        outcome = service.predict(cat_jpeg, consent=Consent(True))
        assert (outcome.recorded, outcome.stored) == (True, False)
        assert outcome.receipt


def test_with_a_database_nothing_changes(database: Settings, cat_jpeg: bytes) -> None:
    with Local.open(database) as service, nothing_can_be_written():
        outcome = service.predict(cat_jpeg, consent=Consent(True))
        assert (outcome.recorded, outcome.stored) == (True, True)
        assert outcome.receipt
        service.erase(outcome.receipt)
        with pytest.raises(NotFound):
            service.give_feedback(outcome.feedback_id, user_feedback=1)


def test_a_small_disk_is_almost_full_before_it_is_full(tmp_path: Path) -> None:
    command = ["mount", "-t", "tmpfs", "-o", "size=4m", "tmpfs", str(tmp_path)]
    if subprocess.run(command, capture_output=True).returncode:
        pytest.skip("no right to mount a small disk here")
    try:
        assert not free_space.has_room([tmp_path])
        assert not free_space.has_room([Path("/"), tmp_path / "not" / "there" / "yet"])
    finally:
        subprocess.run(["umount", "--lazy", str(tmp_path)], check=True)


def test_room_is_looked_for_in_every_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    assert free_space.has_room([tmp_path, tmp_path / "not yet"])
    found = os.statvfs(tmp_path)
    monkeypatch.setattr(free_space, "LEAST_BYTES", found.f_bavail * found.f_frsize * 2)
    assert not free_space.has_room([tmp_path])


def test_the_number_of_files_counts_too(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    if not os.statvfs(tmp_path).f_files:
        pytest.skip("this file system does not count its files")
    monkeypatch.setattr(free_space, "LEAST_FILES", os.statvfs(tmp_path).f_favail * 2)
    assert not free_space.has_room([tmp_path])
