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

from arbitrary_nst.common.keras_on_tensorflow import keras

PAIRS = 10
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
            remembers, each of which takes twice the memory of the values, and `blurs`, for values
            `(h, w, c)`: see `_lbfgs`.

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
    x: np.ndarray = start.astype(np.float32)
    loss, gradient = function(x)
    gradient = np.asarray(gradient, np.float32)
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
        moved, turned = found.values - x, found.gradient - gradient
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
        if value <= loss + 1e-4 * min(0.0, _dot(values - x, gradient)):
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
    for moved, turned, inverse in reversed(pairs):
        share = inverse * _dot(moved, direction)
        shares.append(share)
        direction -= np.float32(share) * turned
    direction = _with_blurs(direction, blurs)
    if pairs:
        _, turned, inverse = pairs[-1]
        direction *= np.float32(1.0 / (inverse * _dot(turned, _with_blurs(turned, blurs))))
    for (moved, turned, inverse), share in zip(pairs, reversed(shares), strict=True):
        direction += np.float32(share - inverse * _dot(turned, direction)) * moved
    return direction


def _with_blurs(values: np.ndarray, blurs: Blurs) -> np.ndarray:
    """An array and blurred copies of it, added up: symmetric and positive, as L-BFGS needs it."""
    if not blurs:
        return values
    from scipy.ndimage import gaussian_filter

    total = values.copy()
    for sigma, weight in blurs:
        blurred = gaussian_filter(values, (sigma, sigma, 0), mode="reflect", truncate=3)
        blurred *= np.float32(weight)
        total += blurred
    return total


def _dot(first: np.ndarray, second: np.ndarray) -> float:
    return float(np.vdot(first, second))


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
