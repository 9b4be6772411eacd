"""What goes from a film into the painted one as it is: sound, subtitles, chapters, titles."""

from __future__ import annotations

import contextlib
import io
from collections.abc import Iterator, Mapping, Sequence
from fractions import Fraction
from typing import Any

from arbitrary_nst.common.extras import require
from arbitrary_nst.errors import VideoError
from arbitrary_nst.video.clip import Clip, url
from arbitrary_nst.video.clock import Stretches, offset
from arbitrary_nst.video.reading import has_alpha
from arbitrary_nst.video.survey import PICTURE_CODECS, film_stream, is_picture

Item = tuple[Fraction, int, Any]  # time in seconds, index of the stream, packet
STREAM_TAGS = ("language", "title")
# Of the file that was read, and untrue of the one that is written.
FILE_TAGS = ("major_brand", "minor_version", "compatible_brands", "encoder", "duration")
PRIMING = Fraction(1, 10)  # seconds of hidden sound that a decoder may need before the first heard


def check_sounds(clip: Clip, suffix: str, container: str) -> None:
    """Checks that a format can hold the sound of a clip as it is.

    Args:
        clip: a video.
        suffix: of the file to write, for the message.
        container: what FFmpeg calls its format.

    Raises:
        VideoError: it cannot.
    """
    if not clip.sounds:
        return
    with require("av").open(url(clip.path)) as source:
        reason = _refusal(source.streams.audio, container)
    if reason is not None:
        raise VideoError(
            f"A {suffix} file cannot hold the sound of {str(clip.path)!r} as it is "
            f"({', '.join(clip.sounds)}). Write a .mkv file, which can, or leave the sound out: "
            f"`audio=False`, `--no-audio`."
        ) from reason


def what_is_lost(clip: Clip, container: str | None, audio: bool) -> list[str]:
    """Names what is in a film and cannot be in the painted one, without what is not wanted.

    Args:
        clip: what is painted.
        container: what FFmpeg calls the format to write; None for an animation.
        audio: whether the sound is wanted.
    """
    if clip.is_animation:
        return []
    lost: dict[str, None] = {}  # a set that keeps the order
    with require("av").open(url(clip.path)) as source:
        film, chapters = film_stream(source, clip.path), source.chapters()
        if container is None and chapters:
            lost["chapters"] = None
        if container is not None and has_alpha(film.format):
            lost["transparency (laid on white)"] = None
        if film.metadata.get("alpha_mode") == "1":  # of WebM, which FFmpeg's own decoders skip
            lost["transparency (of a kind that is not read)"] = None
        for stream in source.streams:
            if stream.type == "video" and stream.index != film.index:
                cover = is_picture(stream) or stream.codec_context.name in PICTURE_CODECS
                lost["a cover picture" if cover else "a further video stream"] = None
            elif stream.type == "audio" and audio and container is None:
                lost["sound"] = None
            elif stream.type == "subtitle":
                if container is None or _refusal([stream], container) is not None:
                    lost[f"subtitles ({_codec(stream)})"] = None
            elif stream.type == "data" and not chapters:  # MP4 has the chapters in such a stream
                lost["timecode" if "timecode" in stream.metadata else "a data stream"] = None
            elif stream.type == "attachment":
                lost["attachments"] = None
    return list(lost)


def add_copies(source: Any, target: Any, video: Any, clip: Clip, audio: bool) -> dict[int, Any]:
    """Prepares a file to take what is copied, and gives it what comes with the header.

    Args:
        source: the clip, open in PyAV.
        target: the file to write, to which nothing has been written yet.
        video: its video stream.
        clip: what is painted.
        audio: whether the sound is copied.

    Returns:
        The new streams, by the index of that in the source.
    """
    tags = {key: text for key, text in source.metadata.items() if key.lower() not in FILE_TAGS}
    target.metadata.update(tags)
    film = film_stream(source, clip.path)
    _describe(film, video)
    streams = {}
    for stream in [*(source.streams.audio if audio else ()), *source.streams.subtitles]:
        if stream.type == "audio" or _refusal([stream], target.format.name) is None:
            streams[stream.index] = target.add_stream_from_template(stream)
            _describe(stream, streams[stream.index])
    shift = offset(clip.clock, film.index, 0)
    with contextlib.suppress(ValueError):  # a chapter without an end
        target.set_chapters([_shifted(chapter, shift) for chapter in source.chapters()])
    return streams


def copied_packets(source: Any, streams: Mapping[int, Any], clip: Clip) -> Iterator[Item]:
    """The packets of what is copied, on the clock of the clip.

    Args:
        source: the clip, open in PyAV.
        streams: as `add_copies` gives them.
        clip: what is painted.
    """
    stretches = {
        key: Stretches(source, is_sparse=source.streams[key].type == "subtitle") for key in streams
    }
    last: dict[int, int] = {}
    for packet in source.demux([source.streams[key] for key in streams]):
        key, unit = packet.stream_index, packet.time_base
        if packet.size == 0 or packet.dts is None:
            continue
        if packet.is_discard and (packet.dts + (packet.duration or 0)) * unit < -PRIMING:
            continue  # some formats would show it
        ticks = round(offset(clip.clock, key, stretches[key].of(packet.dts * unit)) / unit)
        # Writers refuse times that do not rise.
        ticks = max(ticks, last.get(key, packet.dts + ticks - 1) + 1 - packet.dts)
        packet.pts = None if packet.pts is None else packet.pts + ticks
        packet.dts = last[key] = packet.dts + ticks
        yield packet.dts * unit, key, packet


def _refusal(streams: Sequence[Any], container: str) -> Exception | None:
    """Why a format cannot hold streams as they are; None where it can."""
    av = require("av")
    try:
        with av.open(io.BytesIO(), "w", format=container) as trial:
            for stream in streams:
                trial.add_stream_from_template(stream)
            trial.start_encoding()
    except (av.error.FFmpegError, ValueError) as error:
        return error
    return None


def _describe(stream: Any, copy: Any) -> None:
    copy.metadata.update({k: stream.metadata[k] for k in STREAM_TAGS if k in stream.metadata})
    copy.disposition = stream.disposition.value  # PyAV 17.0 takes whole numbers alone


def _shifted(chapter: Mapping[str, Any], shift: Fraction) -> dict[str, Any]:
    ticks = round(shift / chapter["time_base"])
    start, end = (max(0, chapter[name] + ticks) for name in ("start", "end"))
    return {**chapter, "start": start, "end": end}


def _codec(stream: Any) -> str:
    return getattr(stream.codec_context, "name", None) or "of an unknown kind"
