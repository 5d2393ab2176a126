"""How sure people were told that the model is, in SQL: the same figures as those of a prediction in Python."""

from __future__ import annotations

from typing import Any

import sqlalchemy as sa

from catsdogs.domain import Answer


def animal_and_neither(rows: sa.FromClause) -> tuple[sa.ColumnElement[float], sa.ColumnElement[float]]:
    """Return the probability of the likelier animal, and that of neither, see `Prediction.probabilities`.

    Rows of V2 have no score for "neither": it counts as 0.
    """
    neither = sa.func.coalesce(rows.c.neither_score, 0.0)
    return sa.func.greatest(rows.c.proba_cat, rows.c.proba_dog) * (1 - neither), neither


def answer_probability(rows: sa.FromClause) -> sa.ColumnElement[Any]:
    """Return the probability of the answer, see `Prediction.probability`; ``NULL`` where there is no answer."""
    animal, neither = animal_and_neither(rows)
    return sa.case((rows.c.prediction_result == Answer.NEITHER, neither), else_=animal)
