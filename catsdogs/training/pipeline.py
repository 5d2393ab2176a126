"""From a folder of photos to a model version: the one path that the command and the notebook take."""

from __future__ import annotations

import os
import re
import shutil
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from datetime import UTC, datetime
from pathlib import Path

os.environ.setdefault("KERAS_BACKEND", "tensorflow")
os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")

from catsdogs.training.silence_tensorflow import quiet

with quiet():
    import keras
import numpy as np
import numpy.typing as npt

from catsdogs.domain import Answer
from catsdogs.errors import InvalidInput, ModelError
from catsdogs.model.card import NAME
from catsdogs.model.classifier import Classifier, Seen
from catsdogs.model.evaluated_set import Observed
from catsdogs.model.evaluation import labelled_photos
from catsdogs.records.review_queue import FeedbackPhotos
from catsdogs.training import card as cards
from catsdogs.training.activation_statistics import calibrate
from catsdogs.training.backbone import HEAD, lite0
from catsdogs.training.dataset import NO_FEEDBACK, Dataset, collect, write_left_out
from catsdogs.training.features import extract, open_cache, prepare
from catsdogs.training.gate import fit_gate
from catsdogs.training.head import STEPS, Head, fit_head, learning_curve, scaled, write_learning_curve
from catsdogs.training.imagenet import split_classes
from catsdogs.training.labelled_predictions import Judged
from catsdogs.training.network import assemble, save
from catsdogs.training.quantization import FixedPoint, to_fixed_point
from catsdogs.training.weights import Arrays, load_imagenet_weights

INPUT_SIZE = 256
SEED = 0
CALIBRATION_PHOTOS = 192
"""At most so many tell how to round the backbone."""
_BATCH = 16
REFERENCE_PHOTOS = 2000
"""At most so many tell what photos look like, and which answers are in doubt."""
LEFT_OUT = "left_out.csv"
HELD_OUT = "held_out.csv"
"""What cross-validation, which had not seen them, said of the training photos that are files."""
LEARNING_CURVE = "learning_curve.csv"

Progress = Callable[[str, int, int], object]
"""Called with the stage, the number of photos done, and of all."""


def train(
    folder: Path,
    output: Path,
    processed: Path,
    *,
    version: str | None = None,
    validation: Mapping[str, Path] | None = None,
    feedback: FeedbackPhotos = NO_FEEDBACK,
    input_size: int = INPUT_SIZE,
    seed: int = SEED,
    command: str = "",
    notes: Sequence[str] = (),
    progress: Progress = lambda *_: None,
) -> Path:
    """Train a model version. The same photos and seed give the same model.

    Stopped at any moment, it leaves no version; called again, it does not look again at the photos it had
    looked at.

    Parameters
    ----------
    folder
        Holds ``cat/`` and ``dog/``, or Microsoft's ``PetImages/``; only read. From ``neither/`` nothing is
        learned: if it is there, the model is measured on it.
    output
        Where the version's folder is made.
    processed
        Where what was computed of the photos is kept for the next training.
    version
        Its name; by default the time of day, UTC.
    validation
        Named folders of labelled photos to measure the model on, see :func:`catsdogs.model.evaluation.evaluate`.
    feedback
        Photos that people let be kept, reviewed, see :func:`catsdogs.records.review_queue.feedback_photos`: learned
        from like those of `folder`; on those of neither, the model is measured. Nothing of them is written to disk.
    input_size
        Side of the network's input in pixels, a multiple of 32.
    command, notes
        For the model card: what was called, and what else its reader should know.

    Returns
    -------
    Path
        The version's folder; beside the model it holds tables of the photos that were left out, of the answers
        in cross-validation, and of the learning curve.

    Raises
    ------
    InvalidInput
        The photos are missing or too few, or the version exists.
    ModelError
        The backbone's weights are missing, or the model cannot be written.
    """
    created = datetime.now(UTC)
    version = version or created.strftime("%Y%m%d-%H%M%S")
    if not re.fullmatch(NAME, version):
        raise InvalidInput(
            "A version's name is made of letters, digits, dots, - and _: not {version}.", version=version
        )
    target = output / version
    if target.exists():
        raise InvalidInput("There is a model version {version} already. Choose another name.", version=version)
    others = {path: label for path, label in labelled_photos(folder).items() if label is Answer.NEITHER}
    sets: dict[str, Mapping[Path, Answer]] = {"neither": others} if others else {}
    sets |= {name: labelled_photos(photos) for name, photos in (validation or {}).items()}
    unlearned = {path: label for path, label in feedback.labels.items() if label is Answer.NEITHER}
    keras.utils.set_random_seed(seed)

    dataset = collect(folder, input_size, lambda done, of: progress("checking", done, of), feedback)
    imagenet = load_imagenet_weights()
    backbone = _round_backbone(imagenet, dataset, input_size, progress)
    cache = open_cache(processed, backbone, input_size)
    features = extract(dataset, backbone, input_size, cache, _counter(progress, "features", len(dataset.paths)))
    advance = _counter(progress, "head", STEPS + 2)
    classes = split_classes(imagenet)
    last = features[..., :HEAD]
    inputs = scaled(features, classes.opinion(last))
    head = fit_head(inputs, dataset.is_dog, seed, advance)
    curve = learning_curve(inputs, dataset.is_dog, head.strength, seed)
    advance()
    gate = fit_gate(last[0], classes, seed)
    advance()
    held_out = _held_out(dataset, head, gate.scores(last[0], classes))
    network = assemble(backbone, input_size, classes, head, gate)

    aside = output / f".{version}.tmp"
    try:
        aside.mkdir(parents=True)
        save(network, aside)
        write_left_out(dataset.left_out, aside / LEFT_OUT, feedback)
        held_out.write(aside / HELD_OUT)
        write_learning_curve(curve, aside / LEARNING_CURVE)
        card = cards.describe(
            version=version,
            created=created,
            model=network.model,
            head=head,
            gate=gate,
            folder=aside,
            training={
                "command": command,
                "photos": {"cat": int((~dataset.is_dog).sum()), "dog": int(dataset.is_dog.sum())},
                "feedback": int((~dataset.in_files).sum()),
                "left_out": len(dataset.left_out),
                "fingerprint": dataset.fingerprint,
                "seed": seed,
                "notes": list(notes),
            },
        )
        cards.write(card, aside)
        classifier = Classifier.open(aside)
        observed = [_observe(classifier, name, photos, progress) for name, photos in sets.items()]
        if unlearned:
            looks = _look_in_memory(classifier, feedback, unlearned)
            observed.append(Observed.of("neither, from feedback", unlearned, looks))
        typical = next((one.among(_some(one.looks)) for one in observed if one.shows_pets), None)
        if typical is None:  # then of those it was trained on
            labels = dict(zip(held_out.paths, held_out.labels, strict=True))
            some = {path: labels[path] for path in _some(labels)}
            typical = _observe(classifier, "train", some, progress)
        doubts, found = typical.doubts(), typical.reference(input_size)
        measured = {one.name: one.measured(doubts) for one in observed}
        cards.write(card.model_copy(update={"doubts": doubts, "metrics": measured, "reference": found}), aside)
        aside.rename(target)
    except OSError as error:
        raise ModelError(
            "The model cannot be written to {folder}: {reason}.", folder=output, reason=error.strerror
        ) from error
    finally:
        shutil.rmtree(aside, ignore_errors=True)
    return target


def _round_backbone(imagenet: Arrays, dataset: Dataset, side: int, progress: Progress) -> FixedPoint:
    """Make the backbone one of whole numbers; people's photos leave no trace in it, not even in its rounding."""
    places = np.flatnonzero(dataset.in_files)
    if not len(places):
        raise InvalidInput("The backbone is rounded by photos of your own: add some that can be used.")
    places = places[:: -(-len(places) // CALIBRATION_PHOTOS)]
    batches = (
        np.stack([prepare(dataset, place, side) for place in some]).astype(np.float32)
        for some in np.array_split(places, -(-len(places) // _BATCH))
    )
    blocks = lite0(imagenet)
    return to_fixed_point(blocks, calibrate(blocks, batches, _counter(progress, "calibrating", len(places))))


def _held_out(dataset: Dataset, head: Head, neither_scores: npt.NDArray[np.float64]) -> Judged:
    """Keep what cross-validation said of files; of people's photos, it would outlive an erasure."""
    files = np.flatnonzero(dataset.in_files)
    return Judged(
        [dataset.paths[place] for place in files],
        [Answer.DOG if dataset.is_dog[place] else Answer.CAT for place in files],
        head.held_out[files],
        neither_scores[files],
    )


def _observe(classifier: Classifier, name: str, photos: Mapping[Path, Answer], progress: Progress) -> Observed:
    """Let the written model look at photos as it will be served."""
    advance = _counter(progress, f"measuring on {name}", len(photos))
    return Observed.of(name, photos, classifier.look_at_files(photos), advance)


def _look_in_memory(
    classifier: Classifier, feedback: FeedbackPhotos, paths: Collection[Path]
) -> Iterator[tuple[Path, Seen]]:
    """Look at photos that are no files."""
    for path in paths:
        yield path, classifier.classify(feedback.content[path])


def _some(paths: Collection[Path]) -> list[Path]:
    """Take at most `REFERENCE_PHOTOS`, from all over."""
    return sorted(paths)[:: -(-len(paths) // REFERENCE_PHOTOS)]


class _counter:  # noqa: N801 (used as a function)
    """Adds up what a stage reports."""

    def __init__(self, progress: Progress, stage: str, of: int) -> None:
        self._progress, self._stage, self._of, self._done = progress, stage, of, 0

    def __call__(self, more: int = 1) -> None:
        self._done += more
        self._progress(self._stage, self._done, self._of)
