"""A file is written completely or not at all, and is on disk when the write has returned."""

from __future__ import annotations

import os
import signal
import stat
import subprocess
import sys
from pathlib import Path

import pytest

from catsdogs import files
from catsdogs.files import atomic_write

WRITE_FOR_EVER = """
import sys
from pathlib import Path
from catsdogs.files import atomic_write
for number in range(10**9):
    with atomic_write(Path(sys.argv[1])) as stream:
        for _ in range(100):
            stream.write(b"%9d" % number)
    print(number, flush=True)
"""


def write(path: Path, content: bytes, draft: Path | None = None) -> None:
    with atomic_write(path, draft) as stream:
        stream.write(content)


def test_an_older_file_is_replaced_and_no_draft_is_left(tmp_path: Path) -> None:
    write(tmp_path / "file", b"old")
    write(tmp_path / "file", b"new")
    assert {path.name: path.read_bytes() for path in tmp_path.iterdir()} == {"file": b"new"}


def test_after_an_exception_the_file_is_as_it_was(tmp_path: Path) -> None:
    write(tmp_path / "file", b"old")
    with pytest.raises(TypeError), atomic_write(tmp_path / "file") as stream:
        stream.writelines([b"half of the new", "not bytes"])  # type: ignore[list-item]
    assert {path.name: path.read_bytes() for path in tmp_path.iterdir()} == {"file": b"old"}


def test_a_draft_left_by_a_stopped_program_is_overwritten(tmp_path: Path) -> None:
    (tmp_path / "draft").write_bytes(b"a longer leftover")
    write(tmp_path / "file", b"new", tmp_path / "draft")
    assert {path.name: path.read_bytes() for path in tmp_path.iterdir()} == {"file": b"new"}


def test_the_draft_of_the_next_writer_is_not_deleted(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    sync = files.sync

    def sync_and_begin_the_next_write(path: Path) -> None:
        sync(path)
        if path.is_dir():  # the first draft has been renamed
            (tmp_path / "draft").write_bytes(b"the next content")

    monkeypatch.setattr(files, "sync", sync_and_begin_the_next_write)
    write(tmp_path / "file", b"new", tmp_path / "draft")
    assert (tmp_path / "draft").read_bytes() == b"the next content"


def test_the_umask_and_the_mode_decide_who_may_read(tmp_path: Path) -> None:
    write(tmp_path / "usual", b"")
    (tmp_path / "touched").touch()
    with atomic_write(tmp_path / "private", mode=0o600):
        pass
    modes = {path.name: stat.S_IMODE(path.stat().st_mode) for path in tmp_path.iterdir()}
    assert modes == {"usual": modes["touched"], "touched": modes["touched"], "private": 0o600}


def test_content_is_synced_before_the_rename_and_the_folder_after_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    synced: list[tuple[str, bool]] = []

    def record(descriptor: int) -> None:
        name = Path(f"/proc/self/fd/{descriptor}").readlink().name
        synced.append((name, (tmp_path / "file").exists()))

    monkeypatch.setattr(os, "fsync", record)
    write(tmp_path / "file", b"new", tmp_path / "draft")
    assert synced == [("draft", False), (tmp_path.name, True)]


def test_a_writer_killed_at_any_moment_leaves_a_complete_file(tmp_path: Path) -> None:
    for _ in range(3):
        command = [sys.executable, "-c", WRITE_FOR_EVER, str(tmp_path / "file")]
        writer = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)
        assert writer.stdout
        for _ in range(20):
            writer.stdout.readline()
        writer.send_signal(signal.SIGKILL)
        writer.communicate()
        content = (tmp_path / "file").read_bytes()
        assert len(content) == 900
        assert len({content[at : at + 9] for at in range(0, 900, 9)}) == 1


@pytest.mark.parametrize("umask", [0, 0o022, 0o077, 0o777])
def test_a_private_folder_has_its_mode_whatever_the_umask(tmp_path: Path, umask: int) -> None:
    before = os.umask(umask)
    try:
        files.data_folder(tmp_path / "data")
        files.private_folder(tmp_path / "private")
        files.private_folder(tmp_path / "private", 0o755)
    finally:
        os.umask(before)
    expected = 0o711 if os.geteuid() == 0 else 0o700
    assert stat.S_IMODE((tmp_path / "data").stat().st_mode) == expected
    assert stat.S_IMODE((tmp_path / "private").stat().st_mode) == 0o700, "one that exists stays as it is"
    assert not files.is_open_to_others(tmp_path / "data")


@pytest.mark.parametrize(("mode", "is_open"), [(0o600, False), (0o640, True), (0o604, True), (0o666, True)])
def test_a_file_that_others_can_read_is_found(tmp_path: Path, mode: int, is_open: bool) -> None:
    path = tmp_path / ".env"
    assert not files.is_open_to_others(path)
    path.touch()
    path.chmod(mode)
    if os.geteuid() == 0:
        assert files.is_open_to_others(path) is bool(mode & 0o006), "the group of root"
        os.chown(path, -1, 54321)
    assert files.is_open_to_others(path) is is_open
