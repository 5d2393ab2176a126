"""The two ways to run a model's network: ONNX Runtime (served), and Keras (for whoever brings a ``.keras`` file).

Same network, same input, same outputs; a test ties them on real photos.
"""

from __future__ import annotations

import os
from pathlib import Path
from typing import NamedTuple, Protocol

import numpy as np
import numpy.typing as npt

from catsdogs.errors import ModelError
from catsdogs.images import Pixels

Floats = npt.NDArray[np.float32]

OUTPUTS = ("activation", "neither_score", "proba_dog")
"""Names of the network's outputs."""


class Outputs(NamedTuple):
    """What the network says of n photos."""

    activation: Floats
    """Class-activation map (Zhou et al. 2016, https://arxiv.org/abs/1512.04150), shape (n, rows, columns):
    how much each place speaks for a dog (positive) or a cat (negative); its mean is the logit."""
    neither_score: Floats
    """0..1, shape (n,); from 0.5 on the answer is "neither"."""
    proba_dog: Floats
    """0..1, shape (n,)."""


class Network(Protocol):
    """A loaded network; threads may share one."""

    def __call__(self, pixels: Pixels) -> Outputs:
        """Look at photos: RGB, uint8, shape (n, side, side, 3)."""


class OnnxNetwork:
    """Run by ONNX Runtime, on all cores.

    Raises
    ------
    ModelError
        The file is not a network of ours.
    """

    def __init__(self, path: Path) -> None:
        # else it gives this machine an identifier, in ~/.cache, and tells Microsoft of each model that is loaded
        os.environ["ORT_DISABLE_TELEMETRY"] = "1"
        import onnxruntime

        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else 0
        # threads that spin while they wait make a photo a quarter faster on idle cores, and two to three
        # times slower where kernels and database want the cores too
        options.add_session_config_entry("session.intra_op.allow_spinning", "0")
        options.log_severity_level = 3
        try:
            self._session = onnxruntime.InferenceSession(str(path), options, providers=["CPUExecutionProvider"])
            self._input = self._session.get_inputs()[0].name
            missing = set(OUTPUTS) - {output.name for output in self._session.get_outputs()}
        except Exception as error:  # ONNX Runtime's exceptions have no common base
            raise ModelError("The model file {path} cannot be loaded.", path=path) from error
        if missing:
            raise ModelError("The model file {path} lacks the output {name}.", path=path, name=min(missing))

    def __call__(self, pixels: Pixels) -> Outputs:
        """See :class:`Network`."""
        try:
            return Outputs(*self._session.run(OUTPUTS, {self._input: pixels.astype(np.float32)}))
        except Exception as error:  # as above
            raise ModelError("The model failed on a photo.") from error


class KerasNetwork:
    """Run by Keras on TensorFlow: 17 times slower a photo, and seven times the memory.

    Raises
    ------
    ModelError
        Keras is not installed, or the file is not a network of ours.
    """

    def __init__(self, path: Path) -> None:
        os.environ.setdefault("KERAS_BACKEND", "tensorflow")
        os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
        # Before TensorFlow, whose BoringSSL would else answer for libpq's OpenSSL: TLS to PostgreSQL would hang.
        import psycopg2  # noqa: F401

        try:
            import keras
        except ImportError as error:
            raise ModelError(
                "MODEL_RUNTIME=keras needs Keras and TensorFlow. Run: pip install 'catsdogs[train]'"
            ) from error
        try:
            self._model = keras.models.load_model(path, compile=False, safe_mode=True)
        except Exception as error:  # Keras raises anything
            raise ModelError("The model file {path} cannot be loaded.", path=path) from error
        if not isinstance(self._model.output, dict) or set(self._model.output) != set(OUTPUTS):
            raise ModelError("The model file {path} is not one of catsdogs.", path=path)

    def __call__(self, pixels: Pixels) -> Outputs:
        """See :class:`Network`."""
        try:
            outputs = self._model(pixels.astype(np.float32), training=False)
        except Exception as error:  # as above
            raise ModelError("The model failed on a photo.") from error
        return Outputs(*(np.asarray(outputs[name]) for name in OUTPUTS))
