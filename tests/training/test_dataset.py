"""Usable photos, and the reasons why others are left out."""

from __future__ import annotations

import csv
import io
from pathlib import Path
from uuid import UUID

import numpy as np
import pytest
from PIL import Image

from catsdogs.domain import Answer
from catsdogs.errors import InvalidInput
from catsdogs.records.review_queue import FeedbackPhotos
from catsdogs.training.dataset import collect, collect_others, write_left_out
from tests.textures import draw_textures


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """22 photos of each animal, as Microsoft's archive is unzipped."""
    draw_textures(tmp_path / "pets" / "PetImages", 22)
    return tmp_path / "pets"


@pytest.mark.parametrize("below", ["", "PetImages"])
def test_the_folder_is_the_archive_or_the_one_with_the_labels(folder: Path, below: str) -> None:
    dataset = collect(folder / below, 64)
    assert dataset.is_dog.tolist() == [False] * 22 + [True] * 22
    assert {path.parent.name for path in dataset.paths[:22]} == {"cat"}
    assert dataset.left_out == {}
    assert len(set(dataset.digests)) == 44


@pytest.mark.parametrize("other", ["missing", "empty"])
def test_a_folder_of_other_things_holds_some(folder: Path, tmp_path: Path, other: str) -> None:
    (tmp_path / "empty").mkdir()
    with pytest.raises(InvalidInput, match=f"{other} is missing or holds no photos"):
        collect_others([folder, tmp_path / other], 64)


def test_every_file_is_checked_and_the_source_is_not_changed(folder: Path) -> None:
    cats, dogs = folder / "PetImages" / "cat", folder / "PetImages" / "dog"
    (cats / "broken.jpg").write_bytes(b"\xff\xd8\xff\xe0 truncated")
    (cats / "empty.jpg").touch()
    Image.new("RGB", (63, 400)).save(dogs / "small.png")
    metadata = io.BytesIO()
    Image.open(cats / "1.png").save(metadata, "PNG", compress_level=1)
    (cats / "same_cat.png").write_bytes(metadata.getvalue())
    (dogs / "a_cat.png").write_bytes((cats / "2.png").read_bytes())
    before = {path: path.read_bytes() for path in folder.rglob("*") if path.is_file()}
    calls: list[tuple[int, int]] = []

    dataset = collect(folder, 64, lambda done, of: calls.append((done, of)))

    reasons = {str(path.relative_to(folder / "PetImages")): reason for path, reason in dataset.left_out.items()}
    assert reasons.pop("cat/broken.jpg").startswith("This picture is damaged")
    assert reasons.pop("cat/empty.jpg").startswith("This file is empty")
    assert reasons == {
        "dog/small.png": "too small: 63 x 400 pixels, each side needs at least 64",
        "cat/same_cat.png": "the same as PetImages/cat/1.png",
        "cat/2.png": "the same as PetImages/dog/a_cat.png: one of the labels is wrong",
        "dog/a_cat.png": "the same as PetImages/cat/2.png: one of the labels is wrong",
    }
    assert np.bincount(dataset.is_dog).tolist() == [21, 22]
    assert calls[-1] == (49, 49)
    assert {path: path.read_bytes() for path in folder.rglob("*") if path.is_file()} == before


def test_the_table_lists_the_reasons(tmp_path: Path) -> None:
    write_left_out({Path("b, c.jpg"): 'a "reason"', Path("a.jpg"): "too small"}, tmp_path / "left_out.csv")
    with (tmp_path / "left_out.csv").open(newline="") as stream:
        assert list(csv.reader(stream)) == [["file", "reason"], ["a.jpg", "too small"], ["b, c.jpg", 'a "reason"']]


def test_the_fingerprint_depends_on_contents_and_labels_only(folder: Path, tmp_path: Path) -> None:
    first = collect(folder, 64).fingerprint
    (folder / "PetImages" / "cat" / "0.png").rename(folder / "PetImages" / "cat" / "zero.png")
    assert collect(folder, 64).fingerprint == first
    (folder / "PetImages" / "cat" / "zero.png").rename(folder / "PetImages" / "dog" / "zero.png")
    assert collect(folder, 64).fingerprint != first


def test_too_few_photos_of_an_animal_are_refused(folder: Path) -> None:
    for number in range(3):
        (folder / "PetImages" / "dog" / f"{number}.png").write_bytes(b"")
    with pytest.raises(InvalidInput, match=r"Photos in .*/dog that can be used: 19"):
        collect(folder, 64)


def test_photos_of_people_are_checked_like_files(textures: Path) -> None:
    small = io.BytesIO()
    Image.new("RGB", (300, 20)).save(small, "JPEG")
    paths = {
        name: Path("feedback", f"{UUID(int=number)}.jpg") for number, name in enumerate(["small", "same", "other"])
    }
    content = {
        paths["small"]: small.getvalue(),
        paths["same"]: (textures / "cat" / "0.png").read_bytes(),
        paths["other"]: (textures / "cat" / "1.png").read_bytes(),
    }
    labels = {paths["small"]: Answer.DOG, paths["same"]: Answer.CAT, paths["other"]: Answer.DOG}
    dataset = collect(textures, 64, feedback=FeedbackPhotos(content, labels))
    reasons = {path.stem if path in content else path.name: reason for path, reason in dataset.left_out.items()}
    assert reasons == {
        paths["small"].stem: "too small: 300 x 20 pixels, each side needs at least 64",
        paths["same"].stem: "the same as cat/0.png",
        paths["other"].stem: "the same as cat/1.png: one of the labels is wrong",
        "1.png": "the same as a photo from feedback: one of the labels is wrong",
    }
    assert dataset.is_file.all()
