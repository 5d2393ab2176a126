"""The file of rules: what it says by default, and what is told to whoever makes a mistake in it."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path

import pytest

from catsdogs.alerting.alert import Measure
from catsdogs.alerting.rules import Rule, load_rules
from catsdogs.errors import SettingsError

GOOD = 'name = "a"\nmeasure = "errors"\nabove = 0.5\nlast = 50\n'


def rule(name: str) -> Rule:
    return next(rule for rule in load_rules() if rule.name == name)


def test_the_defaults_are_the_thresholds_of_the_services_before_this_one() -> None:
    low = rule("satisfaction_low")
    assert (low.measure, low.below, low.last) == (Measure.SATISFACTION, 0.70, 100)
    slow = rule("slow")
    assert (slow.measure, slow.above, slow.last) == (Measure.INFERENCE_TIME, 1.5, 50)
    errors = rule("errors")
    assert (errors.above, errors.within) == (0.05, timedelta(days=7))
    negatives = rule("many_negatives")
    assert (negatives.below, negatives.hold) == (0.5, timedelta(minutes=30))
    unsure = rule("unsure")
    assert (unsure.above, unsure.within) == (0.8, timedelta(hours=1))
    assert rule("one_answer").above == 0.8


def test_a_limit_itself_is_still_kept() -> None:
    assert not rule("satisfaction_low").is_broken_by(0.70)
    assert rule("satisfaction_low").is_broken_by(0.69)
    assert not rule("errors").is_broken_by(0.05)
    assert rule("errors").is_broken_by(0.051)


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        ("", "at rule: Field required"),
        ("rule = []", "at rule: List should have at least 1 item"),
        ("x =", "are not TOML: Invalid value"),
        ("[[rule]]\n" + GOOD.replace("errors", "mistakes"), "at rule / a / measure: Input should be 'satisfaction'"),
        ("[[rule]]\n" + GOOD.replace("0.5", '"half"'), "at rule / a / above: Input should be a valid number"),
        ("[[rule]]\n" + GOOD + "below = 0.1", "at rule / a: give either below or above"),
        ("[[rule]]\n" + GOOD.replace("last = 50", ""), "at rule / a: give last or within, or both"),
        ("[[rule]]\n" + GOOD + "at_least = 51", "at rule / a: at_least must not be more than last"),
        (
            "[[rule]]\n" + GOOD + 'for = "30 min"',
            'at rule / a / for: a duration in ISO 8601 is needed, such as "PT30M"',
        ),
        ("[[rule]]\n" + GOOD + "treshold = 1", "at rule / a / treshold: Extra inputs are not permitted"),
        (("[[rule]]\n" + GOOD) * 2, "two rules are named a"),
    ],
)
def test_a_mistake_is_named_with_its_place(tmp_path: Path, text: str, sentence: str) -> None:
    (tmp_path / "rules.toml").write_text(text)
    with pytest.raises(SettingsError) as raised:
        load_rules(tmp_path / "rules.toml")
    assert str(raised.value).startswith(f"The alert rules {tmp_path / 'rules.toml'} are ")
    assert sentence in str(raised.value)


def test_a_missing_file_is_named(tmp_path: Path) -> None:
    with pytest.raises(SettingsError, match=r"missing\.toml cannot be read: No such file"):
        load_rules(tmp_path / "missing.toml")


def test_while_a_file_is_broken_its_last_good_rules_hold_and_one_warning_says_so(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    file = tmp_path / "rules.toml"
    file.write_text("[[rule]]\n" + GOOD)
    good = load_rules(file)
    for broken in ("[[rule", "[[rule", "[[rule]]\n" + GOOD + "treshold = 1"):
        file.write_text(broken)
        assert load_rules(file) == good
    assert [record.levelname for record in caplog.records] == ["WARNING"] * 2
    assert "rules.toml are not TOML" in caplog.messages[0]
    assert "at rule / a / treshold" in caplog.messages[1]
    file.write_text("[[rule]]\n" + GOOD.replace("0.5", "0.6"))
    assert load_rules(file)[0].above == 0.6
    file.write_text("[[rule")
    assert load_rules(file)[0].above == 0.6
    assert len(caplog.records) == 3
