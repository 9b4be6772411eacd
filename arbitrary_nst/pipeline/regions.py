"""Regions: masks that say where in a picture each style goes."""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from PIL import Image

from arbitrary_nst.embedding import Embedding
from arbitrary_nst.errors import InputError
from arbitrary_nst.image import load_image
from arbitrary_nst.image.arrays import LUMA, as_floats, to_uint8
from arbitrary_nst.pipeline.contents import LARGE_PIXELS

Mask = np.ndarray | None
Rows = tuple[int, int]  # the first, and the one after the last
ROWS_PIXELS = 2**20  # of strips of rows
LANCZOS_REACH = 3  # pixels of the coarser grid


@dataclass(frozen=True)
class Regions:
    """Styles and where each of them goes.

    Args:
        styles: embeddings of one network.
        shares: of the styles, of sum 1.
        masks: of each style, as `read_masks` gives them.
    """

    styles: Sequence[Embedding]
    shares: Sequence[float]
    masks: Sequence[Mask]


def read_masks(masks: Any, count: int, max_pixels: int) -> list[Mask]:
    """Reads one mask per style.

    Args:
        masks: for each style an image of any kind and size, white where the style goes and black
            where it does not, or None for a style that goes where no mask is.
        count: of the styles.
        max_pixels: largest image that is read.

    Returns:
        For each style float32 `(h, w)` in `[0, 1]`, uint8 in `[0, 255]` where it is large, or None.

    Raises:
        InputError: not a list, or not one mask per style.
        ImageError: a mask that cannot be read, or that is black all over.
    """
    single = isinstance(masks, (str, bytes, np.ndarray, Image.Image))
    given = [] if single or not isinstance(masks, Iterable) else list(masks)
    if len(given) != count:
        raise InputError(
            f"`masks` is a list with one image, or None, for each style. Expected {count}. "
            f"Received: {len(given) if given else repr(masks)[:100]}."
        )
    return [None if m is None else _read(m, n, max_pixels) for n, m in enumerate(given, start=1)]


def _read(mask: Any, number: int, max_pixels: int) -> np.ndarray:
    rgb, alpha = load_image(
        mask, max_pixels=max_pixels, role=f"mask {number}", keep_bytes_above=LARGE_PIXELS
    )
    grey = _grey(rgb)
    if alpha is not None:
        grey = as_floats(grey) * alpha
    if grey.max() < (1 if grey.dtype == np.uint8 else 1 / 255):
        raise InputError(
            f"Mask {number} is black all over, so its style would be nowhere. Expected white "
            f"where the style goes."
        )
    return grey if grey.dtype == np.uint8 else grey.clip(0, 1).astype(np.float32)


def _grey(rgb: np.ndarray) -> np.ndarray:
    """Luma of floats as floats, and of bytes, of which there are many, as bytes."""
    if rgb.dtype != np.uint8:
        return rgb @ LUMA
    grey = np.empty(rgb.shape[:2], np.uint8)
    for top, stop in strips(rgb.shape[:2]):
        grey[top:stop] = to_uint8(as_floats(rgb[top:stop]) @ LUMA)
    return grey


def strips(shape: Sequence[int]) -> Iterator[Rows]:
    """Strips of rows of an image of that height and width, each of about a million pixels."""
    step = max(1, ROWS_PIXELS // shape[1])
    return ((top, min(top + step, shape[0])) for top in range(0, shape[0], step))


def half_weights_of(
    masks: Sequence[Mask], shares: Sequence[float], shape: tuple[int, int]
) -> np.ndarray:
    """`weights_of` as float16, without whole arrays of floats on the way; for large photos."""
    weights = np.empty((*shape, len(masks)), np.float16)
    for top, stop in strips(shape):
        weights[top:stop] = weights_of(masks, shares, shape, (top, stop))
    return weights


def weights_of(
    masks: Sequence[Mask],
    shares: Sequence[float],
    shape: tuple[int, int],
    rows: Rows | None = None,
) -> np.ndarray:
    """How much of each style is where.

    Where masks overlap, styles mix by their shares. Styles without a mask share what the masks
    leave; without such a style the photo itself stays there (see `cover_of`), and any mixture
    does.

    Args:
        masks: as `read_masks` gives them; they are scaled to `shape`, as soft as they are.
        shares: of the styles, of sum 1.
        shape: height and width of the picture.
        rows: of the picture, which alone are wanted; default all.

    Returns:
        float32 `(H, W, num_styles)` of sum 1, or as many rows of it.
    """
    rows = rows or (0, shape[0])
    scaled = [None if mask is None else _scaled(mask, shape, rows) for mask in masks]
    shape = rows[1] - rows[0], shape[1]
    over = [s for mask, s in zip(masks, shares, strict=True) if mask is not None]
    rest = _rest(masks, shares)
    cover = _sum_of_masks(scaled, shares, shape).clip(0, 1)
    mixed = np.zeros(shape, np.float32)
    for mask, share in zip(scaled, shares, strict=True):
        if mask is not None:
            mixed += share * mask
    weights = np.empty((*shape, len(masks)), np.float32)
    for index, (mask, share) in enumerate(zip(scaled, shares, strict=True)):
        if mask is None:
            weights[..., index] = (1 - cover) * (share / rest if rest > 0 else 0)
        else:
            alone = share / sum(over) if sum(over) > 0 else 1 / len(over)
            own = share * mask / np.maximum(mixed, 1e-12)
            own = np.where(mixed > 1e-6, own, alone)
            weights[..., index] = own * (cover if rest > 0 else 1)
    weights /= np.maximum(weights.sum(axis=-1, keepdims=True), 1e-6)
    return weights


def cover_of(
    masks: Sequence[Mask],
    shares: Sequence[float],
    shape: tuple[int, int],
    rows: Rows | None = None,
) -> np.ndarray | None:
    """How much of the picture covers the photo, for the same arguments as `weights_of`.

    Returns:
        float32 `(H, W)` in `[0, 1]`, or as many rows of it; None where the picture covers all.
    """
    rows = rows or (0, shape[0])
    if _rest(masks, shares) > 0:
        return None
    used = [mask if share > 0 else None for mask, share in zip(masks, shares, strict=True)]
    scaled = (None if mask is None else _scaled(mask, shape, rows) for mask in used)
    return _sum_of_masks(scaled, shares, (rows[1] - rows[0], shape[1])).clip(0, 1)


def byte_cover_of(
    masks: Sequence[Mask], shares: Sequence[float], shape: tuple[int, int]
) -> np.ndarray | None:
    """`cover_of` as uint8 in `[0, 255]`, as `half_weights_of` is `weights_of`."""
    whole = np.empty(shape, np.uint8)
    for top, stop in strips(shape):
        cover = cover_of(masks, shares, shape, (top, stop))
        if cover is None:
            return None
        whole[top:stop] = to_uint8(cover)
    return whole


def _rest(masks: Sequence[Mask], shares: Sequence[float]) -> float:
    """The share of the styles that go wherever no mask is."""
    return sum(share for mask, share in zip(masks, shares, strict=True) if mask is None)


def _sum_of_masks(
    scaled: Iterable[Mask], shares: Sequence[float], shape: tuple[int, int]
) -> np.ndarray:
    """The sum of the masks whose style has a share at all."""
    total = np.zeros(shape, np.float32)
    for mask, share in zip(scaled, shares, strict=True):
        if mask is not None and share > 0:
            total += mask
    return total


def _scaled(mask: np.ndarray, shape: tuple[int, int], rows: Rows) -> np.ndarray:
    """Rows of a mask that is scaled to `shape`: float32 `(rows, W)` in `[0, 1]`."""
    top, stop = rows
    if mask.shape == shape:
        return as_floats(mask[top:stop])
    height, width = mask.shape
    shrinks = height > shape[0] and width > shape[1]
    # A Lanczos filter would put a faint ring around every edge that it enlarges.
    method = Image.Resampling.LANCZOS if shrinks else Image.Resampling.BILINEAR
    box = top * height / shape[0], stop * height / shape[0]
    reach = math.ceil(LANCZOS_REACH * max(1.0, height / shape[0])) + 1
    first = max(0, math.floor(box[0]) - reach)
    part = as_floats(mask[first : math.ceil(box[1]) + reach])
    size = shape[1], stop - top
    scaled = Image.fromarray(np.ascontiguousarray(part)).resize(
        size, method, box=(0, box[0] - first, width, box[1] - first)
    )
    return np.array(scaled).clip(0, 1)
