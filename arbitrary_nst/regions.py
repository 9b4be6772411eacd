"""Regions: masks that say where in a picture each style goes."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

import numpy as np
from PIL import Image

from arbitrary_nst.errors import InputError
from arbitrary_nst.image import load_image, resize
from arbitrary_nst.image_arrays import resample

_LUMA = np.array([0.299, 0.587, 0.114], np.float32)
Mask = np.ndarray | None


def read_masks(masks: Any, count: int, max_pixels: int) -> list[Mask]:
    """Reads one mask per style.

    Args:
        masks: for each style an image of any kind and size, white where the style goes and black
            where it does not, or None for a style that goes where no mask is.
        count: of the styles.
        max_pixels: largest image that is read.

    Returns:
        float32 `(h, w)` in `[0, 1]`, or None, for each style.

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
    rgb, alpha = load_image(mask, max_pixels=max_pixels, role=f"mask {number}")
    grey = rgb @ _LUMA
    if alpha is not None:
        grey = grey * alpha
    if grey.max() < 1 / 255:
        raise InputError(
            f"Mask {number} is black all over, so its style would be nowhere. Expected white "
            f"where the style goes."
        )
    return grey.clip(0, 1).astype(np.float32)


def weights_of(
    masks: Sequence[Mask], shares: Sequence[float], shape: tuple[int, int]
) -> tuple[np.ndarray, np.ndarray | None]:
    """How much of each style is where, and how much of the picture covers the photo.

    Where masks overlap, styles mix by their shares. Styles without a mask share what the masks
    leave; without such a style the photo itself stays there.

    Args:
        masks: as `read_masks` gives them; they are scaled to `shape`, as soft as they are.
        shares: of the styles, of sum 1.
        shape: height and width of the picture.

    Returns:
        float32 `(H, W, num_styles)` of sum 1, and float32 `(H, W)` in `[0, 1]`, or None where
        the picture covers all.
    """
    scaled = [None if mask is None else _scaled(mask, shape) for mask in masks]
    over = [s for mask, s in zip(masks, shares, strict=True) if mask is not None]
    rest = [s for mask, s in zip(masks, shares, strict=True) if mask is None]
    cover = np.zeros(shape, np.float32)  # by masks whose style has a share at all
    mixed = np.zeros(shape, np.float32)
    for mask, share in zip(scaled, shares, strict=True):
        if mask is not None and share > 0:
            cover += mask
            mixed += share * mask
    cover = cover.clip(0, 1)
    weights = np.empty((*shape, len(masks)), np.float32)
    leaves = sum(rest) > 0
    for index, (mask, share) in enumerate(zip(scaled, shares, strict=True)):
        if mask is None:
            weights[..., index] = (1 - cover) * (share / sum(rest) if leaves else 0)
        else:
            # Where no mask is, any mixture does: the photo is laid over it.
            alone = share / sum(over) if sum(over) > 0 else 1 / len(over)
            own = share * mask / np.maximum(mixed, 1e-12)
            own = np.where(mixed > 1e-6, own, alone)
            weights[..., index] = own * (cover if leaves else 1)
    weights /= np.maximum(weights.sum(axis=-1, keepdims=True), 1e-6)
    return weights, None if leaves else cover


def _scaled(mask: np.ndarray, shape: tuple[int, int]) -> np.ndarray:
    if mask.shape[0] > shape[0] and mask.shape[1] > shape[1]:
        return resize(mask, shape=shape)
    # A Lanczos filter would put a faint ring around every edge that it enlarges.
    return resample(mask, shape, Image.Resampling.BILINEAR).clip(0, 1)
