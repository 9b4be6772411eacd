"""Pictures that are painted small and come out large: the photo's fine structure put back.

Strokes have a size in pixels, so a picture that is painted at 512 pixels and one at 4000 are two
different pictures. Painted at a working size and enlarged, strokes stay as they were seen, but
hair, leaves and edges would be blurred. What the enlargement lacks is the photo's own fine
structure, the photo less its enlarged self, and that is added as strongly as the picture follows
the photo around that place: fully where strokes follow the photo's light and shade, not at all
where they go their own ways.

The gain is the slope of the local linear regression of the picture's luma on the photo's, as in
He, Sun, Tang 2013, "Guided Image Filtering".
"""

from __future__ import annotations

import numpy as np
from PIL import Image

from arbitrary_nst.image.arrays import LUMA, as_floats, to_uint8

RADIUS = 4  # pixels of the working size around each, in which the gain is measured
EPSILON = 1e-3  # variance of luma below which a place counts as flat
STRIP_PIXELS = 2**21


def restore_detail(photo: np.ndarray, small: np.ndarray, picture: np.ndarray) -> np.ndarray:
    """Enlarges a picture to the size of its photo, with the photo's fine structure.

    Works in strips of rows, so a large photo needs little beside itself and the result.

    Args:
        photo: the photo, float32 `(H, W, 3)` in `[0, 1]` or uint8 in `[0, 255]`.
        small: the photo at the working size, float32 `(h, w, 3)` in `[0, 1]`.
        picture: the picture painted from it, float32 `(h, w, 3)` in `[0, 1]`.

    Returns:
        The picture, `(H, W, 3)`, of the photo's dtype and range.
    """
    height, width = photo.shape[:2]
    gain = detail_gain(small, picture)
    maps = np.concatenate([picture, (small @ LUMA)[..., None], gain[..., None]], axis=-1)
    planes = [Image.fromarray(np.ascontiguousarray(maps[..., c])) for c in range(maps.shape[-1])]
    result = np.empty_like(photo)
    rows = max(1, STRIP_PIXELS // width)
    for top in range(0, height, rows):
        stop = min(top + rows, height)
        large = [_enlarged_rows(plane, (height, width), top, stop) for plane in planes]
        luma = as_floats(photo[top:stop]) @ LUMA
        detail = large[4].clip(0, 1) * (luma - large[3])
        for channel in range(3):
            values = large[channel] + detail
            if photo.dtype == np.uint8:
                result[top:stop, :, channel] = to_uint8(values)
            else:
                result[top:stop, :, channel] = values.clip(0, 1)
    return result


def detail_gain(photo: np.ndarray, picture: np.ndarray) -> np.ndarray:
    """How strongly a picture follows its photo's luma around each pixel.

    Args:
        photo: float32 `(h, w, 3)` in `[0, 1]`.
        picture: of the same shape.

    Returns:
        float32 `(h, w)` in `[0, 1]`.
    """
    from scipy.ndimage import uniform_filter  # here, since it would slow every start

    size = 2 * RADIUS + 1
    one, other = photo @ LUMA, picture @ LUMA
    mean_one, mean_other = uniform_filter(one, size), uniform_filter(other, size)
    covariance = uniform_filter(one * other, size) - mean_one * mean_other
    variance = uniform_filter(one * one, size) - mean_one * mean_one
    gain = covariance / (variance.clip(0) + EPSILON)
    # Averaged over all windows that hold the pixel, or the gain would change within a few pixels.
    return uniform_filter(gain.clip(0, 1), size).astype(np.float32)


def _enlarged_rows(plane: Image.Image, shape: tuple[int, int], top: int, stop: int) -> np.ndarray:
    """Rows `top` to `stop` of a plane that is enlarged to `shape`."""
    scale = plane.height / shape[0]
    box = (0, top * scale, plane.width, stop * scale)
    return np.asarray(plane.resize((shape[1], stop - top), Image.Resampling.BICUBIC, box=box))
