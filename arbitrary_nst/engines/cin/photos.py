"""The reference photos, on which vectors of style images are fitted."""

from __future__ import annotations

import functools

import numpy as np

from arbitrary_nst.checkpoints import reference_photos
from arbitrary_nst.image import load_image


@functools.cache
def square_photos() -> tuple[np.ndarray, ...]:
    """Each float32 (side, side, 3) in `[0, 1]`."""
    strip, _ = load_image(reference_photos(), role="reference photos")
    return tuple(np.split(strip, strip.shape[1] // strip.shape[0], axis=1))
