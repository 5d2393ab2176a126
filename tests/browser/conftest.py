"""A real Chromium, one for the session, and a fresh page for each test."""

from __future__ import annotations

import io
from collections.abc import Iterator

import numpy as np
import pytest
from PIL import ExifTags, Image
from playwright.sync_api import Browser, Page, expect

from tests.serving import CHROMIUM, browser_path, chromium
from tests.skipping import skip_without

expect.set_options(timeout=30_000)  # milliseconds: long enough for a busy machine


@pytest.fixture(scope="session")
def browser() -> Iterator[Browser]:
    """Chromium; where there is none, the test is skipped."""
    if browser_path() is None:
        skip_without("chromium", CHROMIUM)
    with chromium() as browser:
        yield browser


@pytest.fixture
def page(browser: Browser) -> Iterator[Page]:
    """A page in English, without cookies and storage of earlier pages."""
    with browser.new_context(locale="en-GB", viewport={"width": 1280, "height": 900}) as context:
        yield context.new_page()


@pytest.fixture(scope="session")
def pictures(cat_jpeg: bytes) -> dict[str, bytes]:
    """A cat in many formats and sizes, damaged files, and files that are not photos."""
    cat = Image.open(io.BytesIO(cat_jpeg))
    exif = Image.Exif()
    exif[ExifTags.Base.Orientation] = 6  # to be turned by 90 degrees clockwise
    exif[ExifTags.Base.Make] = "Secret Camera"
    transparent = cat.convert("RGBA")
    transparent.putalpha(Image.linear_gradient("L").resize(cat.size))
    jpeg, png = _file(cat, "JPEG", quality=92), _file(cat, "PNG")
    return {
        "jpeg": jpeg,
        "png": png,
        "webp": _file(cat, "WEBP"),
        "gif": _file(cat, "GIF", save_all=True, append_images=[Image.new("RGB", cat.size)], duration=100),
        "cmyk": _file(cat.convert("CMYK"), "JPEG"),
        "sixteen_bit": _file(Image.fromarray(np.asarray(cat.convert("L")).astype(np.uint16) * 257), "PNG"),
        "palette": _file(cat.quantize(64), "PNG"),
        "transparent": _file(transparent, "PNG"),
        "tiff": _file(cat, "TIFF"),
        "lying": _file(cat.transpose(Image.Transpose.ROTATE_90), "JPEG", exif=exif),
        "large": _file(cat.resize((4000, 3000)), "JPEG", quality=90),
        "bomb": _file(Image.new("1", (20_000, 15_000)), "PNG"),
        "half_jpeg": jpeg[: len(jpeg) // 2],
        "half_png": png[: len(png) // 2],
        "half_webp": _file(cat, "WEBP")[:5000],
        "words": b"This is not a photo, whatever its name says.",
        "nothing": b"",
    }


def _file(image: Image.Image, kind: str, **options: object) -> bytes:
    stream = io.BytesIO()
    image.save(stream, kind, **options)
    return stream.getvalue()
