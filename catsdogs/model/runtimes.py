"""The two runtimes of a network: ONNX Runtime, which serves, and Keras, for ``.keras`` files.

Network, input and outputs are the same; a test compares the runtimes on real photos.
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
from catsdogs.extras import install_command
from catsdogs.model.cores import usable_cores
from catsdogs.model.preprocessing import Pixels

if TYPE_CHECKING:
    from onnxruntime import InferenceSession

Floats = npt.NDArray[np.float32]

OUTPUTS = ("activation", "neither_score", "proba_dog")
"""Names of the network's outputs."""

_CONCURRENT_SECONDS = 0.25
"""Seconds after concurrent requests in which further ones are expected: between two forward passes, photos are decoded
and predictions stored."""


class Outputs(NamedTuple):
    """Outputs of the network for n photos."""

    activation: Floats
    """Class-activation map (Zhou et al. 2016, https://arxiv.org/abs/1512.04150), shape (n, rows, columns):
    evidence for a dog (positive) or a cat (negative) at each position; its mean is the logit of a dog."""
    neither_score: Floats
    """Out-of-distribution score, 0..1, shape (n,); from 0.5 on the answer is "neither"."""
    proba_dog: Floats
    """Probability of a dog, 0..1, shape (n,)."""


class Network(Protocol):
    """A loaded network; threads may share one."""

    def __call__(self, pixels: Pixels) -> Outputs:
        """Compute the forward pass for RGB photos, uint8, shape (n, side, side, 3).

        Raises
        ------
        ModelError
            The runtime fails.
        """


def open_session(network: str | bytes, threads: int) -> InferenceSession:
    """Open a network in ONNX Runtime.

    Parameters
    ----------
    network
        Path or content of an ONNX file.
    threads
        Number of threads for one forward pass; 0 for one on each core.

    Raises
    ------
    Exception
        The network is damaged; ONNX Runtime's exceptions have no common base class.
    """
    # with telemetry, ONNX Runtime writes an identifier of this machine to ~/.cache, and reports each loaded model
    os.environ["ORT_DISABLE_TELEMETRY"] = "1"
    import onnxruntime

    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = threads
    # threads that spin while they wait make a forward pass a quarter faster; if they went on spinning after it, kernels
    # and database would take two to three times as long
    options.add_session_config_entry("session.force_spinning_stop", "1")
    options.log_severity_level = 3
    return onnxruntime.InferenceSession(network, options, providers=["CPUExecutionProvider"])


class OnnxNetwork:
    """A network in ONNX Runtime: a single request runs on all cores, concurrent requests run on one core each.

    On two cores, a single request takes three fifths of its time on one core. With concurrent requests, threads that
    share a photo wait for each other: one core for each request answers a fifth more photos.

    Raises
    ------
    ModelError
        The file is damaged, or not a network of catsdogs.
    """

    def __init__(self, path: Path) -> None:
        self._path = path
        self._on_all_cores = self._load(usable_cores())
        self._on_one_core: InferenceSession | None = None
        self._lock = threading.Lock()
        self._running = 0
        self._concurrent_until = 0.0

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
        """Choose the session for a request: on all cores, or, beside concurrent ones, on one."""
        with self._lock:
            now = time.monotonic()
            if self._running:
                self._concurrent_until = now + _CONCURRENT_SECONDS
            session = self._one_core_session() if now < self._concurrent_until else self._on_all_cores
            self._running += 1
        try:
            yield session
        finally:
            with self._lock:
                self._running -= 1

    def _one_core_session(self) -> InferenceSession:
        """Return the session for concurrent requests; it takes memory, and is loaded with the first of them."""
        if self._on_one_core is None:
            try:
                self._on_one_core = self._load(1)
            except ModelError:  # the file was deleted in the meantime
                self._on_one_core = self._on_all_cores
        return self._on_one_core


class KerasNetwork:
    """A network in Keras on TensorFlow: many times slower than ONNX Runtime, with nine times its memory.

    Raises
    ------
    ModelError
        Keras is not installed, or the file is damaged or not a network of catsdogs.
    """

    def __init__(self, path: Path) -> None:
        os.environ.setdefault("KERAS_BACKEND", "tensorflow")
        os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
        # Imported before TensorFlow: else libpq would call TensorFlow's BoringSSL instead of its own OpenSSL, and TLS
        # connections to PostgreSQL would hang.
        import psycopg2  # noqa: F401

        try:
            import keras
        except ImportError as error:
            raise ModelError(
                "MODEL_RUNTIME=keras needs Keras and TensorFlow. Run: {command}", command=install_command("train")
            ) from error
        try:
            self._model = keras.models.load_model(path, compile=False, safe_mode=True)
        except Exception as error:  # Keras raises exceptions of any class
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
