"""Fills a database with demonstration data, and removes exactly that again."""

from __future__ import annotations

import hashlib
import random
from datetime import datetime, timedelta

import sqlalchemy as sa

from catsdogs.alerting.lock import lock_alerts
from catsdogs.database import Database
from catsdogs.database.demo_ids import is_demo
from catsdogs.database.engine import UNLIMITED
from catsdogs.database.roll_ups import refresh
from catsdogs.database.tables import Tables
from catsdogs.demo.history import History, Incident, IncidentKind, Row
from catsdogs.domain import Consent, ConsentChannel
from catsdogs.errors import Conflict
from catsdogs.records.consents import ConsentRecord

DAYS = 60
"""Length of the history."""
LATEST_RATING = timedelta(minutes=1)
"""The history ends so long before the present, because people rate an answer some seconds after they got it."""
LONGEST_WINDOW = timedelta(days=31)
"""No packaged alert rule looks back longer."""
CONSENT_SHARE = 0.3
"""Share of the predictions whose person agrees that file name and comment are kept; of their ratings, this share has a
comment."""
COMMENTS = {
    1: ("It is my cat Minou!", "Correct, and fast.", "C’est bien mon chien."),
    0: ("The photo was rather dark.", "It took a long time today.", "Raté : c’est un renard."),
}
"""Comments that come with good (1) and with bad (0) ratings."""

_AGREES = Consent(filename_and_comment=True, channel=ConsentChannel.APP)


def fill(database: Database, now: datetime, *, days: int = DAYS, seed: int = 0, mixed: bool = False) -> int:
    """Fill the database with a history that ends now. Demonstration data that is there already is replaced.

    Parameters
    ----------
    now
        Time at which the rows are said to be stored.
    days, seed
        See :class:`catsdogs.demo.history.History`.
    mixed
        Whether the database may hold predictions of people.

    Returns
    -------
    int
        Number of predictions.

    Raises
    ------
    Conflict
        The database holds predictions of people, and not `mixed`.
    DatabaseError
    """
    predictions, consents = _records(make_history(now - LATEST_RATING, days, seed), now)
    tables = database.tables

    def work(connection: sa.Connection) -> None:
        if not mixed:
            _refuse_people(connection, tables)
        _delete(connection, tables)
        connection.execute(sa.insert(tables.consents), consents)
        connection.execute(sa.insert(tables.predictions), predictions)

    database.run(work, UNLIMITED)  # a slow machine needs long, and who fills a database waits for it
    _refresh_roll_ups(database)
    return len(predictions)


def remove(database: Database) -> int:
    """Remove all demonstration data and what was made from it, and nothing else.

    An alert counts as made from it if it began after the data was stored, and at most :data:`LONGEST_WINDOW` after the
    last prediction of the data: its rule may have looked at some of it.

    Returns
    -------
    int
        Number of predictions that were removed.

    Raises
    ------
    DatabaseError
    """
    removed = database.run(lambda connection: _delete(connection, database.tables), UNLIMITED)
    _refresh_roll_ups(database)
    return removed


def make_history(end: datetime, days: int, seed: int) -> History:
    """Return the history of some days: two bad days, two days of dark photos, half a day without any, a new version."""

    def incident(kind: IncidentKind, days_ago: float, length: float) -> Incident:
        start = end - timedelta(days=days_ago)
        return Incident(kind, start, start + timedelta(days=length))

    incidents = [
        incident(IncidentKind.NEW_VERSION, 60, 30),  # until then another version than the shipped one answers
        incident(IncidentKind.GAP, 41, 0.5),
        incident(IncidentKind.SLOW, 20, 2),
        incident(IncidentKind.DISSATISFIED, 20, 2),
        incident(IncidentKind.DARK_PHOTOS, 10, 2),
    ]
    return History(end - timedelta(days=days), days, incidents, seed)


def _refuse_people(connection: sa.Connection, tables: Tables) -> None:
    table = tables.predictions
    people = connection.scalar(sa.select(sa.func.count()).select_from(table).where(~is_demo(table.c.id)))
    if people:
        raise Conflict(
            "This database holds predictions of people ({n}), and demonstration data would change their figures. "
            "Choose another database, or add --mixed.",
            n=people,
        )


def _delete(connection: sa.Connection, tables: Tables) -> int:
    lock_alerts(connection)  # so that no evaluation stores an alert that it made from what is deleted here
    predictions, consents, alerts = tables.predictions, tables.consents, tables.alerts
    stored_at, last = connection.execute(
        sa.select(sa.func.min(predictions.c.created_at), sa.func.max(predictions.c.timestamp)).where(
            is_demo(predictions.c.id)
        )
    ).one()
    if last is not None:
        made_from_it = (alerts.c.since >= stored_at) & (alerts.c.since < last + LONGEST_WINDOW)
        connection.execute(sa.delete(alerts).where(made_from_it))
    deleted = connection.execute(sa.delete(predictions).where(is_demo(predictions.c.id))).rowcount
    connection.execute(sa.delete(consents).where(is_demo(consents.c.id)))
    return deleted


def _refresh_roll_ups(database: Database) -> None:
    while database.run(lambda connection: refresh(connection, database.tables)):
        pass


def _records(history: History, now: datetime) -> tuple[list[Row], list[Row]]:
    """Return the rows of predictions, and of the consents that some of them have."""
    choose = random.Random(history.seed)  # noqa: S311 (not for cryptography)
    template = ConsentRecord.create(_AGREES, now)[0].model_dump()
    predictions: list[Row] = []
    consents: list[Row] = []
    for row in history.rows():
        row["created_at"] = now
        predictions.append(row)
        if choose.random() >= CONSENT_SHARE:
            continue
        name = f"demonstration-{len(consents) + 1}"
        row |= {"rgpd_consent": True, "consent_id": row["id"], "filename": f"{name}.jpg"}
        if row["user_feedback"] is not None and choose.random() < CONSENT_SHARE:
            row["user_comment"] = choose.choice(COMMENTS[row["user_feedback"]])
        # the hash of no receipt code, so nobody can change this consent
        receipt_hash = hashlib.sha256(name.encode()).hexdigest()
        consents.append(template | {"id": row["id"], "decided_at": row["timestamp"], "receipt_hash": receipt_hash})
    return predictions, consents
