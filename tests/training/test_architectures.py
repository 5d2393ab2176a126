"""The scaled stages are those of TensorFlow's own definition."""

from __future__ import annotations

from catsdogs.training.architectures import LITE0, LITE2


def test_lite0_is_the_base() -> None:
    assert [(stage.repeats, stage.filters) for stage in LITE0.stages] == [
        (1, 16),
        (2, 24),
        (2, 40),
        (3, 80),
        (3, 112),
        (4, 192),
        (1, 320),
    ]


def test_lite2_is_wider_and_longer_but_for_its_ends() -> None:
    assert [stage.repeats for stage in LITE2.stages] == [1, 3, 3, 4, 4, 5, 1]
    assert [stage.filters for stage in LITE2.stages] == [16, 24, 48, 88, 120, 208, 352]
