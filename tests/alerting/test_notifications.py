"""Messages about alerts to real HTTP servers that accept, refuse or do not answer."""

from __future__ import annotations

import logging
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import apprise  # noqa: F401 (importing it takes a while, which must not count as a target's time)
import pytest
from pydantic import SecretStr

from catsdogs.alerting.listing import list_alerts
from catsdogs.alerting.notifications import notify_targets, send_due_messages
from catsdogs.alerting.rules import Rule
from catsdogs.alerting.scheduler import evaluate, evaluate_and_notify
from catsdogs.alerting.targets import check_targets, parse_targets
from catsdogs.database import Database
from catsdogs.errors import InvalidImage, SettingsError
from catsdogs.records.predictions import PredictionRecord
from catsdogs.service.local import Local
from catsdogs.settings import Settings
from tests.alerting.mailbox import SECRET, Mailbox, open_mailbox
from tests.rows import InsertRows, make_row
from tests.storage import Storage
from tests.waiting import until

RULE = Rule.model_validate(
    {"name": "errors", "measure": "errors", "above": 0.5, "fast": "PT10M", "slow": "PT20M", "at_least": 4}
)
NOW = datetime.now(UTC)


@pytest.fixture
def mailboxes() -> Iterator[list[Mailbox]]:
    with open_mailbox() as first, open_mailbox() as second:
        yield [first, second]


@pytest.fixture
def failing(insert_rows: InsertRows) -> Database:
    """A database in which the rule is broken."""
    rows = [make_row(NOW - timedelta(minutes=n), prediction_result="error") for n in range(2, 8)]
    return insert_rows(rows)


def recover(insert_rows: InsertRows) -> None:
    """Store newer predictions that do not break the rule."""
    insert_rows([make_row(NOW - timedelta(seconds=n)) for n in range(1, 40)])


def test_each_target_gets_one_message_when_an_alert_fires_and_one_when_it_is_resolved(
    failing: Database, insert_rows: InsertRows, mailboxes: list[Mailbox]
) -> None:
    targets = parse_targets(SecretStr(" ".join(mailbox.target for mailbox in mailboxes)))
    evaluate(failing, [RULE], NOW)
    assert send_due_messages(failing, [RULE], targets, "en") == 2
    assert send_due_messages(failing, [RULE], targets, "en") == 0
    recover(insert_rows)
    evaluate(failing, [RULE], NOW + timedelta(minutes=1))
    assert send_due_messages(failing, [RULE], targets, "en", now=NOW + timedelta(minutes=1)) == 2
    assert send_due_messages(failing, [RULE], targets, "en", now=NOW + timedelta(minutes=1)) == 0
    expected = ["catsdogs: Alert: Many photos cannot be read", "catsdogs: Resolved: Many photos cannot be read"]
    assert [mailbox.titles for mailbox in mailboxes] == [expected] * 2
    assert "Of 6 photos, 100% could not be read; the limit is 50.0%." in mailboxes[0].received[0]["message"]
    assert "Look in the server's log" in mailboxes[0].received[0]["message"]


def test_concurrent_evaluators_send_one_message(failing: Database, mailboxes: list[Mailbox]) -> None:
    targets = parse_targets(SecretStr(mailboxes[0].target))
    evaluate(failing, [RULE], NOW)
    threads = [threading.Thread(target=send_due_messages, args=(failing, [RULE], targets, "en")) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(mailboxes[0].received) == 1


def test_a_message_is_sent_again_only_to_the_target_that_refused_it(
    failing: Database, mailboxes: list[Mailbox], caplog: pytest.LogCaptureFixture
) -> None:
    targets = parse_targets(SecretStr(" ".join(mailbox.target for mailbox in mailboxes)))
    mailboxes[0].status = 500
    evaluate(failing, [RULE], NOW)
    assert send_due_messages(failing, [RULE], targets, "en", now=NOW) == 1
    assert "target 1 of CATSDOGS_ALERT_TARGETS was not reached" in caplog.text
    mailboxes[0].status = 200
    assert send_due_messages(failing, [RULE], targets, "en", now=NOW + timedelta(minutes=1)) == 1
    assert [len(mailbox.received) for mailbox in mailboxes] == [1, 1]


def test_a_message_is_retried_with_growing_intervals_for_a_day_and_the_end_is_not_sent(
    failing: Database, insert_rows: InsertRows, mailboxes: list[Mailbox], caplog: pytest.LogCaptureFixture
) -> None:
    targets = parse_targets(SecretStr(mailboxes[0].target))
    mailboxes[0].status = 500
    evaluate(failing, [RULE], NOW)
    tried = []
    for minute in (0, 0.5, 1, 2, 5, 6, 7, 35, 36, 37, 95, 96, 97, 1439, 1441, 3000):
        caplog.clear()
        assert send_due_messages(failing, [RULE], targets, "en", now=NOW + timedelta(minutes=minute)) == 0
        if "was not reached" in caplog.text:
            tried.append(minute)
    assert tried == [0, 1, 6, 36, 96, 1439]
    mailboxes[0].status = 200
    recover(insert_rows)
    evaluate(failing, [RULE], NOW + timedelta(minutes=3000))
    assert send_due_messages(failing, [RULE], targets, "en", now=NOW + timedelta(minutes=3001)) == 0


def test_a_target_that_is_back_after_hours_gets_the_alert_that_still_fires(
    failing: Database, mailboxes: list[Mailbox]
) -> None:
    targets = parse_targets(SecretStr(mailboxes[0].target))
    mailboxes[0].status = 500
    evaluate(failing, [RULE], NOW)
    for minute in range(5):
        assert send_due_messages(failing, [RULE], targets, "en", now=NOW + timedelta(minutes=minute)) == 0
    mailboxes[0].status = 200
    assert send_due_messages(failing, [RULE], targets, "en", now=NOW + timedelta(hours=5)) == 1


def test_a_message_has_the_address_of_the_dashboard_with_its_prefix(
    failing: Database, mailboxes: list[Mailbox]
) -> None:
    evaluate(failing, [RULE], NOW)
    given = {"public_url": "https://a.example", "base_url": "/pets", "alert_targets": SecretStr(mailboxes[0].target)}
    assert notify_targets(failing, [RULE], failing.settings.model_copy(update=given)) == 1
    address = mailboxes[0].received[0]["message"].split("\n")[-1]
    assert address.startswith("https://a.example/pets/monitoring?from=20")


def test_an_unknown_address_is_reported_by_position_without_its_secret() -> None:
    check_targets(None)
    check_targets(SecretStr("json://127.0.0.1:1/"))
    with pytest.raises(SettingsError) as wrong:
        check_targets(SecretStr(f"json://127.0.0.1:1/ bogus://{SECRET}"))
    assert str(wrong.value) == "Target 2 of CATSDOGS_ALERT_TARGETS is not an address that Apprise knows."


def test_a_target_that_does_not_answer_delays_no_other_and_its_secret_is_not_logged(
    failing: Database, mailboxes: list[Mailbox], caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    evaluate(failing, [RULE], NOW)
    with socket.create_server(("127.0.0.1", 0)) as silent:  # accepts the connection and never answers
        dead = f"json://user:{SECRET}@127.0.0.1:{silent.getsockname()[1]}/?rto=60"
        nowhere, wrong = f"json://user:{SECRET}@127.0.0.1:1/", f"nothing://{SECRET}"
        targets = parse_targets(SecretStr(f"{dead} {nowhere} {wrong} {mailboxes[0].target}"))
        started = time.monotonic()
        assert send_due_messages(failing, [RULE], targets, "en", timeout=8) == 1
        assert time.monotonic() - started < 30  # not the minute that the target would take
    assert mailboxes[0].titles == ["catsdogs: Alert: Many photos cannot be read"]
    for position in (1, 2, 3):
        assert f"target {position} of CATSDOGS_ALERT_TARGETS was not reached" in caplog.text
    assert SECRET not in caplog.text


def test_the_service_sends_messages_in_the_background(
    storage: Storage, database: Settings, mailboxes: list[Mailbox], tmp_path: Path
) -> None:
    for _ in range(6):
        storage.writer.store_prediction(PredictionRecord.of_failure(InvalidImage("no"), "test-1"))
    rules = tmp_path / "rules.toml"
    rules.write_text(
        '[[rule]]\nname = "errors"\nmeasure = "errors"\nabove = 0.5\nfast = "PT10M"\nslow = "PT20M"\nat_least = 4\n'
    )
    targets = SecretStr(mailboxes[0].target)
    settings = database.model_copy(update={"alert_rules": rules, "alert_targets": targets})
    service = Local(object(), settings)  # type: ignore[arg-type]  # no test here uses the model
    service.evaluate_alerts()
    until(lambda: mailboxes[0].received, "no message arrived", timeout=60)
    assert mailboxes[0].titles == ["catsdogs: Alert: Many photos cannot be read"]


def test_the_database_does_not_contain_the_address(failing: Database, mailboxes: list[Mailbox]) -> None:
    [target] = parse_targets(SecretStr(mailboxes[0].target))
    evaluate(failing, [RULE], NOW)
    send_due_messages(failing, [RULE], [target], "en")
    messages = failing.tables.alert_messages
    [row] = failing.run(lambda connection: connection.execute(messages.select()).all())
    assert row.target == target.key
    assert len(target.key) == 8
    assert SECRET not in str(row)


def test_apprise_is_not_imported_without_a_target() -> None:
    code = "import catsdogs.service.local, catsdogs.server.app, sys; print('apprise' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout == "False\n"


def test_one_function_evaluates_stores_and_notifies(
    failing: Database, database: Settings, mailboxes: list[Mailbox], tmp_path: Path
) -> None:
    rules = tmp_path / "rules.toml"
    rules.write_text(
        '[[rule]]\nname = "errors"\nmeasure = "errors"\nabove = 0.5\nfast = "PT10M"\nslow = "PT20M"\nat_least = 4\n'
    )
    targets = SecretStr(mailboxes[0].target)
    settings = database.model_copy(update={"alert_rules": rules, "alert_targets": targets})
    evaluate_and_notify(failing, settings, notify=False)
    assert [alert["state"] for alert in list_alerts(failing, [RULE])] == ["firing"]
    assert mailboxes[0].titles == []
    evaluate_and_notify(failing, settings)
    assert mailboxes[0].titles == ["catsdogs: Alert: Many photos cannot be read"]
