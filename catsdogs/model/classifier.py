"""The classifier: from the bytes of a photo to a prediction."""

from __future__ import annotations

import math
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
from catsdogs.model import crops, preprocessing
from catsdogs.model.card import ModelCard, Runtime, check_file, read_card, read_text
from catsdogs.model.cores import usable_cores
from catsdogs.model.preprocessing import ImageStatistics, Photo, Pixels
from catsdogs.model.runtimes import Floats, KerasNetwork, Network, OnnxNetwork, Outputs
from catsdogs.model.seen_photos import SeenPhotos

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
    """A decoded photo with the network's first input, and the photo's statistics."""

    photo: Photo
    pixels: Pixels
    """The centred square: RGB, uint8, shape (side, side, 3)."""
    statistics: ImageStatistics


class SquareOutputs(NamedTuple):
    """Outputs of the network for one square of a photo."""

    activation: Floats
    """Class-activation map, shape (rows, columns)."""
    neither_score: float
    proba_dog: float
    position: float = 0.5
    """Position of the square along the photo's longer side, 0 (left or top) .. 1."""

    @property
    def animal_probability(self) -> float:
        """Probability of the animal that the square is answered with, 0..1; 0 for "neither"."""
        is_neither = answer_of(self.proba_dog, self.neither_score) is Answer.NEITHER
        return 0 if is_neither else (1 - self.neither_score) * self.confidence

    @property
    def confidence(self) -> float:
        """Larger of the probabilities of a cat and of a dog."""
        return max(self.proba_dog, 1 - self.proba_dog)

    def averaged(self, mirrored: SquareOutputs) -> SquareOutputs:
        """Return the mean of the outputs for a square and for its mirror image, in logits."""
        activation: Floats = np.multiply(self.activation + mirrored.activation[:, ::-1], np.float32(0.5))
        neither = (_logit(self.neither_score) + _logit(mirrored.neither_score)) / 2
        return SquareOutputs(activation, _sigmoid(neither), _sigmoid(float(activation.mean())), self.position)


class ClassifiedPhoto(NamedTuple):
    """A photo's prediction and statistics."""

    prediction: Prediction
    statistics: ImageStatistics


_Result = tuple[Path, ClassifiedPhoto | InvalidImage]


class Classifier:
    """A loaded model version. Threads may share one.

    Parameters
    ----------
    network, card, text, seen
        Network, model card, the card as Markdown, and the photos that it was trained on, if they are known. Use
        :meth:`open`.
    """

    def __init__(self, network: Network, card: ModelCard, text: str, seen: SeenPhotos | None = None) -> None:
        self._network = network
        self.card = card
        self.text = text
        self.seen = seen

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
        network = OnnxNetwork(path) if runtime == "onnx" else KerasNetwork(path)
        return cls(network, card, read_text(folder), SeenPhotos.read(folder, card))

    @property
    def version(self) -> str:
        """Name of the model version."""
        return self.card.version

    def preprocess(self, photo: bytes) -> PreprocessedPhoto:
        """Decode a photo, crop its centred square and scale it to the network's input.

        Raises
        ------
        InvalidImage
            The photo cannot be read.
        """
        decoded = preprocessing.decode(photo, self.card.input_size)
        pixels = preprocessing.square(decoded, self.card.input_size)
        return PreprocessedPhoto(decoded, pixels, preprocessing.compute_statistics(decoded, pixels))

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
        outputs = self._look_at_the_rest(photo_input, _of_squares(self.forward(photo_input.pixels[np.newaxis]))[0])
        milliseconds = 1000 * (time.perf_counter() - started)
        return ClassifiedPhoto(self._prediction(outputs, milliseconds, photo_input.photo), photo_input.statistics)

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
        cores = usable_cores()
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
            centres = _of_squares(self.forward(np.stack([photo.pixels for photo in inputs.values()])))
            outputs = [
                self._look_at_the_rest(photo, centre) for photo, centre in zip(inputs.values(), centres, strict=True)
            ]
            milliseconds = 1000 * (time.perf_counter() - started) / len(inputs)
            for (path, photo), output in zip(inputs.items(), outputs, strict=True):
                results[path] = ClassifiedPhoto(self._prediction(output, milliseconds, photo.photo), photo.statistics)
        return [(path, results[path]) for path in paths]

    def _look_at_the_rest(self, photo_input: PreprocessedPhoto, centre: SquareOutputs) -> SquareOutputs:
        """Look again where the centred square is not enough; return the outputs that count."""
        photo, side = photo_input.photo, self.card.input_size
        if centre.animal_probability > 0 and centre.confidence < crops.CERTAIN:
            centre = centre.averaged(_of_squares(self.forward(photo_input.pixels[np.newaxis, :, ::-1]))[0])
        is_wide = crops.aspect_ratio(photo.width, photo.height) >= crops.WIDE
        if centre.animal_probability >= crops.ENOUGH or (centre.animal_probability > 0 and not is_wide):
            return centre
        squares = [centre]
        for position in crops.other_positions(photo.width, photo.height):  # one by one: fewer pixels in memory
            pixels = preprocessing.square(photo, side, position)
            squares += [square._replace(position=position) for square in _of_squares(self.forward(pixels[np.newaxis]))]
        return max(squares, key=lambda square: square.animal_probability)

    def _prediction(self, outputs: SquareOutputs, milliseconds: float, photo: Photo) -> Prediction:
        is_too_long = crops.aspect_ratio(photo.width, photo.height) > crops.MOST_SQUARES
        prediction = Prediction(
            answer=answer_of(outputs.proba_dog, outputs.neither_score),
            proba_cat=1 - outputs.proba_dog,
            proba_dog=outputs.proba_dog,
            neither_score=outputs.neither_score,
            model_version=self.version,
            inference_time_ms=milliseconds,
            notes=(*photo.notes, *([Note.ENDS_LEFT_OUT] if is_too_long else [])),
            explanation=_explanation(outputs, photo),
        )
        doubts = self.card.doubts
        return replace(prediction, doubt=doubts.doubt_of(prediction)) if doubts else prediction


def _logit(probability: float) -> float:
    return math.log(max(probability, 1e-9) / max(1 - probability, 1e-9))


def _sigmoid(logit: float) -> float:
    return float(1 / (1 + np.exp(-logit)))


def _of_squares(outputs: Outputs) -> list[SquareOutputs]:
    return [
        SquareOutputs(activation, float(neither_score), float(proba_dog))
        for activation, neither_score, proba_dog in zip(*outputs, strict=True)
    ]


def _explanation(outputs: SquareOutputs, photo: Photo) -> Explanation:
    """Locate the class-activation map on the photo: on the square that it was computed for."""
    rows = outputs.activation.astype(float).round(3).tolist()
    box = crops.square_at(photo.width, photo.height, outputs.position)
    return Explanation(tuple(tuple(row) for row in rows), Box(*(round(share, 3) for share in box)))
