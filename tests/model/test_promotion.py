"""A candidate is compared with the champion, and refused if it is worse."""

from __future__ import annotations

import json
from collections.abc import Iterable
from pathlib import Path

import pytest

from catsdogs.domain import Answer, Prediction
from catsdogs.errors import InvalidInput, ModelError
from catsdogs.i18n import Translator
from catsdogs.model.card import CARD_FILE, SHIPPED
from catsdogs.model.classifier import Classifier, answer_of
from catsdogs.model.evaluation import EvaluationMetrics, labelled_photos
from catsdogs.model.paired_test import PairedCounts
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
        with pytest.raises(ModelError, match="new does not replace old"):
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
    comparison = compare(champion, candidate, {"photos": labelled_photos(tmp_path / "photos")})
    pair = comparison.pairs["photos"]
    assert pair.answers
    assert (pair.answers.errors, pair.answers.refused) == (PairedCounts(2, 1, 0, 0), PairedCounts(2, 0, 0, 0))
    assert pair.champion == pair.candidate
    assert (pair.champion.n, pair.champion.errors) == (2, 1)
    assert min(comparison.milliseconds) > 0


def answers(n: int, wrong: Iterable[int] = (), refused: Iterable[int] = ()) -> dict[Path, Prediction]:
    """Predictions for `n` cats and dogs by turns, some wrong and some refused."""
    found = {}
    for number in range(n):
        proba_dog, neither = 0.9 if (number in wrong) ^ (number % 2) else 0.1, 0.9 if number in refused else 0.1
        found[Path(f"{number}")] = Prediction(answer_of(proba_dog, neither), 1 - proba_dog, proba_dog, neither, "v", 1)
    return found


@pytest.mark.parametrize(
    ("n", "champion", "candidate", "objections"),
    [
        (1000, answers(1000, wrong=range(9)), answers(1000, wrong=range(2)), []),
        (1000, answers(1000, wrong=range(3)), answers(1000, wrong=range(1, 4)), []),
        (1000, answers(1000, wrong=[0]), answers(1000, wrong=[1, 2]), ["2 errors instead of 1 on kept"]),
        (99, answers(99), answers(99), ["99 photos in kept: too few, at least 100 are needed"]),
        (2000, answers(2000), answers(2000, refused=range(5)), []),  # a quarter of 1 %, which may be chance
        (2000, answers(2000), answers(2000, refused=range(6)), ["6 pets refused instead of 0 on kept"]),
    ],
)
def test_the_same_photos_are_compared_one_by_one(
    n: int, champion: dict[Path, Prediction], candidate: dict[Path, Prediction], objections: list[str]
) -> None:
    labels = {path: (Answer.CAT, Answer.DOG)[int(path.name) % 2] for path in champion}
    pair = MetricsPair.measure(labels | {Path("unreadable"): Answer.DOG}, champion, candidate)
    assert (pair.champion.n, pair.champion.unreadable) == (n, 1)
    comparison = Comparison({"kept": pair}, (10, 10))
    assert [objection for objection in comparison.objections() if "log-loss" not in objection] == objections
    errors, refused = comparison.sentences(Translator("en"))
    assert errors.startswith(f"Errors on kept: {pair.candidate.errors} instead of {pair.champion.errors} (")
    assert refused.startswith("Refused pets on kept: ")


def test_photos_of_one_animal_or_few_of_it_tell_nothing() -> None:
    """A model that always says "cat" makes no error on cats, and few photos on cards are as few as others."""
    cats = {path: found for path, found in answers(400).items() if int(path.name) % 2 == 0}
    few = {path: found for path, found in answers(400).items() if int(path.name) % 2 == 0 or int(path.name) < 20}
    for predictions, sentence in ((cats, "0 photos of dogs in kept: too few"), (few, "10 photos of dogs in kept")):
        labels = {path: (Answer.CAT, Answer.DOG)[int(path.name) % 2] for path in predictions}
        pair = MetricsPair.measure(labels, predictions, predictions)
        [objection] = Comparison({"kept": pair}, (10, 10)).objections()
        assert objection.startswith(sentence)
    for figures, sentence in (({"auroc": None}, "val shows only one of"), ({"n": 99}, "99 photos in val: too few")):
        pair = MetricsPair(measured(**figures), measured(**figures))
        [objection] = Comparison({"val": pair}, (10, 10)).objections()
        assert objection.startswith(sentence)


def test_without_photos_the_cards_are_compared(trained: Trained) -> None:
    champion = Classifier.open(SHIPPED)
    metrics = json.loads((SHIPPED / CARD_FILE).read_text())["metrics"]
    metrics["val"] |= {"accuracy": 0.9, "errors": 100}
    metrics["kept"] = metrics.pop("val")  # another name
    comparison = compare(champion, Classifier.open(trained("a", metrics=metrics)))
    assert set(comparison.pairs) == set(champion.card.metrics)
    assert any("100 errors" in objection for objection in comparison.objections())


@pytest.mark.parametrize("fingerprint", ["", "0" * 64])
def test_sets_of_one_name_and_size_are_not_the_same_photos(trained: Trained, fingerprint: str) -> None:
    metrics = json.loads((SHIPPED / CARD_FILE).read_text())["metrics"]
    metrics["val"]["fingerprint"] = fingerprint  # empty on older cards; that of neither still agrees, without pets
    with pytest.raises(InvalidInput, match="no fingerprint of a set of pets in common"):
        compare(Classifier.open(SHIPPED), Classifier.open(trained("a", metrics=metrics)))
