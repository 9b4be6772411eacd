"""The slim VGG19: its layout, and what is said of files that hold something else."""

import keras
import numpy as np
import pytest
from safetensors.numpy import save_file

from arbitrary_nst.errors import WeightsUnavailable
from arbitrary_nst.networks.vgg import BLOCKS
from arbitrary_nst.networks.vgg_slim import WIDTHS, load_vgg_slim
from arbitrary_nst.training.statistics import LOSS_LAYERS


def random_arrays():
    """Small random kernels under the names of the published file."""
    rng, arrays, narrow = np.random.default_rng(0), {}, 3

    def add(name, size, inputs, filters):
        arrays[f"{name}.weight"] = 0.1 * rng.standard_normal((size, size, inputs, filters), "f4")
        arrays[f"{name}.bias"] = 0.1 * rng.standard_normal(filters, "f4")

    add("conv0", 1, 3, 3)
    for block, (wide, count) in enumerate(BLOCKS, 1):
        for index in range(1, count + 1):
            add(f"conv{block}{index}", 3, narrow, WIDTHS[block - 1])
            narrow = WIDTHS[block - 1]
        add(f"conv{block}1_aux", 1, narrow, wide)
    return arrays


@pytest.fixture(scope="module")
def arrays():
    return random_arrays()


@pytest.fixture(scope="module")
def path(arrays, tmp_path_factory):
    path = tmp_path_factory.mktemp("slim") / "slim.safetensors"
    save_file(arrays, path)
    return path


def test_shapes_and_the_first_layer_by_hand(arrays, path):
    """As many channels as VGG19 in the style layers; the first one at one pixel, in NumPy."""
    model = load_vgg_slim(path, LOSS_LAYERS)
    image = np.random.default_rng(1).random((1, 32, 48, 3), np.float32)
    features = [keras.ops.convert_to_numpy(f) for f in model(image)]
    channels = (64, 128, 256, 512, 512, 128)
    sides = ((32, 48), (16, 24), (8, 12), (4, 6), (2, 3), (4, 6))
    shapes = [(1, *side, count) for side, count in zip(sides, channels, strict=True)]
    assert [f.shape for f in features] == shapes
    assert not model.trainable_variables

    seen = image[0, 4:7, 9:12] @ arrays["conv0.weight"][0, 0] + arrays["conv0.bias"]
    x = np.einsum("hwi,hwio->o", seen, arrays["conv11.weight"]) + arrays["conv11.bias"]
    x = x.clip(0) @ arrays["conv11_aux.weight"][0, 0] + arrays["conv11_aux.bias"]
    np.testing.assert_allclose(features[0][0, 5, 10], x.clip(0), rtol=1e-4, atol=1e-5)


@pytest.mark.parametrize("damage", ["missing", "no array", "shape", "text"])
def test_other_files(arrays, tmp_path, damage):
    path = tmp_path / "slim.safetensors"
    changed = dict(arrays)
    if damage == "no array":
        del changed["conv21.bias"]
    if damage == "shape":
        changed["conv21.bias"] = np.zeros(7, np.float32)
    if damage == "text":
        path.write_text("no weights")
    elif damage != "missing":
        save_file(changed, path)
    with pytest.raises(WeightsUnavailable, match=f"{path} could not be read as a slim VGG19"):
        load_vgg_slim(path, LOSS_LAYERS)
