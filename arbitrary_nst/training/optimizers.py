"""Adam, and Muon for the kernels of the painting network.

Adam scales every number by itself, so a kernel's step is ruled by the few directions that most of
the gradient has. Muon makes all singular values of a kernel's step the same (Jordan 2024,
https://kellerjordan.github.io/posts/muon/), which suits kernels whose scale a normalisation takes
out again: each direction learns as fast. docs/training.md has what it gained here.
"""

from __future__ import annotations

import math
from collections.abc import Sequence

import keras
from keras import ops

MOMENTUM = 0.95
# So long are Adam's steps on average, of the learning rate (Liu et al. 2025, arXiv 2502.16982).
STEP = 0.2
# A quintic that takes every singular value in (0, 1] near 1 within five rounds (Jordan 2024).
NEWTON_SCHULZ = (3.4445, -4.7750, 2.0315)
ROUNDS = 5
MIN_SIDE = 16  # of a kernel as a matrix; fewer directions are left to Adam


class Muon(keras.optimizers.Adam):
    """Adam, but for `kernels`: their momentum is made orthogonal before the step.

    The variables that it keeps are Adam's, so a run may change from one to the other. (Keras' own
    `Muon` leaves kernels of convolutions to Adam.)

    Args:
        learning_rate: a number or a Keras schedule, the same for both ways.
        kernels: variables (height, width, channels in, channels out) of convolutions.
        **options: of `keras.optimizers.Adam`.
    """

    def __init__(self, learning_rate, *, kernels: Sequence[keras.Variable] = (), **options):
        super().__init__(learning_rate, **options)
        # Not the variables themselves, which Keras would count among the optimizer's own.
        self._kernels = {id(kernel) for kernel in kernels if min(_matrix_shape(kernel)) >= MIN_SIDE}
        self._orthogonal: set[int] = set()

    def build(self, variables):
        """Makes the moments; `keras.optimizers.Optimizer` calls it."""
        super().build(variables)
        # By index, since TensorFlow hands its own variables to `update_step`.
        self._orthogonal = {
            i for i, variable in enumerate(variables) if id(variable) in self._kernels
        }

    def update_step(self, gradient, variable, learning_rate):
        """One step on one variable; `keras.optimizers.Optimizer` calls it."""
        index = self._get_variable_index(variable)
        if index not in self._orthogonal:
            super().update_step(gradient, variable, learning_rate)
            return
        momentum = self._momentums[index]
        gradient = ops.cast(gradient, variable.dtype)
        self.assign(momentum, MOMENTUM * momentum + gradient)
        ahead = gradient + MOMENTUM * momentum  # Nesterov's
        rows, columns = _matrix_shape(variable)
        step = orthogonal(ops.reshape(ahead, (rows, columns)))
        step = ops.reshape(step, variable.shape) * (STEP * max(rows, columns) ** 0.5)
        self.assign_sub(variable, ops.cast(learning_rate, variable.dtype) * step)


def _matrix_shape(kernel) -> tuple[int, int]:
    """All inputs of a pixel by all outputs."""
    *inputs, outputs = kernel.shape
    return math.prod(inputs), outputs


def orthogonal(matrix):
    """The matrix with all its singular values near 1 (0.7 to 1.2), by Newton and Schulz.

    Args:
        matrix: float (M, N). Directions whose singular value is below some thousandth of the
            Frobenius norm come out smaller.
    """
    rows, columns = matrix.shape
    wide = matrix if rows <= columns else ops.transpose(matrix)
    wide = wide / (ops.norm(wide) + 1e-7)
    a, b, c = NEWTON_SCHULZ
    for _ in range(ROUNDS):
        square = ops.matmul(wide, ops.transpose(wide))
        wide = a * wide + ops.matmul(b * square + c * ops.matmul(square, square), wide)
    return wide if rows <= columns else ops.transpose(wide)
