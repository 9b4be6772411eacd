"""Animated GIF and WebP, put together from single pictures that Pillow has encoded.

Pillow itself writes animations, too, but keeps all their frames in memory until the last one, and
encodes anew what has been encoded. PyAV could join the pictures of a WebP as they are, but FFmpeg
lays each over the one before, which is then seen through its holes.
"""

from __future__ import annotations

import io
import struct
from collections.abc import Iterable, Iterator
from typing import BinaryIO

import numpy as np
from PIL import Image

# Browsers show GIF frames shorter than this for a tenth of a second.
MIN_GIF_DURATION, GIF_TICK = 20, 10  # milliseconds
TRANSPARENT = 255  # index of the colour that is none
MAX_LOOPS = 0xFFFF  # a PNG may say more
OPAQUE_FROM = 128  # a GIF knows no half transparency
Timed = tuple[int, bytes]  # time in milliseconds, and a picture as `encode` gives it


def encode(name: str, rgb: np.ndarray, alpha: np.ndarray | None, quality: int) -> bytes:
    """One picture as a file in memory.

    Args:
        name: "GIF" or "WEBP".
        rgb: uint8 `(H, W, 3)`.
        alpha: uint8 `(H, W)`, or None.
        quality: from 1 to 100, of WebP.
    """
    data = io.BytesIO()
    if name == "WEBP":
        pixels = rgb if alpha is None else np.dstack([rgb, alpha])
        Image.fromarray(pixels).save(data, name, quality=quality)
    else:
        picture = Image.fromarray(rgb).quantize(256 if alpha is None else TRANSPARENT)
        if alpha is not None:
            indices = np.where(alpha < OPAQUE_FROM, TRANSPARENT, np.asarray(picture))
            palette = (picture.getpalette() or []) + [0] * 768
            picture = Image.fromarray(indices.astype(np.uint8))
            picture.putpalette(palette[:768])
        # Not None for none: Pillow before 10.2 takes that for an index.
        transparency = {} if alpha is None else {"transparency": TRANSPARENT}
        picture.save(data, name, **transparency)
    return data.getvalue()


def write(
    file: BinaryIO,
    name: str,
    size: tuple[int, int],
    frames: Iterable[Timed],
    end: int,
    loops: int | None = 0,
) -> None:
    """Writes an animation.

    Args:
        file: to write to; it can be seeked.
        name: "GIF" or "WEBP".
        size: width and height.
        frames: times and pictures; the times rise.
        end: when the last frame ends, in milliseconds.
        loops: how often it runs, as such files say it: 0 for ever, None once.
    """
    if name == "GIF":
        _write_gif(file, size, _with_durations(_gif_times(frames), end), loops)
    else:
        _write_webp(file, size, _with_durations(frames, end), loops)


def _gif_times(frames: Iterable[Timed]) -> Iterator[Timed]:
    """Times in a GIF's hundredths of a second, without frames that would be too short."""
    last = -MIN_GIF_DURATION
    for time, data in frames:
        time = round(time / GIF_TICK) * GIF_TICK
        if time - last >= MIN_GIF_DURATION:
            last = time
            yield time, data


def _with_durations(frames: Iterable[Timed], end: int) -> Iterator[Timed]:
    """Durations in place of times."""
    before: Timed | None = None
    for time, data in frames:
        if before is not None:
            yield time - before[0], before[1]
        before = time, data
    if before is not None:
        yield max(end - before[0], MIN_GIF_DURATION), before[1]


# GIF89a: https://www.w3.org/Graphics/GIF/spec-gif89a.txt


def _write_gif(
    file: BinaryIO, size: tuple[int, int], frames: Iterable[Timed], loops: int | None
) -> None:
    file.write(b"GIF89a" + struct.pack("<HHBBB", *size, 0x70, 0, 0))
    if loops is not None:  # without this block it runs once
        file.write(
            b"\x21\xff\x0bNETSCAPE2.0\x03\x01" + struct.pack("<HB", min(loops, MAX_LOOPS), 0)
        )
    for duration, data in frames:
        palette, transparent, rest = _gif_parts(data)
        # The frame is cleared before the next one, or that would be seen through its holes.
        flags = 0b0100 if transparent is None else 0b1001
        delay = min(round(duration / GIF_TICK), 0xFFFF)
        file.write(struct.pack("<BBBBHBB", 0x21, 0xF9, 4, flags, delay, transparent or 0, 0))
        local = 0x80 | (len(palette) // 3).bit_length() - 2
        file.write(rest[:9] + bytes([rest[9] & 0x40 | local]) + palette + rest[10:])
    file.write(b";")


def _gif_parts(data: bytes) -> tuple[bytes, int | None, bytes]:
    """Of a file of one frame: palette, index of what is transparent, the image's descriptor ff."""
    length = 3 << (data[10] & 7) + 1
    place, transparent = 13 + length, None
    while data[place] == 0x21:  # extensions
        if data[place + 1] == 0xF9 and data[place + 3] & 1:
            transparent = data[place + 6]  # Pillow may have numbered the colours anew
        place += 2
        while data[place]:
            place += 1 + data[place]
        place += 1
    return data[13 : 13 + length], transparent, data[place:-1]


# WebP: https://developers.google.com/speed/webp/docs/riff_container


def _write_webp(
    file: BinaryIO, size: tuple[int, int], frames: Iterable[Timed], loops: int | None
) -> None:
    ends = struct.pack("<I", size[0] - 1)[:3] + struct.pack("<I", size[1] - 1)[:3]
    file.write(b"RIFF\0\0\0\0WEBP")
    file.write(_chunk(b"VP8X", bytes([0b00010010, 0, 0, 0]) + ends))  # animated, maybe with alpha
    times = 1 if loops is None else min(loops, MAX_LOOPS)
    file.write(_chunk(b"ANIM", struct.pack("<IH", 0, times)))
    for duration, data in frames:
        head = bytes(6) + ends + struct.pack("<I", min(duration, 0xFFFFFF))[:3]
        # Each frame replaces the one before: no blending, no clearing.
        file.write(_chunk(b"ANMF", head + b"\x02" + _webp_pixels(data)))
    length = file.tell()
    file.seek(4)
    file.write(struct.pack("<I", length - 8))


def _webp_pixels(data: bytes) -> bytes:
    """The chunks of a file of one picture that hold its pixels."""
    place, pixels = 12, b""
    while place < len(data):
        name, length = data[place : place + 4], struct.unpack_from("<I", data, place + 4)[0]
        stop = place + 8 + length + length % 2
        if name in (b"ALPH", b"VP8 ", b"VP8L"):
            pixels += data[place:stop]
        place = stop
    return pixels


def _chunk(name: bytes, data: bytes) -> bytes:
    return name + struct.pack("<I", len(data)) + data + bytes(len(data) % 2)
