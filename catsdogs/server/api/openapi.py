"""The REST API's description (OpenAPI 3.1), and the page that shows it: ``/openapi.json`` and ``/docs``."""

from __future__ import annotations

import re
from functools import cache
from typing import Any

from catsdogs import __version__
from catsdogs.i18n import LANGUAGES
from catsdogs.model.photo_limits import MAX_MEGABYTES
from catsdogs.server.api import examples, health, metrics, monitoring, predictions, privacy
from catsdogs.server.api.base import ApiHandler
from catsdogs.server.api.schemas import REFERENCE, Schema, schemas_of
from catsdogs.server.pages import PageHandler
from catsdogs.service.responses import ErrorResponse

TAGS: dict[str, tuple[str, dict[str, type[ApiHandler]]]] = {
    "Predictions": ("Photos in, answers out, and people's feedback on them.", predictions.ROUTES),
    "Privacy": ("People's rights over what is kept of them.", privacy.ROUTES),
    "Monitoring": ("Figures about predictions, feedback and the model.", monitoring.ROUTES),
    "Service": ("State of this server.", metrics.ROUTES | health.ROUTES),
}
"""Groups of routes: name, description, and handlers."""
DESCRIBED_ROUTES = {route: handler for _, routes in TAGS.values() for route, handler in routes.items()}
"""Handlers of the routes that the description lists."""

ABOUT = """\
Is it a cat or a dog? Programs send photos and read figures here.

Errors are `{"detail": "a sentence"}`, in English or French as `Accept-Language` asks. The token is the `API_TOKEN` of
the server. A response may get further fields in a later version; clients should ignore what they do not know."""

ERRORS = {
    400: "The request is wrong; detail says what.",
    401: "The token is missing or wrong.",
    403: "The token is not valid for this route, or a comment was sent without consent.",
    404: "There is no such prediction or sample, or nothing is held under this receipt code.",
    409: "Another decision applies than the one that the request names as known; nothing was changed.",
    413: f"The photo is larger than {MAX_MEGABYTES} MB, or another form larger than 64 kB.",
    429: "There were too many requests; Retry-After says when to try again.",
    503: "The server is too busy, or the database is unavailable; Retry-After says when to try again.",
}
TOKEN_ERRORS = (401, 403, 429, 503)
"""Statuses that every route may answer that needs a token."""

FORM_ERRORS = (400, 413)
"""Statuses that every route may answer that takes a form."""
LANGUAGE: dict[str, Any] = {
    "name": "lang",
    "in": "query",
    "schema": {"type": "string", "enum": list(LANGUAGES)},
    "description": "Language of messages; by default, that of the header Accept-Language.",
}
"""Parameter of every route; described where there is a form, as openapi-python-client 0.29 needs an optional one."""
MULTIPART, URLENCODED = "multipart/form-data", "application/x-www-form-urlencoded"


@cache
def description() -> dict[str, Any]:
    """Describe the API."""
    operations = [handler.operation for handler in DESCRIBED_ROUTES.values()]
    shapes = [ErrorResponse] + [
        shape for one in operations for shape in (one.response, one.form, one.query) if shape is not None
    ]
    schemas, components = schemas_of(shapes)
    paths = {
        route: {handler.operation.method: _operation(route, handler, schemas, components)}
        for route, handler in DESCRIBED_ROUTES.items()
    }
    for one in operations:
        if one.query is not None:  # its fields are parameters now
            components.pop(one.query.__name__, None)
    return {
        "openapi": "3.1.0",
        "info": {
            "title": "catsdogs",
            "version": __version__,
            "description": ABOUT,
            "license": {"name": "MIT", "identifier": "MIT"},
        },
        "servers": _servers("/"),
        "tags": [{"name": name, "description": text} for name, (text, _) in TAGS.items()],
        "paths": paths,
        "components": {
            "schemas": components,
            "securitySchemes": {"bearer": {"type": "http", "scheme": "bearer"}},
        },
    }


def _servers(url: str) -> list[dict[str, str]]:
    return [{"url": url, "description": "The server that sends this description."}]


def _operation(
    route: str, handler: type[ApiHandler], schemas: dict[Any, Schema], components: dict[str, Schema]
) -> dict[str, Any]:
    operation, needs_token = handler.operation, handler.scope is not None
    answer = {"schema": schemas[operation.response]} | _example(examples.RESPONSES.get(route))
    described: dict[str, Any] = {
        "operationId": re.sub(r"\W+", "_", route.removeprefix("/api/").strip("/")),
        "summary": operation.summary,
        "tags": [name for name, (_, routes) in TAGS.items() if route in routes],
        "responses": {"200": {"description": "Done.", "content": {operation.content_type: answer}}},
        "security": [{"bearer": []}] if needs_token else [],
    }
    form_errors = FORM_ERRORS if operation.form is not None else ()
    for status in sorted({*operation.errors, *form_errors, *(TOKEN_ERRORS if needs_token else ())}):
        error = {"schema": schemas[ErrorResponse], "example": {"detail": examples.ERRORS[status]}}
        described["responses"][str(status)] = {"description": ERRORS[status], "content": {"application/json": error}}
    if operation.query is not None:
        fields = components[operation.query.__name__]["properties"]
        described["parameters"] = [_parameter(name, field) for name, field in fields.items()]
    if operation.form is not None:
        schema = schemas[operation.form]
        fields = components[type_of(schema)]["properties"].values()
        components[type_of(schema)]["additionalProperties"] = False  # see `forms`
        has_file = any(field.get("format") == "binary" for field in fields)
        content = {MULTIPART: schema} if has_file else {URLENCODED: schema, MULTIPART: _copy(schema, components)}
        example = _example(examples.FORMS.get(route))
        described["parameters"] = [LANGUAGE]
        described["requestBody"] = {
            "required": True,
            "content": {kind: {"schema": one} | example for kind, one in content.items()},
        }
    return described


def _copy(schema: Schema, components: dict[str, Schema]) -> Schema:
    """Copy a named schema: generated clients choose the content type by the type of what they send."""
    name, copy = type_of(schema), f"{type_of(schema)}Multipart"
    components[copy] = components[name] | {"title": copy}
    return schema | {"$ref": REFERENCE.format(model=copy)}


def _example(example: Any) -> dict[str, Any]:
    return {} if example is None else {"example": example}


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
        self.write(description() | {"servers": _servers(self.prefix or "/")})


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
            server=self.origin + self.prefix,
        )


PAGES: dict[str, type[PageHandler]] = {"/docs": DocsHandler}
ROUTES: dict[str, type[ApiHandler] | type[PageHandler]] = {
    **DESCRIBED_ROUTES,
    "/openapi.json": OpenApiHandler,
    **PAGES,
}
"""Handlers of all routes of the REST API."""
