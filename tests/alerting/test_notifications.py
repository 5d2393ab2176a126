"""Messages about alerts, to real HTTP servers that answer, refuse, or never say anything."""

from __future__ import annotations

import json
import logging
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import apprise  # noqa: F401 (loading it takes a while, which no target should be blamed for)
import pytest
from pydantic import SecretStr

from catsdogs.alerting import lifecycle
from catsdogs.alerting.notifications import check_targets, notify, targets
from catsdogs.alerting.rules import Rule
from catsdogs.database import Database
from catsdogs.errors import InvalidImage, SettingsError
from catsdogs.records.predictions import PredictionRecord
from catsdogs.service.local import Local
from catsdogs.settings import Settings
from tests.rows import Keep, make_row
from tests.storage import Storage

RULE = Rule.model_validate({"name": "errors", "measure": "errors", "above": 0.5, "last": 4, "clear": "PT0S"})
NOW = datetime.now(UTC)
SECRET = "s3cr3t"


class Mailbox(ThreadingHTTPServer):
    """Takes what Apprise posts; refuses as long as `status` is no success."""

    status = 200

    def __init__(self) -> None:
        self.received: list[dict[str, str]] = []
        super().__init__(("127.0.0.1", 0), _Post)

    @property
    def target(self) -> str:
        return f"json://user:{SECRET}@127.0.0.1:{self.server_port}/"

    @property
    def titles(self) -> list[str]:
        return [message["title"] for message in self.received]


class _Post(BaseHTTPRequestHandler):
    server: Mailbox

    def do_POST(self) -> None:
        content = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        if self.server.status == 200:
            self.server.received.append(content)
        self.send_response(self.server.status)
        self.end_headers()

    def log_message(self, *_: object) -> None:
        pass


@pytest.fixture
def mailboxes() -> Iterator[list[Mailbox]]:
    opened = [Mailbox(), Mailbox()]
    for mailbox in opened:
        threading.Thread(target=mailbox.serve_forever, args=(0.05,), daemon=True).start()
    yield opened
    for mailbox in opened:
        mailbox.shutdown()
        mailbox.server_close()


@pytest.fixture
def failing(keep: Keep) -> Database:
    """A database in which the rule is broken."""
    rows = [make_row(NOW - timedelta(minutes=n), prediction_result="error") for n in range(2, 6)]
    return keep(rows)


def recover(keep: Keep) -> None:
    keep([make_row(NOW - timedelta(seconds=n)) for n in range(1, 5)])


def test_each_target_hears_of_each_alert_once_and_once_of_its_end(
    failing: Database, keep: Keep, mailboxes: list[Mailbox]
) -> None:
    to = targets(" ".join(mailbox.target for mailbox in mailboxes))
    lifecycle.check(failing, [RULE], NOW)
    assert notify(failing, [RULE], to, "en") == 2
    assert notify(failing, [RULE], to, "en") == 0
    recover(keep)
    lifecycle.check(failing, [RULE], NOW + timedelta(minutes=1))
    assert notify(failing, [RULE], to, "en") == 2
    assert notify(failing, [RULE], to, "en") == 0
    expected = ["catsdogs: Alert: Many photos cannot be read", "catsdogs: Resolved: Many photos cannot be read"]
    assert [mailbox.titles for mailbox in mailboxes] == [expected] * 2
    assert "100.0% of 4 photos could not be read; the limit is 50.0%." in mailboxes[0].received[0]["message"]
    assert "Look in the server's log" in mailboxes[0].received[0]["message"]


def test_checks_at_the_same_moment_send_one_message(failing: Database, mailboxes: list[Mailbox]) -> None:
    to = targets(mailboxes[0].target)
    lifecycle.check(failing, [RULE], NOW)
    threads = [threading.Thread(target=notify, args=(failing, [RULE], to, "en")) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(mailboxes[0].received) == 1


def test_a_target_that_refuses_is_tried_again_and_no_other(
    failing: Database, mailboxes: list[Mailbox], caplog: pytest.LogCaptureFixture
) -> None:
    to = targets(" ".join(mailbox.target for mailbox in mailboxes))
    mailboxes[0].status = 500
    lifecycle.check(failing, [RULE], NOW)
    assert notify(failing, [RULE], to, "en", now=NOW) == 1
    assert "target 1 of CATSDOGS_ALERT_TARGETS was not reached" in caplog.text
    mailboxes[0].status = 200
    assert notify(failing, [RULE], to, "en", now=NOW + timedelta(minutes=1)) == 1
    assert [len(mailbox.received) for mailbox in mailboxes] == [1, 1]


def test_it_is_tried_again_ever_more_rarely_for_a_day_and_then_not_told_of_the_end(
    failing: Database, keep: Keep, mailboxes: list[Mailbox], caplog: pytest.LogCaptureFixture
) -> None:
    to = targets(mailboxes[0].target)
    mailboxes[0].status = 500
    lifecycle.check(failing, [RULE], NOW)
    tried = []
    for minute in (0, 0.5, 1, 2, 5, 6, 7, 35, 36, 37, 95, 96, 97, 1439, 1441, 3000):
        caplog.clear()
        assert notify(failing, [RULE], to, "en", now=NOW + timedelta(minutes=minute)) == 0
        if "was not reached" in caplog.text:
            tried.append(minute)
    assert tried == [0, 1, 6, 36, 96, 1439]
    mailboxes[0].status = 200
    recover(keep)
    lifecycle.check(failing, [RULE], NOW + timedelta(minutes=3000))
    assert notify(failing, [RULE], to, "en", now=NOW + timedelta(minutes=3001)) == 0


def test_a_target_that_is_back_after_hours_hears_of_what_still_fires(
    failing: Database, mailboxes: list[Mailbox]
) -> None:
    to = targets(mailboxes[0].target)
    mailboxes[0].status = 500
    lifecycle.check(failing, [RULE], NOW)
    for minute in range(5):
        assert notify(failing, [RULE], to, "en", now=NOW + timedelta(minutes=minute)) == 0
    mailboxes[0].status = 200
    assert notify(failing, [RULE], to, "en", now=NOW + timedelta(hours=5)) == 1


def test_a_target_that_is_none_is_said_by_its_place_without_its_secret() -> None:
    check_targets(None)
    check_targets(SecretStr("json://127.0.0.1:1/"))
    with pytest.raises(SettingsError) as wrong:
        check_targets(SecretStr(f"json://127.0.0.1:1/ bogus://{SECRET}"))
    assert str(wrong.value) == "Target 2 of CATSDOGS_ALERT_TARGETS is no address that Apprise knows."


def test_a_dead_target_holds_nobody_up_and_its_secret_stays_out_of_the_log(
    failing: Database, mailboxes: list[Mailbox], caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    lifecycle.check(failing, [RULE], NOW)
    with socket.create_server(("127.0.0.1", 0)) as silent:  # takes the connection, and never answers
        dead = f"json://user:{SECRET}@127.0.0.1:{silent.getsockname()[1]}/?rto=60"
        nowhere, wrong = f"json://user:{SECRET}@127.0.0.1:1/", f"nothing://{SECRET}"
        to = targets(f"{dead} {nowhere} {wrong} {mailboxes[0].target}")
        started = time.monotonic()
        assert notify(failing, [RULE], to, "en", patience=8) == 1
        assert time.monotonic() - started < 30  # not the minute that the target would take
    assert mailboxes[0].titles == ["catsdogs: Alert: Many photos cannot be read"]
    for place in (1, 2, 3):
        assert f"target {place} of CATSDOGS_ALERT_TARGETS was not reached" in caplog.text
    assert SECRET not in caplog.text


def test_the_server_tells_by_itself_and_waits_for_nobody(
    storage: Storage, database: Settings, mailboxes: list[Mailbox], tmp_path: Path
) -> None:
    for _ in range(4):
        storage.writer.store_prediction(PredictionRecord.of_failure(InvalidImage("no"), "test-1"))
    rules = tmp_path / "rules.toml"
    rules.write_text('[[rule]]\nname = "errors"\nmeasure = "errors"\nabove = 0.5\nlast = 4\n')
    targets = SecretStr(mailboxes[0].target)
    told = database.model_copy(update={"alert_rules": rules, "alert_targets": targets})
    service = Local(object(), told)  # type: ignore[arg-type]  # nobody here asks the model
    service.tell_alerts()
    deadline = time.monotonic() + 60
    while not mailboxes[0].received:
        assert time.monotonic() < deadline
        time.sleep(0.05)
    assert mailboxes[0].titles == ["catsdogs: Alert: Many photos cannot be read"]


def test_the_database_does_not_hold_the_address(failing: Database, mailboxes: list[Mailbox]) -> None:
    [target] = targets(mailboxes[0].target)
    lifecycle.check(failing, [RULE], NOW)
    notify(failing, [RULE], [target], "en")
    messages = failing.tables.alert_messages
    [row] = failing.run(lambda connection: connection.execute(messages.select()).all())
    assert row.target == target.key
    assert len(target.key) == 8
    assert SECRET not in str(row)


def test_without_a_target_apprise_is_not_loaded() -> None:
    code = "import catsdogs.service.local, catsdogs.server.app, sys; print('apprise' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout == "False\n"
