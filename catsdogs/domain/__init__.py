"""Domain types: what a prediction, a consent, a receipt code and the state of the service are.

Plain data only, so that a visitor's kernel can import it without a model or a database driver.
"""

from catsdogs.domain.consent import (
    UNKNOWN_CONTROLLER,
    Consent,
    ConsentChannel,
    ConsentOutcome,
    DataController,
    PurposeName,
    Removal,
)
from catsdogs.domain.predictions import (
    MAX_COMMENT,
    Answer,
    AnswerName,
    Box,
    Doubt,
    Explanation,
    Note,
    Outcome,
    PhotoToReview,
    Prediction,
    ReviewDecision,
    TrueLabel,
    TrueLabelName,
    contradict,
    is_right,
)
from catsdogs.domain.receipts import RECEIPT_PATTERN, check_new_receipt, new_receipt
from catsdogs.domain.service_state import ModelInfo, ServiceHealth, ServiceProblem

__all__ = [
    "MAX_COMMENT",
    "RECEIPT_PATTERN",
    "UNKNOWN_CONTROLLER",
    "Answer",
    "AnswerName",
    "Box",
    "Consent",
    "ConsentChannel",
    "ConsentOutcome",
    "DataController",
    "Doubt",
    "Explanation",
    "ModelInfo",
    "Note",
    "Outcome",
    "PhotoToReview",
    "Prediction",
    "PurposeName",
    "Removal",
    "ReviewDecision",
    "ServiceHealth",
    "ServiceProblem",
    "TrueLabel",
    "TrueLabelName",
    "check_new_receipt",
    "contradict",
    "is_right",
    "new_receipt",
]
