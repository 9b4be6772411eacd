"""Videos: what comes out, and styles over time."""

import logging
import struct
from fractions import Fraction

import av
import numpy as np
import pytest
from PIL import Image, ImageSequence
from small_clips import NUM_FRAMES, make_clip, moving, pictures, since_first, sound, times

from arbitrary_nst import blend, embed
from arbitrary_nst.cli import main
from arbitrary_nst.video import Keyframe, stylize_video
from arbitrary_nst.video.keyframes import style_at
from arbitrary_nst.video.reading import open_clip, read_frames

pytestmark = pytest.mark.usefixtures("network")


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


@pytest.mark.parametrize(
    ("matrix", "shown"),
    [
        ((-1, 0, 0, 1), lambda pixels: pixels[:, ::-1]),
        ((1, 0, 0, -1), lambda pixels: pixels[::-1]),
        ((0, 1, 1, 0), lambda pixels: pixels.swapaxes(0, 1)),
        ((0, -1, -1, 0), lambda pixels: pixels[::-1, ::-1].swapaxes(0, 1)),
    ],
)
def test_mirrors_are_applied(clip, tmp_path, matrix, shown):
    """As cameras that look at who holds them write their films."""
    path = tmp_path / "mirrored.mp4"
    data = bytearray(clip.read_bytes())
    place = data.index(b"tkhd") + 44
    a, b, c, d = (part << 16 for part in matrix)
    data[place : place + 36] = struct.pack(">9i", a, b, 0, c, d, 0, 0, 0, 1 << 30)
    path.write_bytes(data)
    np.testing.assert_array_equal(pictures(path)[3], shown(pictures(clip)[3]))


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
