"""The description says what the server does."""

from __future__ import annotations

import jsonschema
import pytest
import schemathesis
from hypothesis import HealthCheck, settings
from schemathesis.specs.openapi.checks import positive_data_acceptance

from catsdogs.server.api import health, metrics, monitoring, predictions, privacy
from catsdogs.server.api.openapi import description

ROUTES = predictions.ROUTES | health.ROUTES | privacy.ROUTES | monitoring.ROUTES | metrics.ROUTES


def open_to_all():
    """Describe the API without its token, which every request below has: a missing one is a test of its own."""
    api = description()
    for methods in api["paths"].values():
        for operation in methods.values():
            del operation["security"]
    return api


DESCRIBED = schemathesis.openapi.from_dict(open_to_all())
BEYOND_SCHEMAS = {
    "/api/predict": "what is a photo",
    "/api/statistics": "a window's start is before its end",
    "/api/recent-predictions": "a window's start is before its end",
    "/api/model-health": "a window's start is before its end",
}
"""Rules that JSON Schema has no words for."""


@pytest.fixture(scope="module")
def own(launch):
    """A server that may be shot at."""
    server = launch()
    yield server
    server.stop()


@DESCRIBED.parametrize()
@settings(max_examples=12, derandomize=True, deadline=None, database=None, suppress_health_check=list(HealthCheck))
def test_whatever_is_sent_the_answer_is_as_described(case, own):
    case.call_and_validate(
        base_url=own.url,
        headers={"Authorization": f"Bearer {own.api_token}"},
        excluded_checks=[positive_data_acceptance] if case.operation.path in BEYOND_SCHEMAS else [],
    )


def test_nothing_of_that_failed_within(own):
    assert "Traceback" not in own.log.read_text()


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


def test_a_prediction_and_what_it_leaves_are_as_described(client, cat_jpeg):
    fields = {"file": ("x.jpg", cat_jpeg, "image/jpeg"), "rgpd_consent": "true"}
    made = client("POST", "/api/predict", fields=fields).json()
    jsonschema.validate(made, schema_of("/api/predict", "post"))
    fields = {"feedback_id": made["feedback_id"], "user_feedback": "1"}
    rated = client("POST", "/api/update-feedback", fields=fields).json()
    jsonschema.validate(rated, schema_of("/api/update-feedback", "post"))
    for path in ("/api/statistics", "/api/recent-predictions"):
        jsonschema.validate(client("GET", path).json(), schema_of(path, "get"))
    held = client("POST", "/api/privacy/export", fields={"receipt": made["receipt"]}).json()
    jsonschema.validate(held, schema_of("/api/privacy/export", "post"))


@pytest.mark.parametrize("method", ["TRACE", "DELETE", "PROPFIND"])
def test_a_method_that_is_not_there_is_refused_with_those_that_are(client, method):
    answer = client(method, "/api/predict", body=b"x" * 100)
    assert (answer.status, answer.headers["Allow"]) == (405, "POST")
    assert answer.json()["detail"]


def test_every_page_answers_head_as_get_without_a_body(client):
    """What watches a service often asks so."""
    paths = [path for path, methods in description()["paths"].items() if "get" in methods]
    for path in [*paths, "/openapi.json", "/docs", "/", "/info", "/login"]:
        asked, got = client("HEAD", path), client("GET", path)
        assert (asked.status, asked.data) == (got.status, b""), path
        assert asked.headers["Content-Type"] == got.headers["Content-Type"], path
    assert client("HEAD", "/api/predict").status == 405
    assert client("DELETE", "/health").headers["Allow"] == "GET, HEAD"


def test_a_misspelt_parameter_is_refused(client):
    """What it should have left out would be counted."""
    for path, methods in description()["paths"].items():
        names = {one["name"] for one in methods.get("get", {}).get("parameters", ())}
        if issubclass(ROUTES[path], monitoring.MonitoringHandler):
            answer = client("GET", f"{path}?windw=7d&lang=fr")
            assert answer.status == 400
            assert {*ROUTES[path].parameters} == names
            assert answer.json()["detail"].startswith("Il n’y a pas de paramètre windw.")


def test_the_page_for_people_lists_every_route(client):
    answer = client("GET", "/docs", token=None)
    assert answer.status == 200
    assert all(path in answer.data.decode() for path in ROUTES)
