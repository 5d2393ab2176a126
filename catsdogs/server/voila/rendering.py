"""Rendering of the apps' pages: Voilà's renderer, with notebooks and compiled templates kept in memory."""

from __future__ import annotations

import contextlib
from collections.abc import AsyncIterator, Callable
from copy import deepcopy
from typing import Any

import jinja2
import nbformat
from jinja2 import meta
from jinja2.bccache import Bucket
from jupyter_client.kernelspec import KernelSpecManager
from traitlets.config import Config
from voila.execute import VoilaExecutor
from voila.exporter import VoilaExporter
from voila.notebook_renderer import NotebookRenderer

from catsdogs import files
from catsdogs.server.kernels.execution import KernelFailed
from catsdogs.server.kernels.session import new_session
from catsdogs.server.voila import page_files
from catsdogs.server.voila.patches import RendererPatches

TEMPLATE = "lab"
"""Name of one of Voilà's templates; the file that Voilà looks for in it is ours."""


class TemplateCache(jinja2.BytecodeCache):
    """Keeps compiled templates in memory; Jinja compares checksums, and compiles a changed template again."""

    def __init__(self) -> None:
        self._compiled: dict[str, bytes] = {}

    def load_bytecode(self, bucket: Bucket) -> None:
        """Load a compiled template, if there is one."""
        if bucket.key in self._compiled:
            bucket.bytecode_from_string(self._compiled[bucket.key])

    def dump_bytecode(self, bucket: Bucket) -> None:
        """Store a compiled template."""
        self._compiled[bucket.key] = bucket.bytecode_to_string()


class Renderer(RendererPatches, NotebookRenderer):  # type: ignore[misc]
    """Renders one page of an app."""

    page_ending_errors = (KernelFailed,)
    template_cache = TemplateCache()
    _notebooks: dict[tuple[str, int], Any] = {}  # noqa: RUF012 (shared by all pages)

    async def initialize(self, **kwargs: Any) -> None:
        """Share the compiled templates; Voilà makes an exporter, with its own Jinja environment, for each page."""
        await super().initialize(**kwargs)
        _extend(self.exporter.environment, self.request_handler.address)

    async def load_notebook(self, path: str) -> Any:
        """Return a copy of a notebook, which is read again when its file has changed."""
        version = path, (files.notebooks() / "apps" / path).stat().st_mtime_ns
        if version not in self._notebooks:
            self._notebooks[version] = await super().load_notebook(path)
        return deepcopy(self._notebooks[version])

    async def generate_content_generator(self, kernel_id: str, kernel_future: Any) -> AsyncIterator[tuple[str, Any]]:
        """Generate the parts of the page, which names its kernel from the start, so that its heartbeat can begin."""
        self.notebook.metadata["catsdogs"]["kernel"] = kernel_id
        async for part in super().generate_content_generator(kernel_id, kernel_future):
            yield part

    async def connect_executor(self, executor: VoilaExecutor) -> None:
        """Set the session's environment variables in its kernel, and give `executor` the client that did it."""
        executor.kc = await self.request_handler.kernel_manager.prepare_session(new_session.get())


def _extend(environment: jinja2.Environment, address: Callable[[str], str] = str) -> None:
    environment.bytecode_cache = Renderer.template_cache
    environment.globals["url"] = lambda path: address(page_files.url(path))


def prepare(template_paths: list[str], config: Config) -> None:
    """Do what the first page would wait for: imports, notebooks' schema, compiled templates and compressed scripts."""
    KernelSpecManager().get_kernel_spec("python3")  # it imports IPython
    for notebook in (files.notebooks() / "apps").glob("*.ipynb"):
        nbformat.read(notebook, as_version=4)  # it compiles the schema that notebooks are checked with
    _compile_templates(template_paths, config)
    page_files.compress()


def _compile_templates(template_paths: list[str], config: Config) -> None:
    environment = VoilaExporter(template_paths=template_paths, template_name=TEMPLATE, config=config).environment
    _extend(environment)
    environment.filters.setdefault("highlight_code", str)  # only its name counts: added for each notebook
    pending, compiled = ["index.html.j2"], set[str]()
    while pending:
        name = pending.pop()
        if name in compiled:
            continue
        compiled.add(name)
        with contextlib.suppress(jinja2.TemplateNotFound):  # a template may extend another one conditionally
            source, _, _ = environment.loader.get_source(environment, name)
            environment.get_template(name)
            pending += filter(None, meta.find_referenced_templates(environment.parse(source)))
