"""A database with something to report."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from catsdogs.domain import Answer, Consent
from catsdogs.errors import InvalidImage
from catsdogs.records.feedback import FeedbackRecord
from catsdogs.records.predictions import PredictionRecord
from tests.storage import Storage

COMMENT = "</script><script>alert(1)</script>"
NAME = "chelsea.jpg"


@pytest.fixture
def yesterday() -> datetime:
    """Midday of yesterday, UTC."""
    return datetime.now(UTC).replace(hour=12, minute=0, second=0, microsecond=0) - timedelta(days=1)


@pytest.fixture
def filled(storage: Storage, make_record: Callable[..., Any], yesterday: datetime) -> None:
    """Yesterday: 5 cats, 3 dogs, 1 neither, 1 unreadable; 3 of 4 satisfied; one comment. Two weeks ago: one cat."""
    dog = {"prediction_result": Answer.DOG, "proba_cat": 0.25, "proba_dog": 0.75, "inference_time_ms": 9.5}
    neither = {"prediction_result": Answer.NEITHER, "neither_score": 0.75}
    kinds: list[dict[str, Any]] = [{}] * 5 + [dog] * 3 + [neither]
    for index, values in enumerate(kinds):
        record, _receipt = make_record(Consent(filename_and_comment=index == 0), NAME)
        at = yesterday + timedelta(minutes=index)
        assert storage.writer.store_prediction(record.model_copy(update=values | {"timestamp": at}))
        if index < 4:
            storage.writer.store_feedback(
                FeedbackRecord.create(record.id, int(index != 3), COMMENT if index == 0 else None, None)
            )
    failure = PredictionRecord.of_failure(InvalidImage("no"), "test-1")
    storage.writer.store_prediction(failure.model_copy(update={"timestamp": yesterday}))
    old, _receipt = make_record()
    storage.writer.store_prediction(old.model_copy(update={"timestamp": yesterday - timedelta(days=14)}))
