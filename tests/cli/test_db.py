"""``catsdogs db`` and ``catsdogs privacy`` on an empty server."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path
from uuid import uuid4

import psutil
import pytest
import sqlalchemy as sa

from catsdogs.domain import Consent
from catsdogs.records.predictions import PredictionRecord
from tests import command
from tests.storage import Storage

Run = Callable[..., subprocess.CompletedProcess[str]]


def catsdogs(environment: dict[str, str]) -> Run:
    return partial(command.catsdogs, environment=environment, folder=Path())


@pytest.fixture
def fresh(environment: dict[str, str], administration: sa.Connection) -> Iterator[Run]:
    """The command, for a database that does not exist yet."""
    name = f"fresh_{uuid4().hex}"
    yield catsdogs(environment | {"DB_NAME": name})
    administration.exec_driver_sql(f'DROP DATABASE IF EXISTS "{name}" WITH (FORCE)')


def test_the_three_steps_each_report_and_may_be_repeated(fresh: Run) -> None:
    expected = [
        (("db", "check"), 1, "missing. Run `catsdogs db create`"),
        (("db", "create"), 0, "created"),
        (("db", "create"), 0, "exists already"),
        (("db", "check"), 1, "run `catsdogs db migrate` for 0"),
        (("db", "migrate"), 0, "none -> 0"),
        (("db", "migrate"), 0, "up to date already"),
        (("db", "check"), 0, "up to date"),
    ]
    for step, code, report in expected:
        done = fresh(*step)
        assert (done.returncode, report in done.stdout, done.stderr) == (code, True, ""), (step, done)


def test_the_embedded_server_starts_for_a_command_and_stops_after_it() -> None:
    with tempfile.TemporaryDirectory(prefix="catsdogs-test-") as folder:
        environment = {name: value for name, value in os.environ.items() if not name.startswith("DB_")}
        environment["CATSDOGS_DATA_DIR"] = f"{folder}/data"
        for step in ("create", "migrate", "check"):
            process = [sys.executable, "-m", "catsdogs", "db", step]
            done = subprocess.run(process, env=environment, capture_output=True, text=True, timeout=120)
            assert done.returncode == 0, done.stderr
        assert "the embedded server" in done.stdout
        working = [process.info["cwd"] or "" for process in psutil.process_iter(["cwd"])]
        assert not [path for path in working if path.startswith(folder)]


def test_a_database_that_cannot_be_reached_is_reported_in_one_sentence(environment: dict[str, str]) -> None:
    run = catsdogs(environment | {"DB_HOST": "127.0.0.1", "DB_PORT": "9", "DB_PWD": "my-secret-password"})
    for arguments in (("db", "check"), ("db", "migrate"), ("privacy", "purge")):
        done = run(*arguments)
        assert (done.returncode, done.stdout, done.stderr.count("\n")) == (1, "", 1)
        assert done.stderr.startswith("catsdogs: PostgreSQL (127.0.0.1:9) cannot be reached.")
    details = run("--verbose", "db", "check").stderr
    assert "Traceback" in details
    assert "my-secret-password" not in details


def test_rights_by_receipt(
    environment: dict[str, str], storage: Storage, make_record: Callable[..., tuple[PredictionRecord, str]]
) -> None:
    record, receipt = make_record(Consent(True, True), filename="mine.jpg")
    storage.writer.store_prediction(record)
    run = catsdogs(environment)

    exported = run("privacy", "export", receipt)
    assert exported.returncode == 0, exported.stderr
    assert json.loads(exported.stdout)["predictions"][0]["filename"] == "mine.jpg"

    erased = run("privacy", "erase", receipt)
    assert (erased.returncode, erased.stdout) == (0, "erased: predictions 1, photos 1\n")

    again = run("privacy", "export", receipt)
    assert again.returncode == 1
    assert again.stdout == ""
    assert again.stderr.startswith("catsdogs: Nothing is kept under this receipt code.")


def test_purge_uses_the_retention_of_the_settings(
    environment: dict[str, str], storage: Storage, make_record: Callable[..., tuple[PredictionRecord, str]]
) -> None:
    record, _ = make_record(Consent(True, True))
    storage.writer.store_prediction(record)
    storage.database.run(
        lambda connection: connection.execute(sa.text("UPDATE consents SET decided_at = now() - interval '8 days'"))
    )
    kept = catsdogs(environment | {"CATSDOGS_RETENTION_DAYS": "9"})("privacy", "purge")
    assert kept.stdout == "purged: predictions 0, photos 0, waiting 0\n"
    purged = catsdogs(environment | {"CATSDOGS_RETENTION_DAYS": "7"})("privacy", "purge")
    assert purged.stdout == "purged: predictions 1, photos 1, waiting 0\n"


def test_consent_is_withdrawn_by_receipt(
    environment: dict[str, str], storage: Storage, make_record: Callable[..., tuple[PredictionRecord, str]]
) -> None:
    record, receipt = make_record(Consent(True, True), filename="mine.jpg")
    storage.writer.store_prediction(record)
    run = catsdogs(environment)
    photo = run("privacy", "withdraw", receipt, "--purpose", "photo")
    assert (photo.returncode, photo.stdout) == (0, "withdrawn: predictions 0, photos 1, waiting 0\n"), photo.stderr
    assert json.loads(run("privacy", "export", receipt).stdout)["predictions"][0]["filename"] == "mine.jpg"
    assert run("privacy", "withdraw", receipt).stdout == "withdrawn: predictions 1, photos 0, waiting 0\n"
    held = json.loads(run("privacy", "export", receipt).stdout)
    assert (held["predictions"][0]["filename"], held["photos"]) == (None, [])
    assert run("privacy", "withdraw", receipt, "--purpose", "all").returncode == 2
    assert run("privacy", "withdraw", "0000").stderr.startswith("catsdogs: Nothing is kept under this receipt code.")


@pytest.mark.parametrize("language", ["en", "fr"])
def test_the_notice_is_what_the_app_shows(environment: dict[str, str], language: str) -> None:
    from catsdogs import connect
    from catsdogs.domain import DataController
    from catsdogs.i18n import Translator
    from catsdogs.widgets.consent_form import ConsentForm
    from catsdogs.widgets.visit import Visit

    named = {"CATSDOGS_CONTROLLER": "Example & Sons", "CATSDOGS_CONTACT": "privacy@example.org"}
    run = catsdogs(environment | named | {"CATSDOGS_RETENTION_DAYS": "30"})
    printed = run("privacy", "notice", "--lang", language)
    controller = DataController("Example & Sons", "privacy@example.org", 30)
    form = ConsentForm(Translator(language), controller, Visit(lambda: None), connect)
    assert printed.stdout.strip().split("\n\n") == form.notice, printed.stderr
    assert "30" in printed.stdout

    record = run("privacy", "record", "--lang", language).stdout
    assert all(word in record for word in (*named.values(), "30", "512", "# "))
    assert run("privacy", "notice", "--lang", "xx").returncode == 1


def test_records_that_were_set_aside_are_stored_again(
    environment: dict[str, str], storage: Storage, make_record: Callable[..., tuple[PredictionRecord, str]]
) -> None:
    storage.replayer.close()
    run = catsdogs(environment)
    assert run("db", "requeue").stdout == "requeued  0\nstored    0, with those that waited besides\n"
    (record, _), (wrong, _) = make_record(), make_record()
    for one in (record, wrong.model_copy(update={"proba_cat": 0.4})):
        storage.spool.put_prediction(one)
        storage.spool.set_aside(storage.spool.prediction_files()[0], "is only a test")
    (storage.spool.damaged / "predictions-torn.json").write_text("{")
    done = run("db", "requeue")
    assert done.returncode == 1
    assert done.stdout.startswith("requeued  2\nstored    1, with those that waited besides\nset aside 1 refused again")
    assert "1 that cannot be read" in done.stdout
    assert set(storage.rows()) == {record.id}


def test_tables_of_a_newer_version_ask_for_an_update_of_the_program(
    environment: dict[str, str], storage: Storage
) -> None:
    newer = sa.text("UPDATE catsdogs_version SET version_num = '9999'")
    storage.database.run(lambda connection: connection.execute(newer))
    run = catsdogs(environment)
    checked = run("db", "check")
    assert checked.returncode == 1
    assert "9999: newer than this catsdogs" in checked.stdout
    assert "Update catsdogs" in checked.stdout
    assert "migrate" not in checked.stdout
    assert "Install a newer one" in run("db", "migrate").stderr
