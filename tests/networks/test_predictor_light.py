"""The style predictor on ONNX Runtime: the same numbers as its Keras form."""

import numpy as np
import pytest

from arbitrary_nst.checkpoints import NETWORK_FILE, PREDICTOR_FILE, cin_folder
from arbitrary_nst.engines.cin import Cin
from arbitrary_nst.errors import CheckpointError
from arbitrary_nst.networks.cin.file import load_network, network_id
from arbitrary_nst.networks.predictor.file import load_predictor, predictor_bytes
from arbitrary_nst.networks.predictor.layout import PredictorLayout
from arbitrary_nst.networks.predictor.light import LightPredictor
from arbitrary_nst.networks.predictor.network import build_predictor, predict

LAYOUTS = [
    PredictorLayout((4, 4, 6, 6, 8), (6, 8), 3, 10, 5),
    PredictorLayout((3, 5, 4, 6, 7), (5, 4, 9), 2, 7, 3),
]
STYLE_SIZE = 11


def painting(height, width, seed=0):
    return np.random.default_rng(seed).random((height, width, 3), np.float32)


def same(found, expected, atol):
    assert found.keys() == expected.keys()
    for name, array in expected.items():
        assert found[name].dtype == np.float32
        np.testing.assert_allclose(found[name], array, atol=atol)


@pytest.mark.parametrize("layout", LAYOUTS)
def test_it_says_what_the_keras_form_says(layout, tmp_path):
    predictor = build_predictor(STYLE_SIZE, layout, seed=3)
    rng = np.random.default_rng(1)
    for variable in predictor.weights:  # biases and the like, too, which start at zero
        variable.assign_add(rng.normal(0, 0.1, variable.shape).astype(np.float32))
    path = tmp_path / "predictor.safetensors"
    path.write_bytes(predictor_bytes(predictor, layout, "cin-x"))
    predictor = load_predictor(path, STYLE_SIZE, "cin-x")
    shapes = {f"{o.name}/{v.name}": tuple(v.shape) for o in predictor.layers for v in o.weights}
    assert layout.shapes(STYLE_SIZE) == shapes
    for size in ((64, 48), (37, 51), (33, 90)):
        image = painting(*size)
        expected = predict(predictor, image)
        assert np.abs(expected["beta"]).max() > 1e-3
        same(LightPredictor(path, STYLE_SIZE, "cin-x")(image).arrays, expected, 2e-4)
    with pytest.raises(CheckpointError, match="for another network. Expected cin-y"):
        LightPredictor(path, STYLE_SIZE, "cin-y")


def test_the_packaged_one(packaged):
    folder = cin_folder()
    layout, kernels = load_network(folder / NETWORK_FILE)
    where = folder / PREDICTOR_FILE, layout.style_size, network_id(kernels)
    image = painting(90, 61)
    same(LightPredictor(*where)(image).arrays, predict(load_predictor(*where), image), 2e-3)
    style = Cin(runtime="onnx", refine_steps=0).embed(image)
    other = Cin(runtime="tensorflow", precision="float32", refine_steps=0).embed(image)
    same(style.arrays, other.arrays, 2e-3)
