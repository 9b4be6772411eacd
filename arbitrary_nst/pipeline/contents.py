"""Photos on their way to an engine: read, scaled, and grouped by size."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable, Iterator
from typing import Any, NamedTuple, TypeVar

import numpy as np
from PIL import Image

from arbitrary_nst.errors import InputError
from arbitrary_nst.image import ImageSource, load_photo, resize, scaled_photo
from arbitrary_nst.image.arrays import check_size
from arbitrary_nst.image.resizing import resized_shape
from arbitrary_nst.pipeline.arguments import Options

BATCH_PIXELS = 2**21  # photos of one size go through the network together up to this many pixels
LARGE_PIXELS = 2**24  # above, a photo stays in bytes: as floats it would take four times as much

Item = TypeVar("Item")


class Content(NamedTuple):
    """A photo to paint.

    `rgb`: `(H, W, 3)`, float32 in `[0, 1]`, or uint8 where the photo is large; `alpha`: float32
    `(H, W)` in `[0, 1]`, or None where there is no transparency; `exif`: what its picture is to
    have of its EXIF data.
    """

    rgb: np.ndarray
    alpha: np.ndarray | None
    exif: bytes = b""


def load_content(source: ImageSource, options: Options) -> Content:
    """Reads a photo, and scales it.

    Args:
        source: as in `stylize`.
        options: of which `size`, `max_pixels`, `bits` and `keep_metadata` count here.

    Raises:
        ImageError: it cannot be read, or is too large.
    """
    size, max_pixels, is_deep = options.size, options.max_pixels, options.bits == 16
    rgb, alpha, exif = load_photo(
        source,
        max_pixels=max_pixels,
        keep_bytes_above=None if is_deep else LARGE_PIXELS,
        metadata=options.keep_metadata,
        deep=is_deep,
    )
    if size is not None:
        height, width = resized_shape(rgb.shape, size)
        check_size(height, width, f"content image at size={size}", max_pixels)
        rgb = scaled_photo(rgb, (height, width))
        alpha = None if alpha is None else resize(alpha, shape=rgb.shape[:2])
    return Content(rgb, alpha, exif)


def check_contents(contents: Any) -> None:
    """Raises `InputError` for what is no list of photos, such as a single one."""
    single = isinstance(contents, (str, bytes, os.PathLike, np.ndarray, Image.Image))
    if single or hasattr(contents, "read") or not isinstance(contents, Iterable):
        raise InputError(
            f"`contents` must be a list of photos; for a single photo there is `stylize`. "
            f"Received: {type(contents).__name__}."
        )


def by_size(
    items: Iterable[Item], content_of: Callable[[Item], Content | None], most: int | None = None
) -> Iterator[list[Item]]:
    """Neighbours whose photos have one shape, together up to `BATCH_PIXELS` pixels.

    Where the items end with an `InputError`, those before it still come first.

    Args:
        items: that have a photo, or none, as where it could not be read.
        content_of: the photo of an item; neighbours without one are a group of their own.
        most: items of a group; None: as many as have room.
    """
    group: list[Item] = []
    present = None
    try:
        for item in items:
            content = content_of(item)
            shape = None if content is None else content.rgb.shape
            pixels = 1 if shape is None else shape[0] * shape[1]
            room = (len(group) + 1) * pixels <= BATCH_PIXELS and (most is None or len(group) < most)
            if group and (shape != present or not room):
                yield group
                group = []
            group.append(item)
            present = shape
    except InputError:
        if group:
            yield group
        raise
    if group:
        yield group
