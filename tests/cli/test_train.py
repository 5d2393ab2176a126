"""``catsdogs train``, as a shell calls it, and with people's photos."""

from __future__ import annotations

import csv
import io
import re
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path

import numpy as np
import pytest
from PIL import Image
from typer.testing import CliRunner

from catsdogs.cli.app import app
from catsdogs.domain import Consent, Outcome, ReviewDecision, TrueLabel
from catsdogs.errors import CatsDogsError
from catsdogs.model.card import ModelCard
from catsdogs.model.classifier import Classifier
from catsdogs.records.review_queue import ReviewQueue, feedback_photos
from catsdogs.service.local import Local
from catsdogs.settings import Settings
from catsdogs.training import options
from catsdogs.training.dataset import collect
from catsdogs.training.labelled_predictions import LabelledPredictions
from catsdogs.training.options import TrainingOptions
from tests.command import catsdogs
from tests.textures import SIZE, draw_textures
from tests.waiting import until

INPUT_SIZE = 64
"""Side of the network's input in pixels: a sixteenth of the default's work for each photo."""


SMALL = f"""
from functools import partial
from catsdogs.cli.app import app
from catsdogs.training import options
options.TrainingOptions = partial(options.TrainingOptions, input_size={INPUT_SIZE})
app(prog_name="catsdogs")
"""
"""The command, for a process of its own, with :data:`INPUT_SIZE`."""


def picture(seed: int) -> bytes:
    """A dog with the horizontal stripes of the cats; every seed gives another photo."""
    random = np.random.default_rng(1000 + seed)
    stripes = np.where(np.arange(2 * SIZE) // 8 % 2, 220, 40)[:, None, None]
    pixels = np.clip(stripes + random.normal(0, 20, (2 * SIZE, 2 * SIZE, 3)), 0, 255).astype(np.uint8)
    stream = io.BytesIO()
    Image.fromarray(pixels).save(stream, "PNG")
    return stream.getvalue()


@pytest.fixture(scope="module")
def textures(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("textures")
    draw_textures(folder, 32)
    return folder


@pytest.fixture
def service(database: Settings) -> Iterator[Local]:
    with Local.open(database) as service:
        yield service


@pytest.fixture
def train(
    environment: dict[str, str], textures: Path, monkeypatch: pytest.MonkeyPatch
) -> Callable[[str], tuple[Path, ModelCard, str]]:
    """Run the command in this process; return the version's folder, its card and standard error."""
    for name, value in environment.items():
        monkeypatch.setenv(name, value)
    monkeypatch.setattr(options, "TrainingOptions", partial(TrainingOptions, input_size=INPUT_SIZE))

    def train(version: str) -> tuple[Path, ModelCard, str]:
        done = CliRunner().invoke(
            app, ["train", str(textures), "--backbone", "lite0", "--with-feedback", "--version", version]
        )
        assert done.exit_code == 0, done.output
        made = Path(done.stdout.strip())
        return made, Classifier.open(made).card, done.stderr

    return train


def send(service: Local, number: int, label: TrueLabel = TrueLabel.DOG, consent: bool = True) -> Outcome:
    outcome = service.predict(picture(number), filename="mine.png", consent=Consent(photo=consent))
    service.give_feedback(outcome.feedback_id, true_label=label)
    return outcome


def left_out(version: Path) -> dict[str, str]:
    with (version / "left_out.csv").open(newline="") as stream:
        return {row["file"]: row["reason"] for row in csv.DictReader(stream)}


def stop_training(environment: dict[str, str], textures: Path, data_dir: Path) -> dict[Path, int]:
    """Interrupt the command while it computes features; return their files, and when each was written."""
    features = "processed/features/*/*/*.features"
    command = [sys.executable, "-c", SMALL, "train", str(textures), "--backbone", "lite0", "--with-feedback"]
    process = subprocess.Popen([*command, "--version", "first"], env=environment, stderr=subprocess.PIPE, text=True)
    until(lambda: process.poll() is not None or any(data_dir.glob(features)), "no features are written", timeout=120)
    process.send_signal(signal.SIGINT)
    _, errors = process.communicate(timeout=60)
    assert process.returncode == 130
    read, *progress, stopped = errors.splitlines()
    assert read.startswith("catsdogs: from feedback: ")
    assert [line for line in progress if not re.fullmatch(r"catsdogs: [a-z]+: \d+ of \d+", line)] == [], "TensorFlow"
    assert stopped == "catsdogs: Stopped. Repeat the command to resume."
    assert list((data_dir / "models").iterdir()) == []
    done = {path: path.stat().st_mtime_ns for path in data_dir.glob(features)}
    assert 0 < len(done) < 64
    return done


def test_a_stopped_training_is_resumed_and_has_reviewed_photos_until_they_are_erased(
    service: Local,
    database: Settings,
    environment: dict[str, str],
    textures: Path,
    train: Callable[[str], tuple[Path, ModelCard, str]],
    capfd: pytest.CaptureFixture[str],
) -> None:
    queue = ReviewQueue(service._database)
    learned, erased, other, refused, waiting, again = (send(service, number) for number in (0, 1, 2, 3, 4, 6))
    send(service, 5, consent=False)
    reviews = {
        learned: ReviewDecision.DOG,
        erased: ReviewDecision.DOG,
        other: ReviewDecision.NEITHER,
        refused: ReviewDecision.LEFT_OUT,
    }
    reviews[again] = ReviewDecision.LEFT_OUT
    for outcome, review in reviews.items():
        queue.decide(outcome.feedback_id, review)

    stopped = stop_training(environment, textures, database.data_dir)
    damaged = next(iter(stopped))
    damaged.write_bytes(damaged.read_bytes()[:-1])
    capfd.readouterr()
    first, card, errors = train("first")
    assert capfd.readouterr().err == "", "TensorFlow writes nothing either"
    assert [path for path, since in stopped.items() if path.stat().st_mtime_ns != since] == [damaged]
    assert "catsdogs: from feedback: 3 photos, 2 left out in review, 1 not reviewed yet\n" in errors
    assert "catsdogs: trained on 32 photos of cats and 34 of dogs\n" in errors
    assert "catsdogs: next: catsdogs model promote first --on FOLDER" in errors
    assert card.training["photos"] == {"cat": 32, "dog": 34}
    assert card.training["feedback"] == 2
    assert card.metrics["neither, from feedback"].n == 1
    assert card.metrics["neither, from feedback"].fingerprint == "", "nothing of people's photos outlives an erasure"
    assert "2 of them sent by people who consented to it, each reviewed" in ((first / "MODEL_CARD.md").read_text())
    assert left_out(first) == {"2 from feedback": "left out in review", "1 from feedback": "not reviewed yet"}
    assert len(LabelledPredictions.read(first / "held_out.csv").paths) == 64

    assert erased.receipt
    kept = service.export(erased.receipt)["photos"][0]
    assert kept["review"] == "dog"
    service.erase(erased.receipt)
    for outcome in (refused, waiting):
        assert outcome.receipt
        service.erase(outcome.receipt)
    remaining = collect(textures, INPUT_SIZE, feedback=feedback_photos(database))  # as the next training will
    assert (len(remaining.paths), int((~remaining.is_file).sum())) == (65, 1)
    assert remaining.fingerprint != card.training["fingerprint"]

    files = [path for path in database.data_dir.rglob("*") if path.is_file()]
    assert len([path for path in files if path.suffix == ".features"]) == 64  # of the folder alone
    assert [path for path in files if path.suffix.lower() in (".jpg", ".jpeg", ".png")] == []
    for outcome in (erased, refused, waiting):
        assert [path for path in files if str(outcome.feedback_id).encode() in path.read_bytes()] == []


def test_a_missing_folder_is_refused_before_the_database_is_read(environment: dict[str, str], tmp_path: Path) -> None:
    unreachable = environment | {"DB_HOST": "127.0.0.1", "DB_PORT": "1"}
    done = catsdogs("train", "nowhere", "--with-feedback", environment=unreachable, folder=tmp_path)
    assert (done.returncode, done.stdout, done.stderr) == (1, "", "catsdogs: There is no folder nowhere.\n")


def test_without_a_database_nothing_is_trained(
    environment: dict[str, str], database: Settings, textures: Path, tmp_path: Path
) -> None:
    unreachable = environment | {"DB_HOST": "127.0.0.1", "DB_PORT": "1"}
    done = catsdogs("train", str(textures), "--with-feedback", environment=unreachable, folder=tmp_path)
    assert (done.returncode, done.stdout) == (1, "")
    assert done.stderr.startswith("catsdogs: PostgreSQL (127.0.0.1:1) cannot be reached.")
    assert not (database.data_dir / "models").exists()


@pytest.mark.parametrize(
    ("folder", "message"),
    [("absent", "There is no folder"), ("empty", "holds no photos"), ("few", "that can be used: 1")],
)
def test_the_command_explains_what_is_wrong_with_the_photos(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, folder: str, message: str
) -> None:
    (tmp_path / "empty").mkdir()
    for label in ("cat", "dog"):
        (tmp_path / "few" / label).mkdir(parents=True)
        Image.new("RGB", (9, 9), "red" if label == "cat" else "blue").save(tmp_path / "few" / label / "1.png")
    monkeypatch.chdir(tmp_path)
    with pytest.raises(CatsDogsError, match=message):
        CliRunner().invoke(app, ["train", folder, "--output", "out"], catch_exceptions=False)
    assert not (tmp_path / "out").exists()
