"""The sentences about alerts and problems: what happened, since when, and what to do. Needs no database."""

from __future__ import annotations

from datetime import tzinfo

from catsdogs.alerting.alert import INFERENCE_TIME_BASELINE, LOW_CONFIDENCE, Alert, AlertState, Measure
from catsdogs.datetimes import parse_timestamp
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
    "In {n} photos it differs too much from the model's reference: population stability index (PSI) {value}, limit "
    "{limit}."
)
_DESCRIPTIONS = {
    Measure.SATISFACTION: N_("Of {n} people, {value} were satisfied; the limit is {limit}."),
    Measure.INFERENCE_TIME: N_(
        "The last {n} predictions took {value} of the mean time of the {days} days before; the limit is {limit}."
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
        "server."
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

_PROBLEMS = {
    ServiceProblem.DATABASE: N_(
        "The database cannot be reached or written, or is slow: new records wait on disk. Check PostgreSQL and its log."
    ),
    ServiceProblem.SPOOL: N_(
        "The disk space for records that wait for the database (CATSDOGS_SPOOL_MEGABYTES) is almost used up: photos "
        "will soon be answered, but not recorded. Check that PostgreSQL runs."
    ),
    ServiceProblem.SET_ASIDE: N_(
        "Some records could not be stored, and were set aside. The log says why; when the cause is mended, have them "
        "stored: catsdogs db requeue."
    ),
    ServiceProblem.DISK: N_(
        "The disk of the data folder is almost full, slow, or cannot be written: soon photos will be answered, but not "
        "recorded. Make room on it."
    ),
    ServiceProblem.MODEL: N_("The promoted model cannot be loaded: an earlier version answers. The log says why."),
    ServiceProblem.RULES: N_(
        "The file of alert rules has a mistake: its last valid rules stay in force. The log names the mistake."
    ),
}


def problem(found: ServiceProblem, _: Translator) -> str:
    """Return a sentence on a problem of the service, and what to do."""
    return _(_PROBLEMS[found])


def title(alert: Alert, _: Translator) -> str:
    """Return what is wrong, in a few words."""
    measure = alert["measure"]
    return _(_TITLES[measure])


def description(alert: Alert, _: Translator) -> str:
    """Return a sentence with the measured value, the number of predictions or ratings, and the limit."""
    measure = Measure(alert["measure"])  # over HTTP, it is a string

    def format_value(value: float) -> str:
        return _.number(value, digits=2) if measure.is_drift else _.percent(value)

    return _(
        _DESCRIPTIONS.get(measure, _DRIFTED),
        value=format_value(alert["value"]),
        n=_.number(alert["n"]),
        limit=format_value(alert["limit"]),
        confidence=_.percent(LOW_CONFIDENCE, digits=0),
        days=_.number(INFERENCE_TIME_BASELINE.days),
    )


def period(alert: Alert, _: Translator, zone: tzinfo | None, *, name_zone: bool = False) -> str:
    """Return a sentence on since when, or from when to when.

    Parameters
    ----------
    zone
        Time zone of the times; ``None`` for that of this machine.
    name_zone
        Whether each time has the name of its zone: a reader elsewhere cannot know it.
    """

    def format_time(text: str) -> str:
        moment = parse_timestamp(text).astimezone(zone)
        return f"{_.datetime(moment)} {moment.tzname()}" if name_zone else _.datetime(moment)

    start = format_time(alert["since"])
    if alert["resolved_at"] is not None:
        return _("From {start} to {end}.", start=start, end=format_time(alert["resolved_at"]))
    return _("Since {moment}.", moment=start)


def to_do(alert: Alert, _: Translator) -> str:
    """Return a sentence on what an operator can do."""
    measure = alert["measure"]
    return _(_TO_DO[measure])


def state_name(alert: Alert, _: Translator) -> str:
    """Return the name of the state."""
    names = {
        AlertState.FIRING: _("Alert"),
        AlertState.PENDING: _("Watch"),
        AlertState.RESOLVED: _("Resolved"),
    }
    return names[alert["state"]]


def headline(alert: Alert, _: Translator) -> str:
    """Return the name of the state and what is wrong."""
    return _("{state}: {title}", state=state_name(alert, _), title=title(alert, _))


def message(alert: Alert, _: Translator, zone: tzinfo | None = None) -> tuple[str, str]:
    """Return the title and the text of the message that is sent to a target.

    Parameters
    ----------
    zone
        Time zone of the times; ``None`` for that of this machine.
    """
    subject = _("catsdogs: {headline}", headline=headline(alert, _))
    sentences = [description(alert, _), period(alert, _, zone, name_zone=True)]
    if alert["state"] != AlertState.RESOLVED:
        sentences.append(to_do(alert, _))
    return subject, "\n".join(sentences)
