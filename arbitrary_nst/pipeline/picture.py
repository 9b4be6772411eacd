"""A picture that is done, and the ways out of it."""

from __future__ import annotations

import os
from typing import NamedTuple

import numpy as np
from PIL import Image

from arbitrary_nst.image import check_output_path, save_image, to_pil
from arbitrary_nst.image.arrays import as_floats
from arbitrary_nst.image.metadata import sized_metadata
from arbitrary_nst.image.profiles import in_srgb
from arbitrary_nst.image.writing import Bits, format_of, write_picture


class Picture(NamedTuple):
    """A picture that is done.

    `rgb`: `(H, W, 3)`, float32 in `[0, 1]`, or uint8 where it is large; `alpha`: float32 `(H, W)`
    in `[0, 1]`, or None; `exif`: of the photo, what is to be kept.
    """

    rgb: np.ndarray
    alpha: np.ndarray | None
    exif: bytes = b""

    def image(self) -> Image.Image:
        """A PIL image of mode "RGB" or "RGBA", sRGB, with the EXIF data in `info`."""
        if self.rgb.dtype == np.uint8:
            image = in_srgb(Image.fromarray(self.rgb))
        else:
            image = to_pil(self.rgb, self.alpha)
        if self.exif:
            image.info["exif"] = sized_metadata(self.exif, image.width, image.height)
        return image

    def array(self) -> np.ndarray:
        """float32 `(H, W, 3)`, or `(H, W, 4)` with the transparency, in `[0, 1]`."""
        rgb = as_floats(self.rgb)
        return rgb if self.alpha is None else np.concatenate([rgb, self.alpha[..., None]], axis=-1)

    def save(self, path: str | os.PathLike[str], *, quality: int, bits: Bits) -> None:
        """Writes it as `image.save_image` does, with the EXIF data."""
        if bits == 8:
            save_image(self.image(), path, quality=quality, keep_metadata="gps")
            return
        target = check_output_path(path)
        write_picture(self.array(), target, format_of(path), bits=bits, exif=self.exif)
