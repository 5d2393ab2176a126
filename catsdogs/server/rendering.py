"""What makes Voilà's pages come sooner.

It reads the notebook and compiles the templates anew for each page, which was half of the time until the first
byte; and it asks for its front end, megabytes of scripts, only when the kernel has run the notebook.
"""

from __future__ import annotations

import logging
import re
from collections.abc import AsyncIterator
from copy import deepcopy
from functools import cache
from pathlib import Path
from typing import Any

import jinja2
import voila.handler
from jinja2.bccache import Bucket
from jupyter_core.paths import jupyter_path
from voila.execute import VoilaExecutor
from voila.notebook_renderer import NotebookRenderer

from catsdogs import paths
from catsdogs.server.kernels import KernelFailed, opening

logger = logging.getLogger(__name__)


class CompiledTemplates(jinja2.BytecodeCache):
    """Keeps compiled templates in memory; a bucket's checksum tells a template that has changed."""

    def __init__(self) -> None:
        self._compiled: dict[str, bytes] = {}

    def load_bytecode(self, bucket: Bucket) -> None:
        """Give what was kept."""
        if bucket.key in self._compiled:
            bucket.bytecode_from_string(self._compiled[bucket.key])

    def dump_bytecode(self, bucket: Bucket) -> None:
        """Keep what was compiled."""
        self._compiled[bucket.key] = bucket.bytecode_to_string()


class Renderer(NotebookRenderer):  # type: ignore[misc]
    """Renders one page."""

    _templates = CompiledTemplates()
    _notebooks: dict[tuple[str, int], Any] = {}  # noqa: RUF012 (shared by all pages)

    async def initialize(self, **kwargs: Any) -> None:
        """Share the compiled templates; Voilà's exporter has an environment of its own for each page."""
        await super().initialize(**kwargs)
        self.exporter.environment.bytecode_cache = self._templates

    async def load_notebook(self, path: str) -> Any:
        """Give a notebook of one's own to change; read again when its file has changed."""
        version = path, (paths.notebooks() / "apps" / path).stat().st_mtime_ns
        if version not in self._notebooks:
            self._notebooks[version] = await super().load_notebook(path)
        return deepcopy(self._notebooks[version])

    async def generate_content_generator(self, kernel_id: str, kernel_future: Any) -> AsyncIterator[tuple[str, Any]]:
        """Give the page's parts; an error ends it, where Voilà's own would go on waiting for more."""
        self.notebook.metadata["catsdogs"]["kernel"] = kernel_id  # known to the page, and so to its heartbeat, at once
        try:
            async for part in super().generate_content_generator(kernel_id, kernel_future):
                yield part
        except KernelFailed as error:
            logger.warning("%s: a page lost its kernel while it loaded", type(error).__name__)

    async def _jinja_kernel_start(self, nb: Any, kernel_id: str, kernel_future: Any) -> str:
        """Let kernel and visitor meet in our way."""
        self.executor = VoilaExecutor(nb, km=kernel_future, config=self.traitlet_config)
        await self.request_handler.kernel_manager.meet(opening.get(), self.executor)
        self.kernel_started = True
        return kernel_id


@cache
def scripts() -> list[str]:
    """List what the front end's entry loads first: pages ask for it at once, and it comes while the kernel starts."""
    for folder in jupyter_path("voila", "templates", "base", "static"):
        entry = Path(folder) / "voila.js"
        if entry.exists():
            numbers = dict.fromkeys(re.findall(r"\.e\((\d+)\)", entry.read_text(encoding="utf-8")))
            chunks = [f"{number}.voila.js" for number in numbers]
            return [entry.name, *(chunk for chunk in chunks if (entry.parent / chunk).exists())]
    return []


def install() -> None:
    """Let Voilà's pages be rendered so; it offers no setting for that."""
    voila.handler.NotebookRenderer = Renderer
