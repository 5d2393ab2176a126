"""JSON Schemas of the REST API's requests and responses, made from their ``TypedDict`` classes."""

from __future__ import annotations

from collections.abc import Iterable
from functools import cache
from typing import Any

from pydantic import ConfigDict, TypeAdapter
from pydantic.json_schema import GenerateJsonSchema, JsonSchemaMode
from typing_extensions import get_original_bases, is_typeddict

Schema = dict[str, Any]

REFERENCE = "#/components/schemas/{model}"
"""Address of a named schema in the OpenAPI description."""


def schemas_of(shapes: Iterable[Any]) -> tuple[dict[Any, Schema], dict[str, Schema]]:
    """Make the schemas of JSON shapes; docstrings of classes and fields become descriptions.

    Objects may have more fields than their schemas say: a client that reads the published description should not
    refuse a response to which a later version adds a field. The tests forbid further fields.

    Parameters
    ----------
    shapes
        ``TypedDict`` classes, or other types that pydantic knows.

    Returns
    -------
    tuple of dict
        The schema of each shape, with references; and the schemas that it refers to, by name.
    """
    mode: JsonSchemaMode = "serialization"
    inputs = [(shape, mode, _adapter(shape)) for shape in dict.fromkeys(shapes)]
    made, definitions = TypeAdapter.json_schemas(inputs, ref_template=REFERENCE, schema_generator=_Generator)
    return {shape: schema["items"] for (shape, _), schema in made.items()}, definitions["$defs"]


class _Generator(GenerateJsonSchema):
    def field_title_should_be_set(self, _schema: Any) -> bool:
        """Set no titles: they repeat the names of the fields."""
        return False

    def typed_dict_schema(self, schema: Any) -> Schema:
        """Describe inherited fields, too."""
        made = super().typed_dict_schema(schema)
        for base in filter(is_typeddict, get_original_bases(schema["cls"])):
            for name, description in _descriptions(base).items():
                made["properties"][name].setdefault("description", description)
        return made


@cache
def _descriptions(shape: type) -> dict[str, str]:
    schema = _adapter(shape).json_schema(mode="serialization", schema_generator=_Generator)
    fields = schema["$defs"][shape.__name__]["properties"]
    return {name: field["description"] for name, field in fields.items() if "description" in field}


def _adapter(shape: Any) -> TypeAdapter[Any]:
    # only a type without a configuration of its own accepts one: a list passes it on to the class in it
    return TypeAdapter(list[shape], config=ConfigDict(use_attribute_docstrings=True))
