"""Both runtimes give the same outputs, for single and for concurrent requests."""

from __future__ import annotations

import shutil
from concurrent.futures import ThreadPoolExecutor
from itertools import islice
from pathlib import Path

import pytest

from catsdogs.errors import ModelError
from catsdogs.model.card import SHIPPED, read_card
from catsdogs.model.classifier import Classifier

from .conftest import rewrite_card


@pytest.mark.parametrize("gone", [False, True], ids=["file is there", "file is gone"])
def test_concurrent_requests_get_the_same_answers(version: Path, cat_jpeg: bytes, gone: bool) -> None:
    """Concurrent requests run on one core each, in a session that the first of them loads."""
    classifier = Classifier.open(version)
    if gone:
        shutil.rmtree(version)
    alone = classifier.classify(cat_jpeg)[0]
    with ThreadPoolExecutor(4) as pool:
        together = list(pool.map(lambda _: classifier.classify(cat_jpeg)[0], range(24)))
    assert classifier._network._on_one_core is not None  # type: ignore[attr-defined]
    assert {one.answer for one in together} == {alone.answer}
    assert [one.proba_cat for one in together] == pytest.approx([alone.proba_cat] * 24, abs=1e-6)


@pytest.fixture(scope="module")
def keras_classifier() -> Classifier:
    return Classifier.open(SHIPPED, "keras")


def assert_same(photo: bytes, one: Classifier, other: Classifier) -> None:
    (ours, _), (theirs, _) = one.classify(photo), other.classify(photo)
    assert ours.proba_dog == pytest.approx(theirs.proba_dog, abs=1e-4)
    assert ours.neither_score == pytest.approx(theirs.neither_score, abs=1e-3)


def test_both_runtimes_give_the_same(classifier: Classifier, keras_classifier: Classifier, cat_jpeg: bytes) -> None:
    assert_same(cat_jpeg, classifier, keras_classifier)


def test_both_runtimes_give_the_same_on_photos(
    photos: Path, classifier: Classifier, keras_classifier: Classifier
) -> None:
    for kind in ("val/cat", "val/dog", "neither"):
        for path in islice(sorted((photos / kind).glob("*.jpg")), 4):
            assert_same(path.read_bytes(), classifier, keras_classifier)


def test_a_file_that_is_no_network_is_refused(version: Path) -> None:
    import hashlib

    for name in ("model.onnx", "model.keras"):
        (version / name).write_bytes(b"not a network")
    checksum = hashlib.sha256(b"not a network").hexdigest()
    rewrite_card(version, sha256=dict.fromkeys(read_card(version).sha256, checksum))
    with pytest.raises(ModelError, match="cannot be loaded"):
        Classifier.open(version, "onnx")
    with pytest.raises(ModelError, match="cannot be loaded"):
        Classifier.open(version, "keras")
