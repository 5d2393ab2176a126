"""Fixtures that every room's tests may ask for. A room's own fixtures live in its folder."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

REPOSITORY = Path(__file__).parent.parent


@pytest.fixture(scope="session")
def photos() -> Path:
    """The folder of real photos (``train/ val/ neither/ neither_web/``), where this machine has it."""
    folder = Path(os.environ.get("CATSDOGS_TEST_PHOTOS", REPOSITORY.parent / "shared" / "data"))
    if not (folder / "val" / "cat").is_dir():
        pytest.skip(f"no photo set in {folder}: set CATSDOGS_TEST_PHOTOS")
    return folder


@pytest.fixture(scope="session")
def cat_jpeg() -> bytes:
    """A rights-free photo of a cat (Chelsea, CC0), as JPEG, 451 x 300."""
    import io

    import skimage.data
    from PIL import Image

    stream = io.BytesIO()
    Image.fromarray(skimage.data.chelsea()).save(stream, "JPEG", quality=92)
    return stream.getvalue()
