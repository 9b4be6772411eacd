"""Muon: what its steps are, what it leaves to Adam, and a run with it."""

import keras
import numpy as np
import pytest
from small_runs import assert_same_state, checkpoint, logged, run

from arbitrary_nst.errors import InputError
from arbitrary_nst.training.optimizers import MIN_SIDE, STEP, Muon, orthogonal
from arbitrary_nst.training.statistics import to_array

RNG = np.random.default_rng(0)


@pytest.mark.parametrize("shape", [(24, 90), (90, 24), (16, 16)])
def test_orthogonal_keeps_the_directions(shape):
    """Singular vectors stay, singular values come near 1."""
    matrix = RNG.normal(size=shape).astype(np.float32)
    u, _, v = np.linalg.svd(matrix, full_matrices=False)
    values = u.T @ np.asarray(orthogonal(matrix * 1e-4)) @ v.T
    # A square matrix has directions of next to nothing, which five rounds do not bring to 1.
    bound = 0.05 if shape == (16, 16) else 0.6
    assert np.diag(values).min() > bound
    assert np.diag(values).max() < 1.3
    assert np.abs(values - np.diag(np.diag(values))).max() < 1e-3


def steps(optimizer, variable, gradients):
    optimizer.build([variable])
    for gradient in gradients:
        optimizer.apply([gradient], [variable])
    return to_array(variable)


def variable(shape):
    return keras.Variable(np.zeros(shape, np.float32))


def test_a_step_is_orthogonal_and_as_long_as_one_of_adam():
    gradient = RNG.normal(size=(3, 3, MIN_SIDE, 32)).astype(np.float32)
    gradient[..., 0] *= 100  # one output has most of the gradient
    kernel = variable(gradient.shape)
    moved = -steps(Muon(0.01, kernels=[kernel]), kernel, [gradient])
    u, _, v = np.linalg.svd(gradient.reshape(-1, 32), full_matrices=False)
    expected = 0.01 * STEP * np.sqrt(9 * MIN_SIDE) * u @ v
    moved = moved.reshape(-1, 32)
    # The lengths are near those of U V^T, for each output alike; its directions are these.
    lengths = np.linalg.norm(moved[:, 1:], axis=0) / np.linalg.norm(expected[:, 1:], axis=0)
    assert 0.6 < lengths.min() <= lengths.max() < 1.3
    cosines = np.sum(moved * expected, axis=0)
    cosines /= np.linalg.norm(moved, axis=0) * np.linalg.norm(expected, axis=0)
    assert cosines.min() > 0.9
    assert np.sqrt(np.mean(moved**2)) == pytest.approx(0.01 * STEP, rel=0.3)


def test_momentum_remembers_the_step_before():
    first, second = RNG.normal(size=(2, 1, 1, 20, 40)).astype(np.float32)
    kernel = variable(first.shape)
    after_one = steps(Muon(0.1, kernels=[kernel]), kernel, [first]).copy()
    kernel = variable(first.shape)
    both = steps(Muon(0.1, kernels=[kernel]), kernel, [first, second])
    ahead = second + 0.95 * (0.95 * first + second)
    expected = 0.1 * STEP * np.sqrt(40) * np.asarray(orthogonal(ahead[0, 0]))
    np.testing.assert_allclose(after_one - both, expected[None, None], atol=1e-5)


@pytest.mark.parametrize("shape", [(50,), (30, 40), (1, 1, 3, 32), (3, 3, 32, 8)])
def test_all_else_is_left_to_adam(shape):
    gradients = RNG.normal(size=(3, *shape)).astype(np.float32)
    ours, theirs = variable(shape), variable(shape)
    kernels = [ours] if len(shape) == 4 else []
    moved = steps(Muon(0.01, kernels=kernels), ours, gradients)
    np.testing.assert_array_equal(moved, steps(keras.optimizers.Adam(0.01), theirs, gradients))


def test_a_run_goes_on_as_if_it_had_not_stopped(data, finished, tmp_path):
    for name, stops in (("whole", (None,)), ("parts", (5, None))):
        for stop in stops:
            run(data, tmp_path / name, stop_at=stop, settings={"optimizer": "muon"})
    assert_same_state(tmp_path / "parts", tmp_path / "whole")
    losses = [[float(row["loss"]) for row in logged(f)] for f in (tmp_path / "whole", finished)]
    assert losses[0][0] == losses[1][0]
    assert losses[0][-1] != losses[1][-1]  # the fixture's run is Adam's


def test_a_run_of_adam_may_go_on_by_muon(data, tmp_path):
    run(data, tmp_path, stop_at=3)
    run(data, tmp_path, stop_at=4, settings={"optimizer": "muon"})
    assert int(checkpoint(tmp_path)["optimizer/0000/iteration"]) == 4


def test_an_unknown_optimizer(data, tmp_path):
    with pytest.raises(InputError, match="'adam', 'muon'. Received: 'sgd'"):
        run(data, tmp_path, settings={"optimizer": "sgd"})
