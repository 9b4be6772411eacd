"""Video files in: what is in them, and their frames one after the other.

Animated GIF, WebP, PNG and AVIF are read by Pillow, everything else by PyAV. Frames come upright,
as 8-bit RGB, and of one size. Never more than a few of them are in memory.
"""

from __future__ import annotations

import os
import struct
from collections.abc import Iterator
from fractions import Fraction
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

from arbitrary_nst.common.extras import require
from arbitrary_nst.errors import VideoError, VideoNotFound
from arbitrary_nst.video.clip import (
    SWSCALE_MATRICES,
    UNSPECIFIED,
    Clip,
    Color,
    Frame,
    url,
    usual_matrix,
)
from arbitrary_nst.video.clock import Stretches, offset
from arbitrary_nst.video.pillow_reading import animation_frames, open_animation
from arbitrary_nst.video.survey import film_stream, survey

# Kinds of files that FFmpeg knows by what is in them, whatever they are called, and that name
# others: those of who paints, where the film is a stranger's.
PLAYLISTS = {"concat", "dash", "hls", "imf", "rtsp", "sap", "sdp", "webm_dash_manifest"}


def open_clip(path: str | os.PathLike[str]) -> Clip:
    """Looks at a video, from its beginning to its end, without decoding more than a frame.

    Raises:
        VideoNotFound: there is no such file.
        VideoError: it is an image, holds no video, no frame, or is damaged or cut short.
        ImportError: PyAV is not installed.
    """
    path = Path(path)
    if not path.is_file():
        what = "is a folder" if path.is_dir() else "does not exist"
        raise VideoNotFound(f"The video {str(path)!r} {what}. Expected the name of a video file.")
    animation = open_animation(path)
    return animation if animation else _video(path)


def read_frames(clip: Clip) -> Iterator[Frame]:
    """The frames of a clip, in the order and with the times of their presentation.

    Raises:
        VideoError: what is left of the file cannot be decoded.
    """
    frames = animation_frames(clip) if clip.is_animation else _av_frames(clip)
    last = None
    for frame in frames:
        # Writers refuse times that do not rise; some broken cameras repeat them.
        if last is not None and frame.time <= last:
            frame = frame._replace(time=last + 1)
        last = frame.time
        yield frame


# Videos, by PyAV.


def _video(path: Path) -> Clip:
    av = require("av")
    try:
        with av.open(url(path)) as container:
            if PLAYLISTS & set(container.format.name.split(",")):
                raise VideoError(
                    f"{str(path)!r} is no film but a list of other files or addresses. Expected a "
                    f"film; `ffmpeg -i FILE -c copy NEW.mkv` makes one of such a list."
                )
            stream = film_stream(container, path)
            frame = next(container.decode(stream), None)
            if frame is None:
                raise VideoError(f"The video {str(path)!r} has no frames.")
            sounds = tuple(sound.codec_context.name for sound in container.streams.audio)
            aspect = Fraction(stream.sample_aspect_ratio or 1)
            rate, time_base = stream.average_rate or stream.guessed_rate, stream.time_base
            claimed, length = _claims(av, container, stream)
        found = survey(path)
    except av.error.EOFError as error:
        raise VideoError(f"The video {str(path)!r} has no frames.") from error
    except av.error.FFmpegError as error:
        raise VideoError(
            f"{str(path)!r} cannot be read as a video: {error.strerror}. It is of another kind, "
            f"damaged, or cut short."
        ) from error
    if found.reached < 0.97 * length - 0.1 and (found.num_packets < claimed or not claimed):
        raise VideoError(
            f"The video {str(path)!r} is cut short: there are {found.num_packets} frames, and "
            f"{found.reached:.1f} s of {length:.1f} s. Copy or download it again; "
            f"`ffmpeg -i FILE -c copy NEW.mkv` makes a video of what is there."
        )
    width, height = frame.width, frame.height
    if _orientation(frame).is_turned:
        width, height, aspect = height, width, 1 / aspect
    return Clip(
        path,
        width,
        height,
        found.num_frames,
        time_base,
        Fraction(rate or 25).limit_denominator(1001),
        found.seconds,
        _color(frame),
        aspect,
        sounds,
        found.clock,
    )


def _claims(av: Any, container: Any, stream: Any) -> tuple[int, float]:
    """Numbers of frames and of seconds of which a file itself says that they are in it, or 0."""
    formats = container.format.name
    if "mp4" not in formats and "matroska" not in formats:
        return 0, 0.0  # others are guessed from the rate of bits
    return stream.frames, (container.duration or 0) / av.time_base


def _av_frames(clip: Clip) -> Iterator[Frame]:
    av = require("av")
    step = round(1 / (clip.rate * clip.time_base))
    time = -step
    try:
        with av.open(url(clip.path)) as container:
            stream = film_stream(container, clip.path)
            stretches = Stretches(container)
            for frame in container.decode(stream):
                if frame.pts is None:
                    time += step
                else:
                    stretch = stretches.of(frame.pts * clip.time_base)
                    shift = offset(clip.clock, stream.index, stretch)
                    time = frame.pts + round(shift / clip.time_base)
                duration = int(getattr(frame, "duration", 0) or 0)
                yield Frame(*_upright(frame, clip), time, duration)
    except av.error.FFmpegError as error:
        raise VideoError(
            f"The video {str(clip.path)!r} is damaged after {float(time * clip.time_base):.2f} s: "
            f"{error.strerror}."
        ) from error


def _upright(frame: Any, clip: Clip) -> tuple[np.ndarray, np.ndarray | None]:
    """RGB and transparency of a frame, as it is shown and of the clip's size, as players do it."""
    options: dict[str, Any] = {}
    if not _is_rgb(frame):
        matrix, full = _color(frame).swscale
        options = {"src_colorspace": matrix, "dst_colorspace": matrix}
        options |= {"src_color_range": full, "dst_color_range": 2}
    turn = _orientation(frame)
    width, height = (clip.height, clip.width) if turn.is_turned else (clip.width, clip.height)
    if (frame.width, frame.height) != (width, height):
        options |= {"width": width, "height": height, "interpolation": "BICUBIC"}
    kind = "rgba" if has_alpha(frame.format) else "rgb24"
    pixels = frame.reformat(format=kind, **options).to_ndarray()
    if turn.is_turned:
        pixels = pixels.swapaxes(0, 1)
    pixels = pixels[:: -1 if turn.is_upside_down else 1, :: -1 if turn.is_mirrored else 1]
    rgb, alpha = np.ascontiguousarray(pixels[..., :3]), pixels[..., 3:]
    if alpha.size == 0 or (alpha == 255).all():
        return rgb, None
    return rgb, np.ascontiguousarray(alpha[..., 0])


class _Orientation(NamedTuple):
    """What is done to stored pixels, in this order, so that they are as they are shown."""

    is_turned: bool = False  # rows become columns
    is_upside_down: bool = False
    is_mirrored: bool = False


def _orientation(frame: Any) -> _Orientation:
    """What a frame says of its orientation, in quarters of a turn."""
    matrix = frame.side_data.get("DISPLAYMATRIX")
    if matrix is None:
        return _Orientation()
    # By rows: x' = a x + c y, y' = b x + d y, with a third column that is of no use here.
    a, b, _, c, d, *_ = struct.unpack("=9i", bytes(matrix))
    if abs(a) >= abs(b):
        return _Orientation(False, d < 0, a < 0)
    return _Orientation(True, b < 0, c < 0)


def has_alpha(pixel_format: Any) -> bool:
    """Whether pixels of a format of PyAV's are transparent, or may be."""
    return any(part.is_alpha for part in pixel_format.components)


def _color(frame: Any) -> Color:
    """The colours of a frame, what is not said being what players assume."""
    matrix = frame.colorspace if frame.colorspace in SWSCALE_MATRICES else None
    if matrix is None or _is_rgb(frame):
        matrix = usual_matrix(frame.height)
    is_full = frame.color_range == 2 or frame.format.name.startswith("yuvj")
    primaries = getattr(frame, "color_primaries", UNSPECIFIED)
    transfer = getattr(frame, "color_trc", UNSPECIFIED)
    # RGB always uses the full range, and what is written is not RGB.
    return Color(matrix, primaries, transfer, is_full and not _is_rgb(frame))


def _is_rgb(frame: Any) -> bool:
    return bool(frame.format.is_rgb)
