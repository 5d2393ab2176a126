"""Training: from a folder of photos to a model version. The command and the notebook both call :func:`train`."""

from __future__ import annotations

import os
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any, NamedTuple

os.environ.setdefault("KERAS_BACKEND", "tensorflow")
os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")

from catsdogs.training.silence_tensorflow import quiet

with quiet():
    import keras
import numpy as np
import numpy.typing as npt

from catsdogs.domain import Answer
from catsdogs.errors import InvalidInput, ModelError
from catsdogs.model.classifier import Classifier
from catsdogs.model.seen_photos import SeenPhotos
from catsdogs.training import augmentation
from catsdogs.training import card as cards
from catsdogs.training.activation_statistics import collect_activation_statistics
from catsdogs.training.backbone import LAST_CHANNELS, Block, build_backbone
from catsdogs.training.calibrations import Calibrations
from catsdogs.training.dataset import Dataset, collect, collect_others, write_left_out
from catsdogs.training.evaluation import evaluate_version, evaluation_sets
from catsdogs.training.features import extract_features, open_calibrations, open_feature_cache, read_input
from catsdogs.training.gate import Gate, fit_gate
from catsdogs.training.head import (
    COPY_WEIGHT,
    FIT_STEPS,
    Head,
    LearningPoint,
    fit_head,
    learning_curve,
    scale_inputs,
    write_learning_curve,
)
from catsdogs.training.imagenet import ImageNetClassifier, split_classifier
from catsdogs.training.labelled_predictions import LabelledPredictions
from catsdogs.training.network import TrainedNetwork, assemble, save
from catsdogs.training.options import Progress, TrainingOptions, stage_counter
from catsdogs.training.quantization import QuantizedBackbone, quantize
from catsdogs.training.reservation import reserve, unpublished_folder
from catsdogs.training.weights import load_imagenet_weights

CALIBRATION_PHOTOS = 192
"""Largest number of photos that the activation statistics are collected from."""
LEFT_OUT = "left_out.csv"
"""Table of the photos that were left out, with the reasons."""
HELD_OUT = "held_out.csv"
"""Table of the predictions of cross-validation, each by a model that was not trained on that photo."""
LEARNING_CURVE = "learning_curve.csv"
_BATCH = 16
_PARITY_PHOTOS = 8
_PARITY_TOLERANCE = 1e-3


class Fitted(NamedTuple):
    """The fitted parts of a model, and the results of cross-validation."""

    imagenet_classifier: ImageNetClassifier
    head: Head
    gate: Gate
    learning_curve: list[LearningPoint]
    held_out: LabelledPredictions


def train(options: TrainingOptions, progress: Progress = lambda *_: None) -> Path:
    """Train a model version.

    The same photos, seed and cache give the same model. It may still differ where sums are added in another order, as
    by another processor: in one of four trainings of version 2.0, one weight in ten thousand was rounded otherwise.
    With a cache of mostly the same photos, the backbone is that of the training before, see
    :mod:`catsdogs.training.calibrations`; delete the cache to have it quantized anew.

    Stopped at any moment, it leaves no version; called again, it takes the features that it had computed from the
    feature cache.

    Returns
    -------
    Path
        The version's folder: the model and its card, and the tables `LEFT_OUT`, `HELD_OUT` and `LEARNING_CURVE`.

    Raises
    ------
    InvalidInput
        There are too few photos, or the version exists or is being trained.
    ModelError
        The backbone's weights are missing, or the model cannot be written.
    """
    target = options.target
    with reserve(target):
        _train(options, target, progress)
    return target


def _train(options: TrainingOptions, target: Path, progress: Progress) -> None:
    sets = evaluation_sets(options)
    keras.utils.set_random_seed(options.seed)

    side = options.side
    others = collect_others(options.others, side)
    dataset = collect(options.folder, side, lambda done, of: progress("checking", done, of), options.feedback)
    imagenet = load_imagenet_weights(options.architecture.name)
    with unpublished_folder(target) as folder:
        known = open_calibrations(options.processed, options.architecture.name, side)
        backbone = quantize_backbone(build_backbone(options.architecture, imagenet), dataset, side, progress, known)
        features = features_with_copies(dataset, backbone, options, progress)
        other_features = cached_features(others, backbone, options)[:, :LAST_CHANNELS]
        fitted = fit(features, other_features, dataset, split_classifier(imagenet), options.seed, progress)
        network = assemble(backbone, side, fitted.imagenet_classifier, fitted.head, fitted.gate)
        export(network, fitted, dataset, others, folder)
        card = cards.describe(
            version=target.name,
            created=options.created,
            architecture=options.architecture.name,
            model=network.model,
            head=fitted.head,
            gate=fitted.gate,
            folder=folder,
            training=_provenance(options, dataset, others),
        )
        cards.write(card, folder)
        classifier = Classifier.open(folder)
        check_parity(network, classifier, dataset)
        evaluation = evaluate_version(classifier, sets, options.feedback, fitted.held_out, progress)
        cards.write(card.model_copy(update=evaluation), folder)
        folder.rename(target)


def quantize_backbone(
    blocks: Sequence[Block], dataset: Dataset, side: int, progress: Progress, known: Calibrations
) -> QuantizedBackbone:
    """Collect the activation statistics of the backbone on some photos, and quantize it by them.

    People's photos do not enter the statistics: nothing of them may stay in the model after an erasure.

    Parameters
    ----------
    known
        Backbones of earlier trainings: where one was quantized by enough of these photos, it is taken.

    Raises
    ------
    InvalidInput
        There are no photos but people's.
    """
    indices = np.flatnonzero(dataset.is_file)
    if not len(indices):
        raise InvalidInput("The backbone is quantized with photos of your own: add some that can be used.")
    digests = [dataset.digests[index] for index in indices]
    step = -(-len(indices) // CALIBRATION_PHOTOS)
    indices = indices[::step]
    if found := known.find(blocks, digests, len(indices)):
        return found
    batches = (_read_batch(dataset, batch, side) for batch in np.array_split(indices, -(-len(indices) // _BATCH)))
    advance = stage_counter(progress, "calibrating", len(indices))
    backbone = quantize(blocks, collect_activation_statistics(blocks, batches, advance))
    known.store(backbone, digests[::step])
    return backbone


def features_with_copies(
    dataset: Dataset, backbone: QuantizedBackbone, options: TrainingOptions, progress: Progress
) -> npt.NDArray[np.float32]:
    """Return the features of all photos, and of their changed copies if these pay, shape (1 or 2, n, channels)."""
    n = len(dataset.paths)
    photos = cached_features(dataset, backbone, options, stage_counter(progress, "features", n))
    if n < augmentation.LEAST_PHOTOS:
        return photos[np.newaxis]
    advance = stage_counter(progress, "features of changed copies", n)
    return np.stack([photos, cached_features(dataset, backbone, options, advance, of_copies=True)])


def cached_features(
    dataset: Dataset,
    backbone: QuantizedBackbone,
    options: TrainingOptions,
    advance: Callable[[int], object] = lambda _: None,
    *,
    of_copies: bool = False,
) -> npt.NDArray[np.float32]:
    """Take the features of all photos, or of their copies, from the cache, or compute them; shape (n, channels)."""
    cache = open_feature_cache(options.processed, backbone, options.side)
    return extract_features(dataset, backbone, options.side, cache, advance, of_copies=of_copies)


def fit(
    features: npt.NDArray[np.float32],
    other_features: npt.NDArray[np.float32],
    dataset: Dataset,
    imagenet_classifier: ImageNetClassifier,
    seed: int,
    progress: Progress,
) -> Fitted:
    """Fit the head on the features of :func:`features_with_copies`, and the gate on those of the photos.

    The gate also gets the features of other things, shape (n, 1280).
    """
    advance = stage_counter(progress, "head", FIT_STEPS + 2)
    last = features[..., :LAST_CHANNELS]
    inputs = scale_inputs(features, imagenet_classifier.prior_logits(last))
    head = fit_head(inputs, dataset.is_dog, seed, advance)
    curve = learning_curve(inputs, dataset.is_dog, head.strength, seed)
    advance()
    gate = fit_gate(last[0], other_features, imagenet_classifier, seed)
    advance()
    held_out = _held_out_predictions(dataset, head, gate)
    return Fitted(imagenet_classifier, head, gate, curve, held_out)


def export(network: TrainedNetwork, fitted: Fitted, dataset: Dataset, others: Dataset, folder: Path) -> None:
    """Write the model for both runtimes, the hashes of its photos, and the tables of the training."""
    save(network, folder)
    SeenPhotos(np.concatenate([dataset.hashes[dataset.is_file], others.hashes])).write(folder)
    write_left_out(dataset.left_out, folder / LEFT_OUT, dataset.feedback)
    fitted.held_out.write(folder / HELD_OUT)
    write_learning_curve(fitted.learning_curve, folder / LEARNING_CURVE)


def check_parity(network: TrainedNetwork, classifier: Classifier, dataset: Dataset) -> None:
    """Compare the outputs of the Keras model and of the exported ONNX model on some training photos.

    Raises
    ------
    ModelError
        They differ.
    """
    indices = np.flatnonzero(dataset.is_file)
    pixels = _read_batch(dataset, indices[:: -(-len(indices) // _PARITY_PHOTOS)], classifier.card.input_size)
    expected = network.model(pixels, training=False)
    outputs = classifier.forward(pixels.astype(np.uint8))._asdict()
    difference = max(float(np.abs(outputs[name] - np.asarray(expected[name])).max()) for name in outputs)
    if not difference <= _PARITY_TOLERANCE:
        raise ModelError(
            "The exported ONNX model differs from the Keras model by {difference}: it is not kept.",
            difference=f"{difference:.4f}",
        )


def _provenance(options: TrainingOptions, dataset: Dataset, others: Dataset) -> dict[str, Any]:
    """Describe command, data and settings for the model card."""
    return {
        "command": options.command,
        "photos": {"cat": int((~dataset.is_dog).sum()), "dog": int(dataset.is_dog.sum())},
        "copy_weight": COPY_WEIGHT if len(dataset.paths) >= augmentation.LEAST_PHOTOS else 0,
        "feedback": int((~dataset.is_file).sum()),
        "others": len(others.paths),
        "feedback_confirmed": len(dataset.feedback.confirmed.intersection(dataset.paths)),
        "left_out": len(dataset.left_out),
        "fingerprint": dataset.fingerprint,
        "seed": options.seed,
        "notes": list(options.notes),
    }


def _read_batch(dataset: Dataset, indices: npt.NDArray[np.intp], side: int) -> npt.NDArray[np.float32]:
    return np.stack([read_input(dataset, int(index), side) for index in indices]).astype(np.float32)


def _held_out_predictions(dataset: Dataset, head: Head, gate: Gate) -> LabelledPredictions:
    """Select the predictions of cross-validation for files; the table could outlive the erasure of people's photos."""
    files = np.flatnonzero(dataset.is_file)
    return LabelledPredictions(
        [dataset.paths[index] for index in files],
        [Answer.DOG if dataset.is_dog[index] else Answer.CAT for index in files],
        head.held_out_proba_dog[files],
        gate.held_out_scores[files],
    )
