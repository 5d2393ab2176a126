"""``catsdogs report``: how the service did, as a page for whoever reads it in the morning."""

from __future__ import annotations

from pathlib import Path

import typer

from catsdogs.cli import app
from catsdogs.errors import InvalidInput
from catsdogs.settings import Settings


@app.command()
def report(
    start: str = typer.Option("", "--from", help="ISO date or moment, UTC unless it says otherwise. [7 days before]"),
    end: str = typer.Option("", "--to", help="ISO date or moment, not included. [now]"),
    lang: str = typer.Option("", "--lang", help="en or fr. [CATSDOGS_LANG]"),
    out: Path | None = typer.Option(None, "--out", help="Folder to write to. [reports/ in the data folder]"),
) -> None:
    """Write a dated report: one HTML page that needs nothing else, and the notebook that made it."""
    from catsdogs.i18n import LANGUAGES
    from catsdogs.monitoring.publish import publish

    settings = Settings.load()
    language = lang or settings.lang
    if language not in LANGUAGES:
        raise InvalidInput("The language must be one of {languages}.", languages=", ".join(LANGUAGES))
    print(publish(start, end, language, out or settings.data_dir / "reports"))
