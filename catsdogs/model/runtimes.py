"""The two ways to run a model's network: ONNX Runtime (served), and Keras (for whoever brings a ``.keras`` file).

Same network, same input, same outputs; a test ties them on real photos.
"""

from __future__ import annotations

import os
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple, Protocol

import numpy as np
import numpy.typing as npt

from catsdogs.errors import ModelError
from catsdogs.model.preprocessing import Pixels

if TYPE_CHECKING:
    from onnxruntime import InferenceSession

Floats = npt.NDArray[np.float32]

OUTPUTS = ("activation", "neither_score", "proba_dog")
"""Names of the network's outputs."""

_LATELY = 0.25
"""Seconds for which photos that came together make more of them expected: between looks, each is decoded and stored."""


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


def open_session(network: str | bytes, threads: int) -> InferenceSession:
    """Open a network, a file's path or its content, to run on so many cores; 0 for all.

    Raises
    ------
    Exception
        It is damaged; ONNX Runtime's exceptions have no common base.
    """
    # else it gives this machine an identifier, in ~/.cache, and tells Microsoft of each model that is loaded
    os.environ["ORT_DISABLE_TELEMETRY"] = "1"
    import onnxruntime

    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = threads
    # threads that spin while they wait make a photo a quarter faster; they must not go on when it is done, or what
    # else wants the cores, kernels and database, takes two to three times as long
    options.add_session_config_entry("session.force_spinning_stop", "1")
    options.log_severity_level = 3
    return onnxruntime.InferenceSession(network, options, providers=["CPUExecutionProvider"])


class OnnxNetwork:
    """Run by ONNX Runtime: photos that come alone on all cores, photos that come together on one core each.

    Threads that share a photo wait for each other. Alone, it is there in three fifths of the time so; together, two
    cores look at a fifth more photos where each has its own.

    Raises
    ------
    ModelError
        The file is not a network of ours.
    """

    def __init__(self, path: Path) -> None:
        self._path = path
        self._on_all_cores = self._load(len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else 0)
        self._on_one_core: InferenceSession | None = None
        self._lock = threading.Lock()
        self._running = 0
        self._together_until = 0.0

    def _load(self, threads: int) -> InferenceSession:
        try:
            session = open_session(str(self._path), threads)
            missing = set(OUTPUTS) - {output.name for output in session.get_outputs()}
        except Exception as error:
            raise ModelError("The model file {path} cannot be loaded.", path=self._path) from error
        if missing:
            raise ModelError("The model file {path} lacks the output {name}.", path=self._path, name=min(missing))
        return session

    def __call__(self, pixels: Pixels) -> Outputs:
        """See :class:`Network`."""
        with self._session() as session:
            try:
                name = session.get_inputs()[0].name
                return Outputs(*session.run(OUTPUTS, {name: pixels.astype(np.float32)}))
            except Exception as error:  # as above
                raise ModelError("The model failed on a photo.") from error

    @contextmanager
    def _session(self) -> Iterator[InferenceSession]:
        """Choose how to run."""
        with self._lock:
            now = time.monotonic()
            if self._running:
                self._together_until = now + _LATELY
            session = self._for_one_core() if now < self._together_until else self._on_all_cores
            self._running += 1
        try:
            yield session
        finally:
            with self._lock:
                self._running -= 1

    def _for_one_core(self) -> InferenceSession:
        """Give what photos together need; it takes memory, and is loaded when there are some."""
        if self._on_one_core is None:
            try:
                self._on_one_core = self._load(1)
            except ModelError:  # the file is gone since: what is loaded serves on
                self._on_one_core = self._on_all_cores
        return self._on_one_core


class KerasNetwork:
    """Run by Keras on TensorFlow: many times slower a photo, and nine times the memory.

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
