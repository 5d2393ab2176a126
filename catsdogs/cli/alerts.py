"""``catsdogs alerts``: evaluate the alert rules, for cron, a systemd timer or a health check."""

from __future__ import annotations

import json

import typer

from catsdogs.alerting.alert import Alert, AlertState
from catsdogs.cli.app import app
from catsdogs.cli.exit_codes import ALERTS_FIRE, ScheduledCommand, ScheduledCommandGroup
from catsdogs.settings import Settings

alerts = typer.Typer(
    cls=ScheduledCommandGroup, help="Evaluate the alert rules and notify the targets.", no_args_is_help=True
)
app.add_typer(alerts, name="alerts")


@alerts.command(cls=ScheduledCommand)
def check(
    as_json: bool = typer.Option(False, "--json", help="Print one JSON object a line."),
    send: bool = typer.Option(True, help="Notify CATSDOGS_ALERT_TARGETS of what is new."),
) -> None:
    """Evaluate every alert rule, store the result and list the alerts.

    Exit code 0: no alert fires; 2: alerts fire; 1: the rules could not be evaluated. A rule that is broken, but not
    yet for as long as it requires, is listed as pending and does not change the exit code.
    """
    from catsdogs.alerting.listing import list_alerts
    from catsdogs.alerting.notifications import check_targets
    from catsdogs.alerting.rules import load_rules
    from catsdogs.alerting.scheduler import evaluate_and_notify
    from catsdogs.database import Database, setup

    settings = Settings.load()
    rules = load_rules(settings.alert_rules)
    check_targets(settings.alert_targets)
    database = Database(settings)
    try:
        setup.ensure(database)
        evaluate_and_notify(database, settings, notify=send)
        found = list_alerts(database, rules)
    finally:
        database.close()
    _print(found, settings.lang, as_json=as_json)
    if any(alert["state"] == AlertState.FIRING for alert in found):
        raise typer.Exit(ALERTS_FIRE)


def _print(found: list[Alert], language: str, *, as_json: bool) -> None:
    from catsdogs.alerting import texts
    from catsdogs.i18n import Translator

    _ = Translator(language)
    for alert in found:
        if as_json:
            sentences = {"title": texts.title(alert, _), "to_do": texts.to_do(alert, _)}
            print(json.dumps({**alert, **sentences}, ensure_ascii=False))
        else:
            print("\n  ".join("\n".join(texts.message(alert, _)).split("\n")))
    if not found and not as_json:
        print(_("No alert."))
