"""What reading a file may cost, checked before Pillow walks it.

A picture of 64 by 48 pixels can keep a reader busy for minutes: by tags that all point at the
same bytes, scans that go over all blocks again, comments whose pieces are joined one by one. The
number of pixels says nothing about that. So the parts of a file are counted first, which costs
next to nothing; what no camera and no editor writes is refused.

These are the costs that are known. What a file that nobody trusts may take in all is for
`bounded` to limit.
"""

from __future__ import annotations

import io
import math
import mmap
import re
import struct
from collections.abc import Callable, Iterator
from itertools import islice
from typing import Any, BinaryIO

from arbitrary_nst.errors import ImageError
from arbitrary_nst.image.tags import STARTS, tags_fault

MOST_SEGMENTS = 20_000  # of a JPEG; a profile takes some dozens, 30 MB of metadata 500
MOST_FILLING = 2**16  # bytes between a JPEG's segments, which Pillow reads one by one
MOST_EXIF_BYTES = 2**22  # of a JPEG, in pieces of 64 kB
FREE_SCANS = 20  # of a progressive JPEG; usual are ten
SCANNED_PIXELS = 4e8  # over all scans, of one that has more
MOST_GIF_BLOCKS = 100_000  # before the picture
MOST_COMMENT_BLOCKS = 2000  # half a megabyte; joining them takes the square of that
MOST_FRAME_BLOCKS = 500_000  # of a GIF's first picture, looked through for a second one
MOST_RUN_BYTES = 4 * 10**6  # of a run-length BMP, which Pillow decodes in Python
MOST_HEADER_BYTES = 2**16  # of a PPM, whose comments are read byte by byte
MOST_BOXES = 10_000  # of a JPEG 2000
MOST_TILES = 20_000  # of a JPEG 2000, times its channels, with 4 kB each; 64 megapixels have 4,000
MOST_TAG_STARTS = 100  # places in a file that look like EXIF data

_MARKER = re.compile(rb"\xff[^\x00\xff]", re.DOTALL)
_SCAN_MARKER = re.compile(rb"\xff[^\x00\xff\xd0-\xd7]", re.DOTALL)
_WITHOUT_LENGTH = frozenset([0x01, 0xC8, *range(0xD0, 0xDA), *range(0xF0, 0xFE)])
_TAGS_START = re.compile(b"|".join(map(re.escape, STARTS)))
_SPACE = rb"(?:\s|#[^\r\n]*[\r\n])"
_PPM_HEADER = re.compile(
    rb"P(?:[14]|[2356]\s%b*\d{1,10}(?=[\s#]))%b+\d{1,10}%b+\d{1,10}\s" % ((_SPACE,) * 3)
)


def check_budget(file: BinaryIO, name: str) -> None:
    """Refuses a file that would cost more to read than a picture should.

    Args:
        file: an open image file, or anything else; read from its beginning, and left there.
        name: of the image in messages.

    Raises:
        ImageError: it costs too much.
    """
    data = bytes_of(file)
    file.seek(0)
    for start, check in _CHECKS:
        if re.match(start, data, re.DOTALL):
            try:
                fault = check(data)
            except (struct.error, IndexError):  # damaged: Pillow has the last word
                fault = ""
            if fault:
                raise ImageError(
                    f"The {name} would cost more to read than a picture should: {fault}. Open it "
                    f"in an image editor and save it anew."
                )
            return


def bytes_of(file: BinaryIO) -> Any:
    """The contents of a file as bytes, or what is used like them, without a copy."""
    if isinstance(file, io.BytesIO):
        return file.getvalue()  # shared until it is written to
    try:
        return mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ)
    except (OSError, ValueError):  # no true file
        file.seek(0)
        return file.read()


def has_more_frames(image: Any, data: Any) -> bool:
    """Whether more pictures follow the first, as far as that can be told cheaply.

    Pillow walks a GIF to its second frame, and fails where that is damaged.

    Args:
        image: a PIL image that is read from the file.
        data: the file's contents, as `bytes_of` gives them.
    """
    if image.format == "GIF":
        try:
            return sum(kind == b"," for kind, _ in _gif_parts(data, num_pictures=2)) > 1
        except IndexError:
            return False
    # MPO: the further frames of a phone's photo are previews and gain maps, not an animation.
    return image.format != "MPO" and bool(getattr(image, "is_animated", False))


def _jpeg(data: bytes) -> str:
    """Walks the segments as Pillow does, then the scans as the decoder does."""
    place, filling, pixels, exif = 2, 0, 0, b""
    for _ in range(MOST_SEGMENTS):
        found = _MARKER.search(data, place)
        filling += (found.start() if found else len(data)) - place
        if filling > MOST_FILLING:
            return f"{filling} bytes fill the space between its parts"
        if not found:
            return ""
        marker, place = data[found.end() - 1], found.end()
        if marker == 0xDA:
            return tags_fault(exif) or _scans(data, place, pixels)
        if marker in _WITHOUT_LENGTH:
            continue
        (length,) = struct.unpack_from(">H", data, place)
        body = data[place + 2 : place + min(length, 16)]
        if 0xC0 <= marker <= 0xCF and marker not in (0xC4, 0xC8, 0xCC):
            height, width = struct.unpack_from(">HH", body, 1)
            pixels = height * width
        elif marker == 0xE1 and body.startswith(b"Exif\0\0"):
            own = data[place + 2 : place + length]
            exif += own[6:] if exif else own  # Pillow joins them
            if len(exif) > MOST_EXIF_BYTES:
                return f"it has more than {MOST_EXIF_BYTES} bytes of EXIF data"
        elif marker == 0xE2 and body.startswith(b"MPF\0"):
            fault = tags_fault(data[place + 6 : place + length])
            if fault:
                return fault
        place += max(2, length)
    return f"it has more than {MOST_SEGMENTS} segments"


def _scans(data: bytes, place: int, pixels: int) -> str:
    scans = 1
    for _ in range(MOST_SEGMENTS):
        found = _SCAN_MARKER.search(data, place)
        if not found or data[found.end() - 1] == 0xD9:
            return ""
        place = found.end()
        if data[place - 1] == 0xDA:
            scans += 1
            if scans > FREE_SCANS and scans * pixels > SCANNED_PIXELS:
                return f"it has {scans} scans or more, each over all of its {pixels} pixels"
        elif data[place - 1] not in _WITHOUT_LENGTH:
            place += max(2, struct.unpack_from(">H", data, place)[0])
    return f"it has more than {MOST_SEGMENTS} segments"


def _png(data: bytes) -> str:
    place, most = 8, 10_000 + len(data) // 1024
    for _ in range(most):
        if place + 8 > len(data):
            return ""
        length, kind = struct.unpack_from(">I4s", data, place)
        if kind == b"IEND":
            return ""
        if kind == b"eXIf":
            fault = tags_fault(data[place + 8 : place + 8 + length])
            if fault:
                return fault
        place += 12 + length
    return f"it has more than {most} chunks"


def _gif(data: bytes) -> str:
    blocks = comments = 0
    for kind, count in _gif_parts(data, num_pictures=1):
        blocks += count
        comments += count if kind == b"\xfe" else 0
        if blocks > MOST_GIF_BLOCKS or comments > MOST_COMMENT_BLOCKS:
            return "its comments or extensions are longer than any picture needs"
    return ""


def _gif_parts(data: bytes, num_pictures: int) -> Iterator[tuple[bytes, int]]:
    """Parts of a GIF up to the start of that many pictures: "," or the extension, and blocks.

    Raises:
        IndexError: it is cut short.
    """
    place = 13 + (3 * (2 << (data[10] & 7)) if data[10] & 128 else 0)
    left = MOST_FRAME_BLOCKS
    while left > 0:
        kind = data[place : place + 1]
        blocks = 1
        if not kind or kind == b";":
            return
        if kind == b",":
            num_pictures -= 1
            yield kind, 0
            if not num_pictures:
                return
            flags = data[place + 9]
            place += 11 + (3 * (2 << (flags & 7)) if flags & 128 else 0)
        elif kind == b"!":
            kind = data[place + 1 : place + 2]
            place += 2
        else:  # Pillow steps over it byte by byte
            place += 1
            left -= 1
            yield kind, 1
            continue
        while data[place] and left > 0:
            place += 1 + data[place]
            blocks += 1
            left -= 1
        place += 1
        yield (b"" if kind == b"," else kind), blocks


def _bmp(data: bytes) -> str:
    header, width, _, _, _, compression = struct.unpack_from("<IiiHHI", data, 14)
    if header < 40 or compression not in (1, 2):
        return ""
    if len(data) > MOST_RUN_BYTES or width >= 2**16:
        return f"it is a run-length BMP of {len(data)} bytes and {width} columns"
    return ""


def _ppm(data: bytes) -> str:
    # The whole header has to end there, or a comment in it could go on for ever.
    if _PPM_HEADER.match(data[:MOST_HEADER_BYTES]) or len(data) <= MOST_HEADER_BYTES:
        return ""
    return f"its header does not end within {MOST_HEADER_BYTES} bytes"


def _boxed(data: bytes) -> str:
    """AVIF, HEIF and WebP: EXIF data lie somewhere in the file, and are all that Python reads."""
    view = memoryview(data)
    for found in islice(_TAGS_START.finditer(data), MOST_TAG_STARTS):
        fault = tags_fault(view[found.start() :])
        if fault:
            return fault
    return ""


def _jpeg2000(data: bytes) -> str:
    """Boxes up to the picture, and then its segments, which Pillow looks through for a comment."""
    place = 0
    for _ in range(MOST_BOXES):
        if data[place : place + 2] == b"\xff\x4f":
            return _codestream(data, place + 2)
        size, kind = struct.unpack_from(">I4s", data, place)
        header = 8
        if size == 1:
            (size,) = struct.unpack_from(">Q", data, place + 8)
            header = 16
        place += header if kind == b"jp2c" else max(8, size)
        if kind != b"jp2c" and size == 0:
            return ""
    return f"it has more than {MOST_BOXES} boxes"


def _codestream(data: bytes, place: int) -> str:
    for _ in range(MOST_BOXES):
        marker, length = struct.unpack_from(">HH", data, place)
        if marker in (0xFF90, 0xFFD9):
            return ""
        if marker == 0xFF51:
            width, height, _, _, *tile, left, top, channels = struct.unpack_from(
                ">8IH", data, place + 6
            )
            tiles = channels * math.prod(
                math.ceil((end - start) / side)
                for end, start, side in zip((width, height), (left, top), tile, strict=True)
                if side  # else it is damaged
            )
            if tiles > MOST_TILES:
                return f"it has {tiles} tiles, those of each channel counted"
        place += 2 + length
    return f"it has more than {MOST_BOXES} segments"


_CHECKS: tuple[tuple[bytes, Callable[[Any], str]], ...] = (
    (rb"\xff\xd8\xff", _jpeg),
    (rb"\x89PNG\r\n\x1a\n", _png),
    (rb"GIF8[79]a", _gif),
    (_TAGS_START.pattern, tags_fault),
    (rb"BM", _bmp),
    (rb"P[1-6]\s", _ppm),
    (rb"\xff\x4f\xff\x51|\0\0\0\x0cjP  ", _jpeg2000),
    (rb"RIFF....WEBP|....ftyp", _boxed),
)
