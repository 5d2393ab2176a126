"""Quantized backbones on disk: a later training takes that of an earlier one, and so finds its features in the cache.

Features belong to one quantized backbone, and that to the photos by which it was quantized. If each photo that comes or
goes gave another backbone, no cached feature could be used again.
"""

from __future__ import annotations

import zipfile
from collections.abc import Collection, Sequence
from pathlib import Path
from typing import NamedTuple

import numpy as np

from catsdogs.errors import ModelError
from catsdogs.files import atomic_write
from catsdogs.training.backbone import Block
from catsdogs.training.quantization import QuantizedBackbone, QuantizedConvolution

KEPT_SHARE = 0.5
"""Share of the photos that a new quantization would use, of which a known one must have been made by photos that are
still there. So it is made anew when the photos have doubled, until there are `CALIBRATION_PHOTOS`, or most are gone."""
_PARTS = "kernel", "bias", "shift"


class _Known(NamedTuple):
    photos: frozenset[str]
    backbone: QuantizedBackbone


class Calibrations:
    """The quantized backbones of one architecture, input size and version of the code.

    Parameters
    ----------
    folder
        One file for each backbone, with the SHA-256 of the photos by which it was quantized.
    """

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def find(self, blocks: Sequence[Block], digests: Collection[str], wanted: int) -> QuantizedBackbone | None:
        """Return the backbone of which the most photos are among `digests`, if they are enough, see `KEPT_SHARE`.

        Parameters
        ----------
        blocks
            The network in floating point.
        digests
            SHA-256 of each photo that may be used.
        wanted
            Number of photos that a new quantization would use.
        """
        here = set(digests)
        known = [found for path in sorted(self._folder.glob("*.npz")) if (found := _read(path, blocks))]
        best = max(known, key=lambda one: len(one.photos & here), default=None)
        return best.backbone if best and len(best.photos & here) >= KEPT_SHARE * wanted else None

    def store(self, backbone: QuantizedBackbone, digests: Sequence[str]) -> None:
        """Store a backbone that was quantized by the photos with these SHA-256.

        Raises
        ------
        ModelError
            The file cannot be written.
        """
        arrays = {
            f"{part}/{name}": getattr(convolution, part)
            for name, convolution in backbone.convolutions.items()
            for part in _PARTS
        }
        names = list(backbone.scales)
        scales = np.array([backbone.scales[name] for name in names])
        try:
            self._folder.mkdir(parents=True, exist_ok=True)
            with atomic_write(self._folder / f"{backbone.fingerprint[:16]}.npz") as stream:
                np.savez(stream, photos=np.array(digests), names=np.array(names), scales=scales, **arrays)
        except OSError as error:
            raise ModelError(
                "The folder {folder} cannot be written: {reason}.", folder=self._folder, reason=error.strerror
            ) from error


def _read(path: Path, blocks: Sequence[Block]) -> _Known | None:
    """Read a file; ``None`` where it is damaged."""
    try:
        with path.open("rb") as stream, np.load(stream) as file:
            scales = dict(zip(file["names"].tolist(), file["scales"].tolist(), strict=True))
            names = [key.removeprefix("kernel/") for key in file.files if key.startswith("kernel/")]
            convolutions = {name: QuantizedConvolution(*(file[f"{part}/{name}"] for part in _PARTS)) for name in names}
            photos = frozenset(file["photos"].tolist())
    except (OSError, ValueError, KeyError, zipfile.BadZipFile):
        return None
    backbone = QuantizedBackbone(blocks, convolutions, scales)
    return _Known(photos, backbone) if backbone.fingerprint.startswith(path.stem) else None
