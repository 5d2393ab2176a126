"""The browser's side of the messages between a page and its kernel."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import ipywidgets
import pytest
from comm.base_comm import BaseComm

from catsdogs.widgets.base import BaseWidget
from tests.widgets.messages import Received, Send


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
