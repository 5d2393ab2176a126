"""TIFF with more than eight bits a sample: Pillow decompresses the bytes, and what they mean is read here.

Pillow keeps the upper eight bits of 16-bit colours, and does not read those of 12 or 32 bits at all.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
from PIL import Image

from catsdogs.model.photos.colours import LEAST_RANGE, WHOLE_RANGE, levels_of, used_range
from catsdogs.model.photos.source import DamagedError, Decoded, unknown_kind

HORIZONTAL, FLOATING = 2, 3
"""Predictors: what is stored of a sample is the difference from the pixel before."""
UNSIGNED, SIGNED, FLOAT, UNDEFINED = 1, 2, 3, 4
"""Formats of samples."""
_BAND_SAMPLES = 2**20
_SAMPLED = 1000  # rows and columns of which the range is looked for

Samples = npt.NDArray[Any]
_Rows = Callable[[int, int], Samples]


@dataclass(frozen=True, slots=True)
class Layout:
    """How the samples of a page are stored."""

    width: int
    height: int
    samples: int
    """Number of samples of a pixel, of which some may not be used."""
    colours: int
    """Number of those that are colour: one or three; alpha is the next one."""
    bits: int
    """Bits of each sample."""
    kind: int
    """Format of the samples."""
    order: str
    """"<" or ">": the order of the bytes."""
    block_width: int
    """Width of a tile; that of the picture where it has strips."""
    predictor: int = 1
    white_is_zero: bool = False
    is_planar: bool = False
    """Whether the samples of a kind are stored together, one kind after the other."""
    alpha: int = 0
    """1: colours are multiplied by the alpha channel; 2: they are not; 0: there is none."""

    @property
    def stored_width(self) -> int:
        """Width of the tiles of a row, in pixels."""
        return -(-self.width // self.block_width) * self.block_width

    @property
    def together(self) -> int:
        """Number of samples that are stored side by side."""
        return 1 if self.is_planar else self.samples

    @property
    def pixel_bytes(self) -> float:
        """Bytes of a pixel, with those that tiles have beyond the edges."""
        return self.samples * self.bits / 8 * self.stored_width / max(self.width, 1)

    @property
    def counted_bytes(self) -> float:
        """Bytes of a pixel that count towards the limit of size: some samples take longer to read than others."""
        least = 1.5 * self.pixel_bytes * 8 / self.bits
        return 2 * self.pixel_bytes if (self.kind, self.bits) == (FLOAT, 16) else max(self.pixel_bytes, least)

    def row_bytes(self, width: int) -> int:
        """Return the number of bytes of a row of so many pixels."""
        return -(-width * self.together * self.bits // 8)

    def check(self) -> None:
        """Refuse samples that are not read here.

        Raises
        ------
        InvalidImage
        """
        is_whole = self.bits in (8, 16, 32, 64)
        is_known = self.kind in (UNSIGNED, SIGNED, UNDEFINED) and (is_whole or (8 < self.bits < 16))
        if not (is_known or (self.kind == FLOAT and self.bits in (16, 32, 64))):
            raise unknown_kind()
        if not (self.predictor == 1 or (self.predictor == HORIZONTAL and is_whole) or self._is_floating()):
            raise unknown_kind()
        if self.block_width != self.width and self.block_width * self.together * self.bits % 8:
            raise unknown_kind()

    def _is_floating(self) -> bool:
        return self.predictor == FLOATING and self.kind == FLOAT


def decode_deep(layout: Layout, planes: list[Image.Image]) -> Decoded:
    """Return the pixels of a page, in eight bits.

    Parameters
    ----------
    layout
        What the bytes mean.
    planes
        The decompressed bytes, as greyscale pictures: one, or one for each sample where those are stored apart.
    """
    if any(plane.size != (layout.row_bytes(layout.stored_width), layout.height) for plane in planes):
        raise DamagedError("size")

    def rows(top: int, bottom: int) -> Samples:
        parts = [_read(layout, np.asarray(plane.crop((0, top, plane.width, bottom)))) for plane in planes]
        return parts[0] if len(parts) == 1 else np.concatenate(parts, -1)

    colours = layout.colours
    to_levels = _colour_scale(layout, rows)
    alpha_to_levels = _alpha_scale(layout, rows) if layout.alpha else None
    mode = ("L" if colours == 1 else "RGB") + ("", "a", "A")[layout.alpha]

    def picture(top: int, bottom: int) -> Image.Image:
        levels = np.empty((bottom - top, layout.width, len(mode)), np.uint8)
        step = max(1, _BAND_SAMPLES // (layout.width * layout.samples))
        for start in range(top, bottom, step):
            band = rows(start, min(start + step, bottom))
            part = levels[start - top : start - top + len(band)]
            part[..., :colours] = to_levels(band[..., :colours])
            if alpha_to_levels:
                part[..., colours] = alpha_to_levels(band[..., colours])
        if layout.white_is_zero:
            np.subtract(255, levels[..., :colours], out=levels[..., :colours])
        return Image.frombytes(mode, (layout.width, bottom - top), levels.tobytes())

    return Decoded((layout.width, layout.height), picture, -(-sum(plane.width for plane in planes) // layout.width))


def _read(layout: Layout, stored: npt.NDArray[np.uint8]) -> Samples:
    """Return the samples in some rows of bytes: rows, columns, samples."""
    blocks = [
        _undo_predictor(layout, stored[:, start : start + layout.row_bytes(layout.block_width)])
        for start in range(0, stored.shape[1], layout.row_bytes(layout.block_width))
    ]
    return (np.concatenate(blocks, 1) if len(blocks) > 1 else blocks[0])[:, : layout.width]


def _undo_predictor(layout: Layout, stored: npt.NDArray[np.uint8]) -> Samples:
    rows, count = len(stored), layout.block_width * layout.together
    shape = rows, layout.block_width, layout.together
    if layout.bits % 8:
        return _unpack(stored, layout.bits, count).reshape(shape)
    size = layout.bits // 8
    letter = {FLOAT: "f", SIGNED: "i"}.get(layout.kind, "u")
    if layout.predictor == FLOATING:
        sums = np.cumsum(stored.reshape(rows, -1, layout.together), 1, dtype=np.uint8)
        ordered = np.empty((rows, count, size), np.uint8)
        for place, plane in enumerate(sums.reshape(rows, size, count).swapaxes(0, 1)):
            ordered[..., size - 1 - place] = plane  # the upper bytes of all samples come first
        return ordered.view(f"<f{size}").reshape(shape)
    samples = np.ascontiguousarray(stored).view(f"{layout.order}{letter}{size}").reshape(shape)
    if layout.predictor == HORIZONTAL:
        whole = np.ascontiguousarray(stored).view(f"{layout.order}u{size}").reshape(shape)
        return np.cumsum(whole, 1, dtype=f"u{size}").view(f"{letter}{size}")
    return samples


def _unpack(stored: npt.NDArray[np.uint8], bits: int, count: int) -> npt.NDArray[np.uint16]:
    """Return samples of 9 to 15 bits that lie side by side: eight of them begin and end with a byte."""
    groups = -(-count // 8)
    padded = np.empty((len(stored), groups * bits + 2), np.uint8)  # what is not stored is of no sample
    padded[:, : stored.shape[1]] = stored
    samples = np.empty((len(stored), groups, 8), np.uint16)
    for number in range(8):
        first, skipped = divmod(number * bits, 8)
        read = -(-(skipped + bits) // 8)  # bytes in which the sample lies, two or three
        value = np.zeros((len(stored), groups), np.uint16 if read == 2 else np.uint32)
        for place in range(first, first + read):
            value = value << 8 | padded[:, place : place + groups * bits : bits]
        samples[..., number] = value >> (8 * read - skipped - bits) & ((1 << bits) - 1)
    return samples.reshape(len(stored), -1)[:, :count]


def _colour_scale(layout: Layout, rows: _Rows) -> Callable[[Samples], npt.NDArray[np.uint8]]:
    """Return what makes levels, 0..255, of colours."""
    if layout.bits <= 16 and layout.kind in (UNSIGNED, UNDEFINED):
        low, high = used_range(_sample(layout, rows)[..., : layout.colours])
        table = levels_of(np.arange(2**16), low, min(high, 2**layout.bits - 1))
        return lambda values: table[values]
    low, high = _extremes(layout, rows)
    if layout.kind == FLOAT and layout.colours > 1 and low >= 0 and high <= 1:
        low, high = 0.0, 1.0
    return lambda values: levels_of(_finite(values), low, high)


def _alpha_scale(layout: Layout, rows: _Rows) -> Callable[[Samples], npt.NDArray[np.uint8]]:
    highest = 1.0 if layout.kind == FLOAT else float(2**layout.bits - 1)
    if 8 < layout.bits <= 16 and layout.kind != FLOAT:
        used = float(_sample(layout, rows)[..., layout.colours].max())
        highest = used if 0 < used < LEAST_RANGE else min(WHOLE_RANGE, highest)
    return lambda values: levels_of(_finite(values), 0, highest)


def _sample(layout: Layout, rows: _Rows) -> Samples:
    """Return some columns of some rows."""
    tops = range(0, layout.height, max(1, layout.height // _SAMPLED))
    return np.concatenate([rows(top, top + 1)[:, :: max(1, layout.width // _SAMPLED)] for top in tops])


def _extremes(layout: Layout, rows: _Rows) -> tuple[float, float]:
    """Return the lowest and the highest colour."""
    step = max(1, _BAND_SAMPLES // (layout.width * layout.samples))
    bands = (rows(top, min(top + step, layout.height)) for top in range(0, layout.height, step))
    extremes = [_extremes_of(band[..., : layout.colours]) for band in bands]
    return min(low for low, _ in extremes), max(high for _, high in extremes)


def _extremes_of(values: Samples) -> tuple[float, float]:
    low, high = float(values.min()), float(values.max())
    if np.isfinite((low, high)).all():
        return low, high
    numbers = _finite(values)
    return float(numbers.min()), float(numbers.max())


def _finite(values: Samples) -> Samples:
    """Return values of which those that are no numbers are zero."""
    return np.where(np.isfinite(values), values, 0) if values.dtype.kind == "f" else values
