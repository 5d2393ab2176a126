"""Training a model version from a folder of photos."""

from __future__ import annotations

import csv
import shutil
import zipfile
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import onnx
import pytest
from PIL import Image

from catsdogs.domain import Answer, Prediction
from catsdogs.errors import InvalidInput, ModelError
from catsdogs.model.classifier import Classifier
from catsdogs.model.evaluation import labelled_photos
from catsdogs.model.fingerprint import fingerprint_files
from catsdogs.model.seen_photos import SEEN_FILE
from catsdogs.training import augmentation
from catsdogs.training.architectures import LITE0
from catsdogs.training.dataset import collect
from catsdogs.training.labelled_predictions import LabelledPredictions
from catsdogs.training.options import TrainingOptions
from catsdogs.training.pipeline import (
    HELD_OUT,
    LEARNING_CURVE,
    LEFT_OUT,
    check_parity,
    features_with_copies,
    train,
)
from catsdogs.training.quantization import QuantizedBackbone
from tests.textures import draw_textures


@pytest.fixture(scope="module")
def photos(textures: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The textures in the layout of Microsoft's archive; a duplicate, a truncated file and a blank photo of neither."""
    folder = tmp_path_factory.mktemp("photos")
    for label in ("Cat", "Dog"):
        shutil.copytree(textures / label.lower(), folder / "PetImages" / label)
    shutil.copy(folder / "PetImages" / "Cat" / "0.png", folder / "PetImages" / "Cat" / "again.png")
    (folder / "PetImages" / "Dog" / "half.png").write_bytes((textures / "dog" / "0.png").read_bytes()[:3000])
    (folder / "PetImages" / "neither").mkdir()
    Image.new("RGB", (64, 64), "white").save(folder / "PetImages" / "neither" / "blank.png")
    (folder / "PetImages" / "Dog" / "Thumbs.db").write_bytes(b"not a photo")
    return folder


@pytest.fixture(scope="module")
def others(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Five photos of other things, and a file that is none."""
    folder = tmp_path_factory.mktemp("others")
    for number in range(5):
        noise = np.random.default_rng(number).integers(0, 256, (64, 64, 3), np.uint8)
        Image.fromarray(noise).save(folder / f"{number}.png")
    (folder / "broken.png").write_bytes(b"not a photo")
    return folder


@pytest.fixture(scope="module")
def unseen(textures: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """48 other textures, and one that is trained on."""
    folder = tmp_path_factory.mktemp("unseen") / "textures"
    draw_textures(folder, 24, seed=1)
    shutil.copy(textures / "dog" / "1.png", folder / "cat" / "trained_on.png")
    return folder


def contents(folder: Path) -> dict[str, bytes]:
    return {str(path.relative_to(folder)): path.read_bytes() for path in folder.rglob("*") if path.is_file()}


@pytest.fixture(scope="module")
def version(photos: Path, textures: Path, unseen: Path, others: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    before = contents(photos)
    stages: list[tuple[str, int, int]] = []
    options = TrainingOptions(
        photos,
        tmp_path_factory.mktemp("models"),
        tmp_path_factory.mktemp("processed"),
        version="tiny",
        validation={"textures": unseen, "trained on": textures},
        architecture=LITE0,
        input_size=64,
        others=[others],
        command="catsdogs train photos",
        notes=["The photos are textures, and nobody's."],
    )
    made = train(options, lambda *stage: stages.append(stage))
    assert contents(photos) == before
    ended = {"checking": 50, "calibrating": 48, "features": 48, "head": 8}
    assert [stages.count((stage, n, n)) for stage, n in ended.items()] == [1] * len(ended)
    assert stages.count(("measuring on textures", 48, 48)) == 1
    assert stages[-1] == ("measuring on textures", 48, 48)
    return made


def test_the_model_learns(version: Path, textures: Path) -> None:
    classifier = Classifier.open(version)
    for label in (Answer.CAT, Answer.DOG):
        results = classifier.classify_files((textures / label).iterdir())
        likely = [result.proba_dog >= 0.5 for _, result in results if isinstance(result, Prediction)]
        assert likely == [label is Answer.DOG] * 24


def test_the_card_describes_the_training(version: Path, unseen: Path) -> None:
    card = Classifier.open(version).card
    assert card.version == "tiny"
    assert card.training["command"] == "catsdogs train photos"
    assert card.training["photos"] == {"cat": 24, "dog": 24}
    assert card.metrics["textures"].n == 48
    assert card.metrics["textures"].errors == 0
    assert card.metrics["textures"].fingerprint == fingerprint_files(
        {path: label for path, label in labelled_photos(unseen).items() if path.stem != "trained_on"}
    )
    assert card.seen == {"textures": 1, "trained on": 48}
    assert list(card.metrics) == ["neither", "textures"]
    assert card.reference
    assert (card.reference.photos, card.reference.n) == ("textures", 48), "photos that the model was not trained on"
    assert card.doubts
    assert (card.doubts.photos, card.doubts.n) == ("textures", 48 - card.metrics["textures"].refused)
    assert card.metrics["textures"].unsure + card.metrics["textures"].both >= 1, "the least confident 2 %"
    assert (card.metrics["neither"].n, card.metrics["neither"].log_loss) == (1, None)
    markdown = (version / "MODEL_CARD.md").read_text()
    assert "the 2% with the least confidence are unsure" in markdown
    assert "catsdogs train photos" in markdown
    assert "- The photos are textures, and nobody's." in markdown
    assert card.held_out_refusals
    assert f"the gate refuses {card.held_out_refusals.cases} of 48, " in markdown
    assert "Apache-2.0" in markdown
    assert "EfficientNet-Lite0" in markdown
    assert card.held_out_accepted
    assert "The gate compares with 5 photos of other things. Comparing each of them with four" in markdown
    assert f"alone, it takes {card.held_out_accepted.cases} for pets, " in markdown
    left_out = "Left out, as the version was trained on them or on copies of them"
    assert f"{left_out}: 1 of textures, 48 of trained on." in markdown


def test_left_out_photos_are_listed_with_the_reason(version: Path) -> None:
    with (version / "left_out.csv").open() as stream:
        reasons = {Path(row["file"]).name: row["reason"] for row in csv.DictReader(stream)}
    assert set(reasons) == {"again.png", "half.png"}
    assert "the same as" in reasons["again.png"]
    assert "damaged or incomplete" in reasons["half.png"]


def test_the_predictions_of_cross_validation_are_written(version: Path) -> None:
    held_out = LabelledPredictions.read(version / "held_out.csv")
    assert (held_out.is_dog == (held_out.proba_dog >= 0.5)).all()
    assert len(held_out.paths) == 48
    assert held_out.paths[0].is_file()
    assert held_out.answers.count(Answer.NEITHER) == 1  # the threshold refuses 1 % of them, rounded up


def test_both_runtimes_answer_the_same(version: Path, textures: Path) -> None:
    served, in_keras = Classifier.open(version), Classifier.open(version, "keras")
    batch = np.stack([served.preprocess(path.read_bytes()).pixels for path in sorted((textures / "cat").iterdir())[:8]])
    for ours, theirs in zip(served.forward(batch), in_keras.forward(batch), strict=True):
        assert ours == pytest.approx(theirs, abs=1e-4)


def test_the_same_photos_and_seed_give_the_same_model(
    version: Path, photos: Path, unseen: Path, others: Path, tmp_path: Path
) -> None:
    """Everything is computed again, with an empty cache; names and times in the files may differ, no number does."""
    sets = {"textures": unseen}
    options = TrainingOptions(
        photos,
        tmp_path,
        tmp_path / "processed",
        version="again",
        validation=sets,
        input_size=64,
        architecture=LITE0,
        others=[others],
    )
    again = train(options)
    for name in (HELD_OUT, LEARNING_CURVE, LEFT_OUT, SEEN_FILE):
        assert (again / name).read_bytes() == (version / name).read_bytes(), name
    assert keras_weights(again) == keras_weights(version)
    assert onnx_constants(again) == onnx_constants(version)
    first, second = (Classifier.open(folder).card for folder in (version, again))
    assert second.metrics == first.metrics
    assert (second.doubts, second.reference, second.thresholds) == (first.doubts, first.reference, first.thresholds)
    assert second.training == first.training | {"command": "", "notes": []}


def keras_weights(version: Path) -> bytes:
    with zipfile.ZipFile(version / "model.keras") as archive:
        return archive.read("model.weights.h5")


def onnx_constants(version: Path) -> list[bytes]:
    return sorted(constant.raw_data for constant in onnx.load(version / "model.onnx").graph.initializer)


def test_many_photos_are_copied_and_few_are_not(
    textures: Path, backbone: QuantizedBackbone, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    dataset = collect(textures, 64)
    options = TrainingOptions(textures, tmp_path, tmp_path / "processed", architecture=LITE0, input_size=64)
    stages: list[tuple[str, int, int]] = []
    [alone] = features_with_copies(dataset, backbone, options, lambda *stage: stages.append(stage))
    assert {stage for stage, _, _ in stages} == {"features"}
    monkeypatch.setattr(augmentation, "LEAST_PHOTOS", 48)
    photos, copies = features_with_copies(dataset, backbone, options, lambda *stage: stages.append(stage))
    assert ("features of changed copies", 48, 48) in stages
    assert (photos == alone).all()
    assert (copies != photos).any(axis=1).all()
    assert (features_with_copies(dataset, backbone, options, lambda *_: None)[1] == copies).all(), "from the cache"


def test_models_that_differ_are_refused(version: Path, photos: Path) -> None:
    import keras

    dataset = collect(photos, 64)
    network = SimpleNamespace(model=keras.models.load_model(version / "model.keras", compile=False))
    check_parity(network, Classifier.open(version), dataset)  # type: ignore[arg-type]
    layer = network.model.get_layer("fitted").get_layer("head")
    weights, bias = layer.get_weights()
    layer.set_weights([weights, bias + 0.01])
    with pytest.raises(ModelError, match=r"differs from the Keras model by 0\.01"):
        check_parity(network, Classifier.open(version), dataset)  # type: ignore[arg-type]


def test_a_version_is_never_overwritten(version: Path, photos: Path) -> None:
    with pytest.raises(InvalidInput, match="version tiny already"):
        train(TrainingOptions(photos, version.parent, version.parent, version="tiny", input_size=64))


@pytest.mark.parametrize("name", ["../up", "a/b", ".hidden", "x" * 65])
def test_a_name_that_is_not_allowed_is_refused_before_any_work(photos: Path, tmp_path: Path, name: str) -> None:
    with pytest.raises(InvalidInput, match="A version's name"):
        train(TrainingOptions(photos, tmp_path, tmp_path, version=name, input_size=64))
    assert list(tmp_path.iterdir()) == []


def test_a_folder_that_cannot_be_written_is_refused_before_the_training(textures: Path, tmp_path: Path) -> None:
    blocked = tmp_path / "file"
    blocked.write_text("")
    with pytest.raises(ModelError, match="cannot be written"):
        train(TrainingOptions(textures, blocked, tmp_path / "processed", input_size=32))
    assert sorted(tmp_path.iterdir()) == [blocked]
