"""Vectors fitted by ONNX Runtime: gradients of our own making are those of TensorFlow."""

import keras
import numpy as np
import pytest
from small_cin import LAYOUTS, fast_network, random_inputs, random_kernels

from arbitrary_nst.networks.cin.noise import draw_noise
from arbitrary_nst.networks.onnx_gradient import add_gradients
from arbitrary_nst.networks.onnx_graph import Graph
from arbitrary_nst.networks.predictor.file import load_predictor, predictor_bytes
from arbitrary_nst.networks.predictor.light import LightPredictor
from arbitrary_nst.networks.predictor.light_refiner import GRAMS, LightRefiner
from arbitrary_nst.networks.predictor.network import PredictorLayout, build_predictor
from arbitrary_nst.networks.predictor.refiner import Refiner
from arbitrary_nst.networks.predictor.refining import follow

SMALL = PredictorLayout(trunk=(4, 4, 6, 6, 8), widths=(8,), mixed=3, hidden=8, bottleneck=4)


def both(layout, folder):
    """The refiners of one network and one predictor, by TensorFlow and by ONNX Runtime."""
    path = folder / "predictor.safetensors"
    predictor = build_predictor(layout.style_size, SMALL, seed=1)
    path.write_bytes(predictor_bytes(predictor, SMALL, "cin-x"))
    where = path, layout.style_size, "cin-x"
    full = Refiner(fast_network(layout), load_predictor(*where))
    return full, LightRefiner(layout, random_kernels(layout), LightPredictor(*where))


def picture(height, width, seed=0):
    return np.random.default_rng(seed).random((height, width, 3), np.float32)


@pytest.mark.parametrize("name", LAYOUTS)
def test_the_gradients_are_those_of_tensorflow(name, tmp_path):
    """Also for the smallest photo, whose mirrored borders overlap."""
    layout = LAYOUTS[name]
    full, light = both(layout, tmp_path)
    grams = full.grams(picture(40, 56))
    vectors = random_inputs(layout)
    gamma, beta = vectors["gamma"][0], vectors["beta"][0]
    for size in ((16, 16), (32, 48)):
        photo = picture(*size, seed=2)
        inputs = light.inputs(photo, seed=3)
        noise = draw_noise(layout, *size, seed=3)[None]
        wanted = full._features(photo[None])[1]
        expected = full._gradients(
            gamma, beta, photo[None], noise, wanted, [gram[None] for gram in grams]
        )
        fixed = dict(zip(GRAMS, grams, strict=True))
        _, *found = light._session.run(None, {"gamma": gamma, "beta": beta, **inputs, **fixed})
        for one, other in zip(found, expected, strict=True):
            largest = np.abs(other).max()
            assert largest > 1e-3
            np.testing.assert_allclose(one, other, rtol=1e-3, atol=1e-4 * largest)


def test_both_fit_alike(tmp_path):
    full, light = both(LAYOUTS["shipped"], tmp_path)
    vectors = random_inputs(LAYOUTS["shipped"])
    arrays = {name: vectors[name][0] for name in ("gamma", "beta")}
    grams = full.grams(picture(40, 56))
    photos = [picture(32, 32, seed) for seed in (5, 6, 7)]
    expected = full(grams, arrays, photos, 8, seed=2)
    found = light(grams, arrays, photos, 8, seed=2)
    fixed = dict(zip(GRAMS, grams, strict=True))

    def loss(arrays):
        return float(
            light._session.run(["loss"], {**arrays, **light.inputs(photos[0], 2), **fixed})[0]
        )

    assert loss(expected) < 0.9 * loss(arrays)
    assert loss(found) == pytest.approx(loss(expected), rel=1e-3)
    for name in arrays:
        assert found[name].dtype == np.float32
        # Adam's first steps are as long for the smallest gradient as for a large one.
        assert np.median(np.abs(found[name] - expected[name])) < 1e-4


def test_steps_are_those_of_adam():
    rng = np.random.default_rng(0)
    start, goal = rng.normal(size=(2, 2, 50)).astype(np.float32)
    variable = keras.Variable(start)
    optimizer = keras.optimizers.Adam(keras.optimizers.schedules.PolynomialDecay(0.1, 12, 0.0))
    for _ in range(12):
        optimizer.apply([2 * (variable.value - goal)], [variable])

    def gradients(gamma, beta, step):
        return 2 * (gamma - goal[0]), 2 * (beta - goal[1])

    found = follow(gradients, {"gamma": start[0], "beta": start[1]}, 12, 0.1)
    expected = np.asarray(variable)
    np.testing.assert_allclose(np.stack([found["gamma"], found["beta"]]), expected, atol=1e-5)


def test_what_the_predictor_sees(tmp_path):
    full, light = both(LAYOUTS["kernel 5"], tmp_path)
    image = picture(37, 51)
    sight = light._predictor(image)
    for one, other in zip(sight.grams, full.grams(image), strict=True):
        np.testing.assert_allclose(one, other, rtol=1e-4, atol=1e-7)
    deepest = full._features(image[None])[1].numpy().transpose(0, 3, 1, 2)
    np.testing.assert_allclose(sight.deepest, deepest, atol=1e-5)


def test_an_operation_without_a_rule_is_named():
    graph = Graph()
    y = graph.add("Erf", "x")
    with pytest.raises(NotImplementedError, match="Erf"):
        add_gradients(graph, {y: "slope"}, ["x"])
