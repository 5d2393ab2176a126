"""The REST API's description (OpenAPI 3.1), and the page that shows it: ``/openapi.json`` and ``/docs``."""

from __future__ import annotations

from functools import cache
from typing import Any

from catsdogs import __version__
from catsdogs.model.photo_limits import MAX_MEGABYTES
from catsdogs.server.api import health, metrics, monitoring, predictions, privacy
from catsdogs.server.api.base import ApiHandler
from catsdogs.server.api.schemas import REFERENCE, Schema, schemas_of
from catsdogs.server.pages import PageHandler
from catsdogs.service.responses import ErrorResponse

DESCRIBED_ROUTES: dict[str, type[ApiHandler]] = (
    predictions.ROUTES | privacy.ROUTES | monitoring.ROUTES | metrics.ROUTES | health.ROUTES
)
"""Handlers of the routes that the description lists."""

ERRORS = {
    400: "The request is wrong; detail says what.",
    401: "The token is missing or wrong.",
    403: "The token is not valid for this route, or a comment was sent without consent.",
    404: "There is no such prediction or sample, or nothing is held under this receipt code.",
    413: f"The file is larger than {MAX_MEGABYTES} MB.",
    429: "There were too many requests; Retry-After says when to try again.",
    503: "The server is too busy, or the database is unavailable; Retry-After says when to try again.",
}
TOKEN_ERRORS = (401, 403, 429, 503)
"""Statuses that every route may answer that needs a token."""


@cache
def description() -> dict[str, Any]:
    """Describe the API."""
    operations = [handler.operation for handler in DESCRIBED_ROUTES.values()]
    shapes = [ErrorResponse] + [
        shape for one in operations for shape in (one.response, one.form, one.query) if shape is not None
    ]
    schemas, components = schemas_of(shapes)
    paths = {
        route: {handler.operation.method: _operation(handler, schemas, components)}
        for route, handler in DESCRIBED_ROUTES.items()
    }
    for one in operations:
        if one.query is not None:  # its fields are parameters now
            components.pop(one.query.__name__, None)
    return {
        "openapi": "3.1.0",
        "info": {"title": "catsdogs", "version": __version__, "license": {"name": "MIT", "identifier": "MIT"}},
        "paths": paths,
        "components": {
            "schemas": components,
            "securitySchemes": {"bearer": {"type": "http", "scheme": "bearer"}},
        },
    }


def _operation(handler: type[ApiHandler], schemas: dict[Any, Schema], components: dict[str, Schema]) -> dict[str, Any]:
    operation, needs_token = handler.operation, handler.scope is not None
    described: dict[str, Any] = {
        "summary": operation.summary,
        "responses": {
            "200": {
                "description": "Done.",
                "content": {operation.content_type: {"schema": schemas[operation.response]}},
            }
        },
        "security": [{"bearer": []}] if needs_token else [],
    }
    for status in sorted({*operation.errors, *(TOKEN_ERRORS if needs_token else ())}):
        content = {"application/json": {"schema": schemas[ErrorResponse]}}
        described["responses"][str(status)] = {"description": ERRORS[status], "content": content}
    if operation.query is not None:
        fields = components[operation.query.__name__]["properties"]
        described["parameters"] = [_parameter(name, field) for name, field in fields.items()]
    if operation.form is not None:
        schema = schemas[operation.form]
        fields = components[type_of(schema)]["properties"].values()
        has_file = any(field.get("format") == "binary" for field in fields)
        kind = "multipart/form-data" if has_file else "application/x-www-form-urlencoded"
        described["requestBody"] = {"required": True, "content": {kind: {"schema": schema}}}
    return described


def _parameter(name: str, field: Schema) -> dict[str, Any]:
    schema = {keyword: value for keyword, value in field.items() if keyword != "description"}
    return {"name": name, "in": "query", "schema": schema, "description": field["description"]}


def type_of(schema: Schema) -> str:
    """Name the type of a field in a few words, such as ``number, 0 to 1, or null``."""
    if "anyOf" in schema and "$ref" not in schema:
        return ", or ".join(type_of(choice) for choice in schema["anyOf"])
    if "$ref" in schema:
        return str(schema["$ref"].removeprefix(REFERENCE.format(model="")))
    if "enum" in schema:
        return ", ".join(str(value) for value in schema["enum"])
    if schema.get("type") == "array":
        return f"list of {type_of(schema['items'])}"
    words = [schema.get("format") or schema.get("type", "any")]
    if "maximum" in schema:
        words.append(f"{schema['minimum']} to {schema['maximum']}")
    return ", ".join(words)


class OpenApiHandler(ApiHandler):
    """``GET /openapi.json``."""

    def get(self) -> None:
        """Send the description."""
        self.write(description())


class DocsHandler(PageHandler):
    """``GET /docs``: the description as a page."""

    is_indexed = True

    def get(self) -> None:
        """Show the page; its texts are the description's, in English as the API itself."""
        _, api = self.translator, description()
        self.write_page(
            "docs.html",
            title=_("REST API"),
            description=_("How programs send photos and read figures: every route, with its parameters and answers."),
            in_english=_("This reference is in English."),
            api=api,
            components=api["components"]["schemas"],
            type_of=type_of,
            server=self.origin,
        )


PAGES: dict[str, type[PageHandler]] = {"/docs": DocsHandler}
ROUTES: dict[str, type[ApiHandler] | type[PageHandler]] = {
    **DESCRIBED_ROUTES,
    "/openapi.json": OpenApiHandler,
    **PAGES,
}
"""Handlers of all routes of the REST API."""
