"""Images at another size."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from PIL import Image

from arbitrary_nst.common.checks import positive_int
from arbitrary_nst.errors import InputError
from arbitrary_nst.image.arrays import as_floats, check_image, resample

LONGEST = 2**31  # no picture has such a side, and far larger numbers cannot be reckoned with


def resize(
    image: np.ndarray, *, longer_side: int | None = None, shape: tuple[int, int] | None = None
) -> np.ndarray:
    """Resizes with a Lanczos filter, in float, without a detour through 8 bits.

    Args:
        image: float array `(H, W, 3)` or `(H, W)` in `[0, 1]`.
        longer_side: length of the longer side of the result; the aspect ratio is kept. The image
            is enlarged if it is smaller.
        shape: `(height, width)` of the result. Exactly one of the two is given.

    Returns:
        float32 array `(h, w, 3)` or `(h, w)`, clipped to `[0, 1]`; always a new array.
    """
    check_image(image, "image", (2, 3))
    if (longer_side is None) == (shape is None):
        raise InputError(
            f"`resize` needs either `longer_side` or `shape`. "
            f"Received: longer_side={longer_side}, shape={shape}."
        )
    if shape is None:
        height, width = resized_shape(image.shape, positive_int(longer_side, "longer_side"))
    else:
        height, width = (positive_int(size, "shape") for size in shape)
    if (height, width) == image.shape[:2]:
        return np.array(image, np.float32)
    return resample(image, (height, width), Image.Resampling.LANCZOS).clip(0, 1)


def resized_shape(shape: Sequence[int], longer_side: float) -> tuple[int, int]:
    """Height and width of an image when its longer side has that length: 1 at least.

    Args:
        shape: height and width, and perhaps channels.
        longer_side: in pixels; beyond `LONGEST` all are alike, and refused as too large.
    """
    height, width = shape[:2]
    longest = max(height, width)
    longer_side = min(longer_side, LONGEST)
    # One division, so that halves are halves: with a factor some would be rounded the other way.
    height, width = (max(1, round(side * longer_side / longest)) for side in (height, width))
    return height, width


def scaled_photo(photo: np.ndarray, shape: tuple[int, int]) -> np.ndarray:
    """A photo of float32 or uint8 at another size: float32 `(*shape, 3)` in `[0, 1]`.

    One that has this size already comes as it is.
    """
    if photo.shape[:2] == shape:
        return photo
    if photo.dtype != np.uint8:
        return resize(photo, shape=shape)
    return as_floats(Image.fromarray(photo).resize(shape[::-1], Image.Resampling.LANCZOS))
