"""The reference photos, on which vectors of style images are fitted."""

from __future__ import annotations

import functools

import numpy as np

from arbitrary_nst.checkpoints import reference_photos
from arbitrary_nst.image import load_image

REFINE_SIZE = 128  # pixels; see docs/predictor.md


@functools.cache
def square_photos() -> tuple[np.ndarray, ...]:
    """Each float32 (side, side, 3) in `[0, 1]`."""
    strip, _ = load_image(reference_photos(), role="reference photos")
    return tuple(np.split(strip, strip.shape[1] // strip.shape[0], axis=1))


@functools.cache
def refining_photos() -> tuple[np.ndarray, ...]:
    """Their middles: half the time, and what is seen there is as large as in a whole photo."""
    return tuple(_middle(photo, REFINE_SIZE) for photo in square_photos())


def _middle(photo: np.ndarray, side: int) -> np.ndarray:
    top, left = ((length - side) // 2 for length in photo.shape[:2])
    return np.ascontiguousarray(photo[top : top + side, left : left + side])
