"""What the identity style takes from each photo."""

from __future__ import annotations

from typing import Any

import numpy as np

# Black and white have no logit. Measured on eight photos, cutting here gave the best PSNR.
DARKEST, LIGHTEST = 0.04, 0.96


def photo_gamma_beta(content: Any, xp: Any = np) -> tuple[Any, Any]:
    """Gamma and beta of the last layer that give a photo its own brightness and contrast back.

    The normalisation before them takes both out, so no vector that is the same for all photos
    could: the identity style has these in the last place. They are the deviation and the mean of
    the photo's logits, since a sigmoid follows.

    Args:
        content: float32 (..., H, W, 3), RGB in `[0, 1]`.
        xp: what computes it: `numpy`, without Keras, or `keras.ops` where tensors are trained on.

    Returns:
        Two float32 (..., 3).
    """
    content = xp.clip(content, DARKEST, LIGHTEST)
    logits = xp.log(content) - xp.log(1 - content)
    mean = _mean(logits, xp)
    # About the mean, and not E[x^2] - E[x]^2, as Keras has it on PyTorch: in an area of one colour
    # that is below zero by rounding.
    variance = _mean(xp.square(logits - mean[..., None, None, :]), xp)
    return xp.sqrt(variance), mean


def _mean(values, xp):
    # Row by row: NumPy adds up one by one, for which float32 is too short in a whole photo.
    return xp.mean(xp.mean(values, axis=-2), axis=-2)
