"""The sentences about alerts: what happened, since when, and what to do. Needs no database."""

from __future__ import annotations

import socket
from datetime import UTC, timedelta, tzinfo

from catsdogs.alerting.alert import (
    CLOSE_UNMEASURED_AFTER,
    LOW_CONFIDENCE,
    TRAFFIC_WEEKS,
    Alert,
    AlertState,
    Measure,
    Severity,
)
from catsdogs.datetimes import parse_timestamp
from catsdogs.i18n import N_, NOTHING, Translator

_TITLES = {
    Measure.SATISFACTION: N_("People are dissatisfied"),
    Measure.INFERENCE_TIME: N_("Answers are slow"),
    Measure.MEAN_TIME: N_("Answers take too long"),
    Measure.P95_TIME: N_("One answer in twenty takes too long"),
    Measure.TRAFFIC: N_("Hardly any photo comes"),
    Measure.ERRORS: N_("Many photos cannot be read"),
    Measure.LOW_CONFIDENCE: N_("The model is unsure"),
    Measure.ONE_ANSWER: N_("Almost all answers are the same"),
    Measure.ACCURACY: N_("Many answers are wrong"),
    Measure.DRIFT_CONFIDENCE: N_("The model's confidence has changed"),
    Measure.DRIFT_ANSWERS: N_("The shares of cats and dogs have changed"),
    Measure.DRIFT_NEITHER: N_("The share of photos with neither has changed"),
    Measure.DRIFT_BRIGHTNESS: N_("The photos' brightness has changed"),
    Measure.DRIFT_SHARPNESS: N_("The photos' sharpness has changed"),
    Measure.DRIFT_SIZE: N_("The photos' size has changed"),
}
_DRIFTED = N_(
    "In {n} photos it differs too much from the model's reference: population stability index (PSI) {value}, limit "
    "{limit}."
)
_DESCRIPTIONS = {
    Measure.SATISFACTION: N_("Of {n} people, {value} were satisfied; the limit is {limit}."),
    Measure.INFERENCE_TIME: N_(
        "The last {n} predictions took {value} the mean time before, {baseline}; the limit is {limit}."
    ),
    Measure.MEAN_TIME: N_("The last {n} predictions took {value} on average; the limit is {limit}."),
    Measure.P95_TIME: N_("Of the last {n} predictions, one in twenty took {value} or longer; the limit is {limit}."),
    Measure.TRAFFIC: N_(
        "Compared with the same hours of the weeks before (at most {weeks}), {value} of the photos came; the limit is "
        "{limit}."
    ),
    Measure.ERRORS: N_("Of {n} photos, {value} could not be read; the limit is {limit}."),
    Measure.LOW_CONFIDENCE: N_(
        "In {value} of {n} answers the model's confidence was at most {confidence}; the limit is {limit}."
    ),
    Measure.ONE_ANSWER: N_("Of {n} answers, {value} were the same; the limit is {limit}."),
    Measure.ACCURACY: N_("Of {n} answers that people judged, {value} were right; the limit is {limit}."),
}
_TO_DO = {
    Measure.SATISFACTION: N_(
        "Read the latest comments and disputed answers. If a new model version is the cause, go back: "
        "catsdogs model rollback."
    ),
    Measure.INFERENCE_TIME: N_(
        "Check the machine's load and memory, and whether photos have become larger. If it stays slow, restart the "
        "server. If it is meant to stay so, as with a larger model, give the rule another name in "
        "CATSDOGS_ALERT_RULES after four days: it then compares with these."
    ),
    Measure.MEAN_TIME: N_(
        "Check the machine's load and memory: people wait. Stop what else runs there, or restart the server."
    ),
    Measure.P95_TIME: N_(
        "Most answers are fast, some are not: check the machine's load, and whether clients send very large photos."
    ),
    Measure.TRAFFIC: N_(
        "Open the prediction app and send a photo. If that works, check the proxy, the network and the clients; a "
        "holiday may be the reason, too."
    ),
    Measure.ERRORS: N_(
        "Look in the server's log for the files that are refused: a client may be faulty, or send a format that is "
        "not supported."
    ),
    Measure.LOW_CONFIDENCE: N_(
        "Check the brightness, sharpness and subjects of the latest photos, and compare model versions."
    ),
    Measure.ONE_ANSWER: N_(
        "Check whether one client sends the same photo again and again. If not, check the model: catsdogs evaluate."
    ),
    Measure.ACCURACY: N_("Compare model versions, and train on the photos that people corrected: catsdogs train."),
    Measure.DRIFT_CONFIDENCE: N_(
        "Check what people send, and whether accuracy has changed; consider training on newer photos."
    ),
    Measure.DRIFT_ANSWERS: N_("People send other animals than before: check the accuracy of both classes."),
    Measure.DRIFT_NEITHER: N_(
        "Either people send more photos without a cat or a dog, or the model rejects pets: read the comments."
    ),
    Measure.DRIFT_BRIGHTNESS: N_("Check whether a client darkens or brightens photos, and watch the accuracy."),
    Measure.DRIFT_SHARPNESS: N_("Check whether a client blurs, enlarges or sharpens photos, and watch the accuracy."),
    Measure.DRIFT_SIZE: N_("Check whether a client makes photos too small; larger photos do no harm."),
}


def title(alert: Alert, _: Translator) -> str:
    """Return what is wrong, in a few words."""
    measure = alert["measure"]
    return _(_TITLES[measure])


def description(alert: Alert, _: Translator) -> str:
    """Return a sentence with the measured value, the number of predictions or ratings, and the limit.

    Of a resolved alert, it is the worst value.
    """
    measure = Measure(alert["measure"])  # over HTTP, it is a string
    is_over = alert["state"] == AlertState.RESOLVED
    value, n = (alert["worst"], alert["worst_n"]) if is_over else (alert["value"], alert["n"])
    return _(
        _DESCRIPTIONS.get(measure, _DRIFTED),
        value=_value(measure, value, _),
        n=_.number(n),
        limit=_value(measure, alert["limit"], _),
        confidence=_.percent(LOW_CONFIDENCE, digits=0),
        weeks=_.number(TRAFFIC_WEEKS),
        baseline=NOTHING if alert["baseline"] is None else _.milliseconds(alert["baseline"]),
    )


def course(alert: Alert, _: Translator, zone: tzinfo | None, *, name_zone: bool = False) -> str:
    """Return a sentence on the worst value of an open alert, or on the last one of a resolved alert.

    The parameters are those of :func:`period`.
    """
    measure = Measure(alert["measure"])
    if alert["state"] == AlertState.RESOLVED and not alert["n"]:
        return _(
            "That was the worst. It was never seen to be over: for {days} days too little came to measure it, so the "
            "alert is closed.",
            days=CLOSE_UNMEASURED_AFTER.days,
        )
    if alert["state"] == AlertState.RESOLVED:
        value, limit = alert["value"], alert["limit"]
        last = _value(measure, value, _)
        if value < limit if measure.is_bad_below else value > limit:
            return _("That was the worst; at the end it was {value}, within the limit that was set since.", value=last)
        return _("That was the worst; at the end it was {value}.", value=last)
    worst = _value(measure, alert["worst"], _)
    return _("Worst so far: {value}, {moment}.", value=worst, moment=_moment(alert["worst_at"], _, zone, name_zone))


def _value(measure: Measure, value: float, _: Translator) -> str:
    if measure.is_time:
        return _.milliseconds(value)
    if measure.is_drift:
        return _.number(value, digits=2)
    is_ratio = measure is Measure.INFERENCE_TIME or (measure is Measure.TRAFFIC and value >= 2)
    return _.times(value) if is_ratio else _.percent(value)


def _moment(text: str, _: Translator, zone: tzinfo | None, name_zone: bool) -> str:
    moment = parse_timestamp(text).astimezone(zone)
    return f"{_.datetime(moment)} {moment.tzname()}" if name_zone else _.datetime(moment)


def period(alert: Alert, _: Translator, zone: tzinfo | None, *, name_zone: bool = False) -> str:
    """Return a sentence on since when, or from when to when.

    Parameters
    ----------
    zone
        Time zone of the times; ``None`` for that of this machine.
    name_zone
        Whether each time has the name of its zone: a reader elsewhere cannot know it.
    """
    start = _moment(alert["since"], _, zone, name_zone)
    if alert["resolved_at"] is not None:
        return _("From {start} to {end}.", start=start, end=_moment(alert["resolved_at"], _, zone, name_zone))
    return _("Since {moment}.", moment=start)


def to_do(alert: Alert, _: Translator) -> str:
    """Return a sentence on what an operator can do; nothing, where it may be chance or is over."""
    measure = alert["measure"]
    sentences = {
        AlertState.FIRING: _(_TO_DO[measure]),
        AlertState.PENDING: _("So far it may be chance: there is nothing to do, and no one is told."),
        AlertState.RESOLVED: "",
    }
    return sentences[AlertState(alert["state"])]


def state_name(alert: Alert, _: Translator) -> str:
    """Return the name of the state."""
    names = {
        AlertState.FIRING: _("Alert"),
        AlertState.PENDING: _("Watch"),
        AlertState.RESOLVED: _("Resolved"),
    }
    return names[alert["state"]]


def severity_name(alert: Alert, _: Translator) -> str:
    """Return the name of the severity."""
    return _("Critical") if alert["severity"] == Severity.CRITICAL else _("Warning")


def headline(alert: Alert, _: Translator) -> str:
    """Return the name of the state and what is wrong."""
    return _("{state}: {title}", state=state_name(alert, _), title=title(alert, _))


def message(alert: Alert, _: Translator, zone: tzinfo | None = None, *, site: str = "") -> tuple[str, str]:
    """Return the title and the text of the message that is sent to a target.

    Parameters
    ----------
    zone
        Time zone of the times; ``None`` for that of this machine.
    site
        Address at which people open the dashboard, such as ``https://pets.example``; if it is empty, the path alone
        is given.
    """
    subject = _("catsdogs: {headline}", headline=headline(alert, _))
    sentences = [
        description(alert, _),
        period(alert, _, zone, name_zone=True),
        course(alert, _, zone, name_zone=True),
    ]
    severity = _("Severity: {severity}. Host: {host}.", severity=severity_name(alert, _), host=socket.gethostname())
    sentences += [to_do(alert, _), severity, site + window_path(alert)]
    return subject, "\n".join(filter(None, sentences))


def no_alert(predictions: int, _: Translator) -> str:
    """Return the sentence where no alert is listed, with the number of predictions in the window that is shown."""
    if predictions:
        return _("No alert.")
    return _("No alert, but no prediction in this window either: nothing was checked.")


def watched(n: int, _: Translator) -> str:
    """Return the sentence over a list of `n` pending alerts."""
    return _.plural(
        "Watch: {n} value beyond its limit, which may be chance",
        "Watch: {n} values beyond their limits, which may be chance",
        n,
    )


def window_path(alert: Alert) -> str:
    """Return the path of the dashboard with the window of an alert, and an hour before it."""
    start = parse_timestamp(alert["since"]) - timedelta(hours=1)
    end = parse_timestamp(alert["resolved_at"]) if alert["resolved_at"] else None
    bounds = {"from": start, "to": end}
    return "/monitoring?" + "&".join(
        f"{name}={moment.astimezone(UTC):%Y-%m-%dT%H:%M:%SZ}" for name, moment in bounds.items() if moment
    )
