"""Figures of a database, by a filter given as keywords."""

from __future__ import annotations

from typing import Any

from catsdogs.database import Database
from catsdogs.database.roll_ups import Span
from catsdogs.model.card import SHIPPED, ModelCard, read_card
from catsdogs.monitoring import kpis, listings, model_health
from catsdogs.monitoring.figures import ModelHealth, RecentPrediction, Statistics
from catsdogs.monitoring.prediction_filter import PredictionFilter


def statistics(database: Database, **chosen: Any) -> Statistics:
    return database.run(lambda c: kpis.statistics(c, database.tables.predictions, PredictionFilter(**chosen)))


def recent_predictions(database: Database, limit: int = 10, **chosen: Any) -> list[RecentPrediction]:
    wanted = PredictionFilter(**chosen)
    return database.run(lambda c: listings.list_predictions(c, database.tables.predictions, wanted, limit))


def health(database: Database, reference_period: Span | None = None, **chosen: Any) -> ModelHealth:
    """Health by the card of the shipped version, the only one known."""
    wanted, table = PredictionFilter(**chosen), database.tables.predictions
    return database.run(lambda c: model_health.model_health(c, table, _card_of, wanted, reference_period))


def _card_of(version: str) -> ModelCard | None:
    return read_card(SHIPPED) if version == SHIPPED.name else None
