"""The classifier: from the bytes of a photo to a prediction."""

from __future__ import annotations

import os
import time
from collections import deque
from collections.abc import Iterable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import replace
from itertools import islice
from pathlib import Path
from typing import NamedTuple, Self

import numpy as np

from catsdogs.domain import Answer, Box, Explanation, ModelInfo, Note, Prediction
from catsdogs.errors import InvalidImage
from catsdogs.model import preprocessing
from catsdogs.model.card import ModelCard, Runtime, check_file, read_card, read_text
from catsdogs.model.preprocessing import ImageStatistics, Pixels
from catsdogs.model.runtimes import Floats, KerasNetwork, Network, OnnxNetwork, Outputs

NEITHER_THRESHOLD = 0.5
"""Out-of-distribution score from which on the answer is "neither"; the network scales its score to this threshold."""

_BATCH = 2
"""Number of photos in a batch. With 16, activations no longer fit into the processor's cache, and a photo takes half as
long again."""


def answer_of(proba_dog: float, neither_score: float) -> Answer:
    """Return the answer for a probability and an out-of-distribution score."""
    if neither_score >= NEITHER_THRESHOLD:
        return Answer.NEITHER
    return Answer.DOG if proba_dog >= 0.5 else Answer.CAT


class PreprocessedPhoto(NamedTuple):
    """The network's input for a photo, with the photo's statistics."""

    pixels: Pixels
    """RGB, uint8, shape (side, side, 3)."""
    statistics: ImageStatistics
    notes: tuple[Note, ...]


class ClassifiedPhoto(NamedTuple):
    """A photo's prediction and statistics."""

    prediction: Prediction
    statistics: ImageStatistics


_Result = tuple[Path, ClassifiedPhoto | InvalidImage]


class Classifier:
    """A loaded model version. Threads may share one.

    Parameters
    ----------
    network, card, text
        Network, model card, and the card as Markdown. Use :meth:`open`.
    """

    def __init__(self, network: Network, card: ModelCard, text: str) -> None:
        self._network = network
        self.card = card
        self.text = text

    @classmethod
    def open(cls, folder: Path, runtime: Runtime = "onnx") -> Self:
        """Load the version in `folder`.

        Raises
        ------
        ModelError
            The version is missing, damaged, or of another format.
        """
        card = read_card(folder)
        path = check_file(folder, f"model.{runtime}", card)
        return cls(OnnxNetwork(path) if runtime == "onnx" else KerasNetwork(path), card, read_text(folder))

    @property
    def version(self) -> str:
        """Name of the model version."""
        return self.card.version

    def preprocess(self, photo: bytes) -> PreprocessedPhoto:
        """Decode a photo, crop and scale it to the network's input.

        Raises
        ------
        InvalidImage
            The photo cannot be read.
        """
        decoded = preprocessing.decode(photo, self.card.input_size)
        pixels = preprocessing.centre_square(decoded, self.card.input_size)
        return PreprocessedPhoto(pixels, preprocessing.compute_statistics(decoded, pixels), decoded.notes)

    def forward(self, pixels: Pixels) -> Outputs:
        """Compute the forward pass for preprocessed photos, shape (n, side, side, 3).

        Raises
        ------
        ModelError
            The runtime fails.
        """
        return self._network(pixels)

    def classify(self, photo: bytes) -> ClassifiedPhoto:
        """Classify one photo.

        Raises
        ------
        InvalidImage
            The photo cannot be read.
        ModelError
            The runtime fails.
        """
        started = time.perf_counter()
        photo_input = self.preprocess(photo)
        outputs = self.forward(photo_input.pixels[np.newaxis])
        milliseconds = 1000 * (time.perf_counter() - started)
        return ClassifiedPhoto(self._prediction(outputs, 0, milliseconds, photo_input), photo_input.statistics)

    def classify_files(self, paths: Iterable[Path]) -> Iterator[tuple[Path, Prediction | InvalidImage]]:
        """Classify many photos; without their statistics, else as :meth:`classify_files_with_statistics`."""
        for path, result in self.classify_files_with_statistics(paths):
            yield path, result if isinstance(result, InvalidImage) else result.prediction

    def classify_files_with_statistics(
        self, paths: Iterable[Path]
    ) -> Iterator[tuple[Path, ClassifiedPhoto | InvalidImage]]:
        """Classify many photos in batches, one for each core; results come in the order of `paths`.

        A file that cannot be read gives its error. A photo's inference time is its share of the time of its batch.

        Raises
        ------
        ModelError
            The runtime fails.
        """
        remaining = iter(paths)
        cores = os.cpu_count() or 1
        batches: deque[Future[list[_Result]]] = deque()
        with ThreadPoolExecutor(cores) as pool:
            while batch := list(islice(remaining, _BATCH)):
                batches.append(pool.submit(self._classify_batch, batch))
                if len(batches) > 2 * cores:  # enough to keep all cores busy, with few results in memory
                    yield from batches.popleft().result()
            for classified in batches:
                yield from classified.result()

    def info(self) -> ModelInfo:
        """Describe the model, for ``GET /api/info``."""
        card = self.card
        return ModelInfo(
            model_loaded=True,
            version=card.version,
            parameters=card.parameters,
            classes=card.classes,
            input_size=card.input_size,
            metrics={name: measured.figures() for name, measured in card.metrics.items()},
            features=["neither", "doubt", "explanation", "feedback", "consent", "monitoring"],
            card=self.text,
        )

    def _classify_batch(self, paths: list[Path]) -> list[_Result]:
        started = time.perf_counter()
        inputs: dict[Path, PreprocessedPhoto] = {}
        results: dict[Path, ClassifiedPhoto | InvalidImage] = {}
        for path in paths:
            try:
                inputs[path] = self.preprocess(preprocessing.read_file(path))
            except InvalidImage as error:
                results[path] = error
        if inputs:
            outputs = self.forward(np.stack([photo.pixels for photo in inputs.values()]))
            milliseconds = 1000 * (time.perf_counter() - started) / len(inputs)
            for row, (path, photo) in enumerate(inputs.items()):
                results[path] = ClassifiedPhoto(self._prediction(outputs, row, milliseconds, photo), photo.statistics)
        return [(path, results[path]) for path in paths]

    def _prediction(self, outputs: Outputs, row: int, milliseconds: float, photo: PreprocessedPhoto) -> Prediction:
        neither_score = float(outputs.neither_score[row])
        proba_dog = float(outputs.proba_dog[row])
        answer = answer_of(proba_dog, neither_score)
        prediction = Prediction(
            answer=answer,
            proba_cat=1 - proba_dog,
            proba_dog=proba_dog,
            neither_score=neither_score,
            model_version=self.version,
            inference_time_ms=milliseconds,
            notes=photo.notes,
            explanation=_explanation(outputs.activation[row], photo.statistics),
        )
        doubts = self.card.doubts
        return replace(prediction, doubt=doubts.doubt_of(prediction)) if doubts else prediction


def _explanation(activation: Floats, statistics: ImageStatistics) -> Explanation:
    """Locate the class-activation map on the photo: on its centred square."""
    rows = activation.astype(float).round(3).tolist()
    edge = min(statistics.width, statistics.height)
    left, top = ((1 - edge / side) / 2 for side in (statistics.width, statistics.height))
    box = Box(*(round(share, 3) for share in (left, top, 1 - left, 1 - top)))
    return Explanation(tuple(tuple(row) for row in rows), box)
