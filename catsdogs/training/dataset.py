"""Training photos, each of them checked. The source folder is only read; people's photos stay in memory."""

from __future__ import annotations

import csv
import hashlib
from collections import Counter, defaultdict
from collections.abc import Callable, Collection, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import NamedTuple

import numpy as np
import numpy.typing as npt

from catsdogs.domain import Answer
from catsdogs.errors import InvalidImage, InvalidInput
from catsdogs.model import preprocessing
from catsdogs.model.evaluation import labelled_photos, photo_files
from catsdogs.model.fingerprint import fingerprint
from catsdogs.model.seen_photos import Hashes, perceptual_hashes
from catsdogs.records.review_queue import FeedbackPhotos

NO_FEEDBACK = FeedbackPhotos()
MIN_PHOTOS = 20
"""Smallest number of usable photos of each animal."""
MIN_SIDE = 64
"""Shortest side, in pixels: smaller photos would be blurred, scaled up four times and more."""


@dataclass(frozen=True)
class Dataset:
    """Readable photos of cats and dogs, each once; or of other things."""

    paths: list[Path]
    digests: list[str]
    """SHA-256 of each file."""
    is_dog: npt.NDArray[np.bool_]
    """Shape (n,); of other things, False."""
    left_out: dict[Path, str]
    """Reason for each file that is not used."""
    fingerprint: str
    """See :mod:`catsdogs.model.fingerprint`: the same for two trainings on the same photos."""
    feedback: FeedbackPhotos
    """Contents of those `paths` that are not files but people's photos."""
    hashes: Hashes
    """See :func:`catsdogs.model.seen_photos.perceptual_hashes`; shape (n, 2)."""

    @property
    def is_file(self) -> npt.NDArray[np.bool_]:
        """Whether each photo is a file; the others are people's, and must not be written to disk. Shape (n,)."""
        return np.array([path not in self.feedback.content for path in self.paths])


class _Checked(NamedTuple):
    """Digests of a usable photo."""

    file: str
    """SHA-256 of the file."""
    pixels: bytes
    """SHA-256 of the network's input: the same for two files of one photo that differ in their metadata."""
    perceptual: Hashes
    """Perceptual hash, shape (2,)."""


def collect(
    folder: Path,
    side: int,
    progress: Callable[[int, int], object] = lambda *_: None,
    feedback: FeedbackPhotos = NO_FEEDBACK,
) -> Dataset:
    """Check the photos in ``cat/`` and ``dog/`` of `folder`, see :func:`catsdogs.model.evaluation.labelled_photos`.

    Left out are files that cannot be read, photos smaller than `MIN_SIDE`, all but the first of identical photos with
    one label, and all identical photos with both labels, one of which must be wrong.

    Parameters
    ----------
    side
        Side of the network's input, in pixels.
    progress
        Called after each file, with the number of files done, and the number of all files.
    feedback
        Further photos of cats and dogs.

    Raises
    ------
    InvalidInput
        There are fewer than `MIN_PHOTOS` of an animal.
    """
    found = labelled_photos(folder) | feedback.labels
    labels = {path: label for path, label in found.items() if label is not Answer.NEITHER}
    checked, unusable = _check_all(labels, feedback, side, progress)
    left_out = feedback.left_out | unusable
    left_out |= _duplicates(checked, labels, lambda path: _name(path, folder, feedback))
    kept = [path for path in checked if path not in left_out]
    require_enough([labels[path] for path in kept], folder)
    return Dataset(
        paths=kept,
        digests=[checked[path].file for path in kept],
        is_dog=np.array([labels[path] is Answer.DOG for path in kept]),
        left_out=left_out,
        fingerprint=fingerprint((labels[path], checked[path].file) for path in kept),
        feedback=feedback,
        hashes=np.stack([checked[path].perceptual for path in kept]),
    )


def collect_others(folders: Sequence[Path], side: int) -> Dataset:
    """Check the photos of other things in `folders`; those that cannot be used are left out.

    Raises
    ------
    InvalidInput
        A folder is missing, or holds no file.
    """
    paths = files_of_others(folders)
    checked, unusable = _check_all(paths, NO_FEEDBACK, side, lambda *_: None)
    digests = [one.file for one in checked.values()]
    content = fingerprint((Answer.NEITHER, digest) for digest in digests)
    hashes = np.array([one.perceptual for one in checked.values()], np.uint64).reshape(-1, 2)
    return Dataset(list(checked), digests, np.zeros(len(checked), bool), unusable, content, NO_FEEDBACK, hashes)


def files_of_others(folders: Sequence[Path]) -> list[Path]:
    """List the photos of other things in `folders`.

    Raises
    ------
    InvalidInput
        A folder is missing, or holds no file.
    """
    found = {folder: photo_files(folder) for folder in folders}
    for folder, files in found.items():
        if not files:
            raise InvalidInput("The folder {folder} is missing or holds no photos.", folder=folder)
    return [path for files in found.values() for path in files]


def write_left_out(left_out: dict[Path, str], path: Path, feedback: FeedbackPhotos = NO_FEEDBACK) -> None:
    """Write a CSV table of the files that were not used, with the reasons; of people's photos, only counts.

    The names of people's photos identify predictions, which may be erased later; the table would remain.
    """
    from_feedback = left_out.keys() & (feedback.content.keys() | feedback.left_out.keys())
    with path.open("w", newline="", encoding="utf-8", errors="backslashreplace") as stream:
        writer = csv.writer(stream)
        writer.writerow(["file", "reason"])
        writer.writerows((str(file), left_out[file]) for file in sorted(left_out.keys() - from_feedback))
        reasons = Counter(left_out[file] for file in from_feedback)
        writer.writerows((f"{n} from feedback", reason) for reason, n in sorted(reasons.items()))


def _check_all(
    paths: Collection[Path], feedback: FeedbackPhotos, side: int, progress: Callable[[int, int], object]
) -> tuple[dict[Path, _Checked], dict[Path, str]]:
    """Check photos on all cores; return the usable ones, and the reasons why the others are not."""
    checked: dict[Path, _Checked] = {}
    unusable: dict[Path, str] = {}
    pool = ThreadPoolExecutor()
    try:
        results = zip(paths, pool.map(partial(_check, read=feedback.read, side=side), paths), strict=True)
        for done, (path, result) in enumerate(results, 1):
            if isinstance(result, str):
                unusable[path] = result
            else:
                checked[path] = result
            progress(done, len(paths))
    finally:
        pool.shutdown(cancel_futures=True)  # Ctrl+C does not wait for the rest
    return checked, unusable


def require_enough(labels: list[Answer], folder: Path) -> None:
    """Refuse fewer than `MIN_PHOTOS` photos of an animal.

    Raises
    ------
    InvalidInput
        The message says of which animal there are too few.
    """
    for label in (Answer.CAT, Answer.DOG):
        n = labels.count(label)
        if n < MIN_PHOTOS:
            raise InvalidInput(
                "Photos in {folder}/{label} that can be used: {n}. At least {least} are needed.",
                n=n,
                folder=folder,
                label=label,
                least=MIN_PHOTOS,
            )


def _check(path: Path, read: Callable[[Path], bytes], side: int) -> _Checked | str:
    """Preprocess a photo; return the reason if it cannot be used."""
    try:
        content = read(path)
        photo = preprocessing.decode(content, side)
    except InvalidImage as error:
        return str(error)
    if min(photo.width, photo.height) < MIN_SIDE:
        return f"too small: {photo.width} x {photo.height} pixels, each side needs at least {MIN_SIDE}"
    pixels = hashlib.sha256(preprocessing.square(photo, side).tobytes()).digest()
    return _Checked(hashlib.sha256(content).hexdigest(), pixels, perceptual_hashes(photo)[0])


def _duplicates(
    checked: dict[Path, _Checked], labels: Mapping[Path, Answer], name: Callable[[Path], str]
) -> dict[Path, str]:
    """Find the files to leave out because of identical photos, with the reasons."""
    same: dict[bytes, list[Path]] = defaultdict(list)
    for path, one in checked.items():
        same[one.pixels].append(path)
    left_out = {}
    for first, *others in same.values():
        differently_labelled = next((path for path in others if labels[path] is not labels[first]), None)
        for path in others:
            left_out[path] = f"the same as {name(first)}"
        if differently_labelled:
            for path in (first, *others):
                other = differently_labelled if labels[path] is labels[first] else first
                left_out[path] = f"the same as {name(other)}: one of the labels is wrong"
    return left_out


def _name(path: Path, folder: Path, feedback: FeedbackPhotos) -> str:
    if path in feedback.content:
        return "a photo from feedback"
    return str(path.relative_to(folder) if path.is_relative_to(folder) else path)
