"""Which places of a photo are detailed, and which are flat."""

from __future__ import annotations

import numpy as np
from scipy.ndimage import uniform_filter

from arbitrary_nst.networks.losses import LUMA

DETAIL_WINDOW = 33


def detail_mask(photo: np.ndarray) -> np.ndarray:
    """Where a photo is more detailed than its median: float32 (H, W, 1) of 0 and 1.

    Detail is the gradient of the luma, averaged over squares of `DETAIL_WINDOW` pixels.
    """
    down, across = np.gradient(photo @ LUMA)
    detail = uniform_filter(np.hypot(down, across), DETAIL_WINDOW, mode="nearest")
    return (detail > np.median(detail)).astype(np.float32)[..., None]
