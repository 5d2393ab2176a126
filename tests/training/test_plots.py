"""The plots show the labels and the predictions."""

from __future__ import annotations

import numpy as np
import plotly.graph_objects as go
import pytest

from catsdogs.domain import Answer
from catsdogs.training import plots
from catsdogs.training.labelled_predictions import LabelledPredictions


def texts(fig: go.Figure) -> list[str]:
    return [annotation.text for annotation in fig.layout.annotations]


def test_the_roc_counts_pets_only(predictions: LabelledPredictions) -> None:
    curve = plots.roc(predictions).data[0]
    assert curve.name == "this model: area 0.7500"
    assert (curve.x[0], curve.y[0], curve.x[-1], curve.y[-1]) == (0, 0, 1, 1)
    assert 0.5 in curve.y


def test_reliability_shows_share_count_and_interval(predictions: LabelledPredictions) -> None:
    points = plots.reliability(predictions).data[0]
    assert list(points.x) == pytest.approx([0.8, 0.9, 0.95])
    assert list(points.y) == pytest.approx([1, 0.5, 1])
    assert [n for _, n, _ in points.customdata] == [1, 2, 1]
    assert (points.y + points.error_y.array <= 1 + 1e-9).all()
    assert (points.y - points.error_y.arrayminus > 0).all()


def test_confusion_counts_answers_by_label(predictions: LabelledPredictions) -> None:
    table = plots.confusion(predictions).data[0]
    assert list(table.x) == ["cat", "dog", "neither"]
    assert list(table.y) == ["cat", "dog", "neither"]
    assert [list(row) for row in table.text] == [[1, 1, 0], [0, 1, 1], [1, 0, 1]]


def test_the_worst_mistakes_come_first_with_their_photos(predictions: LabelledPredictions) -> None:
    fig = plots.worst_mistakes(predictions)
    assert texts(fig) == [
        "<b>dog</b>, 90.0% sure; is cat<br>1&lt;b&gt;.jpg",
        "<b>cat</b>, 80.0% sure; is neither<br>4&lt;b&gt;.jpg",
    ]
    assert [image.source[:23] for image in fig.layout.images] == ["data:image/jpeg;base64,"] * 2
    predictions.paths[1].unlink()
    assert len(plots.worst_mistakes(predictions).layout.images) == 1


def test_missing_data_are_explained_in_the_plot(predictions: LabelledPredictions) -> None:
    others = LabelledPredictions(predictions.paths[5:], [Answer.NEITHER], np.array([0.3]), np.array([0.9]))
    assert texts(plots.roc(others)) == ["There are not both animals among these photos."]
    assert texts(plots.reliability(others)) == ["There are no pets among these photos."]
    assert texts(plots.worst_mistakes(others)) == ["There are none among these photos."]
