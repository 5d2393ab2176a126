"""Outages lose nothing: kill -9 of PostgreSQL, of writers and of the whole app, and a spool that is full.

``CATSDOGS_CHAOS`` is the number of predictions of the large test (default 160). Each gets three feedbacks, and one in
four gets up to four decisions about consent.
"""

from __future__ import annotations

import contextlib
import json
import os
import random
import signal
import subprocess
import sys
import threading
from collections import Counter
from collections.abc import Callable, Mapping, Sized
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any
from uuid import UUID

import sqlalchemy as sa
import urllib3

from catsdogs.database import Database, setup
from catsdogs.domain import Consent
from catsdogs.errors import SpoolError
from catsdogs.records import data_subject_rights
from catsdogs.records.feedback import FeedbackRecord
from catsdogs.records.predictions import PredictionRecord
from catsdogs.settings import Settings
from tests.storage import Storage
from tests.waiting import until

Fields = Mapping[str, str | tuple[str, bytes, str]]
MakeRecord = Callable[..., tuple[PredictionRecord, str | None]]

REPOSITORY = Path(__file__).parents[2]
PREDICTIONS = int(os.environ.get("CATSDOGS_CHAOS", "160"))
PROCESSES = 4
KILLS = max(4, PREDICTIONS // 50)
DECISIONS = ((True, False), (True, True), (False, False), (False, True))
"""Consent to file name and comment, and to the photo: the decisions of a person, one after the other."""

WORK = """
import json, os, sys
from concurrent.futures import ThreadPoolExecutor
from time import sleep
from catsdogs.database.retries import Backoff
from catsdogs.domain import Answer, Consent, Prediction, new_receipt
from catsdogs.errors import DatabaseUnavailable
from catsdogs.records.consent_changes import ConsentChange
from catsdogs.records.feedback import FeedbackRecord
from catsdogs.model.preprocessing import ImageStatistics
from catsdogs.records.predictions import PredictionRecord
from catsdogs.settings import Settings
from tests.storage import Storage

photo = open(sys.argv[1], "rb").read()
DECISIONS = json.loads(sys.argv[4])
storage = Storage.open(Settings.load())
prediction = Prediction(Answer.CAT, 0.9, 0.1, 0.02, "test-1", 3.5)

def say(*accepted):
    os.write(1, json.dumps(accepted).encode() + b"\\n")  # at once, unlike print

def visit(number):
    consent = Consent(number % 2 == 0, number % 8 == 0)
    record, _ = PredictionRecord.create(
        prediction, ImageStatistics(1, 1, 0.5, 0.1), photo=photo, filename=f"{number}.jpg", consent=consent
    )
    storage.writer.store_prediction(record)
    say(str(record.id), number, 0)
    for time in (1, 2, 3):  # changes their mind: the last word counts
        comment = f"{number}.{time}" if consent.filename_and_comment else None
        label = ("cat", "dog", "both")[time - 1]
        storage.writer.store_feedback(FeedbackRecord.create(record.id, time % 2, comment, label))
        say(str(record.id), number, time)
    receipt = None
    for time, purposes in enumerate(DECISIONS[: number // 4 % 4 + 1] if number % 4 == 3 else ()):
        receipt = decide(record.id, number, Consent(*purposes), receipt)
        say(str(record.id), number, time, receipt)

def decide(identifier, number, consent, receipt):
    backoff, code = Backoff(), None if receipt else new_receipt()
    while True:  # a person sends it again until it is accepted
        change = ConsentChange.create(
            identifier, consent, filename=f"{number}.jpg", photo=photo, receipt=receipt, new_receipt=code
        )
        try:
            storage.writer.change_consent(change)
            return change.receipt
        except DatabaseUnavailable:
            sleep(backoff.next())

say("ready")
with ThreadPoolExecutor(4) as threads:
    list(threads.map(visit, range(int(sys.argv[2]), int(sys.argv[3]))))
say("done")
sys.stdin.read()
storage.close()
"""


def kill_postgresql(data_dir: Path) -> None:
    with contextlib.suppress(FileNotFoundError, IndexError, ProcessLookupError):  # just being started again
        os.kill(int((data_dir / "postgresql" / "postmaster.pid").read_text().split()[0]), signal.SIGKILL)


def wait_for_more(accepted: Sized, number: int) -> None:
    enough = len(accepted) + number
    until(lambda: len(accepted) >= enough, timeout=60)


def rows(database: Database, statement: str) -> list[dict[str, Any]]:
    return database.run(lambda connection: [dict(row) for row in connection.execute(sa.text(statement)).mappings()])


class Writers:
    """Processes that store records until they are killed, and what was accepted from them."""

    def __init__(self, data_dir: Path, photo: Path) -> None:
        self.data_dir, self.photo = data_dir, photo
        self.accepted: dict[UUID, tuple[int, int]] = {}
        """Number of the prediction, and of its last feedback (0: none), by identifier."""
        self.decided: dict[UUID, tuple[int, str]] = {}
        """Index of the last decision about consent, and the receipt code, by identifier."""
        self.messages = 0
        self.running: dict[subprocess.Popen[str], tuple[threading.Thread, list[str]]] = {}

    def start(self, first: int, end: int) -> None:
        environment = {name: value for name, value in os.environ.items() if not name.startswith("DB_")}
        process = subprocess.Popen(
            [sys.executable, "-c", WORK, str(self.photo), str(first), str(end), json.dumps(DECISIONS)],
            env=environment | {"CATSDOGS_DATA_DIR": str(self.data_dir)},
            cwd=REPOSITORY,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )
        printed: list[str] = []
        listener = threading.Thread(target=self._listen, args=[process, printed])
        listener.start()
        self.running[process] = listener, printed
        until(lambda: printed, timeout=60)

    def kill(self, process: subprocess.Popen[str]) -> None:
        process.kill()
        process.wait()
        self.running.pop(process)[0].join()

    def wait_for_messages(self, number: int) -> None:
        until(lambda: self.messages >= number, timeout=60)

    def wait_until_done(self, process: subprocess.Popen[str]) -> None:
        printed = self.running[process][1]
        until(lambda: "done" in printed[-1] or process.poll() is not None, timeout=300)

    def _listen(self, process: subprocess.Popen[str], printed: list[str]) -> None:
        assert process.stdout
        for line in process.stdout:
            match json.loads(line) if line.endswith("\n") else None:
                case [identifier, number, last]:
                    self.accepted[UUID(identifier)] = number, last
                    self.messages += 1
                case [identifier, _, last, receipt]:
                    self.decided[UUID(identifier)] = last, receipt
            printed.append(line)


def test_kill_9_of_postgresql_and_of_writers_loses_nothing_accepted(
    folder: Path, tmp_path: Path, cat_jpeg: bytes
) -> None:
    (photo := tmp_path / "cat.jpg").write_bytes(cat_jpeg)
    settings = Settings(_env_file=None, db_host=None, CATSDOGS_DATA_DIR=folder)
    keeper = Database(settings)
    setup.ensure(keeper)
    writers = Writers(folder, photo)
    share = PREDICTIONS // PROCESSES
    for number in range(PROCESSES):
        writers.start(number * share, (number + 1) * share)

    thresholds = sorted(random.sample(range(4 * PREDICTIONS * 3 // 4), KILLS))
    for kill, threshold in enumerate(thresholds):
        writers.wait_for_messages(threshold)
        kill_postgresql(folder)
        if kill in (KILLS // 3, 2 * KILLS // 3):  # probably in the middle of a write
            writers.kill(next(iter(writers.running)))
            writers.start(PREDICTIONS + kill * share, PREDICTIONS + (kill + 1) * share)
    for process in list(writers.running):
        writers.wait_until_done(process)
    for process in list(writers.running)[:2]:  # two end normally
        process.communicate("")
        assert process.returncode == 0
        writers.running.pop(process)[0].join()
    for process in list(writers.running):  # the others are killed
        writers.kill(process)
    kill_postgresql(folder)
    keeper.close()

    storage = Storage.open(settings)
    until(lambda: storage.is_idle, timeout=120)
    found = {row["id"]: row for row in rows(storage.database, "SELECT * FROM predictions_feedback")}
    photos = {row["prediction_id"] for row in rows(storage.database, "SELECT prediction_id FROM photos")}
    assert len(writers.accepted) >= PREDICTIONS
    assert writers.accepted.keys() <= found.keys()
    assert len(found) - len(writers.accepted) <= 2 * 4, "more than the killed writers had in hand"
    for identifier, (number, last) in writers.accepted.items():
        row, agreed = found[identifier], number % 2 == 0
        label = {"cat": 1, "dog": 2, "both": 3}.get(row["true_label"], 0)
        assert label - last in (0, 1), "not the last word that was accepted, nor the one in hand"
        assert row["user_feedback"] == (label % 2 if label else None)
        assert row["user_comment"] == (f"{number}.{label}" if agreed and label else None)
        if number % 4 == 3:  # the last decision that was accepted, or the one in hand
            decided, receipt = writers.decided.get(identifier, (-1, ""))
            kept = row["filename"] == f"{number}.jpg", identifier in photos
            assert kept in ((False, False), *DECISIONS)[decided + 1 : decided + 3]
            assert not receipt or data_subject_rights.export(storage.database, storage.spool, receipt)["predictions"]
        else:
            assert row["filename"] == (f"{number}.jpg" if agreed else None)
            assert (identifier in photos) is (number % 8 == 0)
    for row in found.values():
        assert row["rgpd_consent"] or (row["filename"], row["user_comment"]) == (None, None)
    assert not (storage.spool.folder / "damaged").exists()
    storage.close()


def test_a_full_spool_raises_and_what_it_accepted_is_stored(database: Settings, make_record: MakeRecord) -> None:
    unreachable = Storage.open(database.model_copy(update={"db_host": "/nonexistent", "spool_megabytes": 1}))
    accepted: list[UUID] = []
    refused: list[UUID] = []

    def visit(number: int) -> None:
        record, _ = make_record(Consent(number % 2 == 0, number % 10 == 0), filename=f"{number}.jpg")
        try:
            unreachable.writer.store_prediction(record)
            accepted.append(record.id)
            unreachable.writer.store_feedback(FeedbackRecord.create(record.id, 1, None, None))
        except SpoolError:
            refused.append(record.id)

    with ThreadPoolExecutor(4) as threads:
        list(threads.map(visit, range(200)))
    assert accepted
    assert refused
    used = sum(-(-path.stat().st_size // 4096) * 4096 for path in unreachable.spool.folder.rglob("*.json"))
    assert used <= 1_000_000 + 4 * 200_000  # each thread may be at its last record
    unreachable.close()

    back = Storage.open(database)
    until(lambda: back.is_idle)
    found = {row["id"]: row for row in rows(back.database, "SELECT * FROM predictions_feedback")}
    assert found.keys() == set(accepted)
    assert Counter(row["user_feedback"] for row in found.values())[1] == len(set(accepted) - set(refused))
    assert back.writer.store_prediction(make_record()[0]) is True
    back.close()


def test_an_unclean_stop_of_the_whole_app_loses_nothing_accepted(launch: Any, folder: Path, cat_jpeg: bytes) -> None:
    server = launch(folder)
    accepted: dict[str, dict[str, Any]] = {}
    stopping = threading.Event()

    def visit(number: int) -> None:
        http = urllib3.PoolManager(headers={"Authorization": f"Bearer {server.api_token}"}, timeout=30, retries=False)
        agreed = str(number % 2 == 0).lower()
        photo = (f"{number}.jpg", cat_jpeg, "image/jpeg")
        fields: Fields = {"file": photo, "rgpd_consent": agreed, "photo_consent": agreed}
        with contextlib.suppress(urllib3.exceptions.HTTPError):  # cut off: not accepted
            while not stopping.is_set():
                answer = http.request("POST", f"{server.url}/api/predict", fields=fields)
                assert answer.status == 200, answer.data
                identifier = answer.json()["feedback_id"]
                accepted[identifier] = {"number": number, "rated": False}
                feedback = {"feedback_id": identifier, "user_feedback": "1"}
                answer = http.request("POST", f"{server.url}/api/update-feedback", fields=feedback)
                assert answer.status == 200, answer.data
                accepted[identifier]["rated"] = True

    with ThreadPoolExecutor(4) as threads:
        visits = [threads.submit(visit, number) for number in range(4)]
        for _ in range(2):
            wait_for_more(accepted, 20)
            kill_postgresql(folder / "data")
        server.process.kill()
        kill_postgresql(folder / "data")
        stopping.set()
        for done in visits:
            done.result()
    server.process.wait()

    again = launch(folder)
    until(lambda: urllib3.request("GET", f"{again.url}/health").json()["spooled"] == 0, timeout=60)
    assert urllib3.request("GET", f"{again.url}/health").json()["status"] == "healthy"
    found = {str(row["id"]): row for row in again.query("SELECT * FROM predictions_feedback")}
    photos = Counter(str(row["prediction_id"]) for row in again.query("SELECT prediction_id FROM photos"))
    assert accepted.keys() <= found.keys()
    for identifier, known in accepted.items():
        row, agreed = found[identifier], known["number"] % 2 == 0
        assert row["filename"] == (f"{known['number']}.jpg" if agreed else None)
        assert photos[identifier] == agreed
        assert row["user_feedback"] == 1 or not known["rated"]
    again.stop()
