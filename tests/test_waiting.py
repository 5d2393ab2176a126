"""The helper that other tests wait with."""

from __future__ import annotations

import itertools

import pytest

from tests.waiting import until


def test_the_first_true_value_is_returned() -> None:
    values = iter([None, 0, "", "ready", "later"])
    assert until(lambda: next(values), interval=0) == "ready"


def test_the_timeout_says_what_was_awaited_and_what_was_seen() -> None:
    with pytest.raises(AssertionError, match=r"the page is not ready \(after 0\.05 s; last: \[\]\)"):
        until(list, "the page is not ready", timeout=0.05, interval=0.01)


def test_a_condition_that_is_true_at_once_is_accepted_without_any_time_left() -> None:
    assert until(lambda: 1, timeout=0) == 1


def test_the_message_is_made_at_the_timeout() -> None:
    count = itertools.count()
    with pytest.raises(AssertionError, match=r"\d calls"):
        until(lambda: next(count) < 0, lambda: f"{next(count)} calls", timeout=0.02, interval=0.01)


def test_only_the_named_exceptions_are_retried() -> None:
    answers = iter([ConnectionError("refused"), ValueError("wrong")])

    def ask() -> bool:
        raise next(answers)

    with pytest.raises(ValueError, match="wrong"):
        until(ask, retry_on=ConnectionError, interval=0)


def test_the_last_exception_is_in_the_message() -> None:
    def refuse() -> bool:
        raise ConnectionError("refused")

    with pytest.raises(AssertionError, match="refused"):
        until(refuse, retry_on=(ConnectionError, TimeoutError), timeout=0)
