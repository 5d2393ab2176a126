"""The browser's side of the wire: what it asks of a part, and what it gets back."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import ipywidgets
import pytest
from comm.base_comm import BaseComm

from catsdogs.widgets.base import BaseWidget

Ask = Callable[..., str]


@pytest.fixture
def shown() -> list[tuple[Any, list[bytes]]]:
    """What parts send unasked, with its buffers; latest last."""
    return []


@pytest.fixture
def ask(monkeypatch: pytest.MonkeyPatch, shown: list[tuple[Any, list[bytes]]]) -> Iterator[Ask]:
    """Send a message to a part as the browser does; gives the sentence that comes back, "" if all is well."""
    replies: list[dict[str, Any]] = []

    class Wire(BaseComm):
        def publish_msg(
            self, msg_type: str, data: Any = None, metadata: Any = None, buffers: Any = None, **keys: Any
        ) -> None:
            if msg_type == "comm_msg" and data["method"] == "custom":
                content = data["content"]
                replies.append(content) if "reply" in content else shown.append((content, list(buffers or [])))

    monkeypatch.setattr(ipywidgets.comm, "create_comm", Wire)

    def ask(part: BaseWidget, content: Any, *buffers: bytes) -> str:
        replies.clear()
        message = {"content": {"data": {"method": "custom", "content": content}}}
        part._handle_msg(message | {"buffers": [memoryview(buffer) for buffer in buffers]})
        assert [reply["reply"] for reply in replies] == [content.get("id")]
        return str(replies[0]["problem"])

    yield ask
    ipywidgets.Widget.close_all()
