"""Answer the photos of a folder; called again after a stop, only those that are missing."""

from __future__ import annotations

import shutil
from collections.abc import Callable, Generator, Iterable
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path

from catsdogs.batch.job import Job, Row
from catsdogs.batch.partitions import Parts
from catsdogs.errors import InvalidInput
from catsdogs.model.evaluation import photo_files
from catsdogs.settings import Settings

Runner = Callable[[Job, Iterable[tuple[int, list[str]]]], Generator[tuple[int, list[Row]], None, None]]
"""Answers parts, each a number and names of photos, in any order."""


@dataclass(frozen=True, slots=True)
class Scored:
    """What came of a run."""

    photos: int
    errors: int
    """Files that could not be read."""
    model_version: str


def score(
    folder: Path,
    out: Path,
    settings: Settings,
    runner: Runner,
    progress: Callable[[int, int], object] = lambda *_: None,
) -> Scored:
    """Answer every photo below `folder` by the served model, and write a table.

    Parameters
    ----------
    out
        Where the table goes: a folder of parts; or one file, if the name ends in ``.parquet``: its parts lie in
        ``OUT.parts`` until they are complete.
    runner
        :func:`here`, or from :func:`catsdogs.batch.dask_runner.on`.
    progress
        Called with the number of photos done, and of all.

    Raises
    ------
    InvalidInput
        There are no photos, or `out` has another ending, cannot be written, or holds something else.
    ModelError
    ServiceError
        Of a cluster. The parts that are written stay.
    """
    one_file = out.suffix == ".parquet"
    if out.suffix and not one_file:
        raise InvalidInput(
            "The answers are a table in Parquet: {out} must end in .parquet, or have no ending for a folder.", out=out
        )
    if not folder.is_dir():
        raise InvalidInput("There is no folder {folder}.", folder=folder)
    if out.absolute().is_relative_to(folder.absolute()):
        raise InvalidInput(
            "The answers cannot lie among the photos. Choose a place outside of {folder}.", folder=folder
        )
    names = [str(path.relative_to(folder)) for path in photo_files(folder)]
    if not names:
        raise InvalidInput("There are no files in {folder}.", folder=folder)
    if one_file and out.exists():
        raise InvalidInput("There is a file {out} already. Choose another name.", out=out)
    job = Job.of(folder, settings)
    try:
        folder_of_parts = out.with_name(f"{out.name}.parts") if one_file else out
        parts = Parts(folder_of_parts, job, names)
        done = len(names) - sum(len(part) for _, part in parts.missing())
        progress(done, len(names))
        with closing(runner(job, parts.missing())) as answered:
            for number, rows in answered:
                parts.write(number, rows)
                done += len(rows)
                progress(done, len(names))
        scored = Scored(len(names), parts.errors(), job.version)
        if one_file:
            parts.join(out)
            shutil.rmtree(folder_of_parts)
    except OSError as error:
        raise InvalidInput("{out} cannot be written: {reason}.", out=out, reason=error.strerror) from error
    return scored


def here(job: Job, parts: Iterable[tuple[int, list[str]]]) -> Generator[tuple[int, list[Row]], None, None]:
    """Answer parts on this machine, one after the other: each uses all cores."""
    for number, names in parts:
        yield number, job.answer(names)
