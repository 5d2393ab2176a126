"""What a person reads of an alert: what happened, since when, and what to do. Needs no database."""

from __future__ import annotations

from datetime import datetime, tzinfo

from catsdogs.alerting.alert import Alert, AlertState, Measure
from catsdogs.domain import ServiceProblem
from catsdogs.i18n import N_, Translator

_TITLES = {
    Measure.SATISFACTION: N_("People are dissatisfied"),
    Measure.INFERENCE_TIME: N_("Answers are slow"),
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
    "On {n} photos it is far from what the model was measured on: stability index (PSI) {value}, limit {limit}."
)
_HAPPENED = {
    Measure.SATISFACTION: N_("{value} of {n} people were satisfied; the limit is {limit}."),
    Measure.INFERENCE_TIME: N_("The last {n} took {value} of the time of the week before; the limit is {limit}."),
    Measure.ERRORS: N_("{value} of {n} photos could not be read; the limit is {limit}."),
    Measure.LOW_CONFIDENCE: N_("In {value} of {n} answers the model was at most 60% sure; the limit is {limit}."),
    Measure.ONE_ANSWER: N_("{value} of {n} answers were the same; the limit is {limit}."),
    Measure.ACCURACY: N_("{value} of {n} answers that people judged were right; the limit is {limit}."),
}
_TO_DO = {
    Measure.SATISFACTION: N_(
        "Read the latest comments and disputed answers. If a new model version is the cause, go back: "
        "catsdogs model rollback."
    ),
    Measure.INFERENCE_TIME: N_(
        "Look at the machine's load and memory, and whether photos became larger. If it stays slow, restart the server."
    ),
    Measure.ERRORS: N_("Look in the server's log for what is refused: a broken client, or a format that is not read."),
    Measure.LOW_CONFIDENCE: N_("Look at the latest photos' brightness, sharpness and kind; compare model versions."),
    Measure.ONE_ANSWER: N_(
        "See whether one client sends the same photo again and again. If not, check the model: catsdogs evaluate."
    ),
    Measure.ACCURACY: N_("Compare model versions, and train on the photos that people corrected: catsdogs train."),
    Measure.DRIFT_CONFIDENCE: N_("Look at what people send, then at accuracy; consider training on newer photos."),
    Measure.DRIFT_ANSWERS: N_("Other animals than before are sent: see that accuracy holds for both."),
    Measure.DRIFT_NEITHER: N_("People send other things than pets, or the model refuses pets: look at what they say."),
    Measure.DRIFT_BRIGHTNESS: N_("See whether a client darkens or brightens photos; watch accuracy."),
    Measure.DRIFT_SHARPNESS: N_("See whether a client blurs, enlarges or sharpens photos; watch accuracy."),
    Measure.DRIFT_SIZE: N_("See whether a client scales photos down too far; larger ones do no harm."),
}

_DEGRADED = {
    ServiceProblem.DATABASE: N_("The database is away: what people send waits on disk. See that PostgreSQL runs."),
    ServiceProblem.SPOOL: N_(
        "The disk is almost full: soon photos are refused. Make room, and see that PostgreSQL runs."
    ),
    ServiceProblem.MODEL: N_("The promoted model cannot be loaded: one before it answers. The log says why."),
    ServiceProblem.RULES: N_("The file of alert rules has a mistake: the rules of before hold. The log says which."),
}


def degraded(what: ServiceProblem, _: Translator) -> str:
    """Say what does not work as it should, and what to do."""
    return _(_DEGRADED[what])


def title(alert: Alert, _: Translator) -> str:
    """Name what is wrong, in a few words."""
    measure = alert["measure"]
    return _(_TITLES[measure])


def happened(alert: Alert, _: Translator) -> str:
    """Say what was measured."""
    measure = alert["measure"]

    def say(value: float) -> str:
        return _.number(value, digits=2) if measure.startswith("drift_") else _.percent(value)

    return _(
        _HAPPENED.get(measure, _DRIFTED), value=say(alert["value"]), n=_.number(alert["n"]), limit=say(alert["limit"])
    )


def when(alert: Alert, _: Translator, zone: tzinfo | None, *, named: bool = False) -> str:
    """Say since when, or from when to when, by the clock of `zone` or, where it is ``None``, of this machine.

    `named` says which zone that is: a reader elsewhere cannot know.
    """

    def moment(name: str) -> str:
        there = datetime.fromisoformat(name).astimezone(zone)
        return f"{_.datetime(there)} {there.tzname()}" if named else _.datetime(there)

    since = moment(alert["since"])
    if alert["resolved_at"] is not None:
        return _("From {start} to {end}.", start=since, end=moment(alert["resolved_at"]))
    return _("Since {moment}.", moment=since)


def to_do(alert: Alert, _: Translator) -> str:
    """Say what an operator can do."""
    measure = alert["measure"]
    return _(_TO_DO[measure])


def state(alert: Alert, _: Translator) -> str:
    """Name the state."""
    names = {
        AlertState.FIRING: _("Alert"),
        AlertState.PENDING: _("Watch"),
        AlertState.RESOLVED: _("Resolved"),
    }
    return names[alert["state"]]


def headline(alert: Alert, _: Translator) -> str:
    """Name the state, and what is wrong."""
    return _("{state}: {title}", state=state(alert, _), title=title(alert, _))


def message(alert: Alert, _: Translator, zone: tzinfo | None = None) -> tuple[str, str]:
    """Write the message that is sent: a title, and what happened, since when, and what to do."""
    head = _("catsdogs: {headline}", headline=headline(alert, _))
    said = [happened(alert, _), when(alert, _, zone, named=True)]
    if alert["state"] != AlertState.RESOLVED:
        said.append(to_do(alert, _))
    return head, "\n".join(said)
