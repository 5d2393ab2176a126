"""Firefox for Selenium without geckodriver, which Debian does not package.

Firefox's own WebDriver is called Marionette. Its commands and answers are those of the W3C WebDriver, but sent as JSON
over a TCP connection, with the length before it; geckodriver translates between this and HTTP.
Protocol: https://firefox-source-docs.mozilla.org/testing/marionette/Protocol.html
"""

from __future__ import annotations

import json
import socket
from typing import Any

from selenium.webdriver.remote.client_config import ClientConfig
from selenium.webdriver.remote.command import Command
from selenium.webdriver.remote.remote_connection import RemoteConnection

COMMANDS = {
    Command.NEW_SESSION: "NewSession",
    Command.QUIT: "DeleteSession",
    Command.GET: "Navigate",
    Command.REFRESH: "Refresh",
    Command.GO_BACK: "Back",
    Command.SET_WINDOW_RECT: "SetWindowRect",
    Command.FIND_ELEMENTS: "FindElements",
    Command.CLICK_ELEMENT: "ElementClick",
    Command.SEND_KEYS_TO_ELEMENT: "ElementSendKeys",
    Command.GET_ELEMENT_TEXT: "GetElementText",
    Command.W3C_EXECUTE_SCRIPT: "ExecuteScript",
}
"""The commands that the tests need: Selenium's names, and Marionette's."""


class Marionette(RemoteConnection):
    """Selenium's connection to a Firefox that was started with ``--marionette`` and listens on `port`."""

    browser_name = "firefox"

    def __init__(self, port: int) -> None:
        super().__init__(client_config=ClientConfig(remote_server_addr=f"http://127.0.0.1:{port}"))
        self._stream = socket.create_connection(("127.0.0.1", port), timeout=60).makefile("rwb")
        self._sent = 0
        self._receive()  # who answers, and which version of the protocol

    def execute(self, command: str, params: dict[str, Any]) -> dict[str, Any]:
        """Send a command; return its answer, or its error as Selenium expects it."""
        values = {name: value for name, value in params.items() if name != "sessionId"}
        if command == Command.NEW_SESSION:
            values = values["capabilities"]["alwaysMatch"]
        self._sent += 1
        message = json.dumps([0, self._sent, f"WebDriver:{COMMANDS[command]}", values]).encode()
        self._stream.write(b"%d:%b" % (len(message), message))
        self._stream.flush()
        _, _, error, result = self._receive()
        if error:
            return {"status": 500, "value": json.dumps({"value": error})}
        return result if isinstance(result, dict) and "value" in result else {"value": result}

    def close(self) -> None:
        """Close the connection."""
        self._stream.close()

    def _receive(self) -> Any:
        length = b""
        while not length.endswith(b":"):
            digit = self._stream.read(1)
            if not digit:
                raise ConnectionError("Firefox has ended")
            length += digit
        return json.loads(self._stream.read(int(length[:-1])))
