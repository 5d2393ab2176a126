"""Tables of labels and predictions."""

from __future__ import annotations

from pathlib import Path

import pytest

from catsdogs.errors import InvalidInput
from catsdogs.training.labelled_predictions import LabelledPredictions


def test_a_table_is_read_as_it_was_written(predictions: LabelledPredictions, tmp_path: Path) -> None:
    predictions.write(tmp_path / "predictions.csv")
    again = LabelledPredictions.read(tmp_path / "predictions.csv")
    assert (again.paths, again.labels) == (predictions.paths, predictions.labels)
    assert again.proba_dog.tolist() == predictions.proba_dog.tolist()
    assert again.neither_score.tolist() == predictions.neither_score.tolist()
    (tmp_path / "predictions.csv").write_text("something,else\n1,2\n")
    with pytest.raises(InvalidInput, match="missing or damaged"):
        LabelledPredictions.read(tmp_path / "predictions.csv")
