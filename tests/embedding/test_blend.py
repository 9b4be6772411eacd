"""Weights and blends."""

import copy
from fractions import Fraction
from itertools import permutations

import numpy as np
import pytest
from small_styles import assert_same_arrays, style

from arbitrary_nst.embedding import blend, normalize_weights
from arbitrary_nst.errors import BlendWeightsError, StyleError

# ---------------------------------------------------------------- weights


@pytest.mark.parametrize(
    ("weights", "expected"),
    [
        (None, [0.5, 0.5]),
        ([1, 3], [0.25, 0.75]),
        ((0, 2), [0, 1]),
        (np.array([1, 1], np.int32), [0.5, 0.5]),
        (np.float32([0.5, 1.5]), [0.25, 0.75]),
        ([Fraction(1, 3), Fraction(2, 3)], [1 / 3, 2 / 3]),
        ([1e308, 1e308], [0.5, 0.5]),
        ([5e-324, 5e-324], [0.5, 0.5]),
        ([5e-324, 1.5e-323], [0.25, 0.75]),
        ([1e308, 5e-324], [1, 0]),
        ([-0.0, 1], [0, 1]),
    ],
)
def test_normalize_weights(weights, expected):
    assert normalize_weights(weights, 2) == pytest.approx(expected, rel=1e-15, abs=0)


def test_normalized_weights_sum_to_one():
    weights = np.random.default_rng(0).random(1000)
    assert sum(normalize_weights(weights, 1000)) == pytest.approx(1, rel=1e-13)


@pytest.mark.parametrize(
    ("weights", "message"),
    [
        ([1.0], r"one value per style. Expected 2 values. Received 1: weights=\[1.0\]"),
        ([], r"Expected 2 values. Received 0: weights=\[\]"),
        ([1, 2, 3], r"Expected 2 values. Received 3: weights=\[1, 2, 3\]"),
        ([1, -0.5], r"none of them negative. Received -0.5 in weights=\[1, -0.5\]"),
        ([1, float("nan")], r"Received nan in weights=\[1, nan\]"),
        ([1, float("inf")], "Received inf in"),
        ([1, 10**400], "must be finite numbers"),
        ([1, "2"], "Received '2' in"),
        ([1, True], "Received True in"),
        ([1, None], "Received None in"),
        ([1, 1j], "Received 1j in"),
        (np.array([True, False]), "Received .*True.* in"),
        ([[1], [2]], r"Received \[1\] in"),
        (np.ones((2, 2)), "must be finite numbers"),
        ([0, 0.0], r"one value above 0 at least. Received: weights=\[0, 0.0\]"),
        ("11", "must be a list of numbers, one per style. Received: '11'"),
        (b"11", "must be a list of numbers"),
        (0.5, "must be a list of numbers, one per style. Received: 0.5"),
        (np.array(0.5), "must be a list of numbers"),
        ({1: 2, 3: 4}, "must be a list of numbers"),
        ({1, 2}, "must be a list of numbers"),
    ],
)
def test_normalize_weights_refuses(weights, message):
    with pytest.raises(BlendWeightsError, match=message):
        normalize_weights(weights, 2)


def test_normalize_weights_says_value_or_values():
    with pytest.raises(BlendWeightsError, match=r"Expected 1 value\. "):
        normalize_weights([1, 2], 1)


def test_normalize_weights_of_nothing():
    with pytest.raises(StyleError, match="nothing to blend"):
        normalize_weights(None, 0)


# ---------------------------------------------------------------- blend


def test_blend_is_the_weighted_mean():
    left = style(arrays={"x": np.float32([0, 4])})
    right = style(arrays={"x": np.float32([1, -4])})
    mixed = blend([left, right], [1, 3])
    np.testing.assert_array_equal(mixed.arrays["x"], np.float32([0.75, -2]))
    assert mixed.arrays["x"].dtype == np.float32
    assert (mixed.engine, mixed.network) == ("cin", "cin-16")


def test_blend_defaults_to_equal_weights():
    parts = [style(i) for i in range(3)]
    assert_same_arrays(blend(parts), blend(parts, [2, 2, 2]))


@pytest.mark.parametrize("weights", [[1, 0], [1e-300, 0], [3, -0.0]])
def test_weight_zero_takes_no_part(weights):
    first, second = style(0, "first", source="a"), style(1, "second", source="b")
    assert blend([first, second], weights) == first
    assert blend([second, first], weights[::-1]) == first


def test_negative_zero_survives():
    first = style(arrays={"x": np.float32([-0.0])})
    assert_same_arrays(blend([first, style(arrays={"x": np.float32([1])})], [1, 0]), first)


@pytest.mark.parametrize("count", [1, 2, 3, 7])
def test_equal_styles_give_that_style(count):
    weights = np.random.default_rng(count).random(count)
    assert blend([style()] * count, weights) == style()


def test_equal_elements_stay_exact():
    """Where the styles agree, so does the blend, to the last bit."""
    shared = np.random.default_rng(3).normal(0, 1e3, 500).astype(np.float32)
    shared[:2] = np.finfo(np.float32).max, np.finfo(np.float32).smallest_subnormal
    parts = [style(arrays={"x": shared, "y": np.float32([i])}) for i in range(3)]
    mixed = blend(parts, [0.1, 0.2, 0.7])
    np.testing.assert_array_equal(mixed.arrays["x"], shared)


def test_order_does_not_matter_to_any_bit():
    pairs = [(style(i, f"s{i}", source=f"by {i}"), 0.1 + i / 3) for i in range(4)]
    pairs.append((pairs[0][0], 0.7))
    results = {blend(*zip(*order, strict=True)) for order in permutations(pairs)}
    assert len(results) == 1


def test_a_style_given_twice_counts_twice():
    first, second = style(0, "first"), style(1, "second")
    assert blend([first, second, first]) == blend([first, second], [2, 1])


def test_blend_leaves_its_input_alone():
    parts, weights = [style(0), style(1)], [1, 3]
    before = copy.deepcopy(parts)
    blend(parts, weights)
    assert parts == before
    assert weights == [1, 3]


def test_blend_takes_any_iterable():
    assert blend(style(i) for i in range(2)) == blend([style(0), style(1)])


@pytest.mark.parametrize(
    ("names", "weights", "expected"),
    [
        (["great-wave", "starry-night"], [2, 1], "0.67 great-wave + 0.33 starry-night"),
        (["great-wave", "starry-night"], [1, 2], "0.67 starry-night + 0.33 great-wave"),
        (["b", "a"], None, "0.5 a + 0.5 b"),
        (["", "a"], [3, 1], "0.75 unnamed + 0.25 a"),
        (["", ""], None, ""),
        (["a", "a"], None, "a"),
        (["a", "b"], [1, 0], "a"),
        (["a", "b"], [999, 1], "1 a + 0.001 b"),
        (["0.5 a + 0.5 b", "c"], [3, 1], "0.75 (0.5 a + 0.5 b) + 0.25 c"),
    ],
)
def test_blend_names(names, weights, expected):
    assert blend([style(i, name) for i, name in enumerate(names)], weights).name == expected


def test_blend_name_can_be_given():
    assert blend([style(0), style(1)], name="mine").name == "mine"
    assert blend([style(0)], name="").name == ""


def test_long_blend_names_are_cut():
    mixed = blend([style(i, f"{i}" * 150, source=f"{i}" * 1500) for i in range(3)])
    assert len(mixed.name) == 200
    assert mixed.name.endswith("…")
    assert len(mixed.source) == 2000


def test_blend_keeps_sources():
    parts = [style(0, source="Hokusai"), style(1), style(2, source="Van Gogh")]
    assert blend(parts, [1, 2, 3]).source == "Van Gogh; Hokusai"


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"engine": "magenta"}, "wave is of engine='cin', .*; b is of engine='magenta'"),
        ({"network": "cin-32"}, "network='cin-16'; b is of engine='cin', network='cin-32'"),
        ({"arrays": {"in/gamma": np.ones(4, np.float32)}}, "'in/beta' differs. .* None in 'b'"),
        (
            {"arrays": {**style().arrays, "in/gamma": np.ones(5, np.float32)}},
            r"'in/gamma' differs. Received: shape \(4,\) in 'wave', \(5,\) in 'b'",
        ),
        ({"arrays": {**style().arrays, "more": np.ones(5, np.float32)}}, "'more' differs"),
    ],
)
@pytest.mark.parametrize("weights", [None, [1, 0]])
def test_blend_refuses_other_networks(change, message, weights):
    with pytest.raises(StyleError, match=message):
        blend([style(), style(1, "b", **change)], weights)


@pytest.mark.parametrize(
    ("embeddings", "message"),
    [
        ([], "nothing to blend"),
        (style(), "must be a list of embeddings. Received: Embedding"),
        ([style(), "starry-night"], "Expected an Embedding, .* Received: 'starry-night'"),
        ("wave", "Expected an Embedding, .* Received: 'w'"),
    ],
)
def test_blend_refuses_other_things(embeddings, message):
    with pytest.raises(StyleError, match=message):
        blend(embeddings)


def test_blend_refuses_bad_weights():
    with pytest.raises(BlendWeightsError, match="Expected 2 values"):
        blend([style(0), style(1)], [1])


def test_the_order_does_not_matter_even_where_sums_do():
    """1e30 - 1e30 + 1 is 1 in one order and 0 in the other, also in float64."""
    values = (1e30, -1e30, 1.0, 7.0)
    parts = [style(arrays={"x": np.full(3, value, np.float32)}) for value in values]
    found = {blend(list(order)).digest for order in permutations(parts)}
    assert len(found) == 1
