"""A candidate is compared with the champion, and refused if it is worse."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from catsdogs.errors import InvalidInput, ModelError
from catsdogs.model.card import CARD_FILE, SHIPPED
from catsdogs.model.classifier import Classifier
from catsdogs.model.evaluation import EvaluationMetrics
from catsdogs.model.promotion import Comparison, MetricsPair, compare, require_better

from .conftest import Trained


def measured(**figures: object) -> EvaluationMetrics:
    shipped = Classifier.open(SHIPPED).card.metrics["val"]
    return EvaluationMetrics(**({name: getattr(shipped, name) for name in EvaluationMetrics.__slots__} | figures))


@pytest.mark.parametrize(
    ("candidate", "milliseconds", "objection"),
    [
        ({}, (10, 10), None),
        ({"accuracy": 0.999, "errors": 1}, (10, 14.9), None),
        ({"accuracy": 0.995, "errors": 5}, (10, 10), "5 errors instead of 4 on val"),
        ({"log_loss": 0.02}, (10, 10), "log-loss 0.0200 instead of 0.0150 on val"),
        ({"log_loss": 0.0155}, (10, 10), None),
        ({"refused": 15}, (10, 10), "15 pets refused instead of 6 on val"),
        ({"refused": 11}, (10, 10), None),
        ({}, (10, 15.1), "15.1 ms a photo instead of 10.0"),
    ],
)
def test_the_rule(candidate: dict[str, float], milliseconds: tuple[float, float], objection: str | None) -> None:
    champion = measured(accuracy=0.996, errors=4, log_loss=0.015, refused=6, n=1000)
    figures = {"accuracy": 0.996, "errors": 4, "log_loss": 0.015, "refused": 6, "n": 1000} | candidate
    comparison = Comparison({"val": MetricsPair(champion, measured(**figures))}, milliseconds)
    assert comparison.objections() == ([objection] if objection else [])
    if objection:
        with pytest.raises(ModelError, match="worse than old, which stays"):
            require_better(comparison, "old", "new")
    else:
        require_better(comparison, "old", "new")


def test_both_are_measured_on_the_same_photos(trained: Trained, tmp_path: Path, cat_jpeg: bytes) -> None:
    for name in ("photos/cat/a.jpg", "photos/dog/no_dog.jpg"):
        (tmp_path / name).parent.mkdir(parents=True)
        (tmp_path / name).write_bytes(cat_jpeg)
    champion, candidate = Classifier.open(SHIPPED), Classifier.open(trained("a", metrics={}))
    with pytest.raises(InvalidInput, match="--on FOLDER"):
        compare(champion, candidate)
    comparison = compare(champion, candidate, tmp_path / "photos")
    pair = comparison.pairs["photos"]
    assert pair.champion == pair.candidate
    assert (pair.champion.n, pair.champion.errors) == (2, 1)
    assert min(comparison.milliseconds) > 0


def test_without_photos_the_cards_are_compared(trained: Trained) -> None:
    champion = Classifier.open(SHIPPED)
    metrics = json.loads((SHIPPED / CARD_FILE).read_text())["metrics"]
    metrics["val"] |= {"accuracy": 0.9, "errors": 100}
    metrics["other"] = metrics["val"]
    comparison = compare(champion, Classifier.open(trained("a", metrics=metrics)))
    assert set(comparison.pairs) == set(champion.card.metrics)
    assert any("100 errors" in objection for objection in comparison.objections())
