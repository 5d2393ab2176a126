"""The int8-quantized backbone as an ONNX model: integer arithmetic."""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np
import onnx
from onnx import TensorProto, helper, numpy_helper

from catsdogs.training.activation_statistics import INT8_MIN
from catsdogs.training.backbone import (
    FEATURE_MAPS,
    OUTPUT_STRIDE,
    PIXEL_ZERO_POINT,
    Block,
    Convolution,
    feature_channels,
    traverse,
)
from catsdogs.training.quantization import PIXEL_SCALE, QuantizedBackbone

INPUT = "pixels"
"""Name of the model's input."""
OPSET, IR_VERSION = 18, 10
"""Versions of the ONNX operators and of the file format."""


class _FeatureMaps(NamedTuple):
    name: str
    """Name of a tensor of uint8, shape (n, channels, rows, columns)."""
    zero_point: int
    scale: float


def build_onnx(
    backbone: QuantizedBackbone, size: int, opset: int = OPSET, ir_version: int = IR_VERSION
) -> onnx.ModelProto:
    """Build the model, with input and outputs as in :func:`catsdogs.training.keras_graph.build_keras`.

    Parameters
    ----------
    backbone
        From :func:`catsdogs.training.quantization.quantize`.
    size
        Side of the square input in pixels, a multiple of 32.
    opset, ir_version
        Versions of the ONNX operators and file format; models that are merged must have the same.
    """
    graph = _Graph(backbone)
    graph.node("Cast", [INPUT], "bytes", to=TensorProto.UINT8)
    graph.node("Transpose", ["bytes"], "planes", perm=[0, 3, 1, 2])
    maps = traverse(backbone.blocks, _FeatureMaps("planes", PIXEL_ZERO_POINT, PIXEL_SCALE), graph.convolve, graph.add)
    side = size // OUTPUT_STRIDE
    for map_, name in zip(maps, FEATURE_MAPS, strict=True):
        values = graph.dequantize(map_, map_.scale)
        graph.node("Transpose", [values], name, perm=[0, 2, 3, 1])
    model = helper.make_model(
        helper.make_graph(
            graph.nodes,
            "efficientnet_lite",
            [helper.make_tensor_value_info(INPUT, TensorProto.FLOAT, ["n", size, size, 3])],
            [
                helper.make_tensor_value_info(name, TensorProto.FLOAT, ["n", side, side, channels])
                for name, channels in feature_channels(backbone.blocks).items()
            ],
            graph.constants,
        ),
        opset_imports=[helper.make_opsetid("", opset)],
        ir_version=ir_version,
    )
    onnx.checker.check_model(model)
    return model


class _Graph:
    """An ONNX graph under construction."""

    def __init__(self, backbone: QuantizedBackbone) -> None:
        self.nodes: list[onnx.NodeProto] = []
        self.constants: list[onnx.TensorProto] = []
        self._backbone = backbone
        self._one = self.constant("one", np.float32(1))
        self._zero_points = {
            zero: self.constant(f"zero_{zero}", np.uint8(zero)) for zero in (0, PIXEL_ZERO_POINT, -INT8_MIN)
        }

    def constant(self, name: str, value: np.ndarray | np.generic) -> str:
        self.constants.append(numpy_helper.from_array(np.asarray(value), name))
        return name

    def node(self, operator: str, inputs: list[str], output: str, **attributes: Any) -> str:
        self.nodes.append(helper.make_node(operator, inputs, [output], name=output, **attributes))
        return output

    def convolve(self, convolution: Convolution, x: _FeatureMaps) -> _FeatureMaps:
        name, quantized = convolution.name, self._backbone.convolutions[convolution.name]
        zero_point = 0 if convolution.is_activated else -INT8_MIN
        weights = [
            self.constant(f"{name}_kernel", quantized.kernel),
            self.constant(f"{name}_scale", (0.5**quantized.shift).astype(np.float32)),
            self.constant(f"{name}_zero", np.zeros(len(quantized.kernel), np.int8)),
        ]
        inputs = [
            x.name,
            self._one,
            self._zero_points[x.zero_point],
            *weights,
            self._one,
            self._zero_points[zero_point],
        ]
        self.node(
            "QLinearConv",
            [*inputs, self.constant(f"{name}_bias", quantized.bias)],
            name,
            kernel_shape=quantized.kernel.shape[2:],
            strides=[convolution.stride] * 2,
            auto_pad="SAME_UPPER",
            group=len(quantized.kernel) if convolution.is_depthwise else 1,
        )
        return _FeatureMaps(name, zero_point, self._backbone.scales[name])

    def add(self, block: Block, x: _FeatureMaps, y: _FeatureMaps) -> _FeatureMaps:
        scale = self._backbone.scales[block.name]
        summands = [self.dequantize(map_, map_.scale / scale, f"_for_{block.name}") for map_ in (x, y)]
        total = self.node("Add", summands, f"{block.name}_sum")
        self.node("QuantizeLinear", [total, self._one, self._zero_points[-INT8_MIN]], block.name)
        return _FeatureMaps(block.name, -INT8_MIN, scale)

    def dequantize(self, maps: _FeatureMaps, scale: float, suffix: str = "") -> str:
        """Convert to floating point."""
        name = f"{maps.name}{suffix}"
        scale_name = self.constant(f"{name}_step", np.float32(scale))
        return self.node(
            "DequantizeLinear", [maps.name, scale_name, self._zero_points[maps.zero_point]], f"{name}_values"
        )
