"""The static files of the apps' pages: a script and a style sheet for each page, joined from several files."""

from __future__ import annotations

from collections.abc import Callable
from functools import cache, partial
from importlib.util import find_spec
from pathlib import Path

from catsdogs.server.static_files import (
    OWN_FILES,
    STATIC,
    Asset,
    Find,
    Folders,
    address_of,
    content_type_of,
    find_sample,
    script_asset,
)
from catsdogs.widgets.assets import PAGES, page_script, page_style

_FRONT_END = Folders(Path(__file__).parents[1] / "front_end" / "built")
_PRELOADED_PAGES = ("inference",)


def _own(*names: str) -> str:
    return "\n".join((STATIC / name).read_text(encoding="utf-8") for name in names)


@cache
def _script(page: str) -> Asset:
    """Return the script of a page: its session, the scripts of its widgets, and what draws some of them first."""
    preload = _own("preload.js") if page in _PRELOADED_PAGES else ""
    return script_asset("\n".join((_own("session.js"), page_script(page), preload)))


@cache
def _style(page: str) -> Asset:
    return Asset(f"{_own('style.css', 'app.css')}\n{page_style(page)}".encode(), content_type_of(f"{page}.css"))


@cache
def _plotly() -> Asset:
    """Return plotly.js, without the import of the Python package that holds it."""
    package = find_spec("plotly")
    assert package is not None
    assert package.origin is not None
    return script_asset((Path(package.origin).parent / "package_data" / "plotly.min.js").read_bytes())


_JOINED: dict[str, Callable[[], Asset]] = {
    **{f"{page}.js": partial(_script, page) for page in PAGES},
    **{f"{page}.css": partial(_style, page) for page in PAGES},
    "plotly.js": _plotly,
}


def _app_file(name: str) -> Asset | None:
    return _JOINED[name]() if name in _JOINED else _FRONT_END(name)


FILES: dict[str, Find] = {"/static/": OWN_FILES, "/app/": _app_file, "/samples/": find_sample}
"""Functions that find the files, by the beginning of their paths."""


def url(path: str) -> str:
    """Return the address of a file, with its version; it has to be there."""
    prefix = next(prefix for prefix in FILES if path.startswith(prefix))
    return address_of(prefix, path.removeprefix(prefix), FILES[prefix])


def compress() -> None:
    """Compress the scripts and style sheets of the pages, before the first page is requested."""
    for name in (*_JOINED, "front_end.js"):
        asset = _app_file(name)
        assert asset is not None
        _ = asset.gzip_body
