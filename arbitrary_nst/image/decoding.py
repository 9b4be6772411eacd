"""From a PIL image to sRGB floats, upright, with its transparency beside it."""

from __future__ import annotations

import io
import math
from collections.abc import Callable
from typing import Any, NamedTuple

import numpy as np
from PIL import Image, ImageCms

from arbitrary_nst.errors import ImageError
from arbitrary_nst.image.arrays import as_floats, check_size, from_array
from arbitrary_nst.image.metadata import KeepMetadata, metadata_of
from arbitrary_nst.image.profiles import srgb_profile
from arbitrary_nst.image.tags import BITS, PHOTOMETRIC, tags_fault

ROWS_PIXELS = 2**20  # of strips of rows that become floats at once
ORIENTATION = 0x0112  # the tag
ON_ITS_SIDE, UPSIDE_DOWN, MIRRORED = (5, 6, 7, 8), (3, 4, 7, 8), (2, 3, 6, 7)  # values of it
_WHITE_IS_ZERO = 0


class Decoded(NamedTuple):
    """An image as `reading.load_image` gives it, texts to warn with, and EXIF data to keep."""

    rgb: np.ndarray
    alpha: np.ndarray | None
    notes: list[str]
    exif: bytes = b""


def decoded(
    image: Image.Image,
    name: str,
    max_pixels: int,
    keep_bytes_above: float = math.inf,
    *,
    metadata: KeepMetadata = False,
    deep: Callable[[Image.Image], np.ndarray] | None = None,
) -> Decoded:
    """Turns a PIL image into upright sRGB floats, or bytes where it is large and opaque.

    Args:
        image: lazily opened, or in memory; decoded here, but not closed nor changed.
        name: of the image in messages.
        max_pixels: largest width times height.
        keep_bytes_above: as for `reading.load_image`.
        metadata: which EXIF data to keep, see `metadata.metadata_of`.
        deep: gives the colours of all their bits, uint16, where Pillow has cut them to 8.

    Returns:
        See `Decoded`.
    """
    notes: list[str] = []
    check_size(image.height, image.width, name, max_pixels)
    transparent = _transparent_colour(image)  # what is stored is known before it is decoded
    image.load()
    orientation = _orientation(image, name, notes)
    if image.mode.startswith(("I", "F")):
        rgb, alpha = _from_deep_grey(image, name, notes)
        rgb = upright(rgb, orientation)
    else:
        if transparent is not None:
            image = _with_transparency(image, transparent)
        colour, alpha_image = _split_alpha(image)
        profile = image.info.get("icc_profile")
        converted = _to_srgb(colour, profile, name, notes)
        del colour  # of a large photo each copy counts
        is_large = alpha_image is None and image.height * image.width > keep_bytes_above
        if deep is not None:
            rgb = upright(_deep_colours(deep(image), converted, profile, name, notes), orientation)
        elif is_large:
            rgb = upright(np.asarray(converted), orientation)
        else:
            rgb = _floats(converted, orientation)
        alpha = None if alpha_image is None else as_floats(alpha_image)
    exif = b""
    try:
        exif = metadata_of(image, metadata)
    except ValueError as error:
        notes.append(f"The {name} has EXIF data that cannot be kept: {error}.")
    return Decoded(rgb, None if alpha is None else upright(alpha, orientation), notes, exif)


def _floats(image: Image.Image, orientation: int = 1) -> np.ndarray:
    """`as_floats` of an RGB image, upright, by strips of rows: whole copies cost gigabytes."""
    height, width = image.height, image.width
    turned = orientation in ON_ITS_SIDE
    rgb = np.empty((width, height, 3) if turned else (height, width, 3), np.float32)
    lying = rgb  # the same numbers, as the image has them
    if orientation in MIRRORED:
        lying = lying[:, ::-1]
    if orientation in UPSIDE_DOWN:
        lying = lying[::-1]
    if turned:
        lying = lying.swapaxes(0, 1)
    rows = max(1, ROWS_PIXELS // width)
    for top in range(0, height, rows):
        stop = min(top + rows, height)
        lying[top:stop] = as_floats(image.crop((0, top, width, stop)))
    return rgb


def _orientation(image: Image.Image, name: str, notes: list[str]) -> int:
    try:
        # Before `getexif`, which copies what each tag points at.
        if not tags_fault(image.info.get("exif") or b""):
            return image.getexif().get(ORIENTATION, 1)
    except Exception:  # as many kinds as for damaged pixels
        pass
    notes.append(f"The {name} has damaged EXIF data; its orientation is ignored.")
    return 1


def upright(array: np.ndarray, orientation: int) -> np.ndarray:
    """Undoes one of the eight EXIF orientations of an array `(H, W, ...)`."""
    # Not `ImageOps.exif_transpose`: it writes the other tags anew, which fails on odd ones that
    # cameras leave there, and then the photo would lie on its side.
    if orientation in ON_ITS_SIDE:
        array = array.swapaxes(0, 1)
    if orientation in UPSIDE_DOWN:
        array = array[::-1]
    if orientation in MIRRORED:
        array = array[:, ::-1]
    return np.ascontiguousarray(array)


# Transparency.


def _transparent_colour(image: Image.Image) -> int | tuple[int, ...] | None:
    """The colour of a PNG that is transparent, where Pillow does not scale it with the pixels.

    Grey of 2 and 4 bits is spread to 8 while it is decoded, and RGB of 16 bits cut to 8; the
    colour stays as the file has it. (Cut to 8 bits, its nearest neighbours are transparent, too.)
    """
    colour = image.info.get("transparency")
    tile = getattr(image, "tile", None)
    if image.format != "PNG" or colour is None or not tile:
        return None
    stored = tile[0][3]
    stored = stored[0] if isinstance(stored, tuple) else stored
    if stored in ("L;2", "L;4") and isinstance(colour, int):
        return colour * (85 if stored == "L;2" else 17)
    if stored == "RGB;16B" and isinstance(colour, tuple):
        return tuple(value >> 8 for value in colour)
    return None


def _with_transparency(image: Image.Image, colour: int | tuple[int, ...]) -> Image.Image:
    copy = image.copy()  # the caller's is not changed
    copy.info["transparency"] = colour
    return copy


def _split_alpha(image: Image.Image) -> tuple[Image.Image, Image.Image | None]:
    """Returns an 8-bit image of mode L, RGB or CMYK, and the alpha channel if there is one."""
    grey = image.mode in ("1", "L", "La", "LA")
    if image.has_transparency_data and image.mode not in ("CMYK", "HSV", "LAB", "YCbCr"):
        image = image.convert("LA" if grey else "RGBA")
        return image.convert("L" if grey else "RGB"), image.getchannel("A")
    if image.mode == "CMYK":
        return image, None  # kept: its ICC profile is made for four channels
    return _as_mode(image, "L" if grey else "RGB"), None


def _as_mode(image: Image.Image, mode: str) -> Image.Image:
    """`convert` without the copy where it has this mode."""
    return image if image.mode == mode else image.convert(mode)


# Colours.


def _to_srgb(image: Image.Image, icc_profile: Any, name: str, notes: list[str]) -> Image.Image:
    """Converts mode L, RGB or CMYK to RGB, through the embedded profile where it is usable."""
    if not icc_profile or icc_profile == srgb_profile():  # ours, which says what is so anyway
        return _as_mode(image, "RGB")
    try:
        profile = ImageCms.ImageCmsProfile(io.BytesIO(icc_profile))
        space = profile.profile.xcolor_space.strip()
        if image.mode == "L" and space == "RGB":
            image = image.convert("RGB")
        if image.mode != {"RGB": "RGB", "GRAY": "L", "CMYK": "CMYK"}.get(space):
            raise ValueError(f"it is a profile for {space} in an image of mode {image.mode}")
        srgb = ImageCms.createProfile("sRGB")
        converted = ImageCms.profileToProfile(image, profile, srgb, outputMode="RGB")
        return converted or _as_mode(image, "RGB")
    except (ImageCms.PyCMSError, OSError, TypeError, ValueError, ImportError) as error:
        notes.append(
            f"The {name} has an ICC colour profile that cannot be used ({error}); "
            f"its colours are read as sRGB."
        )
        return _as_mode(image, "RGB")


# More than 8 bits.


def _deep_colours(
    pixels: np.ndarray, converted: Image.Image, profile: Any, name: str, notes: list[str]
) -> np.ndarray:
    """Colours of 16 bits as floats, where no colour management, which knows 8 bits, is needed."""
    if profile and not _is_srgb(profile):
        notes.append(
            f"The {name} has 16 bits a channel and a colour profile other than sRGB, which is "
            f"applied to 8 of them."
        )
        return _floats(converted)
    return pixels.astype(np.float32) / np.float32(65535)


def _is_srgb(profile: Any) -> bool:
    try:
        opened = ImageCms.ImageCmsProfile(io.BytesIO(profile))
        return "srgb" in ImageCms.getProfileDescription(opened).lower()
    except (ImageCms.PyCMSError, OSError, TypeError, ValueError, ImportError):
        return True  # it cannot be used, which is said elsewhere


def _from_deep_grey(
    image: Image.Image, name: str, notes: list[str]
) -> tuple[np.ndarray, np.ndarray | None]:
    """Reads PIL's 16-bit (I;16, I) and float (F) greyscale, which `convert` would clip at 255."""
    values = np.asarray(image)
    transparent = image.info.get("transparency")
    alpha = None if transparent is None else (values != transparent).astype(np.float32)
    if image.mode == "F":
        rgb, _ = from_array(values, name, values.size)
    else:
        rgb, _ = from_array(_sixteen_bits(image, values, name), name, values.size)
    if _tiff_number(image, PHOTOMETRIC) == _WHITE_IS_ZERO:
        # Pillow turns such a TIFF round while it decodes 8 bits, and no others.
        rgb = 1 - rgb
    profile = image.info.get("icc_profile")
    if profile:
        # Colour management works on 8 bits here. For greyscale a profile is no more than a tone
        # curve per channel, so 256 grey levels are sent through it and interpolated between.
        ramp = Image.fromarray(np.arange(256, dtype=np.uint8)[None])
        curve = as_floats(_to_srgb(ramp, profile, name, notes))[0]  # (256, 3)
        grid = np.linspace(0, 1, 256)
        channels = [np.interp(rgb[..., c], grid, curve[:, c]) for c in range(3)]
        rgb = np.stack(channels, axis=-1).astype(np.float32)
    return rgb, alpha


def _sixteen_bits(image: Image.Image, values: np.ndarray, name: str) -> np.ndarray:
    """Integers of PIL's as uint16, where 65535 is white.

    Raises:
        ImageError: they do not fit, or nobody can tell what is white.
    """
    low, high = values.min(), values.max()
    if low < 0 or high > 65535:
        raise ImageError(
            f"The {name} has integer values that do not fit 16 bits. Expected 0 to 65535. "
            f"Received: {low} to {high}. Convert it to 16 or 8 bits."
        )
    if image.mode == "I" and image.format in (None, "TIFF") and 1 <= high <= 255:
        # Read as 16 bits it would be black; read as 8 bits a dark one would be bright.
        raise ImageError(
            f"The {name} has integers of 32 bits, of which the largest is {high}, so that white "
            f"may be 255 or 65535. Expected 8 or 16 bits. Convert it, for example with "
            f"`Image.fromarray(np.asarray(image).astype('uint8'))`."
        )
    if _tiff_number(image, BITS) == 12:
        return np.rint(values * (65535 / 4095)).astype(np.uint16)
    return values.astype(np.uint16)


def _tiff_number(image: Image.Image, tag: int) -> int | None:
    """The first number of a tag of a TIFF file; None for other images."""
    if image.format != "TIFF":
        return None
    value = getattr(image, "tag_v2", {}).get(tag)
    return value[0] if isinstance(value, tuple) else value
