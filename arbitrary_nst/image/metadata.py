"""What a photo says of itself, EXIF, on its way into the picture that is made of it.

Only what describes the photo goes along. What describes its file (layout of a TIFF, the small
preview, which would show the photo itself, the camera maker's notes, which hold addresses in the
file and perhaps the place) stays behind, and so does the place where it was taken, unless that is
asked for.
"""

from __future__ import annotations

import contextlib
from typing import Any, Literal

from PIL import Image

from arbitrary_nst.errors import InputError
from arbitrary_nst.image.tags import Directory, tags_fault

KeepMetadata = bool | Literal["gps"]
"""What a picture keeps of the photo's EXIF: nothing, all but the place, or the place too."""

_EXIF, _GPS = 0x8769, 0x8825
_ORIENTATION, _COLOUR_SPACE, _WIDTH, _HEIGHT = 0x0112, 0xA001, 0xA002, 0xA003
# Title, maker, model, resolution, program, time, author, host, copyright, rating, and the texts of
# Windows.
_KEPT = frozenset(
    (
        *(0x010E, 0x010F, 0x0110, 0x011A, 0x011B, 0x0128, 0x0131, 0x0132, 0x013B, 0x013C, 0x8298),
        *(0x4746, 0x4749, 0x9C9B, 0x9C9C, 0x9C9D, 0x9C9E, 0x9C9F),
    )
)
_MAKER_NOTE, _INTEROPERABILITY = 0x927C, 0xA005
_LEFT_OUT = frozenset([_MAKER_NOTE, _INTEROPERABILITY, _WIDTH, _HEIGHT])
MOST_BYTES = 60_000  # a JPEG file holds 65,533


def check_keep_metadata(value: Any) -> KeepMetadata:
    """Checks the argument `keep_metadata` of the API."""
    if isinstance(value, bool) or (isinstance(value, str) and value == "gps"):
        return value  # type: ignore[return-value]
    raise InputError(
        f'`keep_metadata` is False, True, or "gps" to keep the place as well. Received: {value!r}.'
    )


def metadata_of(image: Image.Image, keep: KeepMetadata, *, upright: bool = True) -> bytes:
    """The EXIF data of a photo that its picture may have: of sRGB, and of no size yet.

    Args:
        image: of PIL; its file is open where it has one.
        keep: False for nothing, "gps" for the place as well.
        upright: whether the picture is, whatever the photo was.

    Returns:
        EXIF data, beginning with "Exif"; empty where there are none.

    Raises:
        ValueError: they are damaged, or cost too much to read.
    """
    if not keep or not (image.info.get("exif") or image.format == "TIFF"):
        return b""
    data = _tags_of(image)
    try:
        source = image.getexif()
        tags = {tag: value for tag, value in source.items() if tag in _KEPT}
        inner = {_EXIF: _inner(source, data, _EXIF)}
        if keep == "gps":
            inner[_GPS] = _inner(source, data, _GPS)
        if not tags and not any(inner.values()):
            return b""
        return _written(tags, inner, 1 if upright else source.get(_ORIENTATION, 1))
    except Exception as error:  # as many kinds as for damaged pixels
        raise ValueError(f"{type(error).__name__}: {error}") from error


def sized_metadata(metadata: bytes, width: int, height: int) -> bytes:
    """EXIF data of `metadata_of` for a picture of that size."""
    if not metadata:
        return b""
    source = Image.Exif()
    source.load(metadata)
    inner = {pointer: dict(source.get_ifd(pointer)) for pointer in (_EXIF, _GPS)}
    inner[_EXIF] |= {_WIDTH: width, _HEIGHT: height}
    tags = {tag: value for tag, value in source.items() if tag in _KEPT}
    return _written(tags, inner, source.get(_ORIENTATION, 1))


def _tags_of(image: Image.Image) -> bytes:
    """The bytes that the tags are in, after a look at what they would cost.

    Of a TIFF there are none: its tags Pillow has read with the pixels.
    """
    data = image.info.get("exif") or b""
    while data[:6] == b"Exif\0\0":
        data = data[6:]
    if fault := tags_fault(data):
        raise ValueError(fault)
    return data


def _inner(source: Image.Exif, data: bytes, pointer: int) -> dict[int, Any]:
    """A directory inside the first one, after the same look at it."""
    start = source.get(pointer)
    if data and isinstance(start, int) and (fault := Directory(data, start).fault()):
        raise ValueError(fault)
    return {tag: v for tag, v in source.get_ifd(pointer).items() if tag not in _LEFT_OUT}


def _written(tags: dict[int, Any], inner: dict[int, dict[int, Any]], orientation: int) -> bytes:
    exif = Image.Exif()
    for tag, value in tags.items():
        if _can_be_written(tag, value):
            exif[tag] = value
    exif[_ORIENTATION] = orientation
    for pointer, values in inner.items():
        values = {tag: v for tag, v in values.items() if _can_be_written(tag, v)}
        if pointer == _EXIF:
            values[_COLOUR_SPACE] = 1  # sRGB
        if values:
            exif[pointer] = values
    data = exif.tobytes()
    if len(data) > MOST_BYTES:
        raise ValueError(f"they have {len(data)} bytes, more than {MOST_BYTES}")
    return data


def _can_be_written(tag: int, value: Any) -> bool:
    """Whether Pillow can: cameras leave values there that fit no kind of number."""
    with contextlib.suppress(Exception):
        one = Image.Exif()
        one[tag] = value
        one.tobytes()
        return True
    return False
