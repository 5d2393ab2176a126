"""A prediction that is sent again under the same receipt code, because the response to the first request was lost."""

from __future__ import annotations

from typing import Any, NamedTuple
from uuid import UUID

import sqlalchemy as sa

from catsdogs.database import Database
from catsdogs.domain import PurposeName
from catsdogs.errors import DatabaseUnavailable, InvalidInput
from catsdogs.records.predictions import PredictionRecord
from catsdogs.records.spool import Spool


class RepeatedPrediction(NamedTuple):
    """The prediction that is recorded already."""

    id: UUID
    stored: bool
    """Whether it is in the database; if not, it waits in the spool."""
    facts: dict[str, Any]
    """What the photo looks like, and what the person agreed to."""


def find_repeated(database: Database | None, spool: Spool, record: PredictionRecord) -> RepeatedPrediction | None:
    """Find the prediction that is recorded already under the receipt code of a new record.

    Parameters
    ----------
    database
        ``None`` while it is away: then only what waits in the spool is found.

    Raises
    ------
    InvalidInput
        The code is in use for another photo, or for another decision about this one.
    """
    if record.decision is None:
        return None
    with spool.locked():  # a replay at the same time would move it
        found = _find_spooled(spool, record.decision.receipt_hash)
        if found is None and database:
            found = _find_stored(database, record.decision.receipt_hash)
    if found and found.facts != _of_record(record).facts:
        raise InvalidInput("This receipt code is in use already. Choose a new one for each photo.")
    return found


def _find_spooled(spool: Spool, receipt_hash: str) -> RepeatedPrediction | None:
    for _, record in spool.read(spool.prediction_files(), PredictionRecord):
        if record.decision and record.decision.receipt_hash == receipt_hash:
            return _of_record(record)
    return None


def _of_record(record: PredictionRecord) -> RepeatedPrediction:
    decision = {purpose.value: getattr(record.decision, purpose) for purpose in PurposeName}
    photo = record.model_dump(include={"width", "height", "brightness", "sharpness"})
    return RepeatedPrediction(record.id, stored=False, facts=photo | decision)


def _find_stored(database: Database, receipt_hash: str) -> RepeatedPrediction | None:
    predictions, consents = database.tables.predictions.c, database.tables.consents.c
    facts = (predictions.width, predictions.height, predictions.brightness, predictions.sharpness)
    query = (
        sa.select(predictions.id, *facts, *(consents[purpose] for purpose in PurposeName))
        .select_from(database.tables.consents.join(database.tables.predictions, predictions.consent_id == consents.id))
        .where(consents.receipt_hash == receipt_hash)
        .order_by(consents.decided_at.desc())
        .limit(1)
    )
    try:
        row = database.run(lambda connection: connection.execute(query).mappings().one_or_none())
    except DatabaseUnavailable:
        return None
    if row is None:
        return None
    found = dict(row)
    return RepeatedPrediction(found.pop("id"), stored=True, facts=found)
