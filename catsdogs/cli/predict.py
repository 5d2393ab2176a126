"""``catsdogs predict``: predictions for photos. Nothing is recorded."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path

import typer

from catsdogs.cli.app import app
from catsdogs.cli.log_format import printable
from catsdogs.settings import Settings


@app.command()
def predict(
    photos: list[Path] = typer.Argument(..., help="Photos; a folder means every file below it."),
    as_json: bool = typer.Option(False, "--json", help="One JSON object a line."),
    out: Path | None = typer.Option(None, help="Write a table of one folder's photos: a folder, or FILE.parquet."),
    scheduler: str | None = typer.Option(None, help="Classify on a Dask cluster, for --out: tcp://HOST:8786."),
) -> None:
    """Classify photos. Exit code 1 if any could not be read.

    For several photos, a photo's inference_time_ms is its share of the time of its batch.

    A table (Parquet) is written part by part: repeated after a stop, the command computes the missing parts. The
    workers of a cluster need the same version of catsdogs, and the folder under the same path.
    """
    if out or scheduler:
        from catsdogs.cli.batch import write_table

        raise typer.Exit(0 if write_table(photos, out, scheduler, as_json) else 1)
    from catsdogs.domain import Doubt, Note, Prediction
    from catsdogs.i18n import Translator
    from catsdogs.model.evaluation import photo_files
    from catsdogs.model.serving import ServedModel
    from catsdogs.service.prediction_json import prediction_line

    _ = Translator()
    doubts = {Doubt.UNSURE: ", unsure", Doubt.BOTH: ", but there seem to be both a cat and a dog"}
    notes = {
        Note.FIRST_FRAME: "the first picture of an animation",
        Note.LATER_FRAME: "a picture of an animation that begins with an empty one",
        Note.ENDS_LEFT_OUT: "the middle of a very long picture",
        Note.FIRST_PAGE: "the first of several pages",
        Note.MAIN_PICTURE: "the main one of several pictures",
        Note.PREVIEW: "the preview of a very large picture",
        Note.INCOMPLETE: "the picture is incomplete",
    }
    files = [file for path in photos for file in (photo_files(path) if path.is_dir() else [path])]
    failed = not files
    for path, result in ServedModel(Settings.load()).current().classify_files(files):
        if isinstance(result, Prediction):
            fields: Mapping[str, object] = prediction_line(result)
            line = f"{result.answer} ({_.probability(result.probability)})" + (
                doubts[result.doubt] if result.doubt else ""
            )
            line += "".join(f" ({notes[note]})" for note in result.notes)
        else:
            failed = True
            fields = {"error": str(result)}
            line = f"not read: {result}"
        print(json.dumps({"file": str(path), **fields}) if as_json else f"{printable(str(path))}: {line}", flush=True)
    if not files:
        typer.echo("catsdogs: there are no files in these folders.", err=True)
    raise typer.Exit(1 if failed else 0)
