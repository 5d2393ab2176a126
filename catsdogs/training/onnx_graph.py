"""The backbone in whole numbers, as ONNX Runtime computes it."""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np
import onnx
from onnx import TensorProto, helper, numpy_helper

from catsdogs.training.activation_statistics import LOWEST
from catsdogs.training.backbone import MAPS, MIDDLE, SMALLER, Block, Convolution, walk
from catsdogs.training.quantization import PIXEL, FixedPoint

INPUT = "pixels"
OPSET, IR_VERSION = 18, 10


class _Maps(NamedTuple):
    name: str
    """Of a tensor of uint8, shape (n, channels, rows, columns)."""
    zero: int
    """Which of its values stands for 0."""
    step: float
    """What one step is worth."""


def build_onnx(network: FixedPoint, size: int, opset: int = OPSET, ir_version: int = IR_VERSION) -> onnx.ModelProto:
    """Build what :func:`catsdogs.training.keras_graph.build_keras` builds: same input, same maps.

    Parameters
    ----------
    opset, ir_version
        Of the ONNX file; two that are joined must have the same.
    """
    graph = _Graph(network)
    graph.node("Cast", [INPUT], "bytes", to=TensorProto.UINT8)
    graph.node("Transpose", ["bytes"], "planes", perm=[0, 3, 1, 2])
    maps = walk(network.blocks, _Maps("planes", MIDDLE, PIXEL), graph.convolve, graph.add)
    side = size // SMALLER
    for map_, name in zip(maps, MAPS, strict=True):
        values = graph.dequantised(map_, map_.step)
        graph.node("Transpose", [values], name, perm=[0, 2, 3, 1])
    model = helper.make_model(
        helper.make_graph(
            graph.nodes,
            "efficientnet_lite0",
            [helper.make_tensor_value_info(INPUT, TensorProto.FLOAT, ["n", size, size, 3])],
            [
                helper.make_tensor_value_info(name, TensorProto.FLOAT, ["n", side, side, channels])
                for name, channels in MAPS.items()
            ],
            graph.constants,
        ),
        opset_imports=[helper.make_opsetid("", opset)],
        ir_version=ir_version,
    )
    onnx.checker.check_model(model)
    return model


class _Graph:
    """Grows node by node."""

    def __init__(self, network: FixedPoint) -> None:
        self.nodes: list[onnx.NodeProto] = []
        self.constants: list[onnx.TensorProto] = []
        self._network = network
        self._one = self.constant("one", np.float32(1))
        self._zeros = {zero: self.constant(f"zero_{zero}", np.uint8(zero)) for zero in (0, MIDDLE, -LOWEST)}

    def constant(self, name: str, value: np.ndarray | np.generic) -> str:
        self.constants.append(numpy_helper.from_array(np.asarray(value), name))
        return name

    def node(self, operator: str, inputs: list[str], output: str, **attributes: Any) -> str:
        self.nodes.append(helper.make_node(operator, inputs, [output], name=output, **attributes))
        return output

    def convolve(self, convolution: Convolution, x: _Maps) -> _Maps:
        name, whole = convolution.name, self._network.convolutions[convolution.name]
        zero = 0 if convolution.is_activated else -LOWEST
        weights = [
            self.constant(f"{name}_kernel", whole.kernel),
            self.constant(f"{name}_scale", (0.5**whole.shift).astype(np.float32)),
            self.constant(f"{name}_zero", np.zeros(len(whole.kernel), np.int8)),
        ]
        inputs = [x.name, self._one, self._zeros[x.zero], *weights, self._one, self._zeros[zero]]
        self.node(
            "QLinearConv",
            [*inputs, self.constant(f"{name}_bias", whole.bias)],
            name,
            kernel_shape=whole.kernel.shape[2:],
            strides=[convolution.stride] * 2,
            auto_pad="SAME_UPPER",
            group=len(whole.kernel) if convolution.is_depthwise else 1,
        )
        return _Maps(name, zero, self._network.steps[name])

    def add(self, block: Block, x: _Maps, y: _Maps) -> _Maps:
        step = self._network.steps[block.name]
        summands = [self.dequantised(map_, map_.step / step, f"_for_{block.name}") for map_ in (x, y)]
        total = self.node("Add", summands, f"{block.name}_sum")
        self.node("QuantizeLinear", [total, self._one, self._zeros[-LOWEST]], block.name)
        return _Maps(block.name, -LOWEST, step)

    def dequantised(self, maps: _Maps, scale: float, suffix: str = "") -> str:
        """Give the values in floating point."""
        name = f"{maps.name}{suffix}"
        scale_name = self.constant(f"{name}_step", np.float32(scale))
        return self.node("DequantizeLinear", [maps.name, scale_name, self._zeros[maps.zero]], f"{name}_values")
