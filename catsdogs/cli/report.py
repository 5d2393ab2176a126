"""``catsdogs report``: write the report of a period, for example every morning from cron."""

from __future__ import annotations

from pathlib import Path

import typer

from catsdogs.cli.app import app
from catsdogs.cli.exit_codes import ALERTS_FIRE, ScheduledCommand
from catsdogs.settings import Settings


@app.command(cls=ScheduledCommand)
def report(
    start: str = typer.Option("", "--from", help="ISO date or time, by default 7 days before the end."),
    end: str = typer.Option("", "--to", help="ISO date or time, not included; by default now."),
    lang: str = typer.Option("", "--lang", help="en or fr; by default CATSDOGS_LANG."),
    out: Path | None = typer.Option(None, "--out", help="Folder to write to; by default reports/ in the data folder."),
    pdf: bool = typer.Option(False, "--pdf", help="Also write a PDF, which needs Chromium or Chrome."),
) -> None:
    """Write a dated report: one HTML page without further files, and the executed notebook.

    The alert rules are evaluated first, without notifications, so that the report and the exit code are right without a
    running server. The report has the present alerts or, if the period is over, those at its end.

    Exit code 0: no alert fires; 2: alerts fire, and the report lists them; 1: no report was written, and an earlier one
    is unchanged.
    """
    from catsdogs.reporting.build import publish
    from catsdogs.reporting.period import ParameterNames
    from catsdogs.server.voila.patches import skip_grammar_of_internationalised_addresses

    skip_grammar_of_internationalised_addresses()  # a fifth of the time of a report
    settings = Settings.load()
    folder, names = out or settings.data_dir / "reports", ParameterNames("--from", "--to", "--lang", "--out")
    prepare = settings.create_data_dir if out is None else None
    published = publish(start, end, lang or settings.lang, folder, pdf=pdf, names=names, prepare=prepare)
    print(published.files[0])
    if published.firing:
        rules = ", ".join(published.firing)
        typer.echo(f"catsdogs: the report is written; the exit code is {ALERTS_FIRE} as alerts fire: {rules}", err=True)
        raise typer.Exit(ALERTS_FIRE)
