"""A model version: a folder with the network for two runtimes and the card that describes it.

::

    VERSION/
        model.onnx         what is served
        model.keras        the same network, for whoever goes on from it
        model_card.json    classes, input size, metrics, checksums; read when the model is loaded
        MODEL_CARD.md      the same for people
"""

from __future__ import annotations

import hashlib
import json
from pathlib import Path
from typing import Literal

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from catsdogs.errors import ModelError
from catsdogs.model.drift_reference import Reference
from catsdogs.model.evaluation import Measured
from catsdogs.model.uncertainty import Doubts

SHIPPED = Path(__file__).parents[1] / "artifacts" / "1.2"
"""The version that comes with the package."""
CARD = "model_card.json"
CARD_FOR_PEOPLE = "MODEL_CARD.md"
FORMAT = 1
"""Of the networks' inputs and outputs; a version of another format is refused."""

NAME = r"^[0-9A-Za-z][0-9A-Za-z._-]{0,63}$"
"""What a version may be called."""

Runtime = Literal["onnx", "keras"]


class ModelCard(BaseModel):
    """What is known of a model version: how it was made, what it can do, and what it cannot."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    format: int
    version: str = Field(pattern=NAME)
    created: str
    """ISO 8601, UTC."""
    architecture: str
    parameters: int
    classes: list[str]
    input_size: int = Field(ge=32, le=1024)
    """Side of the square of pixels that the network sees."""
    thresholds: dict[str, float]
    threshold_rule: str
    doubts: Doubts | None = None
    """Which answers should be taken with care; missing on cards from before any were."""
    metrics: dict[str, Measured]
    """By name of the set of photos."""
    reference: Reference | None = None
    """What drift is told from; missing on cards from before it was kept."""
    training: dict[str, object]
    """Command, data and settings it was trained with."""
    software: dict[str, str]
    licence: dict[str, str]
    intended_use: str
    limits: list[str]
    sha256: dict[str, str]
    """Checksum of each file of the version."""


def read_card(folder: Path) -> ModelCard:
    """Read the card of the version in `folder`.

    Raises
    ------
    ModelError
        It is missing, damaged, or of another format.
    """
    try:
        content = json.loads((folder / CARD).read_bytes())
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
    """Write the card for programs."""
    (folder / CARD).write_text(card.model_dump_json(indent=2) + "\n", encoding="utf-8")


def read_text(folder: Path) -> str:
    """Read the card for people of the version in `folder`, as Markdown.

    Raises
    ------
    ModelError
        It is missing or damaged.
    """
    try:
        return (folder / CARD_FOR_PEOPLE).read_text(encoding="utf-8")
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
