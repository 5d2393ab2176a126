"""``catsdogs report``: how the service did, as a page for whoever reads it in the morning."""

from __future__ import annotations

from pathlib import Path

import typer

from catsdogs.cli.app import app
from catsdogs.cli.exit_codes import ALERTS_FIRE, ScheduledCommand
from catsdogs.settings import Settings


@app.command(cls=ScheduledCommand)
def report(
    start: str = typer.Option("", "--from", help="ISO date or moment, by default 7 days before the end."),
    end: str = typer.Option("", "--to", help="ISO date or moment, not included; by default now."),
    lang: str = typer.Option("", "--lang", help="en or fr; by default CATSDOGS_LANG."),
    out: Path | None = typer.Option(None, "--out", help="Folder to write to; by default reports/ in the data folder."),
    pdf: bool = typer.Option(False, "--pdf", help="On paper, too: a PDF, which Chromium prints."),
) -> None:
    """Write a dated report: one HTML page that needs nothing else, and the notebook that made it.

    Exit code 0: nobody must act; 2: alerts fire, the report says which; 1: there is no report, and the one of before
    is as it was. Alerts are those of now or, where the period is over, as they stood at its end.
    """
    from catsdogs.reporting.build import publish

    settings = Settings.load()
    published = publish(start, end, lang or settings.lang, out or settings.data_dir / "reports", pdf=pdf)
    print(published.files[0])
    if published.firing:
        typer.echo(f"catsdogs: alerts fire: {', '.join(published.firing)}", err=True)
        raise typer.Exit(ALERTS_FIRE)
