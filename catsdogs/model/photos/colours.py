"""From the pixels of any file to RGB: bit depths, transparency, and colour profiles."""

from __future__ import annotations

import io
import re
from collections.abc import Callable
from functools import lru_cache
from typing import Any

import numpy as np
import numpy.typing as npt
from PIL import Image, ImageCms

from catsdogs.model.photo_limits import MAX_DECODED_BYTES, MAX_PROFILE_BYTES
from catsdogs.model.photos.source import Decoded, Source, TimeLimit

LEAST_RANGE = 2**14
"""Range from the darkest to the brightest 16-bit grey from which on the whole range is used. Scanners store 12 or 14
bits of it: such a picture would be black."""
WHOLE_RANGE = 255 * 256.0
"""Range of 16 bits of which the upper eight become the levels, as in all decoders."""

_SAME_COLOURS = 2  # levels of 255 by which a profile may differ from sRGB
_BAND_PIXELS = 2**19
_TAGS = 132 + 100 * 12  # where the table of tags ends, at the latest
_CHAINS = re.compile(rb"D2B[0-3]")
"""Tags of a profile that may hold any number of steps, in floating point; the others of the profile say the same."""
_SPACES = {"RGB": "RGB", "CMYK": "CMYK", "GRAY": "L"}

Transform = ImageCms.ImageCmsTransform


def to_rgb(decoded: Decoded, source: Source, side: int | None, time_limit: TimeLimit) -> Image.Image:
    """Convert pixels to RGB; transparent parts become white.

    This is done some rows at a time. Where the copy would not fit into the memory that a photo may take, it is smaller
    by a whole number.
    """
    image = decoded.image
    if image and image.mode == "RGB" and "transparency" not in image.info:
        turned = 2 if source.orientation > 1 else 0
        if image.width * image.height * 4 * turned <= MAX_DECODED_BYTES:
            return image
    convert = _converter(decoded, source)
    width, height = decoded.size
    divisor = _divisor(decoded, source, side)
    rows = max(1, _BAND_PIXELS // width // divisor) * divisor
    if divisor == 1 and rows >= height:
        return convert(image or decoded.rows(0, height))
    converted = Image.new("RGB", (-(-width // divisor), -(-height // divisor)))
    for top in range(0, height, rows):
        time_limit.check()
        band = decoded.rows(top, min(top + rows, height))
        if divisor > 1 and band.mode == "CMYK":  # whose conversion takes long
            converted.paste(convert(band.reduce(divisor)), (0, top // divisor))
        else:
            band = convert(band)
            converted.paste(band.reduce(divisor) if divisor > 1 else band, (0, top // divisor))
    return converted


def profile_transform(profile: bytes, mode: str) -> Transform | None:
    """Return the transform from a profile to sRGB, or ``None`` where none is needed, or the profile is damaged."""
    if not 128 < len(profile) <= MAX_PROFILE_BYTES or _SPACES.get(profile[16:20].decode("latin-1").strip()) != mode:
        return None
    return _transform(profile, mode)


def apply_transform(image: Image.Image, transform: Transform) -> Image.Image:
    """Return a copy of a picture in other colours."""
    changed = ImageCms.applyTransform(image, transform)
    assert changed
    return changed


def _divisor(decoded: Decoded, source: Source, side: int | None) -> int:
    width, height = decoded.size
    divisor = 1
    if side and profile_transform(source.profile, "CMYK") and decoded.rows(0, 1).mode == "CMYK":
        divisor = max(1, min(width, height) // (2 * side))
    pixels, copies = width * height, 2 if source.orientation > 1 else 1
    while max(decoded.bytes_a_pixel + 4 / divisor**2, 4 * copies / divisor**2) * pixels > MAX_DECODED_BYTES:
        divisor += 1
    return divisor


def _converter(decoded: Decoded, source: Source) -> Callable[[Image.Image], Image.Image]:
    """Return the function that converts some rows."""
    image = decoded.rows(0, 1)
    if image.mode.startswith("I;16"):
        return _sixteen_bits(decoded)
    if image.mode == "L" and (grey := profile_transform(source.profile, "L")):
        ramp = Image.frombytes("L", (256, 1), bytes(range(256)))
        levels = np.asarray(apply_transform(ramp, grey))[0]
        return lambda rows: Image.fromarray(levels[np.asarray(rows)])
    if image.mode == "CMYK" and (inks := profile_transform(source.profile, "CMYK")):
        return lambda rows: apply_transform(rows, inks)
    if image.mode == "LAB":
        lab = _lab_transform()
        return lambda rows: apply_transform(rows, lab)
    if (
        source.opaque_if_empty
        and image.mode == "RGBA"
        and decoded.image
        and not decoded.image.getchannel("A").getbbox()
    ):
        return lambda rows: rows.convert("RGB")
    return _flatten


def _flatten(image: Image.Image) -> Image.Image:
    """Lay an image over white."""
    if image.mode == "La":
        image = image.convert("LA")
    if image.has_transparency_data:
        layer = image.convert("RGBA")
        return Image.alpha_composite(Image.new("RGBA", layer.size, "white"), layer).convert("RGB")
    return image.convert("RGB")


def used_range(sample: npt.NDArray[np.uint16]) -> tuple[float, float]:
    """Return the range of 16-bit values that becomes 0..255: all of it, or the part that is used, where it is small."""
    low, high = np.percentile(sample, (0.1, 99.9))  # a few broken pixels do not count
    whole = high - low >= LEAST_RANGE or high == low
    return (0.0, WHOLE_RANGE) if whole else (float(low), float(high))


def levels_of(values: npt.NDArray[Any], low: float, high: float) -> npt.NDArray[np.uint8]:
    """Scale values from `low` to `high` to 0..255."""
    scaled: npt.NDArray[np.float64] = np.subtract(values, low, dtype=np.float64)
    scaled *= 255 / (high - low or 1)
    np.clip(scaled, 0, 255, out=scaled)
    return scaled.astype(np.uint8)


def _sixteen_bits(decoded: Decoded) -> Callable[[Image.Image], Image.Image]:
    """Return what makes eight of 16 bits."""
    width, height = decoded.size
    tops = range(0, height, max(1, height // 1000))
    sample = np.concatenate([np.asarray(decoded.rows(top, top + 1))[0, :: max(1, width // 1000)] for top in tops])
    table = levels_of(np.arange(2**16), *used_range(sample))
    if decoded.image and (transparent := decoded.image.info.get("transparency")) is not None:
        table[transparent] = 255
    return lambda rows: Image.fromarray(table[np.asarray(rows)]).convert("RGB")


@lru_cache(maxsize=16)
def _transform(profile: bytes, mode: str) -> Transform | None:
    profile = _CHAINS.sub(lambda name: name[0].lower(), profile[:_TAGS]) + profile[_TAGS:]
    try:
        opened = ImageCms.ImageCmsProfile(io.BytesIO(profile))
        transform = ImageCms.buildTransform(opened, ImageCms.createProfile("sRGB"), mode, "RGB")
    except (ImageCms.PyCMSError, OSError, ValueError, TypeError):
        return None
    if mode != "RGB":
        return transform
    levels = np.linspace(0, 255, 6).round().astype(np.uint8)
    cube = np.stack(np.meshgrid(levels, levels, levels), -1).reshape(36, 6, 3)
    changed = np.asarray(apply_transform(Image.fromarray(cube), transform)).astype(int)
    return transform if np.abs(changed - cube).max() > _SAME_COLOURS else None


@lru_cache(maxsize=1)
def _lab_transform() -> Transform:
    return ImageCms.buildTransform(ImageCms.createProfile("LAB"), ImageCms.createProfile("sRGB"), "LAB", "RGB")
