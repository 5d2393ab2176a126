"""``catsdogs evaluate``."""

from __future__ import annotations

import csv
from pathlib import Path

import pytest

from catsdogs.model.card import SHIPPED

from .conftest import Run, lines


def test_the_metrics_are_one_json_object(run_process: Run, tmp_path: Path, cat_jpeg: bytes) -> None:
    for name in ("set/cat/a.jpg", "set/cat/b.jpg", "set/dog/mislabelled.jpg", "set/dog/broken.jpg"):
        path = tmp_path / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(b"no photo" if "broken" in name else cat_jpeg)
    done = run_process("evaluate", "set", "--json", "--version", SHIPPED.name, "--mistakes", "mistakes.csv")
    assert done.returncode == 0, done.stderr
    (figures,) = lines(done)
    assert figures.keys() >= {"n", "errors", "refused", "accuracy", "log_loss", "ece", "auroc"}
    assert (figures["n"], figures["errors"], figures["refused"], figures["unreadable"]) == (3, 1, 0, 1)
    assert figures["accuracy"] == pytest.approx(2 / 3)
    assert 0 <= figures["auroc"] <= 1  # the three photos are one, and differ by rounding at most
    assert len(figures["fingerprint"]) == 64
    with (tmp_path / "mistakes.csv").open(newline="") as stream:
        [mistake] = csv.DictReader(stream)
    assert (mistake["file"], mistake["label"], mistake["answer"]) == ("set/dog/mislabelled.jpg", "dog", "cat")


def test_an_unknown_version_is_named(run: Run, tmp_path: Path, cat_jpeg: bytes) -> None:
    (tmp_path / "set" / "cat").mkdir(parents=True)
    (tmp_path / "set" / "cat" / "a.jpg").write_bytes(cat_jpeg)
    done = run("evaluate", "set", "--version", "absent")
    assert (done.returncode, done.stdout) == (1, "")
    assert "absent" in done.stderr


def test_a_folder_without_labels_is_refused(run: Run, tmp_path: Path) -> None:
    (tmp_path / "set").mkdir()
    done = run("evaluate", "set")
    assert (done.returncode, done.stdout) == (1, "")
    assert "cat/, dog/ or neither/" in done.stderr


def test_a_table_that_cannot_be_written_is_refused_before_the_photos_are_read(run: Run, tmp_path: Path) -> None:
    (tmp_path / "set" / "cat").mkdir(parents=True)
    (tmp_path / "set" / "cat" / "broken.jpg").touch()
    done = run("evaluate", "set", "--mistakes", "set")
    assert (done.returncode, done.stdout) == (1, "")
    assert done.stderr == "catsdogs: set is a folder. Name a file to write.\n"
