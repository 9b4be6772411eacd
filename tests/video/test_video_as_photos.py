"""What `stylize` can do to a photo, `stylize_video` can do to every frame."""

import inspect

import numpy as np
import pytest
from PIL import Image
from small_clips import pictures

from arbitrary_nst import InputError, Keyframe, stylize, stylize_video
from arbitrary_nst.cli import main
from arbitrary_nst.cli.parser import build_parser
from arbitrary_nst.image import to_pil


def painted(clip, out, styles="scream", **options):
    """The frames of the painted clip: uint8 (N, H, W, 3)."""
    stylize_video(clip, styles, out, quality=100, steady=0, audio=False, **options)
    return np.stack(pictures(out)).astype(int)


def left_half():
    mask = np.zeros((48, 64), np.float32)
    mask[:, :32] = 1
    return mask


@pytest.mark.parametrize("options", [{"working_size": 32}, {"texture_scale": 2.0}])
def test_the_scale_of_strokes(network, clip, tmp_path, options):
    plain = painted(clip, tmp_path / "plain.mp4")
    scaled = painted(clip, tmp_path / "scaled.mp4", **options)
    assert scaled.shape == plain.shape
    sources = pictures(clip)
    expected = np.stack([stylize(frame, "scream", **options) for frame in sources]).astype(int)
    unscaled = np.stack([stylize(frame, "scream") for frame in sources]).astype(int)
    error = np.abs(scaled - expected).mean()  # what the encoder did
    assert error < 8
    assert error < 0.5 * np.abs(scaled - unscaled).mean()


def test_masks_are_where_they_are_for_photos(network, clip, tmp_path):
    masked = painted(clip, tmp_path / "out.mp4", masks=[left_half()])
    source = np.stack(pictures(clip)).astype(int)
    whole = painted(clip, tmp_path / "whole.mp4")
    right, left = np.s_[:, :, 36:], np.s_[:, :, :28]
    assert np.abs(masked - source)[right].mean() < 4
    assert np.abs(whole - source)[right].mean() > 12
    assert np.abs(masked - source)[left].mean() > 12


def test_masks_and_steadying_go_together(network, clip, tmp_path):
    """What is carried from frame to frame is the picture before it is laid over the source."""
    out = tmp_path / "out.mp4"
    stylize_video(clip, "scream", out, masks=[left_half()], color="content", quality=100, steady=1)
    masked = np.stack(pictures(out)).astype(int)
    source = np.stack(pictures(clip)).astype(int)
    assert np.abs(masked - source)[:, :, 36:].mean() < 4


def test_masks_from_the_shell(network, clip, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    to_pil(np.repeat(left_half()[..., None], 3, axis=-1)).save("left.png")
    words = f"video {clip} -s scream@left.png --steady 0 --no-audio --quality 100 -o shell.mp4"
    assert main(words.split()) == 0
    python = painted(clip, tmp_path / "out.mp4", masks=[Image.open("left.png")])
    shell = np.stack(pictures(tmp_path / "shell.mp4"))
    np.testing.assert_array_equal(shell, python)


def test_masks_with_keyframes_are_refused(network, clip, tmp_path):
    moments = [Keyframe(0, "scream"), Keyframe(1, "great-wave")]
    with pytest.raises(InputError, match="`masks` are for styles without times"):
        stylize_video(clip, moments, tmp_path / "out.mp4", masks=[None])
    with pytest.raises(InputError, match="`masks` is a list with one image"):
        stylize_video(clip, "scream", tmp_path / "out.mp4", masks=[None, None])


def test_limits(network, clip, tmp_path):
    with pytest.raises(InputError, match="max_pixels=1000"):
        stylize_video(clip, "scream", tmp_path / "out.mp4", max_pixels=1000)
    with pytest.raises(InputError, match="needs .* GB to be painted"):
        stylize_video(clip, "scream", tmp_path / "out.mp4", max_memory=1e3, steady=0)


@pytest.mark.parametrize("engine", ["vgg19", "slow"])
def test_engines_that_take_minutes_are_refused_unloaded(network, clip, photo, tmp_path, engine):
    if engine == "slow":

        class Slow:
            name, network, styles = "slow", "s1", {}
            embed = identity = render = render_batch = render_steps = lambda self, *_: None

        engine = Slow()
    with pytest.raises(InputError, match="engine takes minutes for a frame"):
        stylize_video(clip, [photo], tmp_path / "out.mp4", engine=engine)


def test_the_arguments_and_defaults_are_those_of_stylize():
    """In Python and in the shell. `progress` stands at the end; films have no EXIF data."""
    one, film = (inspect.signature(f).parameters for f in (stylize, stylize_video))
    shared = [name for name in one if name not in ("content", "progress", "keep_metadata")]
    assert [name for name in film if name in shared] == shared
    assert all(one[name].default == film[name].default for name in shared)
    options = vars(build_parser().parse_args("video in.mp4 -s scream -o out.mp4".split()))
    names = ("strength", "color", "size", "working_size", "texture_scale", "seed", "engine")
    names = (*names, "max_pixels", "max_memory", "steady", "quality")
    assert {n: options[n] for n in names} == {n: film[n].default for n in names}
