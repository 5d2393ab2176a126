"""The activation statistics that the backbone is quantized by."""

from __future__ import annotations

import numpy as np
import pytest

from catsdogs.training.activation_statistics import SCALES, collect_activation_statistics, flatten_kernel
from catsdogs.training.backbone import Block


def test_statistics_describe_the_inputs_of_each_convolution(blocks: list[Block], pixels: np.ndarray) -> None:
    blocks = blocks[:5]
    statistics, in_parts = (
        collect_activation_statistics(blocks, [pixels]),
        collect_activation_statistics(blocks, [pixels[:2], pixels[2:]]),
    )
    stem = blocks[0].convolutions[0]
    centre = slice(4 * 3, 5 * 3)  # the middle of the 3 x 3 kernel, for red, green and blue
    assert statistics.means[stem.name][centre] == pytest.approx((pixels.mean(axis=(0, 1, 2)) - 127) / 128, abs=0.05)
    assert flatten_kernel(stem)[:, centre] == pytest.approx(stem.kernel[:, :, 1, 1])
    assert statistics.covariances[stem.name].shape == (27, 27)
    assert statistics.covariances["blocks_3_depthwise_conv"].shape == (144, 25, 25)
    assert set(statistics.scales.values()) < set(SCALES)
    assert in_parts.scales == statistics.scales
    for name, mean in statistics.means.items():
        assert np.allclose(in_parts.means[name], mean, atol=1e-5)
        assert np.allclose(in_parts.covariances[name], statistics.covariances[name], atol=1e-3)
