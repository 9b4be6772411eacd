"""Reading images: from any kind of source to sRGB floats, upright, with PIL as the decoder."""

from __future__ import annotations

import contextlib
import io
import math
import os
import warnings
from collections.abc import Iterator
from typing import Any, BinaryIO

import numpy as np
from PIL import Image, ImageCms, UnidentifiedImageError

from arbitrary_nst.common.checks import positive_int
from arbitrary_nst.errors import ImageError, ImageNotFound, ImageTooLarge, InputError
from arbitrary_nst.image.arrays import as_floats, check_size, fill_hidden, from_array

ImageSource = str | os.PathLike[str] | bytes | BinaryIO | Image.Image | np.ndarray

DEFAULT_MAX_PIXELS = 64_000_000

# A list of what may be opened, because PIL's full list holds formats that start other programs
# (EPS runs Ghostscript) or hide a second, larger image inside (ICO). HEIF needs a PIL plug-in.
_INPUT_FORMATS = "AVIF BMP GIF HEIF JPEG JPEG2000 MPO PNG PPM TIFF WEBP".split()
_ORIENTATION_TAG = 0x0112


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


def describe(source: Any, role: str) -> str:
    """Names an input in messages: its role, and its path where it has one."""
    if isinstance(source, str | os.PathLike):
        return f"{role} image {os.fspath(source)!r}"
    return f"{role} image (given as {type(source).__name__})"


@contextlib.contextmanager
def damage_as_image_error(name: str, max_pixels: int) -> Iterator[None]:
    """Turns whatever PIL throws into an `ImageError` that names the image."""
    try:
        yield
    except InputError:
        raise
    except (Image.DecompressionBombError, Image.DecompressionBombWarning) as error:
        raise ImageTooLarge(
            f"The {name} is too large for PIL: {error} Expected at most "
            f"max_pixels={max_pixels}. If you trust the file, raise `max_pixels` and "
            f"`PIL.Image.MAX_IMAGE_PIXELS`; else make the image smaller."
        ) from error
    except UnidentifiedImageError as error:
        raise ImageError(
            f"The {name} is not an image, or its header is damaged. Expected one of these "
            f"formats: {', '.join(_INPUT_FORMATS)} (HEIF and AVIF where PIL has them)."
        ) from error
    except MemoryError as error:
        raise ImageError(f"The {name} does not fit into memory. Make it smaller.") from error
    except Exception as error:
        # PIL's decoders throw nearly anything on damaged files (SyntaxError, struct.error,
        # IndexError, ...); none of it means more to the caller than "this file is damaged".
        raise ImageError(
            f"The {name} cannot be read: it is damaged, cut short, or of an unsupported kind "
            f"({type(error).__name__}: {error}). Open it in an image editor and save it anew."
        ) from error


def read_source(
    source: Any, name: str, max_pixels: int, keep_bytes_above: float = math.inf
) -> tuple[np.ndarray, np.ndarray | None, list]:
    """Finds out what kind of source it is; returns rgb, alpha and texts to warn with."""
    if isinstance(source, Image.Image):
        return _decode(source, name, max_pixels, keep_bytes_above)
    if isinstance(source, np.ndarray) or hasattr(source, "__array__"):
        return *from_array(np.asarray(source), name, max_pixels, keep_bytes_above), []
    if isinstance(source, str | os.PathLike):
        with _open_file(source, name) as file:
            return _read_file(file, name, max_pixels, keep_bytes_above)
    if hasattr(source, "read"):
        source = source.read()
    if isinstance(source, bytes | bytearray | memoryview):
        return _read_file(io.BytesIO(source), name, max_pixels, keep_bytes_above)
    if isinstance(source, str):
        raise ImageError(f"The {name} is a text file. Open it in binary mode: open(path, 'rb').")
    raise ImageError(
        f"The {name} is of a type that cannot be read. Expected a path, bytes, a binary file "
        f"object, a PIL image or a NumPy array."
    )


def _open_file(path: str | os.PathLike[str], name: str) -> BinaryIO:
    """Opens an image file, and says plainly why it cannot be opened."""
    if os.path.isdir(path):
        raise ImageError(f"The {name} is a folder. Expected the path of an image file.")
    try:
        return open(path, "rb")
    except FileNotFoundError as error:
        raise ImageNotFound(
            f"The {name} does not exist. Check the path; the current folder is {os.getcwd()!r}."
        ) from error
    except PermissionError as error:
        raise ImageError(f"The {name} may not be read: permission denied.") from error


def _read_file(
    file: BinaryIO, name: str, max_pixels: int, keep_bytes_above: float
) -> tuple[np.ndarray, np.ndarray | None, list]:
    """Reads an opened image file."""
    if not file.read(1):
        raise ImageError(f"The {name} is empty: there are no bytes to read.")
    file.seek(0)
    Image.init()  # without it, a format whose plug-in is absent is a KeyError
    known = [file_format for file_format in _INPUT_FORMATS if file_format in Image.OPEN]
    with Image.open(file, formats=known) as image:
        rgb, alpha, notes = _decode(image, name, max_pixels, keep_bytes_above)
        # MPO: the further frames of a phone's photo are previews and gain maps, not an animation.
        if getattr(image, "is_animated", False) and image.format != "MPO":
            notes.append(f"The {name} has several frames; only the first is used.")
    return rgb, alpha, notes


def _decode(
    image: Image.Image, name: str, max_pixels: int, keep_bytes_above: float
) -> tuple[np.ndarray, np.ndarray | None, list]:
    """Turns a PIL image into upright sRGB floats, or bytes where it is large and opaque."""
    notes: list[str] = []
    check_size(image.height, image.width, name, max_pixels)
    image.load()
    if image.mode.startswith(("I", "F")):
        rgb, alpha = _from_deep_grey(image, name, notes)
    else:
        colour, alpha_image = _split_alpha(image)
        converted = _to_srgb(colour, image.info.get("icc_profile"), name, notes)
        is_large = alpha_image is None and image.height * image.width > keep_bytes_above
        rgb = np.asarray(converted) if is_large else as_floats(converted)
        alpha = None if alpha_image is None else as_floats(alpha_image)
    try:
        orientation = image.getexif().get(_ORIENTATION_TAG, 1)
    except Exception:  # as many kinds as for damaged pixels
        notes.append(f"The {name} has damaged EXIF data; its orientation is ignored.")
        orientation = 1
    rgb = _upright(rgb, orientation)
    return rgb, None if alpha is None else _upright(alpha, orientation), notes


def _upright(array: np.ndarray, orientation: int) -> np.ndarray:
    """Undoes one of the eight EXIF orientations of an array `(H, W, ...)`."""
    # Not `ImageOps.exif_transpose`: it writes the other tags anew, which fails on odd ones that
    # cameras leave there, and then the photo would lie on its side.
    if orientation in (5, 6, 7, 8):
        array = array.swapaxes(0, 1)
    if orientation in (3, 4, 7, 8):
        array = array[::-1]
    if orientation in (2, 3, 6, 7):
        array = array[:, ::-1]
    return np.ascontiguousarray(array)


def _split_alpha(image: Image.Image) -> tuple[Image.Image, Image.Image | None]:
    """Returns an 8-bit image of mode L, RGB or CMYK, and the alpha channel if there is one."""
    grey = image.mode in ("1", "L", "La", "LA")
    if image.has_transparency_data and image.mode not in ("CMYK", "HSV", "LAB", "YCbCr"):
        image = image.convert("LA" if grey else "RGBA")
        return image.convert("L" if grey else "RGB"), image.getchannel("A")
    if image.mode == "CMYK":
        return image, None  # kept: its ICC profile is made for four channels
    return image.convert("L" if grey else "RGB"), None


def _to_srgb(image: Image.Image, icc_profile: Any, name: str, notes: list[str]) -> Image.Image:
    """Converts mode L, RGB or CMYK to RGB, through the embedded profile where it is usable."""
    if not icc_profile:
        return image.convert("RGB")
    try:
        profile = ImageCms.ImageCmsProfile(io.BytesIO(icc_profile))
        space = profile.profile.xcolor_space.strip()
        if image.mode == "L" and space == "RGB":
            image = image.convert("RGB")
        if image.mode != {"RGB": "RGB", "GRAY": "L", "CMYK": "CMYK"}.get(space):
            raise ValueError(f"it is a profile for {space} in an image of mode {image.mode}")
        srgb = ImageCms.createProfile("sRGB")
        converted = ImageCms.profileToProfile(image, profile, srgb, outputMode="RGB")
        return converted or image.convert("RGB")
    except (ImageCms.PyCMSError, OSError, TypeError, ValueError, ImportError) as error:
        notes.append(
            f"The {name} has an ICC colour profile that cannot be used ({error}); "
            f"its colours are read as sRGB."
        )
        return image.convert("RGB")


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
        if values.min() < 0 or values.max() > 65535:
            raise ImageError(
                f"The {name} has integer values that do not fit 16 bits. Expected 0 to 65535. "
                f"Received: {values.min()} to {values.max()}. Convert it to 16 or 8 bits."
            )
        rgb, _ = from_array(values.astype(np.uint16), name, values.size)
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
