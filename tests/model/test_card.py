"""The model card and the files of a version."""

from __future__ import annotations

from pathlib import Path

import pytest

from catsdogs.errors import ModelError
from catsdogs.model.card import CARD_FILE
from catsdogs.model.classifier import Classifier

from .conftest import rewrite_card


@pytest.mark.parametrize(
    ("damage", "sentence"),
    [
        (lambda v: (v / "model.onnx").write_bytes(b"x"), "is damaged"),
        (lambda v: (v / "model.onnx").unlink(), "is missing"),
        (lambda v: (v / CARD_FILE).unlink(), "There is no model card in"),
        (lambda v: (v / CARD_FILE).write_text("{"), "cannot be read"),
        (lambda v: (v / CARD_FILE).write_text("[]"), "another version of catsdogs"),
        (lambda v: rewrite_card(v, format=999), "another version of catsdogs"),
        (lambda v: rewrite_card(v, input_size="big"), "is damaged"),
        (lambda v: rewrite_card(v, surprise=1), "is damaged"),
    ],
)
def test_a_damaged_version_is_refused_with_a_sentence(version: Path, damage: object, sentence: str) -> None:
    damage(version)  # type: ignore[operator]
    with pytest.raises(ModelError, match=sentence):
        Classifier.open(version)
