from __future__ import annotations

import io
import json
from concurrent.futures import ThreadPoolExecutor
from dataclasses import asdict
from itertools import islice, pairwise
from pathlib import Path

import numpy as np
import pytest
from PIL import Image, ImageOps

from catsdogs.domain import Answer, Box, Note, Prediction
from catsdogs.errors import InvalidImage
from catsdogs.model.card import SHIPPED
from catsdogs.model.classifier import Classifier, answer_of
from catsdogs.model.evaluation import labelled_photos, measure, photo_files
from catsdogs.model.fingerprint import fingerprint_files
from catsdogs.model.preprocessing import Pixels
from catsdogs.model.runtimes import Outputs
from catsdogs.stats import wilson_interval
from catsdogs.widgets.answer_card import SURE


def test_a_cat_is_a_cat(classifier: Classifier, cat_jpeg: bytes) -> None:
    prediction, statistics = classifier.classify(cat_jpeg)
    assert prediction.answer is Answer.CAT
    assert prediction.proba_cat > 0.95
    assert prediction.proba_cat + prediction.proba_dog == pytest.approx(1)
    assert prediction.confidence == prediction.proba_cat
    assert prediction.neither_score < 0.5
    assert prediction.inference_time_ms > 0
    assert prediction.model_version == classifier.version == SHIPPED.name
    assert (statistics.width, statistics.height) == (451, 300)


@pytest.mark.parametrize("picture", ["coffee", "astronaut", "page", "brick"])
def test_a_photo_of_neither_is_answered_neither(classifier: Classifier, picture: str) -> None:
    import skimage.data

    stream = io.BytesIO()
    Image.fromarray(getattr(skimage.data, picture)()).save(stream, "PNG")
    prediction, _ = classifier.classify(stream.getvalue())
    assert prediction.answer is Answer.NEITHER
    assert prediction.confidence == prediction.neither_score >= 0.5


@pytest.mark.parametrize("colour", ["black", "white", "red"])
def test_a_blank_picture_is_neither(classifier: Classifier, colour: str) -> None:
    stream = io.BytesIO()
    Image.new("RGB", (300, 200), colour).save(stream, "PNG")
    assert classifier.classify(stream.getvalue())[0].answer is Answer.NEITHER


def test_notes_about_the_photo_reach_the_prediction(classifier: Classifier, cat_jpeg: bytes) -> None:
    stream = io.BytesIO()
    cat = Image.open(io.BytesIO(cat_jpeg))
    cat.save(stream, "GIF", save_all=True, append_images=[Image.new("RGB", cat.size)])
    assert classifier.classify(stream.getvalue())[0].notes == (Note.FIRST_FRAME,)


def test_channels_are_red_green_blue_and_the_photo_upright(photos: Path, classifier: Classifier) -> None:
    # Swapped channels or a quarter turn cost little accuracy: only probabilities show them.
    paths = [path for label in ("cat", "dog") for path in islice(sorted((photos / "val" / label).glob("*.jpg")), 20)]
    prepared = np.stack([classifier.preprocess(path.read_bytes()).pixels for path in paths])
    is_dog = np.array([path.parent.name == "dog" for path in paths])

    def loss(pixels: np.ndarray) -> float:
        proba = classifier.forward(pixels).proba_dog
        return float(-np.log(np.where(is_dog, proba, 1 - proba) + 1e-9).mean())

    assert loss(prepared) < loss(prepared[..., ::-1])
    assert loss(prepared) < loss(prepared.swapaxes(1, 2)[:, ::-1])
    assert loss(prepared) < loss(prepared[:, ::-1])


def test_files_are_classified_in_order_and_as_one_by_one(
    classifier: Classifier, cat_jpeg: bytes, tmp_path: Path
) -> None:
    files = [tmp_path / f"{n:02}.jpg" for n in range(40)]
    for n, path in enumerate(files):
        path.write_bytes(b"" if n % 7 == 3 else cat_jpeg)
    files.insert(20, tmp_path / "missing.jpg")
    results = list(classifier.classify_files(iter(files)))
    assert [path for path, _ in results] == files
    alone, _ = classifier.classify(cat_jpeg)
    for path, result in results:
        if path.name == "missing.jpg" or int(path.stem) % 7 == 3:
            assert isinstance(result, InvalidImage)
        else:
            assert isinstance(result, Prediction)
            assert result.proba_cat == pytest.approx(alone.proba_cat, abs=1e-5)
            assert result.neither_score == pytest.approx(alone.neither_score, abs=1e-4)
    assert list(classifier.classify_files([])) == []


def test_threads_may_share_a_classifier(classifier: Classifier, cat_jpeg: bytes) -> None:
    with ThreadPoolExecutor(8) as pool:
        answers = {round(prediction.proba_cat, 5) for prediction, _ in pool.map(classifier.classify, [cat_jpeg] * 32)}
    assert len(answers) == 1


def test_the_map_is_exact(classifier: Classifier, cat_jpeg: bytes) -> None:
    outputs = classifier.forward(classifier.preprocess(cat_jpeg).pixels[np.newaxis])
    logit = outputs.activation.mean()
    assert 1 / (1 + np.exp(-logit)) == pytest.approx(outputs.proba_dog[0], abs=1e-5)


def test_an_explanation_covers_the_centred_square(classifier: Classifier, cat_jpeg: bytes) -> None:
    """A cat in the left half of that square, grey in the right: the evidence for it is on the left."""
    cat = Image.open(io.BytesIO(cat_jpeg)).resize((200, 200))
    wide = Image.new("RGB", (800, 400), "grey")
    wide.paste(cat, (200, 100))
    stream = io.BytesIO()
    wide.save(stream, "PNG")
    prediction, _ = classifier.classify(stream.getvalue())
    assert prediction.explanation
    activation = np.array(prediction.explanation.activation)
    assert prediction.explanation.box == Box(0.25, 0, 0.75, 1)
    side = classifier.card.input_size // 32
    assert activation.shape == (side, side)
    assert 1 / (1 + np.exp(-activation.mean())) == pytest.approx(prediction.proba_dog, abs=1e-3)
    half = side // 2
    assert activation[:, :half].mean() < activation[:, half:].mean()
    assert activation.argmin() % side < half

    tall = io.BytesIO()
    wide.rotate(90, expand=True).save(tall, "PNG")
    explanation = classifier.classify(tall.getvalue())[0].explanation
    assert explanation
    assert explanation.box == Box(0, 0.25, 1, 0.75)
    assert len(json.dumps(asdict(explanation))) < 1000, "it is part of every response"


class HalfBright:
    """A network for which a photo is a dog as far as its left half is brighter than its right one; it counts."""

    def __init__(self) -> None:
        self.photos = 0

    def __call__(self, pixels: Pixels) -> Outputs:
        self.photos += len(pixels)
        halves = np.split(pixels.mean(axis=(1, 3)), 2, axis=1)
        left, right = (half.mean(axis=1) / 20 for half in halves)
        activation = np.stack([2 * left, -2 * right], axis=1)[:, np.newaxis].astype(np.float32)
        proba = 1 / (1 + np.exp(-activation.mean(axis=(1, 2))))
        return Outputs(activation, np.full(len(pixels), 0.2, np.float32), proba.astype(np.float32))


def in_halves(left: int, right: int) -> bytes:
    photo = np.full((320, 320, 3), left, np.uint8)
    photo[:, 160:] = right
    stream = io.BytesIO()
    Image.fromarray(photo).save(stream, "PNG")
    return stream.getvalue()


def test_a_photo_that_is_not_certain_is_looked_at_in_the_mirror(classifier: Classifier) -> None:
    network = HalfBright()
    prediction, _ = Classifier(network, classifier.card, "").classify(in_halves(140, 120))
    assert network.photos == 2
    assert prediction.proba_dog == pytest.approx(0.5, abs=1e-3), "a dog in the one, a cat in the other"
    assert prediction.neither_score == pytest.approx(0.2)
    assert prediction.explanation
    [[left, right]] = prediction.explanation.activation
    assert (left, right) == pytest.approx((0, 0), abs=0.1), "the map of the mirror image is turned back"


def test_a_certain_photo_is_looked_at_once(classifier: Classifier) -> None:
    network = HalfBright()
    prediction, _ = Classifier(network, classifier.card, "").classify(in_halves(255, 0))
    assert network.photos == 1
    assert prediction.proba_dog > 0.99


def on_a_background(cat_jpeg: bytes, ratio: float, position: float, upright: bool = False) -> bytes:
    """Return a photo with a cat at a position along its longer side, on a brick wall."""
    import skimage.data

    edge = 300
    cat = Image.open(io.BytesIO(cat_jpeg)).crop((75, 0, 375, 300))
    wall = Image.fromarray(skimage.data.brick()).convert("RGB").resize((edge, edge))
    length = round(edge * ratio)
    size = (edge, length) if upright else (length, edge)
    photo = Image.new("RGB", size)
    for offset in range(0, length, edge):
        photo.paste(wall, (0, offset) if upright else (offset, 0))
    offset = round((length - edge) * position)
    photo.paste(cat, (0, offset) if upright else (offset, 0))
    stream = io.BytesIO()
    photo.save(stream, "PNG")
    return stream.getvalue()


@pytest.mark.parametrize("upright", [False, True])
@pytest.mark.parametrize("ratio", [16 / 9, 5])
@pytest.mark.parametrize("position", [0, 0.3, 0.5, 1])
def test_an_animal_at_the_side_of_a_wide_photo_is_seen(
    classifier: Classifier, cat_jpeg: bytes, ratio: float, position: float, upright: bool
) -> None:
    prediction, statistics = classifier.classify(on_a_background(cat_jpeg, ratio, position, upright))
    assert prediction.answer is Answer.CAT
    assert prediction.notes == ()
    assert prediction.explanation
    box = prediction.explanation.box
    seen = (box.top, box.bottom) if upright else (box.left, box.right)
    assert seen[1] - seen[0] == pytest.approx(1 / ratio, abs=0.01), "the map covers the square that was looked at"
    cat = position * (1 - 1 / ratio)
    assert seen[0] < cat + 1 / ratio, "and at least a part of the cat is in it"
    assert seen[1] > cat
    logit = np.mean(prediction.explanation.activation)
    assert 1 / (1 + np.exp(-logit)) == pytest.approx(prediction.proba_dog, abs=1e-3)
    assert statistics == classifier.preprocess(on_a_background(cat_jpeg, ratio, position, upright)).statistics


def test_a_wide_photo_is_answered_alike_alone_and_in_a_batch(
    classifier: Classifier, cat_jpeg: bytes, tmp_path: Path
) -> None:
    photo = on_a_background(cat_jpeg, 3, 1)
    for name, content in (("centre.jpg", cat_jpeg), ("side.png", photo)):
        (tmp_path / name).write_bytes(content)
    _, (_, in_batch) = classifier.classify_files([tmp_path / "centre.jpg", tmp_path / "side.png"])
    alone, _ = classifier.classify(photo)
    assert isinstance(in_batch, Prediction)
    assert in_batch.explanation
    assert alone.explanation
    assert in_batch.explanation.box == alone.explanation.box
    assert in_batch.proba_cat == pytest.approx(alone.proba_cat, abs=1e-5)


def test_a_picture_too_long_to_be_looked_at_whole_says_so(classifier: Classifier, cat_jpeg: bytes) -> None:
    assert classifier.classify(on_a_background(cat_jpeg, 12, 0))[0].notes == (Note.ENDS_LEFT_OUT,)
    middle, _ = classifier.classify(on_a_background(cat_jpeg, 12, 0.5))
    assert (middle.answer, middle.notes) == (Answer.CAT, (Note.ENDS_LEFT_OUT,))


@pytest.mark.parametrize("kind", ["photo", "plain"])
def test_pets_in_any_third_are_answered_as_often_as_centred_ones(
    photos: Path, classifier: Classifier, kind: str
) -> None:
    """Real pets beside other photos and beside a plain colour, at 3:1."""
    others = sorted((photos / "neither_web").rglob("*.jpg"))
    right = dict.fromkeys((0, 1, 2), 0)
    pets = [path for label in ("cat", "dog") for path in islice(sorted((photos / "val" / label).glob("*.jpg")), 6)]
    for number, path in enumerate(pets):
        pet = ImageOps.fit(Image.open(path), (256, 256))
        beside = Image.open(others[number * 5 % len(others)]) if kind == "photo" else Image.new("RGB", (9, 9), "#7a8")
        for third in right:
            photo = Image.new("RGB", (3 * 256, 256))
            for place in right:
                photo.paste(pet if place == third else ImageOps.fit(beside, (256, 256)), (place * 256, 0))
            stream = io.BytesIO()
            photo.save(stream, "JPEG", quality=95)
            right[third] += classifier.classify(stream.getvalue())[0].answer == path.parent.name
    assert min(right[0], right[2]) >= right[1] - 1, right
    assert right[1] == len(pets)


@pytest.fixture(scope="module")
def answered(photos: Path, classifier: Classifier) -> dict[str, list[tuple[Answer, Prediction]]]:
    """Labels and predictions of each third photo by the set; photos of the folder ``neither_web`` show no pet.

    ``catsdogs evaluate`` measures them all, in a minute.
    """
    labels = {
        "val": labelled_photos(photos / "val"),
        "neither_web": dict.fromkeys(photo_files(photos / "neither_web"), Answer.NEITHER),
    }
    return {
        name: [
            (known[path], prediction)
            for path, prediction in classifier.classify_files(sorted(known)[::3])
            if isinstance(prediction, Prediction)
        ]
        for name, known in labels.items()
    }


def test_the_shipped_model_is_as_good_as_its_card_says(
    answered: dict[str, list[tuple[Answer, Prediction]]], classifier: Classifier
) -> None:
    measured = measure(answered["val"])
    stated = classifier.card.metrics["val"]
    assert (measured.n, stated.n) == (334, 1000)
    assert measured.errors <= stated.errors <= 3
    assert measured.refused <= stated.refused <= 20
    assert measured.unsure <= 14
    assert measured.both <= 7


def test_people_are_told_no_higher_probability_than_the_answers_deserve(
    answered: dict[str, list[tuple[Answer, Prediction]]],
) -> None:
    """In each bin, the mean probability is within the 95 % interval of the share of right answers, or below it."""
    told = np.array([prediction.probability for pairs in answered.values() for _, prediction in pairs])
    right = np.array([prediction.answer is label for pairs in answered.values() for label, prediction in pairs])
    edges = [0, 0.6, 0.7, 0.8, 0.9, 0.95, 0.99, 1.001]
    for low, high in pairwise(edges):
        found = (told >= low) & (told < high)
        interval = wilson_interval(int(right[found].sum()), int(found.sum()))
        assert interval, "every bin has answers"
        assert told[found].mean() <= interval[1]
    sure = told >= SURE
    assert (sure.mean(), right[sure].mean()) > (0.8, 0.995)


def test_the_card_names_the_measured_photos_by_their_fingerprints(photos: Path, classifier: Classifier) -> None:
    stated = {name: one.fingerprint for name, one in classifier.card.metrics.items()}
    assert stated == {"val": fingerprint_files(labelled_photos(photos / "val"))}
    text = (SHIPPED / "MODEL_CARD.md").read_text(encoding="utf-8")
    assert [name for name, one in stated.items() if f"{name} `{one[:16]}`" not in text] == []


def test_the_card_describes_the_shipped_model(classifier: Classifier) -> None:
    info = classifier.info()
    assert info["classes"] == ["cat", "dog", "neither"]
    assert info["parameters"] > 3_000_000
    json.dumps(info)
    text = (SHIPPED / "MODEL_CARD.md").read_text(encoding="utf-8")
    assert "catsdogs train" in text
    assert "A changed copy of each photo, with bars over it" in text
    assert f"{classifier.card.metrics['val'].accuracy:.2%}" in text


def test_shipped_files_stay_below_45_megabytes() -> None:
    assert sum(path.stat().st_size for path in SHIPPED.parent.rglob("*")) < 45_000_000


@pytest.mark.parametrize(
    ("proba_dog", "neither_score", "answer"),
    [
        (0.5, 0.49, Answer.DOG),
        (0.49, 0.49, Answer.CAT),
        (0.99, 0.5, Answer.NEITHER),
        (0.01, 0.5, Answer.NEITHER),
    ],
)
def test_the_answer_changes_at_the_thresholds(proba_dog: float, neither_score: float, answer: Answer) -> None:
    assert answer_of(proba_dog, neither_score) is answer
