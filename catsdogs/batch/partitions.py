"""The table of predictions, as part files that are written one by one.

::

    OUT/
        _plan.json             digest of the photos' names, sizes and times of change, and the model
        part-000000.parquet    predictions for the first 256 photos, in the order of their names
        ...
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Iterator
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq

from catsdogs.batch.job import BatchJob, Row
from catsdogs.errors import InvalidInput
from catsdogs.files import atomic_write

PART_SIZE = 256
"""Number of photos in a part, which takes a few seconds."""
PLAN_FILE = "_plan.json"  # readers of Parquet folders ignore names that begin with _ or .
SCHEMA = pa.schema(
    [
        ("file", pa.string()),
        ("prediction", pa.string()),
        ("proba_cat", pa.float64()),
        ("proba_dog", pa.float64()),
        ("neither_score", pa.float64()),
        ("doubt", pa.string()),
        ("inference_time_ms", pa.float64()),
        ("model_version", pa.string()),
        ("error", pa.string()),
    ]
)
"""Columns of the table. For a file that could not be read, all but `file` and `error` are empty."""


class PartFiles:
    """The part files of one run.

    Parameters
    ----------
    folder
        Folder of the files.
    job
        Photos and model.
    names
        Names of all photos, in order.
    files
        Their :func:`files_digest`.

    Raises
    ------
    InvalidInput
        The folder holds the parts of another run, or something else.
    OSError
        The folder cannot be written.
    """

    def __init__(self, folder: Path, job: BatchJob, names: list[str], files: str) -> None:
        self._folder = folder
        self._names = names
        about = {
            "model": job.version,
            "sha256": job.checksum,
            "photos": len(names),
            "files": files,
            "part": PART_SIZE,
        }
        plan = json.dumps(about, indent=1).encode() + b"\n"
        folder.mkdir(parents=True, exist_ok=True)
        file = folder / PLAN_FILE
        if not file.exists() and any(not path.name.startswith(".") for path in folder.iterdir()):
            raise InvalidInput("The folder {folder} holds something else. Choose an empty one.", folder=folder)
        if not file.exists():
            with atomic_write(file, _draft(file)) as stream:
                stream.write(plan)
        elif file.read_bytes() != plan:
            raise InvalidInput(
                "The folder {folder} holds predictions for other photos, for photos that were changed since, or by "
                "another model. Choose another folder.",
                folder=folder,
            )

    @property
    def photos(self) -> int:
        """Number of photos in all parts."""
        return len(self._names)

    def missing(self) -> Iterator[tuple[int, list[str]]]:
        """Yield number and names of each part that is not written yet."""
        for number in range(self.count):
            if not self._path(number).exists():
                yield number, self._names[number * PART_SIZE :][:PART_SIZE]

    @property
    def count(self) -> int:
        """Number of all parts."""
        return -(-len(self._names) // PART_SIZE)

    def write(self, number: int, rows: list[Row]) -> None:
        """Write a part atomically.

        Raises
        ------
        OSError
            The file cannot be written.
        """
        _write([pa.Table.from_pylist(rows, SCHEMA)], self._path(number))

    def join(self, file: Path) -> None:
        """Write all parts to one file.

        Raises
        ------
        InvalidInput
            A part is damaged.
        OSError
            The file cannot be written.
        """
        _write(self._tables(), file)

    def errors(self) -> int:
        """Count the photos that could not be read.

        Raises
        ------
        InvalidInput
            A part is damaged.
        """
        return sum(len(table) - table["error"].null_count for table in self._tables(["error"]))

    def _tables(self, columns: list[str] | None = None) -> Iterator[pa.Table]:
        for path in map(self._path, range(self.count)):
            try:
                yield pq.read_table(path, columns=columns)
            except pa.ArrowInvalid as error:
                raise InvalidInput(
                    "The file {path} is damaged. Delete it, and repeat the command.", path=path
                ) from error

    def _path(self, number: int) -> Path:
        return self._folder / f"part-{number:06}.parquet"


def files_digest(folder: Path, names: Iterable[str]) -> str:
    """Return a digest of files' names, sizes and times of change: another one, if a file changed, came or went."""
    digest = hashlib.sha256()
    for name in names:
        try:
            status = (folder / name).stat()
            state = f"{status.st_size} {status.st_mtime_ns}"
        except OSError:
            state = "not there"
        digest.update(f"{name}\0{state}\0".encode(errors="surrogateescape"))
    return digest.hexdigest()


def _write(tables: Iterable[pa.Table], file: Path) -> None:
    with atomic_write(file, _draft(file)) as stream, pq.ParquetWriter(stream, SCHEMA) as writer:
        for table in tables:
            writer.write_table(table)


def _draft(file: Path) -> Path:
    return file.with_name(f".{file.name}.tmp")
