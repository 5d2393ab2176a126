"""Browsers that hide who a person is may return noise from a canvas: the photo is then sent as it is."""

from __future__ import annotations

import pytest
from playwright.sync_api import Page, expect

from tests.browser.app import error_message, latest_row, open_app, upload_photo
from tests.serving import RunningServer

pytestmark = pytest.mark.browser

NOISE = """
const noise = (data, every = 1) => data.forEach((_, i) => {
  if (Math.floor(i / 4) % every === 0) data[i] = i % 4 === 3 ? 255 : Math.random() * 256;
});
"""
READING = (
    NOISE
    + """
const read = CanvasRenderingContext2D.prototype.getImageData;
CanvasRenderingContext2D.prototype.getImageData = function (...area) {
  const image = read.apply(this, area);
  noise(image.data, 50);
  return image;
};
"""
)
ENCODING = (
    NOISE
    + """
const encode = HTMLCanvasElement.prototype.toBlob;
HTMLCanvasElement.prototype.toBlob = function (...options) {
  const copy = document.createElement("canvas");
  [copy.width, copy.height] = [this.width, this.height];
  const image = new ImageData(copy.width, copy.height);
  noise(image.data);
  copy.getContext("2d").putImageData(image, 0, 0);
  return encode.apply(copy, options);
};
"""
)
NOTHING = "HTMLCanvasElement.prototype.toBlob = function (callback) { setTimeout(callback, 0, null); };"
FORBIDDEN = (
    "CanvasRenderingContext2D.prototype.getImageData = () => { throw new DOMException('no', 'SecurityError'); };"
)
SLIGHT = """
const encode = HTMLCanvasElement.prototype.toBlob;
HTMLCanvasElement.prototype.toBlob = function (...options) {
  const context = this.getContext("2d");
  context.fillStyle = "#00000003";
  context.fillRect(0, 0, 1, 1);
  return encode.apply(this, options);
};
"""


SCRIPTS = {
    "true": ("", False),
    "slightly changed": (SLIGHT, False),
    "noise read in one pixel of 50": (READING, True),
    "noise encoded": (ENCODING, True),
    "nothing encoded": (NOTHING, True),
    "reading forbidden": (FORBIDDEN, True),
}
"""Kinds of canvases: a script that makes them, and whether the photo is sent unchanged."""


@pytest.mark.parametrize("kind", SCRIPTS)
def test_a_photo_is_sent_as_it_is_where_the_canvas_returns_noise(
    page: Page, server: RunningServer, pictures: dict[str, bytes], kind: str
) -> None:
    script, is_sent_unchanged = SCRIPTS[kind]
    sent: list[bytes] = []
    page.on(
        "websocket",
        lambda socket: socket.on("framesent", lambda frame: sent.append(frame) if isinstance(frame, bytes) else None),
    )
    page.add_init_script(script)
    open_app(page, server)
    upload_photo(page, pictures["large"], "mine.jpg")  # a small one is sent as it is in any case
    assert error_message(page) == ""
    assert latest_row(server)["prediction_result"] == "cat"
    expect(page.get_by_role("heading", level=2)).to_have_text("It is a cat!")
    assert any(pictures["large"] in frame for frame in sent) == is_sent_unchanged
