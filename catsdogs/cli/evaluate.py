"""``catsdogs evaluate``: metrics of the served model on labelled photos."""

from __future__ import annotations

import json
from pathlib import Path

import typer

from catsdogs.cli.app import app
from catsdogs.settings import Settings


@app.command()
def evaluate(
    folder: Path = typer.Argument(..., help="Holds the photos in cat/, dog/ and, if you like, neither/."),
    as_json: bool = typer.Option(False, "--json", help="One JSON object."),
) -> None:
    """Evaluate the served model on labelled photos.

    Errors are pets taken for the other animal, and other photos taken for a pet; pets answered "neither" are refused.
    """
    from rich.console import Console
    from rich.progress import track

    from catsdogs.model.evaluation import evaluate_photos, labelled_photos
    from catsdogs.model.serving import ServedModel

    photos = labelled_photos(folder)
    console = Console(stderr=True)
    ticks = iter(track(photos, "Classifying photos", console=console, disable=not console.is_terminal))
    metrics = evaluate_photos(ServedModel(Settings.load()).current().classify_files, photos, lambda: next(ticks, None))
    figures = metrics.figures()
    if as_json:
        print(json.dumps(figures))
    else:
        for name, value in figures.items():
            print(f"{name:14} {value:.4f}" if isinstance(value, float) else f"{name:14} {value}")
