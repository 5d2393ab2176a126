"""Types of the fields of JSON: Python types with what a JSON Schema says of them, for responses, forms and queries.

:mod:`catsdogs.server.api.schemas` makes the OpenAPI schemas from them; everything else ignores the annotations.
"""

from __future__ import annotations

from typing import Annotated, Any


class JsonSchema:
    """Keywords of JSON Schema that an annotated type has beside those of its Python type.

    Pydantic calls the method; a visitor's kernel, which never loads pydantic, ignores the annotation.

    Parameters
    ----------
    keywords
        For example ``minimum=0, maximum=1`` or ``format="date-time"``.
    """

    def __init__(self, **keywords: Any) -> None:
        self.keywords = keywords

    def __get_pydantic_json_schema__(self, core_schema: Any, handler: Any) -> dict[str, Any]:
        """Add the keywords to the schema of the Python type."""
        return {**handler(core_schema), **self.keywords}


Share = Annotated[float, JsonSchema(minimum=0, maximum=1)]
"""A share or a probability, 0..1."""
Milliseconds = Annotated[float, JsonSchema(minimum=0)]
Count = Annotated[int, JsonSchema(minimum=0)]
Timestamp = Annotated[str, JsonSchema(format="date-time")]
"""A time in ISO 8601, with its offset from UTC."""
Day = Annotated[str, JsonSchema(format="date")]
"""A date in ISO 8601."""
Identifier = Annotated[str, JsonSchema(format="uuid")]
