"""Features of photos: the pooled outputs of the frozen backbone, computed once."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt

from catsdogs.model import preprocessing
from catsdogs.model.cores import usable_cores
from catsdogs.model.preprocessing import Pixels
from catsdogs.model.runtimes import open_session
from catsdogs.training.augmentation import changed_copy
from catsdogs.training.backbone import FEATURE_MAPS, feature_channels
from catsdogs.training.calibrations import Calibrations
from catsdogs.training.dataset import Dataset
from catsdogs.training.feature_cache import FeatureCache
from catsdogs.training.onnx_graph import INPUT, build_onnx
from catsdogs.training.quantization import QuantizedBackbone

if TYPE_CHECKING:
    from onnxruntime import InferenceSession

CODE_VERSION = 4
"""Version of the code that quantizes the backbone and computes features: raise it when either gives other figures."""

_BATCH = 32


def open_feature_cache(processed: Path, backbone: QuantizedBackbone, side: int) -> FeatureCache:
    """Open the cache of this backbone's features for photos scaled to `side` x `side` pixels."""
    name = f"efficientnet_lite-{backbone.fingerprint[:16]}-{side}px-code{CODE_VERSION}"
    return FeatureCache(processed / "features" / name, (sum(feature_channels(backbone.blocks).values()),))


def open_calibrations(processed: Path, architecture: str, side: int) -> Calibrations:
    """Open the quantized backbones of earlier trainings for photos scaled to `side` x `side` pixels."""
    return Calibrations(processed / "calibrations" / f"{architecture}-{side}px-code{CODE_VERSION}")


def extract_features(
    dataset: Dataset,
    backbone: QuantizedBackbone,
    side: int,
    cache: FeatureCache,
    advance: Callable[[int], object],
    *,
    of_copies: bool = False,
) -> npt.NDArray[np.float32]:
    """Compute the mean of the backbone's feature maps for each photo, or for each photo's changed copy.

    Parameters
    ----------
    dataset
        n photos.
    backbone
        From :func:`catsdogs.training.quantization.quantize`.
    side
        Side of the network's input in pixels, a multiple of 32.
    cache
        From :func:`open_feature_cache`: features in it are not computed again. Features of people's photos are not
        stored there, where they would outlive an erasure.
    advance
        Called with the number of photos done since the last call.
    of_copies
        Whether to compute the features of the changed copies, see :mod:`catsdogs.training.augmentation`.

    Returns
    -------
    ndarray
        Shape (n, channels): 1280 channels of the last layer, then those of the depthwise one.

    Raises
    ------
    InvalidImage
        A photo was changed since it was checked.
    ModelError
        The cache cannot be written.
    """
    features = np.empty((len(dataset.paths), sum(feature_channels(backbone.blocks).values())), np.float32)
    is_file = dataset.is_file
    keys = [f"{digest}-copy" if of_copies else digest for digest in dataset.digests]
    missing = _fill_from_cache(features, dataset, keys, cache)
    advance(len(dataset.paths) - len(missing))

    session = open_session(build_onnx(backbone, side).SerializeToString(), threads=1)
    compute = partial(_compute, session, dataset, side, of_copies=of_copies)
    with ThreadPoolExecutor(usable_cores()) as pool:
        for start in range(0, len(missing), _BATCH):  # Ctrl+C waits for the end of one batch
            batch = missing[start : start + _BATCH]
            for index, computed in zip(batch, pool.map(compute, batch), strict=True):
                features[index] = computed
                if is_file[index]:
                    cache.put(keys[index], computed)
            advance(len(batch))
    return features


def _fill_from_cache(
    features: npt.NDArray[np.float32], dataset: Dataset, keys: Sequence[str], cache: FeatureCache
) -> list[int]:
    """Copy the cached features of files; return the indices of the other photos."""
    missing = []
    for index, (key, is_file) in enumerate(zip(keys, dataset.is_file, strict=True)):
        known = cache.get(key) if is_file else None
        if known is None:
            missing.append(index)
        else:
            features[index] = known
    return missing


def _compute(
    session: InferenceSession, dataset: Dataset, side: int, index: int, *, of_copies: bool
) -> npt.NDArray[np.float32]:
    """Compute the features of a photo or of its copy, shape (channels,)."""
    pixels = read_input(dataset, index, side, of_copy=of_copies)
    maps = session.run(list(FEATURE_MAPS), {INPUT: pixels[np.newaxis].astype(np.float32)})
    return np.concatenate([map_.mean(axis=(1, 2))[0] for map_ in maps])


def read_input(dataset: Dataset, index: int, side: int, *, of_copy: bool = False) -> Pixels:
    """Read and preprocess a photo of the dataset, or its changed copy; shape (side, side, 3)."""
    photo = preprocessing.decode(dataset.feedback.read(dataset.paths[index]), side)
    return preprocessing.square(changed_copy(photo, dataset.digests[index]) if of_copy else photo, side)
