"""Networks whose user has `channels_first` in keras.json, or says it himself."""

import keras
import numpy as np
import pytest
from small_cin import LAYOUTS, random_inputs, random_kernels
from small_training import small_vgg

from arbitrary_nst.networks.cin.network import build_network
from arbitrary_nst.networks.losses import light_loss
from arbitrary_nst.networks.predictor.network import PredictorLayout, build_predictor, compiled
from arbitrary_nst.networks.vgg import tone
from arbitrary_nst.networks.vgg_slim import _build as build_vgg_slim

SMALL = PredictorLayout(trunk=(4, 4, 6, 6, 8), widths=(8,), mixed=3, hidden=8, bottleneck=4)


@pytest.fixture(params=["channels_last", "channels_first"])
def data_format(request):
    before = keras.config.image_data_format()
    keras.config.set_image_data_format(request.param)
    yield request.param
    keras.config.set_image_data_format(before)


def photos():
    return np.random.default_rng(0).random((2, 48, 64, 3), np.float32)


def test_networks_see_height_width_channels(data_format):
    predictor = build_predictor(7, SMALL)
    assert np.asarray(predictor(photos())).shape == (2, 14)
    assert np.asarray(compiled(predictor)(photos()[:1])).shape == (1, 14)
    features = small_vgg()(photos())
    assert [f.shape[1:3] for f in features[:3]] == [(48, 64), (24, 32), (12, 16)]
    slim = build_vgg_slim(["relu1_1", "relu3_1"], "float32")(photos())
    assert [f.shape[1:3] for f in slim] == [(48, 64), (12, 16)]


def test_losses_do_as_well(data_format):
    first, second = photos()[:1], photos()[1:]
    values = np.concatenate(
        [np.asarray(light_loss(first, second)).ravel(), np.asarray(tone(first)).ravel()]
    )
    keras.config.set_image_data_format("channels_last")
    expected = np.concatenate(
        [np.asarray(light_loss(first, second)).ravel(), np.asarray(tone(first)).ravel()]
    )
    np.testing.assert_array_equal(values, expected)


def test_the_network_that_is_trained_as_well(data_format):
    pictures = []
    for _ in range(2):  # as the setting has it, and as everybody else has it
        network = build_network(LAYOUTS["shipped"])
        for name, kernel in random_kernels(LAYOUTS["shipped"]).items():
            network.get_layer(f"{name}_conv").kernel.assign(kernel)
        pictures.append(np.asarray(network(random_inputs(LAYOUTS["shipped"], 1, 16, 24))))
        keras.config.set_image_data_format("channels_last")
    assert pictures[0].shape == (1, 16, 24, 3)
    np.testing.assert_array_equal(*pictures)
