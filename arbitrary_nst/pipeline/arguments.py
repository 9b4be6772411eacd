"""How a photo is painted, whatever the style: arguments that every caller shares, checked once."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal, get_args

from arbitrary_nst.common.checks import check_share, positive_int, positive_number, whole_number
from arbitrary_nst.errors import InputError
from arbitrary_nst.image import DEFAULT_MAX_PIXELS, KeepMetadata
from arbitrary_nst.image.arrays import check_size
from arbitrary_nst.image.metadata import check_keep_metadata
from arbitrary_nst.image.resizing import resized_shape
from arbitrary_nst.image.writing import Bits, check_bits

Color = Literal["style", "content"]
"""Whose colours a picture has: the style's or the photo's."""

COLORS: tuple[str, ...] = get_args(Color)
DEFAULT_MAX_MEMORY = 2e9
"""Bytes above which a picture is painted in passes."""

Progress = Callable[..., None]
"""Called with what is done, of how many, and a message; where it has an argument `preview`, also
with the picture so far, a PIL image."""


@dataclass(frozen=True)
class Options:
    """The arguments of `stylize` beside photo, styles and engine; making one checks them.

    Args:
        strength: from 0, the photo as the engine reconstructs it, to 1.
        color: one of `COLORS`.
        size: longer side in pixels of the picture; None: that of the photo.
        working_size: longer side in pixels to paint at; None: that of the picture.
        texture_scale: times which strokes are larger than painted at the picture's own size.
        seed: of what is random.
        max_pixels: largest image that is read, width times height.
        max_memory: bytes that an engine may take for one picture.
        bits: of a channel, 8 or 16: with 16 photos are read, and pictures kept, in all of them.
        keep_metadata: which EXIF data of a photo its picture has, see `metadata.metadata_of`.

    Raises:
        InputError: a value is of a wrong kind or out of range; both `working_size` and
            `texture_scale` are given.
    """

    strength: float = 1.0
    color: Color = "style"
    size: int | None = None
    working_size: int | None = None
    texture_scale: float = 1.0
    seed: int = 0
    max_pixels: int = DEFAULT_MAX_PIXELS
    max_memory: float = DEFAULT_MAX_MEMORY
    bits: Bits = 8
    keep_metadata: KeepMetadata = False

    def __post_init__(self) -> None:
        if not isinstance(self.color, str) or self.color not in COLORS:
            raise InputError(f'`color` is "style" or "content". Received: {self.color!r}.')
        check_bits(self.bits)
        check_keep_metadata(self.keep_metadata)
        checked = {
            "strength": check_share(self.strength, "strength"),
            "size": None if self.size is None else positive_int(self.size, "size"),
            "texture_scale": positive_number(self.texture_scale, "texture_scale"),
            "seed": whole_number(self.seed, "seed"),
            "max_pixels": positive_int(self.max_pixels, "max_pixels"),
            "max_memory": positive_number(self.max_memory, "max_memory"),
        }
        if self.working_size is not None:
            checked["working_size"] = positive_int(self.working_size, "working_size")
            if checked["texture_scale"] != 1:
                raise InputError(
                    f"`working_size` and `texture_scale` say the same thing in two ways. Expected "
                    f"one of them. Received: working_size={self.working_size!r}, "
                    f"texture_scale={self.texture_scale!r}."
                )
        for name, value in checked.items():  # numbers of NumPy become Python's own
            object.__setattr__(self, name, value)

    def working_shape(self, height: int, width: int) -> tuple[int, int]:
        """Height and width at which a photo of that height and width is painted.

        Raises:
            ImageTooLarge: that is more than `max_pixels`.
        """
        if self.working_size is None and self.texture_scale == 1:
            return height, width
        side = self.working_size or max(height, width) / self.texture_scale
        shape = resized_shape((height, width), side)
        name = f"texture_scale={self.texture_scale:g}"
        if self.working_size is not None:
            name = f"working_size={self.working_size}"
        check_size(*shape, f"picture to be painted at {name}", self.max_pixels)
        return shape
