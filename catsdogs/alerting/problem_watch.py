"""Messages to the targets about problems of the service itself, such as a database that is away. Needs no database."""

from __future__ import annotations

import logging
import time
from collections.abc import Callable, Iterable

from catsdogs.alerting import problem_texts
from catsdogs.alerting.targets import Delivery, Message, Target, deliver
from catsdogs.domain import ServiceProblem
from catsdogs.i18n import Translator

TELL_AFTER_SECONDS = 45.0
"""Time for which a problem must last until targets are told: a restart of the database is no problem."""

_log = logging.getLogger(__name__)


class ProblemWatch:
    """Tells each target when a problem has lasted, and when it is over.

    What was told is kept in this process: after a restart it is told again, and each replica tells its own problems.

    Parameters
    ----------
    targets
        Who is told.
    language
        Language of the messages.
    clock
        Returns seconds.
    """

    def __init__(self, targets: Iterable[Target], language: str, clock: Callable[[], float] = time.monotonic) -> None:
        self._targets, self._language, self._clock = list(targets), language, clock
        self._since: dict[ServiceProblem, float] = {}
        self._told: set[tuple[Target, ServiceProblem]] = set()

    def note(self, problems: Iterable[ServiceProblem]) -> None:
        """Take note of the problems that there are now, and tell what is new; what was not delivered comes again."""
        now, current = self._clock(), set(problems)
        self._since = {found: self._since.get(found, now) for found in current}
        lasting = {found for found, since in self._since.items() if now - since >= TELL_AFTER_SECONDS}
        due = {(target, found) for target in self._targets for found in lasting} - self._told
        over = {pair for pair in self._told if pair[1] not in current}
        _ = Translator(self._language)
        pairs = [*due, *over]
        texts = [(pair[0], Message(*problem_texts.message(pair[1], _, is_over=pair in over))) for pair in pairs]
        for pair, outcome in zip(pairs, deliver(texts), strict=True):
            if outcome is Delivery.DELIVERED:
                self._told ^= {pair}
            else:
                _log.error("target %d of CATSDOGS_ALERT_TARGETS was not told of: %s", pair[0].position, pair[1])
