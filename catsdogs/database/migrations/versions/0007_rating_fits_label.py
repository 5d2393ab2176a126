"""Refuse a label that contradicts its rating, and clear those that are stored.

Such rows come from people who changed their mind: "no", "it shows neither", "no", "yes" left the label beside the last
rating. The app always sent a label together with a rating, so that a rating alone was the later of the two, and the one
that the page showed. It stays, and the label is cleared. Figures of ratings, and so the roll-ups, stay as they are.

A downgrade cannot restore these labels.
"""

import logging

import sqlalchemy as sa
from alembic import op

revision = "0007"
down_revision = "0006"

_log = logging.getLogger(__name__)
_RULE = (
    "user_feedback <> CASE WHEN prediction_result = 'error' THEN NULL WHEN true_label = prediction_result THEN 0"
    " WHEN true_label = 'both' AND prediction_result <> 'neither' THEN NULL"
    " WHEN true_label <> prediction_result THEN 1 END"
)


def upgrade() -> None:
    """Clear the labels, and add the constraint."""
    name = op.get_context().opts["table"]
    clear = f'UPDATE "{name}" SET true_label = NULL WHERE true_label IS NOT NULL AND NOT ({_RULE})'  # noqa: S608
    cleared = op.get_bind().execute(sa.text(clear)).rowcount
    if cleared:
        _log.warning("cleared the labels of %d predictions: a later rating contradicts them", cleared)
    op.create_check_constraint("rating_fits_label", name, _RULE)


def downgrade() -> None:
    """Drop the constraint."""
    op.drop_constraint("rating_fits_label", op.get_context().opts["table"])
