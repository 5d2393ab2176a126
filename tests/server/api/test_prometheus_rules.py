"""The rules for Prometheus, evaluated by Prometheus' own tool on made-up metrics."""

from __future__ import annotations

import json
import shutil
import subprocess
from importlib import resources
from pathlib import Path
from typing import NamedTuple

import pytest
import yaml

DEPLOY = Path(str(resources.files("catsdogs.server") / "deploy"))
PROMTOOL = shutil.which("promtool")
DAY = 24 * 60
Series = dict[str, str]
"""Values in promtool's notation, by the name of the series with its labels."""
Expected = tuple[str, int, dict[str, float]]
"""An expression, the time in minutes, and its values by their labels."""

pytestmark = pytest.mark.skipif(PROMTOOL is None, reason="no promtool: install prometheus")


class Case(NamedTuple):
    """An alert on made-up metrics. All times are in minutes."""

    alert: str
    series: Series
    fires: int
    """When it fires; it does not at the beginning."""
    over: int
    """When it is resolved."""
    step: int = 1
    """Between two scrapes, and between two evaluations."""
    alone: bool = False
    """Whether no other alert may fire then."""


def gauge(*parts: tuple[int, float]) -> str:
    """Return numbers of steps with the value in each of them."""
    return " ".join(f"{value}+0x{steps - 1}" for steps, value in parts)


def counter(*parts: tuple[int, float]) -> str:
    """Return a counter: numbers of steps, with what each step adds."""
    total, words = 0.0, []
    for steps, added in parts:
        words.append(f"{total + added}+{added}x{steps - 1}")
        total += steps * added
    return " ".join(words)


def answers(**counters: str) -> Series:
    return {f'catsdogs_predictions_total{{instance="a",answer="{name}"}}': text for name, text in counters.items()}


def requests(status: int, *parts: tuple[int, float]) -> Series:
    name = 'catsdogs_requests_total{{instance="a",status="{}"}}'
    return {name.format(200): counter((120, 60)), name.format(status): counter(*parts)}


def times(photos: list[tuple[int, float]], seconds: list[tuple[int, float]]) -> Series:
    name = "catsdogs_inference_duration_seconds"
    return {f'{name}_count{{instance="a"}}': counter(*photos), f'{name}_sum{{instance="a"}}': counter(*seconds)}


def buckets(*parts: tuple[int, float]) -> Series:
    """Return durations of ten predictions a minute, of which some take more than a second."""
    name = 'catsdogs_request_duration_seconds_bucket{{instance="a",route="/api/predict",le="{}"}}'
    fast = [(steps, 10 - slow) for steps, slow in parts]
    return {
        name.format("1"): counter(*fast),
        name.format("2.5"): counter((120, 10)),
        name.format("+Inf"): counter((120, 10)),
    }


def nobody(*parts: tuple[int, float]) -> Series:
    """Return all that photos move, where the counters stand still for a time: 0 / 0 is no share."""
    steady = [*requests(500, (1, 0)), *buckets((1, 0))]
    series = answers(cat=counter(*parts), dog=counter(*parts), error=counter((sum(steps for steps, _ in parts), 0)))
    series |= times(list(parts), [(steps, 0.01 * photos) for steps, photos in parts])
    return series | {name: counter(*parts) for name in steady}


OFFICE_HOURS = [(32, 0.0), (32, 2.0), (32, 0.0)]
"""Steps of 15 minutes with photos between 8:00 and 16:00 only."""
CASES = [
    Case("CatsdogsDown", {'up{job="catsdogs",instance="a"}': gauge((10, 1), (10, 0), (20, 1))}, 15, 25),
    Case("CatsdogsDegraded", {'catsdogs_degraded{what="disk"}': gauge((10, 0), (10, 1), (20, 0))}, 18, 25),
    Case("CatsdogsRecordsWait", {"catsdogs_spooled_records": gauge((10, 0), (20, 5), (20, 0))}, 28, 35),
    Case("CatsdogsRecordsSetAside", {"catsdogs_set_aside_records": gauge((10, 0), (10, 2), (20, 0))}, 11, 25),
    Case("CatsdogsFails", requests(500, (20, 0), (30, 6), (70, 0)), 45, 80),
    Case("CatsdogsTurnsAway", requests(429, (20, 0), (30, 6), (70, 0)), 45, 80),
    Case(
        "CatsdogsFull",
        {
            'catsdogs_sessions{instance="a",app="/inference"}': gauge((10, 50), (20, 95), (20, 50)),
            'catsdogs_sessions{instance="a",app="/monitoring"}': gauge((50, 3)),
            'catsdogs_sessions_limit{instance="a"}': gauge((50, 100)),
        },
        25,
        35,
    ),
    Case("CatsdogsSlow", buckets((20, 0), (30, 1), (70, 0)), 45, 80),
    Case(
        "CatsdogsUnreadablePhotos",
        answers(cat=counter((192, 2)), dog=counter((192, 2)), error=counter((100, 0), (24, 2), (68, 0))),
        31 * 60,
        37 * 60,
        step=15,
    ),
    Case(
        "CatsdogsOneAnswer",
        answers(cat=counter((100, 1), (92, 9)), dog=counter((100, 1), (60, 0), (32, 20)), error=counter((192, 0))),
        39 * 60,
        44 * 60,
        step=15,
    ),
    Case(
        "CatsdogsInferenceSlower",
        times([(200, 2)], [(100, 0.02), (24, 0.06), (76, 0.02)]),
        108 * 15,
        134 * 15,
        step=15,
    ),
    Case(  # without photos at night there is no mean, and the median of the days must not become one
        "CatsdogsInferenceSlower",
        times(
            OFFICE_HOURS * 4,
            [(steps, 0.01 * photos) for steps, photos in OFFICE_HOURS * 3]
            + [(32, 0), (8, 0.02), (8, 0.06), (16, 0.02), (32, 0)],
        ),
        3 * DAY + 11 * 60 + 45,
        3 * DAY + 15 * 60,
        step=15,
    ),
    Case("CatsdogsInferenceSlow", times([(60, 2)], [(20, 0.02), (16, 2.0), (24, 0.02)]), 30 * 15, 45 * 15, step=15),
    Case(
        "CatsdogsNoTraffic",
        nobody((7 * 96 + 40, 2), (24, 0), (60, 2)),
        7 * DAY + 58 * 15,
        7 * DAY + 74 * 15,
        step=15,
        alone=True,
    ),
]


def run(*arguments: str) -> None:
    assert PROMTOOL is not None
    result = subprocess.run([PROMTOOL, *arguments], capture_output=True, text=True, timeout=60)
    assert result.returncode == 0, result.stdout + result.stderr


def run_tests(folder: Path, rules: str, step: int, tests: list[tuple[Series, list[Expected]]]) -> None:
    """Let promtool evaluate rules every `step` minutes, and compare expressions with the samples that are expected."""
    groups = [
        {
            "interval": f"{step}m",
            "input_series": [{"series": name, "values": values} for name, values in series.items()],
            "promql_expr_test": [
                {
                    "expr": text,
                    "eval_time": f"{minutes}m",
                    "exp_samples": [{"labels": k, "value": v} for k, v in samples.items()],
                }
                for text, minutes, samples in expected
            ],
        }
        for series, expected in tests
    ]
    file = folder / "tests.yml"
    names = [group["name"] for group in yaml.safe_load((DEPLOY / rules).read_text())["groups"]]
    document = {"rule_files": [str(DEPLOY / rules)], "evaluation_interval": f"{step}m", "tests": groups}
    document["group_eval_order"] = names  # as they stand; otherwise, promtool takes any order
    file.write_text(json.dumps(document))  # JSON is YAML
    run("test", "rules", str(file))


@pytest.mark.parametrize("name", ["alerts.yml", "v3_names.yml"])
def test_prometheus_accepts_the_rules(name: str) -> None:
    run("check", "rules", str(DEPLOY / name))


def test_each_alert_is_tried() -> None:
    groups = yaml.safe_load((DEPLOY / "alerts.yml").read_text())["groups"]
    alerts = {rule["alert"] for group in groups for rule in group["rules"] if "alert" in rule}
    assert {case.alert for case in CASES} == alerts


@pytest.mark.parametrize("step", sorted({case.step for case in CASES}))
def test_each_alert_fires_and_is_resolved(tmp_path: Path, step: int) -> None:
    def expected(case: Case) -> list[Expected]:
        text = f'count(ALERTS{{alertname="{case.alert}",alertstate="firing"}}) or vector(0)'
        own = [(text, at, {"{}": float(value)}) for at, value in ((9 * step, 0), (case.fires, 1), (case.over, 0))]
        others = f'count(ALERTS{{alertname!="{case.alert}",alertstate="firing"}}) or vector(0)'
        return own + ([(others, case.fires, {"{}": 0.0})] if case.alone else [])

    run_tests(tmp_path, "alerts.yml", step, [(case.series, expected(case)) for case in CASES if case.step == step])


def test_the_names_of_v3_have_the_values_of_ours(tmp_path: Path) -> None:
    series = answers(cat="3", dog="4", neither="5", error="6")
    series |= {
        'catsdogs_feedback_total{value="satisfied"}': "7",
        'catsdogs_feedback_total{value="unsatisfied"}': "8",
        'catsdogs_degraded{what="database"}': "1",
        'catsdogs_degraded{what="disk"}': "0",
        "catsdogs_inference_duration_seconds_sum": "9",
        'catsdogs_confidence_count{answer="cat"}': "3",
        'catsdogs_confidence_count{answer="dog"}': "4",
        'catsdogs_requests_total{route="/api/predict",method="POST",status="200"}': "10",
        'catsdogs_requests_total{route="/api/predict",method="POST",status="404"}': "11",
        'catsdogs_requests_total{route="/health",method="GET",status="204"}': "12",
        'catsdogs_requests_total{route="/health",method="GET",status="200"}': "13",
    }
    expected: list[tuple[str, dict[str, float]]] = [
        (
            'sum by (result) (cv_predictions_total{success="true"})',
            {f'{{result="{a}"}}': n for a, n in (("cat", 3), ("dog", 4), ("neither", 5))},
        ),
        ('sum(cv_predictions_total{success="false",result="error"})', {"{}": 6}),
        ("sum(cv_predictions_labels_total)", {"{}": 12}),
        ('sum(cv_predictions_labels_total{predicted_label="dog"})', {"{}": 4}),
        ('sum(cv_user_feedback_total{feedback_type="positive",satisfaction="satisfied"})', {"{}": 7}),
        ('sum(cv_user_feedback_total{feedback_type="negative"})', {"{}": 8}),
        ("sum(cv_database_connected)", {"{}": 0}),
        ("sum(cv_inference_time_seconds_sum)", {"{}": 9}),
        ("sum(cv_inference_duration_seconds_sum)", {"{}": 9}),
        ("sum(cv_model_confidence_count)", {"{}": 7}),
        ('sum(cv_prediction_confidence_count{result="dog"})', {"{}": 4}),
        (
            "sum by (handler, method, status) (http_requests_total)",
            {
                '{handler="/api/predict",method="POST",status="2xx"}': 10,
                '{handler="/api/predict",method="POST",status="4xx"}': 11,
                '{handler="/health",method="GET",status="2xx"}': 25,
            },
        ),
    ]
    run_tests(tmp_path, "v3_names.yml", 1, [(series, [(text, 0, samples) for text, samples in expected])])
