"""The drift reference on the model card."""

from __future__ import annotations

import shutil
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from catsdogs.model.card import SHIPPED, read_card, write_card
from catsdogs.model.drift_reference import Histogram

SIGNALS = ["confidence", "answers", "neither", "brightness", "sharpness", "size"]


@given(st.lists(st.floats(0, 1), min_size=1, max_size=200))
def test_every_value_is_counted_in_its_bin(values: list[float]) -> None:
    histogram = Histogram.of(values)
    assert sum(histogram.counts) == len(values)
    bounds = [-np.inf, *histogram.edges, np.inf]
    for index, count in enumerate(histogram.counts):
        assert count == sum(bounds[index] <= value < bounds[index + 1] for value in values)


@pytest.mark.parametrize(("edges", "counts"), [((0.5,), (1,)), ((0.5, 0.5), (1, 2, 3)), ((0.7, 0.5), (1, 2, 3))])
def test_a_damaged_histogram_is_refused(edges: tuple[float, ...], counts: tuple[int, ...]) -> None:
    with pytest.raises(ValidationError):
        Histogram(edges=edges, counts=counts)


def test_the_shipped_card_has_a_reference_and_older_cards_need_none(tmp_path: Path) -> None:
    card = read_card(SHIPPED)
    assert card.reference
    assert list(card.reference.signals) == SIGNALS
    assert (card.reference.photos, card.reference.n) == ("val", card.metrics["val"].n)
    write_card(card.model_copy(update={"reference": None}), tmp_path)
    assert read_card(tmp_path).reference is None


def test_the_command_writes_the_reference_on_a_card(
    cat_jpeg: bytes, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from typer.testing import CliRunner

    from catsdogs.cli.app import app

    folder = tmp_path / "data" / "models" / "mine"
    shutil.copytree(SHIPPED, folder, ignore=shutil.ignore_patterns("*.keras"))
    write_card(read_card(SHIPPED).model_copy(update={"version": "mine", "reference": None}), folder)
    (tmp_path / "photos" / "cat").mkdir(parents=True)
    (tmp_path / "photos" / "cat" / "1.jpg").write_bytes(cat_jpeg)
    monkeypatch.setenv("CATSDOGS_DATA_DIR", str(tmp_path / "data"))
    done = CliRunner().invoke(app, ["model", "reference", str(tmp_path / "photos"), "--version", "mine"])
    assert done.output == "mine: the drift reference was computed from 1 photo of photos.\n"
    reference = read_card(folder).reference
    assert reference
    assert (reference.photos, reference.n) == ("photos", 1)
