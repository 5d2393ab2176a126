"""``catsdogs train``: training of a model version."""

from __future__ import annotations

import shlex
import sys
from collections import Counter
from pathlib import Path
from typing import TYPE_CHECKING, Literal

import typer

from catsdogs.cli.app import app
from catsdogs.errors import ModelError
from catsdogs.extras import install_command
from catsdogs.i18n import counted
from catsdogs.settings import Settings

if TYPE_CHECKING:
    from catsdogs.training.options import TrainingOptions

Backbone = Literal["lite0", "lite2"]


@app.command()
def train(
    folder: Path = typer.Argument(..., help="Holds the photos in cat/ and dog/, or PetImages/; it is only read."),
    output: Path | None = typer.Option(None, help="Folder for the version; by default models/ in the data folder."),
    version: str | None = typer.Option(None, help="Name of the version; by default date and time."),
    validate: list[Path] = typer.Option([], help="A folder of labelled photos to evaluate it on; may be repeated."),
    others: list[Path] = typer.Option([], help="A folder of photos of other things, to compare with; may be repeated."),
    with_feedback: bool = typer.Option(
        False, "--with-feedback", help="Train also on the photos of people who consented, after their review."
    ),
    backbone: Backbone = typer.Option("lite2", help="EfficientNet-Lite0 takes half the time of Lite2, and errs more."),
    note: list[str] = typer.Option([], help="For the model card: the photos' source and terms, what was tried ..."),
) -> None:
    """Train a model version; the served one stays.

    Every photo is checked first; left_out.csv beside the model lists the photos that were left out, with the reasons. A
    training that was stopped is resumed when the command is repeated. Photos in neither/, if there are any, are not
    trained on: the model is evaluated on them. At the end, standard error says what was used and left out, how good the
    version is, and the next command.

    With --with-feedback, photos come from the database too: photos that people consented to keep for training and
    labelled, and that were then reviewed (notebooks/lab/review.ipynb). Of these, only the number that was left out for
    each reason is written to disk; erased photos are not used.
    """
    from catsdogs.model.evaluation import labelled_photos
    from catsdogs.records.review_queue import FeedbackPhotos, feedback_photos
    from catsdogs.training.architectures import ARCHITECTURES
    from catsdogs.training.early_checks import check_early, name_sets
    from catsdogs.training.options import TrainingOptions

    labelled_photos(folder)  # refuses a wrong folder before the database is read
    settings = Settings.load()
    settings.create_data_dir()
    models = settings.data_dir / "models"
    feedback = feedback_photos(settings) if with_feedback else FeedbackPhotos()
    if with_feedback:
        left_out = "".join(f", {n} {reason}" for reason, n in Counter(feedback.left_out.values()).items())
        typer.echo(f"catsdogs: from feedback: {counted(len(feedback.labels), 'photo')}{left_out}", err=True)
    options = TrainingOptions(
        folder,
        output or models,
        settings.data_dir / "processed",
        version=version or "",
        validation=name_sets(validate),
        others=others,
        feedback=feedback,
        command=shlex.join(["catsdogs", *sys.argv[1:]]),
        notes=note,
        architecture=ARCHITECTURES[backbone],
    )
    check_early(options, models)  # before TensorFlow is imported, which takes seconds
    try:
        from catsdogs.training.pipeline import train as run
    except ImportError as error:
        raise ModelError("Training needs more packages. Run: {command}", command=install_command("train")) from error
    from catsdogs.cli.progress import progress_bars

    with progress_bars(is_resumed=True) as update:
        target = run(options, update)
    _print_summary(target, options, models)
    print(target)


def _print_summary(target: Path, options: TrainingOptions, served_from: Path) -> None:
    from catsdogs.cli.training_summary import summarize
    from catsdogs.model.card import read_card
    from catsdogs.training.pipeline import LEFT_OUT

    lines = summarize(read_card(target), target / LEFT_OUT, options.processed, served_from, options.validation)
    for line in lines:
        typer.echo(f"catsdogs: {line}", err=True)
