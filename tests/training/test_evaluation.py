"""What a card holds where there are only the training photos to measure on."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from catsdogs.domain import Answer, Box, Explanation, Prediction
from catsdogs.model.evaluated_set import EvaluatedPhoto, EvaluatedSet
from catsdogs.model.preprocessing import ImageStatistics
from catsdogs.training.evaluation import held_out_answers
from catsdogs.training.labelled_predictions import LabelledPredictions


def test_doubts_are_chosen_by_answers_of_models_that_had_not_seen_the_photos() -> None:
    paths = [Path(name) for name in "abc"]
    sure = Prediction(
        Answer.CAT, 1.0, 0.0, 0.001, "v", 1.0, explanation=Explanation(((-9.0,) * 8,) * 8, Box(0, 0, 1, 1))
    )
    photo = EvaluatedPhoto(Answer.CAT, sure, ImageStatistics(300, 200, 0.5, 0.01))
    held_out = LabelledPredictions(paths, [Answer.CAT] * 3, np.array([0.2, 0.6, 0.1]), np.array([0.3, 0.1, 0.9]))
    found = held_out_answers(EvaluatedSet("train", dict.fromkeys(paths, photo)), held_out)
    answers = [(one.prediction.answer, one.prediction.proba_cat) for one in found.photos.values()]
    assert answers == [(Answer.CAT, 0.8), (Answer.DOG, 0.4), (Answer.NEITHER, 0.9)]
    doubts = found.doubt_thresholds()
    assert doubts.n == 2
    assert (doubts.confidence, doubts.neither_score) == pytest.approx((0.604, 0.298))
    explanation = found.photos[paths[0]].prediction.explanation
    assert explanation
    assert np.array(explanation.activation) == pytest.approx(np.log(0.2 / 0.8)), "the mean is the logit, as in any map"
    assert doubts.both_score == pytest.approx(-np.log(0.6 / 0.4)), "the larger one: there are two photos"
