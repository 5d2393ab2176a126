"""The folder of a running server, what is left after a crash, and the user that kernels run as."""

from __future__ import annotations

import asyncio
import fcntl
import logging
import os
import signal
import subprocess
import sys
import tempfile
from collections.abc import Callable, Coroutine, Iterator
from pathlib import Path
from typing import Any

import psutil
import pytest

from catsdogs.server.kernels import runtime_folder
from catsdogs.server.kernels.forking import IS_SUPPORTED, Zygote
from catsdogs.server.kernels.zygote import KERNEL_BYTES
from tests import kernel_processes
from tests.server.client import Client
from tests.serving import Launch
from tests.waiting import until

Run = Callable[[Coroutine[Any, Any, Any]], Any]

IS_ROOT = os.geteuid() == 0


@pytest.fixture
def folder() -> Iterator[Path]:
    """A folder for temporary files, with a short path, as sockets need it."""
    with tempfile.TemporaryDirectory(prefix="catsdogs-test-") as name:
        Path(name).chmod(0o711)
        yield Path(name)


def test_what_a_server_that_was_killed_left_is_removed_and_running_ones_keep_theirs(
    launch: Launch, folder: Path
) -> None:
    killed, running = launch(TMPDIR=str(folder)), launch(TMPDIR=str(folder))
    Client(killed).open_page()
    page = Client(running).open_page()
    assert len(list(folder.glob(f"{runtime_folder.PREFIX}*"))) == 2
    killed.process.send_signal(signal.SIGKILL)
    killed.process.wait()
    files = folder.glob(f"{runtime_folder.PREFIX}*/kernel-*.json")
    [left] = [path for path in files if page.kernel_id not in path.name]
    spawned = subprocess.Popen([sys.executable, "-c", "import sys; sys.stdin.read()", str(left)], stdin=subprocess.PIPE)
    again = launch(TMPDIR=str(folder))
    assert not left.parent.exists()
    assert spawned.wait(30) == -signal.SIGKILL, "a kernel that was not forked is still there"
    assert Client(running).heartbeat(page.kernel_id) == 204
    assert Client(running).close_page(page) == 204
    assert [running.stop(), again.stop()] == [0, 0]
    assert list(folder.glob(f"{runtime_folder.PREFIX}*")) == []


def test_folders_that_are_not_ours_are_left_alone(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(tempfile, "tempdir", str(folder))
    stranger = folder / f"{runtime_folder.PREFIX}other"
    stranger.mkdir()
    (folder / "kept").mkdir()
    (folder / "kept" / runtime_folder.LOCK).touch()
    (folder / f"{runtime_folder.PREFIX}link").symlink_to(folder / "kept")
    with runtime_folder.runtime_folder():
        assert stranger.exists()
        assert (folder / "kept" / runtime_folder.LOCK).exists()


def test_a_server_that_starts_at_the_same_time_leaves_a_new_folder_alone(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(tempfile, "tempdir", str(folder))
    lock = fcntl.flock

    def sweep_first(stream: Any, operation: int) -> None:
        monkeypatch.undo()
        runtime_folder._sweep(folder)
        lock(stream, operation)

    monkeypatch.setattr(fcntl, "flock", sweep_first)
    with runtime_folder.runtime_folder() as name:
        assert Path(name, runtime_folder.LOCK).exists()
        runtime_folder._sweep(Path(name).parent)
        assert Path(name, runtime_folder.LOCK).exists()
    assert not Path(name).exists()


@pytest.mark.skipif(not IS_ROOT, reason="only root can choose the user of a process")
def test_root_is_warned_and_kernels_run_as_another_user_where_that_is_possible(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr(runtime_folder, "_problem_of", lambda _: None)
    account = runtime_folder.kernel_account()
    assert account is not None
    assert 0 not in account
    monkeypatch.undo()
    monkeypatch.setattr(sys, "executable", "/root/no such python")
    assert runtime_folder.kernel_account() is None
    texts = [record.getMessage() for record in caplog.records if record.levelno == logging.WARNING]
    assert [text.partition(",")[0] for text in texts] == ["The server runs as root"] * 2
    assert "user nobody cannot run Python there" in texts[1]


def test_another_user_than_root_is_not_warned(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr(os, "geteuid", lambda: 1000)
    assert runtime_folder.kernel_account() is None
    assert caplog.records == []


@pytest.mark.skipif(not (IS_ROOT and IS_SUPPORTED), reason="only root can choose the user of a process")
def test_kernels_have_the_rights_of_that_user_only(run_alone: Run, folder: Path) -> None:
    account = 65534, 65534
    os.chown(folder, *account)

    async def start() -> psutil.Process:
        zygote = Zygote()
        running = asyncio.create_task(
            zygote.keep_running(account=account, cwd="/", env={"IPYTHONDIR": str(folder / "ipython")})
        )
        await asyncio.sleep(0)
        connection_file = kernel_processes.new_connection_file(folder)
        os.chown(connection_file, *account)
        forked = await zygote.fork(connection_file)
        assert forked
        kernel = psutil.Process(forked.pid)
        rights = "[*__import__('os').getresuid(), *__import__('os').getresgid(), *__import__('os').getgroups()]"
        assert await asyncio.to_thread(kernel_processes.ask, kernel, rights) == [65534] * 6
        with pytest.raises(AssertionError):
            await asyncio.to_thread(kernel_processes.ask, kernel, "open('/etc/shadow').read()")
        limits = "__import__('resource').getrlimit(__import__('resource').RLIMIT_DATA)"
        assert await asyncio.to_thread(kernel_processes.ask, kernel, limits) == (KERNEL_BYTES, KERNEL_BYTES)
        forked.kill()
        running.cancel()
        await asyncio.wait([running])
        return kernel

    kernel = run_alone(start())
    until(lambda: not kernel.is_running())


def test_with_a_long_folder_for_temporary_files_pages_get_their_kernels(launch: Launch, folder: Path) -> None:
    """Such as that of macOS: the path of a socket has 103 bytes there."""
    long = folder / ("x" * (79 - len(str(folder))))
    long.mkdir()
    assert len(str(long)) == 80
    page = Client(launch(TMPDIR=str(long))).open_page()
    assert page.process.is_running()
    sockets = [one.laddr for one in psutil.net_connections("unix") if page.kernel_id in str(one.laddr)]
    assert sockets
    assert max(len(path) for path in sockets) < runtime_folder.MAX_SOCKET_PATH
