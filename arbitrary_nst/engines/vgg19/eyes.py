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
from arbitrary_nst.networks.losses import drawing_from_moments
from arbitrary_nst.networks.vgg import CONTENT_LAYER, STYLE_LAYERS, channel_products

Features = Callable[[tf.Tensor], list[tf.Tensor]]
DRAWN = STYLE_LAYERS.index("relu3_1")  # has eyes and outlines that relu4_2 is too coarse for


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
        """Per layer the sums of products (P, C, C) and of features (P, C), and some features.

        Args:
            picture: (1, h, w, 3).
            masks: (1, h, w, P), by how much each pixel counts to each part.

        Returns:
            The sums, and the features that the drawing and the content loss compare, at relu3_1
            (1, h / 4, w / 4, C) and at the content layer (1, h / 8, w / 8, C).
        """
        return self._graph("_sums", masks)(picture, masks)

    def all_sums(self, picture, masks, drawn, begin):
        """The sums of `sums`, and those of relu3_1's products with the photo's own, (C,).

        Args:
            picture: (1, h, w, 3).
            masks: (1, h, w, P).
            drawn: the photo's features at relu3_1, as `tile_gradient` has them.
            begin: likewise.
        """
        return self._graph("_all_sums", masks)(picture, masks, drawn, begin)

    def drawn(self, picture):
        """The features of `sums` at relu3_1 alone: (1, h, w, 3) -> (1, h / 4, w / 4, C)."""
        return self._graph("_drawn")(picture)

    def compared(self, picture):
        """Both features of `sums`, without its sums."""
        return self._graph("_compared")(picture)

    def of_sums(self, sums, together, masks, *asked):
        """The losses that are functions of sums, and their derivatives by the sums.

        Args:
            sums: as `sums` gives them.
            together: as `all_sums` gives them.
            masks: those that they were taken with, for their number.
            asked: what `_of_sums` takes after the sums.
        """
        return self._graph("_of_sums", masks)(sums, together, *asked)

    def whole(self, picture, masks, wanted, norm, *asked):
        """Loss and gradient of a picture in one piece.

        Args:
            picture: (1, h, w, 3).
            masks: (1, h, w, P).
            wanted: the photo's features, as `sums` gives them.
            norm: the squared norm of those at the content layer.
            asked: what `_of_sums` takes after the sums.
        """
        return self._graph("_whole", masks)(picture, masks, wanted, norm, *asked)

    def tile_gradient(self, picture, masks, wanted, begin, norm, slopes):
        """Content loss of a tile, and the gradient of that and of its share in the sums.

        Args:
            picture: what the tile sees, (1, h, w, 3).
            masks: (1, h, w, P), 0 beside what it counts.
            wanted: the photo's features, as `sums` gives them, of what the tile counts alone.
            begin: int32 (2,), where that begins, in positions of the content layer.
            norm: as for `whole`.
            slopes: derivatives by the sums, as `of_sums` gives them.
        """
        return self._graph("_tile", masks)(picture, masks, wanted, begin, norm, slopes)

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
        picture, masks, begin = _open(3), _open(num_parts), tf.TensorSpec((2,), tf.int32)
        *styled, last = self._channels
        drawn = _open(styled[DRAWN], self._dtype)
        wanted = (drawn, _open(last, self._dtype))
        of_channels = tf.TensorSpec((styled[DRAWN],))
        sums = [(tf.TensorSpec((num_parts, c, c)), tf.TensorSpec((num_parts, c))) for c in styled]
        targets = [(tf.TensorSpec((None, c, c)), tf.TensorSpec((None, c))) for c in styled]
        mixing = tf.TensorSpec((len(styled), None, num_parts))
        photo = (number, of_channels, of_channels, number)
        asked = [targets, mixing, tf.TensorSpec((len(styled), 2, None)), photo]
        return {
            "_sums": [picture, masks],
            "_drawn": [picture],
            "_compared": [picture],
            "_all_sums": [picture, masks, drawn, begin],
            "_of_sums": [sums, of_channels, *asked],
            "_whole": [picture, masks, wanted, number, *asked],
            "_tile": [picture, masks, wanted, begin, number, (sums, of_channels)],
        }[name]

    def _sums(self, picture, masks):
        sums, _, features = self._looked(picture, masks)
        return sums, features

    def _drawn(self, picture):
        return self._compared(picture)[0]  # a graph leaves out what nothing comes of

    def _compared(self, picture):
        *features, last = self._features(picture)
        return features[DRAWN], last

    def _looked(self, picture, masks):
        """What `sums` gives, and between its two the count of each position at relu3_1.

        The count is (1, h / 4, w / 4, 1): the shares of all parts together.
        """
        *features, last = self._features(picture)
        sums, levels = [], [masks]
        for index, values in enumerate(features):
            if index:
                levels.append(tf.nn.avg_pool2d(levels[-1], 2, 2, "VALID"))
            level = levels[index]
            flat = tf.reshape(values, (-1, values.shape[-1]))  # (N, C)
            shares = tf.reshape(level, (-1, masks.shape[-1]))  # (N, P)
            products = channel_products(flat[None], tf.cast(shares, flat.dtype)[None])[0]
            sums.append((products, _feature_sums(flat, shares)))
        counts = tf.reduce_sum(levels[DRAWN], axis=-1, keepdims=True)
        return sums, counts, (features[DRAWN], last)

    def _all_sums(self, picture, masks, drawn, begin):
        sums, counts, (own, _) = self._looked(picture, masks)
        return sums, _sums_together(own, drawn, counts, begin)

    def _whole(self, picture, masks, wanted, norm, *asked):
        with tf.GradientTape() as tape:
            tape.watch(picture)
            found = self._seen(picture, masks, wanted, tf.zeros(2, tf.int32), norm)
        sums, together, content = found
        loss, slopes = self._of_sums(sums, together, *asked)
        slopes = (*slopes, tf.ones_like(content))
        return loss + content, tape.gradient(found, picture, slopes)

    def _tile(self, picture, masks, wanted, begin, norm, slopes):
        with tf.GradientTape() as tape:
            tape.watch(picture)
            found = *_, content = self._seen(picture, masks, wanted, begin, norm)
        return content, tape.gradient(found, picture, (*slopes, tf.ones_like(content)))

    def _seen(self, picture, masks, wanted, begin, norm):
        """All that losses are functions of: the sums, those with the photo, the content loss."""
        sums, counts, (drawn, last) = self._looked(picture, masks)
        together = _sums_together(drawn, wanted[0], counts, begin)
        last = tf.slice(last, [0, *tf.unstack(begin), 0], tf.shape(wanted[1]))
        return sums, together, tf.reduce_sum(tf.square(floats(last) - floats(wanted[1]))) / norm

    def _of_sums(self, sums, together, targets, mixing, weights, photo):
        """Style and drawing loss, and their derivatives by the sums and by `together`."""
        style, slopes = self._style(sums, targets, mixing, weights)
        with tf.GradientTape() as tape:
            tape.watch((sums[DRAWN], together))
            drawing = _drawing(sums[DRAWN], together, photo)
        by_sums, by_together = tape.gradient(drawing, (sums[DRAWN], together))
        slopes[DRAWN] = tf.nest.map_structure(tf.add, slopes[DRAWN], by_sums)
        return style + drawing, (slopes, by_together)

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


def _sums_together(features, drawn, counts, begin):
    """Sums over positions of the picture's features times the photo's: (C,).

    Args:
        features: at relu3_1, (1, h / 4, w / 4, C).
        drawn: the photo's, of a part of them.
        counts: by how much each position counts, (1, h / 4, w / 4, 1).
        begin: int32 (2,), where the part begins, in positions of the content layer.
    """
    shape = tf.shape(drawn)
    corner = [0, *tf.unstack(2 * begin), 0]
    counts = tf.slice(counts, corner, tf.concat((shape[:3], [1]), axis=0))
    return tf.reduce_sum(floats(tf.slice(features, corner, shape) * drawn) * counts, axis=(0, 1, 2))


def _drawing(sums, together, photo):
    """The drawing loss of `networks.losses` from sums over positions, times its weight.

    Args:
        sums: of products (P, C, C), of which the squares are needed alone, and of features (P, C).
        together: (C,), of the features' products with the photo's.
        photo: the weight of the loss; mean and variance of the photo's features, (C,) each; and
            the number of positions.
    """
    weight, photo_mean, photo_variance, count = photo
    products, means = (tf.reduce_sum(values, axis=0) / count for values in sums)
    own = tf.nn.relu(tf.linalg.diag_part(products) - tf.square(means))
    covariance = together / count - means * photo_mean
    return weight * drawing_from_moments(own, covariance, photo_variance)


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
