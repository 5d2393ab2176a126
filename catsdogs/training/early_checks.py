"""What would make a training fail, found before it begins: without TensorFlow, and without reading the photos."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

from catsdogs.model.card import SHIPPED
from catsdogs.model.evaluation import labelled_photos
from catsdogs.training.dataset import files_of_others, require_enough
from catsdogs.training.options import TrainingOptions, name_taken
from catsdogs.training.reservation import reserve
from catsdogs.training.weights import weights_file


def check_early(options: TrainingOptions, served_from: Path) -> None:
    """Refuse options with which a training would fail.

    Parameters
    ----------
    options
        What is to be trained.
    served_from
        Folder of the versions that can be promoted: one of the shipped version's name would be hidden by that.

    Raises
    ------
    InvalidInput
        There are too few photos, a folder to evaluate on or of other things holds none, or the version's name is not
        allowed or taken, perhaps by a training that is running.
    ModelError
        The version cannot be written, or the backbone's weights are not installed.
    """
    target = options.target
    if target.name == SHIPPED.name and target.parent.resolve() == served_from.resolve():
        raise name_taken(target.name)
    for folder in options.validation.values():
        labelled_photos(folder)
    labels = [*labelled_photos(options.folder).values(), *options.feedback.labels.values()]
    require_enough(labels, options.folder)
    files_of_others(options.others)
    weights_file(options.architecture.name)
    with reserve(target):
        pass


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
