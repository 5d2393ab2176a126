"""Files that name their colours by codes or by numbers instead of a profile."""

from __future__ import annotations

import io
import struct

import numpy as np
from PIL import Image

from tests.fuzz.bombs import chunk

P3_NUMBERS = (0.3127, 0.329, 0.68, 0.32, 0.265, 0.69, 0.15, 0.06)
"""Chromaticities of white, red, green and blue of Display P3."""


def patches() -> Image.Image:
    """216 colours, in squares of 16 pixels."""
    levels = [0, 30, 64, 128, 190, 255]
    cube = np.stack(np.meshgrid(levels, levels, levels), -1).reshape(6, 36, 3).astype(np.uint8)
    return Image.fromarray(cube.repeat(16, 0).repeat(16, 1))


def png_of(picture: Image.Image, *chunks: bytes) -> bytes:
    """A PNG with chunks behind its header."""
    stream = io.BytesIO()
    picture.save(stream, "PNG")
    return stream.getvalue()[:33] + b"".join(chunks) + stream.getvalue()[33:]


def codes_chunk(primaries: int, transfer: int, matrix: int = 0, full: int = 1) -> bytes:
    return chunk(b"cICP", bytes([primaries, transfer, matrix, full]))


def gamma_chunk(gamma: float) -> bytes:
    return chunk(b"gAMA", struct.pack(">I", round(100_000 * gamma)))


def primaries_chunk(*numbers: float) -> bytes:
    return chunk(b"cHRM", struct.pack(">8I", *(round(100_000 * number) for number in numbers)))


def with_codes(content: bytes, primaries: int, transfer: int) -> bytes:
    """An AVIF or a HEIC whose `nclx` box has other codes."""
    start = content.index(b"nclx") + 4
    return content[:start] + struct.pack(">HH", primaries, transfer) + content[start + 4 :]


def avif_of(picture: Image.Image, primaries: int, transfer: int) -> bytes:
    stream = io.BytesIO()
    picture.save(stream, "AVIF", quality=100, subsampling="4:4:4", speed=8)
    return with_codes(stream.getvalue(), primaries, transfer)


def examples() -> dict[str, bytes]:
    """Files of the same patches, by what they say of their colours."""
    picture, grey, palette = patches(), patches().convert("L"), patches().convert("P", palette=Image.Palette.ADAPTIVE)
    p3, srgb, linear = primaries_chunk(*P3_NUMBERS), chunk(b"sRGB", b"\0"), gamma_chunk(1)
    made = {
        **{f"PNG {code}": png_of(picture, codes_chunk(*code)) for code in [(12, 13), (1, 1), (9, 14), (1, 8), (2, 2)]},
        "PNG of a limited range": png_of(picture, codes_chunk(12, 13, 0, 0)),
        "PNG, codes before gamma": png_of(picture, codes_chunk(12, 13), linear),
        **{f"PNG gamma {gamma}": png_of(picture, gamma_chunk(gamma)) for gamma in (0, 0.25, 0.45455, 1)},
        "PNG primaries alone": png_of(picture, p3),
        "PNG primaries and gamma": png_of(picture, p3, gamma_chunk(0.45455)),
        "PNG linear primaries": png_of(picture, linear, p3),
        "PNG sRGB before gamma": png_of(picture, srgb, linear, p3),
        "PNG damaged primaries": png_of(picture, gamma_chunk(0.45455), primaries_chunk(*[0.3] * 8)),
        "PNG grey gamma": png_of(grey, linear),
        "PNG palette gamma": png_of(palette, linear, p3),
    }
    codes = [(12, 13), (12, 1), (12, 2), (1, 1), (9, 14), (6, 6), (1, 8), (1, 5), (1, 7), (1, 17), (10, 13), (8, 1)]
    return made | {f"AVIF {code}": avif_of(picture, *code) for code in codes}
