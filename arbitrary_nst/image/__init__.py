"""Images in and out: the only door to files, PIL and uint8.

Everywhere else in the package an image is a float32 array `(H, W, 3)`, sRGB, in `[0, 1]`.
"""

from arbitrary_nst.image.arrays import keep_color
from arbitrary_nst.image.bounded import load_untrusted
from arbitrary_nst.image.metadata import KeepMetadata
from arbitrary_nst.image.reading import DEFAULT_MAX_PIXELS, ImageSource, load_image, load_photo
from arbitrary_nst.image.resizing import resize, scaled_photo
from arbitrary_nst.image.writing import (
    IMAGE_SUFFIXES,
    can_write,
    check_output_path,
    save_image,
    to_pil,
)

__all__ = [
    "DEFAULT_MAX_PIXELS",
    "IMAGE_SUFFIXES",
    "ImageSource",
    "KeepMetadata",
    "can_write",
    "check_output_path",
    "keep_color",
    "load_image",
    "load_photo",
    "load_untrusted",
    "resize",
    "save_image",
    "scaled_photo",
    "to_pil",
]
