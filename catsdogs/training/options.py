"""Options of a training, and reports of its progress."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path

from catsdogs.errors import InvalidInput
from catsdogs.model.card import VERSION_PATTERN
from catsdogs.records.review_queue import FeedbackPhotos
from catsdogs.training.architectures import LITE2, Architecture
from catsdogs.training.dataset import NO_FEEDBACK

SEED = 0

Progress = Callable[[str, int, int], object]
"""Called with the stage, the number of photos done, and the number of all photos."""


def _now() -> datetime:
    return datetime.now(UTC)


@dataclass(frozen=True)
class TrainingOptions:
    """Photos, settings and name of a model version to be trained."""

    folder: Path
    """Photos in ``cat/`` and ``dog/``, or Microsoft's ``PetImages/``; only read. Photos in ``neither/`` are not trained
    on: if there are any, the model is evaluated on them."""
    output: Path
    """Folder in which the version's folder is created."""
    processed: Path
    """Folder of the feature cache, which the next training uses again."""
    version: str = ""
    """Name of the version; by default date and time, UTC."""
    validation: Mapping[str, Path] = field(default_factory=dict)
    """Folders of labelled photos to evaluate the model on, by name; see
    :func:`catsdogs.model.evaluation.labelled_photos`."""
    others: Sequence[Path] = ()
    """Folders of photos of other things, best of those that are easily taken for pets: the gate compares with them."""
    feedback: FeedbackPhotos = NO_FEEDBACK
    """Reviewed photos of people who consented, see :func:`catsdogs.records.review_queue.feedback_photos`. Photos of
    cats and dogs are trained on, the model is evaluated on the others. They are never written to disk."""
    architecture: Architecture = LITE2
    """Backbone of the network."""
    input_size: int = 0
    """Side of the network's input in pixels, a multiple of 32; by default the architecture's own."""
    seed: int = SEED
    command: str = ""
    """Command line, for the model card."""
    notes: Sequence[str] = ()
    """Further remarks for the model card."""
    created: datetime = field(default_factory=_now)

    @property
    def side(self) -> int:
        """Side of the network's input, in pixels."""
        return self.input_size or self.architecture.input_size

    @property
    def target(self) -> Path:
        """Folder of the version.

        Raises
        ------
        InvalidInput
            The name is not allowed, or there is a version of that name.
        """
        version = self.version or f"{self.created:%Y%m%d-%H%M%S}"
        if not re.fullmatch(VERSION_PATTERN, version):
            raise InvalidInput(
                "A version's name is made of letters, digits, dots, - and _: not {version}.", version=version
            )
        target = self.output / version
        if target.exists():
            raise name_taken(version)
        return target


def name_taken(version: str) -> InvalidInput:
    """Return the error that there is a version of that name."""
    return InvalidInput("There is a model version {version} already. Choose another name.", version=version)


def stage_counter(progress: Progress, stage: str, total: int) -> Callable[..., None]:
    """Return a function that adds the number it is called with, by default 1, and reports the sum."""
    done = 0

    def advance(more: int = 1) -> None:
        nonlocal done
        done += more
        progress(stage, done, total)

    return advance
