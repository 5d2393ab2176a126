"""Scripts, style sheets and texts that all widgets share, for kernels and for the server's preloaded page."""

from __future__ import annotations

from importlib import resources

from catsdogs import palette
from catsdogs.i18n import Translator

_FOLDER = resources.files("catsdogs.widgets") / "static"
_COLOURS = f".catsdogs {{ --cat: {palette.CAT}; --dog: {palette.DOG}; --neither: {palette.NEITHER}; }}\n"


def script(*names: str) -> str:
    """Join scripts of ``static/`` into one ES module, after the helpers of ``base.js``."""
    return "\n".join((_FOLDER / f"{name}.js").read_text(encoding="utf-8") for name in ("base", *names))


def style(*names: str) -> str:
    """Join style sheets of ``static/`` into one, after ``base.css`` and the colours of the answers."""
    return _COLOURS + "\n".join((_FOLDER / f"{name}.css").read_text(encoding="utf-8") for name in ("base", *names))


def common_texts(_: Translator) -> dict[str, str]:
    """Return the texts that every widget may show."""
    return {"lost": _("No answer came: the session seems to be lost. Reload the page and try again.")}
