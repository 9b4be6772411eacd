"""What a predictor starts its training from: VGG19's kernels, even numbers, the known styles."""

from __future__ import annotations

from collections.abc import Sequence

import keras
import numpy as np
from keras import ops

from arbitrary_nst.networks.predictor.network import OFFSET, SCALE, TRUNK
from arbitrary_nst.networks.vgg import MEAN_BGR


def start_trunk(predictor: keras.Model, vgg: keras.Model, paintings: Sequence[np.ndarray]) -> None:
    """Gives the trunk the kernels of VGG19, scaled so that all its features are of size one.

    With ReLU, features of any size lead to the same ones times a number. A trunk of other widths,
    as small networks in tests have it, stays random.

    Args:
        predictor: as `build_predictor` makes it.
        vgg: as `build_vgg19` makes it, to `relu3_1` or deeper.
        paintings: float32 (H, W, 3), RGB in `[0, 1]`, of which mean features are taken.
    """
    theirs, ours = ([m.get_layer(name) for name in TRUNK] for m in (vgg, predictor))
    if any(a.kernel.shape != b.kernel.shape for a, b in zip(theirs, ours, strict=True)):
        return
    features = keras.Model(vgg.input, [layer.output for layer in theirs])
    sizes = np.mean(
        [
            [float(ops.mean(ops.cast(feature, "float32"))) for feature in features(painting[None])]
            for painting in paintings
        ],
        axis=0,
    )
    before = 1.0
    for layer, own, size in zip(theirs, ours, sizes, strict=True):
        kernel, bias = layer.get_weights()
        if layer is theirs[0]:  # from RGB as we scale it; VGG sees BGR 0..255 less a mean
            kernel = kernel[:, :, ::-1]
            zero = -255.0 * OFFSET / SCALE - np.array(MEAN_BGR[::-1])  # what VGG sees for our 0
            bias = bias + np.einsum("hwio,i->o", kernel, zero)
            kernel = kernel * 255.0 / SCALE
        own.kernel.assign(kernel * before / size / own.RATE)
        own.bias.assign(bias / size / own.RATE)
        before = size


def standardize(predictor: keras.Model, paintings: Sequence[np.ndarray]) -> None:
    """Sets what brings the pooled numbers to mean 0 and deviation 1 over some paintings.

    Args:
        predictor: as `build_predictor` makes it.
        paintings: float32 (H, W, 3), RGB in `[0, 1]`; some dozens.
    """
    pooled = keras.Model(predictor.input, predictor.get_layer("root").output)
    rows = [ops.convert_to_numpy(pooled(painting[None]))[0] for painting in paintings]
    mean, deviation = np.mean(rows, axis=0), np.std(rows, axis=0)
    # What hardly varies is noise that should not be blown up.
    scale = 1.0 / (deviation + 0.02 * np.abs(mean) + 1e-3)
    predictor.get_layer("standard").set_weights([scale, -mean * scale])


def start_at(predictor: keras.Model, vectors: np.ndarray) -> None:
    """Makes the predictor's first vectors those that the network knows, more or less.

    Every painting starts as the mean of `vectors`, and the bottleneck's first numbers move it
    along the directions in which these differ.

    Args:
        predictor: as `build_predictor` makes it.
        vectors: float32 (num_styles, 2 * style_size), gamma - 1 and beta of trained styles.
    """
    layer = predictor.get_layer("vector")
    mean = vectors.mean(axis=0)
    _, sizes, directions = np.linalg.svd(vectors - mean, full_matrices=False)
    kernel = layer.rate * layer.get_weights()[0]
    count = min(len(sizes) - 1, len(kernel))
    if count > 0:
        spread = sizes[:count, None] / np.sqrt(len(vectors))
        kernel[:count] = spread * directions[:count] / np.sqrt(count)
    layer.set_weights([kernel / layer.rate, mean / layer.rate])
