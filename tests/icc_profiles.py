"""ICC profiles."""

from __future__ import annotations

import itertools
import struct
from collections.abc import Mapping

import numpy as np
from PIL import Image, ImageCms

# primaries and white of Display P3, in XYZ under D50, and a gamma
P3 = ((0.51512, 0.2412, -0.00105), (0.29198, 0.69225, 0.04189), (0.1571, 0.06657, 0.78407))
WHITE = (0.9642, 1.0, 0.8249)


def profile(primaries: tuple[tuple[float, ...], ...], gamma: float = 2.2) -> bytes:
    """An ICC profile of three primaries."""
    xyz = {b"wtpt": WHITE, **dict(zip((b"rXYZ", b"gXYZ", b"bXYZ"), primaries, strict=True))}
    tags = {
        name: b"XYZ \0\0\0\0" + struct.pack(">3i", *(round(65536 * v) for v in value)) for name, value in xyz.items()
    }
    curve = b"curv\0\0\0\0" + struct.pack(">IH", 1, round(256 * gamma)) + bytes(2)
    return _profile(b"mntrRGB XYZ ", tags | dict.fromkeys((b"rTRC", b"gTRC", b"bTRC"), curve))


def ink_profile(inks: Mapping[tuple[int, ...], tuple[int, int, int]], padding: int = 0) -> bytes:
    """An ICC profile of four inks that says how each mixture of full inks looks, in sRGB; others are white."""
    srgb, lab = ImageCms.createProfile("sRGB"), ImageCms.createProfile("LAB")
    colours = [inks.get(mixture, (255, 255, 255)) for mixture in itertools.product((0, 1), repeat=4)]
    row = Image.fromarray(np.array([colours], np.uint8))
    looks = ImageCms.profileToProfile(row, srgb, lab, outputMode="LAB")
    assert looks
    grid = np.asarray(looks).copy()
    grid[..., 1:] ^= 128  # Pillow stores a and b with a sign, the profile from 0 to 255
    matrix = struct.pack(">9i", *(65536 * (number % 4 == 0) for number in range(9)))
    ramp = bytes(range(256))
    table = b"mft1\0\0\0\0\4\3\2\0" + matrix + 4 * ramp + grid.tobytes() + 3 * ramp
    white = b"XYZ \0\0\0\0" + struct.pack(">3i", *(round(65536 * value) for value in WHITE))
    return _profile(b"prtrCMYKLab ", {b"A2B0": table, b"wtpt": white, b"zzzz": b"data\0\0\0\0" + bytes(padding)})


def _profile(kind: bytes, tags: dict[bytes, bytes]) -> bytes:
    tags[b"desc"] = b"desc\0\0\0\0" + struct.pack(">I", 2) + b"x\0" + bytes(78)
    tags[b"cprt"] = b"text\0\0\0\0none"
    start = 128 + 4 + 12 * len(tags)
    table, body = struct.pack(">I", len(tags)), b""
    for name, value in tags.items():
        table += name + struct.pack(">II", start + len(body), len(value))
        body += value + bytes(-len(value) % 4)
    white = struct.pack(">3i", *(round(65536 * value) for value in WHITE))
    size = struct.pack(">I", 128 + len(table) + len(body))
    head = size + b"lcms\x02\x10\0\0" + kind + bytes(12) + b"acsp" + bytes(28) + white
    return head.ljust(128, b"\0") + table + body


def profile_of_many_steps(number: int) -> bytes:
    """An ICC profile of which each colour goes through so many matrices and curves; two of them are stored."""
    numbers = struct.pack(">12f", 1, 0.01, 0, 0, 1, 0.01, 0, 0, 1, 0, 0, 0)
    matrix = b"matf\0\0\0\0" + struct.pack(">HH", 3, 3) + numbers
    segment = b"curf\0\0\0\0" + struct.pack(">HH", 1, 0) + b"parf" + bytes(8) + struct.pack(">4f", 1.01, 1, 0, 0)
    curves = b"cvst\0\0\0\0" + struct.pack(">HH6I", 3, 3, *[36, len(segment)] * 3) + segment
    start = 16 + 16 * number
    table = struct.pack(">IIII", start, len(matrix), start + len(matrix), len(curves)) * number
    steps = b"mpet\0\0\0\0" + struct.pack(">HHI", 3, 3, 2 * number) + table + matrix + curves
    white = b"XYZ \0\0\0\0" + struct.pack(">3i", *(round(65536 * value) for value in WHITE))
    made = _profile(b"mntrRGB XYZ ", {b"D2B0": steps, b"wtpt": white})
    return made[:8] + b"\4\x30\0\0" + made[12:]  # version 4.3
