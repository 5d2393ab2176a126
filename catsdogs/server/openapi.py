"""The REST API's description (OpenAPI 3.1), and the page that shows it: ``/openapi.json`` and ``/docs``."""

from __future__ import annotations

from typing import Any

from catsdogs import __version__
from catsdogs.domain import AlertState, Answer, Degraded, Doubt, Listing, Measure, PurposeName, Reading, TrueLabel
from catsdogs.samples import SAMPLES
from catsdogs.server.api import Api
from catsdogs.server.pages import Page

NUMBER, INTEGER, TEXT, BOOLEAN = ({"type": kind} for kind in ("number", "integer", "string", "boolean"))
SHARE = {"type": "number", "minimum": 0, "maximum": 1}
PERCENT = {"type": "string", "examples": ["97.12%"]}
MOMENT = {"type": "string", "format": "date-time"}
UUID = {"type": "string", "format": "uuid"}


def maybe(schema: dict[str, Any]) -> dict[str, Any]:
    """Allow null too."""
    return {"anyOf": [schema, {"type": "null"}]}


def shape(**fields: dict[str, Any]) -> dict[str, Any]:
    """Describe an object that has all of `fields`, and may have more."""
    return {"type": "object", "properties": fields, "required": list(fields)}


def table(**fields: dict[str, Any]) -> dict[str, Any]:
    """Describe a list of objects."""
    return {"type": "array", "items": shape(**fields)}


EXPLANATION = shape(
    activation={
        "type": "array",
        "items": {"type": "array", "items": NUMBER},
        "description": "class-activation map, row by row: what speaks for a dog is positive, for a cat negative; "
        "the mean is the logit of proba_dog",
    },
    box={
        "type": "array",
        "items": SHARE,
        "minItems": 4,
        "maxItems": 4,
        "description": "what the map covers: left, top, right, bottom, as shares of the photo's width and height",
    },
)
ANSWER = {
    "prediction": {"type": "string", "enum": [answer.capitalize() for answer in Answer if answer is not Answer.ERROR]},
    "confidence": PERCENT,
    "probabilities": shape(cat=PERCENT, dog=PERCENT),
    "proba_cat": SHARE,
    "proba_dog": SHARE,
    "neither_score": SHARE,
    "inference_time_ms": NUMBER,
    "model_version": TEXT,
    "notes": {"type": "array", "items": TEXT},
    "doubt": maybe({"type": "string", "enum": list(Doubt)}),
    "explanation": maybe(EXPLANATION),
}
PREDICTION = shape(filename=TEXT, **ANSWER, feedback_id=UUID, receipt=maybe(TEXT), stored=BOOLEAN)
NAMES = [sample.name for sample in SAMPLES]
SATISFACTION = shape(
    rate=maybe(SHARE), low=maybe(SHARE), high=maybe(SHARE), n=INTEGER, satisfied=INTEGER, unsatisfied=INTEGER
)
PREVIOUS = shape(
    total_predictions=INTEGER, errors=INTEGER, rgpd_consents=INTEGER, mean_ms=maybe(NUMBER), satisfaction=SATISFACTION
)
LATENCY = {name: maybe(NUMBER) for name in ("mean", "min", "max", "p50", "p95", "p99")}
STATISTICS = shape(
    total_predictions=INTEGER,
    successful_predictions=INTEGER,
    rgpd_consents=INTEGER,
    success_rate={"type": "number", "minimum": 0, "maximum": 100},
    error_rate=maybe(SHARE),
    consent_rate=maybe(SHARE),
    answers={"type": "object", "additionalProperties": INTEGER},
    inference_time_ms=shape(**LATENCY),
    satisfaction=SATISFACTION,
    previous=maybe(PREVIOUS),
    bucket_seconds=INTEGER,
    timeline=table(
        start=MOMENT, predictions=INTEGER, errors=INTEGER, satisfied=INTEGER, unsatisfied=INTEGER, **LATENCY
    ),
    feedback=table(timestamp=MOMENT, user_feedback=INTEGER, prediction_result=TEXT),
    model_versions={"type": "array", "items": TEXT},
)
RECENT = shape(
    predictions=table(
        id=UUID,
        timestamp=MOMENT,
        prediction_result={"type": "string", "enum": list(Answer)},
        proba_cat=maybe(SHARE),
        proba_dog=maybe(SHARE),
        confidence=maybe(SHARE),
        inference_time_ms=maybe(NUMBER),
        success=BOOLEAN,
        rgpd_consent=BOOLEAN,
        filename=maybe(TEXT),
        user_feedback=maybe(INTEGER),
        user_comment=maybe(TEXT),
        true_label=maybe({"type": "string", "enum": list(TrueLabel)}),
        model_version=maybe(TEXT),
    ),
    count=INTEGER,
)
HEALTH = shape(
    status={"type": "string", "enum": ["healthy", "degraded"]},
    degraded={"type": "array", "items": {"type": "string", "enum": list(Degraded)}},
    model_loaded=BOOLEAN,
    database={"type": "string", "enum": ["connected", "unavailable"]},
    spooled=INTEGER,
)
SHARE_OF = {"rate": maybe(SHARE), "low": maybe(SHARE), "high": maybe(SHARE), "n": INTEGER}
ACCURACY = shape(**SHARE_OF)
MODEL_HEALTH = shape(
    model_version=maybe(TEXT),
    reference=maybe(TEXT),
    reference_n=INTEGER,
    judged=ACCURACY,
    estimated=ACCURACY,
    timeline=table(start=MOMENT, judged=ACCURACY, estimated=ACCURACY),
    reliability=table(confidence=SHARE, **SHARE_OF),
    drift=table(
        signal=TEXT,
        psi=NUMBER,
        p_value=NUMBER,
        n=INTEGER,
        reading={"type": "string", "enum": list(Reading)},
        edges={"type": "array", "items": NUMBER},
        expected={"type": "array", "items": NUMBER},
        found={"type": "array", "items": NUMBER},
    ),
    versions=table(
        model_version=TEXT,
        share=SHARE,
        judged=ACCURACY,
        estimated=ACCURACY,
        neither_rate=maybe(SHARE),
        mean_ms=maybe(NUMBER),
    ),
    whole=BOOLEAN,
)
ALERTS = shape(
    alerts=table(
        rule=TEXT,
        measure={"type": "string", "enum": list(Measure)},
        state={"type": "string", "enum": list(AlertState)},
        since=MOMENT,
        fired_at=maybe(MOMENT),
        resolved_at=maybe(MOMENT),
        value=NUMBER,
        n=INTEGER,
        limit=NUMBER,
    )
)
INFO = shape(
    model_loaded=BOOLEAN,
    version=TEXT,
    parameters=INTEGER,
    classes={"type": "array", "items": TEXT},
    input_size=INTEGER,
    metrics={"type": "object"},
    features={"type": "array", "items": TEXT},
    card=TEXT,
)

EXPORT = shape(**{name: table() for name in ("decisions", "predictions", "photos", "waiting")})
REMOVED = shape(predictions={"type": "array", "items": UUID}, photos=INTEGER, waiting=INTEGER)
RECEIPT = {"type": "string", "minLength": 1, "description": "the code shown once, when consent was given"}

PURPOSE = {"type": "string", "enum": list(PurposeName), "description": "without it, all"}

ERRORS = {
    400: "The request is wrong; detail says what.",
    401: "The token is missing or wrong.",
    403: "The token does not open this, or a comment came without consent.",
    404: "There is no such prediction, or nothing is held under this receipt.",
    413: "More than 32 MB.",
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
    photo = {"type": "string", "format": "binary", "description": "JPEG, PNG, WebP, GIF, BMP or TIFF; at most 32 MB"}
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
                    feedback_id=UUID | {"description": "of an earlier answer for this photo: adds the consent to it"},
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
                    true_label={"type": "string", "enum": list(TrueLabel)},
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


class OpenApi(Api):
    """``GET /openapi.json``."""

    def get(self) -> None:
        """Send the description."""
        self.write(description())


class Docs(Page):
    """``GET /docs``: the description, for people."""

    def get(self) -> None:
        """Show the page; its texts are the description's, in English as the API itself."""
        self.show(
            "docs.html", api=description(), title="REST API", server=f"{self.request.protocol}://{self.request.host}"
        )


ROUTES: dict[str, type[Api] | type[Page]] = {"/openapi.json": OpenApi, "/docs": Docs}
