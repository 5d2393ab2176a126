"""Alerts: what each rule measures, when it fires, and that it does not flap."""

from __future__ import annotations

import gettext
import time
from datetime import UTC, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import pytest
import sqlalchemy as sa
from hypothesis import given
from hypothesis import strategies as st

from catsdogs.alerting import lifecycle, texts
from catsdogs.alerting.lifecycle import Episode, advance
from catsdogs.alerting.rules import Rule, load_rules
from catsdogs.database import Database
from catsdogs.i18n import Translator
from catsdogs.monitoring.figures import Alert
from tests.rows import NOW, Keep, Row, make_row

RULES = load_rules()
MINUTE = timedelta(minutes=1)


def rule(**values: Any) -> Rule:
    return Rule.model_validate({"name": "test", "measure": "errors", "above": 0.5, "last": 10} | values)


def judged(n: int, satisfied: int, step: timedelta = MINUTE) -> list[Row]:
    return [make_row(NOW - step * (place + 1), user_feedback=int(place < satisfied)) for place in range(n)]


def times(*milliseconds: float) -> list[Row]:
    return [make_row(NOW - MINUTE * place, inference_time_ms=ms) for place, ms in enumerate(milliseconds, 1)]


def answers(n: int, **values: Any) -> list[Row]:
    return [make_row(NOW - MINUTE / 2 * (place + 1), **values) for place in range(n)]


def broken(database: Database) -> dict[str, Alert]:
    return {alert["rule"]: alert for alert in lifecycle.check(database, RULES, NOW)}


CASES = {
    "satisfaction_low": (judged(100, 69, timedelta(hours=2)), judged(100, 70, timedelta(hours=2)), 0.69, 100),
    "many_negatives": (judged(20, 9), judged(20, 10), 0.45, 20),
    "slow": (times(*[6.1] * 50, *[4.0] * 100), times(*[5.9] * 50, *[4.0] * 100), 6.1 / 4, 50),
    "errors": (
        answers(94) + answers(6, prediction_result="error"),
        answers(95) + answers(5, prediction_result="error"),
        0.06,
        100,
    ),
    "unsure": (
        answers(85, proba_cat=0.6, proba_dog=0.4) + answers(15),
        answers(80, proba_cat=0.6, proba_dog=0.4) + answers(20),
        0.85,
        100,
    ),
    "one_answer": (
        answers(81) + answers(19, prediction_result="dog", proba_cat=0.1, proba_dog=0.9),
        answers(80) + answers(20, prediction_result="neither"),
        0.81,
        100,
    ),
    "accuracy_low": (judged(100, 89, timedelta(hours=7)), judged(100, 90, timedelta(hours=7)), 0.89, 100),
}


@pytest.mark.parametrize("name", CASES)
def test_each_rule_is_broken_just_beyond_its_limit(keep: Keep, name: str) -> None:
    beyond, _within, value, n = CASES[name]
    alert = broken(keep(beyond))[name]
    assert (alert["value"], alert["n"]) == (pytest.approx(value), n)


@pytest.mark.parametrize("name", CASES)
def test_each_rule_is_kept_at_its_limit(keep: Keep, name: str) -> None:
    _beyond, within, _value, _n = CASES[name]
    assert name not in broken(keep(within))


def test_nothing_is_said_of_nothing_or_of_little(keep: Keep) -> None:
    database = keep([])
    assert broken(database) == {}
    keep(answers(5, prediction_result="error") + judged(5, 0))
    assert broken(database) == {}


def test_a_label_counts_more_than_an_opinion(keep: Keep) -> None:
    wrong = [row | {"true_label": "dog", "user_feedback": 1} for row in judged(60, 60)]
    right = [row | {"true_label": "both", "user_feedback": 0} for row in judged(60, 0, MINUTE / 7)]
    assert broken(keep(wrong + right))["accuracy_low"]["value"] == pytest.approx(0.5)


def test_it_fires_after_its_time_stays_through_a_short_lull_and_is_resolved_after_a_long_one() -> None:
    tested = rule(**{"for": "PT30M", "clear": "PT15M"})
    bad, good = (0.9, 10), (0.1, 10)
    state: Episode | None = None
    seen = []
    for minute, figure in [
        *((minute, bad) for minute in (0, 10, 20, 30)),
        *((minute, good) for minute in (40, 50)),
        (60, bad),
        *((minute, good) for minute in (70, 80, 90)),
    ]:
        state = advance(state, tested, figure, NOW + MINUTE * minute)
        assert state
        seen.append((minute, bool(state.fired_at), bool(state.resolved_at)))
    assert [minute for minute, fired, _ in seen if fired] == [30, 40, 50, 60, 70, 80, 90]
    assert [minute for minute, _, resolved in seen if resolved] == [90]
    assert state
    assert (state.since, state.fired_at) == (NOW, NOW + MINUTE * 30)


@given(st.lists(st.sampled_from([0.9, 0.1, None]), max_size=60), st.integers(0, 5), st.integers(0, 5))
def test_between_two_alerts_lies_the_time_to_clear_and_the_time_to_fire(
    values: list[float | None], hold: int, clear: int
) -> None:
    tested = rule(**{"for": f"PT{hold}M", "clear": f"PT{clear}M"})
    state: Episode | None = None
    fired: list[datetime] = []
    resolved: list[datetime] = []
    for minute, value in enumerate(values):
        now = NOW + MINUTE * minute
        state = advance(state, tested, None if value is None else (value, 10), now)
        if state and state.fired_at == now:
            fired.append(now)
            recent = values[minute - hold : minute + 1]
            assert recent == [0.9] * (hold + 1)
        if state and state.resolved_at:
            resolved.append(now)
            assert 0.9 not in values[minute - clear : minute + 1]
            state = None
    assert len(fired) - len(resolved) in (0, 1)
    assert all(earlier < later for earlier, later in zip(resolved, fired[1:], strict=False))


def test_the_state_is_kept_between_checks_and_told_in_words(keep: Keep) -> None:
    rules = [rule for rule in RULES if rule.measure == "satisfaction"]
    database = keep(judged(20, 5))
    _ = Translator("en")
    [low, many] = sorted(lifecycle.check(database, rules, NOW), key=lambda alert: alert["rule"], reverse=True)
    assert (low["rule"], low["state"], many["rule"], many["state"]) == (
        "satisfaction_low",
        "firing",
        "many_negatives",
        "pending",
    )
    title, body = texts.message(low, _, UTC)
    assert title == "catsdogs: Alert: People are dissatisfied"
    happened, since, to_do = body.replace("\u202f", " ").split("\n")
    assert happened == "25.0% of 20 people were satisfied; the limit is 70.0%."
    assert since == "Since Mar 18, 2026, 12:30:00 PM UTC."
    assert "catsdogs model rollback" in to_do

    keep(judged(100, 100, MINUTE / 61))
    later = {alert["rule"]: alert for alert in lifecycle.check(database, rules, NOW + MINUTE)}
    assert {name: alert["state"] for name, alert in later.items()} == {"satisfaction_low": "firing"}
    done = {alert["rule"]: alert for alert in lifecycle.check(database, rules, NOW + MINUTE * 20)}
    assert done["satisfaction_low"]["state"] == "resolved"
    assert "to Mar 18, 2026" in texts.when(done["satisfaction_low"], _, UTC)
    assert lifecycle.check(database, rules, NOW + timedelta(days=2)) == []
    assert len(lifecycle.check(database, rules, NOW + timedelta(days=2), since=NOW)) == 1


class _Typography(gettext.NullTranslations):
    def gettext(self, message: str) -> str:
        return message.replace(":", "\u00a0:")


def test_a_language_may_set_its_colons_as_it_is_used_to(monkeypatch: pytest.MonkeyPatch) -> None:
    _ = Translator("fr")
    monkeypatch.setattr(_, "_catalogue", _Typography())
    alert = lifecycle.to_alert(Episode.begin(rule(), (0.9, 10), NOW), rule())
    title, _body = texts.message(alert, _)
    assert title == "catsdogs\u00a0: Watch\u00a0: Many photos cannot be read"
    assert texts.headline(alert, _) == "Watch\u00a0: Many photos cannot be read"


def test_a_message_names_the_zone_of_its_clock_by_default_this_machine_s(monkeypatch: pytest.MonkeyPatch) -> None:
    alert = lifecycle.to_alert(Episode.begin(rule(), (0.9, 10), NOW), rule())
    _ = Translator("en")
    try:
        with monkeypatch.context() as elsewhere:
            elsewhere.setenv("TZ", "Asia/Tokyo")
            time.tzset()
            _title, here = texts.message(alert, _)
    finally:
        time.tzset()
    assert "Since Mar 18, 2026, 9:30:00 PM JST." in here.replace("\u202f", " ")
    _title, there = texts.message(alert, _, ZoneInfo("Europe/Paris"))
    assert "Since Mar 18, 2026, 1:30:00 PM CET." in there.replace("\u202f", " ")


def test_who_checks_with_other_rules_leaves_those_of_others_alone(keep: Keep) -> None:
    database = keep(judged(20, 5))
    before = lifecycle.check(database, RULES, NOW)
    assert {alert["state"] for alert in before} == {"firing", "pending"}
    others = [rule for rule in RULES if rule.measure != "satisfaction"]
    assert lifecycle.check(database, others, NOW + MINUTE) == []
    after = lifecycle.check(database, RULES, NOW + MINUTE * 2)
    assert {(alert["rule"], alert["since"]) for alert in after} == {(alert["rule"], alert["since"]) for alert in before}


def test_a_rule_that_nobody_knows_for_a_day_has_no_open_alert_any_more(keep: Keep) -> None:
    database = keep(judged(20, 5))
    lifecycle.check(database, RULES, NOW)
    others = [rule for rule in RULES if rule.measure != "satisfaction"]
    later = NOW + timedelta(days=1, minutes=1)
    assert lifecycle.check(database, others, later) == []
    table = database.tables.alerts
    rows = database.run(lambda connection: connection.execute(table.select()).all())
    assert [(row.rule, row.resolved_at) for row in rows] == [("satisfaction_low", NOW)]


def test_checking_again_at_once_is_no_news(keep: Keep) -> None:
    database = keep(judged(20, 5))
    table = database.tables.alerts

    def seen() -> set[datetime]:
        return set(database.run(lambda connection: connection.execute(sa.select(table.c.seen_at)).scalars().all()))

    first = lifecycle.check(database, RULES, NOW)
    assert lifecycle.check(database, RULES, NOW + MINUTE / 2) == first
    assert seen() == {NOW}
    lifecycle.check(database, RULES, NOW + MINUTE)
    assert seen() == {NOW + MINUTE}
    keep([make_row(NOW - MINUTE / 3, user_feedback=0)])
    [low] = [alert for alert in lifecycle.check(database, RULES, NOW + MINUTE) if alert["rule"] == "satisfaction_low"]
    assert low["n"] == 21


def test_every_measure_has_its_words(keep: Keep) -> None:
    for language in ("en", "fr"):
        for each in RULES:
            episode = Episode.begin(each, (0.5, 30), NOW)
            title, body = texts.message(lifecycle.to_alert(episode, each), Translator(language))
            assert title.count(":") >= 2
            assert len(body.split("\n")) == 3
