"""The cin network with all that the engine does around it, as one TensorFlow function.

Growing the photo to the network's multiple, the noise and cropping back are part of the graph, so
what is written to disk takes a photo of any size and needs none of this package.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import tensorflow as tf

from arbitrary_nst.networks.cin.fast import FastCin, normalize
from arbitrary_nst.networks.cin.layout import EPSILON, CinLayout


def portable(
    layout: CinLayout,
    kernels: Mapping[str, np.ndarray],
    noise: np.ndarray,
    styles: np.ndarray | None = None,
    *,
    for_tflite: bool = False,
) -> tf.Module:
    """The network from a photo of any size to its picture.

    Args:
        layout: of the network.
        kernels: float32 (kernel, kernel, inputs, filters) by name of the convolution.
        noise: as `noise.noise_numbers` gives it.
        styles: float32 (num_styles, 2 * layout.style_size), each gamma and beta in a row, to be
            blended by weights. Default: the style itself is an input.
        for_tflite: whether `write_tflite` gets it.

    Returns:
        A module whose `paint(content, style)`, or `paint(content, weights)`, gives a dict with
        "picture": float32 (1, H, W, 3) in `[0, 1]`. "content" is float32 (1, H, W, 3), RGB in
        `[0, 1]`; "style" float32 (2 * layout.style_size,); "weights" float32 (num_styles,), not
        negative, scaled to the sum 1.
    """
    module = tf.Module(name="cin")
    fast = FastCin(layout, kernels)
    content_spec = tf.TensorSpec((1, None, None, 3), tf.float32, "content")

    def picture(content: tf.Tensor, style: tf.Tensor) -> dict[str, tf.Tensor]:
        height, width = tf.shape(content)[1], tf.shape(content)[2]
        grown = _grow(_grow(content, 1, layout.multiple), 2, layout.multiple)
        rows, columns = (tf.shape(grown)[axis] // layout.multiple for axis in (1, 2))
        shape = (1, rows, columns, layout.noise_depth)
        gamma, beta = style[: layout.style_size], style[layout.style_size :]
        norm = _normalize_by_rows if for_tflite else normalize
        painted = fast.apply(
            grown,
            _repeated(noise, shape),
            lambda x, step: norm(x, *step.affine(gamma, beta)),
        )
        return {"picture": painted[:, :height, :width]}

    if styles is None:
        style_spec = tf.TensorSpec((2 * layout.style_size,), tf.float32, "style")

        @tf.function(input_signature=[content_spec, style_spec], autograph=False)
        def paint(content: Any, style: Any) -> Any:
            return picture(content, style)

    else:
        weights_spec = tf.TensorSpec((len(styles),), tf.float32, "weights")

        @tf.function(input_signature=[content_spec, weights_spec], autograph=False)
        def paint(content: Any, weights: Any) -> Any:
            shares = weights / tf.reduce_sum(weights)
            return picture(content, tf.reduce_sum(shares[:, None] * styles, axis=0))

    module.paint = paint
    return module


def write_savedmodel(module: tf.Module, folder: Path) -> None:
    """Writes `portable`'s module as a SavedModel with the signature "serving_default"."""
    tf.saved_model.save(module, str(folder), signatures=module.paint)


def write_tflite(module: tf.Module, path: Path) -> None:
    """Writes `portable`'s module as a TFLite file of float32, of native operations alone."""
    paint = module.paint.get_concrete_function()
    converter = tf.lite.TFLiteConverter.from_concrete_functions([paint], module)
    path.write_bytes(converter.convert())


def _normalize_by_rows(x: tf.Tensor, scale: tf.Tensor, offset: tf.Tensor) -> tf.Tensor:
    """Instance normalisation whose means are means of rows.

    LiteRT sums all pixels up in a single float32: at 2043x1361 pixels a picture was 2.6 of 255
    levels off, and with sums of rows 0.3.
    """

    def mean(values: tf.Tensor) -> tf.Tensor:
        return tf.reduce_mean(tf.reduce_mean(values, axis=2), axis=1)  # (1, c)

    middle = mean(x)
    scale *= tf.math.rsqrt(mean(tf.math.squared_difference(x, middle)) + EPSILON)
    return x * scale + (offset - middle * scale)


def _grow(x: tf.Tensor, axis: int, multiple: int) -> tf.Tensor:
    """Mirrors the end of an axis, so that its length becomes a multiple."""
    size = tf.shape(x)[axis]
    index = tf.range(size + (-size) % multiple)
    # Not `tf.pad`: with paddings known at run time only, it forgets the number of channels.
    return tf.gather(x, tf.minimum(index, 2 * (size - 1) - index), axis=axis)


def _repeated(numbers: np.ndarray, shape: tuple[Any, ...]) -> tf.Tensor:
    """The first of the numbers in that shape, from the beginning again where they end."""
    if not len(numbers):
        return tf.zeros(shape)
    index = tf.range(tf.reduce_prod(tf.stack(shape))) % len(numbers)
    return tf.reshape(tf.gather(tf.constant(numbers), index), shape)
