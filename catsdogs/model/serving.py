"""The served model of a process: follows promotions and rollbacks while requests go on."""

from __future__ import annotations

import logging
import threading

from catsdogs.errors import CatsDogsError, ModelError
from catsdogs.model.card import SHIPPED
from catsdogs.model.classifier import Classifier
from catsdogs.model.registry import ModelVersions
from catsdogs.settings import Settings

_log = logging.getLogger(__name__)


class ServedModel:
    """Holds the served version. Threads may share one.

    A version that cannot be loaded does not stop the service: what was served before goes on.

    Raises
    ------
    ModelError
        Not even the shipped version can be loaded.
    """

    def __init__(self, settings: Settings) -> None:
        self._runtime = settings.model_runtime
        self._versions = ModelVersions(settings.data_dir)
        self._loading = threading.Lock()
        self._state = self._versions.state()
        self._classifier = self._last_that_loads()

    def current(self) -> Classifier:
        """Give the served version.

        The request that first notices a change loads the new version, a tenth of a second; those beside it
        are answered by the one before.
        """
        state = self._versions.state()
        if state != self._state and self._loading.acquire(blocking=False):
            try:
                self._state = state
                self._take_up()
            finally:
                self._loading.release()
        return self._classifier

    @property
    def is_substitute(self) -> bool:
        """Whether the version that was promoted cannot be loaded, and another is served."""
        try:
            return self._versions.served() != self._classifier.version
        except ModelError:
            return True

    def _take_up(self) -> None:
        try:
            version = self._versions.served()
            if version != self._classifier.version:
                self._classifier = self._open(version)
                _log.info("model version %s is served", version)
        except CatsDogsError as error:
            _log.error("model version %s is still served: %s", self._classifier.version, error)

    def _last_that_loads(self) -> Classifier:
        try:
            champions = self._versions.history().champions
        except ModelError as error:
            _log.error("the shipped model is served: %s", error)
            champions = [SHIPPED.name]
        for version in reversed(champions[1:]):
            try:
                return self._open(version)
            except CatsDogsError as error:
                _log.error("the model version before %s is served: %s", version, error)
        return self._open(SHIPPED.name)

    def _open(self, version: str) -> Classifier:
        return Classifier.open(self._versions.folder(version), self._runtime)
