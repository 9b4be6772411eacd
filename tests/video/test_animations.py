"""Animated pictures: which frames they have, and how often they run."""

import numpy as np
import pytest
from PIL import Image
from small_clips import moving, pictures

from arbitrary_nst.image import can_write
from arbitrary_nst.video import animation, stylize_video
from arbitrary_nst.video.reading import open_clip

COLOURS = [(255, 0, 0), (0, 255, 0), (0, 0, 255)]


def save(path, **options):
    first, *others = (Image.new("RGB", (32, 32), colour) for colour in COLOURS)
    first.save(path, save_all=True, append_images=others, duration=100, **options)
    return path


def test_a_picture_for_viewers_without_animation_is_not_part_of_one(tmp_path):
    path = save(tmp_path / "in.png", default_image=True)
    assert [tuple(frame[0, 0]) for frame in pictures(path)] == COLOURS[1:]
    assert (open_clip(path).num_frames, open_clip(path).seconds) == (2, 0.2)
    assert len(pictures(save(tmp_path / "whole.png"))) == 3


@pytest.mark.skipif(not can_write(".avif"), reason="this Pillow reads no AVIF")
def test_animated_avif(tmp_path):
    path = save(tmp_path / "in.avif", quality=100)
    np.testing.assert_allclose([frame[0, 0] for frame in pictures(path)], COLOURS, atol=8)
    assert (open_clip(path).num_frames, open_clip(path).seconds) == (3, pytest.approx(0.3))


@pytest.mark.parametrize("suffix", [".gif", ".webp"])
@pytest.mark.parametrize("loop", [0, 3, None])
def test_an_animation_runs_as_often_as_its_source(network, tmp_path, suffix, loop):
    """None: once, which a GIF says by saying nothing, and a WebP in words."""
    path = save(tmp_path / "in.gif", **({} if loop is None else {"loop": loop}))
    out = stylize_video(path, "great-wave", tmp_path / f"out{suffix}", steady=0)
    with Image.open(out) as image:
        assert image.info.get("loop") == (1 if loop is None and suffix == ".webp" else loop)
    assert open_clip(out).loops == loop


def test_more_runs_than_a_format_can_say(tmp_path):
    picture = animation.encode("GIF", np.rint(moving(0) * 255).astype(np.uint8), None, 90)
    with open(tmp_path / "out.gif", "wb") as file:
        animation.write(file, "GIF", (64, 48), [(0, picture), (100, picture)], 200, 10**6)
    assert open_clip(tmp_path / "out.gif").loops == animation.MAX_LOOPS
