"""Which model version is served: the shipped one, until another is promoted.

Trained versions lie in ``models/`` of the data folder, and beside them one small file, ``served.json``: every
promotion and rollback, oldest first. What is served follows from it.
"""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path
from typing import Literal

from pydantic import BaseModel, ConfigDict, ValidationError

from catsdogs.errors import InvalidInput, ModelError
from catsdogs.files import atomic_write
from catsdogs.model.card import SHIPPED

POINTER = "served.json"

State = tuple[int, int, int] | None
"""Changes whenever the pointer does."""


class Change(BaseModel):
    """Another version came to be served."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    how: Literal["promote", "rollback"]
    version: str
    """Served from then on."""
    at: datetime


class History(BaseModel):
    """Content of the pointer."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    changes: tuple[Change, ...] = ()

    @property
    def champions(self) -> list[str]:
        """The served version last, and before it what rollbacks lead to, one after the other."""
        champions = [SHIPPED.name]
        for change in self.changes:
            if change.how == "promote":
                champions.append(change.version)
            elif len(champions) > 1:
                champions.pop()
        return champions


class ModelVersions:
    """The versions of a data folder, and the shipped one.

    Parameters
    ----------
    data_dir
        See :attr:`catsdogs.settings.Settings.data_dir`.
    """

    def __init__(self, data_dir: Path) -> None:
        self._models = data_dir / "models"
        self._pointer = self._models / POINTER

    def folders(self) -> list[Path]:
        """List the versions' folders: the shipped one, then the trained ones by name, damaged ones too."""
        found = sorted({file.parent for file in self._models.glob("[!.]*/model*.*")})
        return [SHIPPED, *(folder for folder in found if folder.name != SHIPPED.name)]

    def folder(self, version: str) -> Path:
        """Find a version.

        Raises
        ------
        InvalidInput
            There is none of that name.
        """
        for folder in self.folders():
            if folder.name == version:
                return folder
        raise InvalidInput("There is no model version {version}. Look at: catsdogs model list", version=version)

    def history(self) -> History:
        """Read the pointer.

        Raises
        ------
        ModelError
            It is damaged.
        """
        try:
            return History.model_validate_json(self._pointer.read_bytes())
        except FileNotFoundError:
            return History()
        except (OSError, ValidationError) as error:
            raise ModelError(
                "The file {path}, which says what model is served, is damaged. Delete it to serve the shipped one.",
                path=self._pointer,
            ) from error

    def served(self) -> str:
        """Name the served version.

        Raises
        ------
        ModelError
            See :meth:`history`.
        """
        return self.history().champions[-1]

    def state(self) -> State:
        """Say whether the pointer changed, without reading it; a few microseconds."""
        try:
            status = self._pointer.stat()
        except OSError:
            return None
        return status.st_mtime_ns, status.st_size, status.st_ino

    def promote(self, version: str) -> None:
        """Serve a version from now on; running servers take it up with their next request.

        Raises
        ------
        InvalidInput
            There is none of that name, or it is served already.
        ModelError
            The pointer is damaged, or cannot be written.
        """
        self.folder(version)
        if version == self.served():
            raise InvalidInput("Version {version} is served already.", version=version)
        self._append("promote", version)

    def rollback(self) -> str:
        """Serve again what was served before the last promotion.

        Returns
        -------
        str
            The version that is served from now on.

        Raises
        ------
        InvalidInput
            Nothing was promoted.
        ModelError
            The pointer is damaged, or cannot be written.
        """
        champions = self.history().champions
        if len(champions) == 1:
            raise InvalidInput("There is no version to go back to: {version} came first.", version=champions[0])
        self._append("rollback", champions[-2])
        return champions[-2]

    def _append(self, how: Literal["promote", "rollback"], version: str) -> None:
        change = Change(how=how, version=version, at=datetime.now(UTC))
        history = History(changes=(*self.history().changes, change))
        try:
            self._models.mkdir(parents=True, exist_ok=True)
            with atomic_write(self._pointer) as stream:
                stream.write(history.model_dump_json(indent=1).encode() + b"\n")
        except OSError as error:
            raise ModelError(
                "The folder {folder} cannot be written: {reason}.", folder=self._models, reason=error.strerror
            ) from error
