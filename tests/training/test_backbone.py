"""The backbone computes the forward pass that its weights were trained for."""

from __future__ import annotations

import bisect
import csv
from pathlib import Path

import numpy as np
import pytest
from scipy.special import softmax

from catsdogs.model import preprocessing
from catsdogs.training.architectures import LITE0, LITE2, Architecture
from catsdogs.training.backbone import build_backbone, feature_channels, forward
from catsdogs.training.imagenet import CATS, DOGS, split_classifier
from catsdogs.training.weights import Arrays, load_imagenet_weights

EGYPTIAN_CAT = 285


@pytest.mark.parametrize(("architecture", "channels"), [(LITE0, 1152), (LITE2, 1248)], ids=["lite0", "lite2"])
def test_the_backbone_recognises_the_cat(architecture: Architecture, channels: int, cat_jpeg: bytes) -> None:
    imagenet = load_imagenet_weights(architecture.name)
    imagenet_classifier = split_classifier(imagenet)
    pixels = preprocessing.square(preprocessing.decode(cat_jpeg), 224)[np.newaxis].astype(np.float32)
    blocks = build_backbone(architecture, imagenet)
    last, inner = forward(blocks, pixels)
    assert (last.shape, inner.shape) == ((1, 7, 7, 1280), (1, 7, 7, channels))
    assert feature_channels(blocks) == {"last": 1280, "inner": channels}
    assert min(last.min(), inner.min()) == 0
    assert max(last.max(), inner.max()) <= 6
    pooled = last.mean(axis=(1, 2))
    logits = pooled @ imagenet["_fc.weight"].T + imagenet["_fc.bias"]
    probabilities = softmax(logits[0])
    assert probabilities.argmax() == EGYPTIAN_CAT
    assert probabilities[CATS].sum() > 0.5
    cat, dog = probabilities[CATS].sum(), probabilities[DOGS].sum()
    assert imagenet_classifier.prior_logits(pooled) == pytest.approx(np.log(dog / cat), abs=1e-4)
    assert imagenet_classifier.prior_logits(pooled) < -2


@pytest.mark.photos
def test_the_backbone_classifies_imagenet(imagenet: Arrays, photos: Path) -> None:
    """Of one photo each of 100 classes, 89 are right. Symmetric padding or other scaling would lose 7 and more.

    ImageNet numbers its classes in the order of their WordNet identifiers, with which the names of the
    photos begin; in that order, the numbers of right answers increase.
    """
    with (photos / "neither" / "manifest.csv").open() as stream:
        rows = sorted(csv.DictReader(stream), key=lambda row: row["source_path"])
    files = [(photos / "neither" / Path(row["file"]).name).read_bytes() for row in rows]
    pixels = np.stack([preprocessing.square(preprocessing.decode(file), 224) for file in files]).astype(np.float32)
    blocks = build_backbone(LITE0, imagenet)
    features = np.concatenate([forward(blocks, batch)[0].mean(axis=(1, 2)) for batch in np.split(pixels, 4)])
    answers = (features @ imagenet["_fc.weight"].T + imagenet["_fc.bias"]).argmax(axis=1)
    increasing: list[int] = []  # patience sorting: the list gets as long as the longest increasing subsequence
    for answer in answers:
        position = bisect.bisect_left(increasing, answer)
        increasing[position : position + 1] = [answer]
    assert len(increasing) >= 86
