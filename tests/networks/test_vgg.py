"""VGG19 features, its weights file, and Gram matrices."""

import hashlib
import logging

import keras
import numpy as np
import pytest
from small_training import small_vgg

from arbitrary_nst.errors import InputError, WeightsUnavailable
from arbitrary_nst.networks import vgg_download
from arbitrary_nst.networks.vgg import (
    BLOCKS,
    CONTENT_LAYER,
    STYLE_LAYERS,
    TONE_DIRECTIONS,
    VggPreprocess,
    autocorrelation,
    build_vgg19,
    gram_matrices_by_detail,
    gram_matrix,
    load_vgg19,
    tone,
)
from arbitrary_nst.training.statistics import LOSS_LAYERS


def image(height, width, seed=0):
    return np.random.default_rng(seed).uniform(size=(1, height, width, 3)).astype(np.float32)


# ---------------------------------------------------------------- the network


def test_layers_and_shapes():
    """A sixteenth of 64, 128, 256, 512 filters; each block halves the picture."""
    shapes = [tuple(feature.shape) for feature in small_vgg()(image(64, 48))]
    assert dict(zip(LOSS_LAYERS, shapes, strict=True)) == {
        "relu1_1": (1, 64, 48, 4),
        "relu2_1": (1, 32, 24, 8),
        "relu3_1": (1, 16, 12, 16),
        "relu4_1": (1, 8, 6, 32),
        "relu5_1": (1, 4, 3, 32),
        "relu4_2": (1, 8, 6, 32),
    }


def test_stops_at_the_deepest_layer():
    names = [layer.name for layer in build_vgg19(("relu2_1", "relu1_2"), width=1 / 16).layers]
    convolutions = ["block1_conv1", "block1_conv2", "block2_conv1"]
    assert [name for name in names if "conv" in name] == convolutions
    assert names[-2:] == ["block1_pool", "block2_conv1"]


def test_features_come_in_the_order_asked_for():
    vgg = build_vgg19(("relu2_1", "relu1_1"), width=1 / 16)
    deep, shallow = vgg(image(16, 16))
    assert deep.shape[1:3] == (8, 8)
    assert shallow.shape[1:3] == (16, 16)


def test_is_frozen():
    assert small_vgg().trainable_weights == []


@pytest.mark.parametrize(
    ("pooling", "layer", "value"),
    [("max", keras.layers.MaxPooling2D, 4.0), ("average", keras.layers.AveragePooling2D, 2.5)],
)
def test_pooling(pooling, layer, value):
    vgg = build_vgg19(("relu2_1",), width=1 / 16, pooling=pooling)
    pool = vgg.get_layer("block1_pool")
    assert type(pool) is layer
    pixels = np.array([[1, 2], [3, 4]], np.float32)[None, :, :, None]
    assert float(pool(pixels)[0, 0, 0, 0]) == value


def test_preprocess_by_hand():
    """RGB 1, 0.5, 0 is 0, 127.5, 255 as BGR, less 103.939, 116.779, 123.68."""
    pixel = np.array([1.0, 0.5, 0.0], np.float32)[None, None, None]
    found = keras.ops.convert_to_numpy(VggPreprocess()(pixel))[0, 0, 0]
    np.testing.assert_allclose(found, [-103.939, 10.721, 131.32], rtol=1e-6)


def test_bfloat16_policy():
    features = build_vgg19(("relu1_1",), width=1 / 16, dtype="mixed_bfloat16")(image(8, 8))
    assert keras.backend.standardize_dtype(features[0].dtype) == "bfloat16"


@pytest.mark.parametrize("layers", [("relu1_3",), ("relu6_1",), ("block1_conv1",), ()])
def test_unknown_layers(layers):
    with pytest.raises(InputError, match="`layers` needs at least one of VGG19's layers, relu1_1"):
        build_vgg19(layers)


def test_unknown_pooling():
    with pytest.raises(InputError, match='`pooling` is "max" or "average". Received: poo'):
        build_vgg19(("relu1_1",), pooling="median")


# ---------------------------------------------------------------- its weights


@pytest.fixture(scope="module")
def keras_vgg():
    """Keras' own VGG19 with random kernels and biases."""
    model = keras.applications.VGG19(include_top=False, weights=None)
    rng = np.random.default_rng(0)
    for layer in model.layers:
        if layer.weights:
            bias = rng.normal(0, 0.1, layer.bias.shape)
            layer.set_weights([np.asarray(layer.get_weights()[0]), bias])
    return model


def test_equals_keras_own_layers(keras_vgg, monkeypatch):
    monkeypatch.setattr(keras.applications, "VGG19", lambda **_: keras_vgg)
    ours = load_vgg19(LOSS_LAYERS, weights="any.h5")(image(32, 40))
    layers = [f"block{name[4]}_conv{name[6]}" for name in LOSS_LAYERS]
    reference = keras.Model(keras_vgg.input, [keras_vgg.get_layer(name).output for name in layers])
    theirs = reference(keras.applications.vgg19.preprocess_input(image(32, 40) * 255))
    for found, expected in zip(ours, theirs, strict=True):
        expected = keras.ops.convert_to_numpy(expected)
        scale = np.abs(expected).max()
        np.testing.assert_allclose(found / scale, expected / scale, atol=1e-6)


def test_blocks_are_those_of_keras(keras_vgg):
    names = [layer.name for layer in keras_vgg.layers if "conv" in layer.name]
    assert names == [
        f"block{b}_conv{i + 1}" for b, (_, n) in enumerate(BLOCKS, 1) for i in range(n)
    ]


@pytest.mark.parametrize("content", [None, b"not an HDF5 file" * 100, "empty HDF5"])
def test_unreadable_weights_file(tmp_path, content):
    h5py = pytest.importorskip("h5py")
    path = tmp_path / "vgg19.h5"
    if content == "empty HDF5":
        h5py.File(path, "w").close()
    elif content is not None:
        path.write_bytes(content)
    with pytest.raises(WeightsUnavailable, match=r"vgg19.h5 could not be read as VGG19 weights"):
        load_vgg19(STYLE_LAYERS, weights=str(path))


def test_weights_of_another_network(tmp_path):
    h5py = pytest.importorskip("h5py")
    path = tmp_path / "other.weights.h5"
    with h5py.File(path, "w") as file:
        file.create_dataset("layers/dense/vars/0", data=np.zeros((4, 2)))
    with pytest.raises(WeightsUnavailable, match="could not be read as VGG19 weights"):
        load_vgg19(STYLE_LAYERS, weights=str(path))


@pytest.fixture
def served(tmp_path, monkeypatch):
    """Files stand for the published one; returns the place where it is kept."""
    monkeypatch.setenv("KERAS_HOME", str(tmp_path / "home"))
    file = tmp_path / "published.h5"
    file.write_bytes(b"weights" * 400_000)
    monkeypatch.setattr(vgg_download, "VGG19_URL", file.as_uri())
    monkeypatch.setattr(vgg_download, "VGG19_MD5", hashlib.md5(file.read_bytes()).hexdigest())
    return tmp_path / "home" / "models" / vgg_download.FILE


def test_the_download_is_said_and_kept(served, caplog):
    with caplog.at_level(logging.WARNING):
        assert vgg_download.vgg19_file() == served
    (message,) = caplog.messages
    assert "80 MB" in message and str(served) in message and "published.h5" in message
    assert served.read_bytes() == b"weights" * 400_000
    assert [path.name for path in served.parent.iterdir()] == [served.name]
    caplog.clear()
    assert vgg_download.vgg19_file() == served
    assert not caplog.messages
    served.write_bytes(b"half of it")  # of a download that broke off: fetched again
    assert vgg_download.vgg19_file().read_bytes() == b"weights" * 400_000


@pytest.mark.parametrize("fault", ["missing", "other"])
def test_failed_download(served, fault, monkeypatch, tmp_path):
    if fault == "missing":
        monkeypatch.setattr(vgg_download, "VGG19_URL", (tmp_path / "no.h5").as_uri())
    else:
        monkeypatch.setattr(vgg_download, "VGG19_MD5", "0" * 32)
    with pytest.raises(WeightsUnavailable, match="could not be downloaded") as caught:
        load_vgg19((CONTENT_LAYER,))
    message = str(caught.value)
    assert vgg_download.VGG19_URL in message and vgg_download.VGG19_MD5 in message
    assert f"put it at {served}" in message and "ARBITRARY_NST_VGG19" in message
    assert not list(served.parent.iterdir())


# ---------------------------------------------------------------- Gram matrices


def test_gram_matrix_by_hand():
    """Pixels (1, 0), (2, 1), (0, 3), (1, 1): sums of products 6, 3, 11, over four pixels."""
    features = np.array([[[1, 0], [2, 1]], [[0, 3], [1, 1]]], np.float32)[None]
    found = keras.ops.convert_to_numpy(gram_matrix(features))
    np.testing.assert_array_equal(found, [[[1.5, 0.75], [0.75, 2.75]]])


def test_gram_matrix_does_not_depend_on_size():
    features = np.random.default_rng(0).normal(size=(2, 4, 6, 3)).astype(np.float32)
    np.testing.assert_allclose(
        gram_matrix(np.tile(features, (1, 2, 3, 1))), gram_matrix(features), rtol=1e-5
    )


def test_gram_matrix_of_bfloat16():
    """Eight bits of mantissa: a hundredth of the largest entry, and the result is float32."""
    features = keras.ops.convert_to_tensor(np.random.default_rng(0).normal(size=(2, 16, 16, 8)))
    exact = keras.ops.convert_to_numpy(gram_matrix(keras.ops.cast(features, "float32")))
    rounded = gram_matrix(keras.ops.cast(features, "bfloat16"))
    assert keras.backend.standardize_dtype(rounded.dtype) == "float32"
    np.testing.assert_allclose(rounded, exact, atol=0.01 * np.abs(exact).max())


def test_autocorrelation_by_hand():
    """A row -1, 0, 3, -2 about the mean, over one of zeros: neighbours make -6 in 6 pairs."""
    features = np.zeros((1, 2, 4, 1), np.float32) + 2
    features[0, 0, :, 0] += [-1, 0, 3, -2]
    found = keras.ops.convert_to_numpy(autocorrelation(features, 1))
    expected = [[-6 / 6, 14 / 8, -6 / 6], [0, 0, 0]]
    np.testing.assert_allclose(found, [[expected]], atol=1e-5)


def test_autocorrelation_without_shift_is_the_variance():
    features = np.random.default_rng(0).normal(1, 1, size=(2, 6, 8, 3)).astype(np.float32)
    found = keras.ops.convert_to_numpy(autocorrelation(features, 3))
    assert found.shape == (2, 3, 4, 7)
    np.testing.assert_allclose(found[:, :, 0, 3], features.var((1, 2)), rtol=1e-4)
    # The shift to the left and that to the right are one in the row without a shift down.
    np.testing.assert_allclose(found[:, :, 0], found[:, :, 0, ::-1], atol=1e-5)


def test_autocorrelation_sees_a_lattice():
    """Of a lattice shifted by its own period as much is left as there was."""
    lattice = np.tile(np.random.default_rng(0).normal(size=(1, 5, 5, 2)), (1, 8, 8, 1))
    found = keras.ops.convert_to_numpy(autocorrelation(lattice.astype(np.float32), 7))[0]
    unshifted = found[:, 0, 7]
    for row, column in ((5, 7), (0, 12), (0, 2), (5, 12), (5, 2)):
        np.testing.assert_allclose(found[:, row, column], unshifted, rtol=1e-3)
    assert np.abs(found[:, 2, 9] - unshifted).min() > 0.1


def test_gram_matrices_of_two_halves_by_hand():
    """Detailed above, flat below: each is the Gram matrix of its rows, the whole that of all."""
    features = np.random.default_rng(0).normal(size=(2, 4, 6, 3)).astype(np.float32)
    detail = np.zeros((2, 8, 12, 1), np.float32)
    detail[:, :4] = 1
    found = gram_matrices_by_detail(features, detail)
    expected = (features[:, :2], features[:, 2:], features)
    for matrix, part in zip(found, expected, strict=True):
        np.testing.assert_allclose(matrix, gram_matrix(part), rtol=1e-3, atol=1e-5)


@pytest.mark.skipif(keras.backend.backend() != "tensorflow", reason="its own gradient")
def test_gradients_of_gram_matrices():
    """Those written by hand against those that TensorFlow derives."""
    import tensorflow as tf

    rng = np.random.default_rng(0)
    features = tf.constant(rng.normal(size=(2, 4, 6, 3)), tf.float32)
    detail = tf.constant(rng.integers(0, 2, (2, 4, 6, 1)), tf.float32)
    factors = tf.constant(rng.normal(size=(2, 3, 3)), tf.float32)

    def gram(weights):
        flat = tf.reshape(features, (2, 24, 3))
        return tf.einsum("bnc,bn,bnd->bcd", flat, weights, flat)

    pairs = []
    with tf.GradientTape(persistent=True) as tape:
        tape.watch(features)
        mask = tf.reshape(detail, (2, 24))
        detailed, flat, _ = gram_matrices_by_detail(features, detail)
        counts = tf.reduce_sum(mask, 1)[:, None, None] + 1e-3
        rests = tf.reduce_sum(1 - mask, 1)[:, None, None] + 1e-3
        pairs = [
            (detailed, gram(mask) / counts),
            (flat, gram(1 - mask) / rests),
            (gram_matrix(features), gram(tf.ones_like(mask)) / 24),
        ]
        values = [[tf.reduce_sum(factors * matrix) for matrix in pair] for pair in pairs]
    for found, expected in values:
        np.testing.assert_allclose(
            tape.gradient(found, features), tape.gradient(expected, features), atol=1e-5
        )


def test_tone_by_hand():
    """Two fields of 8x8, black and red: half of the quantiles 0, half of them the red's share."""
    image = np.zeros((1, 8, 16, 3), np.float32)
    image[:, :, 8:, 0] = 1
    found = keras.ops.convert_to_numpy(tone(image))[0]
    assert found.shape == (32, len(TONE_DIRECTIONS))
    for index, direction in enumerate(TONE_DIRECTIONS):
        low, high = sorted((0.0, direction[0]))
        np.testing.assert_allclose(found[:8, index], low, atol=1e-6)
        np.testing.assert_allclose(found[-8:, index], high, atol=1e-6)
        assert (np.diff(found[:, index]) >= -1e-6).all()


def test_tone_does_not_depend_on_size_or_place():
    """The same fields, four times as many and in another order."""
    rng = np.random.default_rng(0)
    fields = rng.random((1, 32, 32, 3)).astype(np.float32)
    image = fields.repeat(8, axis=1).repeat(8, axis=2)
    many = np.tile(image, (1, 2, 2, 1))[:, ::-1]
    np.testing.assert_allclose(tone(many), tone(image), atol=0.05)
    np.testing.assert_allclose(tone(image[:, :, ::-1]), tone(image), atol=1e-6)
