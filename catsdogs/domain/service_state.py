"""The state of the service, and what it serves.

The ``TypedDict`` classes are shapes of the REST contract, in JSON: the in-process service and the HTTP one return
the same, and :mod:`catsdogs.server.api.schemas` makes the OpenAPI schemas from them.
"""

from __future__ import annotations

from enum import StrEnum
from typing import Annotated

from typing_extensions import TypedDict  # pydantic makes no schema of typing's own before Python 3.12

from catsdogs.json_types import Count, JsonSchema


class ServiceProblem(StrEnum):
    """What does not work as it should, while predictions go on."""

    DATABASE = "database"
    """The database cannot be reached or written, or is slow: records wait in the spool."""
    SPOOL = "spool"
    """The spool is almost full: soon answers are not recorded."""
    SET_ASIDE = "set_aside"
    """Some records could not be stored."""
    DISK = "disk"
    """A disk is almost full, or cannot be written."""
    MODEL = "model"
    """The promoted version cannot be loaded: an earlier one is served."""
    RULES = "rules"
    """The file of alert rules has a mistake: the last valid rules apply."""


class ServiceHealth(TypedDict):
    """State of the service."""

    status: Annotated[str, JsonSchema(enum=["healthy", "degraded"])]
    """``degraded`` while predictions work but something else does not."""
    degraded: list[ServiceProblem]
    """Problems found."""
    model_loaded: bool
    database: Annotated[str, JsonSchema(enum=["connected", "slow", "unavailable"])]
    """``slow`` where it had not answered yet when this was written."""
    spooled: Count
    """Number of records that wait in the spool for the database."""
    set_aside: Count
    """Number of records that could not be stored, and were set aside."""


class ModelInfo(TypedDict):
    """The served model."""

    model_loaded: bool
    version: str
    parameters: Count
    """Number of the network's parameters."""
    classes: list[str]
    input_size: Count
    """Side of the network's input, in pixels."""
    metrics: dict[str, object]
    """Results of the evaluation, as the model card has them."""
    features: list[str]
    """What the service offers beside the answer."""
    card: str
    """Model card for people, as Markdown."""
