"""What a picture and a painting are compared by: the numbers behind the style losses."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import zip_longest

import keras
import numpy as np
from keras import ops

from arbitrary_nst.networks.detail import detail_mask
from arbitrary_nst.networks.vgg import (
    CONTENT_LAYER,
    STYLE_LAYERS,
    autocorrelation,
    gram_matrices_by_detail,
    gram_matrix,
    tone,
)

DRAWING_LAYERS = ("relu3_1", CONTENT_LAYER)
LOSS_LAYERS = (*STYLE_LAYERS, CONTENT_LAYER)
# The largest shift of the autocorrelations, in pixels of the layer: 28 pixels of the picture.
# Lattices of 8 to 16 pixels were seen.
REACHES = {"relu3_1": 7}
# Channels that autocorrelations are taken of, mixed from all channels of a layer by fixed random
# numbers: a lattice shows in any mixture.
MIXED_CHANNELS = 24
NUM_GRAMS, NUM_WHOLE = len(STYLE_LAYERS), len(STYLE_LAYERS) + len(REACHES) + 1


def to_array(values) -> np.ndarray:
    """A tensor or a variable as NumPy array."""
    if isinstance(values, keras.Variable):
        return np.asarray(values)  # with `convert_to_numpy` NumPy 2 complains on TensorFlow
    return ops.convert_to_numpy(values)


def style_statistics(image, features: Sequence, detail=None) -> list:
    """Everything about a picture that its style is judged by.

    Args:
        image: (B, H, W, 3), RGB in `[0, 1]`.
        features: of it, of the style layers.
        detail: (B, H, W, 1), where the photo is detailed (1) and flat (0), or None.

    Returns:
        Arrays (B, ...): Gram matrices of the style layers, (B, C, C); for each layer of `REACHES`
        its autocorrelation; the tone, see `networks.vgg.tone`; and with `detail` the Gram
        matrices of the detailed part, then those of the flat part.
    """
    features = list(features)[:NUM_GRAMS]
    parts: list = []
    if detail is None:
        grams = [gram_matrix(f) for f in features]
    else:
        each = [gram_matrices_by_detail(f, detail) for f in features]
        detailed, flat, grams = ([matrices[i] for matrices in each] for i in range(3))
        parts = [*detailed, *flat]
    repeats = [
        autocorrelation(_mixed(features[STYLE_LAYERS.index(layer)]), reach)
        for layer, reach in REACHES.items()
    ]
    return [*grams, *repeats, tone(image), *parts]


def matched(statistics: Sequence, share: float) -> list:
    """`style_statistics` of paintings as targets: its parts moved towards the whole.

    Args:
        statistics: of paintings, with parts or without.
        share: of the parts' own Gram matrices in what a photo's parts are asked for, 0..1; the rest
            is the whole painting's.
    """
    whole, parts = list(statistics[:NUM_WHOLE]), statistics[NUM_WHOLE:]
    grams = [*whole[:NUM_GRAMS], *whole[:NUM_GRAMS]]
    # Without parts `zip` is cut short, and so is the list.
    return [
        *whole,
        *(gram + share * (part - gram) for gram, part in zip(grams, parts, strict=False)),
    ]


def painting_statistics(
    vgg: keras.Model, paintings: Sequence[np.ndarray], matched_parts: Sequence[float] = ()
) -> list[np.ndarray]:
    """The `style_statistics` of the paintings, each one array (num_styles, ...).

    With `matched_parts`, one share for each painting, they have parts, see `matched`.
    """
    per_style = []
    for painting, share in zip_longest(paintings, matched_parts):
        detail = None if share is None else detail_mask(painting)[None]
        statistics = style_statistics(painting[None], vgg(painting[None]), detail)
        statistics = matched(statistics, share or 0.0)
        per_style.append([to_array(values)[0] for values in statistics])
    return [np.stack(values) for values in zip(*per_style, strict=True)]


def _mixed(features):
    """The features' channels in `MIXED_CHANNELS` fixed mixtures, unless they are few."""
    channels = features.shape[-1]
    if channels <= MIXED_CHANNELS:
        return features
    normal = np.random.default_rng(0).standard_normal((channels, MIXED_CHANNELS))
    mixtures = np.linalg.qr(normal)[0].astype(np.float32)
    return ops.matmul(features, ops.cast(ops.convert_to_tensor(mixtures), features.dtype))
