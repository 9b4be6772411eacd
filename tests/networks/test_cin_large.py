"""Large photos in passes over strips: the same picture as at once."""

import numpy as np
import pytest
from small_cin import LAYOUTS, fast_network

from arbitrary_nst.errors import InputError
from arbitrary_nst.networks.cin import large
from arbitrary_nst.networks.cin.large import bytes_needed, kept_level, paint_large
from arbitrary_nst.networks.cin.layout import noise_shape


def vectors(layout):
    rng = np.random.default_rng(3)
    return rng.normal(1, 0.3, (2, layout.style_size)).astype(np.float32)


def whole(network, content, gamma, beta):
    layout = network.layout
    height, width = content.shape[:2]
    grown = [(0, -side % layout.multiple) for side in (height, width)]
    batch = np.pad(content, (*grown, (0, 0)), mode="reflect")[None]
    shape = noise_shape(layout, *batch.shape[1:3])
    noise = np.random.default_rng(0).standard_normal(shape, np.float32)[None]
    return network(batch, gamma[None], beta[None], noise)[0, :height, :width]


def random_photo(height, width):
    return np.random.default_rng(5).random((height, width, 3), np.float32)


@pytest.mark.parametrize("layout", LAYOUTS.values(), ids=LAYOUTS.keys())
@pytest.mark.parametrize("size", [(16, 16), (61, 43), (88, 18)])
def test_strips_equal_the_whole(layout, size, monkeypatch):
    """Strips of sixteen rows, as a large picture has strips of more; the last is often shorter."""
    monkeypatch.setattr(large, "STRIP_PIXELS", 1)
    network = fast_network(layout)
    photo, (gamma, beta) = random_photo(*size), vectors(layout)
    picture = paint_large(network, photo, gamma, beta)
    assert picture.shape == photo.shape and picture.dtype == np.float32
    # What is kept has eleven bits, so the last digits differ.
    np.testing.assert_allclose(picture, whole(network, photo, gamma, beta), atol=4e-3)


def test_whatever_is_kept_the_picture_is_the_same(monkeypatch):
    monkeypatch.setattr(large, "STRIP_PIXELS", 1)
    layout = LAYOUTS["shipped"]
    network = fast_network(layout)
    photo, (gamma, beta) = random_photo(64, 48), vectors(layout)
    needs = [bytes_needed(network, photo[..., 0].size, level) for level in (0, 1, 2, 3)]
    assert needs == sorted(needs, reverse=True)
    first, *others = (paint_large(network, photo, gamma, beta, max_memory=n) for n in needs)
    assert [kept_level(network, photo[..., 0].size, n) for n in needs] == [0, 1, 2, 3]
    for other in others:
        np.testing.assert_allclose(other, first, atol=4e-3)


def test_bytes_in_bytes_out():
    layout = LAYOUTS["shipped"]
    network = fast_network(layout)
    photo = np.rint(random_photo(40, 56) * 255).astype(np.uint8)
    told = []
    gamma, beta = vectors(layout)
    picture = paint_large(network, photo, gamma, beta, progress=lambda *state: told.append(state))
    assert picture.dtype == np.uint8
    wanted = whole(network, photo.astype(np.float32) / 255, gamma, beta) * 255
    assert np.abs(picture - wanted).max() < 2
    assert told[-1] == (len(network.steps) + 1, len(network.steps) + 1)


def test_too_little_memory_is_refused_before_the_work():
    layout = LAYOUTS["shipped"]
    network = fast_network(layout)
    with pytest.raises(InputError, match=r"0.0 megapixels needs 0.4 GB .* `working_size`"):
        paint_large(network, random_photo(32, 32), *vectors(layout), max_memory=1e8)
