"""Video files in: what is in them, and their frames one after the other.

Animated GIF, WebP and PNG are read by Pillow, everything else by PyAV. Frames come upright and as
8-bit RGB. Never more than a few of them are in memory.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from fractions import Fraction
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image, ImageSequence

from arbitrary_nst.common.extras import require
from arbitrary_nst.errors import VideoError, VideoNotFound
from arbitrary_nst.video.clip import (
    SWSCALE_MATRICES,
    UNSPECIFIED,
    Clip,
    Color,
    Frame,
    usual_matrix,
)

ANIMATIONS = ("GIF", "WEBP", "PNG")  # formats of Pillow
MILLISECOND = Fraction(1, 1000)
# As browsers do with frames that are to be shown for no time at all.
NO_DURATION, DEFAULT_DURATION = 10, 100  # milliseconds


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
    animation = _animation(path)
    return animation if animation else _video(path)


def read_frames(clip: Clip) -> Iterator[Frame]:
    """The frames of a clip, in the order and with the times of their presentation.

    Raises:
        VideoError: what is left of the file cannot be decoded.
    """
    frames = _pillow_frames(clip) if clip.is_animation else _av_frames(clip)
    last = None
    for frame in frames:
        # Writers refuse times that do not rise; some broken cameras repeat them.
        if last is not None and frame.time <= last:
            frame = frame._replace(time=last + 1)
        last = frame.time
        yield frame


# Animations, by Pillow.


def _animation(path: Path) -> Clip | None:
    """The clip, where the file is an image of some kind; None where it is none."""
    try:
        image = Image.open(path)
    except (OSError, Image.DecompressionBombError, ValueError):
        return None
    with image:
        if image.format not in ANIMATIONS or getattr(image, "n_frames", 1) == 1:
            raise VideoError(
                f"{str(path)!r} is a single image ({image.format}), not a video. "
                f"Paint it with `stylize`."
            )
        try:
            durations = [_duration(frame) for frame in ImageSequence.Iterator(image)]
        except (OSError, EOFError, ValueError, SyntaxError) as error:
            raise VideoError(
                f"The animation {str(path)!r} is damaged or cut short: {error}. Save it anew."
            ) from error
        total = sum(durations)
        return Clip(
            path,
            *image.size,
            num_frames=len(durations),
            time_base=MILLISECOND,
            rate=Fraction(1000 * len(durations), total),
            seconds=total / 1000,
            color=Color(usual_matrix(image.height)),
            is_animation=True,
        )


def _pillow_frames(clip: Clip) -> Iterator[Frame]:
    time = 0
    with Image.open(clip.path) as image:
        for frame in ImageSequence.Iterator(image):
            rgba = np.asarray(frame.convert("RGBA"))
            alpha = None if (rgba[..., 3] == 255).all() else rgba[..., 3]
            duration = _duration(frame)
            yield Frame(rgba[..., :3], alpha, time, duration)
            time += duration


def _duration(frame: Image.Image) -> int:
    frame.load()  # before that WebP does not know
    duration = round(frame.info.get("duration", 0))
    return duration if duration > NO_DURATION else DEFAULT_DURATION


# Videos, by PyAV.


def _video(path: Path) -> Clip:
    av = require("av")
    try:
        with av.open(path) as container:
            stream = _stream(container, path)
            frame = next(container.decode(stream), None)
            if frame is None:
                raise VideoError(f"The video {str(path)!r} has no frames.")
            rotation = getattr(frame, "rotation", 0)
            sounds = tuple(sound.codec_context.name for sound in container.streams.audio)
            color = _color(frame)
            aspect = Fraction(stream.sample_aspect_ratio or 1)
            rate, time_base = stream.average_rate or stream.guessed_rate, stream.time_base
            claimed, length = _claims(av, container, stream)
        num_frames, end, last = _count(av, path)
    except av.error.EOFError as error:
        raise VideoError(f"The video {str(path)!r} has no frames.") from error
    except av.error.FFmpegError as error:
        raise VideoError(
            f"{str(path)!r} cannot be read as a video: {error.strerror}. It is of another kind, "
            f"damaged, or cut short."
        ) from error
    if last < 0.97 * length - 0.1 and (num_frames < claimed or not claimed):
        raise VideoError(
            f"The video {str(path)!r} is cut short: there are {num_frames} frames, and "
            f"{last:.1f} s of {length:.1f} s. Copy or download it again; "
            f"`ffmpeg -i FILE -c copy NEW.mkv` makes a video of what is there."
        )
    width, height = frame.width, frame.height
    if rotation % 180:
        width, height, aspect = height, width, 1 / aspect
    rate = Fraction(rate or 25).limit_denominator(1001)
    return Clip(path, width, height, num_frames, time_base, rate, end, color, aspect, sounds)


def _stream(container: Any, path: Path) -> Any:
    """The video stream; the cover picture of a song is none."""
    cover = "ATTACHED_PIC"
    streams = [s for s in container.streams.video if cover not in str(s.disposition).upper()]
    if not streams:
        kinds = sorted({stream.type for stream in container.streams})
        raise VideoError(
            f"{str(path)!r} holds no video stream. Received: {', '.join(kinds) or 'no streams'}."
        )
    streams[0].thread_type = "AUTO"
    return streams[0]


def _claims(av: Any, container: Any, stream: Any) -> tuple[int, float]:
    """Numbers of frames and of seconds of which a file itself says that they are in it, or 0."""
    formats = container.format.name
    if "mp4" not in formats and "matroska" not in formats:
        return 0, 0.0  # others are guessed from the rate of bits
    return stream.frames, (container.duration or 0) / av.time_base


def _count(av: Any, path: Path) -> tuple[int, float, float]:
    """Packets of the video stream, how long it is, and how long the longest stream is."""
    num_frames = 0
    first: dict[int, Fraction] = {}
    end: dict[int, Fraction] = {}
    with av.open(path) as container:
        stream = _stream(container, path)
        video = stream.index  # not to be asked for once the file is closed
        for packet in container.demux(stream, *container.streams.audio):
            if packet.size == 0 or packet.is_corrupt:
                continue
            num_frames += packet.stream.index == video
            if packet.pts is not None:
                key, start = packet.stream.index, packet.pts * packet.time_base
                first[key] = min(first.get(key, start), start)
                stop = start + (packet.duration or 0) * packet.time_base
                end[key] = max(end.get(key, stop), stop)
    lengths = {key: float(end[key] - first[key]) for key in end}
    return num_frames, lengths.get(video, 0.0), max(lengths.values(), default=0.0)


def _av_frames(clip: Clip) -> Iterator[Frame]:
    av = require("av")
    step = round(1 / (clip.rate * clip.time_base))
    time = -step
    try:
        with av.open(clip.path) as container:
            stream = _stream(container, clip.path)
            for frame in container.decode(stream):
                time = time + step if frame.pts is None else frame.pts
                duration = int(getattr(frame, "duration", 0) or 0)
                yield Frame(_upright(frame, clip.color), None, time, duration)
    except av.error.FFmpegError as error:
        raise VideoError(
            f"The video {str(clip.path)!r} is damaged after {float(time * clip.time_base):.2f} s: "
            f"{error.strerror}."
        ) from error


def _upright(frame: Any, color: Color) -> np.ndarray:
    options = {}
    if not _is_rgb(frame):
        matrix, full = color.swscale
        options = {"src_colorspace": matrix, "dst_colorspace": matrix}
        options |= {"src_color_range": full, "dst_color_range": 2}
    rgb = frame.reformat(format="rgb24", **options).to_ndarray()
    turns = round(getattr(frame, "rotation", 0) / 90)
    return np.ascontiguousarray(np.rot90(rgb, turns))


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
