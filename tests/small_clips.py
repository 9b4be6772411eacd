"""Clips of a dozen small frames, and what a clip holds."""

import contextlib
from fractions import Fraction

import av
import numpy as np

from arbitrary_nst.video.reading import open_clip, read_frames

NUM_FRAMES = 12
CODECS = {".webm": ("libvpx-vp9", "libopus")}


def moving(index, height=48, width=64):
    """A frame of a pattern that moves by two pixels a frame."""
    y, x = np.mgrid[0:height, 0:width].astype(np.float32)
    x = x - 2 * index
    waves = [
        0.5 + 0.4 * np.sin(x / 5 + y / 7),
        0.5 + 0.4 * np.cos(x / 9),
        0.5 + 0.3 * np.sin(y / 4),
    ]
    return np.stack(waves, axis=-1).astype(np.float32)


def make_clip(path, frames=None, *, times=None, sound=True, color=None, time_base=None):
    """Writes a clip, with a sine as sound: by default 12 frames of 64x48 at 25 a second."""
    frames = [moving(i) for i in range(NUM_FRAMES)] if frames is None else frames
    times = range(len(frames)) if times is None else times
    time_base = time_base or Fraction(1, 25)
    picture_codec, sound_codec = CODECS.get(path.suffix, ("libx264", "aac"))
    with av.open(str(path), "w") as container:
        stream = container.add_stream(picture_codec, rate=25)
        stream.height, stream.width = frames[0].shape[:2]
        stream.pix_fmt = "yuv420p" if stream.height % 2 == 0 == stream.width % 2 else "yuv444p"
        stream.codec_context.time_base = stream.time_base = time_base
        matrix, color_range = color or (6, 1)
        stream.codec_context.colorspace = matrix
        stream.codec_context.color_range = color_range
        voice = container.add_stream(sound_codec, rate=48000) if sound else None
        for time, pixels in zip(times, frames, strict=True):
            levels = np.rint(pixels * 255).astype(np.uint8)
            frame = av.VideoFrame.from_ndarray(levels, "rgb24").reformat(
                format=stream.pix_fmt,
                src_colorspace=5 if matrix == 6 else matrix,
                dst_colorspace=5 if matrix == 6 else matrix,
                src_color_range=2,
                dst_color_range=color_range,
            )
            frame.pts, frame.time_base = time, time_base
            container.mux(stream.encode(frame))
        container.mux(stream.encode(None))
        if voice is not None:
            wave = np.sin(np.arange(23040) / 48000 * 2 * np.pi * 440) * 0.3
            for start in range(0, 23040, 960):
                samples = wave[None, start : start + 960].astype(np.float32)
                note = av.AudioFrame.from_ndarray(samples, "fltp", "mono")
                note.sample_rate, note.pts = 48000, start
                note.time_base = Fraction(1, 48000)
                container.mux(voice.encode(note))
            container.mux(voice.encode(None))
    return path


def remuxed(source, path, *, shift=0, subtitles=None, describe=None, cover=None, options=None):
    """The packets of a clip in another file, which is described or changed on the way.

    `shift`: frames by which everything is later; `subtitles`: an .srt file to add; `describe`:
    called with the file to write before its header is written; `cover`: a file whose video goes
    before that of the clip; `options`: of the writer.
    """
    with contextlib.ExitStack() as stack:
        container = stack.enter_context(av.open(str(path), "w", options=options or {}))
        files = [stack.enter_context(av.open(str(f))) for f in (cover, source, subtitles) if f]
        pairs = []
        for file in files:
            streams = [stream for stream in file.streams if stream.type != "data"]
            made = {s.index: container.add_stream_from_template(s) for s in streams}
            pairs.append((file, streams, made))
        if describe is not None:
            describe(container)
        for file, streams, made in pairs:
            for packet in file.demux(streams):
                if packet.size:
                    ticks = round(shift * Fraction(1, 25) / packet.time_base)
                    packet.pts, packet.dts = packet.pts + ticks, packet.dts + ticks
                    packet.stream = made[packet.stream_index]
                    container.mux(packet)
    return path


def pictures(path):
    return [frame.rgb for frame in read_frames(open_clip(path))]


def times(path):
    clip = open_clip(path)
    return [float(frame.time * clip.time_base) for frame in read_frames(clip)]


def since_first(path):
    # Matroska has no times below zero, where some sounds begin: there everything is later.
    return np.subtract(times(path), times(path)[0])


def sound(path):
    with av.open(str(path)) as container:
        return [(p.pts * p.time_base, bytes(p)) for p in container.demux(audio=0) if p.size]


def stop_after(count):
    """A `progress` that stops the run, as Ctrl-C does, after so many frames."""

    def progress(done, total, message, preview=None):
        if done == count:
            raise KeyboardInterrupt

    return progress


def noisy(frames, amount=0.05):
    """The frames with another noise in each."""
    rng = np.random.default_rng(0)
    return [(f + rng.normal(0, amount, f.shape)).clip(0, 1).astype(np.float32) for f in frames]
