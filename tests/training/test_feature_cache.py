"""Features are read as they were stored, or not at all."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from catsdogs.errors import ModelError
from catsdogs.training.feature_cache import FeatureCache

DIGEST = "ab" * 32


@pytest.fixture
def cache(tmp_path: Path) -> FeatureCache:
    cache = FeatureCache(tmp_path / "features", (2, 5))
    cache.put(DIGEST, np.arange(10, dtype=np.float32).reshape(2, 5))
    return cache


def test_features_are_read_as_they_were_stored(cache: FeatureCache, tmp_path: Path) -> None:
    for opened in (cache, FeatureCache(tmp_path / "features", (2, 5))):
        found = opened.get(DIGEST)
        assert found is not None
        assert found.tolist() == [[0, 1, 2, 3, 4], [5, 6, 7, 8, 9]]
    assert cache.get("cd" * 32) is None


@pytest.mark.parametrize("damage", [lambda b: b[:-1], lambda b: b"", lambda b: b"\x01" + b[1:], lambda b: b + b[:40]])
def test_damaged_files_count_as_missing(cache: FeatureCache, tmp_path: Path, damage: object) -> None:
    [path] = [path for path in (tmp_path / "features").rglob("*") if path.is_file()]
    path.write_bytes(damage(path.read_bytes()))  # type: ignore[operator]
    assert cache.get(DIGEST) is None


def test_features_of_another_shape_count_as_missing(cache: FeatureCache, tmp_path: Path) -> None:
    assert FeatureCache(tmp_path / "features", (2, 6)).get(DIGEST) is None


def test_a_folder_that_cannot_be_written_is_a_model_error(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(ModelError, match="cannot be written"):
        FeatureCache(tmp_path / "file", (2, 5))
