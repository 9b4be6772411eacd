"""The visitor's photo: decoded once, and kept small for the sliders. Knows nothing of Gradio."""

from __future__ import annotations

import hashlib
import secrets
import weakref
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np
from PIL import Image

from arbitrary_nst.common.checks import positive_int
from arbitrary_nst.demo.settings import Settings
from arbitrary_nst.errors import ImageError, ImageTooLarge
from arbitrary_nst.image import load_image, load_untrusted, resize, to_pil
from arbitrary_nst.image.resizing import resized_shape
from arbitrary_nst.samples import SAMPLES, sample_photo

SIZES = (256, 512, 768, 1024)  # longer sides to paint at while sliders move
DEFAULT_SIZE = 512
LEAST_SIDE = 16  # pixels: what every network here can paint
READ_SECONDS = 60.0  # after which a file is given up; a machine under full load takes half of it


def _new_token() -> str:
    return secrets.token_hex(16)


@dataclass(frozen=True, eq=False)
class Photo:
    """A photo as one visitor has it.

    Args:
        name: of its file, or "sample:NAME".
        source: the bytes of the file, or the sample's pixels; for the picture in full size.
        size: longer side at most, in pixels, of `image`.
        image: float32 `(h, w, 3)` or, with transparency, `(h, w, 4)`, in `[0, 1]`.
        shape: height and width of the photo itself.
        token: tells photos apart; nobody can guess it.
    """

    name: str
    source: bytes | np.ndarray
    size: int
    image: np.ndarray
    shape: tuple[int, int]
    token: str = field(default_factory=_new_token)

    @property
    def is_scaled(self) -> bool:
        """Whether `image` is smaller than the photo."""
        return self.image.shape[:2] != self.shape

    def picture(self) -> Image.Image:
        """The image that is painted, as it is before."""
        return as_picture(self.image)

    def __deepcopy__(self, memo: Any) -> Photo:
        """Itself, which nobody changes: each visit would begin with a copy of its own."""
        return self


# A photo of each file and size that some visitor has: its file and its pixels are kept once, or one
# upload that is named again and again would fill the memory.
_known: weakref.WeakValueDictionary[Any, Photo] = weakref.WeakValueDictionary()


def as_picture(image: np.ndarray) -> Image.Image:
    """An image of three or four channels as a PIL image."""
    rgb = np.ascontiguousarray(image[..., :3])
    return to_pil(rgb, image[..., 3] if image.shape[-1] == 4 else None)


def read_photo(source: bytes | np.ndarray, name: str, size: int, settings: Settings) -> Photo:
    """Decodes a photo for painting at `size`.

    Raises:
        ImageTooLarge: more pixels than the demo reads.
        ImageError: not an image, or a damaged one.
    """
    file = _digest(source), settings
    known = _known.get((*file, size))
    if known is not None:
        photo = replace(known, name=name, token=_new_token())
    else:
        image = _decoded(source, settings)
        other = _known.get(file)
        kept = source if other is None else other.source
        photo = Photo(name, kept, size, _at_most(image, size), image.shape[:2])
    _known[file] = _known[(*file, size)] = photo
    return photo


def _digest(source: bytes | np.ndarray) -> Any:
    if isinstance(source, bytes):
        return hashlib.sha256(source).digest()
    return source.shape, hashlib.sha256(np.ascontiguousarray(source).data).digest()


def resized(photo: Photo, size: int, settings: Settings) -> Photo:
    """The same photo for painting at another size."""
    if size == photo.size:
        return photo
    other = read_photo(photo.source, photo.name, size, settings)
    return replace(other, token=photo.token)


def full_shape(photo: Photo, settings: Settings) -> tuple[int, int]:
    """Height and width of the picture to keep: the photo's own, or as large as the demo paints."""
    height, width = photo.shape
    scale = (settings.max_output_pixels / (height * width)) ** 0.5
    if scale >= 1:
        return photo.shape
    return resized_shape(photo.shape, max(1, int(max(height, width) * scale)))


def full_size(photo: Photo, settings: Settings) -> np.ndarray:
    """The photo in its `full_shape`: float32 `(H, W, 3 or 4)`."""
    return _at_most(_decoded(photo.source, settings), max(full_shape(photo, settings)))


def as_large_as_allowed(source: bytes, size: int, settings: Settings) -> np.ndarray:
    """A photo with its longer side at `size`, 0 for its own: float32 `(H, W, 3 or 4)`.

    Raises:
        ImageTooLarge: the picture would have more pixels than the demo paints.
    """
    image = _decoded(source, settings)
    height, width = image.shape[:2]
    size = min(positive_int(size, "size"), 2**16) if size else max(height, width)
    pixels = height * width * (size / max(height, width)) ** 2
    if pixels > settings.max_output_pixels:
        raise ImageTooLarge(
            f"The picture would have {pixels / 1e6:.3g} megapixels, and this demo paints up to "
            f"{settings.max_output_pixels / 1e6:.3g}. Give a smaller `size`."
        )
    return _resized(image, size)


def read_painting(source: bytes, settings: Settings) -> np.ndarray:
    """An uploaded painting: float32 `(H, W, 3)`."""
    return np.ascontiguousarray(_decoded(source, settings, "painting")[..., :3])


def samples() -> dict[str, np.ndarray]:
    """The sample photos by name; none where scikit-image, which has them, is not installed."""
    try:
        return {name: sample_photo(name) for name in SAMPLES}
    except (ImportError, OSError):  # OSError: it knows a file, but does not have it
        return {}


def fitted(image: np.ndarray, side: int) -> np.ndarray:
    """An image with its longer side at `side`: float32 `(h, w, 3)`."""
    rgb = np.ascontiguousarray(image[..., :3])
    least = LEAST_SIDE * max(rgb.shape[:2]) / min(rgb.shape[:2])  # a panorama stays paintable
    return resize(rgb, longer_side=max(side, int(np.ceil(least))))


def square(image: np.ndarray, side: int) -> np.ndarray:
    """The middle of an image, float32 `(side, side, 3)`."""
    height, width = image.shape[:2]
    edge = min(height, width)
    top, left = (height - edge) // 2, (width - edge) // 2
    return resize(image[top : top + edge, left : left + edge, :3], shape=(side, side))


def _decoded(source: Any, settings: Settings, role: str = "photo") -> np.ndarray:
    try:
        if isinstance(source, np.ndarray):  # a sample, which is ours; limits are for visitors
            rgb, alpha = load_image(source, max_pixels=source.size, role=role)
        else:
            rgb, alpha = load_untrusted(
                source, max_pixels=settings.max_pixels, role=role, seconds=READ_SECONDS
            )
    except ImageTooLarge as error:
        # The message of the library names arguments, which a visitor does not have.
        raise ImageTooLarge(
            f"The {role} has too many pixels: this demo takes up to "
            f"{settings.max_pixels / 1e6:.3g} megapixels. Make it smaller and upload it again."
        ) from error
    except ImageError as error:
        # A visitor gave a file, and need not know in which form it came here.
        text = str(error).replace(f"{role} image (given as bytes)", role)
        if "pip install" in text:
            kind = text.partition(". ")[0]
            text = f"{kind}, which this demo cannot read. Save it as JPEG and upload that."
        raise ImageError(text) from error
    height, width = rgb.shape[:2]
    if min(height, width) * min(1, SIZES[0] / max(height, width)) < LEAST_SIDE:
        raise ImageError(
            f"The {role} is too small or too narrow: {width} × {height} pixels. This demo needs "
            f"{LEAST_SIDE} pixels on the shorter side, also when the longer has {SIZES[0]}."
        )
    return rgb if alpha is None else np.concatenate([rgb, alpha[..., None]], axis=-1)


def _at_most(image: np.ndarray, size: int) -> np.ndarray:
    return image if max(image.shape[:2]) <= size else _resized(image, size)


def _resized(image: np.ndarray, size: int) -> np.ndarray:
    rgb = resize(np.ascontiguousarray(image[..., :3]), longer_side=size)
    if image.shape[-1] == 3:
        return rgb
    alpha = resize(np.ascontiguousarray(image[..., 3]), shape=rgb.shape[:2])
    return np.concatenate([rgb, alpha[..., None]], axis=-1)
