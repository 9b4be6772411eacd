"""Regions of large photos in passes over strips: the same picture as at once."""

import numpy as np
import pytest
from small_cin import LAYOUTS, fast_network

from arbitrary_nst.errors import InputError
from arbitrary_nst.image.arrays import grown_rows
from arbitrary_nst.networks.cin import large
from arbitrary_nst.networks.cin.large import bytes_needed, kept_level, paint_large
from arbitrary_nst.networks.cin.layout import CinLayout, noise_shape
from arbitrary_nst.networks.cin.norms import RegionNorm, weight_levels

NAMES = ["shipped", "published"]
SIZES = [(64, 48), (61, 43), (88, 18)]


def vectors(layout, count=3):
    rng = np.random.default_rng(3)
    return rng.normal(1, 0.3, (2, count, layout.style_size)).astype(np.float32)


def random_photo(height, width):
    return np.random.default_rng(5).random((height, width, 3), np.float32)


def three_regions(height, width):
    """One fades out from the top; below it a hard edge. The last two have no rows at the top."""
    fading = np.clip(1.2 - 2 * np.linspace(0, 1, height), 0, 1)[:, None] * np.ones(width)
    left = np.arange(width) < width // 2
    parts = fading, (1 - fading) * left, (1 - fading) * ~left
    return np.stack(parts, axis=-1).astype(np.float32)


def at_once(network, content, gamma, beta, weights):
    layout = network.layout
    height, width = content.shape[:2]
    grown = [(0, -side % layout.multiple) for side in (height, width)]
    content, weights = (np.pad(v, (*grown, (0, 0)), "reflect")[None] for v in (content, weights))
    shape = noise_shape(layout, *content.shape[1:3])
    noise = np.random.default_rng(0).standard_normal(shape, np.float32)[None]
    return network.regions(content, gamma, beta, weights, noise)[0, :height, :width]


@pytest.fixture(autouse=True)
def strips_of_sixteen_rows(monkeypatch):
    monkeypatch.setattr(large, "STRIP_PIXELS", 1)


@pytest.mark.parametrize("layout", [LAYOUTS[name] for name in NAMES], ids=NAMES)
@pytest.mark.parametrize("size", SIZES)
def test_in_full_precision_strips_equal_the_whole(layout, size, monkeypatch):
    """With all that is kept in float32 only sums go in another order.

    Such a sum is off by a few units of 2^-24 = 6e-8; some twenty steps have two each, and the
    sigmoid at the end flattens. Measured: 3e-6 at most. Statistics of the whole in place of a
    region's, or of one strip, are 0.1 and more off.
    """
    monkeypatch.setattr(large, "kept_dtype", lambda network: np.float32)
    network, photo, weights = fast_network(layout), random_photo(*size), three_regions(*size)
    gamma, beta = vectors(layout)
    picture = paint_large(network, photo, gamma, beta, weights=weights)
    assert picture.shape == photo.shape and picture.dtype == np.float32
    wanted = at_once(network, photo, gamma, beta, weights)
    np.testing.assert_allclose(picture, wanted, atol=1e-5)
    assert np.abs(picture - paint_large(network, photo, gamma[0], beta[0])).mean() > 0.05


@pytest.mark.parametrize("precision", ["float32", "bfloat16"])
@pytest.mark.parametrize("layout", [LAYOUTS[name] for name in NAMES], ids=NAMES)
@pytest.mark.parametrize("size", SIZES)
def test_as_it_is_kept_strips_equal_the_whole_to_rounding(layout, size, precision):
    """What is kept has 11 bits beside float32, and 8 in bfloat16: a unit is 2^-12 or 2^-9 of 1.

    Up to 20 arrays are rounded twice each, by u / sqrt(3) of themselves on the mean of squares.
    Normalised they are about 1 large, so their errors add up to sqrt(40 / 3) u = 3.7 u before the
    sigmoid, and after it, whose slope is 1/4 at most, under a gamma of up to 2, to 2 u. The
    largest of 9,000 values is 4 times as far off, and twice that where gammas are large.
    """
    unit = 2.0**-12 if precision == "float32" else 2.0**-9
    network, photo, weights = (
        fast_network(layout, precision),
        random_photo(*size),
        three_regions(*size),
    )
    gamma, beta = vectors(layout)
    picture = paint_large(network, photo, gamma, beta, weights=weights.astype(np.float16))
    error = np.abs(picture - at_once(network, photo, gamma, beta, weights))
    assert error.mean() < 2 * unit and error.max() < 16 * unit


def test_bytes_in_bytes_out_and_what_is_kept_does_not_matter():
    layout = LAYOUTS["shipped"]
    network, gamma_beta = fast_network(layout), vectors(layout)
    photo = np.rint(random_photo(64, 48) * 255).astype(np.uint8)
    weights = three_regions(64, 48).astype(np.float16)
    needs = [bytes_needed(network, 64 * 48, level, 6) for level in range(4)]
    assert [kept_level(network, 64 * 48, need, 6) for need in needs] == [0, 1, 2, 3]
    first, *others = (
        paint_large(network, photo, *gamma_beta, weights=weights, max_memory=need) for need in needs
    )
    assert first.dtype == np.uint8
    for other in others:
        assert np.abs(first.astype(int) - other).max() <= 2


def test_a_style_that_is_nowhere_changes_nothing():
    layout = LAYOUTS["published"]
    network, photo = fast_network(layout), random_photo(48, 32)
    gamma, beta = vectors(layout)
    weights = three_regions(48, 32)
    weights[..., 1] += weights[..., 2]
    weights[..., 2] = 0
    picture = paint_large(network, photo, gamma, beta, weights=weights)
    two = paint_large(network, photo, gamma[:2], beta[:2], weights=weights[..., :2])
    assert np.isfinite(picture).all()
    np.testing.assert_allclose(picture, two, atol=1e-5)


def test_weights_count_as_memory():
    """Three styles in two bytes, and a third of that for the lower resolutions: 8 a pixel."""
    layout = LAYOUTS["shipped"]
    network = fast_network(layout)
    more = bytes_needed(network, 10**6, 3, 6) - bytes_needed(network, 10**6, 3)
    assert more == pytest.approx(8e6)
    photo, weights = random_photo(32, 32), three_regions(32, 32).astype(np.float16)
    with pytest.raises(InputError, match=r"needs 0.4 GB .* `working_size`"):
        paint_large(network, photo, *vectors(layout), weights=weights, max_memory=1e8)


def test_statistics_are_those_of_each_region():
    """Worked by hand: 1, 3 on the left, 10, 14 on the right, in two strips of one row."""
    layout = CinLayout((2, 4), 1, 3)
    step = fast_network(layout).steps[0]  # of two filters
    gamma, beta = np.ones((2, layout.style_size), np.float32), np.zeros((2, layout.style_size))
    gamma[1] = 2
    rows = np.array([[1, 10], [3, 14]], np.float32)
    weights = np.array([[[1, 0], [0, 1]]] * 2, np.float16)
    norm = RegionNorm(gamma, beta.astype(np.float32), weights, (2, 2), 2)
    x = np.repeat(rows[None, ..., None], 2, axis=-1)
    norm.measure(step, [(0, 1, x[:, :1]), (1, 2, x[:, 1:])])
    found = norm.apply(x, step, 0, 2).numpy()[0, ..., 1]
    # Left: mean 2, deviation 1. Right: mean 12, deviation 2, and a gamma of 2.
    np.testing.assert_allclose(found, [[-1, -2], [1, 2]], atol=1e-4)


def test_weights_at_lower_resolutions_are_means():
    weights = np.arange(3 * 5, dtype=np.float32).reshape(3, 5, 1)
    whole, half, quarter = weight_levels(weights, (4, 8), 3)
    assert whole is weights
    grown = np.pad(weights, ((0, 1), (0, 3), (0, 0)), "reflect")
    np.testing.assert_allclose(half, grown.reshape(2, 2, 4, 2, 1).mean((1, 3)))
    np.testing.assert_allclose(quarter[0, :, 0], [half[:, :2].mean(), half[:, 2:].mean()])


@pytest.mark.parametrize(("top", "stop"), [(0, 8), (0, 3), (4, 8), (6, 8)])
def test_rows_of_a_grown_image(top, stop):
    image = np.random.default_rng(0).random((7, 5, 2))
    grown = np.pad(image, ((0, 1), (0, 3), (0, 0)), "reflect")
    np.testing.assert_array_equal(grown_rows(image, top, stop, 8), grown[top:stop])
