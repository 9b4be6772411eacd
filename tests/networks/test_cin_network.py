"""The plain cin network and its file."""

import json
import pickle
from dataclasses import asdict, replace

import numpy as np
import pytest
from keras import ops
from safetensors.numpy import save
from small_cin import random_inputs, random_kernels

from arbitrary_nst.errors import CheckpointError
from arbitrary_nst.networks.cin.file import kernel_shapes, load_network, network_bytes, network_id
from arbitrary_nst.networks.cin.layout import CinLayout
from arbitrary_nst.networks.cin.network import (
    ConditionalInstanceNorm,
    ReflectionPadding,
    build_network,
)

LAYOUT = CinLayout((3, 4, 6), 1, 5, skip_connections=True, noise_channels=2)


@pytest.fixture(scope="module")
def network():
    return build_network(LAYOUT)


def test_published_layout_has_3206_numbers_per_style():
    """Dumoulin et al.: 1.67 M kernel numbers and 3,206 numbers per style."""
    layout = CinLayout((32, 64, 128), 5, 9)
    assert 2 * layout.style_size == 3206
    shapes = kernel_shapes(layout).values()
    assert sum(int(np.prod(shape)) for shape in shapes) == 1_674_432
    assert layout.multiple == 4


def test_network_shapes_and_range(network):
    picture = ops.convert_to_numpy(network(random_inputs(LAYOUT, 2, 20, 24)))
    assert picture.shape == (2, 20, 24, 3)
    assert picture.dtype == np.float32
    assert picture.min() >= 0 and picture.max() <= 1


@pytest.mark.parametrize("name", ["content", "gamma", "beta", "noise"])
def test_every_input_matters(network, name):
    inputs = random_inputs(LAYOUT)
    before = ops.convert_to_numpy(network(inputs))
    inputs[name] = random_inputs(LAYOUT, seed=1)[name]
    assert np.abs(ops.convert_to_numpy(network(inputs)) - before).max() > 1e-3


def test_the_noise_of_a_closed_style_does_not_matter(network):
    inputs = random_inputs(LAYOUT)
    start = 0
    for convolution in LAYOUT.convolutions():
        if convolution.name == "grain":
            inputs["gamma"][:, start : start + convolution.filters] = 0
        start += convolution.filters
    before = ops.convert_to_numpy(network(inputs))
    inputs["noise"] = inputs["noise"] + 5 * random_inputs(LAYOUT, seed=1)["noise"]
    np.testing.assert_array_equal(ops.convert_to_numpy(network(inputs)), before)


def test_pictures_of_a_batch_do_not_see_each_other(network):
    inputs = random_inputs(LAYOUT, 3)
    together = ops.convert_to_numpy(network(inputs))
    for i in range(3):
        alone = network({name: value[i : i + 1] for name, value in inputs.items()})
        np.testing.assert_allclose(ops.convert_to_numpy(alone)[0], together[i], atol=1e-5)


def test_bfloat16_policy_keeps_float32_output_and_comes_near(network):
    inputs = random_inputs(LAYOUT)
    half = build_network(LAYOUT, dtype="mixed_bfloat16")
    half.set_weights(network.get_weights())
    picture = half(inputs)
    assert picture.dtype == "float32"
    difference = ops.convert_to_numpy(picture) - ops.convert_to_numpy(network(inputs))
    assert 0 < np.abs(difference).mean() < 0.02


def test_normalisation_by_hand():
    """Values 1, 3: mean 2, variance 1, so with gamma 10 and beta 5 they become -5 and 15."""
    x = np.array([1, 3], np.float32).reshape(1, 1, 2, 1)
    y = ConditionalInstanceNorm(epsilon=0.0)(x, np.array([[10.0]]), np.array([[5.0]]))
    np.testing.assert_allclose(ops.convert_to_numpy(y).ravel(), [-5, 15], rtol=1e-6)


def test_a_flat_picture_is_normalised_to_beta():
    x = np.full((1, 4, 4, 1), 0.5, np.float32)
    y = ConditionalInstanceNorm()(x, np.array([[3.0]]), np.array([[7.0]]))
    np.testing.assert_allclose(ops.convert_to_numpy(y), 7, atol=1e-4)


def test_reflection_padding_by_hand():
    x = np.array([1, 2, 3], np.float32).reshape(1, 1, 3, 1).repeat(3, axis=1)
    padded = ops.convert_to_numpy(ReflectionPadding(2)(x))[0, :, :, 0]
    assert padded.shape == (7, 7)
    np.testing.assert_array_equal(padded[0], [3, 2, 1, 2, 3, 2, 1])


def test_same_seed_same_kernels():
    first, second, other = (build_network(LAYOUT, seed=s).get_weights()[0] for s in (1, 1, 2))
    np.testing.assert_array_equal(first, second)
    assert np.abs(first - other).max() > 0


# The file.


@pytest.fixture
def saved(tmp_path):
    path = tmp_path / "network.safetensors"
    path.write_bytes(network_bytes(LAYOUT, random_kernels(LAYOUT)))
    return path


def test_file_round_trip(saved):
    layout, kernels = load_network(saved)
    assert layout == LAYOUT
    expected = random_kernels(LAYOUT)
    assert set(kernels) == set(expected)
    for name, kernel in kernels.items():
        np.testing.assert_array_equal(kernel, expected[name])


def test_network_id_follows_every_value_and_no_order():
    kernels = random_kernels(LAYOUT)
    before = network_id(kernels)
    assert before.startswith("cin-") and len(before) == 16
    assert network_id(dict(reversed(kernels.items()))) == before
    kernels["out"] = kernels["out"].copy()
    kernels["out"][0, 0, 0, 0] += 1e-3
    assert network_id(kernels) != before


def test_missing_file(tmp_path):
    with pytest.raises(CheckpointError, match="no network file"):
        load_network(tmp_path / "none.safetensors")


@pytest.mark.parametrize(
    "damage",
    [
        lambda data: b"",
        lambda data: data[: len(data) // 2],
        lambda data: bytes(np.random.default_rng(0).integers(0, 256, 500, np.uint8)),
        lambda data: pickle.dumps({"in": [1, 2]}),
    ],
    ids=["empty", "truncated", "random bytes", "pickle"],
)
def test_damaged_file(saved, damage):
    saved.write_bytes(damage(saved.read_bytes()))
    with pytest.raises(CheckpointError, match="not a readable network file"):
        load_network(saved)


def write(path, kernels, layout=None, **metadata):
    values = asdict(LAYOUT) if layout is None else layout
    text = {"format": "arbitrary_nst.cin", "version": "1", "layout": json.dumps(values)}
    path.write_bytes(save(kernels, {**text, **metadata}))


def test_file_of_another_kind_or_version(saved):
    write(saved, random_kernels(LAYOUT), format="something")
    with pytest.raises(CheckpointError, match="Received: 'something'"):
        load_network(saved)
    write(saved, random_kernels(LAYOUT), version="2")
    with pytest.raises(CheckpointError, match="version '2'"):
        load_network(saved)


@pytest.mark.parametrize(
    "layout",
    [
        {**asdict(LAYOUT), "channels": [4, 1_000_000, 4]},
        {**asdict(LAYOUT), "channels": [4]},
        {**asdict(LAYOUT), "channels": "abc"},
        {**asdict(LAYOUT), "num_residual_blocks": 10**9},
        {**asdict(LAYOUT), "outer_kernel": 4},
        {**asdict(LAYOUT), "skip_connections": "yes"},
        {**asdict(LAYOUT), "noise_channels": -5},
        {},
        [],
        "[" * 10_000,
    ],
)
def test_hostile_layout(saved, layout):
    write(saved, random_kernels(LAYOUT), layout=layout)
    with pytest.raises(CheckpointError, match="not a readable network file"):
        load_network(saved)


def test_array_that_differs_is_named(saved):
    good = random_kernels(LAYOUT)
    write(saved, {name: kernel for name, kernel in good.items() if name != "up1"})
    with pytest.raises(CheckpointError, match="array 'up1' is missing"):
        load_network(saved)
    write(saved, {**good, "extra": good["in"]})
    with pytest.raises(CheckpointError, match="array 'extra' does not belong"):
        load_network(saved)
    write(saved, {**good, "in": good["in"][:, :, :, :2]})
    with pytest.raises(CheckpointError, match=r"array 'in' differs. Expected float32 \(5, 5, 3, 3"):
        load_network(saved)
    write(saved, {**good, "in": good["in"].astype(np.float64)})
    with pytest.raises(CheckpointError, match="Received: F64"):
        load_network(saved)
    bad = good["down1"].copy()
    bad[0, 0, 0, 0] = np.nan
    write(saved, {**good, "down1": bad})
    with pytest.raises(CheckpointError, match="'down1' holds NaN"):
        load_network(saved)


def test_layouts_without_the_extras_have_no_such_arrays():
    plain = replace(LAYOUT, skip_connections=False, noise_channels=0)
    assert set(kernel_shapes(LAYOUT)) - set(kernel_shapes(plain)) == {"skip1", "grain"}
