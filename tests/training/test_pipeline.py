"""From a folder of pictures to a version that is served, by command and by notebook."""

from __future__ import annotations

import csv
import json
import shutil
import subprocess
import sys
from pathlib import Path

import numpy as np
import papermill
import pytest
from PIL import Image

from catsdogs.classifier import Classifier
from catsdogs.domain import Answer, Prediction
from catsdogs.errors import InvalidInput, ModelError
from catsdogs.paths import notebooks
from catsdogs.training.pipeline import train


@pytest.fixture(scope="module")
def photos(textures: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The textures, a duplicate, a truncated file and a text."""
    folder = tmp_path_factory.mktemp("photos")
    shutil.copytree(textures, folder, dirs_exist_ok=True)
    shutil.copy(folder / "cat" / "0.png", folder / "cat" / "again.png")
    (folder / "dog" / "half.png").write_bytes((folder / "dog" / "0.png").read_bytes()[:3000])
    (folder / "dog" / "notes.txt").write_text("not a photo")
    return folder


def digest(folder: Path) -> dict[str, bytes]:
    return {str(path.relative_to(folder)): path.read_bytes() for path in folder.rglob("*") if path.is_file()}


@pytest.fixture(scope="module")
def version(photos: Path, textures: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    before = digest(photos)
    stages: list[tuple[str, int, int]] = []
    made = train(
        photos,
        tmp_path_factory.mktemp("models"),
        version="tiny",
        validation={"textures": textures},
        input_size=64,
        command="catsdogs train photos",
        progress=lambda *stage: stages.append(stage),
    )
    assert digest(photos) == before
    assert ("features", 50, 50) in stages
    assert stages[-1] == ("measuring on textures", 48, 48)
    return made


def test_it_learns(version: Path, textures: Path) -> None:
    classifier = Classifier.open(version)
    for label in (Answer.CAT, Answer.DOG):
        seen = classifier.classify_files((textures / label).iterdir())
        likely = [result.proba_dog >= 0.5 for _, result in seen if isinstance(result, Prediction)]
        assert likely == [label is Answer.DOG] * 24


def test_the_card_tells_what_was_done(version: Path) -> None:
    card = Classifier.open(version).card
    assert card.version == "tiny"
    assert card.training["command"] == "catsdogs train photos"
    assert card.training["photos"] == {"cat": 24, "dog": 24}
    assert card.metrics["textures"].n == 48
    assert card.metrics["textures"].errors == 0
    people = (version / "MODEL_CARD.md").read_text()
    assert "catsdogs train photos" in people
    assert "Apache-2.0" in people


def test_what_is_left_out_is_listed_with_the_reason(version: Path, photos: Path) -> None:
    with (version / "left_out.csv").open() as stream:
        reasons = {Path(row["file"]).name: row["reason"] for row in csv.DictReader(stream)}
    assert set(reasons) == {"again.png", "half.png", "notes.txt"}
    assert reasons["again.png"] == "the same as cat/0.png"
    assert "damaged or incomplete" in reasons["half.png"]


def test_both_runtimes_answer_the_same(version: Path, textures: Path) -> None:
    onnx, keras = Classifier.open(version), Classifier.open(version, "keras")
    batch = np.stack([onnx.prepare(path.read_bytes()).pixels for path in sorted((textures / "cat").iterdir())[:8]])
    for ours, theirs in zip(onnx._network(batch), keras._network(batch), strict=True):
        assert ours == pytest.approx(theirs, abs=1e-4)


def test_the_same_photos_and_seed_give_the_same_model(version: Path, photos: Path, tmp_path: Path) -> None:
    again = train(photos, tmp_path, version="again", input_size=64)
    a, b = (Classifier.open(folder) for folder in (version, again))
    assert a.card.training["fingerprint"] == b.card.training["fingerprint"]
    picture = (photos / "cat" / "1.png").read_bytes()
    assert a.classify(picture)[0].proba_dog == pytest.approx(b.classify(picture)[0].proba_dog, abs=1e-6)


def test_a_version_is_never_overwritten(version: Path, photos: Path) -> None:
    with pytest.raises(InvalidInput, match="version tiny already"):
        train(photos, version.parent, version="tiny", input_size=64)


def test_a_failed_training_leaves_nothing(textures: Path, tmp_path: Path) -> None:
    blocked = tmp_path / "file"
    blocked.write_text("")
    with pytest.raises(ModelError, match="cannot be written"):
        train(textures, blocked, input_size=32)
    assert list(tmp_path.iterdir()) == [blocked]


@pytest.mark.parametrize(
    ("folder", "says"), [("absent", "There is no folder"), ("empty", "holds no photos"), ("few", "Only 1 photos")]
)
def test_the_command_says_what_is_wrong_with_the_photos(tmp_path: Path, folder: str, says: str) -> None:
    (tmp_path / "empty").mkdir()
    for label in ("cat", "dog"):
        (tmp_path / "few" / label).mkdir(parents=True)
        Image.new("RGB", (9, 9), "red" if label == "cat" else "blue").save(tmp_path / "few" / label / "1.png")
    command = [sys.executable, "-m", "catsdogs", "train", str(tmp_path / folder), "--output", str(tmp_path / "out")]
    done = subprocess.run(command, capture_output=True, text=True, cwd=tmp_path)
    assert done.returncode == 1
    assert says in done.stderr
    assert "Traceback" not in done.stderr
    assert not (tmp_path / "out").exists()


def test_the_notebook_trains_with_the_same_code(textures: Path, tmp_path: Path) -> None:
    papermill.execute_notebook(
        str(notebooks() / "jobs" / "train.ipynb"),
        str(tmp_path / "done.ipynb"),
        parameters={"photos": str(textures), "output": str(tmp_path), "version": "n1", "validate": [str(textures)]},
        kernel_name="python3",
        progress_bar=False,
    )
    assert Classifier.open(tmp_path / "n1").card.metrics[textures.name].errors == 0
    shown = json.loads((tmp_path / "done.ipynb").read_text())["cells"][-1]["outputs"][0]["data"]
    assert "# Model n1" in "".join(shown["text/markdown"])
