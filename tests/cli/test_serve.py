"""``catsdogs serve``: one clear sentence if it cannot start, and the secrets that it writes at the first start."""

from __future__ import annotations

import os
import socket
import stat
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

import psutil
import pytest

from catsdogs.cli.serve import OPEN_FILES
from tests.serving import Launch, RunningServer, free_port, wait_until_ready


@pytest.fixture
def folder() -> Iterator[Path]:
    """A folder for a server; PostgreSQL's user has no access to pytest's folders."""
    with tempfile.TemporaryDirectory(prefix="catsdogs-test-") as name:
        yield Path(name)


def error_of_serve(folder: Path, *arguments: str, **variables: str) -> str:
    """Run the command, which cannot start, and return the only line that it prints."""
    inherited = {k: v for k, v in os.environ.items() if not k.startswith(("DB_", "CATSDOGS_", "API_"))}
    done = subprocess.run(
        [sys.executable, "-m", "catsdogs", "serve", *arguments],
        cwd=folder,
        env=inherited | variables,
        capture_output=True,
        text=True,
        timeout=60,
    )
    assert done.returncode == 1
    assert done.stdout == ""
    [sentence] = done.stderr.splitlines()
    return sentence


def test_a_port_in_use_is_an_error_before_anything_is_started(folder: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = str(taken.getsockname()[1])
        sentence = error_of_serve(folder, "--port", port)
    assert port in sentence
    assert "taken" in sentence
    assert not (folder / ".env").exists()
    assert not list(folder.glob("data/*"))


@pytest.mark.parametrize("host", ["192.0.2.1", "no.such.host.invalid"])
def test_an_address_of_another_machine_is_an_error(folder: Path, host: str) -> None:
    assert host in error_of_serve(folder, "--host", host)


def test_kernels_on_another_machine_need_an_address_of_the_server(folder: Path) -> None:
    gateway = {"CATSDOGS_GATEWAY_TOKEN": "g" * 20, "CATSDOGS_GATEWAY_URL": "http://192.0.2.1:8888"}
    secrets = {"API_TOKEN": "t" * 24, "CATSDOGS_OPERATOR_PASSWORD": "open sesame"}
    sentence = error_of_serve(folder, "--port", str(free_port()), **gateway, **secrets)
    assert "CATSDOGS_URL_FOR_KERNELS" in sentence
    assert "http://192.0.2.1:8888" in sentence


def test_a_data_folder_that_cannot_be_written_is_an_error(folder: Path) -> None:
    (folder / "file").touch()
    sentence = error_of_serve(folder, CATSDOGS_DATA_DIR=str(folder / "file" / "data"))
    assert "CATSDOGS_DATA_DIR" in sentence
    assert not (folder / ".env").exists()


def test_a_malformed_env_file_is_an_error(folder: Path) -> None:
    (folder / ".env").write_text("API_TOKEN=abcdefghijklmnopqrstuvwxyz\nthis is no setting\n")
    sentence = error_of_serve(folder)
    assert ".env" in sentence
    assert "2" in sentence
    assert sorted(path.name for path in folder.iterdir()) == [".env"]


def test_a_wrong_setting_is_named_without_its_value(folder: Path) -> None:
    sentence = error_of_serve(folder, API_TOKEN="short")
    assert "API_TOKEN" in sentence
    assert "short" not in sentence


def test_a_first_start_writes_secrets_and_prints_where(launch: Launch, folder: Path) -> None:
    server = launch(folder, wait=False, API_TOKEN="", CATSDOGS_OPERATOR_PASSWORD="")
    wait_until_ready(server)
    secrets = dict(line.split("=") for line in (folder / ".env").read_text().split())
    assert len(secrets["API_TOKEN"]) >= 32
    assert len(secrets["CATSDOGS_OPERATOR_PASSWORD"]) >= 32
    assert (folder / ".env").stat().st_mode & 0o777 == 0o600
    log = server.log.read_text()
    assert stat.S_IMODE((folder / "data").stat().st_mode) in {0o700, 0o711}
    assert "chmod" not in log
    assert "API_TOKEN" in log
    assert f"catsdogs is ready: {server.url}" in log
    assert not any(secret in log for secret in secrets.values())
    assert server.stop() == 0


def test_files_that_others_can_read_are_named_at_start(launch: Launch, folder: Path) -> None:
    (folder / ".env").write_text("CATSDOGS_LANG=en\n")
    (folder / ".env").chmod(0o644)
    (folder / "data").mkdir()
    (folder / "data").chmod(0o755)
    server = launch(folder)
    log = server.log.read_text()
    assert f"chmod 600 {folder / '.env'}" in log
    assert f"chmod 700 {folder / 'data'}" in log
    assert server.stop() == 0


@pytest.mark.skipif(not hasattr(psutil.Process, "rlimit"), reason="the system does not report limits")
def test_the_server_may_open_many_files(server: RunningServer) -> None:
    soft, hard = psutil.Process(server.process.pid).rlimit(psutil.RLIMIT_NOFILE)
    assert soft == min(hard, OPEN_FILES)
