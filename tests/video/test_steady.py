"""Videos without flicker."""

import sys
from itertools import pairwise

import numpy as np
import pytest
from small_clips import NUM_FRAMES, moving, noisy

from arbitrary_nst.video import stylize_video
from arbitrary_nst.video.reading import open_clip
from arbitrary_nst.video.steady import motion_between, painted_steadily, warp

pytestmark = pytest.mark.usefixtures("network")


def warped_difference(motion, before, after):
    """Of a picture from the one before, moved along, where the motion is valid."""
    return np.abs(after - warp(before, motion.back))[motion.valid].mean()


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
