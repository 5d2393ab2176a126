"""The model card, and the files of a model version.

::

    VERSION/
        model.onnx         the network for ONNX Runtime, which serves it
        model.keras        the same network for Keras, to be trained further
        model_card.json    classes, input size, metrics, checksums; read when the model is loaded
        MODEL_CARD.md      the same as Markdown, for people
        seen_photos.npy    hashes of the photos that it was trained on, to leave them out when it is measured
"""

from __future__ import annotations

import hashlib
import json
from pathlib import Path
from typing import Literal, NamedTuple

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from catsdogs.errors import ModelError
from catsdogs.model.drift_reference import DriftReference
from catsdogs.model.evaluation import EvaluationMetrics
from catsdogs.model.uncertainty import DoubtThresholds
from catsdogs.stats import wilson_interval

SHIPPED = Path(__file__).parents[1] / "artifacts" / "2.0"
"""Folder of the version that comes with the package."""
CARD_FILE = "model_card.json"
MARKDOWN_CARD_FILE = "MODEL_CARD.md"
FORMAT = 1
"""Number of the format of the networks' inputs and outputs; a version of another format is refused."""

VERSION_PATTERN = r"^[0-9A-Za-z][0-9A-Za-z._-]{0,63}$"
"""Regular expression for names of versions."""

Runtime = Literal["onnx", "keras"]


class HeldOutShare(NamedTuple):
    """How many photos of the training a gate answers in a certain way which was fitted without them."""

    cases: int
    n: int

    @property
    def interval(self) -> tuple[float, float]:
        """Ends of the 95 % Wilson interval of their share."""
        return wilson_interval(self.cases, self.n) or (0.0, 1.0)


class ModelCard(BaseModel):
    """How a model version was trained, what it can do, and what its limits are.

    Mitchell et al. 2019, https://arxiv.org/abs/1810.03993
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    format: int
    version: str = Field(pattern=VERSION_PATTERN)
    created: str
    """Time in ISO 8601, UTC."""
    architecture: str
    parameters: int
    classes: list[str]
    input_size: int = Field(ge=32, le=1024)
    """Side of the network's input, in pixels."""
    thresholds: dict[str, float]
    """Thresholds of `proba_dog`, of `neither_score`, and of the weighted evidence of the gate (`pet_score`)."""
    threshold_rule: str
    """How the threshold of the gate was chosen, in a sentence."""
    doubts: DoubtThresholds | None = None
    """Thresholds for doubtful answers; ``None`` on older cards."""
    metrics: dict[str, EvaluationMetrics]
    """Metrics by name of the set of photos."""
    seen: dict[str, int] = Field(default_factory=dict)
    """Number of photos that were left out of each set, because the version was trained on them."""
    reference: DriftReference | None = None
    """Drift reference; ``None`` on older cards."""
    training: dict[str, object]
    """Command, data and settings of the training."""
    software: dict[str, str]
    licence: dict[str, str]
    intended_use: str
    limits: list[str]
    sha256: dict[str, str]
    """Checksum of each file of the version."""

    @property
    def held_out_refusals(self) -> HeldOutShare | None:
        """Refused pets in cross-validation; ``None`` on older cards."""
        match self.training:
            case {"photos": {"cat": int(cats), "dog": int(dogs)}, "cross_validation": {"refused": int(refused)}}:
                return HeldOutShare(refused, cats + dogs)
        return None

    @property
    def held_out_accepted(self) -> HeldOutShare | None:
        """Other things taken for pets in cross-validation; ``None`` where there were too few, and on older cards."""
        match self.training:
            case {"others": int(others), "cross_validation": {"accepted": int(accepted)}}:
                return HeldOutShare(accepted, others)
        return None


def read_card(folder: Path) -> ModelCard:
    """Read the card of the version in `folder`.

    Raises
    ------
    ModelError
        The card is missing, damaged, or of another format.
    """
    try:
        content = json.loads((folder / CARD_FILE).read_bytes())
    except FileNotFoundError as error:
        raise ModelError("There is no model card in {folder}.", folder=folder) from error
    except (OSError, ValueError) as error:
        raise ModelError("The model card in {folder} cannot be read.", folder=folder) from error
    if not isinstance(content, dict) or content.get("format") != FORMAT:
        raise ModelError(
            "The model in {folder} was made for another version of catsdogs. Train it again.", folder=folder
        )
    try:
        return ModelCard.model_validate(content)
    except ValidationError as error:
        raise ModelError("The model card in {folder} is damaged.", folder=folder) from error


def write_card(card: ModelCard, folder: Path) -> None:
    """Write the card as JSON."""
    (folder / CARD_FILE).write_text(card.model_dump_json(indent=2) + "\n", encoding="utf-8")


def read_text(folder: Path) -> str:
    """Read the card of the version in `folder` as Markdown.

    Raises
    ------
    ModelError
        The card is missing or damaged.
    """
    try:
        return (folder / MARKDOWN_CARD_FILE).read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise ModelError("The model card in {folder} cannot be read.", folder=folder) from error


def check_file(folder: Path, name: str, card: ModelCard) -> Path:
    """Compare a file of the version with its checksum on the card.

    Raises
    ------
    ModelError
        The file is missing or differs.
    """
    path = folder / name
    try:
        with path.open("rb") as stream:
            found = hashlib.file_digest(stream, "sha256").hexdigest()
    except OSError as error:
        raise ModelError("The model file {path} is missing or cannot be read.", path=path) from error
    if found != card.sha256.get(name):
        raise ModelError("The model file {path} is damaged: it differs from its model card.", path=path)
    return path
