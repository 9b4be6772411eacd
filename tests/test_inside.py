"""The network as `keras.Model` and inside `tf.data`: the same pictures as `stylize` paints."""

import numpy as np
import pytest

from arbitrary_nst import Cin, StyleError, blend, embed
from arbitrary_nst.export import keras_model, tensor_function
from arbitrary_nst.networks.cin.file import load_network
from arbitrary_nst.networks.cin.noise import draw_noise

pytestmark = pytest.mark.usefixtures("network")


def test_in_tf_data(make_photo):
    """Photos of several sizes, none a multiple of the network's."""
    import tensorflow as tf

    style = blend([embed("great-wave"), embed("scream")], [2, 1])
    photos = [make_photo(33, 41), make_photo(50, 30, seed=2)]
    data = tf.data.Dataset.from_generator(
        lambda: iter(photos), output_signature=tf.TensorSpec((None, None, 3), tf.float32)
    )
    found = list(data.map(tensor_function(style, seed=3)).as_numpy_iterator())
    engine = Cin(precision="float32", runtime="tensorflow")
    for photo, picture in zip(photos, found, strict=True):
        expected = engine.render(photo, style, seed=3)
        assert picture.shape == photo.shape
        np.testing.assert_allclose(picture, expected, atol=2e-4)


def test_as_a_keras_model(network_folder, make_photo):
    import tensorflow as tf

    photo, style = make_photo(32, 40), embed("scream")
    model = keras_model()
    layout, _ = load_network(network_folder / "network.safetensors")
    noise = draw_noise(layout, 32, 40, 0)
    inputs = {
        "content": tf.constant(photo[None]),
        "noise": tf.constant(noise.reshape(-1, *noise.shape[-3:])),
        **{name: tf.constant(style.arrays[name][None]) for name in ("gamma", "beta")},
    }
    with tf.GradientTape() as tape:
        tape.watch(inputs["gamma"])
        picture = model(inputs)
        mean = tf.reduce_mean(picture)
    expected = Cin(precision="float32", runtime="tensorflow").render(photo, style)
    np.testing.assert_allclose(picture[0], expected, atol=2e-4)
    assert np.abs(tape.gradient(mean, inputs["gamma"])).max() > 0


def test_a_style_of_another_network_is_refused(other_network_folder):
    with pytest.raises(StyleError):
        tensor_function(embed("scream"), other_network_folder)
