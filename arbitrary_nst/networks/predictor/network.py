"""The style predictor: from a picture of a painting to its vector for the cin network.

What makes a style is how often which shapes and colours occur together, not where. So the encoder
is a short stack of convolutions, and what goes on from each of its depths is pooled over the
whole picture: means, deviations, and covariances of a few mixed channels. A picture of any size
gives the same number of them. A narrow layer, the bottleneck, stands before the vector: styles
then differ in few ways, which helps those that were never seen.

The first five convolutions are as wide as those of VGG19 and start from them, for two reasons: the
style loss is made of just these features, and paintings to learn from are few.

Reference: Ghiasi, Lee, Kudlur, Dumoulin, Shlens 2017, "Exploring the structure of a real-time,
arbitrary neural artistic stylization network", whose predictor is Inception-v3 with 100 numbers
in the bottleneck.
"""

from __future__ import annotations

from collections.abc import Callable

import keras
import numpy as np
from keras import ops

from arbitrary_nst.networks.predictor.layout import CONVOLUTION_RATE, DENSE_RATES, POOLED
from arbitrary_nst.networks.predictor.layout import OFFSET as OFFSET
from arbitrary_nst.networks.predictor.layout import SCALE as SCALE
from arbitrary_nst.networks.predictor.layout import TRUNK as TRUNK
from arbitrary_nst.networks.predictor.layout import PredictorLayout as PredictorLayout

CHANNELS = "channels_last"  # said everywhere, since the user's keras.json may have it otherwise


class SlowConv2D(keras.layers.Conv2D):
    """A convolution that learns `RATE` times as fast as others: its numbers are kept divided by it.

    Adam's steps do not depend on the size of the gradient. Trained numbers of about 0.01 would be
    overwritten within a hundred; and what is pooled differs so little from painting to painting
    that small changes here are large ones there.
    """

    RATE = CONVOLUTION_RATE

    def call(self, x):
        x = ops.conv(
            x,
            self.kernel * self.RATE,
            strides=self.strides,
            padding="same",
            data_format=self.data_format,
        )
        return self.activation(x + self.bias * self.RATE)


class SlowDense(keras.layers.Dense):
    """Likewise a dense layer: with many inputs each step moves the sum by that of all of them."""

    def __init__(self, units: int, rate: float, **kwargs):
        super().__init__(units, **kwargs)
        self.rate = rate

    def call(self, x):
        return self.activation(ops.matmul(x, self.kernel * self.rate) + self.bias * self.rate)


class PooledStatistics(keras.layers.Layer):
    """Mean and deviation of each channel over the picture: (B, H, W, C) -> (B, 2C), float32."""

    def call(self, x):
        if x.shape[0] == 1 and keras.backend.backend() == "tensorflow":
            return self._of_one(x)
        wide = ops.cast(x, "float32")
        mean = ops.mean(wide, axis=(1, 2))
        # Not `ops.moments`: on PyTorch that is E[x^2] - E[x]^2, which rounding brings below zero.
        variance = ops.mean(ops.square(wide - mean[:, None, None]), axis=(1, 2))
        return ops.concatenate([mean, ops.sqrt(variance + 1e-6)], axis=-1)

    def _of_one(self, x):
        # The batch norm of a batch of one computes just these, in one pass and in float32 also for
        # bfloat16 arrays; in full they take most of the predictor's time.
        import tensorflow as tf

        zeros = tf.zeros(x.shape[3])
        norm = tf.raw_ops.FusedBatchNormV3(
            x=x, scale=zeros, offset=zeros, mean=[], variance=[], epsilon=1e-3, is_training=True
        )
        pixels = tf.cast(tf.shape(x)[1] * tf.shape(x)[2], tf.float32)
        variance = norm.batch_variance * (pixels - 1) / pixels  # it divides by one less
        return tf.concat([norm.batch_mean, tf.sqrt(variance + 1e-6)], axis=0)[None]

    def compute_output_shape(self, shape):
        return (shape[0], 2 * shape[3])


class PooledCovariance(keras.layers.Layer):
    """Covariances of the channels over the picture: (B, H, W, C) -> (B, C * C), float32."""

    def call(self, x):
        x = ops.cast(x, "float32")
        x = ops.reshape(x, (ops.shape(x)[0], -1, x.shape[-1]))  # (B, HW, C)
        x = x - ops.mean(x, axis=1, keepdims=True)
        pixels = ops.cast(ops.shape(x)[1], "float32")
        covariance = ops.matmul(ops.transpose(x, (0, 2, 1)), x) / pixels
        return ops.reshape(covariance, (ops.shape(x)[0], x.shape[-1] ** 2))

    def compute_output_shape(self, shape):
        return (shape[0], shape[3] ** 2)


class Standardized(keras.layers.Layer):
    """Every number times one of its own plus another: (B, N) -> (B, N).

    Set by `start.standardize` so that each of them varies by one from painting to painting. Beside
    their means they vary little, and a normalisation over all of them, as layer normalisation is,
    left a predictor that gave every painting the same vector.
    """

    def build(self, shape):
        self.scale = self.add_weight(shape=shape[1:], initializer="ones", name="scale")
        self.offset = self.add_weight(shape=shape[1:], initializer="zeros", name="offset")

    def call(self, x):
        return x * self.scale + self.offset


class SignedRoot(keras.layers.Layer):
    """The square root of the magnitude, with the sign; smooth at zero."""

    def call(self, x):
        return x / ops.sqrt(ops.abs(x) + 1e-3)


def build_predictor(
    style_size: int, layout: PredictorLayout | None = None, *, dtype: str = "float32", seed: int = 0
) -> keras.Model:
    """The predictor.

    Args:
        style_size: of the cin network, see `CinLayout.style_size`.
        layout: widths.
        dtype: Keras policy of the convolutions; what is pooled is float32.
        seed: of the initial weights.

    Returns:
        A functional model from paintings, float32 (B, H, W, 3), RGB in `[0, 1]`, to float32
        (B, 2 * style_size): gamma - 1, then beta.
    """
    layout = layout or PredictorLayout()
    seeds = iter(range(seed, seed + 100))

    def scaled(scale, rate):
        return keras.initializers.VarianceScaling(scale / rate**2, seed=next(seeds))

    def convolution(name, x, width, kernel=3, stride=1, activation="relu"):
        return SlowConv2D(
            width,
            kernel,
            strides=stride,
            data_format=CHANNELS,
            activation=activation,
            kernel_initializer=scaled(2.0, SlowConv2D.RATE),
            name=name,
            dtype=dtype,
        )(x)

    pooled = []

    def pool(name, x):
        pooled.append(PooledStatistics(name=f"{name}_statistics", dtype="float32")(x))
        few = convolution(f"{name}_mix", x, layout.mixed, 1, 1, None)
        pooled.append(PooledCovariance(name=f"{name}_covariance", dtype="float32")(few))

    painting = keras.Input((None, None, 3), name="painting", dtype="float32")
    x = keras.layers.Rescaling(SCALE, OFFSET, name="scaled", dtype="float32")(painting)
    for name, width in zip(TRUNK, layout.trunk, strict=True):
        if name in POOLED:
            x = keras.layers.MaxPooling2D(
                2, padding="same", data_format=CHANNELS, name=f"{name}_pool", dtype=dtype
            )(x)
        x = convolution(name, x, width)
        pool(name, x)
    for depth, width in enumerate(layout.widths, start=1):
        x = convolution(f"down{depth}", x, width, stride=2)
        x = convolution(f"same{depth}", x, width)
        pool(f"same{depth}", x)
    x = keras.layers.Concatenate(name="pooled", dtype="float32")(pooled)
    # A signed root, since covariances spread over many powers of ten.
    x = SignedRoot(name="root", dtype="float32")(x)
    x = Standardized(name="standard", dtype="float32")(x)
    for name, width, activation, scale in (
        ("hidden", layout.hidden, "silu", 2.0),
        ("bottleneck", layout.bottleneck, None, 1.0),
        ("vector", 2 * style_size, None, 0.01),
    ):
        x = SlowDense(
            width,
            DENSE_RATES[name],
            activation=activation,
            kernel_initializer=scaled(scale, DENSE_RATES[name]),
            name=name,
            dtype="float32",
        )(x)
    return keras.Model(painting, x, name="predictor")


def trunk_of(predictor: keras.Model) -> keras.Model:
    """The convolutions of `TRUNK` as a model from paintings to the features of each."""
    return keras.Model(predictor.input, [predictor.get_layer(name).output for name in TRUNK])


def compiled(predictor: keras.Model) -> Callable:
    """The predictor as a graph of TensorFlow for one painting a time, more than twice as fast.

    On another Keras backend it stays as it is.
    """
    if keras.backend.backend() != "tensorflow":
        return predictor
    import tensorflow as tf

    signature = [tf.TensorSpec((1, None, None, 3), tf.float32)]
    return tf.function(predictor, input_signature=signature)


def predict(predictor: Callable, painting: np.ndarray) -> dict[str, np.ndarray]:
    """The arrays of a painting's embedding.

    Args:
        predictor: as `build_predictor` or `compiled` makes it.
        painting: float32 (H, W, 3), RGB in `[0, 1]`.

    Returns:
        "gamma" and "beta", float32 (style_size,).
    """
    gamma, beta = np.split(ops.convert_to_numpy(predictor(painting[None]))[0], 2)
    return {"gamma": 1 + gamma, "beta": beta}
