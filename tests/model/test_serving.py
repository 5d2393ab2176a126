"""The served model follows promotions, and never becomes a damaged version."""

from __future__ import annotations

import logging
import shutil
import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from catsdogs.errors import ModelError
from catsdogs.model.card import CARD_FILE, SHIPPED
from catsdogs.model.registry import HISTORY_FILE, ModelVersions
from catsdogs.model.serving import ServedModel
from catsdogs.settings import Settings
from tests.waiting import until

from .conftest import Trained


def test_with_a_damaged_history_the_shipped_version_is_served(
    versions: ModelVersions, settings: Settings, trained: Trained, caplog: pytest.LogCaptureFixture
) -> None:
    trained("a")
    versions.promote("a")
    (settings.data_dir / "models" / HISTORY_FILE).write_text('{"changes": [{"how": "promote"')
    with pytest.raises(ModelError, match="is damaged"):
        versions.served()
    with pytest.raises(ModelError, match="is damaged"):
        versions.promote("a")
    assert ServedModel(settings).current().version == SHIPPED.name
    assert "is damaged" in caplog.text


def test_a_promotion_is_followed_without_a_failed_request(
    settings: Settings, versions: ModelVersions, trained: Trained, cat_jpeg: bytes
) -> None:
    model = ServedModel(settings)
    trained("a")
    stop = threading.Event()

    def classify_until_stopped() -> list[str]:
        versions = []
        while not stop.is_set():
            versions.append(model.current().classify(cat_jpeg).prediction.model_version)
        return versions

    with ThreadPoolExecutor(4) as pool:
        requests = [pool.submit(classify_until_stopped) for _ in range(4)]
        try:
            versions.promote("a")
            until(lambda: model.current().version == "a")
            versions.rollback()
            until(lambda: model.current().version == SHIPPED.name)
        finally:
            stop.set()
        for request in requests:
            assert set(request.result()) <= {SHIPPED.name, "a"}
    assert model.current().version == SHIPPED.name


@pytest.mark.parametrize(
    ("damage", "sentence"),
    [
        (lambda folder: (folder / "model.onnx").write_bytes(b"x"), "is damaged"),
        (shutil.rmtree, "There is no model version a"),
        (lambda folder: (folder / CARD_FILE).write_text('{"format": 999}'), "made for another version of catsdogs"),
    ],
)
def test_a_version_that_cannot_be_loaded_leaves_the_champion(
    settings: Settings,
    versions: ModelVersions,
    trained: Trained,
    caplog: pytest.LogCaptureFixture,
    damage: Callable[[Path], object],
    sentence: str,
) -> None:
    model = ServedModel(settings)
    trained("good")
    folder = trained("a")
    versions.promote("good")
    assert model.current().version == "good"
    versions.promote("a")
    damage(folder)
    caplog.set_level(logging.ERROR)
    for _ in range(3):
        assert model.current().version == "good"
    [record] = caplog.records
    assert sentence in record.getMessage()
    assert ServedModel(settings).current().version == "good", "a restart loads the last version that can be loaded"
    versions.promote(SHIPPED.name)
    assert model.current().version == SHIPPED.name
