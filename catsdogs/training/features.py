"""What the frozen backbone sees in each photo, computed once."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import keras
import numpy as np
import numpy.typing as npt
import tensorflow as tf

from catsdogs import images
from catsdogs.errors import InvalidImage
from catsdogs.images import Pixels

_BATCH = 32


def extract(
    paths: Sequence[Path], backbone: keras.Model, advance: Callable[[int], object]
) -> tuple[npt.NDArray[np.float32], dict[int, str]]:
    """Average the backbone's last feature map over each photo, and over its mirror image.

    Parameters
    ----------
    paths
        n photos.
    backbone
        From :func:`catsdogs.training.backbone.build_backbone`.
    advance
        Called with the number of photos done since the last call.

    Returns
    -------
    features : ndarray
        Shape (2, n, channels), the mirror images second; a photo that cannot be read has rows of NaN.
    unreadable : dict of int to str
        Why, by position in `paths`.
    """
    side = int(backbone.input_shape[1])
    pooled = keras.Model(backbone.input, keras.layers.GlobalAveragePooling2D()(backbone.output))
    network = tf.function(lambda pixels: pooled(pixels, training=False), reduce_retracing=True)
    features = np.full((2, len(paths), pooled.output_shape[-1]), np.nan, np.float32)
    unreadable: dict[int, str] = {}

    def prepare(path: Path) -> Pixels | str:
        try:
            return images.centre_square(images.decode(images.read_file(path), side), side)
        except InvalidImage as error:
            return str(error)

    with ThreadPoolExecutor() as pool:
        for start in range(0, len(paths), _BATCH):
            prepared = list(pool.map(prepare, paths[start : start + _BATCH]))
            readable = {start + place: one for place, one in enumerate(prepared) if not isinstance(one, str)}
            unreadable.update({start + place: one for place, one in enumerate(prepared) if isinstance(one, str)})
            if readable:
                batch = tf.constant(np.stack(list(readable.values())), tf.float32)
                features[0, list(readable)] = network(batch).numpy()
                features[1, list(readable)] = network(batch[:, :, ::-1]).numpy()
            advance(len(prepared))
    return features, unreadable
