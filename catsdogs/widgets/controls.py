"""What is looked at: the window of time, the model version, and how fresh it is."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import timedelta, tzinfo
from zoneinfo import ZoneInfo

import traitlets

from catsdogs.i18n import Translator
from catsdogs.widgets.part import Part, field, not_understood, script, style

WINDOWS: dict[str, timedelta | None] = {
    "1h": timedelta(hours=1),
    "24h": timedelta(hours=24),
    "7d": timedelta(days=7),
    "30d": timedelta(days=30),
    "all": None,
}
"""Windows of time to choose from, each up to now."""
DEFAULT_WINDOW = "7d"
REFRESH_SECONDS = 10
"""How often a page that is seen asks for news by itself."""


class Controls(Part):
    """Lets the reader choose.

    Parameters
    ----------
    refresh
        Called when something was chosen, and when the page asks for news.
    """

    _esm = script("controls")
    _css = style("controls")

    window = traitlets.Unicode(DEFAULT_WINDOW).tag(sync=True)
    windows: traitlets.List[tuple[str, str]] = traitlets.List().tag(sync=True)
    model_version = traitlets.Unicode("").tag(sync=True)
    """Empty for all."""
    model_versions: traitlets.List[str] = traitlets.List().tag(sync=True)
    updated = traitlets.Unicode("").tag(sync=True)
    """When the figures were read, in words."""
    problem = traitlets.Unicode("").tag(sync=True)
    """Why the figures are not fresh; empty where they are."""
    period = traitlets.Int(REFRESH_SECONDS * 1000).tag(sync=True)

    zone: tzinfo | None = None
    """The reader's time zone, as soon as the page has said it."""

    def __init__(self, translator: Translator, refresh: Callable[[], None]) -> None:
        _ = translator
        super().__init__(
            translator,
            {
                "window": _("Window"),
                "model": _("Model"),
                "all_models": _("All models"),
                "live": _("Live"),
                "refresh": _("Refresh"),
            },
            windows=[
                ("1h", _("1 hour")),
                ("24h", _("24 hours")),
                ("7d", _("7 days")),
                ("30d", _("30 days")),
                ("all", _("All")),
            ],
        )
        self._refresh = refresh

    def offer(self, model_versions: list[str]) -> None:
        """Let the reader choose among `model_versions`; the one that is chosen stays."""
        self.model_versions = sorted({*model_versions, self.model_version} - {""})

    def receive(self, content: dict[str, object], buffers: Sequence[memoryview]) -> None:  # noqa: ARG002
        """Take a choice, and look again."""
        match field(content, "asks", str):
            case "window":
                self.window = _one_of(WINDOWS, field(content, "value", str))
            case "model":
                self.model_version = _one_of(["", *self.model_versions], field(content, "value", str))
            case "zone":
                self.zone = _zone(field(content, "value", str))
            case "news":
                pass
            case _:
                raise not_understood()
        self._refresh()


def _one_of(known: object, value: str) -> str:
    if value not in known:  # type: ignore[operator]
        raise not_understood()
    return value


def _zone(name: str) -> ZoneInfo:
    try:
        return ZoneInfo(name)
    except (ValueError, OSError, KeyError):  # no such name, or no such file
        raise not_understood() from None
