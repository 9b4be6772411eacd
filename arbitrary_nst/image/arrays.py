"""Images as arrays: checked, scaled to floats, resampled, recoloured. No files here."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
from PIL import Image

from arbitrary_nst.errors import ImageError, ImageTooLarge

LUMA = np.array([0.299, 0.587, 0.114], np.float32)  # ITU-R BT.601
_ROUNDING = 1e-5  # how far a float image may leave [0, 1] before it counts as wrongly scaled


def from_array(
    array: np.ndarray, name: str, max_pixels: int, keep_bytes_above: float = math.inf
) -> tuple[np.ndarray, np.ndarray | None]:
    """Checks an array and scales it; returns new arrays, rgb and alpha."""
    _check_array_shape(array, name)
    check_size(array.shape[0], array.shape[1], name, max_pixels)
    is_large = array.shape[0] * array.shape[1] > keep_bytes_above
    if is_large and array.dtype == np.uint8 and array.shape[2:] == (3,):
        return array.copy(), None
    if array.dtype.kind == "f":
        _check_float_range(array, name)
        scaled = array.astype(np.float32).clip(0, 1)
    elif array.dtype.kind == "b" or (array.dtype.kind == "u" and array.dtype.itemsize <= 2):
        white = 1 if array.dtype.kind == "b" else np.iinfo(array.dtype).max
        scaled = array.astype(np.float32) / np.float32(white)
    else:
        raise ImageError(
            f"The {name} has dtype {array.dtype}. Expected uint8 in [0, 255], uint16 in "
            f"[0, 65535], float in [0, 1], or bool. Convert it, for example with "
            f"`array.astype('uint8')`."
        )
    if scaled.ndim == 2:
        scaled = scaled[..., None]
    if scaled.shape[-1] == 1:
        scaled = np.repeat(scaled, 3, axis=-1)
    alpha = scaled[..., 3].copy() if scaled.shape[-1] == 4 else None
    return np.ascontiguousarray(scaled[..., :3]), alpha


def fill_hidden(rgb: np.ndarray, alpha: np.ndarray) -> np.ndarray:
    """Fills colours where alpha is zero with those of the visible pixels around.

    Each level fills its holes from an alpha-weighted copy of half the size, which is filled the
    same way ("push-pull"): smooth, near the closest visible colours, and linear in the number of
    pixels. One flat colour would be simpler, but shows as an edge that a network stylizes.
    """
    hidden = alpha == 0
    if not hidden.any() or hidden.all():
        return rgb
    height, width = alpha.shape
    half = (height + 1) // 2, (width + 1) // 2
    half_alpha = resample(alpha, half, Image.Resampling.BOX)
    half_rgb = np.empty((*half, 3), np.float32)
    for channel in range(3):  # one by one: of a large photo each copy counts
        weighted = resample(rgb[..., channel] * alpha, half, Image.Resampling.BOX)
        half_rgb[..., channel] = (weighted / np.maximum(half_alpha, 1e-30)).clip(0, 1)
    half_rgb = fill_hidden(half_rgb, half_alpha)
    filled = rgb.copy()
    for channel in range(3):
        spread = resample(half_rgb[..., channel], (height, width), Image.Resampling.BILINEAR)
        filled[..., channel][hidden] = spread[hidden]
    return filled


def resample(image: np.ndarray, shape: tuple[int, int], method: Image.Resampling) -> np.ndarray:
    """Resizes `(H, W)` or `(H, W, C)` channel by channel: PIL resamples floats one at a time."""
    if image.ndim == 3:
        channels = [resample(image[..., c], shape, method) for c in range(image.shape[-1])]
        return np.stack(channels, axis=-1)
    channel = Image.fromarray(np.ascontiguousarray(image, np.float32))
    return np.array(channel.resize((shape[1], shape[0]), method))


def grown_rows(image: np.ndarray, top: int, stop: int, width: int) -> np.ndarray:
    """Rows of an image that is grown by reflection, below and on the right, without growing it.

    Args:
        image: `(H, W, C)` of any dtype.
        top: first row; within the image.
        stop: row after the last one; may lie beyond the image, by less than H.
        width: columns; may be more than W, by less than W.

    Returns:
        `(stop - top, width, C)` of the same dtype.
    """
    rows = image[top:stop]
    height = image.shape[0]
    if stop > height:
        # The first row beyond the end mirrors the one before the last.
        mirrored = [2 * height - 2 - row for row in range(top + rows.shape[0], stop)]
        rows = np.concatenate([rows, image[mirrored]])
    right = width - image.shape[1]
    return np.pad(rows, ((0, 0), (0, right), (0, 0)), mode="reflect") if right else rows


def as_floats(image: np.ndarray | Image.Image) -> np.ndarray:
    """An image of uint8 as float32 in `[0, 1]`; one of float32 as it is."""
    pixels = np.asarray(image)
    return pixels if pixels.dtype == np.float32 else pixels.astype(np.float32) / np.float32(255)


def to_uint8(image: np.ndarray) -> np.ndarray:
    # In place: for a large picture each step would take hundreds of megabytes of its own.
    levels = np.multiply(image, np.float32(255), dtype=np.float32)
    return np.rint(levels.clip(0, 255, out=levels), out=levels).astype(np.uint8)


def keep_color(stylized: np.ndarray, content: np.ndarray) -> np.ndarray:
    """Gives a stylized picture the colours of the photo: luma of one, chroma of the other.

    In YIQ, as in any space of luma and colour differences whose luma weights sum to one,
    exchanging the luma is the same as adding the difference of the lumas to each channel.

    Reference: Gatys et al. 2016, "Preserving Color in Neural Artistic Style Transfer",
    section 4 (luminance-only transfer; without its matching of luminance histograms).

    Args:
        stylized: float32 array `(H, W, 3)`, RGB in `[0, 1]`.
        content: float32 array of the same shape, RGB in `[0, 1]`.

    Returns:
        float32 array `(H, W, 3)`, clipped to `[0, 1]`.
    """
    check_image(stylized, "stylized", (3,))
    check_image(content, "content", (3,))
    if stylized.shape != content.shape:
        raise ImageError(
            f"`stylized` and `content` need the same shape. "
            f"Received: {stylized.shape} and {content.shape}."
        )
    luma_difference = (stylized - content) @ LUMA  # (H, W)
    return (content + luma_difference[..., None]).clip(0, 1).astype(np.float32)


# Checks.


def check_size(height: int, width: int, name: str, max_pixels: int) -> None:
    if height * width > max_pixels:
        raise ImageTooLarge(
            f"The {name} is too large: {width} by {height} is {width * height} pixels. Expected "
            f"at most max_pixels={max_pixels}. Make it smaller or raise `max_pixels`."
        )
    if height * width == 0:
        raise ImageError(f"The {name} has no pixels: it is {width} wide and {height} high.")


def _check_array_shape(array: np.ndarray, name: str) -> None:
    if array.ndim == 2 or (array.ndim == 3 and array.shape[-1] in (1, 3, 4)):
        return
    hint = ""
    if array.ndim == 4 and array.shape[0] == 1:
        hint = " Drop the batch axis: image[0]."
    elif array.ndim == 3 and array.shape[0] in (1, 3, 4):
        hint = " Put the channels last: np.moveaxis(image, 0, -1)."
    raise ImageError(
        f"The {name} has a wrong shape. Expected (H, W), (H, W, 1), (H, W, 3) or (H, W, 4). "
        f"Received: {array.shape}.{hint}"
    )


def _check_float_range(array: np.ndarray, name: str) -> None:
    low, high = float(array.min()), float(array.max())
    if not np.isfinite([low, high]).all():
        raise ImageError(f"The {name} holds NaN or infinite values. Expected values in [0, 1].")
    if low < -_ROUNDING or high > 1 + _ROUNDING:
        hint = "Divide by 255." if low >= 0 and 2 < high <= 255 else "Rescale it."
        raise ImageError(
            f"The {name} has float values outside [0, 1]. Received: {low:.6g} to {high:.6g}. {hint}"
        )


def check_image(array: Any, name: str, ndims: tuple[int, ...]) -> None:
    """Checks an image that should already keep the package's contract, apart from its range."""
    shapes = {3: "(H, W, 3)", 2: "(H, W)"}
    expected = " or ".join(shapes[ndim] for ndim in ndims)
    if not isinstance(array, np.ndarray) or array.dtype.kind != "f":
        kind = array.dtype if isinstance(array, np.ndarray) else type(array).__name__
        raise ImageError(f"`{name}` needs to be a float array {expected}. Received: {kind}.")
    wrong_channels = array.ndim == 3 and array.shape[-1] != 3
    if array.ndim not in ndims or wrong_channels or array.size == 0:
        raise ImageError(f"`{name}` needs the shape {expected}. Received: {array.shape}.")
    if not np.isfinite(array).all():
        raise ImageError(f"`{name}` holds NaN or infinite values. Expected values in [0, 1].")
