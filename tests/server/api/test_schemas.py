"""Schemas made from ``TypedDict`` classes."""

from __future__ import annotations

from typing import Any, NotRequired

import pytest
from typing_extensions import TypedDict

from catsdogs.domain import Doubt
from catsdogs.json_types import Share, Timestamp
from catsdogs.server.api.openapi import type_of
from catsdogs.server.api.schemas import schemas_of


class Parent(TypedDict):
    """A shape that another one extends."""

    share: Share
    """A share."""


class Child(Parent):
    """A shape with fields of its own."""

    times: list[Timestamp]
    doubt: Doubt | None
    comment: NotRequired[str]
    """A comment."""


def test_a_schema_has_the_fields_and_descriptions_of_its_bases() -> None:
    schemas, definitions = schemas_of([Child])
    assert schemas[Child] == {"$ref": "#/components/schemas/Child"}
    child = definitions["Child"]
    assert child["description"] == "A shape with fields of its own."
    assert child["required"] == ["share", "times", "doubt"]
    assert child["properties"] == {
        "share": {"type": "number", "minimum": 0, "maximum": 1, "description": "A share."},
        "times": {"type": "array", "items": {"type": "string", "format": "date-time"}},
        "doubt": {"anyOf": [{"$ref": "#/components/schemas/Doubt"}, {"type": "null"}]},
        "comment": {"type": "string", "description": "A comment."},
    }
    assert definitions["Doubt"]["enum"] == list(Doubt)


@pytest.mark.parametrize(
    ("schema", "text"),
    [
        ({"type": "number", "minimum": 0, "maximum": 1}, "number, 0 to 1"),
        ({"type": "string", "format": "uuid"}, "uuid"),
        ({"type": "array", "items": {"$ref": "#/components/schemas/Bucket"}}, "list of Bucket"),
        ({"anyOf": [{"enum": ["cat", "dog"], "type": "string"}, {"type": "null"}]}, "cat, dog, or null"),
    ],
)
def test_a_type_is_named_in_a_few_words(schema: dict[str, Any], text: str) -> None:
    assert type_of(schema) == text
