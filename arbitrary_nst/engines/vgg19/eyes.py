"""VGG19 as a plain function, and the sums, losses and gradients that an objective is made of.

A picture takes hundreds of looks, so what a look does not need is left out: the kernels are
converted to the precision once, a graph is traced once for all sizes, and the sums that the style
loss compares have a gradient that is a single product.
"""

from __future__ import annotations

import functools
from collections.abc import Callable

import tensorflow as tf

from arbitrary_nst.common.keras_on_tensorflow import keras
from arbitrary_nst.networks.vgg import CONTENT_LAYER, STYLE_LAYERS, channel_products

Features = Callable[[tf.Tensor], list[tf.Tensor]]


class Eyes:
    """What is seen in a picture, compiled once for all sizes and settings.

    Args:
        vgg: model that gives the features at `STYLE_LAYERS` and the content layer.
    """

    def __init__(self, vgg: keras.Model):
        self._features = _plain(vgg)
        self._dtype = tf.as_dtype(vgg.layers[-1].compute_dtype)
        self._channels = [int(output.shape[-1]) for output in vgg.outputs]
        self._graphs: dict[tuple[str, int], Callable] = {}

    def sums(self, picture, masks):
        """Per layer the sums of products (P, C, C) and of features (P, C), and the last features.

        Args:
            picture: (1, h, w, 3).
            masks: (1, h, w, P), by how much each pixel counts to each part.
        """
        return self._graph("_sums", masks)(picture, masks)

    def content_features(self, picture):
        """The features at the content layer, (1, h / 8, w / 8, C)."""
        return self._graph("_content")(picture)

    def style(self, sums, masks, *asked):
        """The style loss, and its derivatives by the sums.

        Args:
            sums: as `sums` gives them.
            masks: those that they were taken with, for their number.
            asked: what `_style` takes after the sums.
        """
        return self._graph("_style", masks)(sums, *asked)

    def whole(self, picture, masks, wanted, norm, *asked):
        """Loss and gradient of a picture in one piece.

        Args:
            picture: (1, h, w, 3).
            masks: (1, h, w, P).
            wanted: the photo's features at the content layer.
            norm: their squared norm.
            asked: what `_style` takes after the sums.
        """
        return self._graph("_whole", masks)(picture, masks, wanted, norm, *asked)

    def tile_gradient(self, picture, masks, wanted, core, norm, slopes):
        """Content loss of a tile, and the gradient of that and of its share in the sums.

        Args:
            picture: what the tile sees, (1, h, w, 3).
            masks: (1, h, w, P), 0 beside what it counts.
            wanted: the photo's features at the content layer.
            core: (1, h / 8, w / 8, 1), 1 at the positions that it counts.
            norm: as for `whole`.
            slopes: derivatives of the style loss by the sums.
        """
        return self._graph("_tile", masks)(picture, masks, wanted, core, norm, slopes)

    def _graph(self, name: str, masks=None) -> Callable:
        """A method as a graph for all sizes of pictures, with that many parts."""
        num_parts = 0 if masks is None else int(masks.shape[-1])
        if (name, num_parts) not in self._graphs:
            self._graphs[name, num_parts] = tf.function(
                getattr(self, name),
                input_signature=self._signature(name, num_parts),
                autograph=False,
            )
        return self._graphs[name, num_parts]

    def _signature(self, name: str, num_parts: int) -> list:
        """Of what a method takes; a graph that is open in the sizes is traced once for them all."""
        number = tf.TensorSpec(())
        picture, masks, core = _open(3), _open(num_parts), _open(1)
        wanted = _open(self._channels[-1], self._dtype)
        *styled, _ = self._channels
        sums = [(tf.TensorSpec((num_parts, c, c)), tf.TensorSpec((num_parts, c))) for c in styled]
        targets = [(tf.TensorSpec((None, c, c)), tf.TensorSpec((None, c))) for c in styled]
        mixing = tf.TensorSpec((len(styled), None, num_parts))
        asked = [targets, mixing, tf.TensorSpec((len(styled), 2, None))]
        return {
            "_content": [picture],
            "_sums": [picture, masks],
            "_style": [sums, *asked],
            "_whole": [picture, masks, wanted, number, *asked],
            "_tile": [picture, masks, wanted, core, number, sums],
        }[name]

    def _content(self, picture):
        return self._features(picture)[-1]

    def _sums(self, picture, masks):
        *features, last = self._features(picture)
        sums, level = [], masks
        for index, values in enumerate(features):
            if index:
                level = tf.nn.avg_pool2d(level, 2, 2, "VALID")
            flat = tf.reshape(values, (-1, values.shape[-1]))  # (N, C)
            shares = tf.reshape(level, (-1, masks.shape[-1]))  # (N, P)
            products = channel_products(flat[None], tf.cast(shares, flat.dtype)[None])[0]
            sums.append((products, _feature_sums(flat, shares)))
        return sums, last

    def _whole(self, picture, masks, wanted, norm, *asked):
        with tf.GradientTape() as tape:
            tape.watch(picture)
            sums, last = self._sums(picture, masks)
            content = tf.reduce_sum(tf.square(floats(last) - floats(wanted))) / norm
        style, slopes = self._style(sums, *asked)
        gradient = tape.gradient((sums, content), picture, (slopes, tf.ones_like(content)))
        return style + content, gradient

    def _tile(self, picture, masks, wanted, core, norm, slopes):
        with tf.GradientTape() as tape:
            tape.watch(picture)
            sums, last = self._sums(picture, masks)
            content = tf.reduce_sum(core * tf.square(floats(last) - floats(wanted))) / norm
        return content, tape.gradient((sums, content), picture, (slopes, tf.ones_like(content)))

    def _style(self, sums, targets, mixing, weights):
        """The style loss and its derivatives by the sums.

        For each layer and group of parts it is a ||G - T||^2 + b ||D||^2 with D = G - m m^T -
        (T - t t^T), G and m being E[f f^T] and E[f] of the picture, T and t those that are wanted.
        So its derivative by G is 2 (a (G - T) + b D), and by m it is -4 b D m.

        Args:
            sums: as `sums` gives them.
            targets: per layer T (G, C, C) and t (G, C) of each group.
            mixing: (layers, G, P), the share of each part's sums in the means of each group.
            weights: (layers, 2, G), a and b.
        """
        losses, slopes = [], []
        for index, ((products, means), (wanted, wanted_mean)) in enumerate(
            zip(sums, targets, strict=True)
        ):
            share, (of_gram, of_spread) = mixing[index], tf.unstack(weights[index])
            mean = tf.matmul(share, means)  # (G, C)
            gap = tf.einsum("gp,pcd->gcd", share, products) - wanted
            spread = gap - _outer(mean) + _outer(wanted_mean)
            losses += [tf.reduce_sum(of_gram * _squares(gap) + of_spread * _squares(spread))]
            of_gram, of_spread = of_gram[:, None, None], of_spread[:, None, None]
            by_gram = 2.0 * (of_gram * gap + of_spread * spread)
            by_mean = -4.0 * tf.linalg.matvec(of_spread * spread, mean)
            by_sums = tf.einsum("gp,gcd->pcd", share, by_gram)
            slopes.append((by_sums, tf.matmul(share, by_mean, transpose_a=True)))
        return tf.add_n(losses), slopes


@tf.custom_gradient
def _feature_sums(flat, shares):
    """Sums over positions, weighted by parts: (N, C), (N, P) -> float32 (P, C).

    Added up in float32, as covariances are small differences of them; the gradient is as narrow as
    the features, for the sake of memory.
    """

    def gradient(upstream):
        return tf.matmul(tf.cast(shares, flat.dtype), tf.cast(upstream, flat.dtype)), None

    return tf.matmul(shares, floats(flat), transpose_a=True), gradient


def _plain(vgg: keras.Model) -> Features:
    """The model as a function, with its kernels in the precision in which it computes."""
    dtype = vgg.layers[-1].compute_dtype
    wanted = [_block_and_number(layer) for layer in (*STYLE_LAYERS, CONTENT_LAYER)]
    steps: list[tuple[str, Callable]] = []
    for layer in vgg.layers:
        if isinstance(layer, keras.layers.Conv2D):
            kernel, bias = (tf.cast(values, dtype) for values in layer.weights)
            steps.append((layer.name, functools.partial(_convolved, kernel=kernel, bias=bias)))
        elif not isinstance(layer, keras.layers.InputLayer):
            steps.append((layer.name, layer))

    def features(picture: tf.Tensor) -> list[tf.Tensor]:
        found, values = {}, picture
        for name, step in steps:
            values = found[name] = step(values)
        return [found[name] for name in wanted]

    return features


def _block_and_number(layer: str) -> str:
    """The convolution before an activation: "relu4_2" -> "block4_conv2"."""
    block, number = layer.removeprefix("relu").split("_")
    return f"block{block}_conv{number}"


def _convolved(values, *, kernel, bias):
    return tf.nn.relu(tf.nn.bias_add(tf.nn.conv2d(values, kernel, 1, "SAME"), bias))


def _open(channels: int, dtype=tf.float32) -> tf.TensorSpec:
    return tf.TensorSpec((1, None, None, channels), dtype)


def _outer(means):
    """(G, C) -> (G, C, C)."""
    return means[:, :, None] * means[:, None, :]


def _squares(values):
    """(G, C, C) -> (G,)."""
    return tf.reduce_sum(tf.square(values), axis=(1, 2))


def floats(values):
    """In float32."""
    return tf.cast(values, tf.float32)
