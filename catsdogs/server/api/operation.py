"""The OpenAPI description of one route: each handler class has one, next to the code that it describes."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Literal, get_args


@dataclass(frozen=True)
class Operation:
    """The method of a route, with what it takes and sends."""

    method: Literal["get", "post"]
    summary: str
    response: Any
    """Type of the response's body: a ``TypedDict`` class."""
    form: Any = None
    """``TypedDict`` class of the form's fields, with keywords of JSON Schema if it has some."""
    query: Any = None
    """``TypedDict`` class of the query's parameters."""
    errors: tuple[int, ...] = ()
    """Statuses of errors, beside those of every route that needs a token."""
    content_type: str = "application/json"
    """Type of the response."""

    @property
    def form_fields(self) -> tuple[str, ...]:
        """Names of the form's fields."""
        return tuple(next(iter(get_args(self.form)), self.form).__annotations__)
