"""Scoring of a folder: classify its photos part by part; repeated after a stop, only the missing parts."""

from __future__ import annotations

import shutil
from collections.abc import Callable, Generator, Iterable
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path

from catsdogs.batch.job import BatchJob, Row
from catsdogs.batch.partitions import PartFiles, files_digest
from catsdogs.errors import InvalidInput
from catsdogs.model.evaluation import photo_files
from catsdogs.settings import Settings

Runner = Callable[[BatchJob, Iterable[tuple[int, list[str]]]], Generator[tuple[int, list[Row]], None, None]]
"""Function that classifies parts, each a number and names of photos, and yields numbers and rows in any order."""


@dataclass(frozen=True, slots=True)
class BatchResult:
    """Summary of a run."""

    photos: int
    """Number of photos."""
    errors: int
    """Number of files that could not be read."""
    model_version: str


def score_folder(
    folder: Path,
    out: Path,
    settings: Settings,
    runner: Runner,
    progress: Callable[[int, int], object] = lambda *_: None,
) -> BatchResult:
    """Classify every photo below `folder` with the served model, and write a table.

    Parameters
    ----------
    folder
        Photos.
    out
        Path of the table: a folder of part files; or one file, if the name ends in ``.parquet``, whose parts are in
        ``OUT.parts`` until they are complete.
    settings
        Select the served model.
    runner
        :func:`run_locally`, or from :func:`catsdogs.batch.dask_runner.on_cluster`.
    progress
        Called with the number of photos done, and the number of all photos.

    Raises
    ------
    InvalidInput
        There are no photos, a file was changed meanwhile, or `out` has another ending, cannot be written, or holds
        something else.
    ModelError
        The model fails.
    ServiceError
        The cluster fails. The parts that are written stay.
    """
    names = _check_paths(folder, out)
    before = files_digest(folder, names)
    one_file = out.suffix == ".parquet"
    job = BatchJob.with_served_model(folder, settings)
    try:
        folder_of_parts = out.with_name(f"{out.name}.parts") if one_file else out
        parts = PartFiles(folder_of_parts, job, names, before)
        _write_missing(parts, runner, job, lambda done: progress(done, len(names)))
        _require_unchanged(folder, before, folder_of_parts)
        result = BatchResult(len(names), parts.errors(), job.version)
        if one_file:
            parts.join(out)
            shutil.rmtree(folder_of_parts)
    except OSError as error:
        raise InvalidInput("{out} cannot be written: {reason}.", out=out, reason=error.strerror) from error
    return result


def _write_missing(parts: PartFiles, runner: Runner, job: BatchJob, progress: Callable[[int], object]) -> None:
    """Classify the parts that are not written yet, and write each; call `progress` with the number of photos done."""
    done = parts.photos - sum(len(names) for _, names in parts.missing())
    progress(done)
    with closing(runner(job, parts.missing())) as results:
        for number, rows in results:
            parts.write(number, rows)
            done += len(rows)
            progress(done)


def _check_paths(folder: Path, out: Path) -> list[str]:
    """Refuse impossible paths before any work is done; return the names of all photos."""
    if out.suffix not in ("", ".parquet"):
        raise InvalidInput(
            "The table is written as Parquet: {out} must end in .parquet, or have no ending for a folder.", out=out
        )
    if not folder.is_dir():
        raise InvalidInput("There is no folder {folder}.", folder=folder)
    if out.resolve().is_relative_to(folder.resolve()):
        raise InvalidInput(
            "The table cannot be written among the photos. Choose a path outside of {folder}.", folder=folder
        )
    names = _photo_names(folder)
    if not names:
        raise InvalidInput("There are no files in {folder}.", folder=folder)
    if out.suffix and out.exists():
        raise InvalidInput("There is a file {out} already. Choose another name.", out=out)
    return names


def _photo_names(folder: Path) -> list[str]:
    return [str(path.relative_to(folder)) for path in photo_files(folder)]


def _require_unchanged(folder: Path, before: str, parts: Path) -> None:
    """Refuse to end a run in which a file changed, came or went: the table would be of no one moment."""
    if files_digest(folder, _photo_names(folder)) != before:
        raise InvalidInput(
            "Files in {folder} were changed, added or removed meanwhile. Delete {parts}, and repeat the command.",
            folder=folder,
            parts=parts,
        )


def run_locally(job: BatchJob, parts: Iterable[tuple[int, list[str]]]) -> Generator[tuple[int, list[Row]], None, None]:
    """Classify parts on this machine, one after the other; each uses all cores."""
    for number, names in parts:
        yield number, job.classify(names)
