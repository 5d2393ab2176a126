"""How an alert starts, fires and is resolved."""

from __future__ import annotations

from datetime import datetime, timedelta

from hypothesis import given
from hypothesis import strategies as st

from catsdogs.alerting.alert import Measurement
from catsdogs.alerting.lifecycle import AlertRecord, advance, close
from catsdogs.alerting.rules import Rule
from tests.rows import NOW

MINUTE = timedelta(minutes=1)
BROKEN, NOT_BROKEN = Measurement(0.9, 10), Measurement(0.1, 10)


def make_rule(hold: str, clear: str) -> Rule:
    values = {"name": "test", "measure": "errors", "above": 0.5, "last": 10, "for": hold, "clear": clear}
    return Rule.model_validate(values)


def test_an_alert_fires_after_its_hold_time_and_is_resolved_after_its_clear_time() -> None:
    rule = make_rule("PT30M", "PT15M")
    record: AlertRecord | None = None
    history = []
    for minute, measured in [
        *((minute, BROKEN) for minute in (0, 10, 20, 30)),
        *((minute, NOT_BROKEN) for minute in (40, 50)),
        (60, BROKEN),
        *((minute, NOT_BROKEN) for minute in (70, 80, 90)),
    ]:
        record = advance(record, rule, measured, NOW + MINUTE * minute)
        assert record
        history.append((minute, bool(record.fired_at), bool(record.resolved_at)))
    assert [minute for minute, fired, _ in history if fired] == [30, 40, 50, 60, 70, 80, 90]
    assert [minute for minute, _, resolved in history if resolved] == [90]
    assert record
    assert (record.since, record.fired_at) == (NOW, NOW + MINUTE * 30)


@given(st.lists(st.sampled_from([BROKEN, NOT_BROKEN, None]), max_size=60), st.integers(0, 5), st.integers(0, 5))
def test_between_two_alerts_lie_the_clear_time_and_the_hold_time(
    measurements: list[Measurement | None], hold: int, clear: int
) -> None:
    rule = make_rule(f"PT{hold}M", f"PT{clear}M")
    record: AlertRecord | None = None
    fired: list[datetime] = []
    resolved: list[datetime] = []
    for minute, measured in enumerate(measurements):
        now = NOW + MINUTE * minute
        record = advance(record, rule, measured, now)
        if record and record.fired_at == now:
            fired.append(now)
            assert measurements[minute - hold : minute + 1] == [BROKEN] * (hold + 1)
        if record and record.resolved_at:
            resolved.append(now)
            assert BROKEN not in measurements[minute - clear : minute + 1]
            record = None
    assert len(fired) - len(resolved) in (0, 1)
    assert all(earlier < later for earlier, later in zip(resolved, fired[1:], strict=False))


def test_a_closed_alert_ends_at_its_latest_evaluation_and_a_pending_one_is_dropped() -> None:
    pending = AlertRecord.start(make_rule("PT1M", "PT0S"), BROKEN, NOW)
    assert close(pending) is None
    firing = advance(pending, make_rule("PT1M", "PT0S"), BROKEN, NOW + MINUTE)
    assert firing
    closed = close(firing)
    assert closed
    assert closed.resolved_at == NOW + MINUTE
