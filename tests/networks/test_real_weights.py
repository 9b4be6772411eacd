"""VGG19 with its ImageNet weights, where they are at hand: nothing is downloaded here."""

import os
from pathlib import Path

import keras
import numpy as np
import pytest

from arbitrary_nst.networks.vgg import load_vgg19
from arbitrary_nst.training.trainer import LOSS_LAYERS

BESIDE_CHECKOUT = Path(__file__).parents[3] / "shared" / "weights" / "vgg19" / "vgg19_notop.h5"


@pytest.fixture(scope="module")
def weights():
    path = os.environ.get("ARBITRARY_NST_VGG19") or str(BESIDE_CHECKOUT)
    if not Path(path).is_file():
        pytest.skip("no VGG19 weights here; name the file by ARBITRARY_NST_VGG19")
    return path


def test_features_equal_keras_own(weights):
    image = np.random.default_rng(0).uniform(size=(1, 48, 64, 3)).astype(np.float32)
    original = keras.applications.VGG19(include_top=False, weights=weights)
    layers = [f"block{name[4]}_conv{name[6]}" for name in LOSS_LAYERS]
    reference = keras.Model(original.input, [original.get_layer(name).output for name in layers])
    theirs = reference(keras.applications.vgg19.preprocess_input(image * 255))
    for found, expected in zip(
        load_vgg19(LOSS_LAYERS, weights=weights)(image), theirs, strict=True
    ):
        found, expected = (keras.ops.convert_to_numpy(value) for value in (found, expected))
        assert np.linalg.norm(found - expected) < 1e-4 * np.linalg.norm(expected)
