"""How a version's name is kept, and what a training leaves that was killed."""

from __future__ import annotations

from pathlib import Path

import pytest

from catsdogs.errors import InvalidInput
from catsdogs.training.reservation import reserve, unpublished_folder


def test_the_name_of_a_running_training_is_taken(tmp_path: Path) -> None:
    with reserve(tmp_path / "models" / "v2"):
        with pytest.raises(InvalidInput, match="v2 is being trained already"), reserve(tmp_path / "models" / "v2"):
            pass
        with reserve(tmp_path / "models" / "v3"):
            pass
    with reserve(tmp_path / "models" / "v2"):
        pass
    assert list((tmp_path / "models").iterdir()) == []


def test_the_next_training_removes_what_killed_ones_left_and_nothing_else(tmp_path: Path) -> None:
    models = tmp_path / "models"
    for folder in ("v1", ".v2.0a1b2c3d.tmp", ".v2.1.ffffffff.tmp", ".mine", ".v6.short.tmp"):
        (models / folder).mkdir(parents=True)
        (models / folder / "model.keras").touch()
    (models / ".v2.lock").touch()  # that of v2.1 was removed
    (models / ".served.json.0a1b2c3d.tmp").touch()
    with reserve(models / "v3"), unpublished_folder(models / "v3") as running, reserve(models / "v4"):
        left = {path.name for path in models.iterdir()}
    assert left == {"v1", ".mine", ".v6.short.tmp", ".served.json.0a1b2c3d.tmp", ".v3.lock", running.name, ".v4.lock"}
