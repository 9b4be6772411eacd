"""The optimiser of vgg19 alone."""

import itertools
import weakref

import numpy as np
import pytest
from scipy.optimize import Bounds, minimize

from arbitrary_nst.engines.vgg19 import optimizer
from arbitrary_nst.engines.vgg19.optimizer import Diverged, _with_blurs, minimize_in_steps


def bowl(values):
    """Lowest at 0.3 in the first number and beyond the bounds in the second."""
    away = values - np.array([0.3, 1.7])
    return float((away**2).sum()), 2 * away


@pytest.mark.parametrize(("method", "steps"), [("lbfgs", 20), ("adam", 300)])
def test_minimisation_within_bounds(method, steps):
    *_, last = minimize_in_steps(method, bowl, np.array([0.9, 0.1]), steps)
    np.testing.assert_allclose(last.values, [0.3, 1.0], atol=1e-3)


@pytest.mark.parametrize("method", ["lbfgs", "adam"])
@pytest.mark.parametrize("bad", [(np.nan, 0.0), (np.inf, 0.0), (1.0, np.nan)])
def test_values_that_are_not_finite(method, bad):
    with pytest.raises(Diverged, match="not finite everywhere"):
        list(minimize_in_steps(method, lambda v: (bad[0], v + bad[1]), np.ones(2), 3))


@pytest.mark.parametrize("method", ["lbfgs", "adam"])
def test_errors_of_the_function_arrive(method):
    def fail(values):
        raise MemoryError("too large")

    with pytest.raises(MemoryError, match="too large"):
        list(minimize_in_steps(method, fail, np.ones(2), 3))


@pytest.mark.parametrize(("pairs", "narrow"), [(3, False), (10, False), (10, True)])
def test_lbfgs_is_about_as_good_as_scipy_s(pairs, narrow):
    """A badly scaled bowl with a third of its numbers at a bound, after equal steps."""
    rng = np.random.default_rng(0)
    scales, lowest = 10 ** rng.uniform(0, 3, 200), rng.uniform(-0.5, 1.5, 200)

    def uneven(values):
        away = values - lowest
        return float((scales * away**2).sum()), 2 * scales * away

    best = float((scales * (lowest.clip(0, 1) - lowest) ** 2).sum())
    start = np.full(200, 0.5)
    states = list(minimize_in_steps("lbfgs", uneven, start, 40, pairs=pairs, narrow=narrow))
    theirs = minimize(
        uneven,
        start,
        jac=True,
        method="L-BFGS-B",
        bounds=Bounds(np.zeros(200), np.ones(200)),
        options={"maxiter": 40, "ftol": 0, "gtol": 0, "maxcor": pairs},
    )
    above = [state.loss - best for state in states]
    assert above[-1] < 1e-3 * above[0]
    assert above[-1] < max(10 * (theirs.fun - best), 1e-4 * above[0])
    assert all(b <= a for a, b in itertools.pairwise(above))
    assert all(0 <= v <= 1 for state in states for v in state.values)


def test_blurs_change_the_way_and_not_the_end():
    """Broad changes come first: after few steps what is left to do is finer than without."""
    rng = np.random.default_rng(1)
    wanted = rng.uniform(0.2, 0.8, (24, 32, 3)).astype(np.float32)
    wanted[:, 16:] += 0.15

    def away(values):
        return float(((values - wanted) ** 2).sum()), 2 * (values - wanted)

    start = np.full(wanted.shape, 0.5, np.float32)
    found = {}
    for blurs in ((), ((1.0, 4.0), (4.0, 64.0))):
        states = list(minimize_in_steps("lbfgs", away, start, 40, blurs=blurs))
        np.testing.assert_allclose(states[-1].values, wanted, atol=2e-3)
        moved = states[0].values - start
        found[blurs] = np.abs(np.diff(moved, axis=1)).mean() / np.abs(moved).mean()
    assert found[((1.0, 4.0), (4.0, 64.0))] < 0.5 * found[()]


def test_large_arrays_are_added_up_in_strips(monkeypatch):
    """To the same states but for rounding, which is that of sums of 1,152 numbers in float32."""
    rng = np.random.default_rng(3)
    wanted, weights = rng.uniform(0.2, 0.8, (2, 24, 16, 3)).astype(np.float32)

    def away(values):
        return float((weights * (values - wanted) ** 2).sum()), 2 * weights * (values - wanted)

    start = np.full(wanted.shape, 0.5, np.float32)
    whole = list(minimize_in_steps("lbfgs", away, start, 6, blurs=((1.0, 4.0),)))
    monkeypatch.setattr(optimizer, "STRIP", 5 * 16 * 3)  # the last strip has four rows
    strips = list(minimize_in_steps("lbfgs", away, start, 6, blurs=((1.0, 4.0),)))
    assert len(whole) == len(strips) == 6
    for one, other in zip(whole, strips, strict=True):
        np.testing.assert_allclose(one.values, other.values, atol=1e-5)


def test_nothing_but_the_last_states_is_kept():
    """What it started from goes once there is a step, if nobody else holds it."""
    start = np.full((8, 8, 3), 0.5, np.float32)
    alive = weakref.ref(start)
    steps = minimize_in_steps("lbfgs", lambda v: (float((v**2).sum()), 2 * v), start, 3)
    del start
    next(steps)
    next(steps)
    assert alive() is None


def test_blurring_is_symmetric_and_positive():
    rng = np.random.default_rng(2)
    first, second = rng.standard_normal((2, 13, 9, 3)).astype(np.float32)
    blurs = ((1.0, 4.0), (2.0, 16.0), (4.0, 64.0))
    there, back = (
        float(np.vdot(a, _with_blurs(b, blurs))) for a, b in ((first, second), (second, first))
    )
    assert there == pytest.approx(back, rel=1e-4)
    assert float(np.vdot(first, _with_blurs(first, blurs))) > 0
