"""The model card of a trained model: as JSON, and as Markdown for people."""

from __future__ import annotations

import hashlib
import platform
from datetime import datetime
from importlib.metadata import version as version_of
from pathlib import Path
from typing import Any

import keras

from catsdogs.datetimes import iso
from catsdogs.domain import Answer
from catsdogs.i18n import Translator, counted
from catsdogs.model.card import FORMAT, MARKDOWN_CARD_FILE, ModelCard, write_card
from catsdogs.model.card_texts import ARCHITECTURES, INTENDED_USE, LIMITS
from catsdogs.model.evaluation import EvaluationMetrics
from catsdogs.model.seen_photos import SEEN_FILE
from catsdogs.model.uncertainty import RULE
from catsdogs.training import gate as gates
from catsdogs.training.gate import Gate
from catsdogs.training.head import Head
from catsdogs.training.weights import LICENCE, SOURCE

_ENGLISH = Translator("en")  # the card's language
PACKAGES = ("keras", "tensorflow", "scikit-learn", "tf2onnx", "onnxruntime", "numpy", "pillow")


def describe(
    *,
    version: str,
    created: datetime,
    architecture: str,
    model: keras.Model,
    head: Head,
    gate: Gate,
    folder: Path,
    training: dict[str, Any],
) -> ModelCard:
    """Make the card of a trained model whose files are in `folder`; without metrics, which come later."""
    files = ("model.keras", "model.onnx", SEEN_FILE)
    return ModelCard(
        format=FORMAT,
        version=version,
        created=iso(created.replace(microsecond=0)),
        architecture=ARCHITECTURES[architecture],
        parameters=int(model.count_params()),
        classes=[Answer.CAT, Answer.DOG, Answer.NEITHER],
        input_size=int(model.input_shape[1]),
        thresholds={"proba_dog": 0.5, "neither_score": 0.5, "pet_score": gate.threshold},
        threshold_rule=gates.RULE,
        metrics={},
        training=training
        | {
            "penalty": f"L2, C = {head.strength:g}, chosen by cross-validation",
            "temperature": head.temperature,
            "cross_validation": {
                "errors": head.errors,
                "log_loss": head.log_loss,
                "refused": gate.held_out_refused,
                "accepted": gate.held_out_accepted,
            },
        },
        software={"python": platform.python_version()} | {name: version_of(name) for name in PACKAGES},
        licence={"backbone": f"{LICENCE}; {SOURCE.format(architecture)}", "head and gate": "MIT"},
        intended_use=INTENDED_USE,
        limits=LIMITS,
        sha256={name: hashlib.sha256((folder / name).read_bytes()).hexdigest() for name in files},
    )


def write(card: ModelCard, folder: Path) -> None:
    """Write the card into `folder`, as JSON and as Markdown."""
    write_card(card, folder)
    (folder / MARKDOWN_CARD_FILE).write_text(to_markdown(card), encoding="utf-8")


def to_markdown(card: ModelCard) -> str:
    """Format the card as a Markdown page."""
    photos: Any = card.training["photos"]
    cross_validation: Any = card.training["cross_validation"]
    notes: Any = card.training["notes"]
    total = photos["cat"] + photos["dog"]
    parts = [
        f"# Model {card.version}",
        card.architecture + f". {card.parameters:,} parameters; input {card.input_size} x {card.input_size} pixels.",
        "## What it is for",
        card.intended_use,
        "## What it cannot do",
        "\n".join(f"- {limit}" for limit in card.limits),
        "## How it was trained",
        f"```sh\n{card.training['command']}\n```" if card.training["command"] else "",
        f"On {card.created}, on {counted(photos['cat'], 'photo')} of cats and {photos['dog']:,} of dogs "
        f"({_from_feedback(card)}{card.training['left_out']} left out), seed {card.training['seed']}, "
        f"fingerprint `{str(card.training['fingerprint'])[:16]}`. "
        f"{_copies(card)}Penalty: {card.training['penalty']}; logits divided by {card.training['temperature']:.3f}. "
        f"In cross-validation: {counted(cross_validation['errors'], 'error')} in {total:,}, "
        f"log-loss {cross_validation['log_loss']:.4f}.",
        f"Refusals: {card.threshold_rule}" + _held_out_refusals(card) + _others(card),
        f"Doubts, chosen on {counted(card.doubts.n, 'photo')} of {card.doubts.photos}: {RULE}" if card.doubts else "",
        "\n".join(f"- {note}" for note in notes),
        "## How good it is",
        _results(card.metrics) if card.metrics else "Not measured on other photos.",
        _fingerprints(card.metrics),
        _seen(card),
        *(_reliability(name, measured) for name, measured in card.metrics.items() if measured.log_loss is not None),
        "## What it was made with",
        ", ".join(f"{name} {number}" for name, number in card.software.items()) + ".",
        "## Terms",
        "\n".join(f"- {part}: {terms}" for part, terms in card.licence.items()),
    ]
    return "\n\n".join(part for part in parts if part) + "\n"


def _from_feedback(card: ModelCard) -> str:
    n: Any = card.training.get("feedback", 0)  # older cards lack them
    confirmed: Any = card.training.get("feedback_confirmed", 0)
    kinds = f"{confirmed:,} whose answer was right, {n - confirmed:,} whose was not"
    return f"{n:,} of them sent by people who consented to it, each reviewed ({kinds}); " if n else ""


def _copies(card: ModelCard) -> str:
    weight = card.training.get("copy_weight")  # 0 without copies; older cards lack it
    changes = "with bars over it, too bright or too dark, turned, or small"
    return f"A changed copy of each photo, {changes}, has {weight:g} times the photo's weight. " if weight else ""


def _held_out_refusals(card: ModelCard) -> str:
    found = card.held_out_refusals
    if found is None:
        return ""
    return (
        f" By thresholds chosen without them, too, the gate refuses {found.cases:,} of {found.n:,}, "
        f"{_share(found.cases / found.n, found.interval)}. The same is to be expected of photos to come, or less: "
        "where the middle of a photo is refused, the model as it is served looks at the rest, too."
    )


def _others(card: ModelCard) -> str:
    n: Any = card.training.get("others", 0)  # older cards lack it
    found = card.held_out_accepted
    accepted = (
        f" Comparing each of them with four fifths of the others alone, it takes {found.cases:,} for pets, "
        f"{_share(found.cases / found.n, found.interval)}."
        if found
        else ""
    )
    return f" The gate compares with {counted(n, 'photo')} of other things.{accepted}" if n else ""


def _results(metrics: dict[str, EvaluationMetrics]) -> str:
    rows = [
        "| photos | n | errors | accuracy (95 % interval) | pets refused (95 % interval) "
        "| unsure | both | log-loss | ECE | AUROC |",
        "|---|---|---|---|---|---|---|---|---|---|",
    ]
    rows += [
        f"| {name} | {m.n} | {m.errors} | {_accuracy(m)} "
        f"| {_refused(m)} | {m.unsure} | {m.both} | {_figure(m.log_loss)} | {_figure(m.ece)} | {_figure(m.auroc)} |"
        for name, m in metrics.items()
    ]
    note = (
        "Measured on the served network. An error is a pet taken for the other animal, or anything else taken for "
        'a pet; a pet answered "neither" counts as refused.'
    )
    return "\n".join(rows) + "\n\n" + note


def _fingerprints(metrics: dict[str, EvaluationMetrics]) -> str:
    known = ", ".join(f"{name} `{m.fingerprint[:16]}`" for name, m in metrics.items() if m.fingerprint)
    return f"Fingerprints of the sets, over contents and labels: {known}." if known else ""


def _seen(card: ModelCard) -> str:
    sets = ", ".join(f"{n:,} of {name}" for name, n in card.seen.items())
    return f"Left out, as the version was trained on them or on copies of them: {sets}." if sets else ""


def _reliability(name: str, measured: EvaluationMetrics) -> str:
    rows = [f"Reliability on {name}:", "", "| confidence | right | pets |", "|---|---|---|"]
    rows += [
        f"| {_ENGLISH.probability(confidence)} | {_ENGLISH.percent(right)} | {n} |"
        for confidence, right, n in measured.reliability
    ]
    return "\n".join(rows)


def _accuracy(measured: EvaluationMetrics) -> str:
    return _share(measured.accuracy, (measured.accuracy_low, measured.accuracy_high))


def _refused(measured: EvaluationMetrics) -> str:
    interval = measured.refused_interval
    return f"{measured.refused}: {_share(measured.refused / measured.pets, interval)}" if interval else ""


def _share(share: float, interval: tuple[float, float]) -> str:
    text, low, high = (_ENGLISH.percent(value, 2) for value in (share, *interval))
    return f"{text} ({low} to {high})"


def _figure(value: float | None) -> str:
    return "" if value is None else f"{value:.4f}"
