"""Drift of real photos and of histograms: each cause moves its own signal, and chance moves none."""

from __future__ import annotations

import io
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any

import pytest
from PIL import Image, ImageEnhance, ImageFilter

from catsdogs.database import Database
from catsdogs.domain import Answer, Prediction
from catsdogs.errors import InvalidImage
from catsdogs.model.card import SHIPPED
from catsdogs.model.classifier import Classifier
from catsdogs.model.drift_reference import DriftReference, Histogram
from catsdogs.model.preprocessing import ImageStatistics
from catsdogs.monitoring.drift import compare_signal
from catsdogs.monitoring.figures import Drift, ModelHealth
from catsdogs.monitoring.model_health import model_health
from catsdogs.records import predictions
from catsdogs.records.predictions import PredictionRecord
from catsdogs.service.interface import NO_CONSENT
from tests.monitoring import queries
from tests.rows import InsertRows

Change = Callable[[Image.Image], Image.Image]
Classified = tuple[Prediction, ImageStatistics]
MOVED = ("moderate", "strong")


def drifted(health: ModelHealth) -> dict[str, str]:
    return {drift["signal"]: drift["reading"].value for drift in health["drift"] if drift["reading"] in MOVED}


@pytest.fixture(scope="module")
def classifier() -> Classifier:
    return Classifier.open(SHIPPED)


@pytest.fixture(scope="module")
def answered(classifier: Classifier) -> Callable[..., list[Classified]]:
    """Classify photos with the shipped model, once those that are not changed."""
    known: dict[Path, Classified] = {}

    def answered(paths: Iterable[Path], change: Change | None = None) -> list[Classified]:
        if change:
            return [classifier.classify(png(path, change)) for path in paths]
        new = [path for path in paths if path not in known]
        for path, classified in classifier.classify_files_with_statistics(new):
            assert not isinstance(classified, InvalidImage)
            known[path] = classified
        return [known[path] for path in paths]

    return answered


@pytest.fixture(scope="module")
def pets(photos: Path) -> list[Path]:
    """Photos that are not those of the reference."""
    return [path for animal in ("cat", "dog") for path in sorted((photos / "train" / animal).iterdir())[5::32]]


def png(path: Path, change: Change) -> bytes:
    """Change a photo and encode it without loss: JPEG would blur it a little more."""
    stream = io.BytesIO()
    with Image.open(path) as image:
        change(image.convert("RGB")).save(stream, "PNG", compress_level=1)
    return stream.getvalue()


@pytest.fixture
def record(insert_rows: InsertRows) -> Callable[[list[Classified]], Database]:
    """Store predictions."""

    def record(classified: list[Classified]) -> Database:
        database = insert_rows([])
        records = [PredictionRecord.create(*one, photo=b"", filename=None, consent=NO_CONSENT)[0] for one in classified]
        database.run(lambda connection: predictions.store(connection, database.tables, records))
        return database

    return record


def test_photos_of_the_same_kind_are_no_drift(record: Any, answered: Any, pets: list[Path]) -> None:
    health = queries.health(record(answered(pets)))
    assert (health["model_version"], health["reference"]) == (SHIPPED.name, "val")
    assert {drift["n"] for drift in health["drift"] if drift["signal"] == "brightness"} == {len(pets)}
    assert drifted(health) == {}


def darkened(strength: float) -> Change:
    return lambda image: ImageEnhance.Brightness(image).enhance(strength)


def blurred(radius: float) -> Change:
    return lambda image: image.filter(ImageFilter.GaussianBlur(radius))


def scaled(by: float) -> Change:
    return lambda image: image.resize((round(image.width * by), round(image.height * by)))


@pytest.mark.parametrize(("change", "signal"), [(darkened(0.5), "brightness"), (blurred(1), "sharpness")])
def test_changed_photos_move_only_their_signal(
    record: Any, answered: Any, pets: list[Path], change: Change, signal: str
) -> None:
    assert drifted(queries.health(record(answered(pets[::2], change)))) == {signal: "strong"}


@pytest.mark.parametrize(
    ("change", "signals"),
    [
        (darkened(0.35), {"brightness"}),
        (darkened(0.25), {"brightness"}),
        (blurred(0.7), {"sharpness"}),
        (blurred(2), {"sharpness"}),
        (scaled(0.5), {"size", "sharpness"}),  # smaller than the network's input: it is blurred when scaled up
        (scaled(1.5), set()),  # larger photos do no harm
    ],
)
def test_each_change_of_photos_moves_the_expected_signals(
    record: Any, classifier: Classifier, pets: list[Path], change: Change, signals: set[str]
) -> None:
    cat = Prediction(Answer.CAT, 0.999, 0.001, 0.0, classifier.version, 1.0)  # this is about the photos alone
    health = queries.health(record([(cat, classifier.preprocess(png(path, change)).statistics) for path in pets[::2]]))
    found = drifted(health)
    assert found.keys() - {"confidence", "answers"} == signals
    assert {found[signal] for signal in signals} <= {"strong"}


def test_only_smaller_photos_are_a_drift_of_size() -> None:
    known = Histogram(edges=(200.0, 256.0), counts=(100, 100, 800))
    assert compare_signal("size", known, [0, 0, 500])["reading"] == "none"
    assert compare_signal("size", known, [50, 50, 400])["psi"] == pytest.approx(0, abs=1e-3)
    assert compare_signal("size", known, [250, 0, 250])["reading"] == "strong"
    assert compare_signal("size", known, [0, 500, 0])["reading"] == "strong"
    assert compare_signal("size", known, [0, 0, 0])["reading"] == "too_few"
    assert compare_signal("brightness", known, [0, 0, 500])["reading"] == "strong"
    assert compare_signal("size", known, [0, 0, 500])["found"] == [0, 0, 1]  # shown as it is


def test_photos_of_other_things_move_only_the_share_of_neither(
    record: Any, answered: Any, pets: list[Path], photos: Path
) -> None:
    others = sorted((photos / "neither").rglob("*.jpg"))[::3]
    assert drifted(queries.health(record(answered([*pets, *others])))) == {"neither": "strong"}


def test_photos_of_dogs_alone_move_only_the_answers(record: Any, answered: Any, pets: list[Path]) -> None:
    dogs = [path for path in pets if path.parent.name == "dog"]
    assert drifted(queries.health(record(answered(dogs)))) == {"answers": "strong"}


def test_sql_counts_the_signals_as_the_reference_does(
    record: Any, answered: Any, pets: list[Path], photos: Path, classifier: Classifier
) -> None:
    classified = answered([*pets[:30], *sorted((photos / "neither").rglob("*.jpg"))[:10]])
    known = DriftReference.count("some", classified, classifier.card.input_size)
    database, card = record(classified), classifier.card.model_copy(update={"reference": known})
    unread = PredictionRecord.of_failure(InvalidImage("no"), SHIPPED.name)
    database.run(lambda c: predictions.store(c, database.tables, [unread]))
    health = database.run(lambda c: model_health(c, database.tables.predictions, lambda _: card))
    assert {drift["n"] for drift in health["drift"] if drift["signal"] in {"size", "brightness"}} == {len(classified)}
    assert [drift["found"] for drift in health["drift"]] == [drift["expected"] for drift in health["drift"]]
    assert {drift["psi"] for drift in health["drift"]} == {0.0}


def test_few_photos_or_chance_are_no_drift() -> None:
    known = Histogram(edges=(0.5,), counts=(500, 500))
    few: Drift = compare_signal("answers", known, [0, 99])
    assert (few["reading"], few["n"]) == ("too_few", 99)
    assert compare_signal("answers", known, [0, 100])["reading"] == "strong"
    assert compare_signal("answers", known, [72, 28])["reading"] == "moderate"
    lucky = compare_signal("answers", known, [65, 35])  # an index of 0.1, which chance gives now and then
    assert lucky["psi"] < 0.1 or lucky["p_value"] > 0.001
    assert lucky["reading"] == "none"
    assert compare_signal("answers", known, [51_000, 49_000])["reading"] == "none"  # significant, and of no importance
