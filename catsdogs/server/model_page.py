"""The model card as a page in the reader's language.

The sentences that every training writes are translated; others, such as its notes, are shown in English, as they are.
"""

from __future__ import annotations

from typing import Any, NamedTuple

from catsdogs.datetimes import parse_timestamp
from catsdogs.i18n import NOTHING, Translator
from catsdogs.model.card import ModelCard
from catsdogs.model.card_texts import ARCHITECTURE_1_2, ARCHITECTURES, CENTRE_ONLY, INTENDED_USE, LIMITS
from catsdogs.model.evaluation import EvaluationMetrics

TRANSLATED_SENTENCES = {ARCHITECTURE_1_2, *ARCHITECTURES.values(), INTENDED_USE, CENTRE_ONLY, *LIMITS}
"""The sentences of cards that are translated; a test compares them with those of the shipped card."""


class CardSentence(NamedTuple):
    """A sentence of the card, and the language it is in."""

    text: str
    language: str


def page_texts(card: ModelCard, _: Translator) -> dict[str, Any]:
    """Return the texts and tables of the page of a card."""
    return {
        "title": _("Model {version}", version=card.version),
        "architecture": _sentence(card.architecture, _),
        "size": _(
            "{parameters} parameters; its input has {side} × {side} pixels.",
            parameters=_.number(card.parameters),
            side=card.input_size,
        ),
        "use": (_("What it is for"), [_sentence(card.intended_use, _)]),
        "limits": (_("What it cannot do"), [_sentence(limit, _) for limit in card.limits]),
        "training": (_("How it was trained"), _training(card, _)),
        "measured": _measured(card, _),
        "reliability": _reliability(card, _),
        "full": _("The whole card, with notes, software and terms (in English)"),
    }


def _sentence(text: str, _: Translator) -> CardSentence:
    return CardSentence(_(text), _.language) if text in TRANSLATED_SENTENCES else CardSentence(text, "en")


def _training(card: ModelCard, _: Translator) -> list[str]:
    """Return the sentences about the training; figures that a card does not have are left out."""
    sentences = [_("Trained on {moment} (UTC).", moment=_.datetime(parse_timestamp(card.created)))]
    photos, unseen, feedback = (card.training.get(name) for name in ("photos", "cross_validation", "feedback"))
    match photos:
        case {"cat": int(cats), "dog": int(dogs)}:
            sentences.append(
                _(
                    "It was trained on {cats} photos of cats and {dogs} of dogs.",
                    cats=_.number(cats),
                    dogs=_.number(dogs),
                )
            )
    if isinstance(feedback, int) and feedback:
        sentences.append(
            _.plural(
                "{n} of them was sent by a person who let it be kept for that, and was reviewed.",
                "{n} of them were sent by people who let them be kept for that, each reviewed.",
                feedback,
            )
        )
    if card.training.get("copy_weight"):
        sentences.append(
            _(
                "It learned, with less weight, from a changed copy of each photo, too: with bars over it, too bright "
                "or too dark, turned, or small."
            )
        )
    match unseen:
        case {"errors": int(errors), "log_loss": float(loss)}:
            sentences.append(
                _(
                    "On those of them that it had not seen (cross-validation), errors: {errors}, log-loss: {loss}.",
                    errors=_.number(errors),
                    loss=_.number(loss, 4),
                )
            )
    return [*sentences, *_of_gate(card, _)]


def _of_gate(card: ModelCard, _: Translator) -> list[str]:
    """Return the sentences about what the gate refuses and accepts in cross-validation."""
    sentences = []
    if refusals := card.held_out_refusals:
        sentences.append(
            _(
                "Pets among them that a gate refuses which had not seen them: {n}, that is {share}.",
                n=_.number(refusals.cases),
                share=_share(refusals.cases / refusals.n, refusals.interval, _),
            )
        )
    if accepted := card.held_out_accepted:
        sentences.append(
            _(
                "Photos of other things that the gate compares with: {n}. Taken for pets, each compared with four "
                "fifths of the others alone: {accepted}.",
                n=_.number(accepted.n),
                accepted=_.number(accepted.cases),
            )
        )
    return sentences


def _share(share: float, interval: tuple[float, float], _: Translator) -> str:
    low, high = (_.percent(end, 2) for end in interval)
    return _("{share} ({low} to {high})", share=_.percent(share, 2), low=low, high=high)


def _refused(measured: EvaluationMetrics, _: Translator) -> str:
    if measured.refused_interval is None:
        return NOTHING
    share = _share(measured.refused / measured.pets, measured.refused_interval, _)
    return f"{_.number(measured.refused)} · {share}"


def _measured(card: ModelCard, _: Translator) -> dict[str, Any]:
    def row(name: str, measured: EvaluationMetrics) -> list[str]:
        figures = (measured.log_loss, measured.ece, measured.auroc)
        return [
            name,
            _.number(measured.n),
            _.number(measured.errors),
            _share(measured.accuracy, (measured.accuracy_low, measured.accuracy_high), _),
            _refused(measured, _),
            _.number(measured.unsure),
            _.number(measured.both),
            *(NOTHING if figure is None else _.number(figure, 4) for figure in figures),
        ]

    return {
        "title": _("How good it is"),
        "none": _("Not measured on other photos."),
        "columns": [
            _("Set of photos"),
            _("Photos"),
            _("Errors"),
            _("Accuracy (95% interval)"),
            _("Pets refused (95% interval)"),
            _("Unsure"),
            _("Both?"),
            _("Log-loss"),
            "ECE",
            "AUROC",
        ],
        "rows": [row(name, measured) for name, measured in card.metrics.items()],
        "notes": [
            _(
                "Measured on the served network. An error is a pet taken for the other animal, or anything else taken "
                "for a pet; a pet answered “neither” counts as refused."
            ),
            _(
                "Log-loss and calibration error (ECE) measure how far the probabilities are from the truth: the "
                "smaller, the better. AUROC measures how well cats and dogs are distinguished: 1 is perfect."
            ),
        ],
    }


def _reliability(card: ModelCard, _: Translator) -> dict[str, Any]:
    return {
        "title": _("How reliable its probabilities are"),
        "columns": [_("Mean confidence"), _("Right"), _("Pets")],
        "sets": {
            name: [
                [_.probability(confidence, short=True), _.percent(right), _.number(n)]
                for confidence, right, n in measured.reliability
            ]
            for name, measured in card.metrics.items()
            if measured.reliability
        },
    }
