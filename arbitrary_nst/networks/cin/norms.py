"""Normalisation of photos that are seen strip by strip: statistics added up, and then applied.

Both classes are used alike: `measure` takes all strips of what a convolution gives, and from then
on `apply` normalises any rows of it.
"""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np
import tensorflow as tf

from arbitrary_nst.image.arrays import grown_rows
from arbitrary_nst.networks.cin.fast import (
    FastConvolution,
    affine_of_region,
    normalize_by,
    normalize_by_weights,
)
from arbitrary_nst.networks.cin.layout import TOTAL_EPSILON

Strips = Iterable[tuple[int, int, tf.Tensor]]  # top, stop, and rows (1, stop - top, w, c)
HALVED_ROWS = 64  # of the weights, at once
NOTHING = 1e-30  # less than any weight; keeps 0 / 0 away where a strip has nothing of a style


class StyleNorm:
    """One style everywhere.

    Args:
        gamma: float32 (layout.style_size,).
        beta: float32 (layout.style_size,).
    """

    def __init__(self, gamma: np.ndarray, beta: np.ndarray) -> None:
        self._gamma, self._beta = tf.constant(gamma), tf.constant(beta)
        self._moments: dict[str, tuple[tf.Tensor, tf.Tensor]] = {}

    def measure(self, step: FastConvolution, strips: Strips) -> None:
        """Mean and variance of each channel."""
        count, mean, spread = 0, 0.0, 0.0
        ones = tf.ones(step.plan.filters)
        for _, _, rows in strips:
            size = rows.shape[1] * rows.shape[2]
            norm = tf.raw_ops.FusedBatchNormV3(
                x=rows, scale=ones, offset=ones, mean=[], variance=[], is_training=True
            )
            new = norm.batch_mean.numpy().astype(np.float64)
            # The fused operation gives the variance of a sample.
            squares = norm.batch_variance.numpy().astype(np.float64) * (size - 1)
            # Chan et al. 1979: sums of squares would lose small variances.
            apart = new - mean
            spread = spread + squares + apart**2 * (count * size / (count + size))
            count, mean = count + size, mean + apart * (size / (count + size))
        pair = np.stack([mean, spread / count]).astype(np.float32)
        self._moments[step.plan.name] = tf.constant(pair[0]), tf.constant(pair[1])

    def apply(self, x: tf.Tensor, step: FastConvolution, top: int, stop: int) -> tf.Tensor:
        """Rows of a measured step, normalised."""
        affine = step.affine(self._gamma, self._beta)
        return normalize_by(x, *affine, *self._moments[step.plan.name])


class RegionNorm:
    """Another blend of styles at every pixel, each with its own mean and deviation.

    It is what `FastCin.regions` does with the whole photo at once.

    Args:
        gamma: float32 (num_styles, layout.style_size).
        beta: float32 (num_styles, layout.style_size).
        weights: float16 or float32 (H, W, num_styles) of sum 1, of the photo.
        size: height and width to which the photo is grown by reflection.
        count: of the network's resolutions.
    """

    def __init__(
        self,
        gamma: np.ndarray,
        beta: np.ndarray,
        weights: np.ndarray,
        size: tuple[int, int],
        count: int,
    ) -> None:
        self._gamma, self._beta = tf.constant(gamma), tf.constant(beta)
        self._width = size[1]
        self._levels = weight_levels(weights, size, count)
        self._affine: dict[str, tuple[tf.Tensor, tf.Tensor, tf.Tensor]] = {}

    def measure(self, step: FastConvolution, strips: Strips) -> None:
        """Mean and variance of each channel where a style is, for each of the styles."""
        pixels, centre = 0, np.zeros(1)  # of all styles together: (c,)
        total = mean = spread = np.zeros((1, 1))  # (num_styles, 1), and twice (num_styles, c)
        for top, stop, rows in strips:
            middle, new, near, squares = _weighted(rows, self._own(step.level, top, stop))
            size = rows.shape[1] * rows.shape[2]
            pixels, centre = pixels + size, centre + (middle - centre) * (size / (pixels + size))
            # As in `StyleNorm`, with sums of weights in place of numbers of pixels.
            apart, share = near - mean, new / np.maximum(total + new, NOTHING)
            spread = spread + squares + apart**2 * (total * share)
            total, mean = total + new, mean + apart * share
        # What `FastCin.regions` has for a style of hardly any weight, too, though it is not seen.
        whole, away = total + TOTAL_EPSILON, mean - centre
        mean = away * (total / whole)
        variance = (spread + total * away**2) / whole - mean**2
        middle, mean, variance = (tf.constant(v, tf.float32) for v in (centre, mean, variance))
        gamma, beta = step.affine(self._gamma, self._beta)
        self._affine[step.plan.name] = middle, *affine_of_region(gamma, beta, mean, variance)

    def apply(self, x: tf.Tensor, step: FastConvolution, top: int, stop: int) -> tf.Tensor:
        """Rows of a measured step, normalised."""
        centre, scale, offset = self._affine[step.plan.name]
        wide = tf.cast(x, tf.float32) - centre
        own = self._own(step.level, top, stop)
        return tf.cast(normalize_by_weights(wide, own, scale, offset), x.dtype)

    def _own(self, level: int, top: int, stop: int) -> tf.Tensor:
        """Rows of the weights at a level: float32 (1, stop - top, w, num_styles)."""
        rows = grown_rows(self._levels[level], top, stop, self._width >> level)
        return tf.constant(rows[None].astype(np.float32))


def _weighted(rows: tf.Tensor, own: tf.Tensor) -> tuple[np.ndarray, ...]:
    """Statistics of rows (1, h, w, c) under weights (1, h, w, num_styles), in float64.

    Returns:
        The mean of all (c,); the sum of the weights (num_styles, 1); and the weighted mean, and
        the weighted sum of squares around it (num_styles, c).
    """
    x = tf.reshape(tf.cast(rows, tf.float32), (-1, rows.shape[-1]))  # (h * w, c)
    own = tf.reshape(own, (-1, own.shape[-1]))  # (h * w, num_styles)
    middle = tf.reduce_mean(x, axis=0)
    x -= middle
    total = tf.reduce_sum(own, axis=0)[:, None]
    mean = tf.matmul(own, x, transpose_a=True) / tf.maximum(total, NOTHING)
    squares = tf.matmul(own, x * x, transpose_a=True) - total * mean**2
    values = middle, total, mean + middle, tf.maximum(squares, 0.0)
    return tuple(value.numpy().astype(np.float64) for value in values)


def weight_levels(weights: np.ndarray, size: tuple[int, int], count: int) -> list[np.ndarray]:
    """Weights at each resolution of the network: the means of the pixels they stand for.

    Args:
        weights: (H, W, num_styles).
        size: height and width to which they are grown by reflection.
        count: of the resolutions.

    Returns:
        The weights as they are, not grown, and (height / 2, width / 2, num_styles) and so on, of
        the same dtype.
    """
    levels = [weights]
    height, width = size
    for _ in range(count - 1):
        half = np.empty((height // 2, width // 2, weights.shape[-1]), weights.dtype)
        for top in range(0, height, HALVED_ROWS):
            stop = min(top + HALVED_ROWS, height)
            rows = grown_rows(levels[-1], top, stop, width).astype(np.float32)
            pairs = rows.reshape((stop - top) // 2, 2, width // 2, 2, -1)
            half[top // 2 : stop // 2] = pairs.mean((1, 3))
        levels.append(half)
        height, width = height // 2, width // 2
    return levels
