"""Masks on photos above `max_memory`: in passes, with the statistics of each region."""

import numpy as np
import pytest
from PIL import Image

from arbitrary_nst import stylize
from arbitrary_nst.engines.cin import Cin
from arbitrary_nst.image import resize
from arbitrary_nst.pipeline import contents, paint, regions
from arbitrary_nst.pipeline.regions import (
    byte_cover_of,
    cover_of,
    half_weights_of,
    read_masks,
    strips,
    weights_of,
)

STYLES = ["great-wave", "starry-night"]


@pytest.fixture(autouse=True)
def small_limits(network, monkeypatch):
    """A random network; strips of sixteen rows, as if they needed no memory."""
    monkeypatch.setattr("arbitrary_nst.networks.cin.large.STRIP_BYTES", 0)
    monkeypatch.setattr("arbitrary_nst.networks.cin.large.STRIP_PIXELS", 1)
    monkeypatch.setattr(regions, "ROWS_PIXELS", 1000)


@pytest.fixture
def large_photo(photo):
    """Dark above and bright below, with noise: float (96, 120, 3)."""
    noise = np.random.default_rng(0).normal(0, 0.05, (96, 120, 1))
    light = np.linspace(0.3, 1, 96)[:, None, None]
    return (resize(photo, shape=(96, 120)) * light + noise).clip(0, 1).astype(np.float32)


def upper_half(height=96, width=120):
    return np.repeat(np.arange(height) < height // 2, width).reshape(height, width).astype(float)


def in_passes(engine, photo, styles, **options):
    """Painted with so little memory that it takes passes, which is made sure of."""
    told = []
    picture = stylize(
        photo,
        styles,
        engine=engine,
        max_memory=0.5 * engine.memory_for(*np.shape(photo)[:2]),
        progress=lambda done, total, message, preview=None: told.append(message),
        **options,
    )
    assert "passes over a large photo" in told
    return np.asarray(picture, float)


def test_the_picture_is_that_of_one_pass(large_photo):
    """Not two pictures laid side by side, of which each had the whole photo's statistics."""
    engine, mask = Cin(precision="float32"), upper_half()
    options = {"masks": [mask, None]}
    whole = np.asarray(stylize(large_photo, STYLES, engine=engine, **options), float)
    found = in_passes(engine, large_photo, STYLES, **options)
    # Half precision in between: 16 units of 2^-12 (see the network's own test), and rounding.
    assert np.abs(found - whole).max() <= 255 * 16 * 2.0**-12 + 1
    wave, night = (np.asarray(stylize(large_photo, s, engine=engine), float) for s in STYLES)
    side_by_side = mask[..., None] * wave + (1 - mask[..., None]) * night
    assert np.abs(side_by_side - whole).mean() > 3


def test_one_pass_only_where_its_own_need_fits(large_photo):
    """Scales and offsets for every pixel need more than one style does."""
    engine = Cin(precision="float32")
    size = large_photo.shape[:2]
    one, two = engine.memory_for(*size), engine.memory_for(*size, num_regions=2)
    assert one < two < engine.memory_for(*size, num_regions=3)
    told = []
    for limit in (0.99 * two, 1.01 * two):
        told.append([])
        stylize(
            large_photo,
            STYLES,
            engine=engine,
            masks=[upper_half(), None],
            max_memory=limit,
            progress=lambda done, total, message, preview=None: told[-1].append(message),
        )
    assert "passes over a large photo" in told[0] and "passes over a large photo" not in told[1]


def test_what_no_mask_covers_is_the_photo_itself(large_photo):
    engine = Cin(precision="float32")
    photo = np.rint(255 * large_photo).astype(np.uint8)
    found = in_passes(engine, photo, "scream", masks=[upper_half()])
    np.testing.assert_array_equal(found[48:], photo[48:])
    whole = np.asarray(stylize(photo, "scream", engine=engine, masks=[upper_half()]), float)
    assert np.abs(found - whole).max() <= 2


def test_bytes_stay_bytes(large_photo, monkeypatch):
    """Photo and masks above their limits, as those of many megapixels are."""
    engine = Cin(precision="float32")
    photo = np.rint(255 * large_photo).astype(np.uint8)
    mask = np.rint(255 * upper_half()).astype(np.uint8)
    options = {"masks": [np.repeat(mask[..., None], 3, axis=-1), None], "strength": 0.7}
    whole = np.asarray(stylize(photo, STYLES, engine=engine, **options), float)
    monkeypatch.setattr(contents, "LARGE_PIXELS", 100)
    monkeypatch.setattr(paint, "LARGE_PIXELS", 100)
    monkeypatch.setattr(regions, "LARGE_PIXELS", 100)
    (read,) = read_masks([options["masks"][0]], 1, 10**6)
    assert read.dtype == np.uint8
    np.testing.assert_array_equal(read, mask)
    assert np.abs(in_passes(engine, photo, STYLES, **options) - whole).max() <= 2
    found = in_passes(engine, photo, "scream", masks=options["masks"][:1])
    np.testing.assert_array_equal(found[48:], photo[48:])


@pytest.mark.parametrize("size", [(96, 120), (30, 40), (200, 333), (96, 500), (7, 5)])
def test_weights_by_strips_are_those_of_the_whole(size):
    """Also of masks that are scaled: no seam between strips. float16 has 11 bits."""
    rng = np.random.default_rng(1)
    masks = [rng.random(size).astype(np.float32), None, np.eye(9, dtype=np.float32)]
    shares, shape = [0.5, 0.3, 0.2], (96, 120)
    assert len(list(strips(shape))) == 12
    weights = half_weights_of(masks, shares, shape)
    assert weights.dtype == np.float16
    np.testing.assert_allclose(weights, weights_of(masks, shares, shape), atol=2.0**-12 + 1e-5)
    masks[1] = masks[2]
    whole = cover_of(masks, shares, shape)
    rows = [cover_of(masks, shares, shape, rows) for rows in strips(shape)]
    np.testing.assert_allclose(np.concatenate(rows), whole, atol=1e-5)
    in_bytes = byte_cover_of(masks, shares, shape)
    assert in_bytes.dtype == np.uint8
    np.testing.assert_allclose(in_bytes / 255, whole, atol=0.5 / 255 + 1e-5)


@pytest.mark.parametrize(
    ("size", "method"),
    [
        ((200, 333), Image.Resampling.LANCZOS),
        ((30, 40), Image.Resampling.BILINEAR),
        ((96, 500), Image.Resampling.BILINEAR),
    ],
)
def test_masks_are_scaled_as_pillow_does(size, method):
    mask = np.random.default_rng(2).random(size).astype(np.float32)
    scaled = np.asarray(Image.fromarray(mask).resize((120, 96), method)).clip(0, 1)
    np.testing.assert_allclose(cover_of([mask], [1.0], (96, 120)), scaled, atol=1e-6)
