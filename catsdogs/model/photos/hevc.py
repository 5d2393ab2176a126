"""How large the pictures are that a HEIC really holds: it may say that it is small, and hold huge ones.

Read are the parameter sets, which say how large a picture is, and the heads of slices, which say where one begins. See
ITU-T H.265, sections 7.3.1 and 7.3.2, and ISO/IEC 14496-15, section 8.3.2, for the box `hvcC`.
"""

from __future__ import annotations

import itertools
from collections.abc import Iterator
from functools import lru_cache
from typing import NamedTuple

from catsdogs.model.photos.boxes import MAX_UNITS, Numbers
from catsdogs.model.photos.source import DamagedError, too_many_parts, unknown_kind

_SEQUENCE_PARAMETERS = 33
_FIRST_OTHER_UNIT = 32
"""Kinds of units below this one are slices."""
_MAX_PARAMETERS = 4  # a picture has one
_HEAD_BYTES = 256  # what is read of a unit is shorter
_PLANES = (1.0, 1.5, 2.0, 3.0)
"""Samples of a pixel: grey, and colours at a quarter, a half and all of the pixels."""


class Coded(NamedTuple):
    """What a stream holds."""

    pixels: int
    """Number of pixels of the largest picture."""
    pixel_bytes: float
    """Memory that a pixel takes as it is decoded."""
    pictures: int
    units: int


def read_stream(parameters: bytes, stream: bytes) -> Coded:
    """Read the heads of the units of a picture, and those in its box `hvcC`.

    Raises
    ------
    InvalidImage
        There are more than `MAX_UNITS`.
    """
    sizes: list[tuple[int, float]] = []
    pictures = count = 0
    for unit in itertools.chain(_described_units(parameters), _units(stream)):
        count += 1
        kind = unit[0] >> 1 & 63 if unit else _FIRST_OTHER_UNIT
        if kind == _SEQUENCE_PARAMETERS:
            sizes.append(_picture_size(unit))
        elif kind < _FIRST_OTHER_UNIT:
            pictures += unit[2:3] >= b"\x80"  # this slice is the first of its picture
        if count > MAX_UNITS or len(sizes) > _MAX_PARAMETERS:
            raise too_many_parts()
    return Coded(
        max((pixels for pixels, _ in sizes), default=0), max((size for _, size in sizes), default=0.0), pictures, count
    )


def _described_units(parameters: bytes) -> Iterator[bytes]:
    numbers = Numbers(parameters)
    numbers.read(21)
    if numbers.read(1) & 3 != 3:  # the lengths before units have no four bytes; the decoder takes them for four
        raise unknown_kind()
    for _ in range(numbers.read(1)):
        numbers.read(1)
        for _ in range(numbers.read(2)):
            length = numbers.read(2)
            start = numbers.position
            yield parameters[start : start + min(length, _HEAD_BYTES)]
            numbers.read(length)


def _units(stream: bytes) -> Iterator[bytes]:
    position = 0
    while position + 4 <= len(stream):
        length = int.from_bytes(stream[position : position + 4], "big")
        yield stream[position + 4 : position + 4 + min(length, _HEAD_BYTES)]
        position += 4 + length


class _Bits:
    """Reads numbers of some bits, one after the other."""

    def __init__(self, unit: bytes) -> None:
        plain = unit.replace(b"\0\0\3", b"\0\0")  # the 3 only keeps the bytes from looking like the start of a unit
        self._bits = "".join(f"{byte:08b}" for byte in plain)
        self._position = 0

    def read(self, count: int) -> int:
        """Read a number of `count` bits."""
        self._position += count
        if self._position > len(self._bits):
            raise DamagedError("parameters")
        return int(self._bits[self._position - count : self._position] or "0", 2)

    def read_coded(self) -> int:
        """Read a number that begins with as many zeros as it has bits after its first one."""
        zeros = 0
        while not self.read(1):
            zeros += 1
        return (1 << zeros) - 1 + self.read(zeros)


@lru_cache(maxsize=64)
def _picture_size(unit: bytes) -> tuple[int, float]:
    """Read the number of pixels of a picture, and the bytes of a pixel, from sequence parameters."""
    bits = _Bits(unit)
    bits.read(16 + 4)
    layers = bits.read(3)
    bits.read(1 + 96)
    has_profile_and_level = [(bits.read(1), bits.read(1)) for _ in range(layers)]
    bits.read(2 * (8 - layers) if layers else 0)
    bits.read(sum(88 * profile + 8 * level for profile, level in has_profile_and_level))
    bits.read_coded()  # a number of its own
    colours = bits.read_coded()
    if colours > 3:
        raise DamagedError("colours")
    if colours == 3:
        bits.read(1)
    pixels = bits.read_coded() * bits.read_coded()
    if bits.read(1):  # a part of the picture is shown
        for _ in range(4):
            bits.read_coded()
    depth = 8 + max(bits.read_coded(), bits.read_coded())
    return pixels, _PLANES[colours] * (1 if depth <= 8 else 2)
