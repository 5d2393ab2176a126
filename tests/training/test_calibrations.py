"""A training that has mostly the photos of an earlier one takes its quantized backbone, and so its features."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from catsdogs.errors import ModelError
from catsdogs.training.backbone import Block
from catsdogs.training.calibrations import Calibrations
from catsdogs.training.dataset import collect
from catsdogs.training.features import extract_features, open_calibrations, open_feature_cache
from catsdogs.training.pipeline import quantize_backbone
from catsdogs.training.quantization import QuantizedBackbone

SIDE = 64


def count_cached_features(photos: Path, processed: Path, blocks: list[Block]) -> tuple[str, list[int]]:
    """Quantize and compute features as a training does; return the backbone, and the numbers of photos done."""
    dataset = collect(photos, SIDE)
    known = open_calibrations(processed, "lite0", SIDE)
    backbone = quantize_backbone(blocks, dataset, SIDE, lambda *_: None, known)
    done: list[int] = []
    extract_features(dataset, backbone, SIDE, open_feature_cache(processed, backbone, SIDE), done.append)
    return backbone.fingerprint, done


def test_photos_that_come_go_or_are_renamed_leave_the_other_features(
    blocks: list[Block], textures: Path, tmp_path: Path
) -> None:
    photos = shutil.copytree(textures, tmp_path / "photos")
    kept_aside = [photos / "cat" / "0.png", photos / "dog" / "7.png"]
    for path in kept_aside:
        path.rename(tmp_path / path.name)
    first, done = count_cached_features(photos, tmp_path / "processed", blocks)
    assert done[0] == 0
    for path in kept_aside:
        (tmp_path / path.name).rename(path)
    for number in (3, 4):
        (photos / "cat" / f"{number}.png").unlink()
    for path in (photos / "dog").iterdir():
        path.rename(path.with_name(f"renamed {path.name}"))
    assert count_cached_features(photos, tmp_path / "processed", blocks) == (first, [44, 2])


def test_a_backbone_is_taken_while_enough_of_its_photos_are_there(
    backbone: QuantizedBackbone, blocks: list[Block], tmp_path: Path
) -> None:
    known = Calibrations(tmp_path / "calibrations")
    assert known.find(blocks, "abcd", 4) is None
    known.store(backbone, "abcd")
    found = known.find(blocks, "axyb", 4)
    assert found
    assert found.fingerprint == backbone.fingerprint
    assert known.find(blocks, "axyz", 4) is None, "of four photos, one is left"
    assert known.find(blocks, "abcd", 9) is None, "a new one would be made by twice as many"
    [path] = tmp_path.rglob("*.npz")
    path.write_bytes(path.read_bytes()[:-9000])
    assert known.find(blocks, "abcd", 4) is None, "it is damaged"
    (tmp_path / "file").touch()
    with pytest.raises(ModelError, match="cannot be written"):
        Calibrations(tmp_path / "file").store(backbone, "abcd")
