"""Reading images: any kind of source, opened with care; what is wrong with it said plainly."""

from __future__ import annotations

import contextlib
import io
import math
import os
import re
import stat
import warnings
from collections.abc import Iterator, Sequence
from typing import Any, BinaryIO, NamedTuple

import numpy as np
from PIL import Image, UnidentifiedImageError

from arbitrary_nst.common.checks import positive_int
from arbitrary_nst.common.extras import require
from arbitrary_nst.errors import ImageError, ImageNotFound, ImageTooLarge, InputError
from arbitrary_nst.image.arrays import check_size, fill_hidden, from_array
from arbitrary_nst.image.budget import bytes_of, check_budget, has_more_frames
from arbitrary_nst.image.decoding import Decoded, decoded
from arbitrary_nst.image.deep import deep_reader
from arbitrary_nst.image.metadata import KeepMetadata
from arbitrary_nst.image.ppm import decoded_at_once
from arbitrary_nst.image.tags import (
    BITS,
    EXTRA_SAMPLES,
    PHOTOMETRIC,
    SAMPLE_FORMAT,
    STARTS,
    Directory,
)

ImageSource = str | os.PathLike[str] | bytes | BinaryIO | Image.Image | np.ndarray
"""A photo or painting: a path, a file's bytes, an open file, a PIL image, or an array of (H, W),
(H, W, 3) or (H, W, 4), uint8 0..255 or floats 0..1."""

DEFAULT_MAX_PIXELS = 64_000_000
"""Pixels above which an image is refused, unless a call raises it."""

# A list of what may be opened, because PIL's full list holds formats that start other programs
# (EPS runs Ghostscript) or hide a second, larger image inside (ICO). HEIF needs a PIL plug-in.
_INPUT_FORMATS = "AVIF BMP GIF HEIF JPEG JPEG2000 MPO PNG PPM TIFF WEBP".split()
_HEIF_BRANDS = re.compile(rb"....ftyp(?:hei[cxms]|hev[cxms]|mif1|msf1)", re.DOTALL)
_REMARKS = ("ignore", None, UserWarning, re.compile(r"PIL\."), 0)  # as a warning filter


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

    The pixel count is checked before the pixels are decoded, and so is what else a file may cost
    (see `budget`); for files that nobody trusts there is `bounded.load_untrusted`. PIL has a limit
    of its own: it warns above `PIL.Image.MAX_IMAGE_PIXELS` and refuses twice that. It is a setting
    of the whole process, and is left as it is: to read larger images, raise `max_pixels` and
    `PIL.Image.MAX_IMAGE_PIXELS`.

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
    photo = load_photo(source, max_pixels=max_pixels, role=role, keep_bytes_above=keep_bytes_above)
    return photo.rgb, photo.alpha


class Photo(NamedTuple):
    """An image as `load_image` gives it, and its EXIF data, as `metadata.metadata_of` has them."""

    rgb: np.ndarray
    alpha: np.ndarray | None
    exif: bytes


def load_photo(
    source: ImageSource,
    *,
    max_pixels: int = DEFAULT_MAX_PIXELS,
    role: str = "content",
    keep_bytes_above: int | None = None,
    metadata: KeepMetadata = False,
    deep: bool = False,
) -> Photo:
    """`load_image`, with what else an image has.

    Args:
        source: as for `load_image`.
        max_pixels: as for `load_image`.
        role: as for `load_image`.
        keep_bytes_above: as for `load_image`.
        metadata: which EXIF data to keep: False for none, True, or "gps" for the place as well.
        deep: whether colours of 16 bits, in PNG and TIFF, are read as such and not cut to 8.

    Raises:
        ImageError: as for `load_image`.
        ImportError: `deep` needs OpenCV for this file, which is not installed.
    """
    name = describe(source, role)
    max_pixels = positive_int(max_pixels, "max_pixels")
    with damage_as_image_error(name, max_pixels):
        rgb, alpha, notes, exif = read_source(
            source, name, max_pixels, keep_bytes_above or math.inf, metadata=metadata, deep=deep
        )
    for note in notes:  # outside the guard: a caller may have turned warnings into errors
        warnings.warn(note, stacklevel=3)
    if alpha is not None:
        rgb = fill_hidden(rgb, alpha)
    return Photo(rgb, alpha, exif)


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
    except (InputError, ImportError):
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
    source: Any,
    name: str,
    max_pixels: int,
    keep_bytes_above: float = math.inf,
    *,
    metadata: KeepMetadata = False,
    deep: bool = False,
) -> Decoded:
    """Finds out what kind of source it is, and reads it."""
    limits = name, max_pixels, keep_bytes_above
    if isinstance(source, Image.Image):
        return decoded(source, *limits, metadata=metadata)
    if isinstance(source, np.ndarray) or hasattr(source, "__array__"):
        array = _as_array(source, name)
        return Decoded(*from_array(array, *limits), [])
    if isinstance(source, str | os.PathLike):
        with open_file(source, name) as file:
            return _read_file(file, *limits, metadata, deep)
    if hasattr(source, "read"):
        source = source.read()
    if isinstance(source, bytes | bytearray | memoryview):
        return _read_file(io.BytesIO(source), *limits, metadata, deep)
    if isinstance(source, str):
        raise ImageError(f"The {name} is a text file. Open it in binary mode: open(path, 'rb').")
    raise ImageError(
        f"The {name} is of a type that cannot be read. Expected a path, bytes, a binary file "
        f"object, a PIL image or a NumPy array."
    )


def _as_array(source: Any, name: str) -> np.ndarray:
    """A NumPy array, or what says that it can become one, such as a tensor."""
    try:
        return np.asarray(source)
    except Exception as error:  # whatever the library of the tensor throws
        raise ImageError(
            f"The {name} cannot become a NumPy array ({type(error).__name__}: {error}). Expected "
            f"one, or what converts to one. A tensor of PyTorch does after "
            f"`tensor.detach().float().cpu().numpy()`."
        ) from error


def open_file(path: str | os.PathLike[str], name: str) -> BinaryIO:
    """Opens an image file, and says plainly why it cannot be opened.

    Raises:
        ImageNotFound: there is none.
        ImageError: it is a folder, a pipe or a device, or may not be read.
    """
    kind = stat.S_IFREG
    with contextlib.suppress(OSError):  # which `open` says better
        kind = stat.S_IFMT(os.stat(path).st_mode)
    if kind == stat.S_IFDIR:
        raise ImageError(f"The {name} is a folder. Expected the path of an image file.")
    if kind != stat.S_IFREG:  # opening a pipe that nobody writes to waits for ever
        raise ImageError(
            f"The {name} is a pipe or a device, not a file. Expected the path of an image file; "
            f"what comes through a pipe can be read by `load_image(sys.stdin.buffer)`."
        )
    try:
        return open(path, "rb")
    except FileNotFoundError as error:
        raise ImageNotFound(
            f"The {name} does not exist. Check the path; the current folder is {os.getcwd()!r}."
        ) from error
    except PermissionError as error:
        raise ImageError(f"The {name} may not be read: permission denied.") from error


def open_image(file: BinaryIO, name: str, formats: Sequence[str] = _INPUT_FORMATS) -> Image.Image:
    """Opens an image that is not decoded yet, after a look at what that would cost.

    Args:
        file: of the image; read from its beginning.
        name: of the image in messages.
        formats: of PIL, which alone are tried.

    Raises:
        ImageError: it costs too much, or is of a kind that is known and cannot be read.
        UnidentifiedImageError: it is no image.
    """
    check_budget(file, name)
    _without_remarks()
    Image.preinit()  # PNG, JPEG and a few more; what knows all others takes a tenth of a second
    file.seek(0)
    if _HEIF_BRANDS.match(file.read(16)):
        _learn_heif(name)
    try:
        return _open_known(file, formats)
    except UnidentifiedImageError:
        Image.init()
    try:
        return _open_known(file, formats)
    except UnidentifiedImageError:
        _refuse_kind_of_tiff(file, name)
        raise


def _open_known(file: BinaryIO, formats: Sequence[str]) -> Image.Image:
    file.seek(0)
    # A format whose plug-in is absent would be a KeyError.
    return Image.open(file, formats=[known for known in formats if known in Image.OPEN])


def _read_file(
    file: BinaryIO,
    name: str,
    max_pixels: int,
    keep_bytes_above: float,
    metadata: KeepMetadata,
    deep: bool,
) -> Decoded:
    """Reads an opened image file."""
    if not file.read(1):
        raise ImageError(f"The {name} is empty: there are no bytes to read.")
    with open_image(file, name) as image:
        if image.format == "PPM":
            check_size(image.height, image.width, name, max_pixels)
            image = decoded_at_once(image, file)
        found = decoded(
            image,
            name,
            max_pixels,
            keep_bytes_above,
            metadata=metadata,
            deep=deep_reader(bytes_of(file), image, name) if deep else None,
        )
        if has_more_frames(image, bytes_of(file)):
            found.notes.append(f"The {name} has several frames; only the first is used.")
    return found


def _without_remarks() -> None:
    """Keeps what Pillow remarks on odd metadata from the user, for whom it means nothing.

    A filter for Pillow's own modules, which is added and stays: silencing warnings for a while
    is not safe between threads. That on too many pixels is of another kind, and is still said.
    """
    if _REMARKS not in warnings.filters:
        warnings.filterwarnings("ignore", category=UserWarning, module=_REMARKS[3].pattern)


def _learn_heif(name: str) -> None:
    """Lets PIL read the photos of iPhones, by a package that not everybody has.

    Raises:
        ImageError: it is not installed; the message says how to install it.
    """
    if "HEIF" in Image.OPEN:
        return
    try:
        require("pillow_heif").register_heif_opener()
    except ImportError as error:
        raise ImageError(f"The {name} is in the format HEIF (.heic). {error}") from error


def _refuse_kind_of_tiff(file: BinaryIO, name: str) -> None:
    """Says of a TIFF that is whole, but of a kind that PIL does not know, that it is one."""
    data = bytes_of(file)
    if bytes(data[:4]) not in STARTS:
        return
    try:
        tags = Directory(data)
    except ValueError:
        return
    if PHOTOMETRIC not in tags.tags:
        return
    bits, form = tags.numbers(BITS, (1,)), tags.numbers(SAMPLE_FORMAT, (1,))
    extra = len(tags.numbers(EXTRA_SAMPLES, ()))
    numbers = {1: "whole numbers", 2: "signed numbers", 3: "floating point"}
    raise ImageError(
        f"The {name} is a TIFF of a kind that cannot be read: {len(bits)} channels of "
        f"{max(bits)} bits ({numbers.get(form[0], 'numbers of an unknown kind')}), {extra} of them "
        f"beside the colours, photometric interpretation "
        f"{tags.numbers(PHOTOMETRIC, (0,))[0]}. Expected grey, RGB, RGBA or CMYK of 8 bits, RGB of "
        f"16 bits, or grey of up to 32. Save it as such in an image editor."
    )
