"""What the frozen backbone sees in each photo, computed once."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import keras
import numpy as np
import numpy.typing as npt
import tensorflow as tf

from catsdogs import images
from catsdogs.images import Pixels
from catsdogs.training.cache import FeatureCache
from catsdogs.training.dataset import Dataset
from catsdogs.training.weights import SOURCE

CODE = 2
"""Of what makes features from photos, here and in the backbone: raise it when they change."""

_BATCH = 32


def open_cache(processed: Path, backbone: keras.Model) -> FeatureCache:
    """Open the cache of what this backbone, at its input size, makes of photos."""
    name = f"{backbone.name}-{SOURCE.split()[1]}-{backbone.input_shape[1]}px-code{CODE}"
    return FeatureCache(processed / "features" / name, (2, sum(shape[-1] for shape in backbone.output_shape)))


def extract(
    dataset: Dataset, backbone: keras.Model, cache: FeatureCache, advance: Callable[[int], object]
) -> npt.NDArray[np.float32]:
    """Average the backbone's feature maps over each photo, and over its mirror image.

    Parameters
    ----------
    dataset
        n photos.
    backbone
        From :func:`catsdogs.training.backbone.build_backbone`.
    cache
        From :func:`open_cache`: what it holds is not computed again. Nothing of people's photos goes there:
        it would outlive an erasure.
    advance
        Called with the number of photos done since the last call.

    Returns
    -------
    ndarray
        Shape (2, n, 2432), the mirror images second: the last map's 1280 channels, then those of the depthwise layer.

    Raises
    ------
    InvalidImage
        A photo was changed since it was checked.
    ModelError
        The cache cannot be written.
    """
    side = int(backbone.input_shape[1])
    means = [keras.layers.GlobalAveragePooling2D()(output) for output in backbone.outputs]
    pooled = keras.Model(backbone.input, keras.layers.Concatenate()(means))
    network = tf.function(lambda pixels: pooled(pixels, training=False), reduce_retracing=True)
    features = np.empty((2, len(dataset.paths), pooled.output_shape[-1]), np.float32)
    missing = []
    in_files = dataset.in_files
    for place, digest in enumerate(dataset.digests):
        known = cache.get(digest) if in_files[place] else None
        if known is None:
            missing.append(place)
        else:
            features[:, place] = known
    advance(len(dataset.paths) - len(missing))

    def prepare(place: int) -> Pixels:
        return images.centre_square(images.decode(dataset.feedback.read(dataset.paths[place]), side), side)

    with ThreadPoolExecutor() as pool:
        for start in range(0, len(missing), _BATCH):
            places = missing[start : start + _BATCH]
            batch = tf.constant(np.stack(list(pool.map(prepare, places))), tf.float32)
            features[0, places] = network(batch).numpy()
            features[1, places] = network(batch[:, :, ::-1]).numpy()
            for place in places:
                if in_files[place]:
                    cache.put(dataset.digests[place], features[:, place])
            advance(len(places))
    return features
