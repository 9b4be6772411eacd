"""The cin network on ONNX Runtime: the same function as its fast form, for all layouts."""

import numpy as np
import pytest
from small_cin import LAYOUTS, fast_network, random_inputs, random_kernels

from arbitrary_nst.networks.cin.layout import noise_shape
from arbitrary_nst.networks.cin.light import LightCin

SIZES = [(1, 1), (2, 5), (4, 3)]  # in multiples of the layout's


def both(name, rows, columns, batch=1):
    layout = LAYOUTS[name]
    height, width = rows * layout.multiple, columns * layout.multiple
    inputs = random_inputs(layout, batch, max(height, 16), max(width, 16))
    shape = noise_shape(layout, *inputs["content"].shape[1:3])
    inputs.setdefault("noise", np.zeros((batch, *shape), np.float32))
    return LightCin(layout, random_kernels(layout)), fast_network(layout), inputs


@pytest.mark.parametrize("name", LAYOUTS)
def test_it_paints_what_the_fast_form_paints(name):
    for size in SIZES:
        light, fast, inputs = both(name, *size)
        np.testing.assert_allclose(light(**inputs), fast(**inputs), atol=2e-5)


def test_a_batch_is_painted_picture_by_picture():
    light, fast, inputs = both("fine", 2, 3, batch=3)
    pictures = light(**inputs)
    np.testing.assert_allclose(pictures, fast(**inputs), atol=2e-5)
    last = {name: array[-1:] for name, array in inputs.items()}
    np.testing.assert_array_equal(light(**last)[0], pictures[-1])


@pytest.mark.parametrize("name", LAYOUTS)
def test_regions(name):
    """Three styles, one of which is nowhere, another in one corner alone."""
    light, fast, inputs = both(name, 3, 4)
    rng = np.random.default_rng(5)
    style_size = LAYOUTS[name].style_size
    for part, centre in (("gamma", 1), ("beta", 0)):
        inputs[part] = rng.normal(centre, 0.3, (3, style_size)).astype(np.float32)
    weights = np.zeros((*inputs["content"].shape[:3], 3), np.float32)
    weights[..., 0] = 1
    weights[:, :9, :9] = 0.25, 0.75, 0
    picture = light.regions(weights=weights, **inputs)
    np.testing.assert_allclose(picture, fast.regions(weights=weights, **inputs), atol=5e-5)


def test_one_region_everywhere_is_the_plain_picture():
    light, _, inputs = both("shipped", 2, 2)
    everywhere = np.ones((*inputs["content"].shape[:3], 1), np.float32)
    picture = light.regions(weights=everywhere, **inputs)
    np.testing.assert_allclose(picture, light(**inputs), atol=2e-5)
