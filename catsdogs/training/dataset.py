"""The photos to learn from. The source folder is only read."""

from __future__ import annotations

import csv
import hashlib
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt

from catsdogs.domain import Answer
from catsdogs.errors import InvalidInput
from catsdogs.evaluation import labelled_photos

MIN_PHOTOS = 20
"""Fewest photos of each animal to learn anything from."""


@dataclass(frozen=True)
class Dataset:
    """Photos of cats and dogs, each once."""

    paths: list[Path]
    is_dog: npt.NDArray[np.bool_]
    """Shape (n,)."""
    left_out: dict[Path, str]
    """Why each file that is not used is not."""
    fingerprint: str
    """SHA-256 over labels and contents: says whether two trainings saw the same photos."""


def collect(folder: Path) -> Dataset:
    """List the photos in ``cat/`` and ``dog/`` of `folder`; a file that is there twice is taken once.

    Raises
    ------
    InvalidInput
        There are fewer than `MIN_PHOTOS` of an animal.
    """
    kept: dict[str, tuple[Path, Answer]] = {}
    left_out: dict[Path, str] = {}
    for path, label in labelled_photos(folder).items():
        if label is Answer.NEITHER:
            continue
        with path.open("rb") as stream:
            digest = hashlib.file_digest(stream, "sha256").hexdigest()
        if digest in kept:
            left_out[path] = f"the same as {kept[digest][0].relative_to(folder)}"
        else:
            kept[digest] = path, label
    labels = [label for _, label in kept.values()]
    for label in (Answer.CAT, Answer.DOG):
        if labels.count(label) < MIN_PHOTOS:
            raise InvalidInput(
                "Only {n} photos in {folder}/{label}: at least {least} are needed.",
                n=labels.count(label),
                folder=folder,
                label=label,
                least=MIN_PHOTOS,
            )
    lines = sorted(f"{label} {digest}" for digest, (_, label) in kept.items())
    return Dataset(
        paths=[path for path, _ in kept.values()],
        is_dog=np.array([label is Answer.DOG for label in labels]),
        left_out=left_out,
        fingerprint=hashlib.sha256("\n".join(lines).encode()).hexdigest(),
    )


def write_left_out(left_out: dict[Path, str], path: Path) -> None:
    """Write a table of the files that were not used, and why."""
    with path.open("w", newline="", encoding="utf-8") as stream:
        writer = csv.writer(stream)
        writer.writerow(["file", "reason"])
        writer.writerows((str(file), reason) for file, reason in sorted(left_out.items()))
