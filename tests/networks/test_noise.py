"""The noise of the cin network: the same for all that draw it."""

from dataclasses import replace

import numpy as np
import pytest

from arbitrary_nst.networks.cin.fast import noise_of_level
from arbitrary_nst.networks.cin.layout import CinLayout, noise_shape
from arbitrary_nst.networks.cin.noise import draw_noise, noise_numbers

LAYOUT = CinLayout((4, 8, 8, 8), num_residual_blocks=1, noise_channels=3)  # a stride of 8


@pytest.mark.parametrize(
    ("size", "expected"), [((16, 24), (2, 3, 3)), ((17, 23), (3, 3, 3)), ((1, 8), (1, 1, 3))]
)
def test_a_photo_has_the_noise_of_its_grown_self(size, expected):
    assert noise_shape(LAYOUT, *size) == expected
    grown = [-(-side // 8) * 8 for side in size]
    noise = draw_noise(LAYOUT, *size, seed=3)
    assert noise.shape == expected and noise.dtype == np.float32
    np.testing.assert_array_equal(noise, draw_noise(LAYOUT, *grown, seed=3))
    assert not np.array_equal(noise, draw_noise(LAYOUT, *size, seed=4))


@pytest.mark.parametrize("size", [(16, 24), (40, 33)])
def test_the_long_row_begins_with_every_photos_noise(size):
    noise = draw_noise(LAYOUT, *size, seed=5)
    np.testing.assert_array_equal(noise_numbers(LAYOUT, 5)[: noise.size], noise.ravel())


def test_each_level_has_its_own_noise_for_every_pixel():
    """All numbers of a photo's noise are used, once each, the lowest resolution's first."""
    layout = replace(LAYOUT, noise_levels=3)
    noise = draw_noise(layout, 16, 24, seed=1)[None]
    assert noise.shape == (1, 2, 3, 3 * (1 + 4 + 16)) == (1, 2, 3, layout.noise_depth)
    levels = [np.asarray(noise_of_level(layout, noise, level)) for level in range(3)]
    assert [level.shape for level in levels] == [(1, 2, 3, 3), (1, 4, 6, 3), (1, 8, 12, 3)]
    np.testing.assert_array_equal(levels[0], noise[..., :3])
    together = np.concatenate([level.ravel() for level in levels])
    np.testing.assert_array_equal(np.sort(together), np.sort(noise.ravel()))
    # The four pixels of a cell are what the cell holds, row by row.
    np.testing.assert_array_equal(levels[1][0, 2, 5], noise[0, 1, 2, 3 + 3 * 1 : 3 + 3 * 2])


def test_a_layout_without_noise():
    plain = CinLayout((4, 8), num_residual_blocks=1)
    assert draw_noise(plain, 16, 16, seed=0).shape == (8, 8, 0)
    assert noise_numbers(plain, 0).shape == (0,)
