"""``catsdogs evaluate``: metrics of a model version on labelled photos."""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Iterable
from pathlib import Path

import typer

from catsdogs.cli.app import app
from catsdogs.cli.unseen import unseen_photos
from catsdogs.domain import Answer, Prediction
from catsdogs.errors import InvalidInput
from catsdogs.files import atomic_write
from catsdogs.settings import Settings


@app.command()
def evaluate(
    folder: Path = typer.Argument(..., help="Holds the photos in cat/, dog/ and, if you like, neither/."),
    version: str | None = typer.Option(None, help="Model version; by default the served one."),
    mistakes: Path | None = typer.Option(None, help="CSV table to write, of errors and refused pets."),
    as_json: bool = typer.Option(False, "--json", help="One JSON object."),
) -> None:
    """Evaluate a model version on labelled photos.

    Errors are pets taken for the other animal, and other photos taken for a pet; pets answered "neither" are refused.
    Photos that the version was trained on, and copies of them, are left out.
    """
    from catsdogs.cli.progress import progress_bars
    from catsdogs.model.classifier import Classifier
    from catsdogs.model.evaluation import labelled_photos, measure, predict
    from catsdogs.model.fingerprint import fingerprint_files
    from catsdogs.model.registry import ModelVersions
    from catsdogs.model.serving import ServedModel
    from catsdogs.training.options import stage_counter

    photos = labelled_photos(folder)
    if mistakes is not None and not mistakes.parent.is_dir():
        raise InvalidInput("There is no folder {folder}.", folder=mistakes.parent)
    if mistakes is not None and mistakes.is_dir():
        raise InvalidInput("{file} is a folder. Name a file to write.", file=mistakes)
    settings = Settings.load()
    if version is None:
        classifier = ServedModel(settings).current()
    else:
        classifier = Classifier.open(ModelVersions(settings.data_dir).folder(version), settings.model_runtime)
    found = len(photos)
    photos = unseen_photos(photos, classifier)
    with progress_bars() as update:
        results = predict(classifier.classify_files, photos, stage_counter(update, "photos", len(photos)))
    predictions = [(photos[path], result) for path, result in results.items()]
    figures = measure(predictions, unreadable=len(photos) - len(results)).figures()
    figures["seen"] = found - len(photos)
    figures["fingerprint"] = fingerprint_files({path: photos[path] for path in results})
    if mistakes is not None:
        _write_mistakes(mistakes, ((path, photos[path], result) for path, result in results.items()))
    if as_json:
        print(json.dumps(figures))
    else:
        for name, value in figures.items():
            print(f"{name:14} {value:.4f}" if isinstance(value, float) else f"{name:14} {value}")


def _write_mistakes(path: Path, predictions: Iterable[tuple[Path, Answer, Prediction]]) -> None:
    """Write a table of the photos whose answer is not their label, refused pets included."""
    stream = io.StringIO(newline="")
    writer = csv.writer(stream)
    writer.writerow(["file", "label", "answer", "proba_cat", "proba_dog"])
    for photo, label, found in predictions:
        if found.answer is not label:
            writer.writerow([photo, label, found.answer, f"{found.proba_cat:.4f}", f"{found.proba_dog:.4f}"])
    try:
        with atomic_write(path) as file:
            file.write(stream.getvalue().encode("utf-8", "backslashreplace"))
    except OSError as error:
        raise InvalidInput("{file} cannot be written: {reason}.", file=path, reason=error.strerror) from error
