"""Workarounds for defects of Jupyter, Voilà, Tornado and what they depend on, each with the version that needs it.

Whatever replaces a part of another package, overrides a private method of it, or depends on how its files are built,
is in this module. For each workaround, a test in ``tests/server/voila/test_patches.py`` shows the defect without it:
when that test fails, upstream has changed, and the workaround is adapted or removed.

Neither Jupyter nor Voilà is imported at the top of this module: :mod:`catsdogs.server` applies the first workaround
before either is imported.
"""

from __future__ import annotations

import asyncio
import logging
import re
import sys
from collections.abc import AsyncIterator, MutableMapping
from typing import TYPE_CHECKING, Any

from tornado.web import HTTPError

if TYPE_CHECKING:
    from voila.execute import VoilaExecutor

logger = logging.getLogger(__name__)


def skip_grammar_of_internationalised_addresses() -> None:
    """Make the import of ``rfc3987_syntax`` fail, unless it is imported already.

    For jsonschema 4.26, which Jupyter's event log imports. jsonschema uses that package, where it is installed, for the
    format "iri", which is not used here; its import builds a grammar, a fifth of the start-up time of the server.
    """
    sys.modules.setdefault("rfc3987_syntax", None)  # type: ignore[arg-type]


def set_renderer(renderer: type[Any]) -> None:
    """Have Voilà's pages rendered by `renderer`, a subclass of its ``NotebookRenderer``.

    For Voilà 0.5.13, which has no setting for that. Its own class reads the notebook and compiles the templates again
    for each page: half of the time until the first byte.
    """
    import voila.handler

    voila.handler.NotebookRenderer = renderer


class RendererPatches:
    """Changes how a page is rendered: a mixin before Voilà's ``NotebookRenderer``.

    For Voilà 0.5.13.
    """

    page_ending_errors: tuple[type[Exception], ...] = ()
    """Errors after which the page ends."""
    traitlet_config: Any
    executor: VoilaExecutor
    kernel_started: bool

    async def connect_executor(self, executor: VoilaExecutor) -> None:
        """Give `executor` a client of its kernel, which is ready to run the notebook."""
        raise NotImplementedError

    async def _jinja_kernel_start(self, nb: Any, kernel_id: str, kernel_future: Any) -> str:
        """Connect to the kernel by `connect_executor`; Voilà's way waits 0.2 s longer for a kernel that is ready."""
        from voila.execute import VoilaExecutor

        self.executor = VoilaExecutor(nb, km=kernel_future, config=self.traitlet_config)
        await self.connect_executor(self.executor)
        self.kernel_started = True
        return kernel_id

    async def generate_content_generator(self, kernel_id: str, kernel_future: Any) -> AsyncIterator[tuple[str, Any]]:
        """Generate the parts of the page, and end it at an error; Voilà's handler would wait for ever."""
        try:
            async for part in super().generate_content_generator(kernel_id, kernel_future):  # type: ignore[misc]
                yield part
        except self.page_ending_errors as error:
            logger.warning("%s: a page lost its kernel while it loaded", type(error).__name__)


EXTENSION_CHUNKS = {
    "@voila-dashboards/widgets-manager8": "496 883",
    "@jupyter-widgets/jupyterlab-manager": "7 32 84 121 160 170 452 704 718 967",
    "anywidget": "2 528",
}
"""Extensions of JupyterLab that our pages need, with the numbers of their webpack chunks.

For voila 0.5.13, jupyterlab_widgets 3.0.17 and anywidget 0.11.0. Voilà itself would load all extensions that are
installed, each chunk in a request of its own.
"""


def entry_chunks(entry_script: str) -> list[str]:
    """List the numbers of the chunks that Voilà's entry script loads when it starts, as Voilà 0.5.13 builds it."""
    return re.findall(r"\.e\((\d+)\)", entry_script)


FRONT_END_TIMEOUTS = {
    b"Date.now()-o<2e3": b"Date.now()-o<6e5",
    b"AbortSignal.timeout(2000)": b"AbortSignal.timeout(6e5)",
}
"""How long a page waits for its widgets: 2 s in other packages, and 10 minutes in ours.

The widget manager of jupyterlab_widgets 3.0.17 waits for the model of a widget; a browser that took longer to read the
models, some MB, showed "model not found" and nothing else. anywidget 0.11.0 waits for the script of a widget; a slow
phone or line took longer, and the widget then ignored all messages of its kernel, the answer to a photo among them.
"""


def extend_timeouts(script: bytes) -> bytes:
    """Return a chunk with the longer timeouts; one that has none is returned as it is."""
    for timeout, longer in FRONT_END_TIMEOUTS.items():
        script = script.replace(timeout, longer)
    return script


MATHJAX = b"?e.push(n(9762)):e.push(n(28796))"
"""Where the script of Voilà 0.5.13 adds the plugin for formulas, MathJax, to JupyterLab."""


def leave_out_mathjax(script: bytes) -> bytes:
    """Return a chunk without that: Voilà loads MathJax, a sixth of all scripts, for pages that have no formula, too."""
    return script.replace(MATHJAX, b"")


_REQUIRED_VERSIONS = {
    rb'("@jupyterlab/[a-z]+",import:null,requiredVersion:"\^\d+)\.\d+\.\d+"': rb'\1.0.0"',  # built by rspack
    rb'("@jupyterlab/[a-z]+",!1,\[1,\d+),\d+,\d+\]': rb"\1,0,0]",  # built by webpack
}


def accept_older_versions(script: bytes) -> bytes:
    """Have an extension accept each version of JupyterLab's packages with the major number that it was built with.

    For Voilà 0.5.13, which brings JupyterLab 4.2.5; its own widget manager asks for 4.5.10 or later, and that of
    jupyterlab_widgets 3.0.17 for 4.6.2. Both work, after a warning for each package in the browser's console.
    """
    for pattern, replacement in _REQUIRED_VERSIONS.items():
        script = re.sub(pattern, replacement, script)
    return script


def remove_forgeable_headers(headers: MutableMapping[str, str]) -> None:
    """Remove the headers of a request by which a client behind a proxy could choose its address or scheme.

    For Tornado 6.6, which prefers ``X-Real-IP`` and ``X-Scheme`` to ``X-Forwarded-For`` and ``X-Forwarded-Proto``.
    Every proxy sets the latter or appends to them; the former it passes on as the client sent them.
    """
    for name in ("X-Real-IP", "X-Scheme"):
        headers.pop(name, None)


class KernelWebsocketPatches:
    """Changes how a kernel's websocket is opened and closed: a mixin before Voilà's handler.

    For Jupyter Server 2.21 and Voilà 0.5.13.
    """

    kernel_id: str
    kernel_manager: Any
    connection: Any = None
    is_open = False

    async def pre_get(self) -> None:
        """Wait for the kernel's answer while it is alive; Jupyter waits a minute for one that has died.

        Raises
        ------
        HTTPError
            404: the kernel died.
        """
        connecting = asyncio.ensure_future(super().pre_get())  # type: ignore[misc]
        try:
            while not connecting.done():
                if not await self.kernel_manager.is_running(self.kernel_id):
                    raise HTTPError(404)
                await asyncio.wait([connecting], timeout=1)
            await connecting
        finally:
            connecting.cancel()

    def select_subprotocol(self, subprotocols: list[str]) -> str | None:
        """Choose the format of messages; Jupyter fails when the page was closed while its websocket was opened.

        Raises
        ------
        HTTPError
            404: the page was closed.
        """
        if self.connection is None:
            raise HTTPError(404)
        chosen: str | None = super().select_subprotocol(subprotocols)  # type: ignore[misc]
        return chosen

    async def open(self, kernel_id: str) -> None:
        """Connect to the kernel."""
        self.is_open = True
        await super().open(kernel_id)  # type: ignore[misc]

    def close(self, code: int | None = None, reason: str | None = None) -> None:
        """Close the websocket, and leave the kernel at once: what it sends from now on is kept for the page.

        Jupyter leaves it when the page has closed its side, too, or five seconds later. Meanwhile it takes the page for
        one that uses the older format of messages, and Voilà reads a binary message of that format in an endless loop.
        """
        super().close(code, reason)  # type: ignore[misc]
        self._leave_kernel()

    def on_close(self) -> None:
        """Leave the kernel when the page has closed its websocket."""
        self._leave_kernel()

    def _leave_kernel(self) -> None:
        """Disconnect from the kernel, once; Jupyter also counts down for a page that closed before it was connected."""
        connection, self.connection = self.connection, None
        if connection is not None and self.is_open:
            connection.disconnect()
