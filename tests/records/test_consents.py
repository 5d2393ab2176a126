"""Decisions, receipts, and the copy of a photo."""

from __future__ import annotations

import hashlib
import io
import re
from datetime import UTC, datetime

import pytest
from PIL import ExifTags, Image, PngImagePlugin

from catsdogs.domain import UNKNOWN_CONTROLLER, Consent, DataController
from catsdogs.i18n import LANGUAGES
from catsdogs.records import consent_notice
from catsdogs.records.consents import ConsentRecord, PhotoRecord, hash_receipt

NOW = datetime(2026, 1, 2, tzinfo=UTC)


def test_a_consent_records_version_and_hash_of_the_text_shown() -> None:
    decision, _ = ConsentRecord.create(Consent(photo=True, language="fr-CA"), NOW)
    assert (decision.filename_and_comment, decision.photo, decision.decided_at) == (False, True, NOW)
    assert decision.text_version == consent_notice.VERSION
    assert decision.language in ("en", "fr")
    assert (
        decision.text_hash
        == hashlib.sha256(consent_notice.full_text(decision.language, UNKNOWN_CONTROLLER).encode()).hexdigest()
    )


def test_a_receipt_has_140_random_bits_and_only_its_hash_is_kept() -> None:
    receipts = {ConsentRecord.create(Consent(True), NOW)[1] for _ in range(1000)}
    assert len(receipts) == 1000
    assert all(re.fullmatch(r"([0-9A-HJKMNP-TV-Z]{4}-){6}[0-9A-HJKMNP-TV-Z]{4}", receipt) for receipt in receipts)
    assert len({symbol for receipt in receipts for symbol in receipt} - {"-"}) == 32

    decision, receipt = ConsentRecord.create(Consent(True), NOW)
    assert decision.receipt_hash == hash_receipt(receipt)
    assert receipt not in decision.model_dump_json()


@pytest.mark.parametrize(
    "typed", ["0123-4567-89ab-cd10", "0123 4567 89AB CD10", "o123456789abcdio", "O1234567 89ABCDL0\n"]
)
def test_a_receipt_code_may_be_typed_in_any_case_with_or_without_hyphens(typed: str) -> None:
    assert hash_receipt(typed) == hash_receipt("0123456789ABCD10")


@pytest.mark.parametrize("typed", ["", "é" * 30, "\ud800", "0" * 100_000])
def test_any_text_can_be_hashed_as_a_receipt_code(typed: str) -> None:
    assert re.fullmatch("[0-9a-f]{64}", hash_receipt(typed))


def test_the_photo_kept_is_small_upright_and_has_no_metadata() -> None:
    picture = Image.new("RGB", (2000, 1000), "red")
    picture.paste("blue", (0, 0, 1000, 1000))
    exif = Image.Exif()
    exif[ExifTags.Base.Orientation] = 6  # turned a quarter clockwise to be upright
    exif[ExifTags.Base.Artist] = "Somebody"
    exif.get_ifd(ExifTags.IFD.GPSInfo)[ExifTags.GPS.GPSLatitudeRef] = "N"
    stream = io.BytesIO()
    picture.save(stream, "JPEG", exif=exif, comment=b"Somebody's comment", icc_profile=b"Somebody's profile")

    kept = PhotoRecord.create(stream.getvalue())

    assert (kept.width, kept.height) == (256, 512)
    assert b"Somebody" not in kept.jpeg
    image = Image.open(io.BytesIO(kept.jpeg))
    assert (image.format, image.size) == ("JPEG", (256, 512))
    assert dict(image.getexif()) == {}
    assert set(image.info) <= {"jfif", "jfif_version", "jfif_unit", "jfif_density"}
    pixel = image.getpixel((128, 30))
    assert isinstance(pixel, tuple)
    red, _, blue = pixel
    assert blue > red  # what was left is on top


def test_text_in_a_png_is_not_kept() -> None:
    text = PngImagePlugin.PngInfo()
    text.add_text("Author", "Somebody")
    stream = io.BytesIO()
    Image.new("RGBA", (60, 40), (0, 0, 0, 0)).save(stream, "PNG", pnginfo=text)
    kept = PhotoRecord.create(stream.getvalue())
    assert (kept.width, kept.height) == (60, 40)
    assert b"Somebody" not in kept.jpeg


PINNED = {
    ("5", "en"): "af7b2087d3b77d75fa73f7e0e5194fa6282d636537cb041daf46d9a0876bbdbb",
    ("5", "fr"): "1c8d9150332ea5eb3787262689f8848605a45b6bbcdc95420f4e5de6ab1c4c3f",
}
"""The SHA-256 of the text of each version, by language, as `UNKNOWN_CONTROLLER` shows them."""


@pytest.mark.parametrize("language", LANGUAGES)
def test_a_changed_text_needs_a_new_version(language: str) -> None:
    text = consent_notice.full_text(language, UNKNOWN_CONTROLLER)
    found = hashlib.sha256(text.encode()).hexdigest()
    pinned = PINNED.get((consent_notice.VERSION, language))
    assert found == pinned, (
        f"raise catsdogs.records.consent_notice.VERSION if text changed, and pin {found!r} for {language}"
    )


def test_the_text_names_controller_contact_and_retention() -> None:
    named = DataController("Example Ltd", "privacy@example.org", 30)
    text = consent_notice.full_text("en", named)
    assert all(word in text for word in ("Example Ltd", "privacy@example.org", "30 days", "CNIL"))
    hashes = {
        ConsentRecord.create(Consent(True), NOW, controller)[0].text_hash for controller in (named, UNKNOWN_CONTROLLER)
    }
    assert len(hashes) == 2
