"""One photo, from bytes to answer: the served network beside Keras on the same graph, and decoding beside Pillow's."""

from __future__ import annotations

import io
import os
import statistics
import subprocess
import sys
import time
from collections.abc import Callable

import numpy as np
from PIL import Image, ImageOps

from catsdogs.classifier import Classifier
from catsdogs.model_version import SHIPPED

REPEATS = 30

SUBPROCESS = """
import sys, time
from pathlib import Path
from catsdogs.classifier import Classifier
import psutil, skimage.data, io
from PIL import Image
stream = io.BytesIO(); Image.fromarray(skimage.data.chelsea()).save(stream, "JPEG")
prepared = time.perf_counter()
Classifier.open(Path(sys.argv[1]), sys.argv[2]).classify(stream.getvalue())
print(time.perf_counter() - prepared, psutil.Process().memory_info().rss / 2**20)
"""


def measure() -> list[tuple[str, str, str]]:
    """Rows (what, value, ratio) for ``make bench``."""
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
    import keras

    classifier = Classifier.open(SHIPPED)
    model = keras.models.load_model(SHIPPED / "model.keras", compile=False)
    small, large = photo(500, 375), photo(4000, 3000)
    pixels = classifier.prepare(small).pixels[np.newaxis].astype(np.float32)

    ours = milliseconds(lambda: classifier._network(pixels))
    theirs = milliseconds(lambda: model.predict(pixels, verbose=0))
    whole = milliseconds(lambda: classifier.classify(large))
    plain = milliseconds(lambda: (full_decode(large, pixels.shape[1]), classifier._network(pixels)))
    (onnx_seconds, onnx_memory), (keras_seconds, keras_memory) = fresh_process("onnx"), fresh_process("keras")
    return [
        ("network, one photo, ONNX Runtime", f"{ours:.1f} ms", ""),
        ("network, one photo, Keras model.predict", f"{theirs:.1f} ms", f"{theirs / ours:.1f} x ours"),
        ("12-megapixel JPEG, bytes to answer", f"{whole:.1f} ms", ""),
        ("the same with a full Pillow decode", f"{plain:.1f} ms", f"{plain / whole:.1f} x ours"),
        ("load and first answer, ONNX Runtime", f"{onnx_seconds:.2f} s", ""),
        ("load and first answer, Keras", f"{keras_seconds:.2f} s", f"{keras_seconds / onnx_seconds:.1f} x ours"),
        ("memory after predicting, ONNX Runtime", f"{onnx_memory:.0f} MiB", ""),
        ("memory after predicting, Keras", f"{keras_memory:.0f} MiB", f"{keras_memory / onnx_memory:.1f} x ours"),
    ]


def photo(width: int, height: int) -> bytes:
    """A JPEG with as much detail as a photo has."""
    import skimage.data

    stream = io.BytesIO()
    Image.fromarray(skimage.data.chelsea()).resize((width, height)).save(stream, "JPEG", quality=90)
    return stream.getvalue()


def full_decode(data: bytes, side: int) -> Image.Image:
    """What one writes first."""
    image = ImageOps.exif_transpose(Image.open(io.BytesIO(data))).convert("RGB")
    return ImageOps.fit(image, (side, side), Image.Resampling.BICUBIC)


def milliseconds(call: Callable[[], object]) -> float:
    """Median time of a call, after warming up."""
    for _ in range(3):
        call()
    times = []
    for _ in range(REPEATS):
        started = time.perf_counter()
        call()
        times.append(1000 * (time.perf_counter() - started))
    return statistics.median(times)


def fresh_process(runtime: str) -> tuple[float, float]:
    """Seconds from importing to the first answer, and resident memory after it in MiB, in a process of its own."""
    command = [sys.executable, "-c", SUBPROCESS, str(SHIPPED), runtime]
    seconds, memory = subprocess.run(command, check=True, capture_output=True, text=True).stdout.split()[-2:]
    return float(seconds), float(memory)
