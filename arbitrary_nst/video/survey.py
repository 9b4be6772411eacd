"""What the packets of a video file tell, before a frame is decoded: its streams, length, clock."""

from __future__ import annotations

import math
from collections import defaultdict
from pathlib import Path
from typing import Any, NamedTuple

from arbitrary_nst.common.extras import require
from arbitrary_nst.errors import VideoError
from arbitrary_nst.video.clip import url
from arbitrary_nst.video.clock import Clock, Span, Stretches, clock_of, offset

# Dispositions of streams that are pictures beside a film or a song.
PICTURES = ("attached_pic", "still_image", "timed_thumbnails")
# Codecs of pictures: what marks a stream as a cover gets lost when files are copied.
PICTURE_CODECS = ("mjpeg", "png", "bmp", "gif", "webp", "tiff", "jpegxl")


class Survey(NamedTuple):
    """What `survey` finds.

    `num_frames`: of those that are shown; `num_packets`: also those that an edit list hides;
    `seconds`: how long the video is; `reached`: where the last stream ends, as the file counts.
    """

    num_frames: int
    num_packets: int
    seconds: float
    reached: float
    clock: Clock


def film_stream(container: Any, path: Path) -> Any:
    """The video stream that is the film.

    Raises:
        VideoError: there is none; the cover picture of a song is none.
    """
    streams = [stream for stream in container.streams.video if not is_picture(stream)]
    if not streams:
        kinds = sorted({stream.type for stream in container.streams})
        raise VideoError(
            f"{str(path)!r} holds no video stream. Received: {', '.join(kinds) or 'no streams'}."
        )
    streams.sort(key=lambda stream: stream.codec_context.name in PICTURE_CODECS)
    streams[0].thread_type = "AUTO"
    return streams[0]


def is_picture(stream: Any) -> bool:
    """Whether a stream is marked as a picture beside the film."""
    return any(name in (stream.disposition.name or "") for name in PICTURES)


def survey(path: Path) -> Survey:
    """Reads all packets of a file.

    Raises:
        VideoError: there is no video stream.
        av.error.FFmpegError: it is damaged.
    """
    num_frames = num_packets = 0
    first, reached = math.inf, 0.0
    spans: dict[int, list[Span]] = defaultdict(list)
    av = require("av")
    with av.open(url(path)) as container:
        video = film_stream(container, path).index  # not to be asked for once the file is closed
        timed = {video, *(stream.index for stream in container.streams.audio)}
        begins = (container.start_time or 0) / av.time_base
        stretches = {key: Stretches(container) for key in timed}
        for packet in container.demux():
            key = packet.stream_index
            if packet.size == 0 or packet.is_corrupt:
                continue
            num_packets += key == video
            num_frames += key == video and not packet.is_discard
            if packet.pts is None or packet.is_discard:
                continue
            start = packet.pts * packet.time_base
            stop = start + (packet.duration or 0) * packet.time_base
            first, reached = min(first, float(start)), max(reached, float(stop))
            if key in timed:
                # In the order of decoding times never go back; some first packets have none.
                known = packet.dts is not None
                stretch = stretches[key].of(packet.dts * packet.time_base) if known else 0
                _extend(spans[key], stretch, Span(start, stop))
    ordered = {key: spans[key] for key in (video, *sorted(timed - {video})) if key in spans}
    clock = clock_of(ordered)
    seconds = _length(ordered.get(video, []), clock, video)
    # Matroska written by FFmpeg 9, whose sound has a delay, gives packets earlier than it counts.
    reached += max(0.0, begins - first, -first)
    return Survey(num_frames, num_packets, seconds, reached, clock)


def _extend(spans: list[Span], stretch: int, packet: Span) -> None:
    """Adds a packet to the last stretch, or begins another."""
    if stretch >= len(spans):
        spans.append(packet)
    else:
        spans[-1] = Span(min(spans[-1].start, packet.start), max(spans[-1].stop, packet.stop))


def _length(spans: list[Span], clock: Clock, stream: int) -> float:
    if not spans:
        return 0.0
    last = len(spans) - 1
    stop = spans[last].stop + offset(clock, stream, last)
    return float(stop - spans[0].start - offset(clock, stream, 0))
