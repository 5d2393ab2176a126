"""What the parts of an app are drawn with, wherever they are drawn: scripts, style sheets and common words."""

from __future__ import annotations

from importlib import resources

from catsdogs import palette
from catsdogs.i18n import Translator

_FOLDER = resources.files("catsdogs.widgets") / "static"
_COLOURS = f".catsdogs {{ --cat: {palette.CAT}; --dog: {palette.DOG}; --neither: {palette.NEITHER}; }}\n"


def script(*names: str) -> str:
    """Join ES modules of ``static/`` into one, the helpers that every part needs first."""
    return "\n".join((_FOLDER / f"{name}.js").read_text(encoding="utf-8") for name in ("base", *names))


def style(*names: str) -> str:
    """Join style sheets of ``static/`` into one, the common looks first."""
    return _COLOURS + "\n".join((_FOLDER / f"{name}.css").read_text(encoding="utf-8") for name in ("base", *names))


def common_texts(_: Translator) -> dict[str, str]:
    """Say what every part may have to say."""
    return {"lost": _("No answer came: the session seems to be lost. Reload the page and try again.")}
