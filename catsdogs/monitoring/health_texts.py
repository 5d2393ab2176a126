"""Texts on the model's health, for the dashboard and the report; they need no database."""

from __future__ import annotations

from catsdogs.i18n import NBSP, NOTHING, Translator
from catsdogs.monitoring.figures import Accuracy, Drift, DriftLevel, ModelHealth, VersionFigures

MIN_P_VALUE = 0.001
"""Smallest p-value that is written with its digits."""


def sentences(health: ModelHealth, _: Translator) -> list[str]:
    """Return sentences on the accuracy, judged and estimated, and on drift."""
    judged, estimated = health["judged"], health["estimated"]
    texts = [
        _("Nobody said yet what a photo shows.")
        if judged["rate"] is None
        else _(
            "Of the answers that people judged, {rate} were right (n = {n}, 95% interval {interval}). "
            "Dissatisfied people may give feedback more often.",
            rate=_.percent(judged["rate"]),
            n=_.number(judged["n"]),
            interval=interval(judged, _),
        )
    ]
    if estimated["rate"] is not None:
        texts.append(
            _(
                "Without labels, from the probabilities of the answers cat and dog, {rate} are expected to be right "
                "(CBPE, n = {n}, 95% interval {interval}).",
                rate=_.percent(estimated["rate"]),
                n=_.number(estimated["n"]),
                interval=interval(estimated, _),
            )
        )
    return [*texts, _drift_sentence(health, _)]


def _drift_sentence(health: ModelHealth, _: Translator) -> str:
    drift = health["drift"]
    if not drift:
        return _("Drift cannot be measured: the model card has no reference.") if health["model_version"] else ""
    moved = [
        signal_name(one["signal"], _) for one in drift if one["reading"] in (DriftLevel.MODERATE, DriftLevel.STRONG)
    ]
    against = _(
        "compared with the {n} photos of {photos} that model {version} was measured on",
        n=_.number(health["reference_n"]),
        photos=health["reference"],
        version=health["model_version"],
    )
    if moved:
        return _("Drift: {signals}, {against}.", signals=", ".join(moved), against=against)
    if all(one["reading"] == DriftLevel.TOO_FEW for one in drift):
        return _("There are too few photos to measure drift.")
    return _("No drift, {against}.", against=against)


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
