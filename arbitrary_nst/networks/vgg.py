"""VGG19 features and Gram matrices: the eyes of every loss in this package.

Reference:
    Simonyan, Zisserman 2014, "Very Deep Convolutional Networks for Large-Scale Image
    Recognition"; Gatys, Ecker, Bethge 2016, "Image Style Transfer Using Convolutional
    Neural Networks".
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import keras
import numpy as np
from keras import ops

from arbitrary_nst.common.text import said
from arbitrary_nst.errors import CheckpointError, InputError, WeightsUnavailable
from arbitrary_nst.networks.vgg_download import vgg19_file
from arbitrary_nst.networks.vgg_file import check_file
from arbitrary_nst.networks.weights_file import open_weights

# Filters and convolutions of the five blocks.
BLOCKS = ((64, 2), (128, 2), (256, 4), (512, 4), (512, 4))
STYLE_LAYERS = ("relu1_1", "relu2_1", "relu3_1", "relu4_1", "relu5_1")
CONTENT_LAYER = "relu4_2"
CHANNELS = "channels_last"  # said everywhere, since the user's keras.json may have it otherwise
# Grey, the three colours, their differences, and between: all of length 1.
TONE_DIRECTIONS = np.array(
    [
        *([1, 1, 1], [1, 0, 0], [0, 1, 0], [0, 0, 1], [1, -1, 0], [1, 0, -1], [0, 1, -1]),
        *([2, -1, -1], [-1, 2, -1], [-1, -1, 2]),
    ],
    np.float32,
)
TONE_DIRECTIONS /= np.linalg.norm(TONE_DIRECTIONS, axis=1, keepdims=True)
TONE_QUANTILES = 32
MEAN_BGR = (103.939, 116.779, 123.68)


class VggPreprocess(keras.layers.Layer):
    """RGB in `[0, 1]` to what VGG was trained on: BGR 0..255 less the ImageNet mean."""

    def call(self, x):
        x = ops.flip(ops.cast(x, "float32") * 255.0, axis=-1)
        return ops.cast(x - ops.convert_to_tensor(MEAN_BGR, dtype="float32"), self.compute_dtype)

    def compute_output_shape(self, shape):
        return shape


def build_vgg19(
    layers: Sequence[str],
    *,
    width: float = 1.0,
    pooling: str = "max",
    dtype: str = "float32",
    seed: int = 0,
) -> keras.Model:
    """VGG19 up to the deepest of `layers`, with random kernels.

    Args:
        layers: names such as "relu4_2", in the order in which features come back.
        width: share of the filters of each layer, for small networks in tests.
        pooling: "max" as trained, or "average" as Gatys et al. preferred.
        dtype: Keras dtype policy.
        seed: of the random kernels.

    Returns:
        A frozen model from RGB (B, H, W, 3) in `[0, 1]` to a list of features (B, h, w, C).

    Raises:
        InputError: no layers, one that VGG19 does not have, or an unknown pooling.
    """
    pools = {"max": keras.layers.MaxPooling2D, "average": keras.layers.AveragePooling2D}
    if pooling not in pools:
        raise InputError(f'`pooling` is "max" or "average". Received: pooling={pooling!r}.')
    plan = [(b, c) for b, (_, count) in enumerate(BLOCKS, 1) for c in range(1, count + 1)]
    known = [f"relu{block}_{index}" for block, index in plan]
    if not layers or not set(layers) <= set(known):
        raise InputError(
            f"`layers` needs at least one of VGG19's layers, {known[0]} to {known[-1]}. "
            f"Received: {list(layers)}."
        )
    deepest = max(known.index(layer) for layer in layers)
    image = keras.Input((None, None, 3), name="image", dtype="float32")
    x, features = VggPreprocess(name="preprocess", dtype=dtype)(image), {}
    for block, index in plan[: deepest + 1]:
        if index == 1 and block > 1:
            x = pools[pooling](2, name=f"block{block - 1}_pool", dtype=dtype, data_format=CHANNELS)(
                x
            )
        x = keras.layers.Conv2D(
            max(1, round(BLOCKS[block - 1][0] * width)),
            3,
            padding="same",
            activation="relu",
            kernel_initializer=keras.initializers.HeNormal(seed=seed + 10 * block + index),
            name=f"block{block}_conv{index}",
            dtype=dtype,
            data_format=CHANNELS,
        )(x)
        features[f"relu{block}_{index}"] = x
    model = keras.Model(image, [features[layer] for layer in layers], name="vgg19")
    model.trainable = False
    return model


def load_vgg19(
    layers: Sequence[str],
    *,
    weights: str = "imagenet",
    pooling: str = "max",
    dtype: str = "float32",
) -> keras.Model:
    """VGG19 with its ImageNet weights, frozen.

    Args:
        layers: see `build_vgg19`.
        weights: "imagenet" fetches them at first use (80 MB), see `vgg_download`, or the path
            of a file in Keras' own `.h5` layout without the classifier, or of a training pack's
            `.safetensors` file.
        pooling: see `build_vgg19`.
        dtype: see `build_vgg19`.

    Returns:
        A model as `build_vgg19` describes it.

    Raises:
        WeightsUnavailable: the download failed, or the file holds something else.
    """
    kernels = _packed_kernels(weights) if weights.endswith(".safetensors") else None
    if kernels is None:
        kernels = _keras_kernels(weights)
    model = build_vgg19(layers, pooling=pooling, dtype=dtype)
    for layer in model.layers:
        if isinstance(layer, keras.layers.Conv2D):
            try:
                layer.set_weights(kernels[layer.name])
            except (KeyError, ValueError) as error:
                raise WeightsUnavailable(
                    f"{weights} holds no weights of VGG19 for {layer.name}: {error}"
                ) from error
            if not all(np.isfinite(array).all() for array in kernels[layer.name]):
                raise WeightsUnavailable(
                    f"{weights} holds NaN or infinite values in the weights for {layer.name}."
                )
    return model


def _keras_kernels(weights: str) -> dict[str, list[np.ndarray]]:
    """Kernel and bias of every convolution, downloaded or from a file in Keras' .h5 layout."""
    file = str(vgg19_file()) if weights == "imagenet" else weights
    try:
        if Path(file).exists():
            check_file(file)
        reference = keras.applications.VGG19(include_top=False, weights=file)
    except Exception as error:  # whatever h5py and Keras raise
        raise WeightsUnavailable(
            f"{file} could not be read as VGG19 weights without classifier in Keras' .h5 "
            f"layout: {said(error)}"
        ) from error
    return {layer.name: layer.get_weights() for layer in reference.layers}


def _packed_kernels(path: str) -> dict[str, list[np.ndarray]]:
    """The same from a training pack: small numbers, and none that no loss looks at."""
    try:
        with open_weights(path, "a readable file of weights") as file:
            # Not by `read_arrays`: small numbers may be of any dtype.
            arrays = {
                name: file.get_tensor(name).astype(np.float32) for name in sorted(file.keys())
            }
            kernels = {}
            for name in [n.removesuffix(".kernel") for n in arrays if n.endswith(".kernel")]:
                kernel = arrays[f"{name}.kernel"] * arrays.get(f"{name}.scale", np.float32(1))
                kernels[name] = [kernel, arrays[f"{name}.bias"]]
            return kernels
    except CheckpointError as error:
        raise WeightsUnavailable(f"{path} could not be read as VGG19 weights: {error}") from error


def autocorrelation(features, reach: int):
    """How alike the features are to themselves some rows and columns further on, about their mean.

    What a Gram matrix cannot see: whether texture repeats. Without it a network may paint a
    lattice, whose peaks stand out here wherever they lie. The Gram matrices of shifted features
    of the first paper below know only the shifts that one names, and are, about nine tenths of
    them, the mean of the features; so this is the autocorrelation of the second, about the mean.

    Reference: Berger, Memisevic 2016, "Incorporating Long-Range Consistency in CNN-based Texture
    Generation"; Sendik, Cohen-Or 2017, "Deep Correlations for Texture Synthesis".

    Args:
        features: (B, H, W, C).
        reach: the largest shift in pixels, less than H and W.

    Returns:
        float32 (B, C, reach + 1, 2 * reach + 1): per pair of pixels, for shifts of 0 .. reach rows
        down and -reach .. reach columns across.
    """
    height, width = features.shape[1:3]
    values = ops.cast(features, "float32")
    values = ops.transpose(values - ops.mean(values, axis=(1, 2), keepdims=True), (0, 3, 1, 2))
    # Zeros around it, so that what is shifted out on one side does not come in on the other.
    values = ops.pad(values, ((0, 0), (0, 0), (0, reach), (0, reach)))
    real, imaginary = ops.fft2((values, ops.zeros_like(values)))
    power = ops.square(real) + ops.square(imaginary)
    products, _ = ops.ifft2((power, ops.zeros_like(power)))
    products = ops.concatenate(
        [products[:, :, : reach + 1, -reach:], products[:, :, : reach + 1, : reach + 1]], axis=3
    )
    rows = height - np.arange(reach + 1)
    columns = width - np.abs(np.arange(-reach, reach + 1))
    # As a tensor: PyTorch refuses to divide one that has a gradient by an array.
    return products / ops.convert_to_tensor(np.outer(rows, columns).astype(np.float32))


def gram_matrix(features):
    """Second moments of the channels, per pixel: (B, H, W, C) -> float32 (B, C, C).

    Dividing by H*W makes pictures of different sizes comparable. bfloat16 features are multiplied
    as they are (the processors that do so add up in float32 and round only the sum, which costs
    a thousandth of the loss and saves a third of a training step).
    """
    shape = ops.shape(features)
    flat = ops.reshape(features, (shape[0], -1, shape[3]))  # (B, H*W, C)
    return channel_products(flat)[:, 0] / ops.cast(shape[1] * shape[2], "float32")


def gram_matrices_by_detail(features, detail):
    """Gram matrices over the detailed and over the flat part of a picture, and over all of it.

    Args:
        features: (B, H, W, C).
        detail: (B, h, w, 1), 1 where the photo is detailed and 0 where it is flat; of the size of
            the features times a whole number.

    Returns:
        Three float32 (B, C, C), each per pixel of its part: detailed, flat, whole.
    """
    shape = ops.shape(features)
    factor = detail.shape[1] // features.shape[1]
    mask = detail
    if factor > 1:
        mask = ops.average_pool(ops.cast(detail, "float32"), factor, factor, data_format=CHANNELS)
    mask = ops.reshape(mask, (shape[0], -1, 1))  # (B, H*W, 1)
    flat = ops.reshape(features, (shape[0], -1, shape[3]))  # (B, H*W, C)
    parts = ops.concatenate([mask, 1.0 - mask], axis=2)  # (B, H*W, 2)
    sums = channel_products(flat, ops.cast(parts, flat.dtype))
    sizes = ops.sum(parts, axis=1)[:, :, None, None]  # (B, 2, 1, 1)
    each = sums / (sizes + 1e-3)
    return each[:, 0], each[:, 1], ops.sum(sums, axis=1) / ops.sum(sizes, axis=1)


def channel_products(flat, weights=None):
    """The sums over positions of products of channels, for each part of a picture.

    bfloat16 features are multiplied as they are; only the sums are rounded. On TensorFlow by a
    product that reads the transposed matrix in place, with a gradient that is one product instead
    of two: nearly three times as fast there.

    Args:
        flat: features by position, (B, N, C).
        weights: (B, N, P), of the dtype of `flat`, by how much each position counts to each part;
            None: one part, to which all count 1. They have no gradient.

    Returns:
        float32 (B, P, C, C).
    """
    num_parts, channels = 1 if weights is None else weights.shape[-1], flat.shape[-1]
    if keras.backend.backend() == "tensorflow":
        products = _products_tensorflow(flat, weights)
    else:
        chosen = _chosen(flat, weights)
        products = ops.cast(ops.matmul(ops.transpose(chosen, (0, 2, 1)), flat), "float32")
    return ops.reshape(products, (-1, num_parts, channels, channels))


def _chosen(flat, weights):
    """The features times the weights of each part, side by side: (B, N, P * C)."""
    if weights is None:
        return flat
    parts = range(weights.shape[-1])
    return ops.concatenate([flat * weights[..., part, None] for part in parts], axis=2)


def _products_tensorflow(flat, weights):
    import tensorflow as tf

    @tf.custom_gradient
    def products(values):
        chosen = _chosen(values, weights)
        channels = values.shape[-1]

        def gradient(upstream):  # (B, P * C, C)
            parts = tf.reshape(upstream, (tf.shape(upstream)[0], -1, channels, channels))
            both = parts + tf.transpose(parts, (0, 1, 3, 2))
            return tf.matmul(chosen, tf.cast(tf.reshape(both, tf.shape(upstream)), values.dtype))

        return tf.cast(tf.matmul(chosen, values, transpose_a=True), tf.float32), gradient

    return products(flat)


def tone(image):
    """Which colours a picture has, and how much of each: quantiles along some directions in RGB.

    Taken at 1/8 of the size: averaged over 8x8 pixels there are no strokes left, but what of the
    picture is light, dark and coloured. Where the quantiles along all directions are those of
    another picture, so is the palette (the sliced Wasserstein distance of Rabin et al. 2011);
    means of them are a blend.

    Args:
        image: (B, H, W, 3), RGB in `[0, 1]`, with sides of 8 at least.

    Returns:
        float32 (B, `TONE_QUANTILES`, directions), rising along the second axis.
    """
    small = ops.average_pool(ops.cast(image, "float32"), 8, 8, data_format=CHANNELS)
    pixels = small.shape[1] * small.shape[2]
    values = ops.reshape(small, (ops.shape(small)[0], pixels, 3))
    values = ops.sort(ops.matmul(values, TONE_DIRECTIONS.T), axis=1)  # (B, pixels, directions)
    return ops.matmul(_interpolation(pixels, TONE_QUANTILES), values)


def _interpolation(count: int, quantiles: int) -> np.ndarray:
    """What makes quantiles of sorted values, between neighbours linearly: (quantiles, count)."""
    places = (np.arange(quantiles) + 0.5) / quantiles * count - 0.5
    places = places.clip(0, count - 1)
    distances = np.abs(places[:, None] - np.arange(count))
    return (1 - distances).clip(0).astype(np.float32)
