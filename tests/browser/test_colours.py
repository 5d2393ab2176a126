"""Colours that a file names by codes or by numbers look here as in a browser."""

from __future__ import annotations

import base64
import io

import numpy as np
import pytest
from PIL import Image
from playwright.sync_api import Page

from catsdogs.model import preprocessing
from tests.colour_files import examples

pytestmark = pytest.mark.browser

SHOWN = """async (content) => {
  const bytes = Uint8Array.from(atob(content), (character) => character.charCodeAt(0));
  const bitmap = await createImageBitmap(new Blob([bytes]));
  const canvas = document.createElement("canvas");
  [canvas.width, canvas.height] = [bitmap.width, bitmap.height];
  canvas.getContext("2d", { alpha: false }).drawImage(bitmap, 0, 0);
  return canvas.toDataURL("image/png").split(",")[1];
}"""


def test_colours_are_those_of_a_browser(page: Page) -> None:
    different = {}
    for name, content in examples().items():
        shown = page.evaluate(SHOWN, base64.b64encode(content).decode())
        expected = np.asarray(Image.open(io.BytesIO(base64.b64decode(shown))).convert("RGB"))[8::16, 8::16]
        photo = preprocessing.decode(content)
        ours = np.asarray(preprocessing.thumbnail(photo, max(photo.image.size)))[8::16, 8::16]
        difference = np.abs(ours.astype(int) - expected)
        if difference.max() > 9 or difference.mean() > 0.5:
            different[name] = difference.mean()
    assert different == {}
