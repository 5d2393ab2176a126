"""``catsdogs alerts check`` and ``catsdogs alerts test``."""

from __future__ import annotations

import json
import socket
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from catsdogs.errors import InvalidImage
from catsdogs.records.predictions import PredictionRecord
from tests.alerting.mailbox import SECRET, open_mailbox
from tests.command import catsdogs
from tests.storage import Storage

Run = Callable[..., subprocess.CompletedProcess[str]]


@pytest.fixture
def check(environment: dict[str, str], tmp_path: Path) -> Run:
    def check(*arguments: str, **variables: str) -> subprocess.CompletedProcess[str]:
        return catsdogs("alerts", "check", *arguments, environment=environment | variables, folder=tmp_path)

    return check


def fail(storage: Storage, times: int) -> None:
    for _ in range(times):
        storage.writer.store_prediction(PredictionRecord.of_failure(InvalidImage("no"), "test-1"))


def test_it_exits_with_0_without_alerts(check: Run, storage: Storage, make_record: Any) -> None:
    done = check()
    nothing = "No alert, but there are too few predictions: nothing was checked.\n"
    assert (done.returncode, done.stdout, done.stderr) == (0, nothing, "")
    for answer in ("cat", "dog") * 6:
        storage.writer.store_prediction(make_record()[0].model_copy(update={"prediction_result": answer}))
    done = check()
    assert (done.returncode, done.stdout, done.stderr) == (0, "No alert.\n", "")


def test_it_exits_with_2_if_alerts_fire(
    check: Run, storage: Storage, environment: dict[str, str], tmp_path: Path
) -> None:
    fail(storage, 25)
    process = [sys.executable, "-m", "catsdogs", "alerts", "check", "--json"]  # as cron runs it
    done = subprocess.run(process, env=environment, cwd=tmp_path, capture_output=True, text=True)
    assert (done.returncode, done.stderr) == (2, "")
    alert = json.loads(done.stdout)
    assert (alert["rule"], alert["state"], alert["value"], alert["n"]) == ("errors", "firing", 1.0, 25)
    done = check("--no-send", CATSDOGS_LANG="en")
    assert done.returncode == 2
    assert "Alert: Many photos cannot be read" in done.stdout


def test_it_exits_with_1_if_the_rules_cannot_be_evaluated(check: Run, tmp_path: Path) -> None:
    unreachable = check(DB_HOST="127.0.0.1", DB_PORT="1")
    assert (unreachable.returncode, unreachable.stdout) == (1, "")
    assert "cannot be reached" in unreachable.stderr
    (tmp_path / "rules.toml").write_text("[[rule]]\nname = 'a'\n")
    wrong = check(CATSDOGS_ALERT_RULES=str(tmp_path / "rules.toml"))
    assert wrong.returncode == 1
    assert wrong.stderr.startswith("catsdogs: The alert rules ")
    unknown = check("--since", "yesterday")
    assert (unknown.returncode, unknown.stdout) == (1, "")


def test_an_unknown_target_is_reported_even_if_no_alert_fires(check: Run) -> None:
    done = check(CATSDOGS_ALERT_TARGETS="json://127.0.0.1:1/ bogus://s3cr3t")
    assert (done.returncode, done.stdout) == (1, "")
    assert done.stderr == "catsdogs: Target 2 of CATSDOGS_ALERT_TARGETS is not an address that Apprise knows.\n"


def test_the_server_does_not_start_with_an_unknown_target(environment: dict[str, str], tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
    done = subprocess.run(
        [sys.executable, "-m", "catsdogs", "serve", "--port", str(port)],
        env=environment | {"CATSDOGS_ALERT_TARGETS": "bogus://s3cr3t"},
        cwd=tmp_path,
        capture_output=True,
        text=True,
        timeout=120,
    )
    assert done.returncode == 1
    assert done.stderr == "catsdogs: Target 1 of CATSDOGS_ALERT_TARGETS is not an address that Apprise knows.\n"


def test_a_test_message_is_sent_to_each_target_and_its_outcome_is_said(
    environment: dict[str, str], tmp_path: Path
) -> None:
    def send(targets: str, language: str = "en") -> tuple[int, str, str]:
        variables = environment | {"CATSDOGS_ALERT_TARGETS": targets, "CATSDOGS_LANG": language}
        done = catsdogs("alerts", "test", environment=variables, folder=tmp_path)
        assert SECRET not in done.stdout + done.stderr
        return done.returncode, done.stdout, done.stderr

    with open_mailbox() as taking, open_mailbox() as refusing:
        refusing.status = 500
        delivered = "Target 1 (json): delivered\n"
        assert send(taking.target) == (0, delivered, "")
        [message] = taking.received
        assert message["title"] == "catsdogs: test message"
        assert f"on {socket.gethostname()} will arrive here" in message["message"]
        refused = "Target 2 (json): not delivered: it cannot be reached, or refuses the message. Check the address.\n"
        assert send(f"{taking.target} {refusing.target}") == (1, delivered + refused, "")
        assert send(taking.target, "fr")[1].startswith("Cible 1 (json)\u00a0: ")
    assert send("") == (1, "", "catsdogs: CATSDOGS_ALERT_TARGETS names no target.\n")


@pytest.mark.parametrize("arguments", [["alerts"], ["alerts", "chek"], ["alerts", "--chek"]])
def test_a_wrong_call_does_not_exit_with_2(arguments: list[str], environment: dict[str, str], tmp_path: Path) -> None:
    done = catsdogs(*arguments, environment=environment, folder=tmp_path)
    assert done.returncode == 1
    assert "catsdogs alerts" in done.stdout + done.stderr
