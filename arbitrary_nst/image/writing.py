"""Pictures out: as PIL images, and into files, whole or not at all."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image

from arbitrary_nst.common.atomic import check_target, replacing
from arbitrary_nst.common.checks import check_quality
from arbitrary_nst.errors import ImageError, InputError
from arbitrary_nst.image.arrays import check_image, to_uint8

_OUTPUT_FORMATS = {
    ".png": "PNG",
    ".jpg": "JPEG",
    ".jpeg": "JPEG",
    ".jfif": "JPEG",  # as Windows and some sites name it
    ".webp": "WEBP",
    ".avif": "AVIF",  # where PIL has it
    ".tif": "TIFF",
    ".tiff": "TIFF",
    ".bmp": "BMP",
}
IMAGE_SUFFIXES = tuple(_OUTPUT_FORMATS)  # of the files that are written, and of most that are read
_MAX_OUTPUT_SIDE = {"JPEG": 65_535, "WEBP": 16_383, "AVIF": 65_536}
_WITH_QUALITY = ("JPEG", "WEBP", "AVIF")


def to_pil(image: np.ndarray, alpha: np.ndarray | None = None) -> Image.Image:
    """Turns a float image into an 8-bit PIL image; values are clipped and rounded to nearest.

    Args:
        image: float array `(H, W, 3)`, RGB in `[0, 1]`.
        alpha: float array `(H, W)` in `[0, 1]`, or None.

    Returns:
        PIL image of mode "RGB", or "RGBA" where `alpha` is given.
    """
    check_image(image, "image", (3,))
    if alpha is None:
        return Image.fromarray(to_uint8(image))
    check_image(alpha, "alpha", (2,))
    if alpha.shape != image.shape[:2]:
        raise ImageError(
            f"`alpha` needs the height and width of `image`. Expected shape {image.shape[:2]}. "
            f"Received: {alpha.shape}. Resize it with `resize(alpha, shape=image.shape[:2])`."
        )
    return Image.fromarray(to_uint8(np.concatenate([image, alpha[..., None]], axis=-1)))


def check_output_path(path: str | os.PathLike[str]) -> Path:
    """Checks that `path` can be written, so that heavy work is not done in vain.

    Args:
        path: a file name whose suffix names a supported format, in an existing, writable folder.

    Returns:
        The file that will be written: `path` with symbolic links followed.

    Raises:
        InputError: the suffix is unknown, or the folder is missing or not writable, or `path`
            is a folder or something else that is not a file.
    """
    suffix = Path(path).suffix.lower()
    if suffix not in _OUTPUT_FORMATS:
        raise InputError(
            f"The output path needs a suffix that names an image format. Expected one of "
            f"{', '.join(_OUTPUT_FORMATS)}. Received: {os.fspath(path)!r}."
        )
    if not can_write(suffix):
        raise InputError(
            f"This Pillow cannot write {suffix} files. Choose another format, or install "
            f"pillow 11.3 or later: pip install --upgrade pillow. Received: {os.fspath(path)!r}."
        )
    return check_target(path)


def can_write(suffix: str) -> bool:
    """Whether files of this suffix can be written here, with a dot and of any case."""
    file_format = _OUTPUT_FORMATS.get(suffix.lower())
    Image.preinit()  # enough for most, and soon done
    if file_format not in Image.SAVE:
        Image.init()
    return file_format in Image.SAVE


def save_image(picture: Image.Image, path: str | os.PathLike[str], *, quality: int = 95) -> None:
    """Saves a picture in the format its suffix names, whole or not at all.

    The picture is written to a new file beside the target, which it then replaces in one step:
    when something fails, a file that was there before is left as it was. A symbolic link is
    followed, and the permissions of a replaced file are kept. JPEG and BMP cannot hold
    transparency: there the picture is laid on white. JPEG and AVIF are
    written without chroma subsampling.

    Args:
        picture: PIL image of mode "L", "RGB" or "RGBA", for example from `to_pil`.
        path: file name ending in .png, .jpg, .jpeg, .jfif, .webp, .avif, .tif, .tiff or .bmp.
        quality: 1 to 100, for JPEG, WebP and AVIF; the other formats are lossless.

    Raises:
        InputError: `path` cannot be written (see `check_output_path`), or `quality` is wrong.
        ImageError: the picture has another mode, or is too large for the format.
        OSError: the disk failed or is full.
    """
    target = check_output_path(path)
    file_format = _OUTPUT_FORMATS[Path(path).suffix.lower()]
    _check_picture(picture, file_format)
    check_quality(quality)
    options: dict[str, Any] = {"quality": quality} if file_format in _WITH_QUALITY else {}
    if file_format == "JPEG":
        options["subsampling"] = 0
    if file_format == "AVIF":
        options["subsampling"] = "4:4:4"
    if picture.mode == "RGBA" and file_format in ("JPEG", "BMP"):
        white = Image.new("RGBA", picture.size, "white")
        picture = Image.alpha_composite(white, picture).convert("RGB")
    with replacing(target) as file:
        picture.save(file, format=file_format, **options)


def _check_picture(picture: Any, file_format: str) -> None:
    """Checks what `save_image` is given."""
    mode = picture.mode if isinstance(picture, Image.Image) else type(picture).__name__
    if mode not in ("L", "RGB", "RGBA"):
        raise ImageError(
            f"`picture` needs to be a PIL image of mode L, RGB or RGBA. Received: {mode}. "
            f"Convert a float array with `to_pil`, a PIL image with `picture.convert('RGB')`."
        )
    max_side = _MAX_OUTPUT_SIDE.get(file_format)
    if max_side and max(picture.size) > max_side:
        raise ImageError(
            f"{file_format} holds at most {max_side} pixels per side. Received: {picture.width} "
            f"by {picture.height}. Save as .png instead."
        )
