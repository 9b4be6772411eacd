"""VGG19 features and Gram matrices: the eyes of every loss in this package.

Reference:
    Simonyan, Zisserman 2014, "Very Deep Convolutional Networks for Large-Scale Image
    Recognition"; Gatys, Ecker, Bethge 2016, "Image Style Transfer Using Convolutional
    Neural Networks".
"""

from __future__ import annotations

from collections.abc import Sequence

import keras
from keras import ops

from arbitrary_nst.errors import InputError, WeightsUnavailable

# Filters and convolutions of the five blocks.
BLOCKS = ((64, 2), (128, 2), (256, 4), (512, 4), (512, 4))
STYLE_LAYERS = ("relu1_1", "relu2_1", "relu3_1", "relu4_1", "relu5_1")
CONTENT_LAYER = "relu4_2"
VGG19_URL = (
    "https://storage.googleapis.com/tensorflow/keras-applications/vgg19/"
    "vgg19_weights_tf_dim_ordering_tf_kernels_notop.h5"
)
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
            x = pools[pooling](2, name=f"block{block - 1}_pool", dtype=dtype)(x)
        x = keras.layers.Conv2D(
            max(1, round(BLOCKS[block - 1][0] * width)),
            3,
            padding="same",
            activation="relu",
            kernel_initializer=keras.initializers.HeNormal(seed=seed + 10 * block + index),
            name=f"block{block}_conv{index}",
            dtype=dtype,
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
        weights: "imagenet" lets Keras download (80 MB) and cache them, or the path of a file
            in Keras' own `.h5` layout without the classifier.
        pooling: see `build_vgg19`.
        dtype: see `build_vgg19`.

    Returns:
        A model as `build_vgg19` describes it.

    Raises:
        WeightsUnavailable: the download failed, or the file holds something else.
    """
    try:
        reference = keras.applications.VGG19(include_top=False, weights=weights)
    except Exception as error:  # Keras raises a bare Exception when its download fails
        if weights != "imagenet":
            raise WeightsUnavailable(
                f"{weights} could not be read as VGG19 weights without classifier in Keras' .h5 "
                f"layout: {error}"
            ) from error
        raise WeightsUnavailable(
            f"The VGG19 weights (80 MB) could not be downloaded: {error}. Fetch {VGG19_URL} on "
            f"another machine and name the file by --vgg-weights or ARBITRARY_NST_VGG19."
        ) from error
    model = build_vgg19(layers, pooling=pooling, dtype=dtype)
    for layer in model.layers:
        if isinstance(layer, keras.layers.Conv2D):
            layer.set_weights(reference.get_layer(layer.name).get_weights())
    return model


def shifted_covariances(features, shifts: Sequence[tuple[int, int]]):
    """Covariances of the channels between each pixel and one some rows and columns further on.

    What a Gram matrix cannot see: whether texture repeats at that distance. Without it a network
    may paint a lattice. Unlike the Gram matrices of the paper below these are taken about the
    mean: the mean, which says nothing of repetition, would make up nine tenths of them.

    Reference: Berger, Memisevic 2016, "Incorporating Long-Range Consistency in CNN-based Texture
    Generation".

    Args:
        features: (B, H, W, C).
        shifts: rows down, 0 to H - 1, and columns across, 0 to W - 1.

    Returns:
        float32 (B, len(shifts), C, C), per pair of pixels.
    """
    batch, height, width, channels = ops.shape(features)
    centred = features - ops.mean(features, axis=(1, 2), keepdims=True)
    matrices = []
    for down, across in shifts:
        near = centred[:, : height - down, : width - across]
        near = ops.reshape(near, (batch, -1, channels))  # (B, pairs, C)
        far = ops.reshape(centred[:, down:, across:], (batch, -1, channels))
        products = ops.matmul(ops.transpose(near, (0, 2, 1)), far)  # (B, C, C)
        matrices.append(ops.cast(products, "float32") / ops.cast(ops.shape(near)[1], "float32"))
    return ops.stack(matrices, axis=1)


def gram_matrix(features):
    """Second moments of the channels, per pixel: (B, H, W, C) -> float32 (B, C, C).

    Dividing by H*W makes pictures of different sizes comparable. bfloat16 features are multiplied
    as they are (the processors that do so add up in float32 and round only the sum, which costs
    a thousandth of the loss and saves a third of a training step).
    """
    shape = ops.shape(features)
    flat = ops.reshape(features, (shape[0], -1, shape[3]))  # (B, H*W, C)
    products = ops.matmul(ops.transpose(flat, (0, 2, 1)), flat)  # (B, C, C)
    return ops.cast(products, "float32") / ops.cast(shape[1] * shape[2], "float32")
