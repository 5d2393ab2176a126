"""What one machine does: answer some photos of a folder, by a model that all machines have."""

from __future__ import annotations

import threading
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any, Self

from catsdogs.domain import Prediction
from catsdogs.errors import InvalidImage, InvalidInput, ModelError
from catsdogs.model.card import SHIPPED, Runtime
from catsdogs.model.classifier import Classifier
from catsdogs.model.registry import ModelVersions
from catsdogs.model.serving import ServedModel
from catsdogs.service.prediction_json import prediction_row
from catsdogs.settings import Settings

Row = dict[str, Any]
"""One photo's answer, by the columns of :data:`catsdogs.batch.partitions.SCHEMA`."""

_opening = threading.Lock()


@dataclass(frozen=True, slots=True)
class Job:
    """What every part of a run has in common."""

    folder: Path
    """Of the photos; absolute, and the same on every machine."""
    version: str
    """Of the model."""
    model: Path | None
    """Its folder, the same on every machine; ``None`` for the shipped version, which lies in the package."""
    runtime: Runtime
    checksum: str
    """Of the model's file."""

    @classmethod
    def of(cls, folder: Path, settings: Settings) -> Self:
        """Have the photos below `folder` answered by the served model.

        Raises
        ------
        ModelError
        """
        card = ServedModel(settings).current().card
        runtime = settings.model_runtime
        shipped = card.version == SHIPPED.name
        model = None if shipped else ModelVersions(settings.data_dir).folder(card.version).absolute()
        return cls(folder.absolute(), card.version, model, runtime, card.sha256[f"model.{runtime}"])

    def answer(self, names: list[str]) -> list[Row]:
        """Answer photos; a file that cannot be read gives a row with the reason.

        Parameters
        ----------
        names
            Of files, relative to the folder.

        Raises
        ------
        InvalidInput
            The folder is not on this machine.
        ModelError
            The model is not on this machine, or it is another.
        """
        if not self.folder.is_dir():
            raise InvalidInput("There is no folder {folder}.", folder=self.folder)
        with _opening:  # threads share one model
            classifier = _open(self)
        answers = classifier.classify_files(self.folder / name for name in names)
        return [_row(name, result) for name, (_, result) in zip(names, answers, strict=True)]


@lru_cache(maxsize=1)
def _open(job: Job) -> Classifier:
    classifier = Classifier.open(job.model or SHIPPED, job.runtime)
    if classifier.card.sha256[f"model.{job.runtime}"] != job.checksum:
        raise ModelError(
            "A worker has another model {version}. Install the same catsdogs on every machine.", version=job.version
        )
    return classifier


def _row(name: str, result: Prediction | InvalidImage) -> Row:
    # names need not be UTF-8, Parquet's strings must
    row: Row = {"file": name.encode(errors="surrogateescape").decode(errors="replace")}
    if isinstance(result, InvalidImage):
        return row | {"error": str(result)}
    return row | prediction_row(result)
