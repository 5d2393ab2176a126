"""The contract of every `Service`: in this process, and over HTTP from a running server."""

from __future__ import annotations

import math
import tempfile
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from uuid import uuid4

import pytest

import catsdogs
from catsdogs.domain import (
    Answer,
    Box,
    Consent,
    ConsentOutcome,
    Doubt,
    Note,
    Outcome,
    PurposeName,
    Removal,
    TrueLabel,
    new_receipt,
)
from catsdogs.errors import Conflict, ConsentRequired, InvalidImage, InvalidInput, NotAuthorised, NotFound
from catsdogs.monitoring.prediction_filter import Listing, PredictionFilter
from catsdogs.samples import FOLDER, SAMPLES
from catsdogs.service.interface import Service
from tests.serving import Launch, RunningServer

AGREED = Consent(filename_and_comment=True, language="fr")


@pytest.fixture(scope="module")
def local() -> Iterator[Service]:
    from catsdogs.service.local import Local
    from catsdogs.settings import Settings

    with (
        tempfile.TemporaryDirectory(prefix="catsdogs-test-") as folder,
        Local.open(Settings(_env_file=None, CATSDOGS_DATA_DIR=folder)) as service,
    ):
        yield service


@pytest.fixture(scope="module")
def elsewhere(launch: Launch) -> RunningServer:
    """Another server than that of other tests: it counts the attempts with receipt codes."""
    return launch()


@pytest.fixture(scope="module", params=["local", "remote"])
def service(request: pytest.FixtureRequest) -> Service:
    if request.param == "local":
        local: Service = request.getfixturevalue("local")
        return local
    server: RunningServer = request.getfixturevalue("elsewhere")
    return catsdogs.connect(server.url, server.api_token)


@pytest.mark.parametrize("token", [None, "wrong", "é", "two\nlines"])
def test_a_wrong_token_is_refused_at_once(elsewhere: RunningServer, token: str | None) -> None:
    with pytest.raises(NotAuthorised, match="token"):
        catsdogs.connect(elsewhere.url, token)


def test_the_address_of_a_page_is_not_that_of_the_server(elsewhere: RunningServer) -> None:
    with pytest.raises(NotFound, match=r"no catsdogs at .*/inference\. Check http or https, and leave out"):
        catsdogs.connect(f"{elsewhere.url}/inference", elsewhere.api_token)
    assert catsdogs.connect(f"{elsewhere.url}/", elsewhere.api_token).health()["status"] == "healthy"


def row_of(service: Service, outcome: Outcome) -> dict[str, object]:
    return next(dict(row) for row in service.recent_predictions(limit=100) if row["id"] == str(outcome.feedback_id))


def receipt_of(outcome: Outcome) -> str:
    assert outcome.receipt
    return outcome.receipt


def test_a_photo_of_a_cat(service: Service, cat_jpeg: bytes) -> None:
    outcome = service.predict(cat_jpeg, filename="chelsea.jpg")
    prediction = outcome.prediction
    assert prediction.answer is Answer.CAT
    assert prediction.proba_cat + prediction.proba_dog == pytest.approx(1)
    assert 0 <= prediction.neither_score <= 1
    assert prediction.confidence == prediction.proba_cat > 0.9
    assert prediction.inference_time_ms > 0
    assert prediction.notes == ()
    assert outcome.feedback_id.version == 7
    assert outcome.stored is True
    assert outcome.receipt is None


def test_an_answer_is_explained(service: Service, cat_jpeg: bytes) -> None:
    prediction = service.predict(cat_jpeg).prediction
    assert prediction.explanation
    activations = [activation for row in prediction.explanation.activation for activation in row]
    mean = sum(activations) / len(activations)
    assert 1 / (1 + math.exp(-mean)) == pytest.approx(prediction.proba_dog, abs=1e-3)
    assert min(activations) < -10 * max(activations), "some speak for a cat, and hardly any for a dog"
    assert prediction.explanation.box == Box(0.167, 0, 0.833, 1), "of 451 x 300 pixels, the square in the middle"


def test_both_services_give_the_same_answer(local: Service, server: RunningServer, cat_jpeg: bytes) -> None:
    from catsdogs.service.remote import Remote

    here = local.predict(cat_jpeg).prediction
    there = Remote(server.url, server.api_token).predict(cat_jpeg).prediction
    assert replace(there, inference_time_ms=here.inference_time_ms) == here


def test_what_is_recorded_follows_consent(service: Service, cat_jpeg: bytes) -> None:
    refused = service.predict(cat_jpeg, filename="chelsea.jpg")
    agreed = service.predict(cat_jpeg, filename="chat é <b>.jpg", consent=AGREED)
    assert row_of(service, refused)["filename"] is None
    assert row_of(service, agreed)["filename"] == "chat é <b>.jpg"
    assert refused.receipt is None
    assert agreed.receipt
    assert replace(agreed.prediction, inference_time_ms=0) == replace(refused.prediction, inference_time_ms=0)


def test_a_sample_picture_is_classified_and_not_recorded(service: Service) -> None:
    before = service.recent_predictions(limit=1000)
    predictions = {sample.name: service.predict_sample(sample.name) for sample in SAMPLES}
    doubts = {name: prediction.doubt for name, prediction in predictions.items()}
    assert doubts == {"chelsea": None, "shepherd": None, "both": Doubt.BOTH, "drawing": None}
    answers = {name: predictions[name].answer for name in ("chelsea", "shepherd", "drawing")}
    assert answers == {"chelsea": Answer.CAT, "shepherd": Answer.DOG, "drawing": Answer.NEITHER}
    unlisted = "../samples/chelsea"
    assert (FOLDER / f"{unlisted}.jpg").exists()
    for name in ("mine", "", unlisted):  # a path to a picture is no name of one
        with pytest.raises(NotFound):
            service.predict_sample(name)
    assert service.recent_predictions(limit=1000) == before


def test_an_animation_gives_a_note(service: Service, cat_jpeg: bytes) -> None:
    import io

    from PIL import Image

    cat, stream = Image.open(io.BytesIO(cat_jpeg)), io.BytesIO()
    cat.save(stream, "GIF", save_all=True, append_images=[Image.new("RGB", cat.size)])
    assert service.predict(stream.getvalue()).prediction.notes == (Note.FIRST_FRAME,)


@pytest.mark.parametrize("photo", [b"", b"no photo", bytes(33 * 2**20)], ids=["empty", "text", "too large"])
def test_bytes_that_are_no_photo(service: Service, photo: bytes) -> None:
    with pytest.raises(InvalidImage) as raised:
        service.predict(photo)
    assert str(raised.value)


def test_feedback(service: Service, cat_jpeg: bytes) -> None:
    outcome = service.predict(cat_jpeg, consent=AGREED)
    assert service.give_feedback(outcome.feedback_id, user_feedback=0) is True
    assert service.give_feedback(outcome.feedback_id, user_comment="Raté !", true_label=TrueLabel.BOTH) is True
    row = row_of(service, outcome)
    assert (row["user_feedback"], row["user_comment"]) == (0, "Raté !"), "fields that are not sent stay as they were"


def test_a_rating_alone_needs_no_consent_and_a_comment_does(service: Service, cat_jpeg: bytes) -> None:
    outcome = service.predict(cat_jpeg)
    with pytest.raises(ConsentRequired):
        service.give_feedback(outcome.feedback_id, user_comment="hello")
    assert service.give_feedback(outcome.feedback_id, user_feedback=1) is True


def test_invalid_feedback_is_refused(service: Service, cat_jpeg: bytes) -> None:
    outcome = service.predict(cat_jpeg, consent=AGREED)
    with pytest.raises(NotFound):
        service.give_feedback(uuid4(), user_feedback=1)
    with pytest.raises(InvalidInput):
        service.give_feedback(outcome.feedback_id, user_feedback=2)
    with pytest.raises(InvalidInput):
        service.give_feedback(outcome.feedback_id, user_comment="x" * 1001)


ALL = Consent(filename_and_comment=True, photo=True)


def test_a_receipt_gives_everything_held_under_it(service: Service, cat_jpeg: bytes) -> None:
    outcome = service.predict(cat_jpeg, filename="chelsea.jpg", consent=ALL)
    receipt = receipt_of(outcome)
    service.give_feedback(outcome.feedback_id, user_comment="hello")
    held = service.export(receipt.lower())
    assert [row["id"] for row in held["predictions"]] == [str(outcome.feedback_id)]
    assert (held["predictions"][0]["filename"], held["predictions"][0]["user_comment"]) == ("chelsea.jpg", "hello")
    assert len(held["photos"]) == len(held["decisions"]) == 1
    assert held["waiting"] == []


def test_consent_is_withdrawn_purpose_by_purpose(service: Service, cat_jpeg: bytes) -> None:
    outcome = service.predict(cat_jpeg, filename="chelsea.jpg", consent=ALL)
    receipt = receipt_of(outcome)
    assert service.withdraw(receipt, PurposeName.PHOTO) == Removal([], 1, 0)
    assert service.export(receipt)["photos"] == []
    assert row_of(service, outcome)["filename"] == "chelsea.jpg"
    assert service.withdraw(receipt) == Removal([outcome.feedback_id], 0, 0)
    assert row_of(service, outcome)["filename"] is None
    with pytest.raises(ConsentRequired):
        service.give_feedback(outcome.feedback_id, user_comment="hello")
    assert service.export(receipt)["decisions"][0]["withdrawn_at"]


def test_a_consent_is_changed_without_a_new_prediction(service: Service, cat_jpeg: bytes) -> None:
    outcome = service.predict(cat_jpeg, filename="chelsea.jpg")
    assert service.change_consent(outcome.feedback_id, Consent()) == ConsentOutcome(None, True)
    service.give_feedback(outcome.feedback_id, user_feedback=0, true_label=TrueLabel.DOG)
    before = len(service.recent_predictions(limit=1000))
    first = service.change_consent(outcome.feedback_id, AGREED, filename="C:\\photos\\chelsea é.jpg")
    receipt = first.receipt or ""
    assert first == ConsentOutcome(receipt, True)
    assert receipt
    service.give_feedback(outcome.feedback_id, user_comment="hello")
    with pytest.raises(InvalidInput, match="Send the photo"):
        service.change_consent(outcome.feedback_id, ALL, receipt=receipt)
    for photo in (cat_jpeg, None):
        changed = service.change_consent(outcome.feedback_id, ALL, photo=photo, receipt=receipt)
        assert changed == ConsentOutcome(receipt, True)
    held = service.export(receipt)
    [row] = held["predictions"]
    assert (row["id"], row["filename"]) == (str(outcome.feedback_id), "chelsea é.jpg")
    assert (row["user_feedback"], row["true_label"], row["user_comment"]) == (0, "dog", "hello")
    assert [(one["filename_and_comment"], one["photo"]) for one in held["decisions"]] == [(True, False), (True, True)]
    assert len(held["photos"]) == 1
    assert service.change_consent(outcome.feedback_id, Consent(), receipt=receipt) == ConsentOutcome(receipt, True)
    held = service.export(receipt)
    assert all(one["withdrawn_at"] for one in held["decisions"])
    assert (held["photos"], held["predictions"][0]["filename"]) == ([], None)
    assert service.change_consent(outcome.feedback_id, AGREED, receipt=receipt).receipt == receipt
    assert len(service.recent_predictions(limit=1000)) == before


def test_a_changed_consent_needs_its_receipt(service: Service, cat_jpeg: bytes) -> None:
    outcome = service.predict(cat_jpeg, filename="chelsea.jpg", consent=AGREED)
    with pytest.raises(InvalidInput, match="Send its receipt code"):
        service.change_consent(outcome.feedback_id, Consent())
    with pytest.raises(NotFound, match="not the receipt code of this photo"):
        service.change_consent(outcome.feedback_id, Consent(), receipt="0000-0000")
    with pytest.raises(NotFound):
        service.change_consent(uuid4(), AGREED)
    with pytest.raises(InvalidImage):
        service.change_consent(outcome.feedback_id, ALL, photo=b"no photo", receipt=receipt_of(outcome))
    assert row_of(service, outcome)["filename"] == "chelsea.jpg"


def test_a_first_consent_whose_response_was_lost_is_repeated(service: Service, cat_jpeg: bytes) -> None:
    outcome, code = service.predict(cat_jpeg), new_receipt()
    assert service.change_consent(outcome.feedback_id, Consent(), new_receipt=code).receipt is None
    for _ in range(2):
        repeated = service.change_consent(outcome.feedback_id, ALL, photo=cat_jpeg, new_receipt=code, known=Consent())
        assert repeated == ConsentOutcome(code, stored=True)
    held = service.export(code)
    assert (len(held["decisions"]), len(held["photos"])) == (1, 1)
    with pytest.raises(Conflict):
        service.change_consent(outcome.feedback_id, AGREED, new_receipt=code, known=Consent())
    with pytest.raises(InvalidInput, match="Send its receipt code"):
        service.change_consent(outcome.feedback_id, ALL, photo=cat_jpeg, new_receipt=new_receipt())
    assert service.export(code) == held
    assert service.change_consent(outcome.feedback_id, AGREED, receipt=code, known=ALL).receipt == code
    other = service.predict(cat_jpeg)
    for call in (
        lambda: service.change_consent(other.feedback_id, AGREED, new_receipt=code),
        lambda: service.predict(cat_jpeg, consent=ALL, new_receipt=code),
    ):
        with pytest.raises(InvalidInput, match="in use already"):
            call()
    with pytest.raises(InvalidInput, match="28 random digits"):
        service.change_consent(other.feedback_id, AGREED, new_receipt="0000-0000-0000-0000-0000-0000-0000")
    assert row_of(service, other)["filename"] is None


def test_a_prediction_with_consent_whose_response_was_lost_is_repeated(service: Service, cat_jpeg: bytes) -> None:
    code, before = new_receipt(), len(service.recent_predictions(limit=1000))
    made = [service.predict(cat_jpeg, filename="a.jpg", consent=AGREED, new_receipt=code) for _ in range(2)]
    assert len({one.feedback_id for one in made}) == 1
    assert [one.receipt for one in made] == [code, code]
    assert made[1].stored
    assert len(service.recent_predictions(limit=1000)) == before + 1
    for photo, consent in ((SAMPLES[1].jpeg, AGREED), (cat_jpeg, ALL)):
        with pytest.raises(InvalidInput, match="in use already"):
            service.predict(photo, consent=consent, new_receipt=code)
    with pytest.raises(InvalidInput, match="28 random digits"):
        service.predict(cat_jpeg, consent=AGREED, new_receipt="mine")
    assert service.predict(cat_jpeg, new_receipt=code).receipt is None
    service.erase(code)


def test_an_erased_receipt_is_unknown(service: Service, cat_jpeg: bytes) -> None:
    outcome = service.predict(cat_jpeg, filename="chelsea.jpg", consent=ALL)
    receipt = receipt_of(outcome)
    assert service.erase(receipt) == Removal([outcome.feedback_id], 1, 0)
    for right in (service.export, service.erase):
        with pytest.raises(NotFound, match="Nothing is kept under this receipt code"):
            right(receipt)
    with pytest.raises(NotFound):
        service.give_feedback(outcome.feedback_id, user_feedback=1)


def test_statistics_of_a_window(service: Service, cat_jpeg: bytes) -> None:
    service.predict(cat_jpeg)
    now = datetime.now(UTC)
    past, future = now - timedelta(hours=1), now + timedelta(hours=1)
    everything = service.statistics()
    assert (
        service.statistics(PredictionFilter(past, future))["total_predictions"] == everything["total_predictions"] >= 1
    )
    assert service.statistics(PredictionFilter(start=future))["total_predictions"] == 0
    assert service.statistics(PredictionFilter(model_version="no such"))["total_predictions"] == 0
    assert sum(everything["answers"].values()) == everything["total_predictions"]


def test_model_health(service: Service, cat_jpeg: bytes) -> None:
    outcome = service.predict(cat_jpeg)
    assert service.give_feedback(outcome.feedback_id, user_feedback=0, true_label=TrueLabel.DOG)
    health = service.model_health(PredictionFilter(datetime.now(UTC) - timedelta(minutes=5)))
    assert health["model_version"] == outcome.prediction.model_version
    assert health["judged"]["n"] >= 1
    assert (health["estimated"]["rate"] or 0) > 0.9
    assert next(drift["signal"] for drift in health["drift"]) == "confidence"
    assert service.model_health(PredictionFilter(model_version="no such"))["estimated"]["n"] == 0


def test_model_health_is_that_of_all_answers(service: Service, cat_jpeg: bytes) -> None:
    service.predict(cat_jpeg)
    of_dogs = PredictionFilter(end=datetime.now(UTC), answer=Answer.DOG, listing=Listing.DISPUTED)
    of_all = PredictionFilter(end=of_dogs.end)
    assert service.model_health(of_dogs) == service.model_health(of_all)
    assert service.statistics(of_dogs)["answers"]["cat"] == 0


def test_recent_predictions_are_bounded(service: Service, cat_jpeg: bytes) -> None:
    made = [str(service.predict(cat_jpeg).feedback_id) for _ in range(2)]
    assert [row["id"] for row in service.recent_predictions(limit=2)] == made[::-1]
    for limit in (0, 1001):
        with pytest.raises(InvalidInput):
            service.recent_predictions(limit=limit)


def test_health_and_model(service: Service) -> None:
    assert service.health() == {
        "status": "healthy",
        "degraded": [],
        "model_loaded": True,
        "database": "connected",
        "spooled": 0,
        "set_aside": 0,
    }
    assert service.model_info()["model_loaded"] is True
    assert service.model_info()["version"]


def test_both_describe_the_same_model(local: Service, server: RunningServer) -> None:
    from catsdogs.service.remote import Remote

    assert Remote(server.url, server.api_token).model_info() == local.model_info()
