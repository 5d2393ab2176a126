"""``catsdogs alerts``: must someone act. For cron, systemd or a health check of one's own."""

from __future__ import annotations

import json

import typer

from catsdogs.cli.app import app
from catsdogs.cli.exit_codes import ALERTS_FIRE, Truthful, TruthfulGroup
from catsdogs.settings import Settings

alerts = typer.Typer(cls=TruthfulGroup, help="Check the alerts' rules, and tell those concerned.", no_args_is_help=True)
app.add_typer(alerts, name="alerts")


@alerts.command(cls=Truthful)
def check(
    as_json: bool = typer.Option(False, "--json", help="One JSON object a line."),
    send: bool = typer.Option(True, help="Tell CATSDOGS_ALERT_TARGETS what is new."),
) -> None:
    """Check every rule. Exit code 0: nobody must act; 2: alerts fire; 1: it could not be checked.

    What is broken for less time than its rule wants is shown as pending, and does not count.
    """
    from catsdogs.alerting import lifecycle, texts
    from catsdogs.alerting.notifications import check_targets, notify_all
    from catsdogs.alerting.rules import load_rules
    from catsdogs.database import Database, setup
    from catsdogs.i18n import Translator
    from catsdogs.monitoring.figures import AlertState

    settings = Settings.load()
    rules, _ = load_rules(settings.alert_rules), Translator(settings.lang)
    check_targets(settings.alert_targets)
    database = Database(settings)
    try:
        setup.ensure(database)
        found = lifecycle.check(database, rules)
        if send:
            notify_all(database, rules, settings)
    finally:
        database.close()
    for alert in found:
        if as_json:
            said = {"title": texts.title(alert, _), "to_do": texts.to_do(alert, _)}
            print(json.dumps({**alert, **said}, ensure_ascii=False))
        else:
            print("\n  ".join("\n".join(texts.message(alert, _)).split("\n")))
    if any(alert["state"] == AlertState.FIRING for alert in found):
        raise typer.Exit(ALERTS_FIRE)
    if not found and not as_json:
        print(_("No alert."))
