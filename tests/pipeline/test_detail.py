"""The photo's fine structure in pictures that were painted small."""

import numpy as np
import pytest

from arbitrary_nst.image import resize, scaled_photo
from arbitrary_nst.pipeline import detail
from arbitrary_nst.pipeline.detail import detail_gain, restore_detail


def photo_with_lines(height=120, width=160):
    """A gradient under fine lines, which vanish at a quarter of the size: (height, width, 3)."""
    y, x = np.mgrid[0:height, 0:width]
    grey = 0.2 + 0.6 * x / width + 0.1 * np.where(y % 4 < 2, 1, -1)
    return np.repeat(grey[..., None], 3, axis=-1).clip(0, 1).astype(np.float32)


def test_a_picture_that_is_the_photo_gets_all_of_it_back():
    rng = np.random.default_rng(0)
    coarse = resize(rng.random((12, 16, 3), np.float32), shape=(30, 40))
    photo = (resize(coarse, shape=(120, 160)) * 0.6 + 0.4 * photo_with_lines()).clip(0, 1)
    small = scaled_photo(photo, (30, 40))
    restored = restore_detail(photo, small, small)
    blurred = resize(small, shape=(120, 160))
    assert np.abs(restored - photo).mean() < 0.4 * np.abs(blurred - photo).mean()


def test_a_picture_unlike_the_photo_gets_none():
    photo = photo_with_lines()
    small = scaled_photo(photo, (30, 40))
    against = 1 - small  # dark where the photo is bright
    assert detail_gain(small, against).max() < 0.05
    restored = restore_detail(photo, small, against)
    rows = restored.mean(axis=(1, 2))
    assert np.abs(np.diff(rows)).max() < 0.02


def test_downscaled_it_is_the_small_picture():
    """So that a preview looks like the result."""
    photo = photo_with_lines()
    small = scaled_photo(photo, (30, 40))
    painted = resize(np.random.default_rng(1).random((10, 13, 3), np.float32), shape=(30, 40))
    result = restore_detail(photo, small, painted)
    assert np.abs(scaled_photo(result, (30, 40)) - painted).mean() < 0.01


@pytest.mark.parametrize("dtype", [np.float32, np.uint8])
def test_strips_equal_the_whole(dtype, monkeypatch):
    photo = photo_with_lines(97, 130)
    photo = np.rint(photo * 255).astype(np.uint8) if dtype == np.uint8 else photo
    small = scaled_photo(photo, (24, 33))
    picture = np.random.default_rng(2).random((24, 33, 3), np.float32)
    at_once = restore_detail(photo, small, picture)
    monkeypatch.setattr(detail, "STRIP_PIXELS", 130 * 7)
    assert at_once.dtype == dtype and at_once.shape == photo.shape
    in_strips = restore_detail(photo, small, picture)
    np.testing.assert_allclose(in_strips, at_once, atol=1 if dtype == np.uint8 else 1e-5)
