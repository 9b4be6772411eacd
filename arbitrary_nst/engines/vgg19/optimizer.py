"""Bounded minimisation that hands out its state after every step: L-BFGS and Adam.

Both are generators, so that whoever runs them can show what is there, stop at any step, or go on.
"""

from __future__ import annotations

import queue
import threading
from collections import deque
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from functools import partial

import numpy as np

from arbitrary_nst.common.keras_on_tensorflow import keras

LEAN_PAIRS = 3
LEAN_HALVINGS = 8
LossAndGradient = Callable[[np.ndarray], tuple[float, np.ndarray]]


@dataclass(frozen=True)
class State:
    """A point on the way: its values in `[0, 1]`, and the loss there."""

    values: np.ndarray
    loss: float


class Diverged(ArithmeticError):
    """The loss or its gradient is NaN or infinite."""


class _Stopped(Exception):
    """Ends the worker of `lbfgs` when nobody wants its steps any more."""


def minimize_in_steps(
    method: str, function: LossAndGradient, start: np.ndarray, iterations: int, **options: float
) -> Iterator[State]:
    """Minimises a function of values in `[0, 1]`.

    Args:
        method: "lbfgs"; "lean", L-BFGS in a third of its memory, a little slower; or "adam".
        function: from values to the loss and its gradient, of the same shape.
        start: values in `[0, 1]`.
        iterations: steps at most.
        options: `learning_rate` of Adam.

    Yields:
        The state after each step. Adam's losses are those before the step.

    Raises:
        Diverged: the loss or the gradient is not finite.
    """
    checked = partial(_finite, function)
    if method == "adam":
        return _adam(checked, start, iterations, **options)
    if method == "lean":
        return _lean_lbfgs(checked, start, iterations)
    return _lbfgs(checked, start, iterations)


def _finite(function: LossAndGradient, values: np.ndarray) -> tuple[float, np.ndarray]:
    loss, gradient = function(values)
    if not (np.isfinite(loss) and np.isfinite(gradient).all()):
        raise Diverged(f"the loss is {loss}, and its gradient is not finite everywhere")
    return loss, gradient


def _lbfgs(function: LossAndGradient, start: np.ndarray, iterations: int) -> Iterator[State]:
    # SciPy calls back and cannot be paused; so it runs in a thread that waits until its last
    # step was taken. The bounds are its own: clipped pixels would spoil its line search.
    steps: queue.Queue[State | BaseException | None] = queue.Queue(maxsize=1)
    stop = threading.Event()

    def put(item: State | BaseException | None) -> None:
        while not stop.is_set():
            try:
                steps.put(item, timeout=0.1)
                return
            except queue.Full:
                continue

    def evaluate(flat: np.ndarray) -> tuple[float, np.ndarray]:
        if stop.is_set():
            raise _Stopped
        loss, gradient = function(flat.reshape(start.shape))
        return loss, gradient.astype(np.float64).ravel()

    def step(intermediate_result) -> None:
        values = intermediate_result.x.reshape(start.shape).copy()
        put(State(values, float(intermediate_result.fun)))

    def work() -> None:
        from scipy.optimize import Bounds, minimize

        try:
            minimize(
                evaluate,
                start.astype(np.float64).ravel(),
                jac=True,
                method="L-BFGS-B",
                bounds=Bounds(np.zeros(start.size), np.ones(start.size)),
                callback=step,
                options={"maxiter": iterations, "maxfun": 4 * iterations, "ftol": 0, "gtol": 0},
            )
            put(None)
        except _Stopped:
            pass
        except BaseException as error:  # to be raised where the steps are read
            put(error)

    worker = threading.Thread(target=work, name="lbfgs", daemon=True)
    worker.start()
    try:
        while (item := steps.get()) is not None:
            if isinstance(item, BaseException):
                raise item
            yield item
    finally:
        stop.set()
        worker.join()


def _lean_lbfgs(function: LossAndGradient, start: np.ndarray, iterations: int) -> Iterator[State]:
    """L-BFGS with float32 and few pairs, for pictures of which SciPy would need gigabytes.

    SciPy keeps 25 times the picture in float64, this about 12 times in float32. Pixels at a bound
    that the gradient pushes outwards are held for the step, and a step is halved until the loss
    falls enough, measured along the projected path (Bertsekas 1982, "Projected Newton methods for
    optimization problems with simple constraints").

    Reference: Nocedal, Wright, "Numerical Optimization", algorithms 7.4 and 3.1.
    """
    x: np.ndarray = start.astype(np.float32)
    loss, gradient = function(x)
    gradient = np.asarray(gradient, np.float32)
    pairs: deque[tuple[np.ndarray, np.ndarray, float]] = deque(maxlen=LEAN_PAIRS)
    for _ in range(iterations):
        free = ((x > 0) | (gradient < 0)) & ((x < 1) | (gradient > 0))
        direction = _two_loops(gradient * free, pairs)
        direction *= free
        slope = _dot(direction, gradient)
        if slope >= 0:  # old pairs mislead here
            pairs.clear()
            direction = -gradient * free
            slope = _dot(direction, gradient)
        # Without a pair the scale is unknown: a first step of a hundredth at the most moved pixel.
        share = 1.0 if pairs else 0.01 / max(float(np.abs(direction).max()), 1e-30)
        found = None
        for _ in range(LEAN_HALVINGS):
            candidate = np.asarray(x + np.float32(share) * direction, np.float32)
            np.clip(candidate, 0, 1, out=candidate)
            candidate_loss, candidate_gradient = function(candidate)
            if candidate_loss <= loss + 1e-4 * min(0.0, _dot(candidate - x, gradient)):
                found = candidate
                break
            share /= 4 if pairs else 2
        if found is None:
            if not pairs:
                return
            pairs.clear()
            continue
        candidate_gradient = np.asarray(candidate_gradient, np.float32)
        del direction, candidate, free
        if len(pairs) == LEAN_PAIRS:  # before the next one takes as much again
            pairs.popleft()
        moved, turned = found - x, candidate_gradient - gradient
        curvature = _dot(moved, turned)
        if curvature > 1e-10 * _dot(turned, turned):
            pairs.append((moved, turned, 1.0 / curvature))
        x, loss, gradient = found, candidate_loss, candidate_gradient
        yield State(x, loss)


def _two_loops(
    gradient: np.ndarray, pairs: Sequence[tuple[np.ndarray, np.ndarray, float]]
) -> np.ndarray:
    """Minus the gradient times the inverse Hessian that the pairs (moved, turned) tell of."""
    direction, shares = -gradient, []
    for moved, turned, inverse in reversed(pairs):
        share = inverse * _dot(moved, direction)
        shares.append(share)
        direction -= np.float32(share) * turned
    if pairs:
        _, turned, inverse = pairs[-1]
        direction *= np.float32(1.0 / (inverse * _dot(turned, turned)))
    for (moved, turned, inverse), share in zip(pairs, reversed(shares), strict=True):
        direction += np.float32(share - inverse * _dot(turned, direction)) * moved
    return direction


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
