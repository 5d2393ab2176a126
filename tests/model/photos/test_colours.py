from __future__ import annotations

import io
import struct
from pathlib import Path

import numpy as np
import pytest
from PIL import Image, ImageCms

from catsdogs.model import preprocessing
from catsdogs.model.classifier import Classifier
from catsdogs.model.photos.boxes import colour_codes
from tests.colour_files import (
    P3_NUMBERS,
    avif_of,
    codes_chunk,
    gamma_chunk,
    png_of,
    primaries_chunk,
    with_codes,
)
from tests.icc_profiles import P3, ink_profile, profile

PICTURES = Path(__file__).parents[2] / "pictures"


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


@pytest.mark.parametrize("kind", ["JPEG", "TIFF"])
@pytest.mark.parametrize("padding", [0, 1_500_000])
def test_inks_look_as_their_profile_says(kind: str, padding: int) -> None:
    """Profiles of printers are often larger than a megabyte."""
    looks: dict[tuple[int, ...], tuple[int, int, int]] = {
        (1, 0, 0, 0): (20, 140, 190),
        (0, 1, 0, 0): (200, 30, 90),
        (0, 0, 1, 0): (240, 220, 30),
    }
    icc = ink_profile(looks, padding)
    for inks, colour in looks.items():
        image = Image.new("CMYK", (64, 64), tuple(255 * ink for ink in inks))
        assert image.convert("RGB").getpixel((0, 0)) != colour
        pixels = preprocessing.square(preprocessing.decode(encoded(image, icc, kind)), 32)
        assert np.abs(pixels.astype(int) - colour).max() <= 4, inks
        smaller = preprocessing.decode(encoded(image, icc, kind), 16).image
        assert smaller.size == (32, 32), "fewer pixels are converted"


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
    for picture in (red, red.quantize(2)):
        copy = preprocessing.thumbnail(preprocessing.decode(encoded(picture, wide)), 32)
        assert copy.size == (32, 32)
        assert np.abs(np.array(copy.getpixel((9, 9))) - (220, 40, 30)).max() <= 3


def test_wide_colours_that_are_named_by_a_code_are_answered_as_the_same_in_srgb(
    classifier: Classifier, cat_jpeg: bytes
) -> None:
    cat = Image.open(io.BytesIO(cat_jpeg)).convert("RGB")
    wide = in_colours(cat, profile(P3))
    for content, plain in (
        (png_of(wide, codes_chunk(12, 4)), png_of(cat)),
        (png_of(wide, primaries_chunk(*P3_NUMBERS), gamma_chunk(0.45455)), png_of(cat)),
        (avif_of(wide, 12, 4), avif_of(cat, 1, 13)),
    ):
        prediction, _ = classifier.classify(content)
        expected, _ = classifier.classify(plain)
        assert prediction.proba_cat == pytest.approx(expected.proba_cat, abs=0.01)
        pixels, original = (preprocessing.square(preprocessing.decode(photo), 128) for photo in (content, plain))
        assert np.abs(pixels.astype(int) - original).mean() < 1


def test_codes_of_a_heic_are_those_of_its_main_picture() -> None:
    heic = (PICTURES / "quarters.heic").read_bytes()
    assert preprocessing.decode(heic).to_srgb is None
    assert preprocessing.decode(with_codes(heic, 12, 13)).to_srgb is not None
    main = heic.index(b"pitm") + 8
    other = with_codes(heic, 12, 13)
    assert colour_codes(other) == (12, 13)
    assert colour_codes(other[:main] + b"\0\x63" + other[main + 2 :]) == (2, 2), "another picture has no codes"


def test_colours_are_taken_from_the_box_that_belongs_to_the_main_picture() -> None:
    def box(kind: bytes, body: bytes) -> bytes:
        return struct.pack(">I", len(body) + 8) + kind + body

    codes = [box(b"colr", b"nclx" + struct.pack(">HHHB", code, 13, 6, 128)) for code in (1, 9, 12)]
    colours = box(b"ipco", b"".join([codes[0], box(b"colr", b"prof"), codes[1], codes[2]]))
    for version, is_long in ((0, 0), (0, 1), (1, 0), (1, 1)):
        picture, number = ">HI"[0] + "HI"[version], "BH"[is_long]
        links = struct.pack(">BBHI", version, 0, is_long, 2)
        links += struct.pack(picture + "B" + number, 5, 1, 1) + struct.pack(picture + "B" + 2 * number, 7, 2, 2, 4)
        main = box(b"pitm", struct.pack(">I" + "HI"[version], version << 24, 7))
        content = box(b"meta", bytes(4) + main + box(b"iprp", colours + box(b"ipma", links)))
        assert colour_codes(content) == (12, 13), (version, is_long)
    assert colour_codes(box(b"meta", bytes(4))) == (2, 2)
