"""What is said at the end of a training."""

from __future__ import annotations

from pathlib import Path

import pytest

from catsdogs.cli.training_summary import summarize
from catsdogs.model.card import SHIPPED, ModelCard, read_card

REASONS = """file,reason
a.jpg,the same as b.jpg
c.jpg,the same as d.jpg: one of the labels is wrong
d.jpg,the same as c.jpg: one of the labels is wrong
e.jpg,"too small: 9 x 9 pixels, each side needs at least 64"
f.jpg,This file is empty. Choose another photo.
3 from feedback,not reviewed yet
"""


def card_of(cats: int, dogs: int) -> ModelCard:
    card = read_card(SHIPPED)
    unseen = {"errors": 3, "log_loss": 0.1, "refused": 2, "accepted": 1}
    training = {"photos": {"cat": cats, "dog": dogs}, "others": 50, "cross_validation": unseen}
    return card.model_copy(update={"version": "new", "training": card.training | training, "seen": {"kept": 7}})


@pytest.fixture
def left_out(tmp_path: Path) -> Path:
    (tmp_path / "models" / "new").mkdir(parents=True)
    (tmp_path / "features").mkdir()
    (tmp_path / "features" / "one").write_bytes(b"x" * 2_000_000)
    path = tmp_path / "models" / "new" / "left_out.csv"
    path.write_text(REASONS)
    return path


def test_photos_results_and_the_next_command_are_said(left_out: Path, tmp_path: Path) -> None:
    card = card_of(95, 105)
    lines = list(summarize(card, left_out, tmp_path / "features", tmp_path / "models", {}))
    val = card.metrics["val"]
    low, high = val.refused_interval or (0, 1)
    assert lines == [
        "trained on 95 photos of cats and 105 of dogs",
        "left out: 3 not reviewed yet, 2 with both labels, 1 the same as another, 1 too small, 1 that cannot be read; "
        f"see {left_out}",
        "in cross-validation, each by a model that had not seen it: 3 errors in 200, "
        "2 pets refused (1.0%; 95 % interval 0.3% to 3.6%)",
        "in cross-validation, other things taken for pets: 1 of 50",
        f"on val: {val.errors} errors in 1,000, {val.refused} pets refused ({val.refused / 1000:.1%}; "
        f"95 % interval {low:.1%} to {high:.1%})",
        "on kept: 7 left out, as it was trained on them or on copies of them",
        f"feature cache: 2 MB in {tmp_path / 'features'}, which may be deleted",
        "next: catsdogs model promote new --on FOLDER  # FOLDER of labelled photos that were kept aside",
    ]


def test_one_is_no_plural(left_out: Path, tmp_path: Path) -> None:
    card = card_of(1, 105)
    one = {"errors": 1, "log_loss": 0.1, "refused": 1}
    card = card.model_copy(update={"training": card.training | {"cross_validation": one}})
    lines = list(summarize(card, left_out, tmp_path / "features", tmp_path / "models", {}))
    assert lines[0] == "trained on 1 photo of cats and 105 of dogs"
    assert ": 1 error in 106, 1 pet refused (" in lines[3]


def test_a_rare_animal_is_warned_of(left_out: Path, tmp_path: Path) -> None:
    left_out.write_text("file,reason\n")
    lines = list(
        summarize(card_of(950, 50), left_out, tmp_path / "features", tmp_path / "other", {"val": Path("my photos/val")})
    )
    assert lines[1] == "only 5.0% of the photos show a dog: the model errs more on them. Add photos of dogs."
    other, made = tmp_path / "other", left_out.parent
    promote = "catsdogs model promote new --on 'my photos/val'"
    assert lines[-1] == f"next: mkdir -p {other} && mv {made} {other} && {promote}"
