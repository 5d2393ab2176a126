"""The shapes of what the REST API takes and gives, in JSON Schema: every answer has all fields of its shape."""

from __future__ import annotations

from typing import Any

from catsdogs.alerting.alert import AlertState, Measure
from catsdogs.domain import Answer, Doubt, PurposeName, ServiceProblem, TrueLabel
from catsdogs.monitoring.figures import Reading
from catsdogs.samples import SAMPLES

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
    degraded={"type": "array", "items": {"type": "string", "enum": list(ServiceProblem)}},
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
