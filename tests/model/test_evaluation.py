from __future__ import annotations

import math
from collections.abc import Iterable, Iterator
from pathlib import Path

import numpy as np
import pytest

from catsdogs.domain import Answer, Prediction
from catsdogs.errors import InvalidImage, InvalidInput
from catsdogs.model.evaluation import auroc, labelled_photos, log_loss, measure, photo_files, predict, reliability
from catsdogs.stats import wilson_interval


def prediction(proba_dog: float, neither_score: float = 0.0) -> Prediction:
    answer = Answer.NEITHER if neither_score >= 0.5 else Answer.DOG if proba_dog >= 0.5 else Answer.CAT
    return Prediction(answer, 1 - proba_dog, proba_dog, neither_score, "test", 1.0)


def test_log_loss_is_the_mean_negative_log_likelihood() -> None:
    assert log_loss(np.array([True, False]), np.array([0.5, 0.5])) == pytest.approx(math.log(2))
    assert log_loss(np.array([True, False]), np.array([0.9, 0.2])) == pytest.approx(
        -(math.log(0.9) + math.log(0.8)) / 2
    )
    assert math.isfinite(log_loss(np.array([True]), np.array([0.0])))


def test_auroc_is_the_chance_that_a_dog_ranks_above_a_cat() -> None:
    rng = np.random.default_rng(1)
    is_dog = rng.random(60) < 0.4
    proba = np.round(rng.random(60), 1)  # with ties
    pairs = [(d > c) + 0.5 * (d == c) for d in proba[is_dog] for c in proba[~is_dog]]
    assert auroc(is_dog, proba) == pytest.approx(sum(pairs) / len(pairs))


def test_reliability_compares_confidence_with_success() -> None:
    is_dog = np.array([True, True, False, False])
    unsure, sure = reliability(is_dog, np.array([0.99, 0.99, 0.99, 0.3]))
    assert unsure == pytest.approx((0.7, 1, 1))
    assert sure == pytest.approx((0.99, 2 / 3, 3))
    assert reliability(np.array([False]), np.array([0.0])) == [(1.0, 1.0, 1)]


def test_errors_and_refusals_are_counted_apart() -> None:
    measured = measure(
        [
            (Answer.CAT, prediction(0.1)),  # right
            (Answer.CAT, prediction(0.9)),  # wrong
            (Answer.DOG, prediction(0.9, neither_score=0.8)),  # refused, would be right
            (Answer.DOG, prediction(0.2, neither_score=0.8)),  # refused, would be wrong
            (Answer.NEITHER, prediction(0.9, neither_score=0.8)),  # right
            (Answer.NEITHER, prediction(0.9)),  # taken for a pet
        ],
        unreadable=2,
    )
    assert (measured.n, measured.errors, measured.refused, measured.unreadable) == (6, 3, 2, 2)
    assert measured.accuracy == pytest.approx(0.5)
    assert measured.accuracy_low < 0.5 < measured.accuracy_high
    assert (measured.pets, measured.refused_interval) == (4, wilson_interval(2, 4))
    assert (measured.figures()["refused_low"], measured.figures()["refused_high"]) == wilson_interval(2, 4)
    assert measured.ece == pytest.approx((2 * abs(0.9 - 0.5) + 0 + abs(0.9 - 1) + abs(0.8 - 0)) / 4, abs=0.3)
    assert "reliability" not in measured.figures()


def test_calibration_error_weighs_the_bins() -> None:
    measured = measure([(Answer.DOG, prediction(0.99))] * 3 + [(Answer.CAT, prediction(0.99))])
    assert measured.ece == pytest.approx(0.99 - 0.75)


def test_others_alone_have_no_calibration() -> None:
    measured = measure([(Answer.NEITHER, prediction(0.5, neither_score=0.9))])
    assert (measured.errors, measured.refused, measured.log_loss, measured.ece, measured.auroc) == (
        0,
        0,
        None,
        None,
        None,
    )
    assert (measured.pets, measured.refused_interval, measured.figures()["refused_low"]) == (0, None, None)


def test_folders_give_the_labels_in_any_case(tmp_path: Path) -> None:
    for name in ("Cat/a.jpg", "dog/deep/b.jpg", "dog/.hidden", "dog/Thumbs.db", "neither/c.jpg", "bird/d.jpg"):
        path = tmp_path / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.touch()
    found = {str(path.relative_to(tmp_path)): str(label) for path, label in labelled_photos(tmp_path).items()}
    assert found == {"Cat/a.jpg": "cat", "dog/deep/b.jpg": "dog", "neither/c.jpg": "neither"}
    assert [path.name for path in photo_files(tmp_path / "dog")] == ["b.jpg"]


def _touch(folder: Path, *names: str) -> None:
    for name in names:
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).touch()


def test_folders_and_files_of_the_system_are_no_photos(tmp_path: Path) -> None:
    _touch(tmp_path, ".ipynb_checkpoints/a.jpg", "desktop.ini", "Thumbs.db", ".DS_Store", "more/.cache/b.jpg", "c.jpg")
    assert [path.name for path in photo_files(tmp_path)] == ["c.jpg"]


def test_plural_folders_and_kaggles_names_give_the_labels(tmp_path: Path) -> None:
    _touch(tmp_path / "plural", "Cats/a.jpg", "DOGS/b.jpg")
    _touch(tmp_path / "flat", "cat.0.jpg", "dog.12.jpg", "Dog.1.JPG", "sample.csv", "cat.jpg")
    plural, flat = (labelled_photos(tmp_path / name) for name in ("plural", "flat"))
    assert {path.name: str(label) for path, label in plural.items()} == {"a.jpg": "cat", "b.jpg": "dog"}
    assert {path.name: str(label) for path, label in flat.items()} == {
        "Dog.1.JPG": "dog",
        "cat.0.jpg": "cat",
        "dog.12.jpg": "dog",
    }


def test_the_parts_of_a_data_set_are_named(tmp_path: Path) -> None:
    _touch(tmp_path, "train/cats/a.jpg", "test/dogs/b.jpg", "kaggle/cat.0.jpg", "others/c.jpg")
    with pytest.raises(InvalidInput, match=r"Choose one of them: kaggle, test, train\.$"):
        labelled_photos(tmp_path)


def test_a_folder_without_labels_is_refused(tmp_path: Path) -> None:
    with pytest.raises(InvalidInput, match="no photos in cat/, dog/ or neither/"):
        labelled_photos(tmp_path)
    with pytest.raises(InvalidInput, match="There is no folder"):
        labelled_photos(tmp_path / "missing")


def test_unreadable_files_are_counted_and_the_rest_is_measured() -> None:
    looked_at = []

    def classify(paths: Iterable[Path]) -> Iterator[tuple[Path, Prediction | InvalidImage]]:
        for path in paths:
            broken = path.name == "broken"
            yield path, InvalidImage("This file is empty.") if broken else prediction(float(path.parent.name == "dog"))

    paths = [Path(name) for name in ("cat/a", "cat/broken", "dog/b")]
    found = predict(classify, paths, lambda: looked_at.append(1))
    assert (list(found), len(looked_at)) == ([paths[0], paths[2]], 3)
    measured = measure([(Answer(path.parent.name), one) for path, one in found.items()], unreadable=1)
    assert (measured.n, measured.errors, measured.unreadable) == (2, 0, 1)
    with pytest.raises(InvalidInput, match="No labelled photo can be read, of 3"):
        measure([], unreadable=3)
