"""Images in and out: the only door to files, PIL and uint8.

Everywhere else in the package an image is a float32 array `(H, W, 3)`, sRGB, in `[0, 1]`.
"""

from __future__ import annotations

import math
import os
import warnings
from pathlib import Path
from typing import Any, BinaryIO

import numpy as np
from PIL import Image

from arbitrary_nst.common.atomic import check_target, replacing
from arbitrary_nst.common.checks import check_quality, positive_int
from arbitrary_nst.errors import ImageError, InputError
from arbitrary_nst.image.arrays import (
    LUMA,
    as_floats,
    check_image,
    fill_hidden,
    resample,
    to_uint8,
)
from arbitrary_nst.image.reading import damage_as_image_error, describe, read_source

ImageSource = str | os.PathLike[str] | bytes | BinaryIO | Image.Image | np.ndarray

DEFAULT_MAX_PIXELS = 64_000_000

_OUTPUT_FORMATS = {
    ".png": "PNG",
    ".jpg": "JPEG",
    ".jpeg": "JPEG",
    ".webp": "WEBP",
    ".tif": "TIFF",
    ".tiff": "TIFF",
    ".bmp": "BMP",
}
IMAGE_SUFFIXES = tuple(_OUTPUT_FORMATS)  # of the files that are written, and of most that are read
_MAX_OUTPUT_SIDE = {"JPEG": 65_535, "WEBP": 16_383}


def load_image(
    source: ImageSource,
    *,
    max_pixels: int = DEFAULT_MAX_PIXELS,
    role: str = "content",
    keep_bytes_above: int | None = None,
) -> tuple[np.ndarray, np.ndarray | None]:
    """Reads an image of any usual kind as sRGB floats, upright, with its transparency beside it.

    EXIF orientation is applied and ICC profiles are converted to sRGB. 16-bit greyscale keeps
    its precision. Of an animation the first frame is read (of a PIL image the current one).
    Colours under fully transparent pixels are arbitrary in most files, often black; they are
    replaced by colours spread from the visible pixels, so that a network which looks at
    neighbourhoods does not carry them into the picture.

    The pixel count is checked before the pixels are decoded. PIL has a limit of its own: it
    warns above `PIL.Image.MAX_IMAGE_PIXELS` and refuses twice that. It is a setting of the whole
    process, and silencing warnings is not safe between threads, so both are left as they are:
    to read larger images, raise `max_pixels` and `PIL.Image.MAX_IMAGE_PIXELS`.

    Args:
        source: path, bytes, binary file object (read from where it stands), PIL image, or array
            `(H, W)`, `(H, W, 1)`, `(H, W, 3)` or `(H, W, 4)`: uint8 in `[0, 255]`, uint16 in
            `[0, 65535]`, float in `[0, 1]`, or bool (black and white). Never modified.
        max_pixels: largest width times height that is accepted.
        role: what the image is to the caller, named in messages ("content", "style 2").
        keep_bytes_above: where given, an image of more pixels, of 8 bits and without
            transparency, comes as uint8 `(H, W, 3)` in `[0, 255]`, a quarter as large.

    Returns:
        `(rgb, alpha)`: float32 `(H, W, 3)` in `[0, 1]`, and float32 `(H, W)` in `[0, 1]`, or
        None where the source has no transparency. A fully opaque alpha channel is kept, so that
        the output can have the channels of the input.

    Raises:
        ImageNotFound: the path does not exist.
        ImageTooLarge: the image has more than `max_pixels` pixels.
        ImageError: anything else that keeps the image from being read.
    """
    name = describe(source, role)
    max_pixels = positive_int(max_pixels, "max_pixels")
    with damage_as_image_error(name, max_pixels):
        rgb, alpha, notes = read_source(source, name, max_pixels, keep_bytes_above or math.inf)
    for note in notes:  # outside the guard: a caller may have turned warnings into errors
        warnings.warn(note, stacklevel=2)
    if alpha is not None:
        rgb = fill_hidden(rgb, alpha)
    return rgb, alpha


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
    return check_target(path)


def save_image(picture: Image.Image, path: str | os.PathLike[str], *, quality: int = 95) -> None:
    """Saves a picture in the format its suffix names, whole or not at all.

    The picture is written to a new file beside the target, which it then replaces in one step:
    when something fails, a file that was there before is left as it was. A symbolic link is
    followed, and the permissions of a replaced file are kept. JPEG and BMP cannot hold
    transparency: there the picture is laid on white. JPEG is written without chroma subsampling.

    Args:
        picture: PIL image of mode "L", "RGB" or "RGBA", for example from `to_pil`.
        path: file name ending in .png, .jpg, .jpeg, .webp, .tif, .tiff or .bmp.
        quality: 1 to 100, for JPEG and WebP; the other formats are lossless.

    Raises:
        InputError: `path` cannot be written (see `check_output_path`), or `quality` is wrong.
        ImageError: the picture has another mode, or is too large for the format.
        OSError: the disk failed or is full.
    """
    target = check_output_path(path)
    file_format = _OUTPUT_FORMATS[Path(path).suffix.lower()]
    _check_picture(picture, file_format)
    check_quality(quality)
    options: dict[str, Any] = {"quality": quality} if file_format in ("JPEG", "WEBP") else {}
    if file_format == "JPEG":
        options["subsampling"] = 0
    if picture.mode == "RGBA" and file_format in ("JPEG", "BMP"):
        white = Image.new("RGBA", picture.size, "white")
        picture = Image.alpha_composite(white, picture).convert("RGB")
    with replacing(target) as file:
        picture.save(file, format=file_format, **options)


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
        side = positive_int(longer_side, "longer_side")
        longest = max(image.shape[:2])
        height, width = (max(1, round(size * side / longest)) for size in image.shape[:2])
    else:
        height, width = (positive_int(size, "shape") for size in shape)
    if (height, width) == image.shape[:2]:
        return np.array(image, np.float32)
    return resample(image, (height, width), Image.Resampling.LANCZOS).clip(0, 1)


def scaled_photo(photo: np.ndarray, shape: tuple[int, int]) -> np.ndarray:
    """A photo of float32 or uint8 at another size: float32 `(*shape, 3)` in `[0, 1]`.

    One that has this size already comes as it is.
    """
    if photo.shape[:2] == shape:
        return photo
    if photo.dtype != np.uint8:
        return resize(photo, shape=shape)
    return as_floats(Image.fromarray(photo).resize(shape[::-1], Image.Resampling.LANCZOS))


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
