"""Is the model still good: accuracy with and without labels, and drift on real photos, in a real database."""

from __future__ import annotations

import io
import random
from collections.abc import Callable, Iterable
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa
from PIL import Image, ImageEnhance, ImageFilter

from catsdogs.database import Database
from catsdogs.domain import Answer, Prediction
from catsdogs.errors import InvalidImage
from catsdogs.model.card import SHIPPED, ModelCard, read_card
from catsdogs.model.classifier import Classifier
from catsdogs.model.drift_reference import DriftReference, Histogram
from catsdogs.model.preprocessing import ImageStatistics
from catsdogs.monitoring import sampling
from catsdogs.monitoring.drift import compare_signal
from catsdogs.monitoring.figures import Drift, ModelHealth
from catsdogs.monitoring.model_health import model_health
from catsdogs.monitoring.prediction_filter import PredictionFilter
from catsdogs.records import predictions
from catsdogs.records.predictions import PredictionRecord
from catsdogs.service.interface import NO_CONSENT
from tests.rows import NOW, Keep, Row, make_row

Change = Callable[[Image.Image], Image.Image]
Seen = tuple[Prediction, ImageStatistics]
MOVED = ("moderate", "strong")


def card_of(version: str) -> ModelCard | None:
    return read_card(SHIPPED) if version == SHIPPED.name else None


def health_of(database: Database, **window: Any) -> ModelHealth:
    return database.run(lambda c: model_health(c, database.tables.predictions, card_of, PredictionFilter(**window)))


def drifted(health: ModelHealth) -> dict[str, str]:
    return {drift["signal"]: drift["reading"].value for drift in health["drift"] if drift["reading"] in MOVED}


@pytest.fixture(scope="module")
def classifier() -> Classifier:
    return Classifier.open(SHIPPED)


@pytest.fixture(scope="module")
def answered(classifier: Classifier) -> Callable[..., list[Seen]]:
    """Let the shipped model look at photos, and remember what it said of those that are sent as they are."""
    known: dict[Path, Seen] = {}

    def answered(paths: Iterable[Path], change: Change | None = None) -> list[Seen]:
        if change:
            return [classifier.classify(png(path, change)) for path in paths]
        for path in paths:
            if path not in known:
                known[path] = classifier.classify(path.read_bytes())
        return [known[path] for path in paths]

    return answered


@pytest.fixture(scope="module")
def pets(photos: Path) -> list[Path]:
    """Photos that are not those of the reference."""
    return [path for animal in ("cat", "dog") for path in sorted((photos / "train" / animal).iterdir())[5::32]]


def png(path: Path, change: Change) -> bytes:
    """Change a photo, and nothing else: JPEG would blur it a little once more."""
    stream = io.BytesIO()
    with Image.open(path) as image:
        change(image.convert("RGB")).save(stream, "PNG", compress_level=1)
    return stream.getvalue()


@pytest.fixture
def record(keep: Keep) -> Callable[[list[Seen]], Database]:
    """Record what the model said of photos."""

    def record(seen: list[Seen]) -> Database:
        database = keep([])
        records = [PredictionRecord.create(*one, photo=b"", filename=None, consent=NO_CONSENT)[0] for one in seen]
        database.run(lambda connection: predictions.store(connection, database.tables, records))
        return database

    return record


def test_photos_of_the_same_kind_are_no_drift(record: Any, answered: Any, pets: list[Path]) -> None:
    health = health_of(record(answered(pets)))
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
def test_changed_photos_move_their_signal_and_no_other(
    record: Any, answered: Any, pets: list[Path], change: Change, signal: str
) -> None:
    assert drifted(health_of(record(answered(pets, change)))) == {signal: "strong"}


@pytest.mark.parametrize(
    ("change", "signals"),
    [
        (darkened(0.35), {"brightness"}),
        (darkened(0.25), {"brightness"}),
        (blurred(0.7), {"sharpness"}),
        (blurred(2), {"sharpness"}),
        (scaled(0.5), {"size", "sharpness"}),  # what is smaller than the network sees is blurred for it
        (scaled(1.5), set()),  # larger photos do no harm
    ],
)
def test_photos_changed_a_little_or_much_move_what_they_should(
    record: Any, classifier: Classifier, pets: list[Path], change: Change, signals: set[str]
) -> None:
    cat = Prediction(Answer.CAT, 0.999, 0.001, 0.0, classifier.version, 1.0)  # this is about the photos alone
    health = health_of(record([(cat, classifier.preprocess(png(path, change)).statistics) for path in pets[::2]]))
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


def test_other_things_move_the_share_of_neither_and_no_other_signal(
    record: Any, answered: Any, pets: list[Path], photos: Path
) -> None:
    others = sorted((photos / "neither").rglob("*.jpg"))[::3]
    assert drifted(health_of(record(answered([*pets, *others])))) == {"neither": "strong"}


def test_dogs_alone_move_the_answers_and_no_other_signal(record: Any, answered: Any, pets: list[Path]) -> None:
    dogs = [path for path in pets if path.parent.name == "dog"]
    assert drifted(health_of(record(answered(dogs)))) == {"answers": "strong"}


def test_sql_counts_the_signals_as_the_reference_does(
    record: Any, answered: Any, pets: list[Path], photos: Path, classifier: Classifier
) -> None:
    seen = answered([*pets[:30], *sorted((photos / "neither").rglob("*.jpg"))[:10]])
    known = DriftReference.count("some", seen, classifier.card.input_size)
    database, card = record(seen), classifier.card.model_copy(update={"reference": known})
    unread = PredictionRecord.of_failure(InvalidImage("no"), SHIPPED.name)
    database.run(lambda c: predictions.store(c, database.tables, [unread]))
    health = database.run(lambda c: model_health(c, database.tables.predictions, lambda _: card))
    assert {drift["n"] for drift in health["drift"] if drift["signal"] in {"size", "brightness"}} == {len(seen)}
    assert [drift["found"] for drift in health["drift"]] == [drift["expected"] for drift in health["drift"]]
    assert {drift["psi"] for drift in health["drift"]} == {0.0}


def test_few_photos_say_nothing_and_chance_is_not_drift() -> None:
    known = Histogram(edges=(0.5,), counts=(500, 500))
    few: Drift = compare_signal("answers", known, [0, 99])
    assert (few["reading"], few["n"]) == ("too_few", 99)
    assert compare_signal("answers", known, [0, 100])["reading"] == "strong"
    assert compare_signal("answers", known, [72, 28])["reading"] == "moderate"
    lucky = compare_signal("answers", known, [65, 35])  # an index of 0.1, which chance gives now and then
    assert lucky["psi"] < 0.1 or lucky["p_value"] > 0.001
    assert lucky["reading"] == "none"
    assert compare_signal("answers", known, [51_000, 49_000])["reading"] == "none"  # significant, and of no importance


def calibrated(n: int, seed: int = 0) -> list[Row]:
    """Answers that are right as often as their probability says, each judged."""
    choose = random.Random(seed)
    rows = []
    for place in range(n):
        cat = choose.uniform(0.5, 1)
        right = choose.random() < cat
        opinion = int(right)
        rows.append(make_row(NOW - timedelta(minutes=place), proba_cat=cat, proba_dog=1 - cat, user_feedback=opinion))
    return rows


def test_the_accuracy_is_estimated_without_labels_about_as_judged(keep: Keep) -> None:
    health = health_of(keep(calibrated(2000)))
    judged, estimated = health["judged"], health["estimated"]
    assert (judged["n"], estimated["n"]) == (2000, 2000)
    assert judged["low"] < estimated["rate"] < judged["high"]
    assert estimated["low"] < judged["rate"] < estimated["high"]
    assert 0.7 < estimated["rate"] < 0.8
    assert health["whole"]


def test_reliability_lies_on_the_diagonal_where_probabilities_are_calibrated(keep: Keep) -> None:
    bins = health_of(keep(calibrated(2000)))["reliability"]
    assert len(bins) == 10
    assert sum(bin_["n"] for bin_ in bins) == 2000
    missed = [bin_ for bin_ in bins if not bin_["low"] <= bin_["confidence"] <= bin_["high"]]
    assert len(missed) <= 2  # 95 % intervals


def test_over_time_and_by_version(keep: Keep) -> None:
    new = [
        row | {"model_version": "2.0", "timestamp": row["timestamp"] + timedelta(days=3)} for row in calibrated(50, 1)
    ]
    for row in new:
        row |= {"id": sa.func.gen_random_uuid(), "user_feedback": None, "feedback_at": None}
    database = keep(calibrated(100))
    with database.engine.begin() as connection:
        connection.execute(sa.insert(database.tables.predictions).values(new))
    health = health_of(database)
    assert [version["model_version"] for version in health["versions"]] == ["1.0", "2.0"]
    assert [version["share"] for version in health["versions"]] == pytest.approx([2 / 3, 1 / 3])
    assert [version["judged"]["n"] for version in health["versions"]] == [100, 0]
    assert health["versions"][0]["mean_ms"] == 4.0
    assert sum(bucket["judged"]["n"] for bucket in health["timeline"]) == 100
    assert sum(bucket["estimated"]["n"] for bucket in health["timeline"]) == 150
    assert len(health["timeline"]) <= 22
    assert health["model_version"] == "2.0"
    assert (health["reference"], health["drift"]) == (None, [])  # nobody knows its card
    assert health_of(database, model_version="1.0")["estimated"]["n"] == 100


def test_nothing_is_said_of_nothing(keep: Keep) -> None:
    health = health_of(keep([]))
    assert health["judged"] == health["estimated"] == {"rate": None, "low": None, "high": None, "n": 0}
    assert (health["timeline"], health["reliability"], health["drift"], health["versions"]) == ([], [], [], [])


def test_of_many_predictions_a_sample_is_enough(keep: Keep, monkeypatch: pytest.MonkeyPatch) -> None:
    database = keep(calibrated(6000))
    with database.engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
        connection.execute(sa.text("ANALYZE"))
    monkeypatch.setattr(sampling.draw_sample, "__defaults__", (1500,))
    monkeypatch.setattr(sampling, "SAMPLE_SIZE", 1500)
    health = health_of(database)
    assert not health["whole"]
    assert 300 < health["estimated"]["n"] < 3000
    assert 1000 < health["judged"]["n"] < 3000  # of every interval of eight minutes, two or more
    assert all(bucket["judged"]["n"] for bucket in health["timeline"])
    assert health["estimated"]["rate"] == pytest.approx(health["judged"]["rate"], abs=0.05)
    assert health == health_of(database)  # and the same one each time
