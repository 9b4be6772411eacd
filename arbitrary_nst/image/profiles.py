"""The colour profile that pictures are written with."""

from __future__ import annotations

import functools

from PIL import Image, ImageCms

_DATE = slice(24, 36)  # of an ICC profile: when it was made


@functools.cache
def srgb_profile() -> bytes:
    """An ICC profile of sRGB, always the same bytes; empty where this Pillow cannot make one."""
    try:
        profile = bytearray(ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes())
    except ImportError:  # a Pillow that was built without LittleCMS
        return b""
    # LittleCMS writes the present time, by which equal pictures would be files of other bytes.
    profile[_DATE] = bytes([0x07, 0xCF, 0, 1, 0, 1, 0, 0, 0, 0, 0, 0])
    return bytes(profile)


def in_srgb(picture: Image.Image) -> Image.Image:
    """Notes in a picture that its colours are sRGB, as whoever saves it then writes; returns it."""
    picture.info["icc_profile"] = srgb_profile()
    return picture
