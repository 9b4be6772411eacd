"""Photos with next to no contrast get less of a style; all others get it as it is."""

import numpy as np
import pytest

from arbitrary_nst import stylize
from arbitrary_nst.embedding import blend
from arbitrary_nst.engines.cin import Cin
from arbitrary_nst.engines.cin.contrast import (
    ALL_SEEN,
    NOTHING_SEEN,
    contrast_of,
    for_contrast,
    style_share,
)
from arbitrary_nst.networks.cin.noise import draw_noise

RUNTIMES = ["tensorflow", "onnx"]


@pytest.fixture(scope="module")
def engines(network_folder):
    return {name: Cin(network_folder, precision="float32", runtime=name) for name in RUNTIMES}


def flat(value, height=32, width=40):
    return np.full((height, width, 3), value, np.float32)


def test_contrast_is_the_deviation_of_the_colours(photo, monkeypatch):
    expected = np.sqrt(photo.astype(np.float64).var((0, 1)).mean())
    assert contrast_of(photo) == pytest.approx(expected, rel=1e-5)
    assert contrast_of(photo.astype(np.float64)) == contrast_of(photo)
    levels = np.rint(photo * 255).astype(np.uint8)
    assert contrast_of(levels) == pytest.approx(expected, rel=1e-2)
    monkeypatch.setattr("arbitrary_nst.engines.cin.contrast.STRIP_PIXELS", 40 * 5)
    assert contrast_of(photo) == pytest.approx(expected, rel=1e-5)


def test_contrast_of_one_colour_and_of_half_black_half_white():
    assert contrast_of(flat(0.3)) == 0
    half = flat(0.0)
    half[:16] = 1
    assert contrast_of(half) == pytest.approx(0.5)
    single = flat(0.0)
    single[0, 0] = 1  # the pixel from which differences are taken
    assert contrast_of(single) == pytest.approx(single.astype(np.float64).std(), rel=1e-4)


def test_the_share_rises_evenly_and_is_exactly_one_for_photos():
    assert style_share(0) == style_share(NOTHING_SEEN) == 0
    assert style_share(ALL_SEEN) == style_share(0.5) == 1
    assert style_share(0.0633) == 1, "the flattest photo of the training data"
    shares = [style_share(contrast) for contrast in np.linspace(0, 0.06, 61)]
    assert (np.diff(shares) >= 0).all() and np.diff(shares).max() < 0.025


def test_a_photo_gets_its_styles_as_they_are(engines, photo):
    def identity(content):
        raise AssertionError("asked for the photo's own look")

    styles = [engines["onnx"].styles[name] for name in ("scream", "great-wave")]
    found = for_contrast(photo, styles, identity)
    assert found[0] is styles[0] and found[1] is styles[1]


@pytest.mark.parametrize("runtime", RUNTIMES)
@pytest.mark.parametrize("value", [0.04, 0.5, 0.96])
def test_what_is_flat_keeps_its_brightness(engines, runtime, value):
    picture = engines[runtime].render(flat(value), engines[runtime].styles["scream"])
    np.testing.assert_allclose(picture, value, atol=2e-3)


@pytest.mark.parametrize("runtime", RUNTIMES)
def test_black_and_white_are_two_pictures(engines, runtime):
    black, white = (np.asarray(stylize(flat(v), "scream", engine=engines[runtime])) for v in (0, 1))
    assert black.max() <= 11 and white.min() >= 244


@pytest.mark.parametrize("runtime", RUNTIMES)
def test_in_between_it_is_the_blend_with_the_photos_own_look(engines, runtime, photo):
    engine = engines[runtime]
    dim = (photo * (0.03 / contrast_of(photo))).astype(np.float32)
    share = style_share(contrast_of(dim))
    assert 0.5 < share < 0.6
    style = engine.styles["great-wave"]
    wanted = blend([engine.identity(dim), style], [1 - share, share])
    gamma, beta = (wanted.arrays[key][None] for key in ("gamma", "beta"))
    picture = engine.render(dim, style)
    noise = draw_noise(engine.layout, *dim.shape[:2], 0)
    np.testing.assert_array_equal(picture, engine._painter(dim[None], gamma, beta, noise[None])[0])


def test_all_ways_of_painting_weaken_alike(engines, photo):
    engine = engines["tensorflow"]
    dim = (photo * 0.1).astype(np.float32)
    assert 0 < style_share(contrast_of(dim)) < 1
    style = engine.styles["scream"]
    whole = engine.render(dim, style)
    weights = np.ones((*dim.shape[:2], 1), np.float32)
    others = [
        engine.render_batch([photo, dim], [style, style])[1],
        engine.render_regions(dim, [style], weights),
        engine.render_large(dim, style),
        engine.render_large_regions(dim, [style], weights),
        engines["onnx"].render(dim, style),
    ]
    for other in others:
        np.testing.assert_allclose(other, whole, atol=2e-3)


@pytest.mark.parametrize("style", ["great-wave", "starry-night"])
def test_a_fade_to_black_goes_dark_without_a_jump(packaged, make_photo, style):
    """In 48 steps, two seconds of a film, the picture goes from the style's own light to black."""
    photo = make_photo(64, 96)
    steps = [np.rint(photo * 255 * share).astype(np.uint8) for share in np.linspace(1, 0, 49)]
    engine = Cin(runtime="onnx")
    means = [np.asarray(stylize(frame, style, engine=engine)).mean() for frame in steps]
    assert means[-1] < 12 < 50 < means[0]
    falls = -np.diff(means)
    assert falls.max() < 0.25 * means[0] and falls.min() > -2
