"""The fingerprint of a set of labelled photos: that of the same contents and labels, whatever the files' names."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Mapping
from pathlib import Path

from catsdogs.domain import Answer


def fingerprint(photos: Iterable[tuple[Answer, str]]) -> str:
    """Return the SHA-256 over labels and SHA-256 digests of photos, in any order."""
    lines = sorted(f"{label} {digest}" for label, digest in photos)
    return hashlib.sha256("\n".join(lines).encode()).hexdigest()


def fingerprint_files(labels: Mapping[Path, Answer]) -> str:
    """Return the fingerprint of labelled files.

    Raises
    ------
    OSError
        A file cannot be read.
    """
    return fingerprint((label, hashlib.sha256(path.read_bytes()).hexdigest()) for path, label in labels.items())
