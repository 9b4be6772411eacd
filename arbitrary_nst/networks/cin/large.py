"""The cin network on photos that are too large to be computed at once: the same picture, by rows.

Instance normalisation needs mean and deviation of whole arrays, so tiles that are painted on their
own differ; and statistics from a thumbnail (Chen et al. 2022, "Towards Ultra-Resolution Neural
Style Transfer via Thumbnail Instance Normalization") or from a sample of the photo are about right
only. Here they are exact. The network is gone through step by step: strips of rows of what a
convolution gives are computed for its mean and deviation, and forgotten. Kept are the arrays of low
resolution, from a level on that fits into memory, for most of the steps are there; what lies before
and after is computed again for each pass.
"""

from __future__ import annotations

from collections.abc import Callable
from itertools import pairwise
from typing import Any

import numpy as np
import tensorflow as tf

from arbitrary_nst.errors import InputError
from arbitrary_nst.image.arrays import as_floats, grown_rows, to_uint8
from arbitrary_nst.networks.cin.fast import (
    FastCin,
    FastConvolution,
    convolve_padded,
    halo_of,
    noise_of_level,
    pad,
)
from arbitrary_nst.networks.cin.layout import noise_source
from arbitrary_nst.networks.cin.noise import draw_noise
from arbitrary_nst.networks.cin.norms import RegionNorm, Strips, StyleNorm

STRIP_PIXELS = 2**20  # of the photo
STRIP_BYTES = 4e8  # for the work on one strip


def paint_large(
    network: FastCin,
    content: np.ndarray,
    gamma: np.ndarray,
    beta: np.ndarray,
    *,
    weights: np.ndarray | None = None,
    seed: int = 0,
    max_memory: float = 2e9,
    progress: Callable[[int, int], None] = lambda done, total: None,
) -> np.ndarray:
    """Paints a photo in bounded memory.

    Args:
        network: with its kernels.
        content: `(H, W, 3)`, float32 in `[0, 1]` or uint8 in `[0, 255]`.
        gamma: float32 (layout.style_size,), or with weights (num_styles, layout.style_size).
        beta: likewise.
        weights: (H, W, num_styles) of sum 1, how much of each style is where; better float16,
            for they count as memory that is taken.
        seed: of the noise, the same as for the whole photo.
        max_memory: bytes that may be taken, beside content and picture; more is faster.
        progress: called as progress(done, total) after every pass.

    Returns:
        The picture, of the content's shape, dtype and range.
    """
    multiple = network.layout.multiple
    # As the whole photo would be, it is grown by reflection to the network's multiple.
    height, width = (-(-side // multiple) * multiple for side in content.shape[:2])
    size = height, width
    held = 0 if weights is None else weights[0, 0].nbytes
    level = kept_level(network, height * width, max_memory, held)
    norm: StyleNorm | RegionNorm
    if weights is None:
        norm, strip_pixels = StyleNorm(gamma, beta), STRIP_PIXELS
    else:
        norm = RegionNorm(gamma, beta, weights, size, len(network.layout.channels))
        strip_pixels = STRIP_PIXELS // 2  # whose scales and offsets are as large as they are
    passes = _Passes(network, content, size, norm, seed, level, strip_pixels)
    total = len(network.steps) + 1
    for done, step in enumerate(network.steps, start=1):
        passes.measure(step)
        progress(done, total)
    picture = passes.picture()
    progress(total, total)
    return picture


def bytes_needed(network: FastCin, pixels: int, level: int, held: int = 0) -> float:
    """About how much `paint_large` takes when it keeps arrays from that level on.

    Args:
        network: with its kernels.
        pixels: of the photo.
        level: of the highest resolution that is kept.
        held: bytes of weights for each pixel.
    """
    filters = {step.plan.name: step.plan.filters / 4**step.level for step in network.steps}
    kept: set[str] = set()
    most = 0.0
    for step in network.steps[:-1]:
        if step.level >= level:
            kept.add(step.plan.name)
            most = max(most, sum(filters[name] for name in kept))
            kept = still_needed(network, kept, step)
    # Weights at all levels: 1 + 1/4 + 1/16 + ... = 4/3.
    per_pixel = most * np.dtype(kept_dtype(network)).itemsize + held * 4 / 3
    return per_pixel * pixels + STRIP_BYTES


def still_needed(network: FastCin, kept: set[str], done: FastConvolution) -> set[str]:
    """Those of the kept arrays from which the steps after `done`, or the last one, are computed."""
    steps = network.steps
    before = {b.plan.name: a.plan.name for a, b in pairwise(steps)}
    plans = {step.plan.name: step.plan for step in steps}

    def inputs(name: str) -> set[str]:
        plan, found = plans[name], set()
        for source in (plan.source or before.get(name), plan.shortcut):
            if source in kept:
                found.add(source)
            elif source in plans:
                found |= inputs(source)
        return found

    to_come = [*steps[steps.index(done) + 1 :], steps[-1]]
    return set().union(*(inputs(step.plan.name) for step in to_come))


def kept_dtype(network: FastCin) -> Any:
    """Two bytes for every number: the network's own bfloat16, or half precision."""
    is_half = network.dtype.size == 2
    return network.dtype.as_numpy_dtype if is_half else np.float16


def kept_level(network: FastCin, pixels: int, max_memory: float, held: int = 0) -> int:
    """The highest resolution whose arrays can be kept, as level of the network.

    The arguments are those of `bytes_needed`.

    Raises:
        InputError: not even those of the lowest fit.
    """
    lowest = max(step.level for step in network.steps)
    for level in range(lowest + 1):
        if bytes_needed(network, pixels, level, held) <= max_memory:
            return level
    least = bytes_needed(network, pixels, lowest, held)
    raise InputError(
        f"A photo of {pixels / 1e6:.1f} megapixels needs {least / 1e9:.1f} GB to be painted. "
        f"Expected `max_memory` to be as much. Received: {max_memory / 1e9:g} GB. Raise it, or "
        f"set `working_size`, which needs little."
    )


class _Passes:
    """What is known so far: statistics of the steps gone through, and arrays that are kept."""

    def __init__(
        self,
        network: FastCin,
        content: np.ndarray,
        size: tuple[int, int],
        norm: StyleNorm | RegionNorm,
        seed: int,
        level: int,
        strip_pixels: int,
    ) -> None:
        self._network, self._content, self._norm = network, content, norm
        self._steps = {step.plan.name: step for step in network.steps}
        names = list(self._steps)
        self._before = dict(zip(names[1:], names[:-1], strict=True))
        self._level, self._strip_pixels = level, strip_pixels
        self._height, self._width = size
        self._noise = draw_noise(network.layout, self._height, self._width, seed)
        levels = range(network.layout.noise_levels)
        self._noise_levels = {noise_source(level): level for level in levels}
        self._kept: dict[str, np.ndarray] = {}

    def measure(self, step: FastConvolution) -> None:
        """Statistics of what a convolution gives, which is kept where it is small."""
        is_kept = step.level >= self._level and step is not self._network.steps[-1]
        array = self._array(step) if is_kept else None
        self._norm.measure(step, self._convolved_strips(step, array))
        if array is not None:
            self._finish(step, array)

    def _convolved_strips(self, step: FastConvolution, array: np.ndarray | None) -> Strips:
        for top, stop in self._strips(step.level):
            rows = self._convolved(step, top, stop)
            if array is not None:
                array[top:stop] = rows.numpy()[0]
            yield top, stop, rows

    def picture(self) -> np.ndarray:
        """The last pass, when all steps are measured."""
        height, width = self._content.shape[:2]
        picture = np.empty_like(self._content)
        last = self._network.steps[-1]
        for top, stop in self._strips(0):
            rows = self._rows(last.plan.name, top, stop).numpy()[0, : height - top, :width]
            picture[top:stop] = to_uint8(rows) if picture.dtype == np.uint8 else rows
        return picture

    def _array(self, step: FastConvolution) -> np.ndarray:
        rows, columns = self._height >> step.level, self._width >> step.level
        return np.empty((rows, columns, step.plan.filters), kept_dtype(self._network))

    def _finish(self, step: FastConvolution, array: np.ndarray) -> None:
        """Normalises and activates a kept array in its place, and forgets those that are done."""
        for top, stop in self._strips(step.level):
            raw = tf.cast(array[None, top:stop], self._network.dtype)
            rows = self._finished(step, raw, top, stop)
            array[top:stop] = rows.numpy()[0]
        self._kept[step.plan.name] = array
        needed = still_needed(self._network, set(self._kept), step)
        self._kept = {name: kept for name, kept in self._kept.items() if name in needed}

    def _source(self, step: FastConvolution) -> str:
        return step.plan.source or self._before.get(step.plan.name, "content")

    def _strips(self, level: int):
        """Windows of rows at a level that are about equally much of the photo."""
        height = self._height >> level
        rows = max(16, self._strip_pixels // self._width // 16 * 16) >> level
        return ((top, min(top + rows, height)) for top in range(0, height, rows))

    def _rows(self, name: str, top: int, stop: int) -> tf.Tensor:
        """Rows of what a step gives, activated: (1, stop - top, w, filters)."""
        if name in self._kept:
            return tf.cast(self._kept[name][None, top:stop], self._network.dtype)
        step = self._steps[name]
        return self._finished(step, self._convolved(step, top, stop), top, stop)

    def _finished(self, step: FastConvolution, x: tf.Tensor, top: int, stop: int) -> tf.Tensor:
        if step.plan.activation == "sigmoid":
            x = tf.cast(x, tf.float32)
        x = self._norm.apply(x, step, top, stop)
        if step.plan.activation == "sigmoid":
            return tf.sigmoid(x)
        shortcut = step.plan.shortcut
        return tf.nn.relu(x) if shortcut is None else self._rows(shortcut, top, stop) + x

    def _convolved(self, step: FastConvolution, top: int, stop: int) -> tf.Tensor:
        """Rows of what a convolution gives; at full resolution an even number from an even one."""
        plan, halo = step.plan, halo_of(step)
        if plan.upsample:
            wanted = np.arange(top // 2 - 1, stop // 2 + 1)
        else:
            wanted = np.arange(plan.stride * top - halo, plan.stride * (stop - 1) + halo + 1)
        level = step.level + plan.upsample - (plan.stride == 2)
        height = self._height >> level
        if plan.upsample:
            # Reflecting an upsampled picture by one pixel repeats the outermost pixel of the
            # small one.
            inside = wanted.clip(0, height - 1)
        else:
            inside = height - 1 - abs(height - 1 - abs(wanted))
        # Even bounds, for the convolutions whose rows come in pairs.
        first, last = int(inside.min()) // 2 * 2, int(inside.max()) // 2 * 2 + 2
        x = self._input(self._source(step), first, min(last, height))
        if not np.array_equal(inside - first, np.arange(x.shape[1])):
            x = tf.gather(x, inside - first, axis=1)
        return convolve_padded(pad(x, step, (2,)), step)

    def _input(self, source: str, top: int, stop: int) -> tf.Tensor:
        if source in self._noise_levels:
            level = self._noise_levels[source]
            first, last = top >> level, -(-stop >> level)
            cells = tf.cast(self._noise[None, first:last], self._network.dtype)
            rows = noise_of_level(self._network.layout, cells, level)
            return rows[:, top - (first << level) : stop - (first << level)]
        if source != "content":
            return self._rows(source, top, stop)
        x = as_floats(grown_rows(self._content, top, stop, self._width))
        return tf.cast(x[None], self._network.dtype)
