"""Refuse moments, times and figures out of all bounds, and note which receipts were erased.

A table of V2 may hold a prediction of the year 9999, which was taken over: every figure over all time then failed. Rows
that break the new rules are corrected, and their number is logged:

- A prediction's time before 1970 or after 2099 becomes the time at which it was stored, or else the present. Such a
  time at which it was stored, or of its feedback, becomes its time.
- Such a time of a decision or a photo becomes the present: its retention counts from now.
- An inference time of more than a day becomes one day; a sharpness that is no finite number is cleared.

A downgrade cannot restore these values. It drops the table of erased receipts.
"""

# ruff: noqa: S608 (the one name in the statements is that of a table, whose letters Settings has checked)

import logging

import sqlalchemy as sa
from alembic import op

revision = "0008"
down_revision = "0007"

_log = logging.getLogger(__name__)
_DAY = 86_400_000


def _within(column: str) -> str:
    return f"{column} >= '1970-01-01 00:00+00' AND {column} < '2100-01-01 00:00+00'"


_TIMED = {"consents": ("decided_at", "withdrawn_at"), "photos": ("created_at", "reviewed_at")}


def upgrade() -> None:
    """Correct the rows, add the constraints, and create the table of erased receipts."""
    name = op.get_context().opts["table"]
    _correct(name)
    for column in ("timestamp", "created_at", "feedback_at"):
        op.create_check_constraint(f"{column}_bounds", name, _within(f'"{column}"'))
    op.drop_constraint("inference_time", name)
    op.create_check_constraint("inference_time", name, f"inference_time_ms BETWEEN 0 AND {_DAY}")
    op.drop_constraint("image", name)
    op.create_check_constraint(
        "image",
        name,
        "width > 0 AND height > 0 AND brightness BETWEEN 0 AND 1 AND sharpness >= 0 AND sharpness < 'Infinity'",
    )
    for table, columns in _TIMED.items():
        for column in columns:
            op.create_check_constraint(f"{column}_bounds", table, _within(column))
    for table in (f"{name}_summary", f"{name}_stale"):
        op.create_check_constraint("start_bounds", table, _within("start"))
    op.create_table(
        "erased_receipts",
        sa.Column("receipt_hash", sa.Text, primary_key=True),
        sa.Column("erased_at", sa.DateTime(timezone=True), server_default=sa.func.now(), nullable=False),
        sa.CheckConstraint("receipt_hash ~ '^[0-9a-f]{64}$'", "receipt_hash_sha256"),
    )


def downgrade() -> None:
    """Drop the table, and restore the constraints as they were."""
    name = op.get_context().opts["table"]
    op.drop_table("erased_receipts")
    for table in (f"{name}_summary", f"{name}_stale"):
        op.drop_constraint("start_bounds", table)
    for table, columns in _TIMED.items():
        for column in columns:
            op.drop_constraint(f"{column}_bounds", table)
    op.drop_constraint("image", name)
    op.create_check_constraint(
        "image", name, "width > 0 AND height > 0 AND brightness BETWEEN 0 AND 1 AND sharpness >= 0"
    )
    op.drop_constraint("inference_time", name)
    op.create_check_constraint("inference_time", name, "inference_time_ms >= 0 AND inference_time_ms < 'Infinity'")
    for column in ("timestamp", "created_at", "feedback_at"):
        op.drop_constraint(f"{column}_bounds", name)


def _correct(name: str) -> None:
    moment = f"""CASE WHEN {_within('"timestamp"')} THEN "timestamp" WHEN {_within("created_at")} THEN created_at
        ELSE now() END"""
    wrong = f"""NOT ({_within('"timestamp"')}) OR NOT ({_within("created_at")}) OR NOT ({_within("feedback_at")})
        OR inference_time_ms > {_DAY} OR sharpness >= 'Infinity'"""
    predictions = f"""UPDATE "{name}" SET "timestamp" = {moment},
        created_at = CASE WHEN {_within("created_at")} THEN created_at ELSE {moment} END,
        feedback_at = CASE WHEN {_within("feedback_at")} THEN feedback_at
            WHEN feedback_at IS NOT NULL THEN {moment} END,
        inference_time_ms = least(inference_time_ms, {_DAY}),
        sharpness = CASE WHEN sharpness < 'Infinity' THEN sharpness END
        WHERE {wrong}"""
    _execute(predictions, "corrected %d predictions: a time or a figure was out of all bounds")
    for table, columns in _TIMED.items():
        for column in columns:
            _execute(
                f"UPDATE {table} SET {column} = now() WHERE NOT ({_within(column)})",
                f"corrected %d rows of {table}: {column} was out of all bounds",
            )
    for table in (f"{name}_summary", f"{name}_stale"):  # of hours in which no prediction is left
        op.execute(f'DELETE FROM "{table}" WHERE NOT ({_within("start")})')


def _execute(statement: str, message: str) -> None:
    if corrected := op.get_bind().execute(sa.text(statement)).rowcount:
        _log.warning(message, corrected)
