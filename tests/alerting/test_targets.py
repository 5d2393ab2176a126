"""Which addresses of targets are accepted."""

from __future__ import annotations

import re

import pytest
from pydantic import SecretStr

from catsdogs.alerting.targets import Delivery, Message, check_targets, deliver, parse_targets
from catsdogs.errors import SettingsError
from tests.alerting.mailbox import open_mailbox


@pytest.mark.parametrize(
    "address",
    [
        "json://user:p@ss@127.0.0.1/",
        "json://user:pa:ss@127.0.0.1/",
        "json://user:p#ss@127.0.0.1/",
        "json://user:p/ss@127.0.0.1/",
        "json://user:p?ss@127.0.0.1/",
        "json://user:p%ss@127.0.0.1/",
        "json://user:p ss@127.0.0.1/",
        "json://user:1?ss@127.0.0.1/",  # the digit may be a port
        "json://user:1#ss@127.0.0.1/",
    ],
)
def test_a_special_character_is_noticed_and_not_shown(address: str) -> None:
    with pytest.raises(SettingsError) as raised:
        check_targets(SecretStr(f"json://127.0.0.1/ {address}"))
    assert re.match(r"Target [23] of CATSDOGS_ALERT_TARGETS has a special character", str(raised.value))
    assert "ss@" not in str(raised.value)


@pytest.mark.parametrize(
    "address",
    [
        "json://user:p%40ss@127.0.0.1:8080/path?format=text",
        "json://[::1]:8080/",
        "json://127.0.0.1",
        "slack://T1JJ3T3L2/A1BRTD4JD/TIiajkdnlazkcOXrIdevi7FQ/#general",
        "mailto://user:p%2Fw@gmail.com?to=somebody@example.org",
        "ntfy://topic",
        "discord://4174216298/JHMHI8qBe7bk2ZwO5U711o3dV_js",
    ],
)
def test_usual_addresses_are_accepted(address: str) -> None:
    check_targets(SecretStr(address))


@pytest.mark.parametrize("setting", ["json://127.0.0.1/ nonsense", "json://127.0.0.1/my path"])
def test_a_target_without_a_scheme_is_no_address(setting: str) -> None:
    with pytest.raises(SettingsError, match=r"Target 2 of .* is no address such as ntfys://ntfy\.sh/topic\."):
        check_targets(SecretStr(setting))


def test_an_address_that_is_given_twice_is_one_target() -> None:
    targets = parse_targets(SecretStr("json://a/ json://b/\n json://a/"))
    assert [target.position for target in targets] == [1, 2]
    assert parse_targets(None) == []


def test_addresses_may_be_separated_by_commas_which_an_address_may_have() -> None:
    targets = parse_targets(SecretStr(" json://a/?to=x,y, json://b/,json://c/ "))
    assert [target.url for target in targets] == ["json://a/?to=x,y", "json://b/", "json://c/"]


def test_a_target_that_only_points_elsewhere_has_not_taken_the_message() -> None:
    with open_mailbox() as moved:
        moved.status = 302
        [target] = parse_targets(SecretStr(moved.target))
        assert deliver([(target, Message("title", "body"))]) == [Delivery.REFUSED]
