"""The served model of a process, which follows promotions and rollbacks without a restart."""

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
    """The served model version. Threads may share one object.

    If a promoted version cannot be loaded, the version before it stays.

    Raises
    ------
    ModelError
        Not even the shipped version can be loaded.
    """

    def __init__(self, settings: Settings) -> None:
        self._runtime = settings.model_runtime
        self._versions = ModelVersions(settings.data_dir)
        self._loading = threading.Lock()
        self._change_token = self._versions.change_token()
        self._classifier = self._load_latest()

    def current(self) -> Classifier:
        """Return the classifier of the served version.

        The first request after a change loads the new version, in a tenth of a second; concurrent requests get the
        version before it.
        """
        change_token = self._versions.change_token()
        if change_token != self._change_token and self._loading.acquire(blocking=False):
            try:
                self._change_token = change_token
                self._load_promoted()
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

    def _load_promoted(self) -> None:
        try:
            version = self._versions.served()
            if version != self._classifier.version:
                self._classifier = self._open(version)
                _log.info("model version %s is served", version)
        except CatsDogsError as error:
            _log.error("model version %s is still served: %s", self._classifier.version, error)

    def _load_latest(self) -> Classifier:
        """Load the version that was promoted last, or, if it cannot be loaded, the one before it."""
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
