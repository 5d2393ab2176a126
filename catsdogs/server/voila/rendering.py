"""What makes Voilà's pages come sooner.

It reads the notebook and compiles the templates anew for each page, which was half of the time until the first
byte; and it meets each kernel as if that had to be waited for.
"""

from __future__ import annotations

import contextlib
import logging
from collections.abc import AsyncIterator
from copy import deepcopy
from typing import Any

import jinja2
import voila.handler
from jinja2 import meta
from jinja2.bccache import Bucket
from traitlets.config import Config
from voila.execute import VoilaExecutor
from voila.exporter import VoilaExporter
from voila.notebook_renderer import NotebookRenderer

from catsdogs import files
from catsdogs.server.kernels.base import KernelFailed, new_session
from catsdogs.server.voila import bundle, preload

logger = logging.getLogger(__name__)

TEMPLATE = "lab"
"""Voilà's template that ours extends."""


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

    templates = CompiledTemplates()
    _notebooks: dict[tuple[str, int], Any] = {}  # noqa: RUF012 (shared by all pages)

    async def initialize(self, **kwargs: Any) -> None:
        """Share the compiled templates; Voilà's exporter has an environment of its own for each page."""
        await super().initialize(**kwargs)
        self.exporter.environment.bytecode_cache = self.templates

    async def load_notebook(self, path: str) -> Any:
        """Give a notebook of one's own to change; read again when its file has changed."""
        version = path, (files.notebooks() / "apps" / path).stat().st_mtime_ns
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
        await self.request_handler.kernel_manager.meet(new_session.get(), self.executor)
        self.kernel_started = True
        return kernel_id


def prepare(template_paths: list[str], config: Config) -> None:
    """Do once what every page needs, so that the first visitor does not wait for it either."""
    bundle.bundle_url()
    preload.folder()
    environment = VoilaExporter(template_paths=template_paths, template_name=TEMPLATE, config=config).environment
    environment.bytecode_cache = Renderer.templates
    environment.filters.setdefault("highlight_code", str)  # made for each notebook: here, only its name counts
    wanted, seen = ["index.html.j2"], set[str]()
    while wanted:
        name = wanted.pop()
        if name in seen:
            continue
        seen.add(name)
        with contextlib.suppress(jinja2.TemplateNotFound):  # a template may extend another one conditionally
            source, _, _ = environment.loader.get_source(environment, name)
            environment.get_template(name)
            wanted += filter(None, meta.find_referenced_templates(environment.parse(source)))


def install() -> None:
    """Let Voilà's pages be rendered so; it offers no setting for that."""
    voila.handler.NotebookRenderer = Renderer
