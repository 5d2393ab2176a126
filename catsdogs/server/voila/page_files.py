"""The static files of the apps' pages: ours, scripts that are joined from several files, and those of Voilà."""

from __future__ import annotations

from collections.abc import Callable
from functools import cache, partial
from importlib.util import find_spec
from pathlib import Path
from typing import Any

from jupyter_core.paths import jupyter_path
from voila.paths import collect_static_paths

from catsdogs.server.static_files import (
    OWN_FILES,
    Asset,
    Find,
    Folders,
    address_of,
    content_type_of,
    find_sample,
    script_asset,
)
from catsdogs.server.voila.bundle import bundle
from catsdogs.server.voila.patches import accept_older_versions
from catsdogs.server.voila.preload import preload_script
from catsdogs.widgets.assets import PAGES, page_style, shared_script

TEMPLATE = "lab"
"""Name of Voilà's template that ours extends."""


@cache
def _widgets_script() -> Asset:
    return script_asset(shared_script())


@cache
def _style(page: str) -> Asset:
    return Asset(page_style(page).encode(), content_type_of(f"{page}.css"))


@cache
def _plotly() -> Asset:
    """Return plotly.js, without the import of the Python package that holds it."""
    package = find_spec("plotly")
    assert package is not None
    assert package.origin is not None
    return script_asset((Path(package.origin).parent / "package_data" / "plotly.min.js").read_bytes())


_JOINED: dict[str, Callable[[], Asset]] = {
    "bundle.js": bundle,
    "preload.js": preload_script,
    "widgets.js": _widgets_script,
    **{f"{page}.css": partial(_style, page) for page in PAGES},
    "plotly.js": _plotly,
}


def _joined(name: str) -> Asset | None:
    return _JOINED[name]() if name in _JOINED else None


FILES: dict[str, Find] = {
    "/static/": OWN_FILES,
    "/app/": _joined,
    "/samples/": find_sample,
    "/voila/static/": Folders(*collect_static_paths(["voila"], TEMPLATE)),
    "/voila/labextensions/": Folders(
        *jupyter_path("labextensions"), *jupyter_path("voila", "labextensions"), patch=accept_older_versions
    ),
}
"""Functions that find the files, by the beginning of their paths."""


def url(path: str) -> str:
    """Return the address of a file, with its version; it has to be there."""
    prefix = next(prefix for prefix in FILES if path.startswith(prefix))
    return address_of(prefix, path.removeprefix(prefix), FILES[prefix])


def add_versions(page_config: dict[str, Any], **_: Any) -> dict[str, Any]:
    """Add its version to the address of each extension that the page loads (Voilà's hook)."""
    for extension in page_config["federated_extensions"]:
        path = f"/voila/labextensions/{extension['name']}/"
        extension["load"] = url(path + extension["load"]).removeprefix(path)
    return page_config


def compress() -> None:
    """Compress the scripts and style sheets of the pages, before the first page is requested."""
    for make in _JOINED.values():
        _ = make().gzip_body
