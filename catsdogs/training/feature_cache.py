"""Cache of features on disk: a training that was stopped, and the next one, do not compute them again."""

from __future__ import annotations

import hashlib
from pathlib import Path

import numpy as np
import numpy.typing as npt

from catsdogs.errors import ModelError
from catsdogs.files import atomic_write

Floats = npt.NDArray[np.float32]

_CHECKSUM = hashlib.sha256().digest_size


class FeatureCache:
    """Folder with one file for each photo: its features, then their SHA-256.

    Parameters
    ----------
    folder
        One for each combination of backbone, input size and version of the code.
    shape
        Shape of the features of a photo, float32.

    Raises
    ------
    ModelError
        The folder cannot be written.
    """

    def __init__(self, folder: Path, shape: tuple[int, ...]) -> None:
        self._folder = folder
        self._shape = shape
        try:
            folder.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise _unwritable(folder, error) from error

    def get(self, digest: str) -> Floats | None:
        """Read the features of the photo with that SHA-256; ``None`` if they are missing or damaged."""
        try:
            content = self._path(digest).read_bytes()
        except OSError:
            return None
        features, checksum = content[:-_CHECKSUM], content[-_CHECKSUM:]
        if hashlib.sha256(features).digest() != checksum or len(features) != 4 * np.prod(self._shape):
            return None
        return np.frombuffer(features, "<f4").reshape(self._shape)

    def put(self, digest: str, features: Floats) -> None:
        """Store the features of a photo atomically.

        Raises
        ------
        ModelError
            The file cannot be written, for example because the disk is full.
        """
        content = np.ascontiguousarray(features, "<f4").tobytes()
        path = self._path(digest)
        try:
            path.parent.mkdir(exist_ok=True)
            # A file that a power failure cut short has a wrong checksum. Syncing 25,000 of them takes two minutes.
            with atomic_write(path, durable=False) as stream:
                stream.write(content + hashlib.sha256(content).digest())
        except OSError as error:
            raise _unwritable(self._folder, error) from error

    def _path(self, digest: str) -> Path:
        return self._folder / digest[:2] / f"{digest}.features"


def _unwritable(folder: Path, error: OSError) -> ModelError:
    return ModelError("The folder {folder} cannot be written: {reason}.", folder=folder, reason=error.strerror)
