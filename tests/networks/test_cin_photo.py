"""What the identity takes from a photo: the place and the reach of its colours' logits."""

import numpy as np
from keras import ops

from arbitrary_nst.networks.cin.photo import photo_gamma_beta


def test_a_photo_of_two_values():
    """Half of it at -1, half at 3 before the sigmoid: 2 to both sides of 1."""
    photo = np.zeros((8, 6, 3), np.float32)
    photo[:4], photo[4:] = 1 / (1 + np.exp(1)), 1 / (1 + np.exp(-3))
    gamma, beta = photo_gamma_beta(photo)
    np.testing.assert_allclose(gamma, 2, rtol=1e-5)
    np.testing.assert_allclose(beta, 1, rtol=1e-5)


def test_black_and_white_count_as_nearly_so():
    photo = np.zeros((8, 6, 3), np.float32)
    photo[:4] = 1
    gamma, beta = photo_gamma_beta(photo)
    np.testing.assert_allclose(gamma, np.log(0.96 / 0.04), rtol=1e-5)
    np.testing.assert_allclose(beta, 0, atol=1e-5)


def test_a_photo_of_one_colour_has_no_contrast():
    """Exactly none, whatever computes it: rounding must not make a root of less than zero."""
    photo = np.full((33, 47, 3), 0.041, np.float32)
    for gamma, beta in (photo_gamma_beta(photo), photo_gamma_beta(photo[None], ops)):
        np.testing.assert_allclose(np.asarray(gamma), 0, atol=1e-5)
        np.testing.assert_allclose(np.asarray(beta), np.log(0.041 / 0.959), rtol=1e-5)


def test_training_sees_the_same():
    photo = np.random.default_rng(0).random((24, 40, 3), np.float32) ** 2
    for ours, theirs in zip(
        photo_gamma_beta(photo), photo_gamma_beta(photo[None], ops), strict=True
    ):
        np.testing.assert_allclose(ours, np.asarray(theirs)[0], rtol=1e-5)


def test_a_large_photo_in_one_pass():
    """As exact as in float64, which takes twice the memory."""
    photo = np.random.default_rng(0).random((1500, 2000, 3), np.float32)
    for found, exact in zip(
        photo_gamma_beta(photo), photo_gamma_beta(photo.astype(np.float64)), strict=True
    ):
        assert found.dtype == np.float32
        np.testing.assert_allclose(found, exact, atol=2e-6)
