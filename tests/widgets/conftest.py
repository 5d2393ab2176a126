"""The browser's side of the messages between a page and its kernel."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

import ipywidgets
import pytest
import sqlalchemy as sa
from comm.base_comm import BaseComm

from catsdogs.database import Database
from catsdogs.domain import Answer, Consent
from catsdogs.errors import InvalidImage
from catsdogs.model.serving import ServedModel
from catsdogs.records.predictions import PredictionRecord
from catsdogs.service.interface import NO_CONSENT
from catsdogs.service.local import Local
from catsdogs.settings import Settings
from catsdogs.widgets.base import BaseWidget
from catsdogs.widgets.dashboard import Dashboard
from catsdogs.widgets.predict_app import PredictApp
from tests.storage import Storage
from tests.widgets.helpers import NAME, OpenApp, Predict, Received, Rows, Send


@pytest.fixture
def received() -> Received:
    """Messages that widgets send without a request, with their buffers; the latest is the last."""
    return []


@pytest.fixture
def send(monkeypatch: pytest.MonkeyPatch, received: Received) -> Iterator[Send]:
    """Send a message to a widget as the browser does; return the error message of the reply, or ""."""
    replies: list[dict[str, Any]] = []

    class RecordingComm(BaseComm):
        def publish_msg(
            self,
            msg_type: str,
            data: dict[str, Any] | None = None,
            metadata: dict[str, Any] | None = None,
            buffers: list[bytes] | None = None,
            **keys: Any,
        ) -> None:
            if msg_type != "comm_msg" or data is None or data["method"] != "custom":
                return
            if "reply" in data["content"]:
                replies.append(data["content"])
            else:
                received.append((data["content"], list(buffers or [])))

    monkeypatch.setattr(ipywidgets.comm, "create_comm", RecordingComm)

    def send(widget: BaseWidget, content: dict[str, Any], *buffers: bytes) -> str:
        replies.clear()
        message = {"content": {"data": {"method": "custom", "content": content}}}
        widget._handle_msg(message | {"buffers": [memoryview(buffer) for buffer in buffers]})
        assert [reply["reply"] for reply in replies] == [content.get("id")]
        return str(replies[0]["problem"])

    yield send
    ipywidgets.Widget.close_all()


@pytest.fixture
def service(storage: Storage, database: Settings) -> Iterator[Local]:
    """The service in this process; its model is not used here."""
    with Local(ServedModel(database), database) as service:
        yield service


@pytest.fixture
def predict(storage: Storage, make_record: Any) -> Predict:
    """Store a prediction of some age."""

    def predict(age: timedelta = timedelta(), consent: Consent = NO_CONSENT, **values: Any) -> PredictionRecord:
        record: PredictionRecord = make_record(consent, NAME)[0]
        record = record.model_copy(update={"timestamp": datetime.now(UTC) - age, **values})
        assert storage.writer.store_prediction(record)
        return record

    return predict


@pytest.fixture
def open_app(service: Local, send: Send) -> OpenApp:
    def open_app(language: str = "en", query: str = "") -> Dashboard:
        return Dashboard(lambda: service, language, query)

    return open_app


@pytest.fixture
def predict_app(database: Settings, send: Send) -> Iterator[PredictApp]:
    """The prediction app, on the service in this process."""
    with Local.open(database) as service:
        yield PredictApp(lambda: service, "en")


@pytest.fixture
def rows(database: Settings) -> Rows:
    """Return the rows of the predictions, oldest first."""

    def rows() -> list[dict[str, Any]]:
        store = Database(database)
        table = store.tables.predictions
        with store.engine.connect() as connection:
            found = connection.execute(sa.select(table).order_by(table.c.timestamp)).mappings().all()
        store.close()
        return [dict(row) for row in found]

    return rows


@pytest.fixture
def busy(predict: Predict, service: Local) -> None:
    """Store a cat, a slow dog of another model version, a photo of neither, and an unreadable one, within a week."""
    cat = predict(timedelta(minutes=10), Consent(filename_and_comment=True), inference_time_ms=2.0)
    dog = predict(
        timedelta(hours=3),
        prediction_result=Answer.DOG,
        proba_cat=0.2,
        proba_dog=0.8,
        inference_time_ms=6.0,
        model_version="test-2",
    )
    predict(timedelta(days=5), prediction_result=Answer.NEITHER, neither_score=0.7, inference_time_ms=1234.5)
    service.give_feedback(cat.id, user_feedback=1, user_comment="<b>mine</b>")
    service.give_feedback(dog.id, user_feedback=0)
    failure = PredictionRecord.of_failure(InvalidImage("no"), "test-1")
    service._writer.store_prediction(failure.model_copy(update={"timestamp": datetime.now(UTC) - timedelta(days=6)}))
