"""The REST API's description (OpenAPI 3.1), and the page that shows it: ``/openapi.json`` and ``/docs``."""

from __future__ import annotations

from typing import Any

from catsdogs import __version__
from catsdogs.domain import Answer, TrueLabel
from catsdogs.model.photo_limits import MAX_JPEG_MEGAPIXELS, MAX_MEGABYTES, MAX_MEGAPIXELS
from catsdogs.monitoring.figures import Listing
from catsdogs.server.api.base import ApiHandler
from catsdogs.server.api.schemas import (
    ALERTS,
    ANSWER,
    BOOLEAN,
    EXPORT,
    HEALTH,
    INFO,
    MODEL_HEALTH,
    MOMENT,
    NAMES,
    PREDICTION,
    PURPOSE,
    RECEIPT,
    RECENT,
    REMOVED,
    STATISTICS,
    TEXT,
    UUID,
    shape,
)
from catsdogs.server.pages import PageHandler

ERRORS = {
    400: "The request is wrong; detail says what.",
    401: "The token is missing or wrong.",
    403: "The token does not open this, or a comment came without consent.",
    404: "There is no such prediction, or nothing is held under this receipt.",
    413: f"More than {MAX_MEGABYTES} MB.",
    429: "Too many requests; Retry-After says when to come back.",
    503: "Too busy, or the database is away; Retry-After says when to come back.",
}


def operation(
    summary: str, answer: dict[str, Any], *errors: int, kind: str = "application/json", **more: Any
) -> dict[str, Any]:
    """Describe one method of a path; an operation that can answer 401 needs the token."""
    responses: dict[str, Any] = {"200": {"description": "Done.", "content": {kind: {"schema": answer}}}}
    for status in errors:
        schema = {"$ref": "#/components/schemas/Error"}
        responses[str(status)] = {"description": ERRORS[status], "content": {"application/json": {"schema": schema}}}
    security: list[dict[str, list[str]]] = [{"bearer": []}] if 401 in errors else []
    return {"summary": summary, "responses": responses, "security": security, **more}


def form(kind: str, required: str, *any_of: str, **fields: dict[str, Any]) -> dict[str, Any]:
    """Describe a form with one required field, and maybe several of which any one is."""
    schema: dict[str, Any] = {"type": "object", "properties": fields, "required": [required]}
    if any_of:
        schema["anyOf"] = [{"required": [name]} for name in any_of]
    return {"required": True, "content": {kind: {"schema": schema}}}


def query(name: str, schema: dict[str, Any], description: str) -> dict[str, Any]:
    """Describe an optional parameter."""
    return {"name": name, "in": "query", "schema": schema, "description": description}


SLICE = [
    query("start", MOMENT, "first moment of the window"),
    query("end", MOMENT, "end of the window, itself not included"),
    query("model_version", TEXT, "of one model only"),
    query("answer", {"type": "string", "enum": list(Answer)}, "of one answer only"),
]


def description() -> dict[str, Any]:
    """Describe the API."""
    limits = (
        f"at most {MAX_MEGABYTES} MB and {MAX_MEGAPIXELS} megapixels, {MAX_JPEG_MEGAPIXELS} as a JPEG not progressive"
    )
    photo = {"type": "string", "format": "binary", "description": f"JPEG, PNG, WebP, GIF, BMP or TIFF; {limits}"}
    paths = {
        "/api/predict": {
            "post": operation(
                "Say whether a photo shows a cat or a dog",
                PREDICTION,
                *(400, 401, 403, 413, 429, 503),
                requestBody=form(
                    "multipart/form-data",
                    "file",
                    file=photo,
                    rgpd_consent=BOOLEAN,
                    photo_consent=BOOLEAN,
                    replaces=UUID | {"description": "feedback_id of an earlier answer for this photo, without consent"},
                ),
            )
        },
        "/api/sample": {
            "get": operation(
                "What a sample picture shows; nothing is recorded",
                shape(**ANSWER),
                *(401, 403, 404, 429, 503),
                parameters=[query("name", {"type": "string", "enum": NAMES, "default": NAMES[0]}, "which picture")],
            )
        },
        "/api/update-feedback": {
            "post": operation(
                "Say whether the answer was right",
                shape(success=BOOLEAN, message=TEXT, stored=BOOLEAN),
                *(400, 401, 403, 404, 429, 503),
                requestBody=form(
                    "application/x-www-form-urlencoded",
                    "feedback_id",
                    *("user_feedback", "user_comment", "true_label"),
                    feedback_id=UUID,
                    user_feedback={"type": "integer", "enum": [0, 1], "description": "1 satisfied, 0 not"},
                    user_comment={
                        "type": "string",
                        "minLength": 1,
                        "maxLength": 1000,
                        "description": "needs rgpd_consent",
                    },
                    true_label={
                        "type": "string",
                        "enum": list(TrueLabel),
                        "description": "who is satisfied says none that the answer is wrong for",
                    },
                ),
            )
        },
        **{
            f"/api/privacy/{right}": {
                "post": operation(
                    summary,
                    answer,
                    *(400, 401, 403, 404, 429, 503),
                    requestBody=form("application/x-www-form-urlencoded", "receipt", receipt=RECEIPT, **fields),
                )
            }
            for right, summary, answer, fields in (
                ("export", "Everything held under a receipt", EXPORT, {}),
                ("withdraw", "Withdraw one consent, or all", REMOVED, {"purpose": PURPOSE}),
                ("erase", "Erase everything held under a receipt", REMOVED, {}),
            )
        },
        "/api/statistics": {
            "get": operation(
                "Key figures of a window",
                STATISTICS,
                *(400, 401, 403, 429, 503),
                parameters=SLICE,
            )
        },
        "/api/recent-predictions": {
            "get": operation(
                "The latest predictions, the least sure or the disputed",
                RECENT,
                *(400, 401, 403, 429, 503),
                parameters=[
                    query("limit", {"type": "integer", "minimum": 1, "maximum": 1000, "default": 10}, "how many"),
                    query("list", {"type": "string", "enum": list(Listing)}, "which: by default, the latest"),
                    *SLICE,
                ],
            )
        },
        "/api/model-health": {
            "get": operation(
                "Is the model still good? Accuracy with and without labels, reliability, drift, versions side by side",
                MODEL_HEALTH,
                *(400, 401, 403, 429, 503),
                parameters=SLICE[:3],
            )
        },
        "/api/alerts": {
            "get": operation(
                "What an operator should look at, as the alerts' rules say",
                ALERTS,
                *(400, 401, 403, 429, 503),
                parameters=[query("since", MOMENT, "as far back as resolved alerts are listed; by default a day")],
            )
        },
        "/api/news": {
            "get": operation(
                "Was anything recorded since? Then this text differs from the earlier one",
                shape(news=TEXT),
                *(401, 403, 429, 503),
            )
        },
        "/metrics": {
            "get": operation("Everything Prometheus asks for", TEXT, *(401, 403, 429, 503), kind="text/plain")
        },
        "/api/info": {"get": operation("The served model", INFO)},
        "/health": {"get": operation("Do model and database answer?", HEALTH)},
        "/health/live": {"get": operation("Does the process answer?", shape(status=TEXT))},
        "/health/ready": {"get": operation("May requests be sent here?", shape(status=TEXT), 503)},
    }
    return {
        "openapi": "3.1.0",
        "info": {"title": "catsdogs", "version": __version__, "license": {"name": "MIT", "identifier": "MIT"}},
        "paths": paths,
        "components": {
            "schemas": {"Error": shape(detail=TEXT)},
            "securitySchemes": {"bearer": {"type": "http", "scheme": "bearer"}},
        },
    }


class OpenApiHandler(ApiHandler):
    """``GET /openapi.json``."""

    def get(self) -> None:
        """Send the description."""
        self.write(description())


class DocsHandler(PageHandler):
    """``GET /docs``: the description, for people."""

    def get(self) -> None:
        """Show the page; its texts are the description's, in English as the API itself."""
        self.write_page(
            "docs.html", api=description(), title="REST API", server=f"{self.request.protocol}://{self.request.host}"
        )


ROUTES: dict[str, type[ApiHandler] | type[PageHandler]] = {"/openapi.json": OpenApiHandler, "/docs": DocsHandler}
