"""``catsdogs alerts``: evaluate the alert rules, for cron, a systemd timer or a health check."""

from __future__ import annotations

import json
import socket

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

    Exit code 0: no alert fires; 2: alerts fire; 1: the rules could not be evaluated. An alert whose value is beyond
    its limit, but may be chance, is listed as pending and does not change the exit code.
    """
    from catsdogs.alerting.listing import list_alerts
    from catsdogs.alerting.rules import load_rules
    from catsdogs.alerting.scheduler import evaluate_and_notify
    from catsdogs.alerting.targets import check_targets
    from catsdogs.database import Database, setup

    settings = Settings.load()
    rules = load_rules(settings.alert_rules)
    check_targets(settings.alert_targets)
    database = Database(settings)
    try:
        setup.ensure(database)
        n_measured = evaluate_and_notify(database, settings, notify=send)
        found = list_alerts(database, rules)
    finally:
        database.close()
    _print(found, settings, n_measured, as_json=as_json)
    if any(alert["state"] == AlertState.FIRING for alert in found):
        raise typer.Exit(ALERTS_FIRE)


@alerts.command(cls=ScheduledCommand)
def test() -> None:
    """Send a test message to each of CATSDOGS_ALERT_TARGETS, and say what came of it.

    Exit code 0: all were delivered; 1: one was not, or no target is set.
    """
    from catsdogs.alerting.targets import Delivery, Message, check_targets, deliver, parse_targets
    from catsdogs.errors import SettingsError
    from catsdogs.i18n import Translator

    settings = Settings.load()
    targets, _ = parse_targets(settings.alert_targets), Translator(settings.lang)
    if not targets:
        raise SettingsError("CATSDOGS_ALERT_TARGETS names no target.")
    check_targets(settings.alert_targets)
    text = Message(
        _("catsdogs: test message"),
        _("Alerts of catsdogs on {host} will arrive here. There is nothing to do.", host=socket.gethostname()),
    )
    outcomes = deliver([(target, text) for target in targets])
    sentences = {
        Delivery.DELIVERED: _("delivered"),
        Delivery.REFUSED: _("not delivered: it cannot be reached, or refuses the message. Check the address."),
        Delivery.SILENT: _("not delivered: it did not answer in time."),
    }
    for target, outcome in zip(targets, outcomes, strict=True):
        scheme = target.url.partition("://")[0]
        print(
            _(
                "Target {position} ({kind}): {outcome}",
                position=target.position,
                kind=scheme,
                outcome=sentences[outcome],
            )
        )
    if set(outcomes) != {Delivery.DELIVERED}:
        raise typer.Exit(1)


def _print(found: list[Alert], settings: Settings, n_measured: int, *, as_json: bool) -> None:
    from catsdogs.alerting import texts
    from catsdogs.i18n import Translator

    _ = Translator(settings.lang)
    for alert in found:
        if as_json:
            sentences = {"title": texts.title(alert, _), "to_do": texts.to_do(alert, _)}
            print(json.dumps({**alert, **sentences}, ensure_ascii=False))
        else:
            print("\n  ".join("\n".join(texts.message(alert, _, site=settings.site)).split("\n")))
    if not found and not as_json:
        print(_("No alert.") if n_measured else _("No alert, but there are too few predictions: nothing was checked."))
