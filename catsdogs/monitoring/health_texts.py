"""Texts on the model's health, for the dashboard and the report; they need no database."""

from __future__ import annotations

from collections.abc import Iterator

from catsdogs.datetimes import parse_timestamp
from catsdogs.i18n import NBSP, NOTHING, Translator
from catsdogs.monitoring.drift_limits import MIN_PREDICTIONS, has_moved
from catsdogs.monitoring.figures import Accuracy, Drift, DriftLevel, ModelHealth, ReferenceKind, VersionFigures

MIN_JUDGED = 50
"""Smallest number of judged answers: with fewer, they do not contradict the model, whatever they say."""
MIN_P_VALUE = 0.001
"""Smallest p-value that is written with its digits."""


def sentences(health: ModelHealth, _: Translator) -> list[str]:
    """Return sentences on the accuracy, judged and estimated, and on drift."""
    return [*_versions(health, _), *_judged(health, _), *_estimated(health, _), *_drift_sentences(health, _)]


def _versions(health: ModelHealth, _: Translator) -> Iterator[str]:
    """Say that a bad version may be among several: the verdict is that of all."""
    versions = [figures["model_version"] for figures in health["versions"]]
    if len(versions) > 1:
        yield _(
            "{n} model versions answered in this window ({versions}), and the accuracy is that of all together. The "
            "table tells them apart; choose one to have its own verdict.",
            n=_.number(len(versions)),
            versions=", ".join(versions),
        )


def _judged(health: ModelHealth, _: Translator) -> Iterator[str]:
    judged = health["judged"]
    if judged["rate"] is None:
        yield _("Nobody said yet what a photo shows.")
        return
    yield _(
        "Of the answers that people judged, {rate} were right (n = {n}, 95% interval {interval}). "
        "Dissatisfied people may give feedback more often.",
        rate=_.percent(judged["rate"]),
        n=sample_size(judged["n"], health["judged_of"], _),
        interval=interval(judged, _),
    )


def _estimated(health: ModelHealth, _: Translator) -> Iterator[str]:
    estimated, calibration, surer = health["estimated"], health["calibration"], overconfidence(health)
    if estimated["rate"] is None:
        return
    yield _(
        "Without labels, from the probabilities of the answers cat and dog, {rate} are expected to be right "
        "(CBPE, n = {n}). If the probabilities are right, chance moves that share within {interval}.",
        rate=_.percent(estimated["rate"]),
        n=_.number(estimated["n"]),
        interval=interval(estimated, _),
    )
    if health["estimated_from"] < health["estimated_of"]:
        yield _(
            "Figures without labels are from a sample: {n} of {all} predictions.",
            n=_.number(health["estimated_from"]),
            all=_.number(health["estimated_of"]),
        )
    if calibration is None or not surer:
        return
    values = {
        "points": percentage_points(abs(surer), _),
        "ece": _.percent(calibration["ece"]),
        "n": _.number(calibration["n"]),
    }
    if surer > 0:
        yield _(
            "But where people judged answers cat and dog, the model is over-confident by {points} "
            "(ECE {ece}, n = {n}): do not trust the estimate.",
            **values,
        )
    else:
        yield _(
            "Where people judged answers cat and dog, the model is under-confident by {points} "
            "(ECE {ece}, n = {n}): the estimate is too low.",
            **values,
        )


def percentage_points(share: float, _: Translator) -> str:
    """Return a difference of two shares in percentage points."""
    return _.plural("{n} point", "{n} points", 100 * share, digits=1)


def _drift_sentences(health: ModelHealth, _: Translator) -> Iterator[str]:
    drift = health["drift"]
    version = health["model_version"]
    if version is None:
        return
    if health["reference_kind"] == ReferenceKind.NO_CARD:
        yield _("Drift cannot be measured: this machine does not have the card of model {version}.", version=version)
        return
    if health["reference_kind"] == ReferenceKind.NONE:
        yield _("Drift cannot be measured: the card of model {version} has no reference.", version=version)
        return
    if health["chosen_reference_n"] is not None and health["reference_kind"] == ReferenceKind.PHOTOS:
        yield _(
            "The period that was chosen as the reference (CATSDOGS_DRIFT_REFERENCE) is not used: it has {n} photos of "
            "model {version}, and {least} are needed.",
            n=_.number(health["chosen_reference_n"]),
            version=version,
            least=MIN_PREDICTIONS,
        )
    moved = [signal_name(one["signal"], _) for one in drift if has_moved(one)]
    if moved:
        yield _("Drift: {signals}, {against}.", signals=", ".join(moved), against=_against(health, _))
    elif all(one["reading"] == DriftLevel.TOO_FEW for one in drift):
        yield _(
            "This window has fewer than {least} photos of model {version}: too few to measure its drift. An alert "
            "looks at the last hours alone, and tells a large drift by fewer photos.",
            least=MIN_PREDICTIONS,
            version=version,
        )
    else:
        yield _("No drift, {against}.", against=_against(health, _))
    few = [signal_name(one["signal"], _) for one in drift if one["reading"] == DriftLevel.TOO_FEW]
    if few and len(few) < len(drift):
        yield _("Too few photos to tell: {signals}.", signals=", ".join(few))


def _against(health: ModelHealth, _: Translator) -> str:
    n, name, version = _.number(health["reference_n"]), health["reference"] or "", health["model_version"]
    if health["reference_kind"] == ReferenceKind.PERIOD:
        start, end = (_.datetime(parse_timestamp(moment)) for moment in name.split("/"))
        return _(
            "compared with the {n} photos that model {version} had from {start} to {end} (UTC), the chosen reference",
            n=n, version=version, start=start, end=end,
        )  # fmt: skip
    return _(
        "compared with the {n} photos of {photos} that model {version} was measured on",
        n=n, photos=name, version=version,
    )  # fmt: skip


def overconfidence(health: ModelHealth) -> float:
    """Return how much surer the model is than judged answers allow, -1..1; below 0 for how much less sure.

    It is 0 as long as chance may explain the difference, or fewer than `MIN_JUDGED` answers were judged.
    """
    found = health["calibration"]
    if found is None or found["n"] < MIN_JUDGED or found["rate"] is None:
        return 0.0
    may_be_chance = (found["low"] or 0.0) <= found["confidence"] <= (found["high"] or 1.0)
    return 0.0 if may_be_chance else found["confidence"] - found["rate"]


def sample_size(n: int, total: int, _: Translator) -> str:
    """Return a number of answers and, where they are a sample, of how many."""
    return _.number(n) if n >= total else _("{n} of {all}, a sample", n=_.number(n), all=_.number(total))


def interval(accuracy: Accuracy, _: Translator) -> str:
    """Return the text of the interval of an accuracy."""
    low, high = accuracy["low"], accuracy["high"]
    if low is None or high is None:
        return NOTHING
    return _("{low} to {high}", low=_.percent(low), high=_.percent(high))


def signal_name(signal: str, _: Translator) -> str:
    """Return the name of a signal of drift."""
    names = {
        "confidence": _("confidence"),
        "answers": _("cats and dogs"),
        "neither": _("share of neither"),
        "brightness": _("brightness"),
        "sharpness": _("sharpness"),
        "size": _("size"),
    }
    return names.get(signal, signal)


def level_name(level: str, _: Translator) -> str:
    """Return the name of the strength of a drift."""
    names = {
        DriftLevel.TOO_FEW: _("too few photos"),
        DriftLevel.NONE: _("none"),
        DriftLevel.MODERATE: _("moderate"),
        DriftLevel.STRONG: _("strong"),
    }
    return names[DriftLevel(level)]


def drift_columns(_: Translator) -> list[str]:
    """Return the headings of the columns of :func:`drift_cells`."""
    return [_("Signal"), _("Drift"), _("Stability index (PSI)"), _("p-value"), _("Photos")]


def drift_cells(drift: Drift, _: Translator) -> list[str]:
    """Return the cells of one signal's drift."""
    p_value = drift["p_value"]
    return [
        signal_name(drift["signal"], _),
        level_name(drift["reading"], _),  # on a phone there is room for two columns
        _.number(drift["psi"], digits=2),
        "< " + _.number(MIN_P_VALUE, digits=3) if p_value < MIN_P_VALUE else _.number(p_value, digits=3),
        _.number(drift["n"]),
    ]


def version_columns(_: Translator) -> list[str]:
    """Return the headings of the columns of :func:`version_cells`."""
    return [
        _("Model"),
        _("Share"),
        _("Right, as judged"),
        _("Right, as estimated"),
        _("Neither"),
        _("Mean inference time"),
    ]


def version_cells(figures: VersionFigures, _: Translator) -> list[str]:
    """Return the cells of one model version's figures."""
    neither, mean = figures["neither_rate"], figures["mean_ms"]
    return [
        figures["model_version"],
        _.percent(figures["share"], short=True),
        _rate(figures["judged"], _),
        _rate(figures["estimated"], _),
        NOTHING if neither is None else _.percent(neither, short=True),
        NOTHING if mean is None else _.milliseconds(mean),
    ]


def _rate(accuracy: Accuracy, _: Translator) -> str:
    if accuracy["rate"] is None:
        return NOTHING
    text = _(
        "{rate} ({interval}, n = {n})",
        rate=_.percent(accuracy["rate"]),
        interval=interval(accuracy, _).replace(" ", NBSP),
        n=_.number(accuracy["n"]),
    )
    return text.replace(" = ", f"{NBSP}={NBSP}")
