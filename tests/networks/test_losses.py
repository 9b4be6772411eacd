"""The losses, by hand."""

import numpy as np
import pytest
import tensorflow as tf

from arbitrary_nst.networks.detail import detail_mask
from arbitrary_nst.networks.losses import (
    FAINT,
    LUMA,
    drawing_loss,
    light_loss,
    local_drawing_loss,
    pixel_loss,
    recolored,
    relative_error,
    style_loss,
    tone_loss,
    total_variation_loss,
)
from arbitrary_nst.training.statistics import to_array


def test_relative_error_by_hand():
    """(1 + 4) / (1 + 16) for the first picture; the second has no error."""
    target = np.array([[1.0, 4.0], [3.0, 0.0]], np.float32)
    found = relative_error(np.array([[2.0, 2.0], [3.0, 0.0]], np.float32), target)
    np.testing.assert_allclose(found, [5 / 17, 0], rtol=1e-6)


def test_relative_error_without_features_is_one():
    target = np.ones((2, 3, 3, 4), np.float32)
    np.testing.assert_allclose(relative_error(0 * target, target), [1, 1], rtol=1e-6)


def test_style_loss_is_the_mean_over_layers():
    """Relative errors 1 (nothing of it there) and 1/4 (half off) make 0.625."""
    ones = np.ones((1, 2, 2), np.float32)
    np.testing.assert_allclose(style_loss([0 * ones, 3 * ones], [ones, 2 * ones]), [0.625])


def test_total_variation_by_hand():
    """Down: steps 2 and 0, mean square 2; across: steps 1 and -1, mean square 1."""
    image = np.array([[0, 1], [2, 1]], np.float32)[None, :, :, None]
    np.testing.assert_allclose(total_variation_loss(image), [3])


def test_pixel_loss_by_hand():
    image = np.array([[0, 1], [2, 1]], np.float32)[None, :, :, None]
    np.testing.assert_allclose(pixel_loss(image, 0 * image), [1])


def test_drawing_is_blind_to_contrast_and_colour():
    """Channels scaled and shifted each by its own amount are the same drawing; noise is none."""
    rng = np.random.default_rng(0)
    photo = rng.normal(size=(2, 16, 16, 3)).astype(np.float32)
    scaled = photo * np.array([0.5, 1, 2], np.float32) + np.array([3, 0, -1], np.float32)
    assert to_array(drawing_loss(photo, photo)) == pytest.approx(0, abs=0.01)
    assert to_array(drawing_loss(scaled, photo)) == pytest.approx(0, abs=0.01)
    other = rng.normal(size=photo.shape).astype(np.float32)
    assert to_array(drawing_loss(other, photo)) == pytest.approx(2, abs=0.3)
    assert to_array(drawing_loss(-photo, photo)) == pytest.approx(4, abs=0.01)


def test_a_silent_channel_does_not_follow_the_photo():
    """One of three channels of the same strength is lost: a third of what strangers get."""
    photo = np.random.default_rng(0).normal(size=(1, 64, 64, 3)).astype(np.float32)
    silent = photo * np.array([1e-4, 1, 1], np.float32)
    assert to_array(drawing_loss(silent, photo)) == pytest.approx(2 / 3, abs=0.03)


def test_faint_lines_count_as_much_as_strong_ones():
    """Half of a photo has a third of the other's contrast, a ninth of its energy."""
    rng = np.random.default_rng(0)
    photo = rng.normal(size=(1, 48, 48, 3)).astype(np.float32)
    photo[:, :, 24:] /= 3
    lost = photo.copy()
    lost[:, :, 24:] = rng.normal(size=(1, 48, 24, 3)) / 3  # other lines in their place
    # Of a stranger it would be 2, and a tenth of the energy, but half of the places, is strange.
    assert to_array(drawing_loss(lost, photo)) == pytest.approx(2 * 0.1, abs=0.04)
    faint, strong = (2 * v / 10 for v in (1, 9))  # energies over their mean
    share = [v / (v + FAINT) for v in (faint, strong)]
    most = share[0] / sum(share)
    # Four of its 24 columns see strong lines across the middle, which are where they were.
    assert most * 20 / 24 - 0.02 < to_array(local_drawing_loss(lost, photo)) < most


def test_local_drawing_is_blind_to_contrast_and_to_what_is_no_line():
    rng = np.random.default_rng(0)
    photo = rng.normal(size=(2, 32, 32, 3)).astype(np.float32)
    assert to_array(local_drawing_loss(photo, photo)) == pytest.approx(0, abs=0.01)
    assert to_array(local_drawing_loss(3 * photo + 5, photo)) == pytest.approx(0, abs=0.01)
    assert to_array(local_drawing_loss(-photo, photo)) == pytest.approx(2, abs=0.01)
    other = rng.normal(size=photo.shape).astype(np.float32)
    assert to_array(local_drawing_loss(other, photo)) == pytest.approx(1, abs=0.1)
    blank = photo.copy()
    blank[:, :, 12:] = 1e-3 * photo[:, :, 12:]  # a sky, whose noise may be anything in the picture
    sky = np.concatenate([photo[:, :, :12], other[:, :, 12:]], axis=2)
    assert (to_array(local_drawing_loss(sky, blank)) < 0.25).all()  # 20 of 32 columns are sky


def test_the_gradient_of_local_drawing_is_right_where_the_window_is_the_larger_one():
    """By differences. TensorFlow's gradient of pooling with padding "same" is not, there."""
    rng = np.random.default_rng(0)
    features, photo, along = rng.normal(size=(3, 1, 7, 8, 3)).astype(np.float32)
    values = tf.constant(features)
    with tf.GradientTape() as tape:
        tape.watch(values)
        loss = local_drawing_loss(values, photo)
    slope = float(np.sum(tape.gradient(loss, values).numpy() * along))
    more, less = (to_array(local_drawing_loss(features + s * along, photo)) for s in (0.01, -0.01))
    assert abs(slope) > 0.01
    assert slope == pytest.approx(float(more[0] - less[0]) / 0.02, rel=0.02)


def test_light_is_the_order_of_light_and_dark():
    """Darker and of less contrast is the same order, the negative the opposite one."""
    photo = np.random.default_rng(0).random((1, 64, 64, 3), np.float32)
    assert float(light_loss(0.5 * photo, photo)[0]) == pytest.approx(0, abs=0.02)
    assert float(light_loss(1 - photo, photo)[0]) == pytest.approx(2, abs=0.02)


def test_a_recoloured_photo_keeps_its_luma():
    """And has the picture's colour differences, by half of them at a share of a half."""
    rng = np.random.default_rng(0)
    photo, picture = (rng.uniform(0.4, 0.6, (2, 8, 8, 3)).astype(np.float32) for _ in range(2))
    for share in (0.0, 0.5, 1.0):
        found = to_array(recolored(photo, picture, share))
        np.testing.assert_allclose(found @ LUMA, photo @ LUMA, atol=1e-6)
        for channel in (0, 2):
            chroma = [values[..., channel] - values @ LUMA for values in (photo, picture, found)]
            expected = (1 - share) * chroma[0] + share * chroma[1]
            np.testing.assert_allclose(chroma[2], expected, atol=1e-6)
    np.testing.assert_array_equal(to_array(recolored(photo, photo)), photo)
    white = to_array(recolored(np.ones_like(photo), picture))
    assert white.max() <= 1


def test_tone_by_hand():
    """Quantiles 0.1 too high along two directions, of which the second hardly varies."""
    wanted = np.stack([np.linspace(0, 1, 5), np.full(5, 0.5)], axis=1)[None]
    found = wanted + 0.1
    variance = np.linspace(0, 1, 5).var()
    expected = (0.01 / (variance + 0.0004) + 0.01 / 0.0004) / 2
    assert float(tone_loss(found, wanted)[0]) == pytest.approx(expected, rel=1e-4)


def test_detail_is_where_the_edges_are():
    """Noise in the left half alone; half of the positions each."""
    photo = np.full((96, 128, 3), 0.5, np.float32)
    photo[:, :64] = np.random.default_rng(0).random((96, 64, 3), np.float32)
    mask = detail_mask(photo)
    assert mask.shape == (96, 128, 1)
    assert mask[:, :48].min() == 1
    assert mask[:, 80:].max() == 0
