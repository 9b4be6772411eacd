"""The sizes at which the cin engine looks at paintings and photos."""

from __future__ import annotations

import numpy as np

from arbitrary_nst.errors import ImageError
from arbitrary_nst.image import resize

MIN_CONTENT_SIDE = 16
STYLE_SIZE, MIN_STYLE_SIDE = 512, 32  # pixels: longer side of a painting, and its shorter one


def as_looked_at(style: np.ndarray, style_scale: float) -> np.ndarray:
    """A painting at the size at which the predictor sees it.

    Raises:
        ImageError: it is too narrow.
    """
    side = round(STYLE_SIZE * style_scale)
    image = resize(style, longer_side=side)
    if min(image.shape[:2]) < MIN_STYLE_SIDE:
        raise ImageError(
            f"The style image is too narrow: {image.shape[1]}x{image.shape[0]} pixels at a "
            f"longer side of {side}. Expected {MIN_STYLE_SIDE} at least. Crop it."
        )
    return image


def check_side(height: int, width: int) -> None:
    """Raises `ImageError` for a photo that is too small."""
    if min(height, width) < MIN_CONTENT_SIDE:
        raise ImageError(
            f"The cin engine needs photos of at least {MIN_CONTENT_SIDE}x{MIN_CONTENT_SIDE} "
            f"pixels. Received: {width}x{height}."
        )


def grown(batch: np.ndarray, multiple: int) -> np.ndarray:
    """(B, H, W, ...) grown by reflection to a multiple, to be cropped back, never resized."""
    below, right = (-side % multiple for side in batch.shape[1:3])
    batch = batch.astype(np.float32, copy=False)
    if not below and not right:  # a large photo is not copied for nothing
        return batch
    return np.pad(batch, ((0, 0), (0, below), (0, right), (0, 0)), mode="reflect")
