"""Colours that a file names by codes or by numbers instead of an ICC profile; one is made of them.

The codes are those of ITU-T H.273, https://www.itu.int/rec/T-REC-H.273: HEIC and AVIF hold them in an `nclx` box, PNG
in a `cICP` chunk. An older PNG says how its primaries look (`cHRM`) and which power its values are of (`gAMA`).
"""

from __future__ import annotations

import struct
from collections.abc import Callable
from functools import lru_cache

import numpy as np
import numpy.typing as npt

_D65 = (0.3127, 0.329)
_SRGB = (*_D65, 0.64, 0.33, 0.3, 0.6, 0.15, 0.06)
# chromaticities x and y of white, red, green and blue
_PRIMARIES: dict[int, tuple[float, ...]] = {
    4: (0.31, 0.316, 0.67, 0.33, 0.21, 0.71, 0.14, 0.08),
    5: (*_D65, 0.64, 0.33, 0.29, 0.6, 0.15, 0.06),
    6: (*_D65, 0.63, 0.34, 0.31, 0.595, 0.155, 0.07),
    7: (*_D65, 0.63, 0.34, 0.31, 0.595, 0.155, 0.07),
    8: (0.31, 0.316, 0.681, 0.319, 0.243, 0.692, 0.145, 0.049),
    9: (*_D65, 0.708, 0.292, 0.17, 0.797, 0.131, 0.046),
    10: (1 / 3, 1 / 3, 1, 0, 0, 1, 0, 0),
    11: (0.314, 0.351, 0.68, 0.32, 0.265, 0.69, 0.15, 0.06),
    12: (*_D65, 0.68, 0.32, 0.265, 0.69, 0.15, 0.06),  # Display P3
    22: (*_D65, 0.63, 0.34, 0.295, 0.605, 0.155, 0.077),
}
REC709 = {1: -1, 6: -1, 14: -1, 15: -1}
"""Codes of transfer functions that a PNG means, and that browsers take for sRGB in HEIC and AVIF, by the code here."""
_USUAL_GAMMA = 0.45455
_PQ_LEVELS = (0, 1, 5, 15, 30, 48, 70, 98, 132, 175, 213, 237, 255, 255, 255, 255, 255)
_HLG_LEVELS = (0, 3, 14, 29, 43, 57, 71, 85, 99, 115, 135, 160, 189, 212, 228, 243, 255)
"""What Chromium shows of greys of high dynamic range, at every sixteenth of the values, measured."""
_STEPS = 1024
_VALUES = np.linspace(0, 1, _STEPS)
_D50 = np.array([0.9642, 1.0, 0.8249])
_BRADFORD = np.array([[0.8951, 0.2664, -0.1614], [-0.7502, 1.7135, 0.0367], [0.0389, -0.0685, 1.0296]])

Curve = npt.NDArray[np.float64]
"""Light, 0..1, of evenly spaced values from 0 to 1."""


@lru_cache(maxsize=64)
def profile_of_codes(primaries: int, transfer: int, *, is_grey: bool = False) -> bytes:
    """Return an ICC profile; empty for sRGB, and for codes that say nothing."""
    if primaries not in _PRIMARIES and transfer not in _CURVES:
        return b""
    return _profile(_PRIMARIES.get(primaries, _SRGB), _CURVES.get(transfer, _srgb)(), is_grey=is_grey)


@lru_cache(maxsize=64)
def profile_of_numbers(primaries: tuple[float, ...], gamma: float, *, is_grey: bool) -> bytes:
    """Return an ICC profile of what a PNG says.

    Parameters
    ----------
    primaries
        Chromaticities x and y of white, red, green and blue; empty for those of sRGB.
    gamma
        Exponent with which the values were encoded, such as 1/2.2.
    is_grey
        Whether the picture has no colours.

    Returns
    -------
    bytes
        Empty where the numbers make no sense, and for those of sRGB.
    """
    if not (gamma > 0 and (primaries or abs(gamma - _USUAL_GAMMA) > 1e-3)):
        return b""
    try:
        return _profile(primaries or _SRGB, _power(1 / gamma), is_grey=is_grey)
    except (np.linalg.LinAlgError, ZeroDivisionError, struct.error, OverflowError, ValueError):
        return b""


def _power(gamma: float) -> Curve:
    return _VALUES**gamma


def _srgb(values: Curve = _VALUES) -> Curve:
    return np.where(values <= 0.04045, values / 12.92, ((values + 0.055) / 1.055) ** 2.4)


def _as_shown(levels: tuple[int, ...]) -> Curve:
    """Return the light of evenly spaced values, given the levels, 0..255, that a browser shows."""
    return _srgb(np.interp(_VALUES, np.linspace(0, 1, len(levels)), levels) / 255)


def _smpte240() -> Curve:
    return np.where(_VALUES < 0.0913, _VALUES / 4, ((_VALUES + 0.1115) / 1.1115) ** (1 / 0.45))


_CURVES: dict[int, Callable[[], Curve]] = {
    4: lambda: _power(2.2),
    5: lambda: _power(2.8),
    7: _smpte240,
    8: lambda: _power(1),
    16: lambda: _as_shown(_PQ_LEVELS),
    17: lambda: np.minimum(_power(2.6) * 52.37 / 48, 1),
    18: lambda: _as_shown(_HLG_LEVELS),
    -1: lambda: _power(2.4),
}


def _profile(primaries: tuple[float, ...], curve: Curve, *, is_grey: bool) -> bytes:
    kind = b"curv\0\0\0\0" + struct.pack(">I", _STEPS) + np.round(curve * 65535).astype(">u2").tobytes()
    white = _xyz(_D50)
    if is_grey:
        return _written(b"mntrGRAYXYZ ", {b"wtpt": white, b"kTRC": kind})
    columns = _to_d50(primaries).T
    tags = {name: _xyz(column) for name, column in zip((b"rXYZ", b"gXYZ", b"bXYZ"), columns, strict=True)}
    return _written(b"mntrRGB XYZ ", {b"wtpt": white, **tags, **dict.fromkeys((b"rTRC", b"gTRC", b"bTRC"), kind)})


def _to_d50(primaries: tuple[float, ...]) -> Curve:
    """Return the matrix from linear colours to XYZ under the white of profiles (Bradford)."""
    points = zip(primaries[::2], primaries[1::2], strict=True)
    white, *columns = (np.array([x, y, 1 - x - y]) for x, y in points)
    white = white / white[1]
    matrix = np.stack(columns, 1)
    matrix = matrix * np.linalg.solve(matrix, white)
    scale = np.diag(_BRADFORD @ _D50 / (_BRADFORD @ white))
    return np.asarray(np.linalg.solve(_BRADFORD, scale @ _BRADFORD) @ matrix)


def _xyz(value: Curve) -> bytes:
    return b"XYZ \0\0\0\0" + struct.pack(">3i", *(round(65536 * number) for number in value))


def _written(kind: bytes, tags: dict[bytes, bytes]) -> bytes:
    """Put a profile together; the description and the copyright are required."""
    tags |= {b"desc": b"desc\0\0\0\0" + struct.pack(">I", 2) + b"x\0" + bytes(78), b"cprt": b"text\0\0\0\0none"}
    start = 132 + 12 * len(tags)
    table, body = struct.pack(">I", len(tags)), b""
    for name, value in tags.items():
        table += name + struct.pack(">II", start + len(body), len(value))
        body += value + bytes(-len(value) % 4)
    head = struct.pack(">I", start + len(body)) + b"lcms\x02\x10\0\0" + kind + bytes(12) + b"acsp" + bytes(28)
    return (head + _xyz(_D50)[8:]).ljust(128, b"\0") + table + body
