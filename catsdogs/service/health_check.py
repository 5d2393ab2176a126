"""The check of the service's health, which answers within a second whatever is slow."""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable
from concurrent.futures import Future
from concurrent.futures import wait as wait_for
from dataclasses import dataclass
from typing import Literal

from catsdogs.alerting.rules import is_invalid
from catsdogs.database import Database
from catsdogs.domain import ServiceHealth, ServiceProblem
from catsdogs.errors import CatsDogsError
from catsdogs.model.serving import ServedModel
from catsdogs.records import set_aside
from catsdogs.records.free_space import has_room
from catsdogs.records.replay import SpoolReplayer
from catsdogs.records.spool import Spool
from catsdogs.settings import Settings

WAIT_SECONDS = 0.5
"""Time after which a check that goes on is reported as slow. The answer has to be there within a second, also where the
machine is busy."""

_log = logging.getLogger(__name__)


@dataclass(frozen=True)
class _Disk:
    """What a look at the disk found."""

    problems: frozenset[ServiceProblem] = frozenset()
    spooled: int = 0
    set_aside: int = 0


class HealthCheck:
    """Checks model, database and disk. Threads may share one object.

    Model, database and disk are each looked at in a thread of their own, and one that hangs is not asked again before
    it has answered. A database that hangs is reported as slow, and a disk as a problem. While a model is loaded, what
    was found before still counts.
    """

    def __init__(
        self, model: ServedModel, settings: Settings, database: Database, spool: Spool, replayer: SpoolReplayer
    ) -> None:
        self._model = model
        self._settings = settings
        self._spool = spool
        self._replayer = replayer
        self._folders = [settings.data_dir, spool.folder, *database.folders]
        self._starting = threading.Lock()
        self._running: dict[str, Future[object]] = {}
        self._disk = _Disk()
        self._model_problems: frozenset[ServiceProblem] = frozenset()

    def run(self) -> ServiceHealth:
        """Check everything, within a second."""
        model = self._start("model", self._look_at_model)
        database = self._start("database", self._replayer.ping_database)
        disk = self._start("disk", self._look_at_disk)
        wait_for([model, database, disk], WAIT_SECONDS)
        connected: Literal["connected", "slow", "unavailable"] = "slow"
        if database.done():
            connected = "connected" if not database.exception() and database.result() else "unavailable"
        problems = set(self._model_problems | self._disk.problems)
        failed = {
            ServiceProblem.DATABASE: connected != "connected",
            ServiceProblem.DISK: not disk.done() or disk.exception(),
            ServiceProblem.MODEL: model.done() and model.exception(),
        }
        problems |= {name for name, is_so in failed.items() if is_so}
        return ServiceHealth(
            status="degraded" if problems else "healthy",
            degraded=[name for name in ServiceProblem if name in problems],
            model_loaded=True,
            database=connected,
            spooled=self._disk.spooled,
            set_aside=self._disk.set_aside,
        )

    def _start(self, name: str, check: Callable[[], object]) -> Future[object]:
        """Start a check in a thread, unless the one before still runs."""
        with self._starting:
            running = self._running.get(name)
            if running is None or running.done():
                running = self._running[name] = Future()
                threading.Thread(target=_resolve, args=[running, check], name=f"catsdogs-{name}", daemon=True).start()
            return running

    def _look_at_model(self) -> None:
        self._model.current()  # loads a newly promoted version first
        found = {
            ServiceProblem.MODEL: self._model.is_substitute,
            ServiceProblem.RULES: is_invalid(self._settings.alert_rules),
        }
        self._model_problems = frozenset(name for name, is_so in found.items() if is_so)

    def _look_at_disk(self) -> None:
        problems = set()
        if not has_room(self._folders):
            problems.add(ServiceProblem.DISK)
        try:
            if self._spool.nearly_full:
                problems.add(ServiceProblem.SPOOL)
            if aside := set_aside.count(self._spool):
                problems.add(ServiceProblem.SET_ASIDE)
            self._disk = _Disk(frozenset(problems), len(self._spool), aside)
        except (CatsDogsError, OSError) as error:
            _log.warning("%s", error)
            self._disk = _Disk(frozenset({*problems, ServiceProblem.DISK}), self._disk.spooled, self._disk.set_aside)


def _resolve(future: Future[object], check: Callable[[], object]) -> None:
    try:
        future.set_result(check())
    except Exception as error:  # noqa: BLE001 (whoever waits for the result gets it)
        _log.warning("a part of the service's health cannot be checked", exc_info=error)
        future.set_exception(error)
