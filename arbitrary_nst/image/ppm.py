"""Portable anymaps (PPM, PGM, PBM) whose values Pillow decodes one by one, decoded at once."""

from __future__ import annotations

import re
from typing import BinaryIO

import numpy as np
from PIL import Image

_COMMENT = re.compile(rb"#[^\r\n]*")
_NOT_A_NUMBER = re.compile(rb"[^0-9\s]")
_BANDS = {"1": 1, "L": 1, "I": 1, "RGB": 3}


def decoded_at_once(image: Image.Image, file: BinaryIO) -> Image.Image:
    """The image that Pillow would decode, bit for bit, where it would take minutes.

    That is text, and numbers of 16 bits or with another white than 255.

    Args:
        image: as Pillow opened it, not decoded; it says what is in the file.
        file: that it was opened from.

    Returns:
        A decoded image of mode L, RGB or I;16, or `image` itself where Pillow is fast.

    Raises:
        ValueError: there are not as many numbers as pixels, or some are too large.
    """
    decoder, _, offset, args = image.tile[0]  # type: ignore[attr-defined]
    if decoder not in ("ppm", "ppm_plain") or image.mode not in _BANDS:
        return image
    file.seek(offset)
    data = file.read()
    bands = _BANDS[image.mode]
    needed = image.width * image.height * bands
    if image.mode == "1":
        levels = _bits(data)[:needed]
    else:
        white = args[-1]
        values = _numbers(data, needed) if decoder == "ppm_plain" else _raw(data, needed, white)
        if decoder == "ppm_plain" and len(values) and values.max() > white:
            raise ValueError(f"a value is {values.max()}, and white {white}")
        levels = _scale(image.mode, white)[values]
    if len(levels) < needed:
        raise ValueError(f"it has {len(levels)} values of {needed}")
    shape = (image.height, image.width, bands)[: 3 if bands > 1 else 2]
    return Image.fromarray(levels.reshape(shape))


def _bits(data: bytes) -> np.ndarray:
    digits = np.frombuffer(b"".join(_COMMENT.sub(b"", data).split()), np.uint8)
    if len(digits) and (digits.min() < ord("0") or digits.max() > ord("1")):
        raise ValueError("a value is neither 0 nor 1")
    return np.where(digits == ord("0"), 255, 0).astype(np.uint8)


def _numbers(data: bytes, needed: int) -> np.ndarray:
    """Whole numbers in text, `needed` at most."""
    text = _COMMENT.sub(b"", data)
    end = _NOT_A_NUMBER.search(text)
    text = text[: end.start()] if end else text
    if not text.strip():
        return np.zeros(0, np.uint32)
    # As floats: of numbers with too many digits nothing else would be left but their last bits.
    return np.fromstring(text, np.float64, sep=" ")[:needed].clip(0, 2**31).astype(np.uint32)


def _raw(data: bytes, needed: int, white: int) -> np.ndarray:
    kind = np.dtype(np.uint8 if white < 256 else ">u2")
    return np.frombuffer(data, kind, min(needed, len(data) // kind.itemsize))


def _scale(mode: str, white: int) -> np.ndarray:
    """What becomes of each number of 16 bits: uint8 up to 255, or uint16 for mode "I"."""
    most, kind = (65535, np.uint16) if mode == "I" else (255, np.uint8)
    return np.rint(np.arange(2**16) / white * most).clip(0, most).astype(kind)
