"""The data controller is known before a service is started, in a kernel and elsewhere."""

from __future__ import annotations

from pathlib import Path

import pytest

from catsdogs.domain import UNKNOWN_CONTROLLER, DataController
from catsdogs.service import URL_VARIABLE, data_controller


@pytest.fixture(autouse=True)
def _nowhere(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("CATSDOGS_CONTROLLER", "Example Ltd")
    monkeypatch.setenv("CATSDOGS_CONTACT", "privacy@example.org")
    monkeypatch.setenv("CATSDOGS_RETENTION_DAYS", "30")


def test_outside_of_the_server_the_settings_name_the_controller(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert data_controller() == DataController("Example Ltd", "privacy@example.org", 30)
    monkeypatch.delenv("CATSDOGS_CONTROLLER")
    (tmp_path / ".env").write_text("CATSDOGS_CONTROLLER=Of the file\n")
    assert data_controller().name == "Of the file"


def test_in_a_kernel_the_servers_variables_name_the_controller(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(URL_VARIABLE, "http://127.0.0.1:1")
    assert data_controller() == DataController("Example Ltd", "privacy@example.org", 30)
    for name in ("CONTROLLER", "CONTACT", "RETENTION_DAYS"):
        monkeypatch.delenv(f"CATSDOGS_{name}")
    assert data_controller() == UNKNOWN_CONTROLLER


def test_wrong_settings_are_reported_by_the_service(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CATSDOGS_RETENTION_DAYS", "soon")
    assert data_controller() == UNKNOWN_CONTROLLER
