"""``catsdogs model``: which model version is served."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, TypeVar

import typer

from catsdogs.cli.app import app
from catsdogs.cli.unseen import unseen_photos
from catsdogs.errors import ModelError
from catsdogs.i18n import counted
from catsdogs.model.promotion_limits import RULE
from catsdogs.settings import Settings

if TYPE_CHECKING:
    from catsdogs.model.drift_reference import DriftReference
    from catsdogs.model.evaluated_set import EvaluatedSet
    from catsdogs.model.uncertainty import DoubtThresholds

    Field = TypeVar("Field", DriftReference, DoubtThresholds)

model = typer.Typer(help="Model versions: list, promote, rollback. Running servers follow.", no_args_is_help=True)
app.add_typer(model, name="model")


@model.command("list")
def list_(as_json: bool = typer.Option(False, "--json", help="One JSON object a line.")) -> None:
    """List the versions: the shipped one, and those trained; the served one is marked."""
    from catsdogs.model.card import read_card
    from catsdogs.model.registry import ModelVersions

    versions = ModelVersions(Settings.load().data_dir)
    served = versions.served()
    for folder in versions.folders():
        figures: dict[str, object] = {"version": folder.name, "served": folder.name == served, "folder": str(folder)}
        try:
            card = read_card(folder)
        except ModelError as error:
            figures["error"] = line = str(error)
        else:
            figures |= {"created": card.created, "metrics": {name: m.figures() for name, m in card.metrics.items()}}
            line = ", ".join(f"{counted(m.errors, 'error')} in {m.n} on {name}" for name, m in card.metrics.items())
            line = f"{card.created[:10]}  {line or 'no validation in its training: see promote --on'}"
        mark = "*" if figures["served"] else " "
        print(json.dumps(figures) if as_json else f"{mark} {folder.name:24} {line}")


@model.command(
    help="Serve a version, if it is no worse than the one that is served.\n\n"
    f"{RULE} A damaged version is refused even with --force."
)
def promote(
    version: str = typer.Argument(..., help="Name of the version, see catsdogs model list."),
    on: Path | None = typer.Option(
        None, help="Labelled photos to compare on, but those trained on; by default, metrics on the cards."
    ),
    force: bool = typer.Option(False, "--force", help="Even if it is worse, or cannot be compared."),
) -> None:
    from catsdogs.cli.progress import progress_bars
    from catsdogs.i18n import Translator
    from catsdogs.model.classifier import Classifier
    from catsdogs.model.evaluation import labelled_photos
    from catsdogs.model.promotion import compare, require_better, trial_photo
    from catsdogs.model.registry import ModelVersions
    from catsdogs.training.options import stage_counter

    settings = Settings.load()
    versions = ModelVersions(settings.data_dir)
    champion = versions.served()
    candidate = Classifier.open(versions.folder(version), settings.model_runtime)
    candidate.classify(trial_photo())
    if not force:
        before = Classifier.open(versions.folder(champion), settings.model_runtime)
        photos = unseen_photos(labelled_photos(on), before, candidate, once=True) if on else {}
        with progress_bars() as update:
            advance = stage_counter(update, "photos", 2 * len(photos))
            comparison = compare(before, candidate, {on.resolve().name: photos} if on else {}, advance)
        for sentence in comparison.sentences(Translator(settings.lang)):
            print(sentence)
        require_better(comparison, champion, version)
    versions.promote(version)
    print(f"{version} is served now; before, it was {champion}.")


@model.command()
def rollback() -> None:
    """Serve again what was served before the last promotion."""
    from catsdogs.model.registry import ModelVersions

    version = ModelVersions(Settings.load().data_dir).rollback()
    print(f"{version} is served again.")


@model.command()
def reference(
    folder: Path = typer.Argument(..., help="Labelled photos that the model was not trained on."),
    version: str = typer.Option("", help="Name of the version, see catsdogs model list; by default the served one."),
) -> None:
    """Compute the drift reference, and write it on a version's card; training does so by itself."""
    name, computed = _complete("reference", version, folder, lambda photos, side: photos.drift_reference(side))
    print(f"{name}: the drift reference was computed from {counted(computed.n, 'photo')} of {computed.photos}.")


@model.command()
def doubts(
    folder: Path = typer.Argument(..., help="Labelled photos that the model was not trained on."),
    version: str = typer.Option("", help="Name of the version, see catsdogs model list; by default the served one."),
) -> None:
    """Choose the thresholds for doubtful answers, and write them on a version's card; training does so by itself."""
    name, computed = _complete("doubts", version, folder, lambda photos, _: photos.doubt_thresholds())
    photos = counted(computed.n, "photo")
    print(f"{name}: the thresholds for doubtful answers were chosen on {photos} of {computed.photos}.")


def _complete(
    name: str, version: str, folder: Path, compute: Callable[[EvaluatedSet, int], Field]
) -> tuple[str, Field]:
    """Classify labelled photos, compute a field of the model card from the results and the input size, and write it.

    Returns
    -------
    tuple
        Name of the version, and the field.
    """
    from catsdogs.cli.progress import progress_bars
    from catsdogs.model.card import write_card
    from catsdogs.model.classifier import Classifier
    from catsdogs.model.evaluated_set import EvaluatedSet
    from catsdogs.model.evaluation import labelled_photos
    from catsdogs.model.registry import ModelVersions

    versions = ModelVersions(Settings.load().data_dir)
    target = versions.folder(version or versions.served())
    classifier = Classifier.open(target)
    labels = unseen_photos(labelled_photos(folder), classifier)
    with progress_bars() as update:
        done = iter(range(1, len(labels) + 1))
        results = classifier.classify_files_with_statistics(labels)
        evaluated = EvaluatedSet.collect(
            folder.resolve().name, labels, results, lambda: update("photos", next(done), len(labels))
        )
    field = compute(evaluated, classifier.card.input_size)
    try:
        write_card(classifier.card.model_copy(update={name: field}), target)
    except OSError as error:
        raise ModelError(
            "The folder {folder} cannot be written: {reason}.", folder=target, reason=error.strerror
        ) from error
    return target.name, field
