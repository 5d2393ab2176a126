"""How an alert starts, fires and is resolved."""

from __future__ import annotations

from datetime import timedelta

from hypothesis import given
from hypothesis import strategies as st

from catsdogs.alerting.alert import Measurement
from catsdogs.alerting.evidence import Share
from catsdogs.alerting.lifecycle import AlertRecord, Judgement, Windows, advance, close, judge
from catsdogs.alerting.rules import Rule
from tests.rows import NOW

MINUTE = timedelta(minutes=1)
ERRORS = Rule.model_validate({"name": "test", "measure": "errors", "above": 0.1, "fast": "PT1H", "slow": "P1D"})
SATISFACTION = Rule.model_validate(
    {"name": "test", "measure": "satisfaction", "below": 0.7, "fast": "PT1H", "slow": "P1D"}
)


def both(found: int, n: int) -> Windows:
    return fast_and_slow(Share(found, n), Share(found, n))


def fast_and_slow(fast: Share, slow: Share, recent: Share | None = None) -> Windows:
    return Windows(fast, slow, recent or fast, recent or fast)


def verdict(windows: Windows, rule: Rule = ERRORS) -> Judgement:
    return judge(windows, rule)[0]


def test_a_rule_is_broken_by_the_bound_of_an_interval_and_not_by_a_value() -> None:
    assert verdict(both(2, 10)) is Judgement.BEYOND
    assert verdict(both(2, 19)) is Judgement.UNCLEAR, "10.5 %: as likely as not it is within the limit"
    assert verdict(both(20, 100)) is Judgement.BROKEN
    assert verdict(both(60, 100), SATISFACTION) is Judgement.BEYOND
    assert verdict(both(600, 1000), SATISFACTION) is Judgement.BROKEN


def test_a_rule_says_how_sure_it_must_be() -> None:
    assert verdict(both(3, 10)) is Judgement.BEYOND
    assert verdict(both(3, 10), ERRORS.model_copy(update={"sure": 0.9})) is Judgement.BROKEN
    assert verdict(both(20, 100), ERRORS.model_copy(update={"sure": 0.9999})) is Judgement.BEYOND


def test_a_small_change_is_found_in_the_slow_window_unless_the_fast_one_says_that_it_is_over() -> None:
    slow = Share(150, 1000)
    assert verdict(fast_and_slow(Share(3, 15), slow)) is Judgement.BROKEN
    assert verdict(fast_and_slow(Share(1, 15), slow)) is Judgement.UNCLEAR
    assert verdict(fast_and_slow(Share(0, 30), slow)) is Judgement.WITHIN


def test_where_photos_are_rare_the_latest_ones_count_that_are_enough() -> None:
    slow, few = Share(150, 1000), Share(1, 1)
    assert verdict(fast_and_slow(few, slow, Share(3, 10))) is Judgement.BROKEN
    assert verdict(fast_and_slow(few, slow, Share(1, 10))) is Judgement.UNCLEAR
    assert verdict(fast_and_slow(few, slow, Share(0, 10))) is Judgement.WITHIN


def test_the_slow_window_alone_does_not_say_that_an_incident_is_over() -> None:
    """Where photos are rare, at night, it is mostly of the time before the incident."""
    before = Share(1, 200)
    assert verdict(fast_and_slow(Share(3, 9), before)) is Judgement.UNCLEAR
    assert verdict(fast_and_slow(Share(3, 9), before, Share(3, 10))) is Judgement.BEYOND
    assert verdict(fast_and_slow(Share(0, 30), before)) is Judgement.WITHIN


def test_a_rule_may_need_more_to_see_that_it_is_over() -> None:
    """Of four people three may be satisfied by chance: near its limit, an alert would end and come again all day."""
    few, more = Share(0, 30), Share(3, 60)
    assert verdict(Windows(few, few, few, None)) is Judgement.UNCLEAR
    assert judge(Windows(few, few, few, more), ERRORS) == (Judgement.WITHIN, Measurement(0.05, 60))


def test_where_too_little_was_measured_nothing_changes_for_a_week() -> None:
    for nothing in (both(0, 0), Windows(None, None, None, None), fast_and_slow(Share(1, 3), Share(1, 9))):
        assert verdict(nothing) is Judgement.UNCLEAR
        firing = advance(None, ERRORS, both(20, 100), NOW)
        assert firing is not None
        firing = advance(firing, ERRORS, nothing, NOW + timedelta(days=6.9))
        assert firing is not None
        assert firing.state == "firing"
        closed = advance(firing, ERRORS, nothing, NOW + timedelta(days=7))
        assert closed is not None
        assert (closed.state, closed.value, closed.n) == ("resolved", 0.2, 0)


def test_an_alert_is_pending_then_fires_and_ends_only_when_the_value_is_likely_within_the_limit() -> None:
    record: AlertRecord | None = None
    states = []
    course = [both(2, 10), both(10, 40), both(4, 40), both(0, 2), both(5, 40), both(1, 40), both(1, 40)]
    for minute, windows in enumerate(course):
        record = advance(record, ERRORS, windows, NOW + MINUTE * minute)
        states.append(str(record.state) if record else "none")
        if record and record.resolved_at:
            assert (record.since, record.fired_at, record.resolved_at) == (NOW, NOW + MINUTE, NOW + MINUTE * 5)
            record = None
    assert states == ["pending", "firing", "firing", "firing", "firing", "resolved", "none"]


def test_a_pending_alert_is_dropped_when_its_value_is_within_the_limit() -> None:
    pending = advance(None, ERRORS, both(2, 10), NOW)
    assert pending is not None
    assert advance(pending, ERRORS, both(3, 40), NOW + MINUTE) is None


def test_the_baseline_of_an_episode_is_that_of_its_beginning() -> None:
    record = advance(None, ERRORS, both(2, 10), NOW, baseline=4.0)
    record = advance(record, ERRORS, both(40, 100), NOW + MINUTE, baseline=9.0)
    assert record is not None
    assert (record.state, record.baseline) == ("firing", 4.0)


@given(st.lists(st.tuples(st.integers(0, 60), st.integers(0, 60)), max_size=60))
def test_between_two_alerts_of_a_rule_its_value_was_likely_within_the_limit(counts: list[tuple[int, int]]) -> None:
    record: AlertRecord | None = None
    fires = 0
    for minute, (found, others) in enumerate(counts):
        windows = both(found, found + others)
        record = advance(record, ERRORS, windows, NOW + MINUTE * minute)
        if record and record.fired_at == NOW + MINUTE * minute:
            assert verdict(windows) is Judgement.BROKEN
            fires += 1
        if record and record.resolved_at:
            assert verdict(windows) is Judgement.WITHIN
            fires, record = fires - 1, None
        assert fires in (0, 1)


def test_a_closed_alert_ends_at_its_latest_evaluation_and_a_pending_one_is_dropped() -> None:
    pending = advance(None, ERRORS, both(2, 10), NOW)
    assert pending is not None
    assert close(pending) is None
    firing = advance(pending, ERRORS, both(40, 100), NOW + MINUTE)
    assert firing is not None
    closed = close(firing)
    assert closed is not None
    assert closed.resolved_at == NOW + MINUTE
