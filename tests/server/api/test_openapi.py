"""The OpenAPI description agrees with the running server."""

from __future__ import annotations

import copy
from collections.abc import Iterator
from typing import Any

import jsonschema
import pytest
import schemathesis
from hypothesis import HealthCheck, settings
from schemathesis.specs.openapi.checks import positive_data_acceptance

from catsdogs.server.api.monitoring import MonitoringHandler
from catsdogs.server.api.openapi import DESCRIBED_ROUTES, description
from tests.server.client import Client
from tests.serving import Launch, RunningServer


def closed_description() -> dict[str, Any]:
    """Describe the API with responses that have no further fields."""
    api = copy.deepcopy(description())
    for name, schema in api["components"]["schemas"].items():
        if "properties" in schema and not name.endswith("Fields"):
            schema["additionalProperties"] = False
    return api


def without_token() -> dict[str, Any]:
    """Describe the API without its token, which every request below has: a missing one is a test of its own."""
    api = closed_description()
    for methods in api["paths"].values():
        for operation in methods.values():
            del operation["security"]
    return api


DESCRIBED = schemathesis.openapi.from_dict(without_token())
BEYOND_SCHEMAS = {
    "/api/predict": "what is a photo",
    "/api/update-feedback": "no comment is both written and deleted",
    "/api/consent": "what is a photo",
    "/api/statistics": "a window's start is before its end",
    "/api/recent-predictions": "a window's start is before its end",
    "/api/model-health": "a window's start is before its end",
}
"""Rules that JSON Schema cannot express."""


@pytest.fixture(scope="module")
def fuzzed_server(launch: Launch) -> Iterator[RunningServer]:
    """A server for generated requests; none of them may raise an exception that no handler expects."""
    server = launch()
    yield server
    server.stop()
    assert server.traceback == ""


@DESCRIBED.parametrize()
@settings(max_examples=12, derandomize=True, deadline=None, database=None, suppress_health_check=list(HealthCheck))
def test_whatever_is_sent_the_response_is_as_described(case: Any, fuzzed_server: RunningServer) -> None:
    case.call_and_validate(
        base_url=fuzzed_server.url,
        headers={"Authorization": f"Bearer {fuzzed_server.api_token}"},
        excluded_checks=[positive_data_acceptance] if case.operation.path in BEYOND_SCHEMAS else [],
    )


@pytest.fixture(scope="module")
def responses(server: RunningServer, client: Client, cat_jpeg: bytes) -> dict[str, Any]:
    """The body of one response of every route, with data in it."""

    def send(path: str, method: str = "POST", token: str | None = server.api_token, **fields: Any) -> Any:
        answer = client(method, path, token=token, fields=fields or None)
        assert answer.status == 200, answer.data
        return answer.json()

    def predict() -> Any:
        return send("/api/predict", file=("cat.jpg", cat_jpeg), rgpd_consent="true", photo_consent="true")

    made = predict()
    feedback = {"user_feedback": "0", "user_comment": "A lynx!", "true_label": "neither"}
    found = {
        "/api/predict": made,
        "/api/update-feedback": send("/api/update-feedback", feedback_id=made["feedback_id"], **feedback),
        "/api/consent": send(
            "/api/consent",
            feedback_id=made["feedback_id"],
            rgpd_consent="true",
            photo_consent="true",
            receipt=made["receipt"],
        ),
        "/api/privacy/export": send("/api/privacy/export", receipt=made["receipt"]),
    }
    assert client("POST", "/api/predict", fields={"file": ("no.jpg", b"no photo")}).status == 400
    statement = """
        INSERT INTO alerts (id, rule, since, fired_at, seen_at, value, n)
        VALUES (gen_random_uuid(), 'slow', now(), now(), now(), 900, 20) RETURNING id
    """
    assert server.query(statement)
    gets = [path for path, methods in description()["paths"].items() if "get" in methods and path != "/metrics"]
    found |= {path: send(path, "GET") for path in gets}
    found["/api/privacy/withdraw"] = send("/api/privacy/withdraw", receipt=made["receipt"])
    found["/api/privacy/erase"] = send("/api/privacy/erase", receipt=predict()["receipt"])
    return found


@pytest.mark.parametrize("path", sorted(DESCRIBED_ROUTES.keys() - {"/metrics"}))
def test_a_response_has_the_described_fields_and_no_other(responses: dict[str, Any], path: str) -> None:
    api = closed_description()
    [operation] = api["paths"][path].values()
    schema = operation["responses"]["200"]["content"]["application/json"]["schema"]
    checker = jsonschema.FormatChecker(["date-time", "uuid"])
    jsonschema.validate(responses[path], {**api, **schema}, jsonschema.Draft202012Validator, format_checker=checker)


def test_the_lists_that_were_checked_were_not_empty(responses: dict[str, Any]) -> None:
    bodies = {
        "/api/statistics": ["timeline", "feedback", "model_versions"],
        "/api/recent-predictions": ["predictions"],
        "/api/model-health": ["timeline", "drift", "versions"],
        "/api/alerts": ["alerts"],
        "/api/privacy/export": ["decisions", "predictions", "photos"],
    }
    for path, names in bodies.items():
        assert all(responses[path][name] for name in names), path


def test_an_error_has_the_described_fields_and_no_other(client: Client) -> None:
    for answer in (client("GET", "/api/statistics", token=None), client("GET", "/api/sample?name=mine")):
        assert answer.status in (401, 404)
        assert answer.json().keys() == {"detail"}


def test_fields_have_descriptions_ranges_and_formats() -> None:
    schemas = description()["components"]["schemas"]
    prediction = schemas["RecordedPrediction"]["properties"]
    assert prediction["proba_cat"] == {
        "type": "number",
        "minimum": 0,
        "maximum": 1,
        "description": "Probability that the animal is a cat.",
    }
    assert prediction["feedback_id"]["format"] == "uuid"
    assert prediction["prediction"]["enum"] == ["Cat", "Dog", "Neither"]
    assert schemas["Bucket"]["properties"]["start"]["format"] == "date-time"
    assert "consent_language" in schemas["PredictFields"]["properties"]


def test_every_route_is_described(client: Client) -> None:
    assert client("GET", "/openapi.json", token=None).json() == description()
    assert description()["openapi"].startswith("3.1")
    assert description()["paths"].keys() == DESCRIBED_ROUTES.keys()


def test_exactly_the_described_operations_need_the_token(client: Client) -> None:
    for path, methods in description()["paths"].items():
        for method, operation in methods.items():
            status = client(method.upper(), path, token=None).status
            assert (status == 401) is bool(operation["security"]), path


def operations() -> dict[str, dict[str, Any]]:
    """Return the operations of the description, by route."""
    return {path: operation for path, methods in description()["paths"].items() for operation in methods.values()}


def test_the_description_has_what_linters_and_generators_of_clients_ask_for() -> None:
    """The rules of redocly and spectral that matter; both find no errors."""
    api = description()
    assert api["servers"]
    assert api["info"]["description"]
    names = [operation["operationId"] for operation in operations().values()]
    assert len(set(names)) == len(names)
    assert all(name.isidentifier() for name in names)
    declared = [tag["name"] for tag in api["tags"]]
    for path, operation in operations().items():
        assert len(set(operation["tags"]) & {*declared}) == 1, path
        assert operation["summary"], path
        for status, response in operation["responses"].items():
            [media] = response["content"].values()
            assert status == "200" or media["example"]["detail"].endswith(".")
        for media in operation.get("requestBody", {"content": {}})["content"].values():
            schema = api["components"]["schemas"][media["schema"]["$ref"].rpartition("/")[2]]
            assert not {"anyOf", "not", "oneOf"} & (schema.keys() | media["schema"].keys()), path
            assert schema["additionalProperties"] is False, path
            assert all("anyOf" not in field for field in schema["properties"].values()), path


def test_forms_without_a_file_are_documented_in_both_encodings() -> None:
    for path in ("/api/update-feedback", "/api/privacy/export", "/api/privacy/withdraw", "/api/privacy/erase"):
        content = operations()[path]["requestBody"]["content"]
        assert content.keys() == {"application/x-www-form-urlencoded", "multipart/form-data"}
        first, second = (media["schema"].pop("$ref") for media in copy.deepcopy(content).values())
        assert second == f"{first}Multipart"  # another type: openapi-python-client chooses the encoding by it


def test_the_examples_are_valid() -> None:
    api = closed_description()
    checker = jsonschema.FormatChecker(["date-time", "uuid"])
    media = [
        media for one in operations().values() for media in one.get("requestBody", {"content": {}})["content"].values()
    ]
    for one in operations().values():
        media += [content for response in one["responses"].values() for content in response["content"].values()]
    examples = [(one["example"], one["schema"]) for one in media if "example" in one]
    assert len(examples) > 30
    for example, schema in examples:
        jsonschema.validate(example, {**api, **schema}, jsonschema.Draft202012Validator, format_checker=checker)


@pytest.mark.parametrize("method", ["TRACE", "DELETE", "PROPFIND"])
def test_a_method_that_is_not_there_is_refused_with_those_that_are(client: Client, method: str) -> None:
    answer = client(method, "/api/predict", body=b"x" * 100)
    assert (answer.status, answer.headers["Allow"]) == (405, "POST")
    assert answer.json()["detail"]


def test_every_page_answers_head_as_get_without_a_body(client: Client) -> None:
    """Programs that watch a service often send HEAD."""
    paths = [path for path, methods in description()["paths"].items() if "get" in methods]
    for path in [*paths, "/openapi.json", "/docs", "/", "/info", "/login"]:
        asked, got = client("HEAD", path), client("GET", path)
        assert (asked.status, asked.data) == (got.status, b""), path
        assert asked.headers["Content-Type"] == got.headers["Content-Type"], path
    assert client("HEAD", "/api/predict").status == 405
    assert client("DELETE", "/health").headers["Allow"] == "GET, HEAD"


def test_a_misspelt_parameter_is_refused(client: Client) -> None:
    """If it were ignored, the figures would include predictions that it excludes."""
    for path, methods in description()["paths"].items():
        names = {one["name"] for one in methods.get("get", {}).get("parameters", ())}
        handler = DESCRIBED_ROUTES[path]
        if issubclass(handler, MonitoringHandler):
            answer = client("GET", f"{path}?windw=7d&lang=fr")
            assert answer.status == 400
            assert all(name in answer.json()["detail"] for name in names)
            assert answer.json()["detail"].startswith("Le paramètre windw n’existe pas.")


def test_the_page_for_people_lists_every_route(client: Client) -> None:
    answer = client("GET", "/docs", token=None)
    assert answer.status == 200
    assert all(path in answer.data.decode() for path in DESCRIBED_ROUTES)
