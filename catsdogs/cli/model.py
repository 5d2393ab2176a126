"""``catsdogs model``: which model version is served."""

from __future__ import annotations

import json
from pathlib import Path

import typer

from catsdogs.cli import app
from catsdogs.settings import Settings

model = typer.Typer(help="Model versions: list, promote, rollback. Running servers follow.", no_args_is_help=True)
app.add_typer(model, name="model")


@model.command("list")
def list_(as_json: bool = typer.Option(False, "--json", help="One JSON object a line.")) -> None:
    """List the versions: the shipped one, and those trained; the served one is marked."""
    from catsdogs.errors import ModelError
    from catsdogs.model_version import read_card
    from catsdogs.model_versions import ModelVersions

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
            line = f"{card.created[:10]}  {line or 'not measured'}"
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
    from catsdogs.classifier import Classifier
    from catsdogs.model_versions import ModelVersions
    from catsdogs.promotion import compare, require_better, trial_photo

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
    from catsdogs.model_versions import ModelVersions

    version = ModelVersions(Settings.load().data_dir).rollback()
    print(f"{version} is served again.")
