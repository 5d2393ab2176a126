"""What the browser sends of a photo file: the server answers it as it would answer the file."""

from __future__ import annotations

import base64
import io
from collections.abc import Callable
from pathlib import Path

import pytest
from PIL import ExifTags, Image
from playwright.sync_api import Page

from catsdogs.model import preprocessing
from catsdogs.widgets.assets import script
from catsdogs.widgets.upload_texts import PHOTO_LIMITS
from tests.fuzz.bombs import chunk, segment
from tests.icc_profiles import P3, profile

pytestmark = pytest.mark.browser

SECRET = "Secret Camera"
XMP = f'<x:xmpmeta xmlns:x="adobe:ns:meta/"><rdf:Description tiff:Orientation="6" tiff:Make="{SECRET}"/></x:xmpmeta>'
PREPARE = """async ([content, limits]) => {
  const bytes = Uint8Array.from(atob(content), (character) => character.charCodeAt(0));
  const { blob } = await prepare(new File([bytes], "photo"), limits);
  const sent = new Uint8Array(await blob.arrayBuffer());
  return btoa(Array.from(sent, (byte) => String.fromCharCode(byte)).join(""));
}"""

Prepare = Callable[[bytes], bytes]


@pytest.fixture
def prepare(page: Page) -> Prepare:
    """Return what the app would send of a photo file."""
    page.add_script_tag(content=script("photo_input").replace("export default", "void"))

    def run(content: bytes) -> bytes:
        return base64.b64decode(page.evaluate(PREPARE, [base64.b64encode(content).decode(), PHOTO_LIMITS]))

    return run


def files_with_metadata(picture: Image.Image) -> dict[str, bytes]:
    """Files that say where and how they were taken, and that they lie."""
    exif = Image.Exif()
    exif[ExifTags.Base.Orientation], exif[ExifTags.Base.Make] = 6, SECRET
    files = {}
    for kind in ("JPEG", "PNG", "WEBP", "AVIF"):
        for name, options in (("EXIF", {"exif": exif}), ("none", {})):
            stream = io.BytesIO()
            picture.save(stream, kind, icc_profile=profile(P3), **options)
            files[f"{kind} {name}"] = stream.getvalue()
    heic = (Path(__file__).parents[1] / "pictures" / "turned.heic").read_bytes()
    assert b"MM\0*" in heic, "EXIF"
    jpeg, png, webp = (files[f"{kind} none"] for kind in ("JPEG", "PNG", "WEBP"))
    xmp = XMP.encode()
    others = segment(0xE1, b"http://ns.adobe.com/xap/1.0/\0" + xmp), segment(0xFE, SECRET.encode())
    texts = chunk(b"iTXt", b"XML:com.adobe.xmp\0\0\0\0\0" + xmp), chunk(b"tEXt", b"Model\0" + SECRET.encode())
    return files | {
        "HEIC EXIF": heic,
        "JPEG XMP": jpeg[:2] + b"".join(others) + jpeg[2:],
        "JPEG EXIF twice": jpeg[:2] + segment(0xE1, b"Exif\0\0" + exif.tobytes()) + jpeg[2:],
        "JPEG, something between": files["JPEG EXIF"].replace(b"\xff\xdb", b"\0" * 9 + b"\xff" * 9 + b"\xdb", 1),
        "PNG XMP": png[:33] + b"".join(texts) + png[33:],
        "PNG and more": png + SECRET.encode(),
        "WebP XMP": webp + b"XMP " + (len(xmp) + len(xmp) % 2).to_bytes(4, "little") + xmp + bytes(len(xmp) % 2),
    }


def test_a_small_photo_is_sent_as_it_is_without_its_metadata(prepare: Prepare, cat_jpeg: bytes) -> None:
    wrong = []
    for name, content in files_with_metadata(Image.open(io.BytesIO(cat_jpeg)).reduce(4)).items():
        sent = prepare(content)
        before, after = preprocessing.decode(content), preprocessing.decode(sent)
        is_same = before.image.tobytes() == after.image.tobytes() and bool(before.to_srgb) == bool(after.to_srgb)
        has_metadata = SECRET.encode() in sent or (name == "HEIC EXIF" and b"MM\0*" in sent)
        if not is_same or has_metadata or len(sent) > len(content) + 40:
            wrong.append(name)
    assert wrong == []
