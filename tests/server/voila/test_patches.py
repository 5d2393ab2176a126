"""Each workaround for another package's defect: its effect, and that the defect still exists without it.

If a test of a defect fails after an update, the defect is gone or has changed: remove the workaround in
``catsdogs/server/voila/patches.py``, or adapt it.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
import subprocess
import sys
from collections.abc import AsyncIterator, Callable, Coroutine
from contextlib import aclosing
from functools import partial
from types import SimpleNamespace
from typing import Any
from unittest.mock import AsyncMock, MagicMock

import nbformat
import pytest
import voila.handler
from jupyter_server.base.websocket import WebSocketMixin
from jupyter_server.services.kernels.connection.channels import ZMQChannelsWebsocketConnection
from jupyter_server.services.kernels.websocket import KernelWebsocketHandler
from tornado.httpclient import AsyncHTTPClient
from tornado.httpserver import HTTPServer
from tornado.testing import bind_unused_port
from tornado.web import Application, HTTPError, RequestHandler
from tornado.websocket import WebSocketClosedError, WebSocketHandler
from voila.configuration import VoilaConfiguration
from voila.execute import VoilaExecutor
from voila.handler import VoilaHandler
from voila.notebook_renderer import NotebookRenderer

from catsdogs.server.http_server import AppHTTPServer
from catsdogs.server.kernels.execution import KernelFailed
from catsdogs.server.kernels.wire_protocol import PROTOCOL
from catsdogs.server.voila import patches
from catsdogs.server.voila.rendering import Renderer
from catsdogs.settings import Settings

Run = Callable[[Coroutine[Any, Any, Any]], Any]


def imported_by(statement: str) -> set[str]:
    """Run a statement in a new interpreter, and return the modules that are imported then."""
    code = f"import sys; {statement}; print(*[name for name, module in sys.modules.items() if module])"
    return set(subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout.split())


def test_jsonschema_builds_a_grammar_that_is_not_used() -> None:
    assert "lark" in imported_by("import jsonschema")
    assert "lark" not in imported_by("import catsdogs.server, jsonschema")


def test_voila_has_no_setting_for_its_renderer() -> None:
    assert "NotebookRenderer" in VoilaHandler.get_generator.__code__.co_names
    assert [name for name in VoilaConfiguration.class_trait_names() if "renderer" in name] == []


def test_voila_reads_the_notebook_for_each_page(run_alone: Run) -> None:
    async def reads(renderer_class: type[Any]) -> int:
        model = {"type": "notebook", "path": "predict.ipynb", "content": {"cells": []}}
        contents = SimpleNamespace(get=AsyncMock(return_value=model))
        configuration = VoilaConfiguration(attempt_fix_notebook=False)
        for _ in range(2):
            renderer = renderer_class(contents_manager=contents, voila_configuration=configuration)
            await renderer.load_notebook("predict.ipynb")
        return int(contents.get.call_count)

    assert run_alone(reads(NotebookRenderer)) == 2
    assert run_alone(reads(Renderer)) <= 1


def test_voila_waits_for_ever_for_a_page_that_fails(run_alone: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    async def fail(*_: Any) -> AsyncIterator[tuple[str, Any]]:
        yield "<html>", None
        raise KernelFailed("it died")

    async def parts(renderer: Any) -> list[str]:
        monkeypatch.setattr(voila.handler, "NotebookRenderer", lambda **_: renderer)
        monkeypatch.setattr(voila.handler, "get_page_config", MagicMock())
        handler = MagicMock(notebook_path="predict.ipynb")
        handler.request.host = "localhost"
        handler.voila_configuration = SimpleNamespace(
            http_keep_alive_timeout=0.01,
            http_header_envs=[],
            extension_language_mapping={},
            progressive_rendering=False,
        )
        handler.page_config_hook = None
        handler.should_use_rendered_notebook.return_value = False
        handler.kernel_manager.start_kernel = AsyncMock(return_value="1")
        async with aclosing(VoilaHandler.get_generator(handler)) as generator:
            return [part async for _, part in _at_most(4, generator)]

    unpatched = MagicMock(initialize=AsyncMock(), generate_content_generator=fail)
    heartbeat = "<script>window.voila_heartbeat()</script>\n"
    assert run_alone(parts(unpatched)) == ["<html>", heartbeat, heartbeat, heartbeat]

    class Unpatched:
        generate_content_generator = staticmethod(fail)

    class Patched(patches.RendererPatches, Unpatched):
        page_ending_errors = (KernelFailed,)
        initialize = AsyncMock()
        notebook = MagicMock()

    assert run_alone(parts(Patched())) == ["<html>"]


async def _at_most(most: int, items: Any) -> AsyncIterator[tuple[int, Any]]:
    number = 0
    async for item in items:
        yield number, item
        number += 1
        if number == most:
            return


def test_voila_starts_the_client_of_a_kernel_that_is_ready_as_if_it_were_not() -> None:
    """Its method is private: if it changes, ours has to be compared with it."""
    names = NotebookRenderer._jinja_kernel_start.__code__.co_names
    assert {"VoilaExecutor", "async_start_new_kernel_client", "kernel_started"} <= set(names)
    assert NotebookRenderer._jinja_kernel_start.__code__.co_varnames[:4] == ("self", "nb", "kernel_id", "kernel_future")


def test_voila_keeps_the_state_of_widgets_out_of_the_notebook(run_alone: Run) -> None:
    async def states(renderer_class: type[Any]) -> list[str]:
        cell = nbformat.v4.new_code_cell("import ipywidgets; ipywidgets.Box()")
        notebook = nbformat.v4.new_notebook(
            cells=[cell], metadata={"kernelspec": {"name": "python3", "display_name": ""}}
        )
        renderer = renderer_class(voila_configuration=VoilaConfiguration())
        renderer.executor, renderer.cwd = VoilaExecutor(notebook, kernel_name="python3"), ""
        async with renderer.executor.async_setup_kernel():
            async for _ in renderer._jinja_cell_generator(notebook, "1"):
                pass
        widgets = notebook.metadata.get("widgets", {}).values()
        return [model["model_name"] for widget in widgets for model in widget["state"].values()]

    assert run_alone(states(NotebookRenderer)) == []
    assert sorted(run_alone(states(Renderer))) == ["BoxModel", "LayoutModel"]


class _AddressHandler(RequestHandler):
    def get(self) -> None:
        self.write(f"{self.request.remote_ip} {self.request.protocol}")


@pytest.mark.parametrize(
    ("make_server", "believed"),
    [(HTTPServer, "203.0.113.99 https"), (partial(AppHTTPServer, settings=Settings()), "203.0.113.1 http")],
    ids=["Tornado's", "ours"],
)
def test_tornado_believes_headers_that_a_client_behind_a_proxy_may_set(
    run_alone: Run, make_server: Callable[..., HTTPServer], believed: str
) -> None:
    async def answer() -> str:
        server = make_server(Application([("/", _AddressHandler)]), xheaders=True)
        socket, port = bind_unused_port()
        server.add_sockets([socket])
        set_by_client = {"X-Real-IP": "203.0.113.99", "X-Scheme": "https"}
        set_by_proxy = {"X-Forwarded-For": "203.0.113.1", "X-Forwarded-Proto": "http"}
        response = await AsyncHTTPClient().fetch(f"http://127.0.0.1:{port}", headers=set_by_client | set_by_proxy)
        server.stop()
        return response.body.decode()

    assert run_alone(answer()) == believed


class PolledAgainError(Exception):
    """Ends a loop that would not end by itself."""


class _PatchedHandler(patches.KernelWebsocketPatches, KernelWebsocketHandler):
    def __init__(self, **attributes: Any) -> None:
        vars(self).update(attributes)


def test_jupyter_fails_where_a_page_closes_while_its_websocket_opens() -> None:
    with pytest.raises(AttributeError):
        KernelWebsocketHandler.select_subprotocol(MagicMock(connection=None), [PROTOCOL])  # type: ignore[no-untyped-call]
    with pytest.raises(HTTPError, match="404"):
        _PatchedHandler(connection=None).select_subprotocol([PROTOCOL])


def test_jupyter_keeps_a_websocket_that_was_never_open() -> None:
    channel = MagicMock(closed=lambda: False)
    connection = SimpleNamespace(_open_sessions={}, kernel_info_channel=channel)
    handler = _PatchedHandler(connection=connection)
    connection._open_sessions["page"] = handler
    handler.on_close()
    assert connection._open_sessions
    handler.release()
    assert not connection._open_sessions
    channel.close.assert_called_once()


def test_jupyter_logs_an_error_where_a_kernel_answers_a_page_that_has_just_closed(run_alone: Run) -> None:
    async def answer() -> None:
        handler = _PatchedHandler(ws_connection=None)
        with pytest.raises(WebSocketClosedError):
            KernelWebsocketHandler.write_message(handler, b"an answer", binary=True)
        sent = handler.write_message(b"an answer", binary=True)
        with pytest.raises(WebSocketClosedError):
            await sent

    run_alone(answer())


class _PingingHandler(WebSocketMixin, WebSocketHandler):
    """Jupyter's pings, without its sign-in and its kernel."""

    allow_origin, log = "*", logging.getLogger(__name__)

    def prepare(self) -> None:
        pass

    def close(self, code: int | None = None, reason: str | None = None) -> None:
        self.settings["closed"].set()
        super().close(code, reason)


class _PatchedPingingHandler(patches.KernelWebsocketPatches, _PingingHandler):
    open = _PingingHandler.open
    select_subprotocol = _PingingHandler.select_subprotocol


@pytest.mark.parametrize(("handler", "lives"), [(_PingingHandler, False), (_PatchedPingingHandler, True)])
def test_jupyter_closes_a_websocket_over_which_a_large_message_arrives_slowly(
    run_alone: Run, handler: type[WebSocketHandler], lives: bool
) -> None:
    async def send_slowly() -> bool:
        closed = asyncio.Event()
        server = HTTPServer(Application([("/", handler)], ws_ping_interval=50, ws_ping_timeout=200, closed=closed))
        listening, port = bind_unused_port()
        server.add_sockets([listening])
        reader, writer = await asyncio.open_connection("127.0.0.1", port)
        upgrade = (
            "GET / HTTP/1.1",
            "Host: x",
            "Connection: Upgrade",
            "Upgrade: websocket",
            "Sec-WebSocket-Version: 13",
        )
        writer.write("\r\n".join((*upgrade, f"Sec-WebSocket-Key: {'A' * 22}==", "", "")).encode())
        await reader.readuntil(b"\r\n\r\n")
        writer.write(
            b"\x82\xff" + (1_000_000).to_bytes(8) + bytes(4)
        )  # a message of a megabyte, of which more and more comes
        for _ in range(40):
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(closed.wait(), 0.025)
                break
            writer.write(bytes(100))
        server.stop()
        return not closed.is_set()

    assert run_alone(send_slowly()) is lives


def test_jupyter_waits_for_a_kernel_that_has_died(run_alone: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    kernel = SimpleNamespace(is_alive=AsyncMock(side_effect=[False, False, PolledAgainError]))
    manager = SimpleNamespace(kernel_info_timeout=60)
    connection: Any = SimpleNamespace(
        kernel_manager=kernel, multi_kernel_manager=manager, _register_session=AsyncMock()
    )
    with pytest.raises(PolledAgainError):
        run_alone(ZMQChannelsWebsocketConnection.prepare(connection))  # type: ignore[no-untyped-call]

    async def wait(_: Any) -> None:
        await asyncio.sleep(60)

    monkeypatch.setattr(KernelWebsocketHandler, "pre_get", wait)
    kernels = SimpleNamespace(is_running=AsyncMock(return_value=False))
    monkeypatch.setattr(_PatchedHandler, "kernel_manager", kernels)
    with pytest.raises(HTTPError, match="404"):
        run_alone(_PatchedHandler(kernel_id="1").pre_get())
