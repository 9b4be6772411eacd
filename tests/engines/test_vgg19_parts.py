"""Masks with the vgg19 engine: a picture for each style, each with a checkpoint of its own."""

from dataclasses import replace

import numpy as np
import pytest
from small_training import draw_painting, draw_photo, small_vgg

from arbitrary_nst import api
from arbitrary_nst.engines.vgg19 import Vgg19, Vgg19Settings
from arbitrary_nst.errors import CheckpointError

SETTINGS = Vgg19Settings(iterations=(6,), coarsest=64, style_size=40, tolerance=0, restart_every=2)


@pytest.fixture(scope="module")
def content():
    return draw_photo(0, 48, 64).astype(np.float32)


@pytest.fixture(scope="module")
def styles():
    paintings = [draw_painting(n).clip(0, 1).astype(np.float32) for n in ("waves", "checks")]
    return [engine_with(None).embed(painting) for painting in paintings]


@pytest.fixture
def masks():
    left = np.zeros((48, 64))
    left[:, :32] = 1
    return [left, 1 - left]


def engine_with(checkpoint, **changes):
    return Vgg19(settings=replace(SETTINGS, **changes), vgg=small_vgg(), checkpoint=checkpoint)


def test_two_masks_with_a_checkpoint(content, styles, masks, tmp_path):
    file = tmp_path / "state.safetensors"
    plain = np.asarray(api.stylize(content, styles, masks=masks, engine=engine_with(None)))
    engine = engine_with(file)
    picture = api.stylize(content, styles, masks=masks, engine=engine)
    np.testing.assert_array_equal(np.asarray(picture), plain)
    states = sorted(path.name for path in tmp_path.iterdir())
    assert states == ["state-2.safetensors", "state.safetensors"]
    # Done, and given back at once: of each style one step, the last.
    seen = []
    again = api.stylize(
        content,
        styles,
        masks=masks,
        engine=engine_with(file),
        progress=lambda done, total, message, preview=None: seen.append((done, total)),
    )
    np.testing.assert_array_equal(np.asarray(again), plain)
    assert seen == [(6, 12), (12, 12)]


@pytest.mark.parametrize("stop", [3, 9])
def test_it_goes_on_where_it_was(content, styles, masks, tmp_path, stop):
    """Stopped in the first style, and in the second: what is done is not done again."""
    plain = np.asarray(api.stylize(content, styles, masks=masks, engine=engine_with(None)))
    file = tmp_path / "state"

    class Stop(Exception):
        pass

    def until(done, total, message, preview=None):
        if done == stop:
            raise Stop

    with pytest.raises(Stop):
        api.stylize(content, styles, masks=masks, engine=engine_with(file), progress=until)
    seen = []
    picture = api.stylize(
        content,
        styles,
        masks=masks,
        engine=engine_with(file),
        progress=lambda done, total, message, preview=None: seen.append(done),
    )
    np.testing.assert_array_equal(np.asarray(picture), plain)
    # From the last state that was written: after every second step.
    assert seen == {3: [2, *range(3, 13)], 9: [6, 8, *range(9, 13)]}[stop]


def test_another_picture_s_state_is_refused_and_kept(content, styles, masks, tmp_path):
    file = tmp_path / "state"
    engine_with(tmp_path / "state-2").render(1 - content, styles[0])
    before = (tmp_path / "state-2").read_bytes()
    with pytest.raises(CheckpointError, match="state-2 belongs to another photo"):
        api.stylize(content, styles, masks=masks, engine=engine_with(file))
    assert (tmp_path / "state-2").read_bytes() == before
