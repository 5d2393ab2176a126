"""A prediction as JSON: each form has the fields of its contract, and is read back unchanged."""

from __future__ import annotations

import json
from uuid import UUID

import pytest

from catsdogs.domain import Answer, Box, Doubt, Explanation, Note, Outcome, Prediction
from catsdogs.service.prediction_json import (
    outcome_from_json,
    outcome_to_json,
    prediction_from_json,
    prediction_line,
    prediction_row,
    prediction_to_json,
)

EXPLANATION = Explanation(((-1.5, 0.25), (0.0, -3.0)), Box(0.167, 0, 0.833, 1))
CAT = Prediction(
    Answer.CAT, 0.9712, 0.0288, 0.04, "2.0", 3.5, notes=(Note.FIRST_FRAME,), doubt=Doubt.BOTH, explanation=EXPLANATION
)
NEITHER = Prediction(Answer.NEITHER, 0.25, 0.75, 1.0, "2.0", 3.5)


def test_rest_writes_the_fields_of_v2() -> None:
    written = prediction_to_json(CAT)
    assert (written["prediction"], written["confidence"]) == ("Cat", "97.12%")
    assert written["probabilities"] == {"cat": "97.12%", "dog": "2.88%"}
    assert (written["proba_cat"], written["proba_dog"]) == (0.9712, 0.0288)
    assert prediction_to_json(NEITHER)["confidence"] == "100.00%"


@pytest.mark.parametrize("prediction", [CAT, NEITHER])
def test_a_client_reads_the_prediction_that_the_server_wrote(prediction: Prediction) -> None:
    assert prediction_from_json(json.loads(json.dumps(prediction_to_json(prediction)))) == prediction
    identifier = UUID("01890a5d-ac96-774b-bcce-b302099a8057")
    for outcome in (
        Outcome(prediction, identifier, "RECEIPT", True),
        Outcome(prediction, identifier, None, False),
        Outcome(prediction, identifier, None, False, recorded=False),
    ):
        assert outcome_from_json(json.loads(json.dumps(outcome_to_json(outcome, "cat.jpg")))) == outcome


def test_commands_and_tables_write_the_answer_in_lower_case() -> None:
    row = prediction_row(CAT)
    assert row == {
        "prediction": "cat",
        "proba_cat": 0.9712,
        "proba_dog": 0.0288,
        "neither_score": 0.04,
        "inference_time_ms": 3.5,
        "model_version": "2.0",
        "doubt": "both",
    }
    explanation = {"activation": [[-1.5, 0.25], [0.0, -3.0]], "box": [0.167, 0, 0.833, 1]}
    assert prediction_line(CAT) == {**row, "notes": ["first_frame"], "explanation": explanation}
    assert prediction_line(NEITHER)["explanation"] is None
