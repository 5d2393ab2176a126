"""The targets that are told of alerts, and how a message gets there through Apprise: mail, Discord, Slack, others."""

from __future__ import annotations

import hashlib
import logging
import re
import threading
import time
from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Any, NamedTuple

from pydantic import SecretStr

from catsdogs.errors import SettingsError

SEND_TIMEOUT_SECONDS = 20.0
"""Longest time for all targets together; messages that are not delivered by then count as failed."""

_log = logging.getLogger(__name__)


class Message(NamedTuple):
    """What a target is told."""

    title: str
    body: str


class Delivery(StrEnum):
    """What came of a message."""

    DELIVERED = "delivered"
    REFUSED = "refused"
    """The target could not be reached, or did not take it."""
    SILENT = "silent"
    """It had not answered in time."""


@dataclass(frozen=True)
class Target:
    """An Apprise address. It often contains a secret, so neither the log nor the database may contain it."""

    url: str
    position: int
    """Position in the setting, from 1; the log uses it as the name."""

    @property
    def key(self) -> str:
        """Name in the database: a part of a hash, too short to find the address from it."""
        return hashlib.sha256(self.url.encode()).hexdigest()[:8]


def parse_targets(setting: SecretStr | None) -> list[Target]:
    """Split the setting into addresses, which are separated by white space, or by commas, as Apprise separates them."""
    urls = re.split(r"\s+|\s*,\s*(?=[A-Za-z][A-Za-z0-9+.-]*://)", setting.get_secret_value().strip()) if setting else []
    return [Target(url, position) for position, url in enumerate(dict.fromkeys(filter(None, urls)), 1)]


def check_targets(setting: SecretStr | None) -> None:
    """Check that Apprise understands every address as it is meant, so that a mistake is found before an alert fires.

    Raises
    ------
    SettingsError
        An address is not supported, or has a special character; the message has its position, not the address.
    """
    for target in parse_targets(setting):
        if "://" not in target.url:
            raise SettingsError(
                "Target {position} of CATSDOGS_ALERT_TARGETS is no address such as ntfys://ntfy.sh/topic. If it is the "
                "rest of an address that has a space, write %20 for the space.",
                position=target.position,
            )
        if _has_special_character(target.url):
            raise SettingsError(
                "Target {position} of CATSDOGS_ALERT_TARGETS has a special character that changes its meaning. In a "
                "name or a password, write its code instead, such as %40 for @ and %20 for a space.",
                position=target.position,
            )
        _open(target)


def _has_special_character(url: str) -> bool:
    """Return whether a name or a password has a character that ends it, which Apprise does not notice."""
    scheme, separator, rest = url.partition("://")
    if not separator or not re.fullmatch(r"[A-Za-z][A-Za-z0-9+.-]*", scheme):
        return True  # the rest of an address that has a space
    user, at, host = re.split(r"[/?#]", rest, maxsplit=1)[0].rpartition("@")
    path = rest[len(user + at + host) :]
    port = re.search(r":([^:\]]*)$", host)
    return (
        "@" in user
        or user.count(":") > 1
        or (port is not None and not port[1].isdecimal())
        or (not at and path.startswith(("?", "#")) and "@" in path)
        or re.search(r"%(?![0-9A-Fa-f]{2})", rest) is not None
    )


def _open(target: Target) -> Any:
    import apprise  # takes half a second and 40 MB, so it is imported only if a target is set

    logging.getLogger("apprise").setLevel(logging.CRITICAL + 1)  # its messages contain addresses, and with them secrets
    asset = apprise.AppriseAsset()
    asset.http_redirects = (
        False  # most redirects turn a message into a request for a page, which then counts as delivered
    )
    opened = apprise.Apprise(asset=asset)
    if not opened.add(target.url):
        raise SettingsError(
            "Target {position} of CATSDOGS_ALERT_TARGETS is not an address that Apprise knows.",
            position=target.position,
        )
    return opened


def deliver(messages: Sequence[tuple[Target, Message]], timeout: float = SEND_TIMEOUT_SECONDS) -> list[Delivery]:
    """Send messages, those of each target in a thread of their own.

    Parameters
    ----------
    timeout
        Seconds that this takes at most.

    Returns
    -------
    list of Delivery
        What came of each message.
    """
    outcomes = [Delivery.SILENT] * len(messages)
    threads = [
        threading.Thread(target=_send_to_target, args=(target, messages, outcomes), daemon=True)
        for target in dict.fromkeys(target for target, _ in messages)
    ]  # daemons: a target that does not answer must not keep the process alive
    deadline = time.monotonic() + timeout
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(max(0.0, deadline - time.monotonic()))
    return list(outcomes)  # a copy: threads may still be running


def _send_to_target(target: Target, messages: Sequence[tuple[Target, Message]], outcomes: list[Delivery]) -> None:
    """Send the messages of one target, and note what came of each."""
    try:
        opened = _open(target)
    except SettingsError as error:
        _log.error("%s", error)
        opened = None
    for number, (whose, text) in enumerate(messages):
        if whose == target:
            try:
                is_taken = opened is not None and opened.notify(title=text.title, body=text.body)
            except Exception as error:  # noqa: BLE001 (a plug-in may raise anything; the error's text may have the address)
                _log.error("target %d of CATSDOGS_ALERT_TARGETS failed: %s", target.position, type(error).__name__)
                is_taken = False
            outcomes[number] = Delivery.DELIVERED if is_taken else Delivery.REFUSED
