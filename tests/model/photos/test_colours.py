from __future__ import annotations

import io
import struct

import numpy as np
import pytest
from PIL import Image, ImageCms

from catsdogs.model import preprocessing
from catsdogs.model.classifier import Classifier

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
    tags |= dict.fromkeys((b"rTRC", b"gTRC", b"bTRC"), curve)
    tags[b"desc"] = b"desc\0\0\0\0" + struct.pack(">I", 2) + b"x\0" + bytes(78)
    tags[b"cprt"] = b"text\0\0\0\0none"
    start = 128 + 4 + 12 * len(tags)
    table, body = struct.pack(">I", len(tags)), b""
    for name, value in tags.items():
        table += name + struct.pack(">II", start + len(body), len(value))
        body += value + bytes(-len(value) % 4)
    white = struct.pack(">3i", *(round(65536 * value) for value in WHITE))
    size = struct.pack(">I", 128 + len(table) + len(body))
    head = size + b"lcms\x02\x10\0\0mntrRGB XYZ " + bytes(12) + b"acsp" + bytes(28) + white
    return head.ljust(128, b"\0") + table + body


def encoded(image: Image.Image, icc: bytes, kind: str = "PNG") -> bytes:
    stream = io.BytesIO()
    image.save(stream, kind, icc_profile=icc, **({"quality": 95} if kind != "PNG" else {}))
    return stream.getvalue()


def in_colours(image: Image.Image, icc: bytes) -> Image.Image:
    """The same picture in the colours of a profile."""
    opened = ImageCms.ImageCmsProfile(io.BytesIO(icc))
    changed = ImageCms.profileToProfile(image, ImageCms.createProfile("sRGB"), opened)
    assert changed
    return changed


@pytest.mark.parametrize("kind", ["PNG", "JPEG", "WEBP", "AVIF", "TIFF"])
def test_a_photo_in_wide_colours_is_answered_as_the_same_in_srgb(
    classifier: Classifier, cat_jpeg: bytes, kind: str
) -> None:
    cat = Image.open(io.BytesIO(cat_jpeg)).convert("RGB")
    wide = profile(P3)
    prediction, _ = classifier.classify(encoded(in_colours(cat, wide), wide, kind))
    expected, _ = classifier.classify(encoded(cat, b"", kind))
    assert prediction.proba_cat == pytest.approx(expected.proba_cat, abs=0.01)
    pixels = preprocessing.square(preprocessing.decode(encoded(in_colours(cat, wide), wide)), 128)
    original = preprocessing.square(preprocessing.decode(encoded(cat, b"")), 128)
    assert np.abs(pixels.astype(int) - original).mean() < 1


def test_a_profile_of_the_same_colours_changes_no_pixel(cat_jpeg: bytes) -> None:
    cat = Image.open(io.BytesIO(cat_jpeg)).convert("RGB")
    srgb = ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes()
    assert preprocessing.decode(encoded(cat, srgb)).to_srgb is None
    assert preprocessing.decode(encoded(cat, profile(P3))).to_srgb is not None


@pytest.mark.parametrize("icc", [b"", b"junk" * 99, profile(P3)[:200], profile(P3)[:-60], bytes(5_000_000)])
def test_a_damaged_profile_does_not_matter(cat_jpeg: bytes, icc: bytes) -> None:
    cat = Image.open(io.BytesIO(cat_jpeg)).convert("RGB")
    assert preprocessing.decode(encoded(cat, icc)).image.tobytes() == cat.tobytes()


def test_the_copy_that_is_kept_is_in_the_colours_of_a_screen() -> None:
    wide = profile(P3)
    red = in_colours(Image.new("RGB", (64, 64), (220, 40, 30)), wide)
    copy = preprocessing.thumbnail(preprocessing.decode(encoded(red, wide)), 32)
    assert copy.size == (32, 32)
    assert np.abs(np.array(copy.getpixel((9, 9))) - (220, 40, 30)).max() <= 3
