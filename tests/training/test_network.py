"""The assembled network computes what head and gate define."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from scipy.special import expit, logsumexp, softmax

from catsdogs.training.gate import Gate
from catsdogs.training.head import Head
from catsdogs.training.imagenet import ImageNetClassifier
from catsdogs.training.keras_graph import build_keras
from catsdogs.training.network import assemble
from catsdogs.training.quantization import QuantizedBackbone

from .conftest import INPUT_SIZE, expected_neither_score


@pytest.mark.parametrize("others", [7, 0], ids=["known others", "none known"])
def test_the_graph_computes_head_map_and_gate(
    backbone: QuantizedBackbone, imagenet_classifier: ImageNetClassifier, gate: Gate, pixels: np.ndarray, others: int
) -> None:
    gate = replace(gate, reference=replace(gate.reference, others=gate.reference.others[:others]))
    random = np.random.default_rng(2)
    weights = random.normal(0, 0.1, 2432)
    head = Head(weights, 0.7, 0.3, strength=1, temperature=1, errors=0, log_loss=0, held_out_proba_dog=np.zeros(0))
    last, inner = (np.asarray(features) for features in build_keras(backbone, INPUT_SIZE)(pixels))
    model = assemble(backbone, INPUT_SIZE, imagenet_classifier, head, gate).model
    outputs = {name: np.asarray(value) for name, value in model(pixels).items()}

    pooled = last.mean(axis=(1, 2), dtype=np.float32)
    dogs, cats = np.split(pooled @ imagenet_classifier.pet_weights + imagenet_classifier.pet_bias, [118], axis=1)
    prior = logsumexp(dogs, axis=1) - logsumexp(cats, axis=1)
    features = np.concatenate([pooled, inner.mean(axis=(1, 2))], axis=1)
    logits = features @ head.weights + head.prior_weight * prior + head.bias
    assert outputs["activation"].shape == (6, 3, 3)
    assert outputs["activation"].mean(axis=(1, 2)) == pytest.approx(logits, abs=1e-5)
    assert outputs["proba_dog"] == pytest.approx(expit(logits), abs=1e-5)
    assert outputs["neither_score"] == pytest.approx(
        expected_neither_score(gate, imagenet_classifier, pooled), abs=1e-4
    )

    direction = (
        np.concatenate([softmax(dogs, axis=1), -softmax(cats, axis=1)], axis=1) @ imagenet_classifier.pet_weights.T
    )
    prior_map = np.einsum("nrck,nk->nrc", last, direction)
    prior_map += (prior - prior_map.mean(axis=(1, 2)))[:, None, None]
    expected = last @ weights[:1280] + inner @ weights[1280:] + head.prior_weight * prior_map + head.bias
    assert outputs["activation"] == pytest.approx(expected, abs=1e-4)
