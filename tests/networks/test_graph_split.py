"""Magenta's network cut into two halves."""

import numpy as np
import pytest
import tensorflow as tf
from small_magenta import IMAGES, VECTOR_SIZE

from arbitrary_nst.errors import CheckpointError
from arbitrary_nst.networks.magenta.graph_split import find_bottleneck
from arbitrary_nst.networks.magenta.hub import HubNetwork


def test_the_halves_joined_are_the_whole(magenta_engine, magenta_model, make_photo):
    network = magenta_engine._network
    assert network.vector_size == VECTOR_SIZE
    assert network.difference < 1e-6
    content, style = make_photo(24, 36), make_photo(50, 41, seed=1)
    whole = magenta_model.stylize(content[None], style[None])[0].numpy()[0]
    vector = network.predict(style)
    np.testing.assert_allclose(
        vector, magenta_model.bottleneck(style[None]).numpy().ravel(), atol=1e-6
    )
    np.testing.assert_allclose(network.transform(content, vector), whole, atol=1e-6)


def test_the_halves_do_not_hold_each_others_operations(magenta_engine):
    kinds = {
        name: {op.type for op in half.get_concrete_function().graph.get_operations()}
        for name, half in vars(magenta_engine._network).items()
        if name in ("_predict", "_transform")
    }
    assert "Rsqrt" not in kinds["_predict"] and "Rsqrt" in kinds["_transform"]
    assert "Relu" in kinds["_predict"] and "Relu" not in kinds["_transform"]


def test_the_bottleneck_is_the_last_single_vector():
    @tf.function(input_signature=[IMAGES])
    def function(x):
        pooled = tf.reduce_mean(x, axis=(1, 2), keepdims=True, name="pooled")
        first = tf.multiply(pooled, 2.0, name="first")
        left, right = tf.nn.relu(first), tf.sigmoid(first)  # neither has it all
        last = tf.add(left, right, name="last")
        tf.identity(last, name="vector_only")
        tf.identity(left, name="left_only")
        return x[:, :1] * 0.0 + last

    graph = function.get_concrete_function().graph
    image = graph.inputs[0]
    # The image itself runs past the mean, so no single tensor has it all.
    assert find_bottleneck(image, graph.outputs[0]) is None
    for output, expected in {"vector_only:0": "last:0", "left_only:0": "Relu:0"}.items():
        assert find_bottleneck(image, graph.get_tensor_by_name(output)).name == expected


def test_halves_that_differ_from_the_whole_are_refused(magenta_folder, monkeypatch):
    transform = HubNetwork.transform
    monkeypatch.setattr(HubNetwork, "transform", lambda *a: transform(*a) + np.float32(1e-3))
    with pytest.raises(CheckpointError, match="differ from the whole by 0.001. Expected less"):
        HubNetwork(str(magenta_folder))
