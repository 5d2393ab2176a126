"""What all widgets share: a reply to each message."""

from __future__ import annotations

from collections.abc import Sequence

from catsdogs.errors import InvalidInput
from catsdogs.i18n import Translator
from catsdogs.widgets.base import KEPT_REPLIES, BaseWidget
from tests.widgets.helpers import Send


class _Counter(BaseWidget):
    _esm = "export default { render() {} };"

    def __init__(self) -> None:
        super().__init__(Translator("en"), {})
        self.count = 0

    def handle_message(self, content: dict[str, object], buffers: Sequence[memoryview]) -> None:
        self.count += 1
        raise InvalidInput(f"number {self.count}")


def test_a_message_that_the_page_sends_again_is_handled_once_and_gets_the_same_reply(send: Send) -> None:
    widget = _Counter()
    assert [send(widget, {"id": one}) for one in ("a", "b", "a", "b")] == ["number 1", "number 2"] * 2
    assert [send(widget, {}) for _ in range(2)] == ["number 3", "number 4"], "without an identifier, all are handled"
    for number in range(KEPT_REPLIES):
        send(widget, {"id": str(number)})
    assert send(widget, {"id": "0"}) == "number 5"
    assert send(widget, {"id": "a"}) == f"number {5 + KEPT_REPLIES}", "only the latest replies are kept"
