"""One photo, from bytes to answer: the served network and Keras on the same graph, our decoding and Pillow's.

Each ratio is printed with its target. Both parts of a comparison are measured alternately, under the same load.
"""

from __future__ import annotations

import io
import math
import os
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image, ImageOps

from catsdogs.model.card import SHIPPED
from catsdogs.model.classifier import Classifier
from tests.benchmarks._measuring import Row

REPEATS = 30
PAUSE = 0.1  # seconds
FIRST_RUNS = 3
FILES = 16
"""Number of photos in the folder."""
MATRIX = 1024
"""Side of the matrices that measure how fast the machine multiplies."""

FRESH = """
import sys, time
photo = sys.stdin.buffer.read()
begun = time.perf_counter()
from pathlib import Path
from catsdogs.model.classifier import Classifier
Classifier.open(Path(sys.argv[1]), sys.argv[2]).classify(photo)
seconds = time.perf_counter() - begun
import psutil
print(seconds, psutil.Process().memory_info().rss / 2**20)
"""


def measure(*, tiny: bool = False) -> list[Row]:
    repeats = 1 if tiny else REPEATS
    classifier = Classifier.open(SHIPPED)
    small, large = photo(500, 375), photo(4000, 3000)
    pixels = classifier.preprocess(small).pixels[np.newaxis]

    with tempfile.TemporaryDirectory(prefix="catsdogs-bench-") as folder:
        files = [Path(folder) / f"{number}.jpg" for number in range(FILES)]
        for file in files:
            file.write_bytes(small)
        together, one_by_one = milliseconds(
            lambda: list(classifier.classify_files(files)),
            lambda: [classifier.classify(file.read_bytes()) for file in files],
            repeats=repeats,
        )
    whole, plain = milliseconds(
        lambda: classifier.classify(large),
        lambda: (full_decode(large, pixels.shape[1]), classifier.forward(pixels)),
        repeats=repeats,
    )

    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
    import keras  # only now: its threads would slow down the measurements before

    model = keras.models.load_model(SHIPPED / "model.keras", compile=False)
    floats = pixels.astype(np.float32)
    matrix = np.random.default_rng(0).random((MATRIX, MATRIX), np.float32)
    ours, theirs, product = milliseconds(
        lambda: classifier.forward(pixels),
        lambda: model.predict(floats, verbose=0),
        lambda: matrix @ matrix,
        repeats=repeats,
    )
    rate, possible = multiplications(model) / ours, MATRIX**3 / product  # a millisecond
    (onnx_seconds, onnx_memory), (keras_seconds, keras_memory) = (
        fresh_process(runtime, small) for runtime in ("onnx", "onnx" if tiny else "keras")
    )
    return [
        Row("12-megapixel JPEG, bytes to answer", f"{whole:.1f} ms", f"{whole / plain:.2f} of the next (aim: 0.33)"),
        Row("the same with a full Pillow decode", f"{plain:.1f} ms"),
        Row(
            "network, one photo, ONNX Runtime", f"{ours:.1f} ms", f"{theirs / ours:.1f} x as fast as the next (aim: 15)"
        ),
        Row("network, one photo, Keras model.predict", f"{theirs:.1f} ms"),
        Row(
            "multiplications in the network",
            f"{rate / 1e6:.1f} G/s",
            f"{rate / possible:.0%} of the next (aim: 50%)",
        ),
        Row("in a product of matrices (sgemm)", f"{possible / 1e6:.1f} G/s"),
        Row(
            "memory after predicting, ONNX Runtime",
            f"{onnx_memory:.0f} MiB",
            f"{onnx_memory / keras_memory:.2f} of the next (aim: 0.20)",
        ),
        Row("memory after predicting, Keras", f"{keras_memory:.0f} MiB"),
        Row(
            "import to first answer, ONNX Runtime",
            f"{onnx_seconds:.2f} s",
            f"{onnx_seconds / keras_seconds:.2f} of the next (aim: 1 s)",
        ),
        Row("import to first answer, Keras", f"{keras_seconds:.2f} s"),
        Row(
            "photos of a folder",
            f"{1000 * FILES / together:.0f} /s",
            f"{one_by_one / together:.2f} x as fast as the next",
        ),
        Row("the same, one by one", f"{1000 * FILES / one_by_one:.0f} /s"),
    ]


def photo(width: int, height: int) -> bytes:
    """A JPEG with as much detail as a photo has."""
    import skimage.data

    stream = io.BytesIO()
    Image.fromarray(skimage.data.chelsea()).resize((width, height)).save(stream, "JPEG", quality=90)
    return stream.getvalue()


def full_decode(data: bytes, side: int) -> Image.Image:
    """Decode with Pillow at full size, orient, convert, crop and scale."""
    image = ImageOps.exif_transpose(Image.open(io.BytesIO(data))).convert("RGB")
    return ImageOps.fit(image, (side, side), Image.Resampling.BICUBIC)


def milliseconds(*works: Callable[[], object], repeats: int) -> list[float]:
    """Return the median time of each, measured alternately after a warm-up.

    Before each measurement, there is a pause, in which threads of the one before stop spinning, and some runs that are
    not counted, because a processor is slow after a pause.
    """
    times: list[list[float]] = [[] for _ in works]
    for turn in range(-min(3, repeats), repeats):
        for work, taken in zip(works, times, strict=True):
            time.sleep(PAUSE)
            for _ in range(FIRST_RUNS):
                work()
            started = time.perf_counter()
            work()
            if turn >= 0:
                taken.append(1000 * (time.perf_counter() - started))
    return [statistics.median(taken) for taken in times]


def multiplications(model: Any) -> int:
    """Count the multiplications for one photo: the kernel of each layer, at each position of its output."""
    return sum(
        math.prod(layer.kernel.shape) * math.prod(layer.output.shape[1:-1])
        for layer in (*model.layers, *model.get_layer("fitted").layers)
        if hasattr(layer, "kernel")
    )


def fresh_process(runtime: str, data: bytes) -> tuple[float, float]:
    """Return seconds from the import to the first answer, and resident memory then in MiB, in a new process."""
    command = [sys.executable, "-c", FRESH, str(SHIPPED), runtime]
    seconds, memory = subprocess.run(command, input=data, check=True, stdout=subprocess.PIPE).stdout.split()[-2:]
    return float(seconds), float(memory)
