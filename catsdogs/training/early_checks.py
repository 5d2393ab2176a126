"""What would make a training fail, found before it begins: without TensorFlow, and without reading the photos."""

from __future__ import annotations

import tempfile
from collections.abc import Iterable
from pathlib import Path

from catsdogs.errors import ModelError
from catsdogs.model.evaluation import labelled_photos
from catsdogs.training.dataset import require_enough
from catsdogs.training.options import TrainingOptions


def check_early(options: TrainingOptions) -> None:
    """Refuse options with which a training would fail.

    Raises
    ------
    InvalidInput
        There are too few photos, a folder to evaluate on holds none, or the version's name is taken or not allowed.
    ModelError
        The version cannot be written.
    """
    _ = options.target
    for folder in options.validation.values():
        labelled_photos(folder)
    labels = [*labelled_photos(options.folder).values(), *options.feedback.labels.values()]
    require_enough(labels, options.folder)
    try:
        options.output.mkdir(parents=True, exist_ok=True)
        tempfile.TemporaryDirectory(prefix=".", dir=options.output).cleanup()
    except OSError as error:
        raise ModelError(
            "The model cannot be written to {folder}: {reason}.", folder=options.output, reason=error.strerror
        ) from error


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
