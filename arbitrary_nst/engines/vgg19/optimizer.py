"""Bounded minimisation that hands out its state after every step: L-BFGS and Adam.

Both are generators, so that whoever runs them can show what is there, stop at any step, or go on.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any

import numpy as np
import tensorflow as tf

from arbitrary_nst.common.keras_on_tensorflow import keras

PAIRS = 10
STRIP = 2**20  # numbers
SHORTENINGS = 8
Blurs = Sequence[tuple[float, float]]  # standard deviation in pixels, weight
LossAndGradient = Callable[[np.ndarray], tuple[float, np.ndarray]]


@dataclass(frozen=True)
class State:
    """A point on the way: its values in `[0, 1]`, and the loss there."""

    values: np.ndarray
    loss: float


class Diverged(ArithmeticError):
    """The loss or its gradient is NaN or infinite."""


def minimize_in_steps(
    method: str, function: LossAndGradient, start: np.ndarray, iterations: int, **options: Any
) -> Iterator[State]:
    """Minimises a function of values in `[0, 1]`.

    Args:
        method: "lbfgs" or "adam".
        function: from values to the loss and its gradient, of the same shape.
        start: values in `[0, 1]`.
        iterations: steps at most.
        options: `learning_rate` of Adam; of L-BFGS `pairs`, how many of its last steps it
            remembers, each of which takes twice the memory of the values, `narrow`, whether they
            are kept in bfloat16, which takes half of that, and `blurs`, for values `(h, w, c)`: see
            `_lbfgs`.

    Yields:
        The state after each step. Adam's losses are those before the step.

    Raises:
        Diverged: the loss or the gradient is not finite.
    """
    checked = partial(_finite, function)
    if method == "adam":
        return _adam(checked, start, iterations, **options)
    return _lbfgs(checked, start, iterations, **options)


def _finite(function: LossAndGradient, values: np.ndarray) -> tuple[float, np.ndarray]:
    loss, gradient = function(values)
    if not (np.isfinite(loss) and np.isfinite(gradient).all()):
        raise Diverged(f"the loss is {loss}, and its gradient is not finite everywhere")
    return loss, gradient


def _lbfgs(
    function: LossAndGradient,
    start: np.ndarray,
    iterations: int,
    pairs: int = PAIRS,
    blurs: Blurs = (),
    narrow: bool = False,
) -> Iterator[State]:
    """L-BFGS in float32, within bounds by projection.

    SciPy's L-BFGS-B took as long for a step as VGG19 does for a look (0.28 s of one core at 512
    pixels), and 25 times the picture in float64. Pixels at a bound that the gradient pushes
    outwards are held for the step, and a step is shortened until the loss falls enough, measured
    along the projected path (Bertsekas 1982, "Projected Newton methods for optimization problems
    with simple constraints").

    With `blurs` it starts from a Hessian for which broad changes are cheaper than fine ones, so
    that areas get their colour before they get scratches.

    Reference: Nocedal, Wright, "Numerical Optimization", algorithms 7.4 and 3.1.
    """
    x: np.ndarray = np.asarray(start, np.float32)
    del start  # or it would be kept for as long as this runs
    loss, gradient = function(x)
    gradient = np.asarray(gradient, np.float32)
    kept = tf.bfloat16.as_numpy_dtype if narrow else np.float32
    memory: deque[tuple[np.ndarray, np.ndarray, float]] = deque(maxlen=pairs)
    for _ in range(iterations):
        free = ((x > 0) | (gradient < 0)) & ((x < 1) | (gradient > 0))
        direction = _two_loops(gradient * free, memory, blurs)
        direction *= free
        if memory and _dot(direction, gradient) >= 0:  # old pairs mislead here
            memory.clear()
            direction = _two_loops(gradient * free, memory, blurs)
        del free
        found = _search(function, x, loss, gradient, direction, is_first=not memory)
        del direction
        if found is None:
            if not memory:
                return
            memory.clear()
            continue
        if len(memory) == pairs:  # before the next one takes as much again
            memory.popleft()
        moved = (found.values - x).astype(kept, copy=False)
        turned = (found.gradient - gradient).astype(kept, copy=False)
        x, loss, gradient = found.values, found.loss, found.gradient
        curvature = _dot(moved, turned)
        if curvature > 1e-10 * _dot(turned, turned):
            memory.append((moved, turned, 1.0 / curvature))
        del found, moved, turned
        yield State(x, loss)


@dataclass(frozen=True)
class _Point:
    values: np.ndarray
    loss: float
    gradient: np.ndarray


def _search(
    function: LossAndGradient,
    x: np.ndarray,
    loss: float,
    gradient: np.ndarray,
    direction: np.ndarray,
    *,
    is_first: bool,
) -> _Point | None:
    """The first point along a direction, from near to nearer, where the loss is lower enough."""
    # Without a pair the scale is unknown: a first step of a hundredth at the most moved pixel.
    share = 0.01 / max(float(np.abs(direction).max()), 1e-30) if is_first else 1.0
    for _ in range(SHORTENINGS):
        values = np.float32(share) * direction
        values += x
        np.clip(values, 0, 1, out=values)
        value, slope = function(values)
        if value <= loss + 1e-4 * min(0.0, _dot(values, gradient, less=x)):
            return _Point(values, value, np.asarray(slope, np.float32))
        del values, slope  # before the next ones take as much again
        share /= 2 if is_first else 4
    return None


def _two_loops(
    gradient: np.ndarray, pairs: Sequence[tuple[np.ndarray, np.ndarray, float]], blurs: Blurs
) -> np.ndarray:
    """Minus the gradient times the inverse Hessian that the pairs (moved, turned) tell of.

    The memory of `gradient` is used.
    """
    direction, shares = np.negative(gradient, out=gradient), []
    del gradient
    for moved, turned, inverse in reversed(pairs):
        share = inverse * _dot(moved, direction)
        shares.append(share)
        _add(direction, -share, turned)
    direction = _with_blurs(direction, blurs)
    if pairs:
        _, turned, inverse = pairs[-1]
        direction *= np.float32(1.0 / (inverse * _dot(turned, _with_blurs(turned, blurs))))
    for (moved, turned, inverse), share in zip(pairs, reversed(shares), strict=True):
        _add(direction, share - inverse * _dot(turned, direction), moved)
    return direction


def _with_blurs(values: np.ndarray, blurs: Blurs) -> np.ndarray:
    """An array and blurred copies of it, added up: symmetric and positive, as L-BFGS needs it."""
    if not blurs:
        return values
    from scipy.ndimage import gaussian_filter

    values = np.asarray(values, np.float32)
    total = values.copy()
    for channel in range(values.shape[-1]):  # one at a time, for the sake of memory
        plane = np.ascontiguousarray(values[..., channel])
        for sigma, weight in blurs:
            blurred = gaussian_filter(plane, sigma, mode="reflect", truncate=3)
            blurred *= np.float32(weight)
            total[..., channel] += blurred
    return total


def _dot(first: np.ndarray, second: np.ndarray, *, less: np.ndarray | None = None) -> float:
    """The product of two arrays of one shape, the first less a third; in strips, to save memory."""
    total = 0.0
    for strip in _strips(first):
        one, other = (np.asarray(array[strip], np.float32) for array in (first, second))
        total += float(np.vdot(one if less is None else one - less[strip], other))
    return total


def _add(total: np.ndarray, factor: float, array: np.ndarray) -> None:
    """Adds an array times a factor to another, in strips likewise."""
    for strip in _strips(total):
        total[strip] += np.float32(factor) * np.asarray(array[strip], np.float32)


def _strips(array: np.ndarray) -> Iterator[slice]:
    rows = max(1, STRIP * len(array) // array.size)
    for first in range(0, len(array), rows):
        yield slice(first, first + rows)


def _adam(
    function: LossAndGradient, start: np.ndarray, iterations: int, learning_rate: float = 0.02
) -> Iterator[State]:
    """Kingma, Ba 2015, with a cosine decay, each step projected into the bounds."""
    variable = keras.Variable(start, dtype="float32")
    rate = keras.optimizers.schedules.CosineDecay(learning_rate, iterations)
    adam = keras.optimizers.Adam(rate, epsilon=1e-8)
    for _ in range(iterations):
        values = variable.value.numpy().astype(np.float64)
        loss, gradient = function(values)
        adam.apply([keras.ops.convert_to_tensor(gradient, "float32")], [variable])
        variable.assign(keras.ops.clip(variable, 0.0, 1.0))
        yield State(variable.value.numpy().astype(np.float64), loss)
