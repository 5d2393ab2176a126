"""What the frozen backbone sees in each photo, computed once."""

from __future__ import annotations

import os
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
import numpy.typing as npt

from catsdogs.model import preprocessing
from catsdogs.model.preprocessing import Pixels
from catsdogs.model.runtimes import open_session
from catsdogs.training.backbone import MAPS
from catsdogs.training.dataset import Dataset
from catsdogs.training.feature_cache import FeatureCache
from catsdogs.training.onnx_graph import INPUT, build_onnx
from catsdogs.training.quantization import FixedPoint

CODE = 3
"""Of what makes features from photos, here and in the backbone: raise it when they change."""

_BATCH = 32


def open_cache(processed: Path, backbone: FixedPoint, side: int) -> FeatureCache:
    """Open the cache of what this backbone makes of photos, scaled to `side` x `side` pixels."""
    name = f"efficientnet_lite0-{backbone.fingerprint[:16]}-{side}px-code{CODE}"
    return FeatureCache(processed / "features" / name, (2, sum(MAPS.values())))


def extract(
    dataset: Dataset, backbone: FixedPoint, side: int, cache: FeatureCache, advance: Callable[[int], object]
) -> npt.NDArray[np.float32]:
    """Average the backbone's feature maps over each photo, and over its mirror image.

    Parameters
    ----------
    dataset
        n photos.
    backbone
        From :func:`catsdogs.training.quantization.to_fixed_point`.
    side
        Of the network's input in pixels, a multiple of 32.
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
    session = open_session(build_onnx(backbone, side).SerializeToString(), threads=1)
    features = np.empty((2, len(dataset.paths), sum(MAPS.values())), np.float32)
    missing = []
    in_files = dataset.in_files
    for place, digest in enumerate(dataset.digests):
        known = cache.get(digest) if in_files[place] else None
        if known is None:
            missing.append(place)
        else:
            features[:, place] = known
    advance(len(dataset.paths) - len(missing))

    def look(place: int) -> npt.NDArray[np.float32]:
        photo = prepare(dataset, place, side)
        both = np.stack([photo, photo[:, ::-1]]).astype(np.float32)
        maps = session.run(list(MAPS), {INPUT: both})
        return np.concatenate([map_.mean(axis=(1, 2)) for map_ in maps], axis=1)

    with ThreadPoolExecutor(os.cpu_count()) as pool:
        for start in range(0, len(missing), _BATCH):  # who stops the training waits for no more than that
            places = missing[start : start + _BATCH]
            for place, seen in zip(places, pool.map(look, places), strict=True):
                features[:, place] = seen
                if in_files[place]:
                    cache.put(dataset.digests[place], seen)
            advance(len(places))
    return features


def prepare(dataset: Dataset, place: int, side: int) -> Pixels:
    """Read a photo as the network sees it."""
    return preprocessing.centre_square(preprocessing.decode(dataset.feedback.read(dataset.paths[place]), side), side)
