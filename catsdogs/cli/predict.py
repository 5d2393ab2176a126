"""``catsdogs predict``: what photos show. Nothing is recorded."""

from __future__ import annotations

import json
from dataclasses import asdict
from pathlib import Path

import typer

from catsdogs.cli import app
from catsdogs.settings import Settings


@app.command()
def predict(
    photos: list[Path] = typer.Argument(..., help="Photos; a folder means every file below it."),
    as_json: bool = typer.Option(False, "--json", help="One JSON object a line."),
) -> None:
    """Say what photos show. Exit code 1 if any could not be read."""
    from catsdogs.domain import Prediction
    from catsdogs.evaluation import photo_files
    from catsdogs.served_model import ServedModel

    files = [file for path in photos for file in (photo_files(path) if path.is_dir() else [path])]
    failed = not files
    for path, result in ServedModel(Settings.load()).current().classify_files(files):
        if isinstance(result, Prediction):
            figures = {
                "prediction": result.answer,
                "proba_cat": result.proba_cat,
                "proba_dog": result.proba_dog,
                "neither_score": result.neither_score,
                "inference_time_ms": result.inference_time_ms,
                "model_version": result.model_version,
                "doubt": result.doubt,
                "explanation": result.explanation and asdict(result.explanation),
            }
            line = f"{result.answer} ({result.confidence:.1%})"
        else:
            failed = True
            figures = {"error": str(result)}
            line = f"not read: {result}"
        print(json.dumps({"file": str(path)} | figures) if as_json else f"{path}: {line}", flush=True)
    if not files:
        typer.echo("catsdogs: there are no files in these folders.", err=True)
    raise typer.Exit(1 if failed else 0)
