"""Whether a candidate is good enough to be served in the champion's place."""

from __future__ import annotations

import io
import statistics
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from PIL import Image

from catsdogs.errors import InvalidInput, ModelError
from catsdogs.model.classifier import Classifier
from catsdogs.model.evaluation import Measured, evaluate

LOG_LOSS = 1.05
"""How many times the champion's log-loss is allowed."""
REFUSED = 0.005
"""How much larger the share of pets answered "neither" may be."""
LATENCY = 1.5
"""How many times the champion's inference time is allowed."""
RULE = (
    "A candidate is promoted if, on every set of photos, it makes no more errors, its log-loss is at most "
    f"{LOG_LOSS:g} times the champion's and its share of refused pets at most {REFUSED:.1%} of the photos larger; "
    f"and if it takes at most {LATENCY:g} times as long."
)
_REPEATS = 15


@dataclass(frozen=True, slots=True)
class Pair:
    """What was measured of both on the same photos."""

    champion: Measured
    candidate: Measured


@dataclass(frozen=True, slots=True)
class Comparison:
    """Two versions, side by side."""

    pairs: Mapping[str, Pair]
    """By name of the set of photos."""
    milliseconds: tuple[float, float]
    """Median inference time of a photo, champion and candidate in turns."""

    def objections(self) -> list[str]:
        """Say what keeps the candidate from being promoted, by `RULE`; empty where nothing does."""
        found = [objection for name, pair in self.pairs.items() for objection in _objections(name, pair)]
        champion, candidate = self.milliseconds
        if candidate > LATENCY * champion:
            found.append(f"{candidate:.1f} ms a photo instead of {champion:.1f}")
        return found


def compare(
    champion: Classifier, candidate: Classifier, on: Path | None = None, advance: Callable[[], object] = lambda: None
) -> Comparison:
    """Compare two versions on the labelled photos of `on`; without it, by what their cards tell of the same sets.

    Raises
    ------
    InvalidInput
        There are no photos to compare on.
    ModelError
        A model fails on photos.
    """
    if on is not None:
        measured = (evaluate(model.classify_files, on, advance) for model in (champion, candidate))
        pairs = {on.name: Pair(*measured)}
    else:
        ours, theirs = champion.card.metrics, candidate.card.metrics
        pairs = {
            name: Pair(one, theirs[name]) for name, one in ours.items() if name in theirs and theirs[name].n == one.n
        }
        if not pairs:
            raise InvalidInput(
                "The cards of {champion} and {candidate} tell of no photos that both were measured on. "
                "Say which to compare them on: --on FOLDER",
                champion=champion.version,
                candidate=candidate.version,
            )
    return Comparison(pairs, _latency(champion, candidate))


def require_better(comparison: Comparison, champion: str, candidate: str) -> None:
    """Refuse a candidate that is worse by `RULE`.

    Raises
    ------
    ModelError
        Saying in what.
    """
    objections = comparison.objections()
    if objections:
        raise ModelError(
            "Version {candidate} is worse than {champion}, which stays: {objections}. To serve it anyway: --force",
            candidate=candidate,
            champion=champion,
            objections="; ".join(objections),
        )


def _objections(name: str, pair: Pair) -> list[str]:
    champion, candidate = pair.champion, pair.candidate
    found = []
    if candidate.accuracy < champion.accuracy:
        found.append(f"{candidate.errors} errors instead of {champion.errors} on {name}")
    ours, theirs = champion.log_loss, candidate.log_loss
    if ours is not None and theirs is not None and theirs > LOG_LOSS * ours:
        found.append(f"log-loss {theirs:.4f} instead of {ours:.4f} on {name}")
    if candidate.refused / candidate.n > champion.refused / champion.n + REFUSED:
        found.append(f"{candidate.refused} pets refused instead of {champion.refused} on {name}")
    return found


def trial_photo() -> bytes:
    """Draw noise, as a JPEG of 640 x 480 pixels, on which any model can be tried."""
    noise = np.random.default_rng(0).integers(0, 256, (480, 640, 3), np.uint8)
    stream = io.BytesIO()
    Image.fromarray(noise).save(stream, "JPEG")
    return stream.getvalue()


def _latency(champion: Classifier, candidate: Classifier) -> tuple[float, float]:
    photo = trial_photo()
    times: tuple[list[float], list[float]] = ([], [])
    for _ in range(_REPEATS):  # in turns: both meet the same load
        for model, taken in zip((champion, candidate), times, strict=True):
            taken.append(model.classify(photo)[0].inference_time_ms)
    return statistics.median(times[0]), statistics.median(times[1])
