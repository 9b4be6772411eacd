"""Pictures out: as PIL images, and into files, whole or not at all."""

from __future__ import annotations

import math
import os
import warnings
from pathlib import Path
from typing import Any, BinaryIO, Literal

import numpy as np
from PIL import Image

from arbitrary_nst.common.atomic import check_target, replacing
from arbitrary_nst.common.checks import check_quality
from arbitrary_nst.errors import ImageError, InputError
from arbitrary_nst.image.arrays import check_image, from_array, to_uint8
from arbitrary_nst.image.deep import DEEP_FORMATS, to_uint16, write_png, write_tiff
from arbitrary_nst.image.metadata import (
    KeepMetadata,
    check_keep_metadata,
    metadata_of,
    sized_metadata,
)
from arbitrary_nst.image.profiles import in_srgb, srgb_profile

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
WITHOUT_EXIF = ("BMP",)  # and without a profile
Bits = Literal[8, 16]  # of a channel


def to_pil(image: np.ndarray, alpha: np.ndarray | None = None) -> Image.Image:
    """Turns a float image into an 8-bit PIL image; values are clipped and rounded to nearest.

    Args:
        image: float array `(H, W, 3)`, RGB in `[0, 1]`.
        alpha: float array `(H, W)` in `[0, 1]`, or None.

    Returns:
        PIL image of mode "RGB", or "RGBA" where `alpha` is given, that says it is sRGB.
    """
    check_image(image, "image", (3,))
    if alpha is None:
        return in_srgb(Image.fromarray(to_uint8(image)))
    check_image(alpha, "alpha", (2,))
    if alpha.shape != image.shape[:2]:
        raise ImageError(
            f"`alpha` needs the height and width of `image`. Expected shape {image.shape[:2]}. "
            f"Received: {alpha.shape}. Resize it with `resize(alpha, shape=image.shape[:2])`."
        )
    return in_srgb(Image.fromarray(to_uint8(np.concatenate([image, alpha[..., None]], axis=-1))))


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


def check_bits(bits: Any, *paths: str | os.PathLike[str]) -> Bits:
    """Checks the argument `bits`, and that the files to be written can have as many.

    Raises:
        InputError: they cannot, or it is neither 8 nor 16.
    """
    if bits not in (8, 16) or isinstance(bits, bool):
        raise InputError(f"`bits` of a channel are 8 or 16. Received: {bits!r:.100}.")
    for path in paths:
        if bits == 16 and _OUTPUT_FORMATS.get(Path(path).suffix.lower()) not in DEEP_FORMATS:
            raise InputError(
                f"A file with 16 bits a channel ends in .png, .tif or .tiff. Received: "
                f"{os.fspath(path)!r}. Choose another name, or 8 bits."
            )
    return 16 if bits == 16 else 8


def save_image(
    picture: Image.Image | np.ndarray,
    path: str | os.PathLike[str],
    *,
    quality: int = 95,
    bits: Bits = 8,
    keep_metadata: KeepMetadata = True,
) -> None:
    """Saves a picture in the format its suffix names, whole or not at all.

    The picture is written to a new file beside the target, which it then replaces in one step:
    when something fails, a file that was there before is left as it was. A symbolic link is
    followed, and the permissions of a replaced file are kept. JPEG and BMP cannot hold
    transparency: there the picture is laid on white. JPEG and AVIF are
    written without chroma subsampling. Colours are marked as sRGB, by a profile; a PIL image with
    a profile of its own keeps that.

    Args:
        picture: PIL image of mode "L", "RGB" or "RGBA", for example of `stylize`; or an array
            `(H, W, 3)` or `(H, W, 4)`, float in `[0, 1]`, uint8 or uint16, for example of
            `stylize_array`.
        path: file name ending in .png, .jpg, .jpeg, .jfif, .webp, .avif, .tif, .tiff or .bmp.
        quality: 1 to 100, for JPEG, WebP and AVIF; the other formats are lossless.
        bits: of a channel: 8, or 16 for .png, .tif and .tiff.
        keep_metadata: whether EXIF data that a PIL image has, as `stylize(keep_metadata=True)`
            gives it, are written. The place (GPS) is left out unless it is "gps".

    Raises:
        InputError: `path` cannot be written (see `check_output_path`), or `quality`, `bits` or
            `keep_metadata` is wrong.
        ImageError: the picture has another mode, shape or range, or is too large for the format.
        OSError: the disk failed or is full.
    """
    target = check_output_path(path)
    file_format = format_of(path)
    keep = check_keep_metadata(keep_metadata)
    bits = check_bits(bits, path)
    check_quality(quality)
    if not isinstance(picture, Image.Image):
        picture = _checked_array(picture)
    _check_picture(picture, file_format)
    exif = b""
    if isinstance(picture, Image.Image) and keep:
        try:
            exif = metadata_of(picture, keep, upright=False)
        except ValueError as error:
            warnings.warn(f"The EXIF data cannot be kept: {error}.", stacklevel=2)
    write_picture(picture, target, file_format, quality=quality, bits=bits, exif=exif)


def write_picture(
    picture: Image.Image | np.ndarray,
    target: Path,
    file_format: str,
    *,
    quality: int = 95,
    bits: Bits = 8,
    exif: bytes = b"",
) -> None:
    """`save_image` of what is checked, with the EXIF data that are given.

    Args:
        picture: PIL image, or array of floats or uint16.
        target: see `check_output_path`.
        file_format: of Pillow.
        quality: as for `save_image`.
        bits: as for `save_image`.
        exif: as `metadata_of` gives them; formats that hold none leave them out.
    """
    if bits == 16:
        if isinstance(picture, Image.Image):
            picture = _as_levels(picture)
        deep = picture if picture.dtype == np.uint16 else to_uint16(picture)
        exif = sized_metadata(exif, deep.shape[1], deep.shape[0])
        write = write_png if file_format == "PNG" else write_tiff
        with replacing(target) as file:
            write(file, deep, srgb_profile(), exif)
        return
    if not isinstance(picture, Image.Image):
        if picture.dtype == np.uint16:
            picture = picture.astype(np.float32) / np.float32(65535)
        picture = to_pil(picture[..., :3], picture[..., 3] if picture.shape[-1] == 4 else None)
    exif = sized_metadata(exif, picture.width, picture.height)
    with replacing(target) as file:
        _write_by_pillow(file, picture, file_format, quality, exif)


def _write_by_pillow(
    file: BinaryIO, picture: Image.Image, file_format: str, quality: int, exif: bytes
) -> None:
    options: dict[str, Any] = {"quality": quality} if file_format in _WITH_QUALITY else {}
    if file_format == "JPEG":
        options["subsampling"] = 0
    if file_format == "AVIF":
        options["subsampling"] = "4:4:4"
    profile = picture.info.get("icc_profile") or (srgb_profile() if picture.mode != "L" else b"")
    if picture.mode == "RGBA" and file_format in ("JPEG", "BMP"):
        white = Image.new("RGBA", picture.size, "white")
        picture = Image.alpha_composite(white, picture).convert("RGB")
    if profile and file_format not in WITHOUT_EXIF:
        options["icc_profile"] = profile
    if exif and file_format not in WITHOUT_EXIF:
        options["exif"] = exif
    elif exif:
        warnings.warn(f"{file_format} holds no EXIF data; they are left out.", stacklevel=3)
    picture.save(file, format=file_format, **options)


def _as_levels(picture: Image.Image) -> np.ndarray:
    """A PIL image as uint16: 257 times its levels of 8 bits."""
    mode = "RGBA" if picture.mode == "RGBA" else "RGB"
    return np.asarray(picture.convert(mode)).astype(np.uint16) * np.uint16(257)


def _checked_array(picture: Any) -> np.ndarray:
    """An array as floats, or as uint16, in which a picture is."""
    if not isinstance(picture, np.ndarray) or picture.ndim != 3 or picture.shape[-1] not in (3, 4):
        shape = picture.shape if isinstance(picture, np.ndarray) else type(picture).__name__
        raise ImageError(
            f"`picture` needs to be a PIL image of mode L, RGB or RGBA, or an array (H, W, 3) or "
            f"(H, W, 4). Received: {shape}."
        )
    if picture.dtype == np.uint16:
        return picture
    rgb, alpha = from_array(picture, "picture", 2**62, math.inf)
    return rgb if alpha is None else np.concatenate([rgb, alpha[..., None]], axis=-1)


def format_of(path: str | os.PathLike[str]) -> str:
    """Pillow's name of the format of a file that `check_output_path` has checked."""
    return _OUTPUT_FORMATS[Path(path).suffix.lower()]


def _check_picture(picture: Image.Image | np.ndarray, file_format: str) -> None:
    """Checks what `save_image` is given."""
    if isinstance(picture, Image.Image) and picture.mode not in ("L", "RGB", "RGBA"):
        raise ImageError(
            f"`picture` needs to be a PIL image of mode L, RGB or RGBA. Received: {picture.mode}. "
            f"Convert it with `picture.convert('RGB')`."
        )
    size = picture.size if isinstance(picture, Image.Image) else picture.shape[1::-1]
    max_side = _MAX_OUTPUT_SIDE.get(file_format)
    if max_side and max(size) > max_side:
        raise ImageError(
            f"{file_format} holds at most {max_side} pixels per side. Received: {size[0]} "
            f"by {size[1]}. Save as .png instead."
        )
