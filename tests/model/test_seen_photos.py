"""Copies of photos that a version was trained on are found, and other photos are not taken for copies."""

from __future__ import annotations

import io
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from PIL import Image, ImageOps

from catsdogs.domain import Answer
from catsdogs.errors import InvalidInput, ModelError
from catsdogs.model import preprocessing
from catsdogs.model.card import SHIPPED, read_card
from catsdogs.model.classifier import Classifier
from catsdogs.model.seen_photos import SEEN_FILE, SeenPhotos, is_copy, perceptual_hashes, require_unseen, unseen
from catsdogs.samples import FOLDER

DOG, DRAWING = ((FOLDER / f"{name}.jpg").read_bytes() for name in ("shepherd", "drawing"))
CHANGES: dict[str, Callable[[Image.Image], Image.Image]] = {
    "same": lambda image: image,
    "smaller": lambda image: image.resize((image.width // 3, image.height // 3)),
    "mirrored": ImageOps.mirror,
    "upside down": ImageOps.flip,
    "turned": lambda image: image.rotate(90, expand=True),
    "turned and mirrored": lambda image: ImageOps.mirror(image.rotate(90, expand=True)),
    "darker": lambda image: Image.eval(image, lambda level: level * 0.8),
    "grey": ImageOps.grayscale,
}


def seen(*photos: bytes) -> SeenPhotos:
    return SeenPhotos(np.stack([perceptual_hashes(preprocessing.decode(photo))[0] for photo in photos]))


@pytest.mark.parametrize("change", CHANGES)
def test_changed_copies_are_found(cat_jpeg: bytes, change: str) -> None:
    stream = io.BytesIO()
    CHANGES[change](Image.open(io.BytesIO(cat_jpeg))).save(stream, "JPEG", quality=40)
    copy = preprocessing.decode(stream.getvalue())
    assert is_copy(perceptual_hashes(copy), seen(DOG, cat_jpeg).hashes)
    assert not is_copy(perceptual_hashes(copy), seen(DOG, DRAWING).hashes)


def test_what_several_versions_have_seen_is_left_out(tmp_path: Path, cat_jpeg: bytes) -> None:
    contents = {"drawing": DRAWING, "dog": DOG, "other": cat_jpeg, "broken": b"x"}
    labels = {}
    for name, content in contents.items():
        (tmp_path / name).write_bytes(content)
        labels[tmp_path / name] = Answer.CAT
    versions = [seen(DRAWING), None, seen(DOG)]
    assert [path.name for path in unseen(labels, versions)] == ["other", "broken"]
    assert unseen(labels, [None]) == labels
    (tmp_path / "copy").write_bytes(cat_jpeg)
    copies = {tmp_path / "copy": Answer.CAT, **labels}
    assert [path.name for path in unseen(copies, [None], once=True)] == ["copy", "drawing", "dog", "broken"]
    del labels[tmp_path / "other"], labels[tmp_path / "broken"]
    with pytest.raises(InvalidInput, match=r"Version a or c was trained on all of these photos \(2\)"):
        require_unseen(labels, dict(zip("abc", versions, strict=True)))


def test_the_file_is_a_part_of_the_version(version: Path) -> None:
    assert Classifier.open(version).seen
    (version / SEEN_FILE).unlink()
    with pytest.raises(ModelError, match=SEEN_FILE):
        Classifier.open(version)
    assert SeenPhotos.read(version, read_card(version).model_copy(update={"sha256": {}})) is None


def test_the_shipped_version_knows_its_photos_and_no_others(photos: Path) -> None:
    assert (SHIPPED / SEEN_FILE).stat().st_size < 300_000
    version = Classifier.open(SHIPPED).seen
    trained = dict.fromkeys(sorted((photos / "train" / "cat").iterdir())[1:100:2], Answer.CAT)
    kept = dict.fromkeys(sorted((photos / "val" / "dog").glob("*.jpg"))[:100:2], Answer.DOG)
    assert list(unseen(trained | kept, [version])) == list(kept)
