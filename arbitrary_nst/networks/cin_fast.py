"""The cin network rewritten for inference on a CPU: the same function, about three times faster.

The plain layers of `networks/cin.py` are what is trained. Here the same kernels run as fewer,
wider operations of TensorFlow:

- each normalisation is one fused batch norm over a batch of one;
- reflection padding is a concatenation of reversed slices;
- upsampling and the 3x3 convolution after it are one 2x2 convolution at the low resolution, with
  four times the filters, one for each of the four pixels that a pixel becomes;
- the outer convolutions, whose three channels leave most of a vector unit idle, run on blocks of
  2x2 pixels laid into channels;
- what a large picture has at full resolution is computed by strips of it.
"""

from __future__ import annotations

import functools
from collections.abc import Callable, Mapping
from dataclasses import dataclass

import numpy as np
import tensorflow as tf

from arbitrary_nst.networks.cin import EPSILON, CinLayout, Convolution

# Up to so many no array is cut into strips: at 2048x2048 they took 1.75 times as long.
WHOLE_PIXELS = 2**24
STRIP_PIXELS = 2**19


class FastCin:
    """The network with its kernels, ready to be called from any thread.

    Args:
        layout: of the network.
        kernels: float32 (kernel, kernel, inputs, filters) by name of the convolution.
        precision: "float32" or "bfloat16", of activations and kernels; statistics of the
            normalisation and the last step are float32 either way.
    """

    def __init__(
        self, layout: CinLayout, kernels: Mapping[str, np.ndarray], precision: str = "float32"
    ) -> None:
        self._layout = layout
        self._dtype = tf.as_dtype(precision)
        plan = layout.convolutions()
        ends = np.cumsum([step.filters for step in plan])
        self._steps = [
            _Step(step, tf.constant(rewritten(step, kernels[step.name]), self._dtype), end)
            for step, end in zip(plan, ends.tolist(), strict=True)
        ]
        sizes = layout.style_size
        signature = [
            tf.TensorSpec((1, None, None, 3), tf.float32),
            tf.TensorSpec((sizes,), tf.float32),
            tf.TensorSpec((sizes,), tf.float32),
            tf.TensorSpec((1, None, None, layout.noise_channels), tf.float32),
        ]
        # One graph for all sizes: tracing anew for each would cost half a second. That with
        # strips takes a second, which only large pictures should wait for.
        self._render, self._render_in_strips = (
            tf.function(functools.partial(self._run, in_strips), input_signature=signature)
            for in_strips in (False, True)
        )

    def __call__(
        self, content: np.ndarray, gamma: np.ndarray, beta: np.ndarray, noise: np.ndarray
    ) -> np.ndarray:
        """Paints a batch, picture by picture: on a CPU a larger batch is not faster.

        Args:
            content: float32 (B, H, W, 3), RGB in `[0, 1]`, sides multiples of `layout.multiple`.
            gamma: float32 (B, layout.style_size).
            beta: float32 (B, layout.style_size).
            noise: float32 (B, H / multiple, W / multiple, layout.noise_channels), standard normal.

        Returns:
            float32 (B, H, W, 3) in `[0, 1]`.
        """
        samples = zip(content, gamma, beta, noise, strict=True)
        is_whole = content.shape[1] * content.shape[2] <= WHOLE_PIXELS
        render = self._render if is_whole else self._render_in_strips
        pictures = [render(c[None], g, b, n[None]).numpy() for c, g, b, n in samples]
        return pictures[0] if len(pictures) == 1 else np.concatenate(pictures)

    def trace(
        self,
        content: tf.Tensor,
        gamma: tf.Tensor,
        beta: tf.Tensor,
        noise: tf.Tensor,
        normalise: Callable[..., tf.Tensor] | None = None,
    ) -> tf.Tensor:
        """The picture of a batch of one as part of another graph.

        Args:
            content: as for a call, like `noise`, but tensors.
            gamma: float32 (layout.style_size,), like `beta`.
            beta: see `gamma`.
            noise: see `content`.
            normalise: from (1, h, w, c), scale (c,) and offset (c,) to (1, h, w, c): what else
                than TensorFlow's fused operation should take mean and deviation out.
        """
        return self._run(False, content, gamma, beta, noise, normalise)

    def _run(
        self,
        in_strips: bool,
        content: tf.Tensor,
        gamma: tf.Tensor,
        beta: tf.Tensor,
        noise: tf.Tensor,
        normalise: Callable[..., tf.Tensor] | None = None,
    ) -> tf.Tensor:
        normalise = normalise or _normalise
        two = _two_in_strips if in_strips else functools.partial(_two, normalise)
        x = tf.cast(content, self._dtype)
        outputs = {"noise": tf.cast(noise, self._dtype)}
        first, second, *steps, last_but_one, last = self._steps
        x = two(x, first, second, *first.affine(gamma, beta))
        for step in (second, *steps):
            if step is not second:
                x = _convolve(outputs[step.plan.source] if step.plan.source else x, step)
            x = normalise(x, *step.affine(gamma, beta))
            if step.plan.activation == "relu":
                x = tf.nn.relu(x)
            elif step.plan.shortcut is not None:
                x = outputs[step.plan.shortcut] + x
            outputs[step.plan.name] = x
        x = two(x, last_but_one, last, *last_but_one.affine(gamma, beta))
        return tf.sigmoid(normalise(tf.cast(x, tf.float32), *last.affine(gamma, beta)))


@dataclass(frozen=True)
class _Step:
    """A convolution, its rewritten kernel, and where its part of gamma and beta ends."""

    plan: Convolution
    kernel: tf.Tensor
    end: int

    def affine(self, gamma: tf.Tensor, beta: tf.Tensor) -> tuple[tf.Tensor, tf.Tensor]:
        part = slice(self.end - self.plan.filters, self.end)
        return gamma[part], beta[part]


def _two(
    normalise: Callable[..., tf.Tensor],
    x: tf.Tensor,
    first: _Step,
    second: _Step,
    scale: tf.Tensor,
    offset: tf.Tensor,
) -> tf.Tensor:
    """Two convolutions, of which the first is normalised by `scale` and `offset`."""
    return _convolve(tf.nn.relu(normalise(_convolve(x, first), scale, offset)), second)


def _two_in_strips(
    x: tf.Tensor, first: _Step, second: _Step, scale: tf.Tensor, offset: tf.Tensor
) -> tf.Tensor:
    """`_two` in less memory.

    What lies between the first two of the network, and between the last two, has the full
    resolution and is by far the largest array. Here it is never whole: one pass
    over strips of rows takes its mean and deviation, and a second makes the strips again, to be
    used at once.
    """
    factor = 2 if first.plan.upsample else 1
    height, width = factor * tf.shape(x)[1], factor * tf.shape(x)[2]
    rows = 2 * tf.maximum(STRIP_PIXELS // (2 * width), 4)
    mean, variance = _moments(x, first, height, rows)
    halo = _halo(second)
    strips = tf.TensorArray(
        x.dtype, size=0, dynamic_size=True, infer_shape=False, element_shape=(None, None, None)
    )
    for start in tf.range(0, height, rows):
        # Several strips at once would need the memory of several.
        tf.autograph.experimental.set_loop_options(parallel_iterations=1)
        stop = tf.minimum(start + rows, height)
        top = tf.maximum(start - halo - halo % 2, 0)
        strip = _rows(x, first, top, tf.minimum(stop + halo + halo % 2, height))
        strip = _normalise_by(strip, scale, offset, mean, variance)
        wanted = _inside(tf.range(start - halo, stop + halo), height, second) - top
        strip = _pad(tf.gather(tf.nn.relu(strip), wanted, axis=1), second, (2,))
        strips = strips.write(strips.size(), _convolve_padded(strip, second)[0])
    return strips.concat()[None]


def _moments(
    x: tf.Tensor, step: _Step, height: tf.Tensor, rows: tf.Tensor
) -> tuple[tf.Tensor, tf.Tensor]:
    """Mean and variance of each filter of a convolution, from those of its strips of rows."""
    ones = tf.ones(step.plan.filters)
    count, sums = tf.zeros((), tf.float64), tf.zeros((2, step.plan.filters), tf.float64)
    for start in tf.range(0, height, rows):
        tf.autograph.experimental.set_loop_options(parallel_iterations=1)
        strip = _rows(x, step, start, tf.minimum(start + rows, height))
        norm = tf.raw_ops.FusedBatchNormV3(
            x=strip, scale=ones, offset=ones, mean=[], variance=[], is_training=True
        )
        size = tf.cast(tf.size(strip) // step.plan.filters, tf.float64)
        mean = tf.cast(norm.batch_mean, tf.float64)
        # The fused operation gives the variance of a sample.
        variance = tf.cast(norm.batch_variance, tf.float64) * (size - 1) / size
        count, sums = count + size, sums + size * tf.stack([mean, variance + mean**2])
    mean, square = tf.unstack(sums / count)
    return tf.cast(mean, tf.float32), tf.cast(square - mean**2, tf.float32)


def _normalise(x: tf.Tensor, scale: tf.Tensor, offset: tf.Tensor) -> tf.Tensor:
    # In training mode a batch norm over one picture is instance normalisation; its statistics
    # are float32 also for bfloat16 pictures.
    return tf.raw_ops.FusedBatchNormV3(
        x=x, scale=scale, offset=offset, mean=[], variance=[], epsilon=EPSILON, is_training=True
    ).y


def _normalise_by(
    x: tf.Tensor, scale: tf.Tensor, offset: tf.Tensor, mean: tf.Tensor, variance: tf.Tensor
) -> tf.Tensor:
    return tf.raw_ops.FusedBatchNormV3(
        x=x,
        scale=scale,
        offset=offset,
        mean=mean,
        variance=variance,
        epsilon=EPSILON,
        is_training=False,
    ).y


def _convolve(x: tf.Tensor, step: _Step) -> tf.Tensor:
    return _convolve_padded(_pad(x, step, (1, 2)), step)


def _rows(x: tf.Tensor, step: _Step, start: tf.Tensor, stop: tf.Tensor) -> tf.Tensor:
    """The rows from `start` to `stop`, even numbers, of what `_convolve` gives; of stride 1."""
    if step.plan.upsample:
        start, stop = start // 2, stop // 2
    halo = _halo(step)
    wanted = _inside(tf.range(start - halo, stop + halo), tf.shape(x)[1], step)
    return _convolve_padded(_pad(tf.gather(x, wanted, axis=1), step, (2,)), step)


def _convolve_padded(x: tf.Tensor, step: _Step) -> tf.Tensor:
    if step.plan.upsample:
        x = tf.nn.conv2d(x, step.kernel, 1, "VALID")  # (1, h + 1, w + 1, 4 * filters)
        return tf.nn.depth_to_space(x, 2)[:, 1:-1, 1:-1]  # (1, 2h, 2w, filters)
    if in_blocks(step.plan):
        x = tf.nn.conv2d(tf.nn.space_to_depth(x, 2), step.kernel, 1, "VALID")
        return tf.nn.depth_to_space(x, 2)
    return tf.nn.conv2d(x, step.kernel, step.plan.stride, "VALID")


def _halo(step: _Step) -> int:
    """Pixels that a convolution needs around its input."""
    return 1 if step.plan.upsample else step.plan.kernel_size // 2


def _inside(index: tf.Tensor, size: tf.Tensor, step: _Step) -> tf.Tensor:
    """The rows that stand for those beyond the borders."""
    if step.plan.upsample:
        # Reflecting an upsampled picture by one pixel repeats the outermost pixel of the small one.
        return tf.clip_by_value(index, 0, size - 1)
    return size - 1 - tf.abs(size - 1 - tf.abs(index))


def _pad(x: tf.Tensor, step: _Step, axes: tuple[int, ...]) -> tf.Tensor:
    amount = _halo(step)
    if amount == 0:
        return x
    for axis in axes:
        if step.plan.upsample:  # see `_inside`
            ends = [_slice(x, axis, 0, 1), _slice(x, axis, -1, None)]
        else:
            mirrored = _slice(x, axis, 1, amount + 1), _slice(x, axis, -amount - 1, -1)
            ends = [tf.reverse(end, [axis]) for end in mirrored]
        x = tf.concat([ends[0], x, ends[1]], axis)
    return x


def _slice(x: tf.Tensor, axis: int, start: int, stop: int | None) -> tf.Tensor:
    return x[:, start:stop] if axis == 1 else x[:, :, start:stop]


def in_blocks(step: Convolution) -> bool:
    """Whether a convolution runs on blocks of 2x2 pixels."""
    # Only where the padding is whole blocks, and three channels make the plain form slow.
    return (
        step.stride == 1
        and step.kernel_size % 4 == 1
        and step.kernel_size > 1
        and (3 in (step.inputs, step.filters))
    )


def rewritten(step: Convolution, kernel: np.ndarray) -> np.ndarray:
    """The kernel of the fewer, wider operations that stand for this convolution here."""
    if step.upsample:
        return _fold_upsampling(kernel)
    return _fold_blocks(kernel) if in_blocks(step) else kernel


def _fold_upsampling(kernel: np.ndarray) -> np.ndarray:
    """3x3 on doubled pixels -> 2x2 on single ones, per phase: (2, 2, inputs, 4 * filters).

    In one dimension the doubled row u[2i] = u[2i + 1] = x[i] gives, with taps a, b, c, the even
    pixel a x[i-1] + (b + c) x[i] and the odd pixel (a + b) x[i] + c x[i+1]. The window on x[i-1]
    and x[i] thus makes the odd pixel of the one and the even pixel of the other. Laid out in this
    order all pixels are in their places, but for one too many at each border.
    """
    even = np.array([[1, 0, 0], [0, 1, 1]], np.float32)  # (2 taps, 3 taps)
    odd = np.array([[1, 1, 0], [0, 0, 1]], np.float32)
    phases = [
        np.einsum("ay,bx,yxio->abio", down, across, kernel)
        for down in (odd, even)
        for across in (odd, even)
    ]
    return np.concatenate(phases, axis=3)


def _fold_blocks(kernel: np.ndarray) -> np.ndarray:
    """Kernel of k x k pixels -> (k // 2 + 1) squared on 2x2 blocks laid into channels.

    Returns (k // 2 + 1, k // 2 + 1, 4 * inputs, 4 * filters); output pixel (p, q) of a block
    reads input pixel (r, s) of the block (m, n) with the tap that lies between them.
    """
    size, _, inputs, filters = kernel.shape
    taps = size // 2 + 1
    folded = np.zeros((taps, taps, 2, 2, inputs, 2, 2, filters), np.float32)
    for p in range(2):
        for q in range(2):
            for y in range(size):
                for x in range(size):
                    m, r = divmod(p + y, 2)
                    n, s = divmod(q + x, 2)
                    folded[m, n, r, s, :, p, q] = kernel[y, x]
    return folded.reshape(taps, taps, 4 * inputs, 4 * filters)
