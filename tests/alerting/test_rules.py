"""The rules file: its default content, and the messages about mistakes in it."""

from __future__ import annotations

import re
from datetime import timedelta
from importlib import resources
from pathlib import Path

import pytest
import yaml

from catsdogs.alerting.alert import Measure
from catsdogs.alerting.rules import Rule, is_invalid, load_rules
from catsdogs.errors import SettingsError
from catsdogs.monitoring.drift_limits import STRONG_PSI

GOOD = 'name = "a"\nmeasure = "errors"\nabove = 0.5\nfast = "PT1H"\nslow = "P1D"\n'


def packaged_rule(name: str) -> Rule:
    return next(rule for rule in load_rules() if rule.name == name)


def test_the_default_limits_are_those_of_v2_and_v3() -> None:
    low = packaged_rule("satisfaction_low")
    assert (low.measure, low.below) == (Measure.SATISFACTION, 0.70)
    slow = packaged_rule("slow")
    assert (slow.measure, slow.above) == (Measure.INFERENCE_TIME, 1.5)
    errors = packaged_rule("errors")
    assert (errors.above, errors.slow) == (0.05, timedelta(days=7))
    assert packaged_rule("many_negatives").below == 0.5
    assert packaged_rule("unsure").above == 0.8
    assert packaged_rule("one_answer").above == 0.8


def test_a_rule_is_not_broken_at_its_limit() -> None:
    assert not packaged_rule("satisfaction_low").is_beyond(0.70)
    assert packaged_rule("satisfaction_low").is_beyond(0.69)
    assert not packaged_rule("errors").is_beyond(0.05)
    assert packaged_rule("errors").is_beyond(0.051)


def test_the_limit_of_a_drift_rule_is_by_default_that_of_a_strong_drift() -> None:
    drift_rules = [rule for rule in load_rules() if rule.measure.is_drift]
    assert {rule.limit for rule in drift_rules} == {STRONG_PSI}
    assert not drift_rules[0].is_beyond(STRONG_PSI)
    assert drift_rules[0].is_beyond(STRONG_PSI + 0.01)
    values = {"name": "a", "measure": "drift_size", "above": 0.5, "fast": "PT1H", "slow": "P1D"}
    assert Rule.model_validate(values).limit == 0.5


@pytest.mark.parametrize(
    ("alert", "rule"),
    [
        ("CatsdogsUnreadablePhotos", "errors"),
        ("CatsdogsOneAnswer", "one_answer"),
        ("CatsdogsInferenceSlower", "slow"),
        ("CatsdogsNoTraffic", "no_traffic"),
    ],
)
def test_the_prometheus_rules_have_the_same_limits(alert: str, rule: str) -> None:
    file = resources.files("catsdogs.server") / "deploy" / "alerts.yml"
    groups = yaml.safe_load(file.read_text(encoding="utf-8"))["groups"]
    [expression] = [entry["expr"] for group in groups for entry in group["rules"] if entry.get("alert") == alert]
    assert re.search(rf" (<|>) {packaged_rule(rule).limit:g}\b", expression)


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        ("", "at rule: Field required"),
        ("rule = []", "at rule: List should have at least 1 item"),
        ("x =", "are not TOML: Invalid value"),
        ("[[rule]]\n" + GOOD.replace('"a"', '"a b"'), "at rule / a b / name: a name has at most 64 small letters"),
        ("[[rule]]\n" + GOOD.replace("errors", "mistakes"), "at rule / a / measure: Input should be 'satisfaction'"),
        ("[[rule]]\n" + GOOD.replace("0.5", '"half"'), "at rule / a / above: Input should be a valid number"),
        ("[[rule]]\n" + GOOD + "below = 0.1", "at rule / a: give either below or above"),
        ("[[rule]]\n" + GOOD.replace("above = 0.5", ""), "at rule / a: give either below or above"),
        ("[[rule]]\n" + GOOD.replace("above", "below"), "at rule / a: errors is bad where it is above a limit"),
        ("[[rule]]\n" + GOOD.replace("errors", "traffic"), "at rule / a: traffic is bad where it is below a limit"),
        ("[[rule]]\n" + GOOD.replace('slow = "P1D"', ""), "at rule / a / slow: Field required"),
        ("[[rule]]\n" + GOOD.replace("P1D", "PT1H"), "at rule / a: the window fast must be shorter than slow"),
        ("[[rule]]\n" + GOOD.replace("P1D", "P1M"), "at rule / a / slow: a duration in ISO 8601 of weeks, days, hours"),
        ("[[rule]]\n" + GOOD.replace("PT1H", "30 min"), "at rule / a / fast: a duration in ISO 8601 of weeks"),
        ("[[rule]]\n" + GOOD.replace("PT1H", "PT"), "at rule / a / fast: a duration in ISO 8601 of weeks"),
        ("[[rule]]\n" + GOOD.replace("0.5", "5.0"), "at rule / a: the limit of a share must be less than 1"),
        ("[[rule]]\n" + GOOD.replace("0.5", "inf"), "at rule / a / above: Input should be a finite number"),
        ("[[rule]]\n" + GOOD + "sure = 0.7", "at rule / a / sure: Input should be greater than or equal to 0.75"),
        ("[[rule]]\n" + GOOD + "sure = 1.0", "at rule / a / sure: Input should be less than 1"),
        ("[[rule]]\n" + GOOD + 'severity = "high"', "at rule / a / severity: Input should be 'critical' or 'warning'"),
        ("[[rule]]\n" + GOOD + "last = 50", "at rule / a: last is a field of earlier versions"),
        (
            "[[rule]]\n" + GOOD.replace("slow", "within"),
            "earlier versions: rename within to slow",
        ),
        ("[[rule]]\n" + GOOD + "treshold = 1", "at rule / a / treshold: Extra inputs are not permitted"),
        (("[[rule]]\n" + GOOD) * 2, "two rules are named a"),
    ],
)
def test_a_mistake_is_named_with_its_location(tmp_path: Path, text: str, sentence: str) -> None:
    (tmp_path / "rules.toml").write_text(text)
    with pytest.raises(SettingsError) as raised:
        load_rules(tmp_path / "rules.toml")
    assert str(raised.value).startswith(f"The alert rules {tmp_path / 'rules.toml'} are ")
    assert sentence in str(raised.value)


def test_a_missing_file_is_reported(tmp_path: Path) -> None:
    with pytest.raises(SettingsError, match=r"missing\.toml cannot be read: No such file"):
        load_rules(tmp_path / "missing.toml")


def test_the_last_valid_rules_stay_in_force_while_the_file_is_invalid_and_one_warning_is_logged(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    file = tmp_path / "rules.toml"
    file.write_text("[[rule]]\n" + GOOD)
    good = load_rules(file)
    for broken in ("[[rule", "[[rule", "[[rule]]\n" + GOOD + "treshold = 1"):
        file.write_text(broken)
        assert is_invalid(file)
        assert load_rules(file) == good
    assert [record.levelname for record in caplog.records] == ["WARNING"] * 2
    assert "rules.toml are not TOML" in caplog.messages[0]
    assert "at rule / a / treshold" in caplog.messages[1]
    file.write_text("[[rule]]\n" + GOOD.replace("0.5", "0.6"))
    assert not is_invalid(file)
    assert load_rules(file)[0].above == 0.6
    file.write_text("[[rule")
    assert load_rules(file)[0].above == 0.6
    assert len(caplog.records) == 3
