"""What would make a training fail, found before it begins: without TensorFlow, and without reading the photos."""

from __future__ import annotations

import fcntl
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path

from catsdogs.errors import InvalidInput, ModelError
from catsdogs.model.evaluation import labelled_photos
from catsdogs.training.dataset import require_enough
from catsdogs.training.options import TrainingOptions


def check_early(options: TrainingOptions) -> None:
    """Refuse options with which a training would fail.

    Raises
    ------
    InvalidInput
        There are too few photos, a folder to evaluate on holds none, or the version's name is not allowed or
        taken, perhaps by a training that is running.
    ModelError
        The version cannot be written.
    """
    target = options.target
    for folder in options.validation.values():
        labelled_photos(folder)
    labels = [*labelled_photos(options.folder).values(), *options.feedback.labels.values()]
    require_enough(labels, options.folder)
    with reserve(target):
        pass


@contextmanager
def reserve(target: Path) -> Iterator[None]:
    """Keep the name of a version for this process, as long as it trains.

    Raises
    ------
    InvalidInput
        Another training of that name is running.
    ModelError
        The version cannot be written.
    """
    lock = target.with_name(f".{target.name}.lock")
    try:
        target.parent.mkdir(parents=True, exist_ok=True)
        stream = lock.open("w")
    except OSError as error:
        raise ModelError(
            "The model cannot be written to {folder}: {reason}.", folder=target.parent, reason=error.strerror
        ) from error
    with stream:
        try:
            fcntl.flock(stream, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError as error:
            raise InvalidInput(
                "A model version {version} is being trained already. Choose another name, or wait.",
                version=target.name,
            ) from error
        try:
            yield
        finally:
            lock.unlink(missing_ok=True)


def name_sets(folders: Iterable[Path]) -> dict[str, Path]:
    """Name folders for the model card: by their own names, with those of their parents where these are equal."""
    paths = list(dict.fromkeys(folder.resolve() for folder in folders))
    named = {}
    for path in paths:
        parts = 1
        while sum(other.parts[-parts:] == path.parts[-parts:] for other in paths) > 1:
            parts += 1
        named["/".join(path.parts[-parts:])] = path
    return named
