"""The description says what the server does."""

from __future__ import annotations

import pytest

from catsdogs.server import api, rights
from catsdogs.server.openapi import description

ROUTES = api.ROUTES | rights.ROUTES


def check(schema, value, place="answer"):
    """Check a value against the few words of JSON Schema that the description uses."""
    if "anyOf" in schema:
        if value is not None:
            check(schema["anyOf"][0], value, place)
        return
    kinds = {"object": dict, "array": list, "string": str, "integer": int, "boolean": bool, "number": (int, float)}
    assert isinstance(value, kinds[schema["type"]]), place
    for name in schema.get("required", []):
        assert name in value, f"{place}.{name}"
    for name, field in schema.get("properties", {}).items():
        check(field, value[name], f"{place}.{name}")
    if schema["type"] == "array":
        assert schema.get("minItems", 0) <= len(value) <= schema.get("maxItems", len(value)), place
    for item in value if schema["type"] == "array" else []:
        check(schema["items"], item, f"{place}[]")
    assert value in schema.get("enum", [value]), place
    if schema["type"] in {"number", "integer"}:
        assert schema.get("minimum", value) <= value <= schema.get("maximum", value), place


def schema_of(path, method):
    return description()["paths"][path][method]["responses"]["200"]["content"]["application/json"]["schema"]


def test_every_route_is_described(client):
    assert client("GET", "/openapi.json", token=None).json() == description()
    assert description()["openapi"].startswith("3.1")
    assert description()["paths"].keys() == ROUTES.keys()


def test_exactly_the_described_operations_need_the_token(client):
    for path, methods in description()["paths"].items():
        for method, operation in methods.items():
            status = client(method.upper(), path, token=None).status
            assert (status == 401) is bool(operation["security"]), path


@pytest.mark.parametrize("path", [path for path, methods in description()["paths"].items() if "get" in methods])
def test_answers_are_as_described(client, cat_jpeg, path):
    client("POST", "/api/predict", fields={"file": ("x.jpg", cat_jpeg, "image/jpeg")})
    check(schema_of(path, "get"), client("GET", path).json())


def test_a_prediction_is_as_described(client, cat_jpeg):
    fields = {"file": ("x.jpg", cat_jpeg, "image/jpeg"), "rgpd_consent": "true"}
    made = client("POST", "/api/predict", fields=fields).json()
    check(schema_of("/api/predict", "post"), made)
    fields = {"feedback_id": made["feedback_id"], "user_feedback": "1"}
    check(schema_of("/api/update-feedback", "post"), client("POST", "/api/update-feedback", fields=fields).json())


def test_the_page_for_people_lists_every_route(client):
    answer = client("GET", "/docs", token=None)
    assert answer.status == 200
    assert all(path in answer.data.decode() for path in ROUTES)
