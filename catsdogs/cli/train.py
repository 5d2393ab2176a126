"""``catsdogs train``: a new model version from a folder of photos."""

from __future__ import annotations

import shlex
import sys
from collections import Counter
from pathlib import Path

import typer

from catsdogs.cli.app import app
from catsdogs.errors import ModelError
from catsdogs.settings import Settings


@app.command()
def train(
    folder: Path = typer.Argument(..., help="Holds the photos in cat/ and dog/, or PetImages/; it is only read."),
    output: Path | None = typer.Option(None, help="Where the version goes; by default models/ in the data folder."),
    version: str | None = typer.Option(None, help="Its name; by default the time of day."),
    validate: list[Path] = typer.Option([], help="A folder of labelled photos to measure it on; may be repeated."),
    with_feedback: bool = typer.Option(
        False, "--with-feedback", help="Learn, too, from photos that people let be kept, once they are reviewed."
    ),
    note: list[str] = typer.Option([], help="For the model card: the photos' source and terms, what was tried ..."),
) -> None:
    """Train a model version; the served one stays.

    Every photo is checked first; left_out.csv beside the model lists what was left out, and why. A training that was
    stopped goes on where it was when the command is given again. From neither/, if it is there, nothing is learned: the
    model is measured on it. To serve the version: catsdogs model promote VERSION

    With --with-feedback, photos come from the database: those kept for training whose people said what they show, and
    that were then reviewed (notebooks/lab/review.ipynb). Nothing of them is written to disk but how many were left out
    for each reason; erased ones are gone.
    """
    from catsdogs.model.evaluation import labelled_photos
    from catsdogs.records.review_queue import FeedbackPhotos, feedback_photos

    labelled_photos(folder)  # says what is wrong with it before TensorFlow is loaded, which takes seconds
    settings = Settings.load()
    feedback = feedback_photos(settings) if with_feedback else FeedbackPhotos()
    if with_feedback:
        others = "".join(f", {n} {reason}" for reason, n in Counter(feedback.left_out.values()).items())
        typer.echo(f"catsdogs: from feedback: {len(feedback.labels)} photos{others}", err=True)
    try:
        from catsdogs.training.pipeline import train as run
    except ImportError as error:
        raise ModelError("Training needs more packages. Run: pip install 'catsdogs[train]'") from error
    from catsdogs.cli.progress import shown

    with shown() as show:
        made = run(
            folder,
            output or settings.data_dir / "models",
            settings.data_dir / "processed",
            version=version,
            validation={path.name: path for path in validate},
            feedback=feedback,
            command=shlex.join(["catsdogs", *sys.argv[1:]]),
            notes=note,
            progress=show,
        )
    print(made)
