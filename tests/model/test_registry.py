"""What is served follows promotions and rollbacks, and nothing damaged ever takes its place."""

from __future__ import annotations

import json
import logging
import shutil
import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from catsdogs.errors import InvalidInput, ModelError
from catsdogs.model.card import CARD_FILE, SHIPPED
from catsdogs.model.classifier import Classifier
from catsdogs.model.evaluation import EvaluationMetrics
from catsdogs.model.promotion import Comparison, MetricsPair, compare, require_better
from catsdogs.model.registry import HISTORY_FILE, ModelVersions
from catsdogs.model.serving import ServedModel
from catsdogs.settings import Settings

Trained = Callable[..., Path]


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    return Settings(_env_file=None, CATSDOGS_DATA_DIR=tmp_path)


@pytest.fixture
def trained(settings: Settings) -> Trained:
    """Make a version in the data folder: the shipped one under another name, with what else its card should say."""

    def make(version: str, **card: object) -> Path:
        folder = settings.data_dir / "models" / version
        shutil.copytree(SHIPPED, folder, ignore=shutil.ignore_patterns("*.keras"))
        content = json.loads((folder / CARD_FILE).read_text()) | {"version": version} | card
        (folder / CARD_FILE).write_text(json.dumps(content))
        return folder

    return make


@pytest.fixture
def versions(settings: Settings) -> ModelVersions:
    return ModelVersions(settings.data_dir)


def test_the_shipped_version_is_served_until_another_is_promoted(versions: ModelVersions, trained: Trained) -> None:
    assert versions.served() == SHIPPED.name
    trained("b")
    trained("a")
    assert [folder.name for folder in versions.folders()] == [SHIPPED.name, "a", "b"]
    assert versions.served() == SHIPPED.name
    versions.promote("a")
    assert versions.served() == "a"
    versions.promote("b")
    assert versions.rollback() == versions.served() == "a"
    assert versions.rollback() == versions.served() == SHIPPED.name
    assert [(change.how, change.version) for change in versions.history().changes] == [
        ("promote", "a"), ("promote", "b"), ("rollback", "a"), ("rollback", SHIPPED.name),
    ]  # fmt: skip
    with pytest.raises(InvalidInput, match="no version to go back to"):
        versions.rollback()
    versions.promote("b")
    assert versions.rollback() == SHIPPED.name


def test_impossible_promotions_are_refused(versions: ModelVersions) -> None:
    with pytest.raises(InvalidInput, match="no model version nobody"):
        versions.promote("nobody")
    with pytest.raises(InvalidInput, match="served already"):
        versions.promote(SHIPPED.name)
    assert versions.change_token() is None


def test_an_unfinished_training_is_no_version(versions: ModelVersions, trained: Trained) -> None:
    trained(".new.tmp")
    assert versions.folders() == [SHIPPED]


def test_with_a_damaged_history_the_shipped_version_is_served(
    versions: ModelVersions, settings: Settings, trained: Trained, caplog: pytest.LogCaptureFixture
) -> None:
    trained("a")
    versions.promote("a")
    (settings.data_dir / "models" / HISTORY_FILE).write_text('{"changes": [{"how": "promote"')
    with pytest.raises(ModelError, match="is damaged"):
        versions.served()
    with pytest.raises(ModelError, match="is damaged"):
        versions.promote("a")
    assert ServedModel(settings).current().version == SHIPPED.name
    assert "is damaged" in caplog.text


def test_a_promotion_is_followed_without_a_failed_request(
    settings: Settings, versions: ModelVersions, trained: Trained, cat_jpeg: bytes
) -> None:
    model = ServedModel(settings)
    trained("a")
    stop = threading.Event()

    def visit() -> list[str]:
        seen = []
        while not stop.is_set():
            seen.append(model.current().classify(cat_jpeg)[0].model_version)
        return seen

    with ThreadPoolExecutor(4) as pool:
        visitors = [pool.submit(visit) for _ in range(4)]
        try:
            versions.promote("a")
            while model.current().version != "a":
                pass
            versions.rollback()
            while model.current().version != SHIPPED.name:
                pass
        finally:
            stop.set()
        for visitor in visitors:
            assert set(visitor.result()) <= {SHIPPED.name, "a"}
    assert model.current().version == SHIPPED.name


@pytest.mark.parametrize(
    ("damage", "sentence"),
    [
        (lambda folder: (folder / "model.onnx").write_bytes(b"x"), "is damaged"),
        (shutil.rmtree, "There is no model version a"),
        (lambda folder: (folder / CARD_FILE).write_text('{"format": 999}'), "made for another version of catsdogs"),
    ],
)
def test_a_version_that_cannot_be_loaded_leaves_the_champion(
    settings: Settings,
    versions: ModelVersions,
    trained: Trained,
    caplog: pytest.LogCaptureFixture,
    damage: Callable[[Path], object],
    sentence: str,
) -> None:
    model = ServedModel(settings)
    trained("good")
    folder = trained("a")
    versions.promote("good")
    assert model.current().version == "good"
    versions.promote("a")
    damage(folder)
    caplog.set_level(logging.ERROR)
    for _ in range(3):
        assert model.current().version == "good"
    [record] = caplog.records
    assert sentence in record.getMessage()
    assert ServedModel(settings).current().version == "good", "a fresh start goes back as far as it must"
    versions.promote(SHIPPED.name)
    assert model.current().version == SHIPPED.name


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
