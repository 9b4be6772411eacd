"""Pictures of 16 bits a channel, which Pillow neither reads nor writes in colour.

They are read by OpenCV. PNG is written here, in its plainest form, and TIFF with the directory of
Pillow's.
"""

from __future__ import annotations

import io
import struct
import zlib
from collections.abc import Callable, Iterator
from typing import Any, BinaryIO

import numpy as np
from PIL import Image, TiffImagePlugin, TiffTags

from arbitrary_nst.common.extras import require
from arbitrary_nst.errors import ImageError
from arbitrary_nst.image.decoding import ORIENTATION, upright
from arbitrary_nst.image.tags import BITS, EXTRA_SAMPLES, SAMPLE_FORMAT

DEEP_FORMATS = ("PNG", "TIFF")
_STRIP_BYTES = 2**18


def deep_reader(
    data: Any, image: Image.Image, name: str
) -> Callable[[Image.Image], np.ndarray] | None:
    """What reads the colours of 16 bits that Pillow would cut; None where there are none.

    Args:
        data: the file's bytes.
        image: the same file, opened and not decoded yet.
        name: of the image in messages.

    Returns:
        A function of the decoded image that gives uint16 `(H, W, 3)`, and raises ImportError where
        OpenCV is not installed, and ImageError where it reads something else than Pillow does.
    """
    if not _is_deep(image):
        return None
    # A TIFF Pillow turns upright while it decodes it, and so does OpenCV, or not: see below.
    orientation = getattr(image, "tag_v2", {}).get(ORIENTATION, 1)
    return lambda decoded: _deep_pixels(data, decoded, orientation, name)


def _is_deep(image: Image.Image) -> bool:
    if image.format == "PNG":
        tile = getattr(image, "tile", None)
        stored = tile[0][3] if tile else ""
        stored = stored[0] if isinstance(stored, tuple) else stored
        return stored in ("RGB;16B", "RGBA;16B")
    if image.format != "TIFF":
        return False
    tags = getattr(image, "tag_v2", {})
    unsigned = set(tags.get(SAMPLE_FORMAT, (1,))) == {1}
    return tuple(tags.get(BITS, ())) == (16, 16, 16) and unsigned and EXTRA_SAMPLES not in tags


def _deep_pixels(data: Any, decoded: Image.Image, orientation: int, name: str) -> np.ndarray:
    cv2 = require("cv2", "Reading 16 bits a channel needs OpenCV")
    pixels = cv2.imdecode(np.frombuffer(data, np.uint8), cv2.IMREAD_UNCHANGED)
    if pixels is not None and pixels.dtype == np.uint16 and pixels.ndim == 3:
        eight = np.asarray(decoded.convert("RGB"))
        colours = pixels[..., 2::-1]  # it has blue first
        for turned in (colours, upright(colours, orientation)):
            if turned.shape == eight.shape and _is_near(turned, eight):
                return np.ascontiguousarray(turned)
    raise ImageError(
        f"The {name} has 16 bits a channel, of a kind that can be read with 8 bits only. Paint it "
        f"with 8, or save it anew in an image editor."
    )


def _is_near(deep: np.ndarray, eight: np.ndarray) -> bool:
    return bool(np.abs(deep[::3, ::3] / 257 - eight[::3, ::3]).max() <= 1.5)


def to_uint16(image: np.ndarray) -> np.ndarray:
    """Floats in `[0, 1]` as uint16, rounded to nearest."""
    return np.rint(np.clip(image, 0, 1) * 65535.0).astype(np.uint16)


def write_png(file: BinaryIO, pixels: np.ndarray, profile: bytes, exif: bytes) -> None:
    """Writes a PNG of 16 bits.

    Args:
        file: to write to.
        pixels: uint16 `(H, W, 3)` or `(H, W, 4)`.
        profile: ICC profile of its colours; may be empty.
        exif: EXIF data, beginning with "Exif"; may be empty.
    """
    height, width, channels = pixels.shape
    kind = {3: 2, 4: 6}[channels]
    file.write(b"\x89PNG\r\n\x1a\n")
    _chunk(file, b"IHDR", struct.pack(">2L5B", width, height, 16, kind, 0, 0, 0))
    if profile:
        _chunk(file, b"iCCP", b"sRGB\0\0" + zlib.compress(profile))
    if exif:
        _chunk(file, b"eXIf", exif.removeprefix(b"Exif\0\0"))
    packer = zlib.compressobj()
    for rows in _png_rows(pixels):
        _chunk(file, b"IDAT", packer.compress(rows))
    _chunk(file, b"IDAT", packer.flush())
    _chunk(file, b"IEND", b"")


def _png_rows(pixels: np.ndarray) -> Iterator[bytes]:
    """The rows as bytes, each as the difference to the one above ("up"): smaller by a third."""
    above = np.zeros((1, 2 * pixels.shape[1] * pixels.shape[2]), np.uint8)
    for top, stop in _strips(pixels):
        part = np.ascontiguousarray(pixels[top:stop], ">u2")
        rows = part.view(np.uint8).reshape(len(part), -1)
        filtered = np.empty((len(rows), 1 + rows.shape[1]), np.uint8)
        filtered[:, 0] = 2  # the number of this filter
        filtered[:, 1:] = rows - np.concatenate([above, rows[:-1]])  # modulo 256
        above = rows[-1:]
        yield filtered.tobytes()


def _chunk(file: BinaryIO, kind: bytes, data: bytes) -> None:
    file.write(struct.pack(">L", len(data)) + kind + data)
    file.write(struct.pack(">L", zlib.crc32(data, zlib.crc32(kind))))


def write_tiff(file: BinaryIO, pixels: np.ndarray, profile: bytes, exif: bytes) -> None:
    """Writes a TIFF of 16 bits, deflated; arguments as for `write_png`."""
    height, width, channels = pixels.shape
    packed = _tiff_strip(pixels)
    tags = TiffImagePlugin.ImageFileDirectory_v2()
    if exif:
        source = Image.Exif()
        source.load(exif)
        for tag, value in source.items():
            tags[tag] = dict(source.get_ifd(tag)) if tag in (0x8769, 0x8825) else value
    tags[256], tags[257], tags[258] = width, height, (16,) * channels
    tags[259] = 8  # deflate
    tags[262] = 2  # RGB
    # All rows are one strip, which begins where the directory ends: from there Pillow counts.
    tags.tagtype[273] = TiffTags.LONG
    tags[273], tags[277], tags[278], tags[279] = 0, channels, height, len(packed)
    tags[284] = 1  # channels side by side
    tags[317] = 2  # each pixel as the difference to the one before
    if channels == 4:
        tags[338] = 2  # alpha, colours not multiplied by it
    if profile:
        tags[34675] = profile
    head = io.BytesIO()
    tags.save(head)
    file.write(head.getvalue())
    file.write(packed)


def _tiff_strip(pixels: np.ndarray) -> bytes:
    packer, parts = zlib.compressobj(), []
    for top, stop in _strips(pixels):
        rows = np.ascontiguousarray(pixels[top:stop], "<u2").copy()
        rows[:, 1:] -= rows[:, :-1].copy()  # modulo 65536
        parts.append(packer.compress(rows.tobytes()))
    return b"".join([*parts, packer.flush()])


def _strips(pixels: np.ndarray) -> Iterator[tuple[int, int]]:
    height, width, channels = pixels.shape
    step = max(1, _STRIP_BYTES // (2 * width * channels))
    return ((top, min(top + step, height)) for top in range(0, height, step))
