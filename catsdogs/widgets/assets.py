"""Scripts, style sheets and texts that all widgets share, for kernels and for the server's pages.

A page of our server loads the scripts and style sheets of its widgets from the server, which browsers keep; a widget
sends only its name. In JupyterLab, and in Voilà without our server, each widget sends its own.
"""

from __future__ import annotations

import os
from collections.abc import Callable
from functools import cache
from importlib import resources

from catsdogs import palette
from catsdogs.i18n import Translator
from catsdogs.service import URL_VARIABLE

_FOLDER = resources.files("catsdogs.widgets") / "static"
_COLOURS = f".catsdogs {{ --cat: {palette.CAT}; --dog: {palette.DOG}; --neither: {palette.NEITHER}; }}\n"
_EXPORT = "export default { render };\n"
"""The last line of a widget's script."""

WIDGETS: dict[str, tuple[str, ...]] = {
    "alert_list": (),
    "answer_card": (),
    "charts": ("files",),
    "comment_form": ("visit_store", "photo_shown", "photo_form", "confirm"),
    "consent_form": ("photo_shown", "photo_form", "confirm"),
    "controls": (),
    "feedback_form": ("photo_shown", "photo_form"),
    "kpi_tiles": (),
    "model_health": ("table",),
    "my_data": ("confirm",),
    "page_header": (),
    "photo_input": (
        "preloaded",
        "visit_store",
        "photo_shown",
        "canvas_check",
        "photo_metadata",
        "photo_file",
        "photo_sources",
        "activation_map",
        "sample_list",
        "photo_list",
        "photo_visit",
        "photo_stage",
        "confirm",
        "start_over",
    ),
    "photo_review": (),
    "predictions_table": ("table", "files"),
    "receipt_card": ("visit_store",),
}
"""Names of the widgets' scripts, each with the names of the other scripts that are joined before it."""

PAGES: dict[str, tuple[str, ...]] = {
    "inference": (
        "page_header",
        "photo_input",
        "answer_card",
        "feedback_form",
        "comment_form",
        "receipt_card",
        "consent_form",
        "my_data",
    ),
    "monitoring": (
        "page_header",
        "controls",
        "alert_list",
        "kpi_tiles",
        "charts",
        "predictions_table",
        "model_health",
    ),
}
"""Widgets of each page of our server, in the order of their style sheets."""


def script(name: str, before: Callable[[], str] = str) -> str:
    """Return the ES module of a widget, with the script that `before` returns before it.

    For a page of our server, it only names the widget in the script that the page loads (:func:`module`; the front end
    says where it is), without `before`.
    """
    if URL_VARIABLE in os.environ:
        return f"export default () => catsdogs.{name}();"
    return before() + _read("js", "base", *WIDGETS[name], name)


def style(*names: str) -> str:
    """Join style sheets of ``static/`` into one; for a page of our server, which loads them all, it is empty."""
    return "" if URL_VARIABLE in os.environ else _style(*names)


def module(*names: str) -> str:
    """Return an ES module that exports, for each of these widgets, a function to what its own module would export."""
    return _read("js", "base") + "".join(map(_factory, names))


@cache
def page_script(page: str) -> str:
    """Return the module of a page's widgets."""
    return module(*PAGES[page])


@cache
def page_style(page: str) -> str:
    """Return the style sheets of a page's widgets, and of the scripts that are joined to theirs."""
    names = dict.fromkeys(part for name in PAGES[page] for part in (*WIDGETS[name], name))
    return _style(*(name for name in names if (_FOLDER / f"{name}.css").is_file()))


def _factory(name: str) -> str:
    own = _read("js", *WIDGETS[name], name)
    assert own.endswith(_EXPORT), name
    return f"\nexport async function {name}() {{\n{own.removesuffix(_EXPORT)}return {{ render }};\n}}\n"


def _style(*names: str) -> str:
    return _COLOURS + _read("css", "base", *names)


def _read(suffix: str, *names: str) -> str:
    return "\n".join((_FOLDER / f"{name}.{suffix}").read_text(encoding="utf-8") for name in names)


def common_texts(_: Translator) -> dict[str, str]:
    """Return the texts that every widget may show."""
    return {
        "lost": _("No answer came: the session seems to be lost. Reload the page and try again."),
        "labelled": _("{label}: {text}"),
    }
