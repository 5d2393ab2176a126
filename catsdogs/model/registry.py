"""Model versions, and which one is served: the shipped one, until another is promoted.

Trained versions are in ``models/`` of the data folder. Beside them, the file ``served.json`` lists every promotion and
rollback, oldest first; the served version follows from it.
"""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path
from typing import Literal

from pydantic import BaseModel, ConfigDict, ValidationError

from catsdogs.errors import InvalidInput, ModelError
from catsdogs.files import atomic_write, data_folder
from catsdogs.model.card import SHIPPED

HISTORY_FILE = "served.json"

ChangeToken = tuple[int, int, int] | None
"""Value that differs after every change of the history."""


class PromotionChange(BaseModel):
    """A change of the served version."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    how: Literal["promote", "rollback"]
    version: str
    """Version that is served afterwards."""
    at: datetime


class PromotionHistory(BaseModel):
    """All changes of the served version, as `HISTORY_FILE` holds them."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    changes: tuple[PromotionChange, ...] = ()

    @property
    def champions(self) -> list[str]:
        """Versions that rollbacks return to, one after the other, and the served version last."""
        champions = [SHIPPED.name]
        for change in self.changes:
            if change.how == "promote":
                champions.append(change.version)
            elif len(champions) > 1:
                champions.pop()
        return champions


class ModelVersions:
    """The shipped version, and the trained versions of a data folder.

    Parameters
    ----------
    data_dir
        See :attr:`catsdogs.settings.Settings.data_dir`.
    """

    def __init__(self, data_dir: Path) -> None:
        self._models = data_dir / "models"
        self._history_file = self._models / HISTORY_FILE

    def folders(self) -> list[Path]:
        """List the versions' folders: the shipped one, then the trained ones by name, damaged ones too."""
        found = sorted({file.parent for file in self._models.glob("[!.]*/model*.*")})
        return [SHIPPED, *(folder for folder in found if folder.name != SHIPPED.name)]

    def folder(self, version: str) -> Path:
        """Find a version.

        Raises
        ------
        InvalidInput
            There is no version of that name.
        """
        for folder in self.folders():
            if folder.name == version:
                return folder
        raise InvalidInput("There is no model version {version}. See the list: catsdogs model list", version=version)

    def history(self) -> PromotionHistory:
        """Read the history.

        Raises
        ------
        ModelError
            The file is damaged.
        """
        try:
            return PromotionHistory.model_validate_json(self._history_file.read_bytes())
        except FileNotFoundError:
            return PromotionHistory()
        except (OSError, ValidationError) as error:
            raise ModelError(
                "The file {path}, which says what model is served, is damaged. Delete it to serve the shipped one.",
                path=self._history_file,
            ) from error

    def served(self) -> str:
        """Return the name of the served version.

        Raises
        ------
        ModelError
            See :meth:`history`.
        """
        return self.history().champions[-1]

    def change_token(self) -> ChangeToken:
        """Return a value that differs after every change; in a few microseconds, without reading the file."""
        try:
            status = self._history_file.stat()
        except OSError:
            return None
        return status.st_mtime_ns, status.st_size, status.st_ino

    def promote(self, version: str) -> None:
        """Serve a version from now on; running servers load it with their next request.

        Raises
        ------
        InvalidInput
            There is no version of that name, or it is served already.
        ModelError
            The history is damaged, or cannot be written.
        """
        self.folder(version)
        if version == self.served():
            raise InvalidInput("Version {version} is served already.", version=version)
        self._append("promote", version)

    def rollback(self) -> str:
        """Serve the version again that was served before the last promotion.

        Returns
        -------
        str
            The version that is served from now on.

        Raises
        ------
        InvalidInput
            Nothing was promoted.
        ModelError
            The history is damaged, or cannot be written.
        """
        champions = self.history().champions
        if len(champions) == 1:
            raise InvalidInput("There is no version to go back to: {version} came first.", version=champions[0])
        self._append("rollback", champions[-2])
        return champions[-2]

    def _append(self, how: Literal["promote", "rollback"], version: str) -> None:
        change = PromotionChange(how=how, version=version, at=datetime.now(UTC))
        history = PromotionHistory(changes=(*self.history().changes, change))
        try:
            data_folder(self._models.parent)
            self._models.mkdir(exist_ok=True)
            with atomic_write(self._history_file) as stream:
                stream.write(history.model_dump_json(indent=1).encode() + b"\n")
        except OSError as error:
            raise ModelError(
                "The folder {folder} cannot be written: {reason}.", folder=self._models, reason=error.strerror
            ) from error
