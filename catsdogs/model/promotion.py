"""Comparison of a candidate with the champion, the served version, before the candidate is promoted."""

from __future__ import annotations

import io
import statistics
from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from types import MappingProxyType
from typing import Self

import numpy as np
from PIL import Image

from catsdogs.domain import Answer, Prediction
from catsdogs.errors import InvalidInput, ModelError
from catsdogs.i18n import Translator, counted
from catsdogs.model.card import ModelCard
from catsdogs.model.classifier import Classifier
from catsdogs.model.evaluation import EvaluationMetrics, is_error, is_refused, measure, predict
from catsdogs.model.paired_test import PairedCounts, PairedVerdict
from catsdogs.model.promotion_limits import (
    MAX_LATENCY_RATIO,
    MAX_LOG_LOSS_RATIO,
    MAX_REFUSED_INCREASE,
    MIN_EACH,
    MIN_PHOTOS,
)

_REPEATS = 15


@dataclass(frozen=True, slots=True)
class PairedAnswers:
    """Errors and refused pets of both versions, photo by photo."""

    errors: PairedCounts
    refused: PairedCounts
    photos: Mapping[Answer, int]
    """Number of photos by their label."""


@dataclass(frozen=True, slots=True)
class MetricsPair:
    """Metrics of both versions on the same photos."""

    champion: EvaluationMetrics
    candidate: EvaluationMetrics
    answers: PairedAnswers | None = None
    """``None`` where only the metrics are known, from the cards."""

    @classmethod
    def measure(
        cls, labels: Mapping[Path, Answer], champion: Mapping[Path, Prediction], candidate: Mapping[Path, Prediction]
    ) -> Self:
        """Compare the predictions of both for labelled photos; a photo that one of them cannot read does not count.

        Raises
        ------
        InvalidInput
            No photo can be read.
        """
        answered = champion.keys() & candidate.keys()
        pairs = [(labels[path], champion[path], candidate[path]) for path in answered]
        unreadable = len(labels) - len(pairs)
        return cls(
            measure([(label, ours) for label, ours, _ in pairs], unreadable),
            measure([(label, theirs) for label, _, theirs in pairs], unreadable),
            PairedAnswers(
                PairedCounts.of((is_error(label, ours), is_error(label, theirs)) for label, ours, theirs in pairs),
                PairedCounts.of((is_refused(label, ours), is_refused(label, theirs)) for label, ours, theirs in pairs),
                Counter(label for label, _, _ in pairs),
            ),
        )


@dataclass(frozen=True, slots=True)
class Comparison:
    """Metrics and inference times of two versions."""

    pairs: Mapping[str, MetricsPair]
    """Metrics by name of the set of photos."""
    milliseconds: tuple[float, float]
    """Median inference times of a photo, champion and candidate, measured alternately."""

    def sentences(self, _: Translator) -> list[str]:
        """Say for each set of photos what the paired test says of errors and refused pets."""
        return [
            counts.sentence(title, _)
            for name, pair in self.pairs.items()
            if pair.answers
            for title, counts in (
                (_("Errors on {name}", name=name), pair.answers.errors),
                (_("Refused pets on {name}", name=name), pair.answers.refused),
            )
        ]

    def objections(self) -> list[str]:
        """List the reasons by the rule of :mod:`catsdogs.model.promotion_limits` not to promote the candidate."""
        found = [objection for name, pair in self.pairs.items() for objection in _objections(name, pair)]
        champion, candidate = self.milliseconds
        if candidate > MAX_LATENCY_RATIO * champion:
            found.append(f"{candidate:.1f} ms a photo instead of {champion:.1f}")
        return found


def compare(
    champion: Classifier,
    candidate: Classifier,
    on: Mapping[str, Mapping[Path, Answer]] = MappingProxyType({}),
    advance: Callable[[], object] = lambda: None,
) -> Comparison:
    """Compare two versions on sets of labelled photos; without any, by the metrics on their cards for equal sets.

    Raises
    ------
    InvalidInput
        There are no photos to compare on.
    ModelError
        A runtime fails.
    """
    pairs = {}
    for name, labels in on.items():
        answers = (predict(model.classify_files, labels, advance) for model in (champion, candidate))
        pairs[name] = MetricsPair.measure(labels, *answers)
    pairs = pairs or _pairs_of_cards(champion.card, candidate.card)
    return Comparison(pairs, _latency(champion, candidate))


def _pairs_of_cards(champion: ModelCard, candidate: ModelCard) -> dict[str, MetricsPair]:
    """Pair the metrics of equal sets, which may have other names: their fingerprints tell.

    Raises
    ------
    InvalidInput
        There is no such set that shows pets.
    """
    theirs = {one.fingerprint: one for one in candidate.metrics.values() if one.fingerprint}
    pairs = {
        name: MetricsPair(one, theirs[one.fingerprint])
        for name, one in champion.metrics.items()
        if one.fingerprint in theirs
    }
    if all(pair.champion.log_loss is None for pair in pairs.values()):
        raise InvalidInput(
            "The cards of {champion} and {candidate} have no fingerprint of a set of pets in common, so they may have "
            "been measured on other photos. Name a folder of labelled photos to compare them on: --on FOLDER",
            champion=champion.version,
            candidate=candidate.version,
        )
    return pairs


def require_better(comparison: Comparison, champion: str, candidate: str) -> None:
    """Refuse a candidate by the rule of :mod:`catsdogs.model.promotion_limits`.

    Raises
    ------
    ModelError
        The message lists the reasons.
    """
    objections = comparison.objections()
    if objections:
        raise ModelError(
            "Version {candidate} does not replace {champion}: {objections}. To serve it anyway: --force",
            candidate=candidate,
            champion=champion,
            objections="; ".join(objections),
        )


def _objections(name: str, pair: MetricsPair) -> list[str]:
    champion, candidate = pair.champion, pair.candidate
    found = list(_objections_to_photos(name, pair))
    if candidate.accuracy < champion.accuracy:
        found.append(f"{counted(candidate.errors, 'error')} instead of {champion.errors} on {name}")
    ours, theirs = champion.log_loss, candidate.log_loss
    if ours is not None and theirs is not None and theirs > MAX_LOG_LOSS_RATIO * ours:
        found.append(f"log-loss {theirs:.4f} instead of {ours:.4f} on {name}")
    refuses_more = candidate.refused / candidate.n > champion.refused / champion.n + MAX_REFUSED_INCREASE
    if refuses_more or (pair.answers and pair.answers.refused.verdict is PairedVerdict.WORSE):
        found.append(f"{counted(candidate.refused, 'pet')} refused instead of {champion.refused} on {name}")
    return found


def _objections_to_photos(name: str, pair: MetricsPair) -> Iterator[str]:
    """Say what the photos lack on which two versions can be told apart; sets without pets are an addition to others."""
    n = pair.candidate.n
    if (pair.answers or pair.candidate.pets) and n < MIN_PHOTOS:
        yield f"{counted(n, 'photo')} in {name}: too few, at least {MIN_PHOTOS} are needed"
    if pair.answers:
        for animal in (Answer.CAT, Answer.DOG):
            if (shown := pair.answers.photos.get(animal, 0)) < MIN_EACH:
                yield f"{counted(shown, 'photo')} of {animal}s in {name}: too few, at least {MIN_EACH} are needed"
    elif pair.candidate.pets and pair.candidate.auroc is None:
        yield f"{name} shows only one of cats and dogs"


def trial_photo() -> bytes:
    """Return a JPEG of 640 x 480 pixels of noise, to try a model with."""
    noise = np.random.default_rng(0).integers(0, 256, (480, 640, 3), np.uint8)
    stream = io.BytesIO()
    Image.fromarray(noise).save(stream, "JPEG")
    return stream.getvalue()


def _latency(champion: Classifier, candidate: Classifier) -> tuple[float, float]:
    photo = trial_photo()
    times: tuple[list[float], list[float]] = ([], [])
    for _ in range(_REPEATS):  # alternately, so that the load of the machine is the same for both
        for model, taken in zip((champion, candidate), times, strict=True):
            taken.append(model.classify(photo)[0].inference_time_ms)
    return statistics.median(times[0]), statistics.median(times[1])
