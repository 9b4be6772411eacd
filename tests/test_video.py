"""Videos, on clips of a dozen small frames that are made here."""

import logging
import shutil
import struct
import sys
from fractions import Fraction
from itertools import pairwise

import av
import numpy as np
import pytest
from PIL import Image, ImageSequence

from arbitrary_nst import blend, embed
from arbitrary_nst.cli import main
from arbitrary_nst.errors import InputError, VideoError, VideoNotFound
from arbitrary_nst.video import Keyframe, film, parts, stylize_video
from arbitrary_nst.video.keyframes import style_at
from arbitrary_nst.video.reading import open_clip, read_frames
from arbitrary_nst.video.steady import motion_between, painted_steadily, warp, warped_difference

NUM_FRAMES = 12
CODECS = {".webm": ("libvpx-vp9", "libopus")}

pytestmark = pytest.mark.usefixtures("network")


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


@pytest.fixture(scope="session")
def clips(tmp_path_factory):
    """A folder with `clip.mp4`, which no test changes."""
    folder = tmp_path_factory.mktemp("clips")
    make_clip(folder / "clip.mp4")
    return folder


@pytest.fixture
def clip(clips):
    return clips / "clip.mp4"


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


# What comes out.


@pytest.mark.parametrize("suffix", [".mp4", ".mov", ".mkv"])
def test_video_keeps_frames_times_and_sound(clip, tmp_path, suffix):
    out = stylize_video(clip, "great-wave", tmp_path / f"out{suffix}")
    made = open_clip(out)
    assert (made.width, made.height, made.num_frames) == (64, 48, NUM_FRAMES)
    np.testing.assert_allclose(since_first(out), since_first(clip), atol=1e-3)
    assert [data for _, data in sound(out)] == [data for _, data in sound(clip)]
    assert made.seconds == pytest.approx(0.48, abs=2e-3)
    assert np.abs(pictures(out)[5].astype(int) - pictures(clip)[5]).mean() > 5
    assert [path.name for path in tmp_path.iterdir()] == [out.name]


def test_webm_holds_vp9_and_opus(tmp_path):
    clip = make_clip(tmp_path / "in.webm")
    out = stylize_video(clip, "great-wave", tmp_path / "out.webm")
    assert sound(out) == sound(clip)
    with av.open(str(out)) as container:
        assert container.streams.video[0].codec_context.name == "vp9"


@pytest.mark.parametrize("suffix", [".gif", ".webp"])
def test_video_to_animation_and_back(clip, tmp_path, suffix):
    out = stylize_video(clip, "great-wave", tmp_path / f"out{suffix}", seed=3)
    with Image.open(out) as image:
        assert image.n_frames == NUM_FRAMES and image.size == (64, 48) and image.info["loop"] == 0
    np.testing.assert_allclose(times(out), times(clip), atol=1e-3)
    video = stylize_video(clip, "great-wave", tmp_path / "out.mkv", seed=3)
    for animated, filmed in zip(pictures(out), pictures(video), strict=True):
        assert np.abs(animated.astype(int) - filmed).mean() < 20
    back = stylize_video(out, "scream", tmp_path / "back.mp4")
    np.testing.assert_allclose(times(back), times(out), atol=1e-3)


def test_gif_drops_frames_that_browsers_would_slow_down(tmp_path):
    clip = make_clip(tmp_path / "fast.mp4", time_base=Fraction(1, 100), sound=False)
    out = stylize_video(clip, "great-wave", tmp_path / "out.gif", steady=0)
    with Image.open(out) as image:
        assert image.n_frames == NUM_FRAMES / 2
        durations = [frame.info["duration"] for frame in ImageSequence.Iterator(image)]
    assert set(durations[:-1]) == {20}


@pytest.mark.parametrize("suffix", [".gif", ".webp"])
def test_transparency_of_animations_is_kept(tmp_path, suffix):
    frames = []
    for index in range(3):
        rgba = np.full((32, 40, 4), 255, np.uint8)
        rgba[..., :3] = np.rint(moving(index, 32, 40) * 255)
        rgba[:, : 10 + 4 * index, 3] = 0
        frames.append(Image.fromarray(rgba))
    source = tmp_path / "in.webp"
    frames[0].save(
        source, save_all=True, append_images=frames[1:], duration=[50, 120, 70], lossless=True
    )
    out = stylize_video(source, "great-wave", tmp_path / f"out{suffix}")
    for made, given in zip(read_frames(open_clip(out)), frames, strict=True):
        np.testing.assert_array_equal(made.alpha, np.asarray(given)[..., 3])
    assert [frame.duration for frame in read_frames(open_clip(out))] == [50, 120, 70]


def test_variable_frame_rate_is_kept(tmp_path):
    uneven = [0, 3, 4, 11, 12, 30, 31, 33]
    frames = [moving(i) for i in range(len(uneven))]
    clip = make_clip(tmp_path / "in.mp4", frames, times=uneven, time_base=Fraction(1, 90))
    for suffix in (".mp4", ".mkv"):
        out = stylize_video(clip, "great-wave", tmp_path / f"out{suffix}")
        np.testing.assert_allclose(since_first(out), np.array(uneven) / 90, atol=1e-3)


@pytest.mark.parametrize("color", [(1, 1), (1, 2), (6, 1), (6, 2)])
def test_colors_are_stored_as_they_were(tmp_path, color):
    """The engine of this test changes nothing, so colours must come back as they were."""
    flat = [np.broadcast_to(np.float32([0.8, 0.3, 0.1]), (48, 64, 3)) for _ in range(3)]
    clip = make_clip(tmp_path / "in.mp4", flat, color=color, sound=False)
    np.testing.assert_allclose(pictures(clip)[1][20, 20], [204, 76, 26], atol=4)
    out = stylize_video(clip, embed("great-wave"), tmp_path / "out.mp4", engine=Unchanged())
    assert open_clip(out).color == open_clip(clip).color
    assert (open_clip(out).color.matrix, open_clip(out).color.is_full) == (color[0], color[1] == 2)
    np.testing.assert_allclose(pictures(out)[1][20, 20], [204, 76, 26], atol=4)


class Unchanged:
    """An engine that gives the photo back."""

    name = "cin"
    styles = ()

    def __init__(self):
        self.network = embed("great-wave").network

    def embed(self, style):
        raise NotImplementedError

    def identity(self, content):
        raise NotImplementedError

    def render(self, content, embedding, *, seed=0):
        return content

    def render_batch(self, contents, embeddings, *, seed=0):
        return list(contents)


def test_rotation_is_applied(clip, tmp_path):
    turned = tmp_path / "turned.mp4"
    data = bytearray(clip.read_bytes())
    place = data.index(b"tkhd") + 44
    # A quarter turn clockwise, as phones write it for upright videos.
    matrix = (0, 1 << 16, 0, -(1 << 16), 0, 0, 48 << 16, 0, 1 << 30)
    data[place : place + 36] = struct.pack(">9i", *matrix)
    turned.write_bytes(data)
    upright = [np.rot90(pixels, -1) for pixels in pictures(clip)]
    np.testing.assert_array_equal(pictures(turned)[3], upright[3])
    out = stylize_video(
        turned, embed("great-wave"), tmp_path / "out.mp4", engine=Unchanged(), steady=0
    )
    assert (open_clip(out).width, open_clip(out).height) == (48, 64)
    assert np.abs(pictures(out)[3].astype(int) - upright[3]).mean() < 4


def test_odd_sides_lose_a_pixel_and_it_is_said(tmp_path, caplog):
    frames = [moving(i, 49, 65) for i in range(3)]
    clip = make_clip(tmp_path / "in.mkv", frames, sound=False)
    with caplog.at_level(logging.WARNING):
        out = stylize_video(clip, "great-wave", tmp_path / "out.mp4")
    assert (open_clip(out).width, open_clip(out).height) == (64, 48)
    assert "65x49" in caplog.text and "64x48" in caplog.text
    animation = stylize_video(clip, "great-wave", tmp_path / "out.webp")
    assert (open_clip(animation).width, open_clip(animation).height) == (65, 49)


def test_size_is_the_longer_side(clip, tmp_path):
    out = stylize_video(clip, "great-wave", tmp_path / "out.mp4", size=50)
    assert (open_clip(out).width, open_clip(out).height) == (50, 38)


def test_color_and_strength(clip, tmp_path):
    plain = stylize_video(clip, "great-wave", tmp_path / "plain.mp4")
    kept = stylize_video(clip, "great-wave", tmp_path / "kept.mp4", color="content", strength=0.5)
    differences = [pictures(p)[4].astype(int) - pictures(clip)[4] for p in (plain, kept)]
    spread = [np.ptp(d, axis=-1).mean() for d in differences]  # of colours, not of brightness
    assert spread[1] < 0.5 * spread[0]


# Styles over time.


def test_style_at_blends_linearly():
    wave, scream = embed("great-wave"), embed("scream")
    moments = [(1.0, wave), (3.0, scream)]
    assert style_at(moments, 0.0) == style_at(moments, 1.0) == wave
    assert style_at(moments, 1.5) == blend([wave, scream], [0.75, 0.25])
    assert style_at(moments, 3.0) == style_at(moments, 9.0) == scream


def test_keyframes_from_api_and_shell_agree(clip, tmp_path):
    moments = [Keyframe(0, "great-wave"), Keyframe(0.4, ["scream", "starry-night"], [2, 1])]
    first = stylize_video(clip, moments, tmp_path / "a.mkv")
    keys = ["0:great-wave", "0.4s:scream:2", "0.4:starry-night"]
    arguments = [word for key in keys for word in ("--keyframe", key)]
    assert main(["video", str(clip), *arguments, "-o", str(tmp_path / "b.mkv")]) == 0
    alone = stylize_video(clip, "great-wave", tmp_path / "c.mkv")
    made, shell, wave = (pictures(p) for p in (first, tmp_path / "b.mkv", alone))
    np.testing.assert_array_equal(made, shell)
    np.testing.assert_array_equal(made[0], wave[0])
    assert np.abs(made[9].astype(int) - wave[9]).mean() > 2


# Stopping and going on.


def stop_after(count):
    def progress(done, total, message, preview=None):
        if done == count:
            raise KeyboardInterrupt

    return progress


@pytest.fixture
def short_segments(monkeypatch):
    monkeypatch.setattr(film, "SEGMENT_FRAMES", 4)


@pytest.mark.usefixtures("short_segments")
@pytest.mark.parametrize("suffix", [".mkv", ".gif"])
def test_a_stopped_run_goes_on_to_the_same_video(clip, tmp_path, suffix):
    whole = stylize_video(clip, "great-wave", tmp_path / f"whole{suffix}")
    out = tmp_path / f"out{suffix}"
    out.write_bytes(b"the one before")
    with pytest.raises(KeyboardInterrupt):
        stylize_video(clip, "great-wave", out, progress=stop_after(10))
    assert out.read_bytes() == b"the one before"
    counts = []
    stylize_video(clip, "great-wave", out, progress=lambda done, *_: counts.append(done))
    assert counts == [8, 9, 10, 11, 12]
    np.testing.assert_array_equal(pictures(out), pictures(whole))
    assert times(out) == times(whole)
    assert {path.name for path in tmp_path.iterdir()} == {out.name, whole.name}


@pytest.mark.usefixtures("short_segments")
def test_a_run_stopped_while_the_past_was_written_repeats_that_segment(clip, tmp_path):
    out = tmp_path / "out.mkv"
    with pytest.raises(KeyboardInterrupt):
        stylize_video(clip, "great-wave", out, progress=stop_after(6))
    folder = parts.parts_folder(out)
    shutil.copy(folder / "segment-000000.part", folder / "segment-000001.part")
    (folder / "segment-000002.tmp").write_bytes(b"half")
    counts = []
    stylize_video(clip, "great-wave", out, progress=lambda done, *_: counts.append(done))
    assert counts[0] == 4
    assert open_clip(out).num_frames == NUM_FRAMES


@pytest.mark.usefixtures("short_segments")
def test_parts_of_other_settings_are_not_used(clip, tmp_path, caplog):
    out = tmp_path / "out.mkv"
    with pytest.raises(KeyboardInterrupt):
        stylize_video(clip, "great-wave", out, progress=stop_after(10))
    counts = []
    with caplog.at_level(logging.WARNING):
        stylize_video(clip, "scream", out, progress=lambda done, *_: counts.append(done))
    assert counts[0] == 0 and "beginning anew" in caplog.text


def test_a_killed_process_leaves_no_half_video(clip, tmp_path, run_python):
    out = tmp_path / "out.mp4"
    code = (
        "import os, signal; from arbitrary_nst.video import film; film.SEGMENT_FRAMES = 4\n"
        f"film.stylize_video({str(clip)!r}, 'great-wave', {str(out)!r}, progress=lambda done, *_: "
        "done == 10 and os.kill(os.getpid(), signal.SIGKILL))"
    )
    assert run_python("-c", code).returncode == -9
    assert [path.name for path in tmp_path.iterdir()] == ["out.mp4.parts"]
    stylize_video(clip, "great-wave", out)
    assert [path.name for path in tmp_path.iterdir()] == ["out.mp4"]
    assert open_clip(out).num_frames == NUM_FRAMES


def test_a_foreign_folder_of_that_name_is_left_alone(clip, tmp_path):
    folder = tmp_path / "out.mp4.parts"
    folder.mkdir()
    (folder / "mine.txt").write_text("precious")
    with pytest.raises(VideoError, match="something else of that name"):
        stylize_video(clip, "great-wave", tmp_path / "out.mp4")
    assert (folder / "mine.txt").read_text() == "precious"


def test_frames_are_not_collected(clip, tmp_path, monkeypatch):
    """A frame is read when the one before has been written."""
    read, ahead = [], []

    def counted(clip, original=film.read_frames):
        for frame in original(clip):
            read.append(frame.time)
            yield frame

    monkeypatch.setattr(film, "read_frames", counted)
    stylize_video(
        clip,
        "great-wave",
        tmp_path / "out.mp4",
        progress=lambda done, *_: ahead.append(len(read) - done),
    )
    assert len(ahead) == 1 + NUM_FRAMES and max(ahead) <= 1


# Flicker.


def noisy(frames, amount=0.05):
    rng = np.random.default_rng(0)
    return [(f + rng.normal(0, amount, f.shape)).clip(0, 1).astype(np.float32) for f in frames]


def test_motion_is_found_and_followed():
    before, after = moving(0, 64, 96), moving(1, 64, 96)
    motion = motion_between(before, after)
    inner = motion.valid[8:-8, 8:-8]
    assert inner.mean() > 0.9
    np.testing.assert_allclose(np.median(motion.back[..., 0]), -2, atol=0.2)
    assert warped_difference(motion, before, after) < 0.01
    assert np.abs(warp(before, motion.back) - after)[8:-8, 8:-8].mean() < 0.01


def test_steadying_lowers_flicker_and_does_not_drag():
    frames = [moving(i, 64, 96) for i in range(8)]
    pictures = noisy(frames, 0.1)
    past, steadied = None, []
    for frame, picture in zip(frames, pictures, strict=True):
        past = painted_steadily(past, frame, 0.7, lambda _, picture=picture: picture)
        steadied.append(past.picture)
    motions = [motion_between(a, b) for a, b in pairwise(frames)]

    def flicker(film):
        pairs = zip(motions, film, film[1:], strict=False)
        return np.mean([warped_difference(*pair) for pair in pairs])

    assert flicker(steadied) < 0.5 * flicker(pictures)
    # Without noise it would be the pattern itself: nearer to it, not behind it.
    assert np.abs(steadied[-1] - frames[-1]).mean() < 0.7 * np.abs(pictures[-1] - frames[-1]).mean()


def test_a_cut_and_what_comes_into_view_are_not_blended():
    first, other = moving(0, 64, 96), moving(0, 64, 96)[::-1, :, ::-1] * 0.5
    past = painted_steadily(None, first, 1.0, lambda calm: calm)
    np.testing.assert_array_equal(
        painted_steadily(past, np.ascontiguousarray(other), 1.0, lambda calm: calm).picture, other
    )
    with_disc = first.copy()
    with_disc[20:40, 30:60] = [1, 0, 0]
    made = painted_steadily(past, with_disc, 1.0, lambda calm: calm).picture
    np.testing.assert_allclose(made[22:38, 32:58], with_disc[22:38, 32:58], atol=0.02)


def test_steady_0_paints_each_frame_for_itself(clip, tmp_path, monkeypatch):
    monkeypatch.setitem(sys.modules, "cv2", None)  # and needs no OpenCV
    out = stylize_video(clip, "great-wave", tmp_path / "out.mp4", steady=0)
    assert open_clip(out).num_frames == NUM_FRAMES
    with pytest.raises(ImportError, match=r"arbitrary-nst\[video\]"):
        stylize_video(clip, "great-wave", tmp_path / "out.mp4")


# What cannot be used.


def test_missing_pyav_names_the_extra(clip, tmp_path, monkeypatch):
    monkeypatch.setitem(sys.modules, "av", None)
    with pytest.raises(ImportError, match=r'pip install "arbitrary-nst\[video\]"'):
        stylize_video(clip, "great-wave", tmp_path / "out.mp4")


def test_unusable_videos(clip, tmp_path):
    def refused(path, match, kind=VideoError):
        with pytest.raises(kind, match=match):
            stylize_video(path, "great-wave", tmp_path / "out.mp4")

    refused(tmp_path / "none.mp4", "does not exist", VideoNotFound)
    refused(tmp_path, "is a folder")
    image = tmp_path / "photo.jpg"
    Image.new("RGB", (64, 48)).save(image)
    refused(image, "single image")
    image.rename(tmp_path / "photo.mp4")
    refused(tmp_path / "photo.mp4", "single image")
    (tmp_path / "words.mp4").write_text("no video at all" * 100)
    refused(tmp_path / "words.mp4", "cannot be read as a video")
    (tmp_path / "empty.mp4").write_bytes(b"")
    refused(tmp_path / "empty.mp4", "cannot be read as a video")
    assert not (tmp_path / "out.mp4").exists()


def test_truncated_videos(tmp_path):
    frames = noisy([moving(0)] * 100, 0.2)
    for name in ("end.mp4", "front.mp4", "clip.mkv"):
        whole = make_clip(tmp_path / f"whole-{name}", frames, sound=False)
        if name == "front.mp4":  # its table of contents in front, so that it survives the cut
            with av.open(str(whole)) as source:
                options = {"movflags": "+faststart"}
                with av.open(str(tmp_path / "moved.mp4"), "w", options=options) as container:
                    stream = container.add_stream_from_template(source.streams.video[0])
                    for packet in source.demux(video=0):
                        if packet.size:
                            packet.stream = stream
                            container.mux(packet)
            whole = tmp_path / "moved.mp4"
        data = whole.read_bytes()
        (tmp_path / name).write_bytes(data[: len(data) // 2])
        with pytest.raises(VideoError, match="cut short"):
            stylize_video(tmp_path / name, "great-wave", tmp_path / "out.mp4")


def test_no_video_stream_and_no_frames(tmp_path):
    song = tmp_path / "song.m4a"
    with av.open(str(song), "w", format="mp4") as container:
        voice = container.add_stream("aac", rate=48000)
        note = av.AudioFrame.from_ndarray(np.zeros((1, 1024), np.float32), "fltp", "mono")
        note.sample_rate, note.pts = 48000, 0
        container.mux(voice.encode(note))
        container.mux(voice.encode(None))
    with pytest.raises(VideoError, match=r"no video stream.*audio"):
        stylize_video(song, "great-wave", tmp_path / "out.mp4")
    nothing = tmp_path / "nothing.mkv"
    with av.open(str(nothing), "w") as container:
        stream = container.add_stream("mpeg4", rate=25)
        stream.width, stream.height = 64, 48
        container.start_encoding()
    with pytest.raises(VideoError, match="no frames"):
        stylize_video(nothing, "great-wave", tmp_path / "out.mp4")


def test_sound_that_the_format_cannot_hold(clip, tmp_path):
    out = tmp_path / "out.webm"
    with pytest.raises(VideoError, match=r"aac.*\.mkv.*--no-audio"):
        stylize_video(clip, "great-wave", out)
    stylize_video(clip, "great-wave", out, audio=False)
    assert open_clip(out).sounds == ()


@pytest.mark.parametrize(
    ("changes", "match"),
    [
        ({"out": "out.avi"}, r"suffix.*\.webm.*out\.avi"),
        ({"out": "nowhere/out.mp4"}, "folder that does not exist"),
        ({"styles": "great-wav"}, "Did you mean great-wave"),
        ({"styles": []}, "empty"),
        ({"styles": [Keyframe(2, "scream"), Keyframe(1, "scream")]}, "1 s after 2 s"),
        ({"styles": [Keyframe(-1, "scream")]}, "from 0 up"),
        ({"styles": [Keyframe(0, "scream"), "great-wave"]}, "cannot be mixed"),
        ({"styles": [Keyframe(0, "scream")], "weights": [1]}, "its own weights"),
        ({"steady": 1.5}, "`steady` is a number from 0 to 1"),
        ({"strength": 2}, "`strength`"),
        ({"quality": 0}, "`quality`"),
        ({"quality": 101}, "`quality`"),
        ({"size": 0}, "`size`"),
    ],
)
def test_arguments_that_cannot_be_used(clip, tmp_path, monkeypatch, changes, match):
    monkeypatch.chdir(tmp_path)
    arguments = {"styles": "great-wave", "out": "out.mp4", **changes}
    with pytest.raises(InputError, match=match):
        stylize_video(clip, arguments.pop("styles"), arguments.pop("out"), **arguments)
    assert list(tmp_path.iterdir()) == []


def test_a_video_does_not_replace_itself(clip, tmp_path):
    own = shutil.copy(clip, tmp_path / "own.mp4")
    with pytest.raises(InputError, match="is the video itself"):
        stylize_video(own, "great-wave", own)


# The command.


def test_command(clip, tmp_path, capsys):
    out = tmp_path / "out.mp4"
    out.write_bytes(b"is replaced, as by the command for photos")
    assert main(["video", str(clip), "-s", "great-wave:2", "-s", "scream", "-o", str(out)]) == 0
    assert f"{out}: 12 frames" in capsys.readouterr().out
    assert open_clip(out).num_frames == NUM_FRAMES


@pytest.mark.parametrize(
    ("arguments", "match"),
    [
        ([], "either styles (-s) or keyframes"),
        (["-s", "scream", "--keyframe", "0:scream"], "either styles (-s) or keyframes"),
        (["--keyframe", "5s:scream", "--keyframe", "0:scream"], "in the order of their times"),
        (["--keyframe", "0:screm"], "Did you mean scream"),
    ],
)
def test_command_refuses(clip, tmp_path, capsys, arguments, match):
    assert main(["video", str(clip), *arguments, "-o", str(tmp_path / "out.mp4")]) == 2
    assert match in capsys.readouterr().err


@pytest.mark.parametrize("text", ["great-wave", "x:great-wave", "5s:", "-1:great-wave"])
def test_command_explains_keyframes(clip, capsys, text):
    with pytest.raises(SystemExit):
        main(["video", str(clip), f"--keyframe={text}", "-o", "out.mp4"])
    assert "such as 5s:great-wave" in capsys.readouterr().err


@pytest.mark.usefixtures("short_segments")
def test_ctrl_c_says_that_the_same_command_goes_on(clip, tmp_path, capsys, monkeypatch):
    def stopped(*_):
        raise KeyboardInterrupt

    monkeypatch.setattr(film, "join", stopped)
    arguments = ["video", str(clip), "-s", "scream", "-o", str(tmp_path / "out.mp4")]
    assert main(arguments) == 130
    assert "the same command goes on" in capsys.readouterr().err
    monkeypatch.undo()
