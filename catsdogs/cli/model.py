"""``catsdogs model``: which model version is served."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, TypeVar

import typer

from catsdogs.cli.app import app
from catsdogs.errors import ModelError
from catsdogs.settings import Settings

if TYPE_CHECKING:
    from catsdogs.model.drift_reference import Reference
    from catsdogs.model.evaluated_set import Observed
    from catsdogs.model.uncertainty import Doubts

    Found = TypeVar("Found", Reference, Doubts)

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
            line = ", ".join(f"{m.errors} errors in {m.n} on {name}" for name, m in card.metrics.items())
            line = f"{card.created[:10]}  {line or 'measured on no photos: see promote --on'}"
        mark = "*" if figures["served"] else " "
        print(json.dumps(figures) if as_json else f"{mark} {folder.name:24} {line}")


@model.command()
def promote(
    version: str = typer.Argument(..., help="As catsdogs model list names it."),
    on: Path | None = typer.Option(None, help="Labelled photos to compare on; by default what the cards tell."),
    force: bool = typer.Option(False, "--force", help="Even if it is worse, or cannot be compared."),
) -> None:
    """Serve a version, unless it is worse than the one that is served.

    Refused is what makes more errors on the same photos, has a log-loss more than 5 % higher, refuses more pets (by
    over 0.5 % of the photos) or takes over 1.5 times as long. Whatever is damaged is refused, with --force, too.
    """
    from catsdogs.model.classifier import Classifier
    from catsdogs.model.promotion import compare, require_better, trial_photo
    from catsdogs.model.registry import ModelVersions

    settings = Settings.load()
    versions = ModelVersions(settings.data_dir)
    champion = versions.served()
    candidate = Classifier.open(versions.folder(version), settings.model_runtime)
    candidate.classify(trial_photo())
    if not force:
        before = Classifier.open(versions.folder(champion), settings.model_runtime)
        require_better(compare(before, candidate, on), champion, version)
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
    version: str = typer.Option("", help="As catsdogs model list names it; by default the one that is served."),
) -> None:
    """Measure what drift is told from, and write it on a version's card; training does so by itself."""
    place, found = _complete("reference", version, folder, lambda observed, side: observed.reference(side))
    print(f"{place.name}: what drift is told from was measured on {found.n} photos of {found.photos}.")


@model.command()
def doubts(
    folder: Path = typer.Argument(..., help="Labelled photos that the model was not trained on."),
    version: str = typer.Option("", help="As catsdogs model list names it; by default the one that is served."),
) -> None:
    """Choose which answers are in doubt, and write it on a version's card; training does so by itself."""
    place, found = _complete("doubts", version, folder, lambda observed, _: observed.doubts())
    print(f"{place.name}: which answers are in doubt was chosen on {found.n} photos of {found.photos}.")


def _complete(field: str, version: str, folder: Path, tell: Callable[[Observed, int], Found]) -> tuple[Path, Found]:
    """Let a version look at labelled photos, and write what is told from them, and its input size, on its card."""
    from catsdogs.cli.progress import shown
    from catsdogs.model.card import write_card
    from catsdogs.model.classifier import Classifier
    from catsdogs.model.evaluated_set import Observed
    from catsdogs.model.evaluation import labelled_photos
    from catsdogs.model.registry import ModelVersions

    versions = ModelVersions(Settings.load().data_dir)
    place = versions.folder(version or versions.served())
    classifier, photos = Classifier.open(place), labelled_photos(folder)
    with shown() as show:
        done = iter(range(1, len(photos) + 1))
        looks = classifier.look_at_files(photos)
        name = folder.resolve().name
        observed = Observed.of(name, photos, looks, lambda: show("photos", next(done), len(photos)))
    found = tell(observed, classifier.card.input_size)
    try:
        write_card(classifier.card.model_copy(update={field: found}), place)
    except OSError as error:
        raise ModelError(
            "The folder {folder} cannot be written: {reason}.", folder=place, reason=error.strerror
        ) from error
    return place, found
