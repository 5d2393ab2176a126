"""What a kernel remembers of the photos of a visit, and how a browser tab keeps it."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import Any
from uuid import uuid4

import pytest

from catsdogs.domain import (
    Answer,
    Box,
    Consent,
    ConsentChannel,
    Doubt,
    Explanation,
    Note,
    Prediction,
    TrueLabel,
    check_new_receipt,
)
from catsdogs.errors import InvalidInput
from catsdogs.widgets import visit
from catsdogs.widgets.visit import Remark, Visit, VisitPhoto

PREDICTION = Prediction(
    Answer.CAT, 0.9, 0.1, 0.2, "2.0", 3.4, (Note.FIRST_FRAME,), Doubt.BOTH, Explanation(((0.5, -1),), Box(0, 0, 1, 1))
)
PHOTO = VisitPhoto(
    3,
    "é <b>.jpg",
    PREDICTION,
    b"content",
    Remark.WAITING,
    uuid4(),
    "ABCD-EFGH",
    "JKMN-PQRS",
    Consent(True, False, "fr", ConsentChannel.APP),
    0,
    TrueLabel.NEITHER,
    "she is called Chelsea",
)
SAMPLE = VisitPhoto(1, "chelsea", PREDICTION, remark=Remark.SAMPLE)


@pytest.mark.parametrize("photo", [PHOTO, SAMPLE, replace(PHOTO, rating=None, true_label=None, remark=None)])
def test_a_saved_photo_is_restored(photo: VisitPhoto) -> None:
    saved = json.loads(json.dumps(photo.to_saved()))
    restored = VisitPhoto.from_saved(photo.number, photo.name, photo.content, saved)
    assert replace(restored, consent=photo.consent) == photo
    assert restored.purposes == photo.purposes


def test_a_photo_that_the_page_of_an_older_version_kept_is_restored() -> None:
    saved = PHOTO.to_saved()
    del saved["new_receipt"]
    restored = VisitPhoto.from_saved(PHOTO.number, PHOTO.name, PHOTO.content, saved)
    assert replace(restored, consent=PHOTO.consent, new_receipt=PHOTO.new_receipt) == PHOTO
    check_new_receipt(restored.new_receipt)


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("prediction", None),
        ("prediction", {}),
        ("prediction", {**PHOTO.to_saved()["prediction"], "proba_cat": "0.9"}),
        ("prediction", {**PHOTO.to_saved()["prediction"], "model_version": ["2.0"]}),
        ("remark", "other"),
        ("feedback_id", "3"),
        ("feedback_id", 3),
        ("receipt", None),
        ("purposes", ["language"]),
        ("purposes", 3),
        ("rating", 2),
        ("true_label", "bird"),
        ("comment", None),
    ],
)
def test_what_another_program_saved_is_refused(name: str, value: Any) -> None:
    saved: Any = {**PHOTO.to_saved(), name: value}
    with pytest.raises(InvalidInput):
        VisitPhoto.from_saved(1, "cat.jpg", b"", saved)
    del saved[name]
    with pytest.raises(InvalidInput):
        VisitPhoto.from_saved(1, "cat.jpg", b"", saved)


def test_of_many_photos_the_content_of_the_oldest_is_forgotten(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(visit, "MAX_CONTENT_BYTES", 10)
    photos = Visit(lambda: None)
    for number in (1, 2, 3):
        photos.put(replace(PHOTO, number=number, content=b"four"))
    assert [photo.content for photo in photos] == [b"", b"four", b"four"]
    photos.put(replace(PHOTO, number=4, content=b"more than 10 bytes"))
    assert [len(photo.content) for photo in photos] == [0, 0, 0, 0]


def test_a_photo_is_found_by_the_identifier_of_its_prediction() -> None:
    photos = Visit(lambda: None)
    photos.put(SAMPLE)
    photos.put(PHOTO)
    assert photos.find(str(PHOTO.feedback_id)) == PHOTO
    assert [photos.find(text) for text in ("", "None", str(uuid4()))] == [None] * 3, "a sample has none"
