"""``catsdogs predict`` and ``catsdogs evaluate``, as a shell calls them."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest
from PIL import Image

from catsdogs.model.card import SHIPPED

Run = Callable[..., subprocess.CompletedProcess[str]]


@pytest.fixture
def run(tmp_path: Path) -> Run:
    """Call the command in an empty folder, with no setting in the environment."""

    def call(*arguments: str) -> subprocess.CompletedProcess[str]:
        environment = {"PATH": os.environ["PATH"], "HOME": str(tmp_path)}
        command = [sys.executable, "-m", "catsdogs", *arguments]
        return subprocess.run(command, cwd=tmp_path, env=environment, capture_output=True, text=True)

    return call


@pytest.fixture
def folder(tmp_path: Path, cat_jpeg: bytes) -> Path:
    """Three photos of a cat, one in a folder below, and something else."""
    folder = tmp_path / "photos"
    (folder / "more").mkdir(parents=True)
    for name in ("a.jpg", "b photo.jpg", "more/<img src=x onerror=alert(1)>.jpg"):
        target = folder / name
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_bytes(cat_jpeg)
    return folder


def lines(done: subprocess.CompletedProcess[str]) -> list[dict[str, object]]:
    return [json.loads(line) for line in done.stdout.splitlines()]


def test_a_folder_means_every_file_below_it(run: Run, folder: Path) -> None:
    done = run("predict", str(folder), "--json")
    assert done.returncode == 0, done.stderr
    rows = lines(done)
    assert [Path(str(row["file"])).is_file() for row in rows] == [True, True, True]
    for row in rows:
        assert row.keys() >= {
            "file", "prediction", "proba_cat", "proba_dog", "inference_time_ms", "model_version"
        }  # fmt: skip
        assert row["prediction"] == "cat"
        assert row["proba_cat"] + row["proba_dog"] == pytest.approx(1)
        assert row["model_version"] == SHIPPED.name
        assert {len(places) for places in row["explanation"]["activation"]} == {len(row["explanation"]["activation"])}
        assert row["explanation"]["box"] == [0.167, 0, 0.833, 1]
    assert done.stderr == ""
    assert not (folder.parent / "data").exists(), "predicting from the shell records nothing"
    assert not list(folder.parent.rglob("*onnxruntime*")), "and ONNX Runtime, which would like to, tells nobody of it"


def test_what_cannot_be_read_is_a_line_too_and_the_exit_code_says_so(run: Run, folder: Path) -> None:
    (folder / "broken.jpg").write_bytes(b"no photo")
    (folder / "empty.jpg").touch()
    done = run("predict", "--json", str(folder), "missing.jpg")
    assert done.returncode == 1
    errors = {Path(str(row["file"])).name: row["error"] for row in lines(done) if "error" in row}
    assert errors.keys() == {"broken.jpg", "empty.jpg", "missing.jpg"}
    assert "empty" in str(errors["empty.jpg"])
    assert "no such file" in str(errors["missing.jpg"])
    assert sum("prediction" in row for row in lines(done)) == 3


def test_people_read_a_line_a_photo(run: Run, folder: Path) -> None:
    done = run("predict", str(folder / "a.jpg"))
    assert done.returncode == 0
    assert done.stdout.startswith(f"{folder / 'a.jpg'}: cat (")


def test_people_read_where_an_answer_is_in_doubt(run: Run, tmp_path: Path) -> None:
    import skimage.data

    small = Image.fromarray(skimage.data.chelsea()).resize((200, 133))
    wide = Image.new("RGB", (400, 400), "grey")
    wide.paste(small, (100, 130))
    found = set()
    (tmp_path / "fading").mkdir()
    for percent in (0, *range(60, 98)):
        faded = Image.blend(wide, Image.new("RGB", wide.size, "grey"), percent / 100)
        faded.save(tmp_path / "fading" / f"{percent}.png")
    done, said = run("predict", "fading", "--json"), run("predict", "fading")
    for row, line in zip(lines(done), said.stdout.splitlines(), strict=True):
        words = {None: ")", "unsure": "), unsure", "both": "), but there seem to be both a cat and a dog"}
        assert line.endswith(words[row["doubt"]])
        found.add(row["doubt"])
    assert found > {None}, "a photo that fades away becomes doubtful at some point"


def test_an_empty_folder_is_a_failure(run: Run, tmp_path: Path) -> None:
    (tmp_path / "empty").mkdir()
    done = run("predict", "empty", "--json")
    assert (done.returncode, done.stdout) == (1, "")
    assert "no files" in done.stderr


def test_no_photo_is_a_wrong_call(run: Run) -> None:
    assert run("predict").returncode == 2


def test_a_broken_setting_is_one_sentence(run: Run, folder: Path) -> None:
    (folder.parent / ".env").write_text("MODEL_RUNTIME=torch\n")
    done = run("predict", str(folder))
    assert (done.returncode, done.stdout) == (1, "")
    assert done.stderr.startswith("catsdogs: Setting MODEL_RUNTIME is wrong")
    assert len(done.stderr.splitlines()) == 1


def test_evaluate_gives_one_object(run: Run, tmp_path: Path, cat_jpeg: bytes) -> None:
    for name in ("set/cat/a.jpg", "set/cat/b.jpg", "set/dog/mislabelled.jpg", "set/dog/broken.jpg"):
        path = tmp_path / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(b"no photo" if "broken" in name else cat_jpeg)
    done = run("evaluate", "set", "--json")
    assert done.returncode == 0, done.stderr
    (figures,) = lines(done)
    assert figures.keys() >= {"n", "errors", "refused", "accuracy", "log_loss", "ece", "auroc"}
    assert (figures["n"], figures["errors"], figures["refused"], figures["unreadable"]) == (3, 1, 0, 1)
    assert figures["accuracy"] == pytest.approx(2 / 3)
    assert figures["auroc"] == pytest.approx(0.5)


def test_evaluate_says_what_the_folder_lacks(run: Run, tmp_path: Path) -> None:
    (tmp_path / "set").mkdir()
    done = run("evaluate", "set")
    assert (done.returncode, done.stdout) == (1, "")
    assert "cat/, dog/ or neither/" in done.stderr


def test_training_without_photos_says_so(run: Run, tmp_path: Path) -> None:
    done = run("train", "nowhere")
    assert (done.returncode, done.stdout) == (1, "")
    assert "There is no folder nowhere" in done.stderr
