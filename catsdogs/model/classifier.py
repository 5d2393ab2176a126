"""A photo's bytes -> a prediction. The only place where photos are prepared for the network."""

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
"""From this score on the answer is "neither": the network's score is scaled so that its threshold lies here."""

_BATCH = 2
"""Photos that a core looks at together. Of 16, the network's layers leave its cache: that took half as long again."""


def answer_of(proba_dog: float, neither_score: float) -> Answer:
    """Say what a visitor is told."""
    if neither_score >= NEITHER_THRESHOLD:
        return Answer.NEITHER
    return Answer.DOG if proba_dog >= 0.5 else Answer.CAT


class Prepared(NamedTuple):
    """A photo made ready for the network."""

    pixels: Pixels
    """RGB, uint8, shape (side, side, 3)."""
    statistics: ImageStatistics
    notes: tuple[Note, ...]


Seen = tuple[Prediction, ImageStatistics]
"""What a photo shows, and figures about it."""

_Result = tuple[Path, Seen | InvalidImage]


class Classifier:
    """A loaded model version. Threads may share one.

    Parameters
    ----------
    network, card, text
        Network, and its card for programs and for people. Use :meth:`open`.
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
            It is missing, damaged, or of another format.
        """
        card = read_card(folder)
        path = check_file(folder, f"model.{runtime}", card)
        return cls(OnnxNetwork(path) if runtime == "onnx" else KerasNetwork(path), card, read_text(folder))

    @property
    def version(self) -> str:
        """Name of the model version."""
        return self.card.version

    def prepare(self, photo: bytes) -> Prepared:
        """Decode a photo to what the network looks at.

        Raises
        ------
        InvalidImage
        """
        decoded = preprocessing.decode(photo, self.card.input_size)
        pixels = preprocessing.centre_square(decoded, self.card.input_size)
        return Prepared(pixels, preprocessing.measure(decoded, pixels), decoded.notes)

    def classify(self, photo: bytes) -> Seen:
        """Say what one photo shows.

        Raises
        ------
        InvalidImage, ModelError
        """
        started = time.perf_counter()
        prepared = self.prepare(photo)
        outputs = self._network(prepared.pixels[np.newaxis])
        milliseconds = 1000 * (time.perf_counter() - started)
        return self._prediction(outputs, 0, milliseconds, prepared), prepared.statistics

    def classify_files(self, paths: Iterable[Path]) -> Iterator[tuple[Path, Prediction | InvalidImage]]:
        """Say what many photos show, see :meth:`look_at_files`."""
        for path, result in self.look_at_files(paths):
            yield path, result if isinstance(result, InvalidImage) else result[0]

    def look_at_files(self, paths: Iterable[Path]) -> Iterator[tuple[Path, Seen | InvalidImage]]:
        """Look at many photos, in their order: each core decodes a few and looks at them in a batch.

        A file that cannot be read gives its error. A photo's inference time is its share of the time
        that its batch took.

        Raises
        ------
        ModelError
        """
        remaining = iter(paths)
        cores = os.cpu_count() or 1
        batches: deque[Future[list[_Result]]] = deque()
        with ThreadPoolExecutor(cores) as pool:
            while batch := list(islice(remaining, _BATCH)):
                batches.append(pool.submit(self._classify_batch, batch))
                if len(batches) > 2 * cores:  # so that none waits for work, and what is done does not pile up
                    yield from batches.popleft().result()
            for classified in batches:
                yield from classified.result()

    def info(self) -> ModelInfo:
        """Describe the served model."""
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
        prepared: dict[Path, Prepared] = {}
        results: dict[Path, Seen | InvalidImage] = {}
        for path in paths:
            try:
                prepared[path] = self.prepare(preprocessing.read_file(path))
            except InvalidImage as error:
                results[path] = error
        if prepared:
            outputs = self._network(np.stack([one.pixels for one in prepared.values()]))
            milliseconds = 1000 * (time.perf_counter() - started) / len(prepared)
            for row, (path, one) in enumerate(prepared.items()):
                results[path] = self._prediction(outputs, row, milliseconds, one), one.statistics
        return [(path, results[path]) for path in paths]

    def _prediction(self, outputs: Outputs, row: int, milliseconds: float, prepared: Prepared) -> Prediction:
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
            notes=prepared.notes,
            explanation=_explanation(outputs.activation[row], prepared.statistics),
        )
        doubts = self.card.doubts
        return replace(prediction, doubt=doubts.about(prediction)) if doubts else prediction


def _explanation(activation: Floats, statistics: ImageStatistics) -> Explanation:
    """Put the map where :func:`catsdogs.model.preprocessing.centre_square` looked."""
    rows = activation.astype(float).round(3).tolist()
    edge = min(statistics.width, statistics.height)
    left, top = ((1 - edge / side) / 2 for side in (statistics.width, statistics.height))
    box = Box(*(round(share, 3) for share in (left, top, 1 - left, 1 - top)))
    return Explanation(tuple(tuple(row) for row in rows), box)
