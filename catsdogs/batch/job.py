"""The work of one machine: classify some photos of a folder, with a model that every machine has."""

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
"""Prediction for one photo, by the columns of :data:`catsdogs.batch.partitions.SCHEMA`."""

_opening = threading.Lock()


@dataclass(frozen=True, slots=True)
class BatchJob:
    """Folder and model of a run, the same for every part."""

    folder: Path
    """Folder of the photos: absolute, and the same on every machine."""
    version: str
    """Model version."""
    model: Path | None
    """Folder of the version, the same on every machine; ``None`` for the shipped version, which is in the package."""
    runtime: Runtime
    checksum: str
    """SHA-256 of the model's file."""

    @classmethod
    def with_served_model(cls, folder: Path, settings: Settings) -> Self:
        """Make a job for the photos below `folder` and the served model.

        Raises
        ------
        ModelError
            The model cannot be loaded.
        """
        card = ServedModel(settings).current().card
        runtime = settings.model_runtime
        shipped = card.version == SHIPPED.name
        model = None if shipped else ModelVersions(settings.data_dir).folder(card.version).absolute()
        return cls(folder.absolute(), card.version, model, runtime, card.sha256[f"model.{runtime}"])

    def classify(self, names: list[str]) -> list[Row]:
        """Classify photos; a file that cannot be read gives a row with the error.

        Parameters
        ----------
        names
            Names of files, relative to the folder.

        Raises
        ------
        InvalidInput
            The folder is not on this machine.
        ModelError
            The model is not on this machine, or differs.
        """
        if not self.folder.is_dir():
            raise InvalidInput("There is no folder {folder}.", folder=self.folder)
        with _opening:  # threads share one model
            classifier = _open(self)
        results = classifier.classify_files(self.folder / name for name in names)
        return [_row(name, result) for name, (_, result) in zip(names, results, strict=True)]


@lru_cache(maxsize=1)
def _open(job: BatchJob) -> Classifier:
    classifier = Classifier.open(job.model or SHIPPED, job.runtime)
    if classifier.card.sha256[f"model.{job.runtime}"] != job.checksum:
        raise ModelError(
            "A worker has another model {version}. Install the same catsdogs on every machine.", version=job.version
        )
    return classifier


def _row(name: str, result: Prediction | InvalidImage) -> Row:
    # the name of a file need not be UTF-8, strings in Parquet must be
    row: Row = {"file": name.encode(errors="surrogateescape").decode(errors="replace")}
    if isinstance(result, InvalidImage):
        return row | {"error": str(result)}
    return row | prediction_row(result)
