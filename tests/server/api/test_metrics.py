"""The metrics for Prometheus, and that the dashboard and the alert rules use no others."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import yaml
from prometheus_client.parser import text_string_to_metric_families

import catsdogs.server
from catsdogs.domain import ServiceProblem
from tests.server.client import Client, OpenPage
from tests.serving import RunningServer

DEPLOY = Path(catsdogs.server.__file__).parent / "deploy"
Scrape = Callable[[], dict[Any, float]]
PANELS = json.loads((DEPLOY / "grafana.json").read_text())["panels"]


@pytest.fixture
def scrape(client: Client) -> Scrape:
    """Read all metrics: ``{(name, (label, value), ...): number}``."""

    def scrape() -> dict[Any, float]:
        answer = client("GET", "/metrics")
        assert answer.status == 200
        assert answer.headers["Content-Type"].startswith("text/plain")
        return {
            (sample.name, *sorted(sample.labels.items())): sample.value
            for family in text_string_to_metric_families(answer.data.decode())
            for sample in family.samples
        }

    return scrape


def test_operators_may_read_and_visitors_may_not(
    client: Client, open_page: Callable[..., OpenPage], operator: dict[str, str]
) -> None:
    assert client("GET", "/metrics", token=None).status == 401
    assert client("GET", "/metrics", token=None, headers=operator).status == 401
    assert client("GET", "/metrics", token=open_page().token).status == 403
    assert client("GET", "/metrics", token=open_page("/monitoring", headers=operator).token).status == 200


def test_predictions_feedback_and_requests_are_counted(client: Client, scrape: Scrape, cat_jpeg: bytes) -> None:
    def counted() -> list[float]:
        now = scrape()
        return [
            now["catsdogs_predictions_total", ("answer", "cat")],
            now["catsdogs_predictions_total", ("answer", "error")],
            now["catsdogs_inference_duration_seconds_count",],
            now["catsdogs_confidence_count", ("answer", "cat")],
            now["catsdogs_confidence_bucket", ("answer", "cat"), ("le", "0.5")],
            now["catsdogs_feedback_total", ("value", "satisfied")],
            now["catsdogs_feedback_total", ("value", "unsatisfied")],
            now.get(("catsdogs_requests_total", ("method", "POST"), ("route", "/api/predict"), ("status", "400")), 0.0),
        ]

    before = counted()
    made = client("POST", "/api/predict", fields={"file": ("x.jpg", cat_jpeg, "image/jpeg")}).json()
    client("POST", "/api/predict", fields={"file": ("x.jpg", b"no photo", "image/jpeg")})
    client("POST", "/api/update-feedback", fields={"feedback_id": made["feedback_id"], "user_feedback": "1"})
    client("POST", "/api/update-feedback", fields={"feedback_id": made["feedback_id"], "true_label": "cat"})
    assert [now - then for now, then in zip(counted(), before, strict=True)] == [1, 1, 1, 1, 0, 1, 0, 1]


def test_gauges_show_the_current_state(
    server: RunningServer, client: Client, scrape: Scrape, open_page: Callable[..., OpenPage]
) -> None:
    before = scrape()["catsdogs_sessions", ("app", "/inference")]
    open_page()
    now = scrape()
    assert now["catsdogs_sessions", ("app", "/inference")] == before + 1
    assert now["catsdogs_sessions_limit",] == server.settings.max_sessions
    assert now["catsdogs_spooled_records",] == 0
    assert now["catsdogs_model_info", ("version", client("GET", "/api/info").json()["version"])] == 1
    assert now["catsdogs_set_aside_records",] == 0
    assert now["catsdogs_waiting", ("pool", "predictions")] == now["catsdogs_waiting", ("pool", "figures")] == 0
    assert now["catsdogs_waiting_limit", ("pool", "figures")] == 68
    assert [now["catsdogs_degraded", ("what", problem.value)] for problem in ServiceProblem] == [0] * 6
    assert now["process_resident_memory_bytes",] > 2**20


def test_no_request_can_add_a_label(client: Client, scrape: Scrape, open_page: Callable[..., OpenPage]) -> None:
    kernel_id = open_page().kernel_id
    paths = ["/{}", "/api/{}", "/static/{}", "/voila/static/{}", "/info?lang={}", "/voila/templates/lab/static/{}"]
    for method in ("GET", "JANE"):
        for path in paths:
            client(method, path.format("once"), token=None)
    client("GET", f"/session/{kernel_id}", token=None)
    before = scrape().keys()
    for method in ("GET", "JANE", "DOE"):
        for path in paths:
            client(method, path.format("jane-doe"), token=None)
    after = scrape().keys()
    assert after == before
    everything = repr(after)
    assert not any(secret in everything for secret in ("jane", "JANE", "once", kernel_id, "127.0.0.1"))


@pytest.mark.parametrize("name", ["alerts.yml", "grafana.json", "v3_names.yml"])
def test_rules_and_dashboard_use_existing_metrics(client: Client, scrape: Scrape, cat_jpeg: bytes, name: str) -> None:
    client("POST", "/api/predict", fields={"file": ("x.jpg", cat_jpeg, "image/jpeg")})
    known = {name for name, *_ in scrape()}
    labels = {label for _, *pairs in scrape() for label, _ in pairs} | {"instance", "job", "class"}  # "class": our own
    used = re.findall(r"(?:catsdogs|process)_\w+(?=[\s{,)\[]|$)", " ".join(expressions(name)))
    assert len(used) >= 10
    assert set(used) <= known
    text = " ".join(expressions(name))
    grouped = [label for group in re.findall(r"(?:by|on|without) \(([^)]*)\)", text) for label in group.split(", ")]
    assert set(grouped + re.findall(r"(\w+)=~?\"", text)) <= labels


def expressions(name: str) -> list[str]:
    """List the PromQL of a file."""
    if name.endswith(".yml"):
        groups = yaml.safe_load((DEPLOY / name).read_text())["groups"]
        return [rule["expr"] for group in groups for rule in group["rules"]]
    return [target["expr"] for panel in PANELS for target in panel["targets"]]


def test_no_rule_counts_messages_as_people() -> None:
    """A person may send another rating: only the database has the last one."""
    assert "catsdogs_feedback" not in " ".join(expressions("alerts.yml"))
    [panel] = [panel for panel in PANELS if "catsdogs_feedback" in json.dumps(panel["targets"])]
    assert "messages" in panel["title"]


def test_every_rule_says_what_to_do() -> None:
    groups = yaml.safe_load((DEPLOY / "alerts.yml").read_text())["groups"]
    rules = [rule for group in groups for rule in group["rules"] if "alert" in rule]
    assert len({rule["alert"] for rule in rules}) == len(rules) >= 10
    for rule in rules:
        assert rule.keys() <= {"alert", "expr", "for", "keep_firing_for", "labels", "annotations"}
        assert rule["labels"]["severity"] in {"warning", "critical"}
        assert rule["annotations"]["summary"]
        assert rule["annotations"]["description"]
        assert rule["expr"].count("(") == rule["expr"].count(")")


def test_the_names_of_v3_are_recorded() -> None:
    """Each histogram whole, and each name once for the same labels, as Prometheus demands."""
    [group] = yaml.safe_load((DEPLOY / "v3_names.yml").read_text())["groups"]
    recorded = [(rule["record"], *rule.get("labels", {}).items()) for rule in group["rules"]]
    assert len(set(recorded)) == len(recorded)
    names = {name for name, *_ in recorded}
    assert names >= {
        "cv_database_connected",
        "cv_inference_time_seconds_bucket",
        "cv_model_confidence_bucket",
        "cv_predictions_total",
        "cv_user_feedback_total",
        "http_requests_total",
    }
    histograms = {name.removesuffix("_bucket") for name in names if name.endswith("_bucket")}
    assert all({f"{name}_sum", f"{name}_count"} <= names for name in histograms)


def test_the_panels_of_the_dashboard_do_not_overlap() -> None:
    assert len({panel["id"] for panel in PANELS}) == len(PANELS)
    cells = [
        (x, y)
        for position in (panel["gridPos"] for panel in PANELS)
        for x in range(position["x"], position["x"] + position["w"])
        for y in range(position["y"], position["y"] + position["h"])
    ]
    assert len(set(cells)) == len(cells)
    assert max(x for x, _ in cells) < 24
