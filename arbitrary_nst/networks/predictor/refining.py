"""How a vector follows a gradient: the same for all that compute one."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence

import numpy as np

LEARNING_RATE = 0.03  # of Adam, falling to zero
CONTENT_WEIGHT = 0.05
DECAYS, SMALL = (0.9, 0.999), 1e-7  # of Adam's two averages; added to the root of the second

# Takes gamma and beta, float32 (style_size,), and the number of the step; gives their gradients.
Gradients = Callable[[np.ndarray, np.ndarray, int], Sequence[np.ndarray]]


def follow(
    gradients: Gradients, arrays: Mapping[str, np.ndarray], steps: int, learning_rate: float
) -> dict[str, np.ndarray]:
    """Fits a vector by Adam (Kingma, Ba 2015).

    Args:
        gradients: of the loss.
        arrays: "gamma" and "beta", float32 (style_size,), where to start.
        steps: of the optimiser.
        learning_rate: at the beginning; it falls to zero in a straight line.

    Returns:
        "gamma" and "beta", fitted.
    """
    values = np.stack([arrays["gamma"], arrays["beta"]])
    mean, square = np.zeros_like(values), np.zeros_like(values)
    for step in range(steps):
        slope = np.stack(gradients(values[0], values[1], step))
        mean += (1 - DECAYS[0]) * (slope - mean)
        square += (1 - DECAYS[1]) * (slope**2 - square)
        first, second = (1 - decay ** (step + 1) for decay in DECAYS)
        rate = learning_rate * (1 - step / steps) * np.sqrt(second) / first
        values -= np.float32(rate) * mean / (np.sqrt(square) + SMALL)
    return dict(zip(("gamma", "beta"), values, strict=True))
