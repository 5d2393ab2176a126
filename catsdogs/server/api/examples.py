"""Examples of requests and responses in the OpenAPI description."""

from __future__ import annotations

from typing import Any

_PREDICTION = "01a21a98-5569-778b-8055-a3bd654191c9"
_RECEIPT = "7K3MQ-X4RTN-P9WHD-2VFYC-J6BZA-E8LUS"
_ANSWER = {
    "prediction": "Cat",
    "confidence": "99.97%",
    "probabilities": {"cat": "99.97%", "dog": "0.03%"},
    "proba_cat": 0.99974,
    "proba_dog": 0.00026,
    "neither_score": 0.0312,
    "inference_time_ms": 9.4,
    "model_version": "2.0",
    "doubt": None,
    "notes": [],
    "explanation": {"activation": [[-0.9, -2.1], [-3.4, -1.2]], "box": [0.125, 0.0, 0.875, 1.0]},
}
_REMOVAL = {"predictions": [_PREDICTION], "photos": 1, "waiting": 0}

FORMS: dict[str, dict[str, Any]] = {
    "/api/update-feedback": {"feedback_id": _PREDICTION, "user_feedback": 0, "true_label": "dog"},
    "/api/privacy/export": {"receipt": _RECEIPT},
    "/api/privacy/withdraw": {"receipt": _RECEIPT, "purpose": "photo"},
    "/api/privacy/erase": {"receipt": _RECEIPT},
}
"""A form of each route whose form holds no file."""

RESPONSES: dict[str, dict[str, Any]] = {
    "/api/predict": {
        "filename": "photo.jpg",
        **_ANSWER,
        "feedback_id": _PREDICTION,
        "receipt": None,
        "stored": True,
        "recorded": True,
    },
    "/api/sample": _ANSWER,
    "/api/update-feedback": {"success": True, "message": "Thank you for your feedback.", "stored": True},
    "/api/consent": {"receipt": _RECEIPT, "stored": True},
    "/api/privacy/withdraw": _REMOVAL,
    "/api/privacy/erase": _REMOVAL,
    "/api/change-token": {"change_token": "1045:2026-01-31T12:00:00Z"},
    "/api/alerts": {"alerts": []},
    "/health/live": {"status": "alive"},
    "/health/ready": {"status": "ready"},
}
"""A response of the routes whose response is short."""

ERRORS = {
    400: "Send one photo, in the form's field file.",
    401: "A token is needed: send the header Authorization: Bearer TOKEN.",
    403: "This token is not valid for this route.",
    404: "There is no prediction with this feedback_id.",
    409: "What is kept about this photo was changed elsewhere, so that your choice was not applied.",
    413: "This file is too large: at most 32 MB.",
    429: "That was a lot at once. Wait a moment, then go on.",
    503: "Too much at once. Try again in a few seconds.",
}
"""A sentence of each status."""
