"""The photos that a version was trained on, found again among others: changed copies, too.

Each photo has a hash of 128 bits, which says of 64 places whether the photo gets brighter to the right and to the
bottom of them (N. Krawetz 2013, "Kind of like that": dHash, here in both directions). Scaling and compression change
few bits. The photos themselves cannot be made from it.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Self

import numpy as np
import numpy.typing as npt
from PIL import Image

from catsdogs.domain import Answer
from catsdogs.errors import InvalidImage, InvalidInput, ModelError
from catsdogs.model import preprocessing
from catsdogs.model.card import ModelCard, check_file
from catsdogs.model.cores import usable_cores
from catsdogs.model.preprocessing import Photo

SEEN_FILE = "seen_photos.npy"
MAX_DISTANCE = 12
"""Largest number of differing bits of two copies of one photo.

Of 169 photos, copies in the mirror, at twice the size, darkened or compressed with quality 20 differ in at most 6 bits,
and 95 % of those at a third of the size in at most 6. Of 1,000 photos, however they are turned, the nearest of 7,107
others differs in 18. Not found are most copies that were cut by a twentieth at each side, and half of those tilted by 3
degrees.
"""
_CELLS = 9
_CELL_PIXELS = 8

Hashes = npt.NDArray[np.uint64]
"""Shape (n, 2)."""
_NO_HASHES: Hashes = np.empty((0, 2), np.uint64)


def perceptual_hashes(photo: Photo) -> Hashes:
    """Return the hash of a photo, and those of it turned by quarters and in the mirror, shape (8, 2)."""
    side = _CELLS * _CELL_PIXELS
    small = photo.image.resize((side, side), Image.Resampling.BOX, reducing_gap=2).convert("L")
    cells = np.asarray(small, float).reshape(_CELLS, _CELL_PIXELS, _CELLS, _CELL_PIXELS).mean(axis=(1, 3))
    return np.stack([_hash(np.rot90(seen, turns)) for seen in (cells, cells[:, ::-1]) for turns in range(4)])


def _hash(cells: npt.NDArray[np.float64]) -> Hashes:
    here = cells[:-1, :-1]
    bits = np.concatenate([(cells[:-1, 1:] > here).ravel(), (cells[1:, :-1] > here).ravel()])
    return np.packbits(bits).view("<u8").astype(np.uint64)


class SeenPhotos:
    """Hashes of the photos that a version was trained on; people's are not among them, for they may be erased.

    Parameters
    ----------
    hashes
        The first of :func:`perceptual_hashes` of each photo.
    """

    def __init__(self, hashes: Hashes) -> None:
        self._hashes = hashes

    @classmethod
    def read(cls, folder: Path, card: ModelCard) -> Self | None:
        """Read the hashes of the version in `folder`; ``None`` for an older version, which has none.

        Raises
        ------
        ModelError
            The file is missing or damaged.
        """
        if SEEN_FILE not in card.sha256:
            return None
        path = check_file(folder, SEEN_FILE, card)
        try:
            return cls(np.load(path, allow_pickle=False))
        except (OSError, ValueError) as error:
            raise ModelError("The model file {path} is missing or cannot be read.", path=path) from error

    def write(self, folder: Path) -> None:
        """Write the hashes into the folder of a version."""
        np.save(folder / SEEN_FILE, self._hashes, allow_pickle=False)

    @property
    def hashes(self) -> Hashes:
        """Hash of each photo."""
        return self._hashes


def is_copy(photo: Hashes, others: Hashes) -> bool:
    """Return whether a photo is a copy of one of the others: scaled, compressed again, turned or in the mirror.

    Parameters
    ----------
    photo
        All :func:`perceptual_hashes` of it.
    others
        The first one of each of the others.
    """
    return bool((np.bitwise_count(photo[:, None] ^ others).sum(axis=2) <= MAX_DISTANCE).any())


def unseen(
    labels: Mapping[Path, Answer], versions: Iterable[SeenPhotos | None], *, once: bool = False
) -> dict[Path, Answer]:
    """Return the labelled photos that none of these versions was trained on; files that cannot be read stay.

    Parameters
    ----------
    once
        Whether copies of one another are left out, too: many copies of a few photos are no evidence of many photos.
    """
    known = [seen.hashes for seen in versions if seen]
    if not known and not once:
        return dict(labels)
    trained, left, kept = np.concatenate([*known, _NO_HASHES]), {}, _NO_HASHES

    def look(path: Path) -> tuple[Hashes | None, bool]:
        hashes = _hashes_of_file(path)
        return hashes, hashes is not None and is_copy(hashes, trained)

    with ThreadPoolExecutor(usable_cores()) as pool:
        for path, (hashes, is_seen) in zip(labels, pool.map(look, labels), strict=True):
            if is_seen or (once and hashes is not None and is_copy(hashes, kept)):
                continue
            left[path] = labels[path]
            if once and hashes is not None:
                kept = np.concatenate([kept, hashes[:1]])
    return left


def _hashes_of_file(path: Path) -> Hashes | None:
    try:
        return perceptual_hashes(preprocessing.decode(preprocessing.read_file(path), _CELLS * _CELL_PIXELS))
    except InvalidImage:
        return None


def require_unseen(
    labels: Mapping[Path, Answer], versions: Mapping[str, SeenPhotos | None], *, once: bool = False
) -> dict[Path, Answer]:
    """Return the photos that none of these versions, by their names, was trained on, see :func:`unseen`.

    Raises
    ------
    InvalidInput
        None is left.
    """
    left = unseen(labels, versions.values(), once=once)
    if labels and not left:
        raise InvalidInput(
            "Version {version} was trained on all of these photos ({n}), or on copies of them: they show nothing of "
            "how good it is. Choose others.",
            version=" or ".join(name for name, seen in versions.items() if seen),
            n=len(labels),
        )
    return left
