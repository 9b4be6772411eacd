"""Video files out: segments as they are finished, and one file made of them at the end.

A segment of a video is a file in the NUT format, whose times are exact; joining the segments copies
what was encoded. A segment of an animation is an archive of
its pictures.
"""

from __future__ import annotations

import contextlib
import heapq
import io
import itertools
import os
import zipfile
from collections.abc import Iterable, Iterator, Sequence
from fractions import Fraction
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image

from arbitrary_nst.common.atomic import check_target
from arbitrary_nst.common.extras import require
from arbitrary_nst.errors import InputError
from arbitrary_nst.video import animation
from arbitrary_nst.video.clip import Clip, Frame, url
from arbitrary_nst.video.copying import Item, add_copies, copied_packets

VIDEO_FORMATS = {  # suffix: format and codec
    ".mp4": ("mp4", "libx264"),
    ".mov": ("mov", "libx264"),
    ".mkv": ("matroska", "libx264"),
    ".webm": ("webm", "libvpx-vp9"),
}
ANIMATION_FORMATS = {".gif": "GIF", ".webp": "WEBP"}
VIDEO = -1  # beside the indices of the audio streams


def check_video_path(path: str | os.PathLike[str]) -> Path:
    """Checks that a video can be written at `path`.

    Returns:
        The file that will be written: `path` with symbolic links followed.

    Raises:
        InputError: the suffix is unknown, or the place cannot be written to.
    """
    if Path(path).suffix.lower() not in {**VIDEO_FORMATS, **ANIMATION_FORMATS}:
        raise InputError(
            f"The output path needs a suffix that names a video format. Expected one of "
            f"{', '.join([*VIDEO_FORMATS, *ANIMATION_FORMATS])}. Received: {os.fspath(path)!r}."
        )
    return check_target(path)


def write_segment(
    path: Path, frames: Iterator[Frame], clip: Clip, suffix: str, quality: int
) -> int:
    """Writes frames into a segment, whole or not at all; no file where there are no frames.

    Args:
        path: of the segment.
        frames: of one size; even in both sides where `suffix` is that of a video.
        clip: what they were made from.
        suffix: of the file that is to come of it.
        quality: from 1 to 100.

    Returns:
        The number of frames.
    """
    first = next(frames, None)
    if first is None:
        return 0
    frames = itertools.chain([first], frames)
    temporary = path.with_suffix(".tmp")
    if suffix in ANIMATION_FORMATS:
        count = _store(temporary, frames, clip, ANIMATION_FORMATS[suffix], quality)
    else:
        codec = VIDEO_FORMATS[suffix][1]
        count = _encode(temporary, frames, first.rgb.shape, clip, codec, quality)
    with open(temporary, "rb+") as file:
        os.fsync(file.fileno())
    os.replace(temporary, path)
    return count


def join(segments: Sequence[Path], clip: Clip, target: Path, suffix: str, audio: bool) -> None:
    """Makes one file of segments, with what is copied of the clip. It is not written atomically."""
    if suffix in ANIMATION_FORMATS:
        _join_pictures(segments, clip, target, ANIMATION_FORMATS[suffix])
        return
    av = require("av")
    name = VIDEO_FORMATS[suffix][0]
    options = {"movflags": "+faststart"} if name in ("mp4", "mov") else {}
    with contextlib.ExitStack() as stack:
        first = stack.enter_context(av.open(url(segments[0])))
        container = stack.enter_context(av.open(url(target), "w", format=name, options=options))
        video = container.add_stream_from_template(first.streams.video[0])
        streams, packets = {VIDEO: video}, [_video_packets(av, segments, clip)]
        if not clip.is_animation:
            source = stack.enter_context(av.open(url(clip.path)))
            copies = add_copies(source, container, video, clip, audio)
            streams |= copies
            packets += [copied_packets(source, copies, clip)] if copies else []
        # In the order of time, or one kind would pile up in memory until the other comes.
        for _, index, packet in heapq.merge(*packets, key=lambda item: item[0]):
            packet.stream = streams[index]
            container.mux(packet)


# Videos.


def _encode(
    path: Path,
    frames: Iterable[Frame],
    shape: Sequence[int],
    clip: Clip,
    codec: str,
    quality: int,
) -> int:
    av = require("av")
    count = 0
    with av.open(url(path), "w", format="nut") as container:
        stream = container.add_stream(codec, rate=clip.rate)
        stream.height, stream.width = shape[:2]
        stream.pix_fmt = "yuv420p"
        stream.options = _options(codec, quality)
        stream.time_base = clip.time_base
        context = stream.codec_context
        context.time_base = clip.time_base
        context.sample_aspect_ratio = clip.aspect
        context.colorspace, context.color_primaries, context.color_trc, _ = clip.color
        context.color_range = clip.color.swscale[1]
        for rgb, alpha, time, _ in frames:
            frame = _yuv(av, rgb if alpha is None else _on_white(rgb, alpha), clip)
            frame.pts, frame.time_base = time, clip.time_base
            container.mux(stream.encode(frame))
            count += 1
        container.mux(stream.encode(None))
    return count


def _options(codec: str, quality: int) -> dict[str, str]:
    # Frames are stored in the order in which they are shown: where segments meet, those that are
    # to be shown later would otherwise come too early.
    if codec == "libx264":
        return {"crf": str(round(40 - quality / 4)), "preset": "medium", "bf": "0"}
    speed = {"deadline": "good", "cpu-used": "4", "row-mt": "1"}
    return {"crf": str(round(58 - 0.38 * quality)), "b": "0", "auto-alt-ref": "0", **speed}


def _yuv(av: Any, rgb: np.ndarray, clip: Clip) -> Any:
    matrix, full = clip.color.swscale
    frame = av.VideoFrame.from_ndarray(np.ascontiguousarray(rgb), "rgb24")
    return frame.reformat(
        format="yuv420p",
        src_colorspace=matrix,
        dst_colorspace=matrix,
        src_color_range=2,
        dst_color_range=full,
    )


def _on_white(rgb: np.ndarray, alpha: np.ndarray) -> np.ndarray:
    share = alpha[..., None] / np.float32(255)
    return np.rint(255 + share * (rgb - np.float32(255))).astype(np.uint8)


def _video_packets(av: Any, segments: Sequence[Path], clip: Clip) -> Iterator[Item]:
    """The packets of all segments; each lasts until the next one."""
    start, last = None, None
    for path in segments:
        with av.open(url(path)) as container:
            for packet in container.demux(video=0):
                if packet.size == 0:
                    continue
                start = _seconds(packet) if start is None else start
                if last is not None:
                    yield _lasting(last, _seconds(packet))
                last = packet
    if start is not None and last is not None:
        yield _lasting(last, start + Fraction(clip.seconds).limit_denominator(10**6))


def _lasting(packet: Any, stop: Fraction) -> Item:
    packet.duration = max(1, round((stop - _seconds(packet)) / packet.time_base))
    return _seconds(packet), VIDEO, packet


def _seconds(packet: Any) -> Fraction:
    return packet.pts * packet.time_base


# Animations: a segment is an archive of pictures, whose names are their times.


def _store(path: Path, frames: Iterable[Frame], clip: Clip, name: str, quality: int) -> int:
    count = 0
    with zipfile.ZipFile(path, "w") as archive:
        for rgb, alpha, time, _ in frames:
            picture = animation.encode(name, rgb, alpha, quality)
            archive.writestr(str(round(1000 * time * clip.time_base)), picture)
            count += 1
    return count


def _join_pictures(segments: Sequence[Path], clip: Clip, target: Path, name: str) -> None:
    start, first = next(_pictures(segments))
    with Image.open(io.BytesIO(first)) as picture:
        size = picture.size
    end = start + round(1000 * clip.seconds)
    with open(target, "wb") as file:
        animation.write(file, name, size, _pictures(segments), end, clip.loops)


def _pictures(segments: Sequence[Path]) -> Iterator[animation.Timed]:
    for path in segments:
        with zipfile.ZipFile(path) as archive:
            for name in archive.namelist():
                yield int(name), archive.read(name)
