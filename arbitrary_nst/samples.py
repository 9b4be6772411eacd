"""Photos to try things with, from scikit-image (public domain or CC0)."""

from __future__ import annotations

from typing import Any

import numpy as np

from arbitrary_nst.common.extras import require
from arbitrary_nst.errors import InputError

SAMPLES = ("astronaut", "chelsea", "coffee", "rocket")


def sample_photo(name: str) -> np.ndarray:
    """One of scikit-image's photos: uint8 (H, W, 3), RGB.

    Raises:
        InputError: no sample of that name.
        ImportError: scikit-image is not installed; the message says how to install it.
    """
    if name not in SAMPLES:
        raise InputError(
            f"There is no sample photo {name!r}. Expected one of {', '.join(SAMPLES)}."
        )
    return getattr(require("skimage.data"), name)()


def content_or_sample(text: str) -> Any:
    """The photo that `sample:NAME` means; any other text, a path, comes back as it is.

    Raises:
        InputError: no sample of that name.
        ImportError: scikit-image is not installed.
    """
    kind, _, name = text.partition(":")
    return sample_photo(name) if kind == "sample" else text
