"""The noise that varies the brush where a photo is flat: one rule for all that draw it."""

from __future__ import annotations

import math

import numpy as np

from arbitrary_nst.networks.cin.layout import CinLayout, noise_shape

# Exported networks have the engine's own noise for pictures of up to so many pixels; beyond, it
# is the same again.
NOISE_PIXELS = 2**24


def draw_noise(layout: CinLayout, height: int, width: int, seed: int) -> np.ndarray:
    """The noise for a photo of that size, before or after it is grown to the network's multiple.

    Returns:
        float32 `noise_shape(layout, height, width)`, standard normal.
    """
    shape = noise_shape(layout, height, width)
    return np.random.default_rng(seed).standard_normal(shape, np.float32)


def noise_numbers(layout: CinLayout, seed: int) -> np.ndarray:
    """The noise of every photo in one long row: it is filled in row by row, whatever the size.

    Returns:
        float32 (n,), enough for `NOISE_PIXELS`; n is 0 for a layout without noise.
    """
    count = math.ceil(NOISE_PIXELS / layout.multiple**2) * layout.noise_depth
    return np.random.default_rng(seed).standard_normal(count, np.float32)
