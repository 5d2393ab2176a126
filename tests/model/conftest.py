"""The shipped classifier, and model versions in a data folder."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable
from pathlib import Path

import pytest

from catsdogs.model.card import CARD_FILE, SHIPPED
from catsdogs.model.classifier import Classifier
from catsdogs.model.registry import ModelVersions
from catsdogs.settings import Settings

Trained = Callable[..., Path]


@pytest.fixture(scope="session")
def classifier() -> Classifier:
    return Classifier.open(SHIPPED)


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    return Settings(_env_file=None, CATSDOGS_DATA_DIR=tmp_path)


@pytest.fixture
def trained(settings: Settings) -> Trained:
    """Copy the shipped version to the data folder, with another name and other fields of its card."""

    def make(version: str, **card: object) -> Path:
        folder = settings.data_dir / "models" / version
        shutil.copytree(SHIPPED, folder, ignore=shutil.ignore_patterns("*.keras"))
        content = json.loads((folder / CARD_FILE).read_text()) | {"version": version} | card
        (folder / CARD_FILE).write_text(json.dumps(content))
        return folder

    return make


@pytest.fixture
def versions(settings: Settings) -> ModelVersions:
    return ModelVersions(settings.data_dir)


@pytest.fixture
def version(tmp_path: Path) -> Path:
    """A copy of the shipped version, to be damaged."""
    return Path(shutil.copytree(SHIPPED, tmp_path / "version"))


def rewrite_card(version: Path, **changes: object) -> None:
    card = json.loads((version / CARD_FILE).read_text()) | changes
    (version / CARD_FILE).write_text(json.dumps(card))
