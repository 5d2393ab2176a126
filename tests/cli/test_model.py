"""``catsdogs model``, also while a server answers requests."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import threading
from collections.abc import Callable
from itertools import islice
from pathlib import Path
from typing import Any

import urllib3

from catsdogs.model.card import CARD_FILE, SHIPPED, read_card
from tests.command import catsdogs
from tests.waiting import until


def add_version(data_dir: Path, version: str, **card: object) -> Path:
    """Copy the shipped version, with other fields of its card."""
    folder = data_dir / "models" / version
    shutil.copytree(SHIPPED, folder, ignore=shutil.ignore_patterns("*.keras"))
    content = json.loads((folder / CARD_FILE).read_text()) | {"version": version} | card
    (folder / CARD_FILE).write_text(json.dumps(content))
    return folder


def run(data_dir: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    environment = {"PATH": os.environ["PATH"], "HOME": str(data_dir), "CATSDOGS_DATA_DIR": str(data_dir)}
    return catsdogs(*arguments, environment=environment, folder=data_dir)


def test_a_running_server_follows_without_a_failed_request(launch: Callable[..., Any], cat_jpeg: bytes) -> None:
    server = launch()
    data_dir = Path(server.log.parent / "data")
    add_version(data_dir, "v2")
    http = urllib3.PoolManager(retries=False, maxsize=2)
    answers: list[tuple[int, str]] = []
    stop = threading.Event()

    def send_until_stopped() -> None:
        while not stop.is_set():
            answer = http.request(
                "POST",
                f"{server.url}/api/predict",
                fields={"file": ("cat.jpg", cat_jpeg)},
                headers={"Authorization": f"Bearer {server.api_token}"},
            )
            answers.append((answer.status, answer.json().get("model_version", "")))

    def wait_until_served(version: str) -> None:
        until(lambda: http.request("GET", f"{server.url}/api/info").json()["version"] == version)

    visitor = threading.Thread(target=send_until_stopped)
    visitor.start()
    try:
        promoted = run(data_dir, "model", "promote", "v2", "--force")
        wait_until_served("v2")
        back = run(data_dir, "model", "rollback")
        wait_until_served(SHIPPED.name)
    finally:
        stop.set()
        visitor.join()
    assert promoted.stdout == f"v2 is served now; before, it was {SHIPPED.name}.\n", promoted.stderr
    assert back.stdout == f"{SHIPPED.name} is served again.\n", back.stderr
    assert set(answers) == {(200, SHIPPED.name), (200, "v2")}
    rows = server.query("SELECT model_version, count(*) AS n FROM predictions_feedback GROUP BY 1")
    versions = [version for _, version in answers]
    assert {row["model_version"]: row["n"] for row in rows} == {name: versions.count(name) for name in set(versions)}


def test_a_worse_candidate_is_refused_unless_forced(tmp_path: Path, cat_jpeg: bytes) -> None:
    metrics = json.loads((SHIPPED / CARD_FILE).read_text())["metrics"]
    metrics["val"] |= {"accuracy": 0.99, "errors": 10}
    add_version(tmp_path, "worse", metrics=metrics)
    refused = run(tmp_path, "model", "promote", "worse")
    assert (refused.returncode, refused.stdout) == (1, "")
    assert f"Version worse does not replace {SHIPPED.name}: 10 errors instead of" in refused.stderr
    assert len(refused.stderr.splitlines()) == 1

    (tmp_path / "kept" / "cat").mkdir(parents=True)
    (tmp_path / "kept" / "cat" / "1.jpg").write_bytes(cat_jpeg)
    too_few = run(tmp_path, "model", "promote", "worse", "--on", "kept")
    errors, pets = too_few.stdout.splitlines()
    assert errors.startswith("Errors on kept: 0 instead of 0 (McNemar’s test, p = 1.000): the same on each photo.")
    assert pets.startswith("Refused pets on kept: 0 instead of 0")
    assert "1 photo in kept: too few" in too_few.stderr
    assert not (tmp_path / "models" / "served.json").exists()

    forced = run(tmp_path, "model", "promote", "worse", "--force")
    assert forced.returncode == 0, forced.stderr
    (tmp_path / "cat.jpg").write_bytes(cat_jpeg)
    [line] = run(tmp_path, "predict", "cat.jpg", "--json").stdout.splitlines()
    assert json.loads(line)["model_version"] == "worse"


def test_damaged_versions_are_refused_forced_or_not(tmp_path: Path) -> None:
    folder = add_version(tmp_path, "v2")
    (folder / "model.onnx").write_bytes(b"x")
    for force in ([], ["--force"]):
        refused = run(tmp_path, "model", "promote", "v2", *force)
        assert (refused.returncode, refused.stdout) == (1, "")
        assert "model.onnx is damaged" in refused.stderr
    assert not (tmp_path / "models" / "served.json").exists()


def test_the_list_marks_what_is_served(tmp_path: Path) -> None:
    add_version(tmp_path, "v2")
    (add_version(tmp_path, "v3") / CARD_FILE).write_text("{")
    (add_version(tmp_path, "v4") / CARD_FILE).unlink()
    assert run(tmp_path, "model", "promote", "v2", "--force").returncode == 0
    shipped, v2, v3, v4 = run(tmp_path, "model", "list").stdout.splitlines()
    assert shipped.startswith(f"  {SHIPPED.name} ")
    assert f"{read_card(SHIPPED).metrics['val'].errors} errors in 1000 on val" in shipped
    assert v2.startswith("* v2 ")
    assert "cannot be read" in v3
    assert "There is no model card in" in v4
    rows = [json.loads(line) for line in run(tmp_path, "model", "list", "--json").stdout.splitlines()]
    assert [(row["version"], row["served"], "error" in row) for row in rows] == [
        (SHIPPED.name, False, False),
        ("v2", True, False),
        ("v3", False, True),
        ("v4", False, True),
    ]


def test_doubt_thresholds_and_drift_reference_are_added_to_a_card(tmp_path: Path, photos: Path) -> None:
    """For a version whose card lacks them."""
    folder = add_version(tmp_path, "old", doubts=None, reference=None)
    before = read_card(folder)
    for label in ("cat", "dog"):
        (tmp_path / "some" / label).mkdir(parents=True)
        for path in islice(sorted((photos / "val" / label).glob("*.jpg")), 20):
            shutil.copy(path, tmp_path / "some" / label)
    for what in ("doubts", "reference"):
        done = run(tmp_path, "model", what, "some", "--version", "old")
        assert (done.returncode, done.stderr) == (0, "")
        assert "of some" in done.stdout
    card = read_card(folder)
    assert card.doubts
    assert card.reference
    assert (card.doubts.photos, card.reference.photos) == ("some", "some")
    assert card.model_copy(update={"doubts": None, "reference": None}) == before
