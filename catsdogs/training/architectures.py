"""The EfficientNet-Lite family: one description, from which each member's layers follow.

EfficientNet (Tan & Le 2019, https://arxiv.org/abs/1905.11946) without squeeze-and-excitation and with ReLU6, as
TensorFlow's TPU models define it (https://github.com/tensorflow/tpu/tree/master/models/official/efficientnet/lite).
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import NamedTuple

STEM_CHANNELS = 32
"""Number of channels of the first convolution."""


class Stage(NamedTuple):
    """A sequence of inverted residual blocks; `stride` belongs to the first of them."""

    repeats: int
    kernel: int
    stride: int
    expansion: int
    filters: int


_LITE0_STAGES = (
    Stage(1, 3, 1, 1, 16),
    Stage(2, 3, 2, 6, 24),
    Stage(2, 5, 2, 6, 40),
    Stage(3, 3, 2, 6, 80),
    Stage(3, 5, 1, 6, 112),
    Stage(4, 5, 2, 6, 192),
    Stage(1, 3, 1, 6, 320),
)


@dataclass(frozen=True)
class Architecture:
    """A member of the family: Lite0 with its stages made wider and longer."""

    name: str
    width: float
    """Factor of the number of channels, which is then rounded to a multiple of 8."""
    depth: float
    """Factor of the number of blocks, which is then rounded up; the first and the last stage keep theirs."""
    input_size: int
    """Side of the input in pixels at which the head does best, by cross-validation."""

    @property
    def stages(self) -> tuple[Stage, ...]:
        """The scaled stages."""
        first, *inner, last = (stage._replace(filters=self._scale_width(stage.filters)) for stage in _LITE0_STAGES)
        longer = (stage._replace(repeats=math.ceil(self.depth * stage.repeats)) for stage in inner)
        return (first, *longer, last)

    def _scale_width(self, filters: int) -> int:
        scaled = filters * self.width
        rounded = int(scaled + 4) // 8 * 8
        return rounded if rounded >= 0.9 * scaled else rounded + 8


LITE0 = Architecture("lite0", width=1.0, depth=1.0, input_size=256)
LITE2 = Architecture("lite2", width=1.1, depth=1.2, input_size=320)
ARCHITECTURES = {architecture.name: architecture for architecture in (LITE0, LITE2)}
