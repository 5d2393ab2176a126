"""Nothing is stored without consent: random combinations of consents, fields, outages, changes and withdrawals."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any
from uuid import UUID

import pytest
import sqlalchemy as sa
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from catsdogs.domain import Consent, ConsentChannel, Outcome, PurposeName, TrueLabel
from catsdogs.errors import ConsentRequired, DatabaseUnavailable, InvalidInput, NotFound
from catsdogs.records.predictions import basename
from catsdogs.service.local import Local
from catsdogs.settings import Settings
from tests.storage import Storage

TEXT = st.text(st.characters(exclude_categories=["Cs"]), min_size=1, max_size=60)
CONSENTS = st.builds(
    Consent, st.booleans(), st.booleans(), st.sampled_from(["en", "fr", "tlh"]), st.sampled_from(ConsentChannel)
)


@pytest.fixture
def local(database: Settings) -> Iterator[Local]:
    with Local.open(database) as service:
        yield service


@pytest.fixture
def stranded(local: Local, database: Settings) -> Iterator[Local]:
    """The same service in another process that cannot reach the database; the spool is shared."""
    with Local.open(database.model_copy(update={"db_host": "/nonexistent"})) as service:
        yield service


@pytest.fixture
def storage(database: Settings, local: Local) -> Iterator[Storage]:
    opened = Storage.open(database)
    yield opened
    opened.close()


def stored(storage: Storage, identifier: UUID) -> dict[str, Any] | None:
    tables = storage.database.tables
    photos = sa.select(sa.func.count()).where(tables.photos.c.prediction_id == identifier).scalar_subquery()
    query = sa.select(tables.predictions, photos.label("photos")).where(tables.predictions.c.id == identifier)

    def find(connection: sa.Connection) -> dict[str, Any] | None:
        row = connection.execute(query).mappings().one_or_none()
        return dict(row) if row else None

    return storage.database.run(find)


@settings(max_examples=50, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    consent=CONSENTS,
    filename=st.none() | TEXT,
    rating=st.sampled_from([None, 0, 1]),
    comment=st.none() | TEXT,
    label=st.none() | st.sampled_from(TrueLabel),
    outage=st.booleans(),
    changes=st.lists(CONSENTS, max_size=3),
    withdrawn=st.sampled_from([None, "all", *PurposeName]),
    replayed_before=st.booleans(),
    erased=st.booleans(),
)
def test_nothing_is_stored_that_was_not_allowed(
    local: Local,
    stranded: Local,
    storage: Storage,
    cat_jpeg: bytes,
    consent: Consent,
    filename: str | None,
    rating: int | None,
    comment: str | None,
    label: TrueLabel | None,
    outage: bool,
    changes: list[Consent],
    withdrawn: str | None,
    replayed_before: bool,
    erased: bool,
) -> None:
    service = stranded if outage else local
    outcome = service.predict(cat_jpeg, filename=filename, consent=consent)
    assert outcome.stored is not outage
    has_comment = bool((comment or "").replace("\0", "").strip())
    kept = _give(service, outcome, consent, rating, comment, label, has_comment)
    if replayed_before:
        storage.replayer.replay()
    receipt = outcome.receipt
    for changed in changes:
        receipt = _change(service, local, outcome.feedback_id, changed, receipt, filename, cat_jpeg)
        has_comment &= changed.filename_and_comment
        consent = changed
    may_name, may_photo = consent.filename_and_comment, consent.photo
    if withdrawn and receipt:
        purpose = None if withdrawn == "all" else PurposeName(withdrawn)
        local.withdraw(receipt, purpose)
        may_name &= purpose is PurposeName.PHOTO
        may_photo &= purpose is PurposeName.FILENAME_AND_COMMENT
    storage.replayer.replay()

    row = stored(storage, outcome.feedback_id)
    assert row
    assert row["rgpd_consent"] is may_name
    assert row["filename"] == (basename(filename) if may_name else None)
    assert (row["user_comment"] is not None) is (may_name and has_comment and kept)
    assert row["photos"] == may_photo
    assert (row["user_feedback"], row["true_label"]) == ((rating, label) if kept else (None, None))
    if receipt:
        decisions = local.export(receipt)["decisions"]
        assert [one["id"] for one in decisions][-1] == str(row["consent_id"])
        assert len(decisions) <= 1 + len(changes)
    if receipt and erased:
        local.erase(receipt)
        assert stored(storage, outcome.feedback_id) is None
        with pytest.raises(NotFound):
            local.export(receipt)
    assert len(storage.spool) == 0
    assert not (storage.spool.folder / "damaged").exists()


def _change(
    service: Local,
    local: Local,
    feedback_id: UUID,
    consent: Consent,
    receipt: str | None,
    filename: str | None,
    photo: bytes,
) -> str | None:
    """Change the consent where the prediction is, and return the receipt code."""
    fields: dict[str, Any] = {"filename": filename, "photo": photo, "receipt": receipt}
    try:
        outcome = service.change_consent(feedback_id, consent, **fields)
    except DatabaseUnavailable:  # it was replayed meanwhile
        outcome = local.change_consent(feedback_id, consent, **fields)
        assert outcome.stored
    assert outcome.receipt == (receipt or outcome.receipt)
    assert outcome.receipt or not consent.any
    return outcome.receipt


def _give(
    service: Local,
    outcome: Outcome,
    consent: Consent,
    rating: int | None,
    comment: str | None,
    label: TrueLabel | None,
    has_comment: bool,
) -> bool:
    """Send the feedback, if there is any; return whether it was accepted."""
    if rating is None and label is None and not has_comment:
        return True
    try:
        service.give_feedback(outcome.feedback_id, user_feedback=rating, user_comment=comment, true_label=label)
    except ConsentRequired:
        assert has_comment
        assert not consent.filename_and_comment
        return False
    except InvalidInput:  # the answer is "cat"
        assert (rating, label) in {(1, TrueLabel.DOG), (1, TrueLabel.NEITHER), (0, TrueLabel.CAT)}
        return False
    assert consent.filename_and_comment or not has_comment
    return True
