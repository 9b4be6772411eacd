"""The embedding: a style as numbers."""

import copy
import multiprocessing
import pickle
import subprocess
import sys
from dataclasses import FrozenInstanceError

import numpy as np
import pytest
from small_styles import style

from arbitrary_nst.embedding import Embedding
from arbitrary_nst.errors import EmbeddingError


def test_arrays_are_sorted_copies():
    given = {"b": np.ones(2, np.float32), "a": np.zeros((), np.float32)}
    made = Embedding("cin", "cin-16", given)
    given["b"][0] = 7
    given["c"] = np.ones(1, np.float32)
    assert list(made.arrays) == ["a", "b"]
    assert made.arrays["a"].shape == ()
    np.testing.assert_array_equal(made.arrays["b"], [1, 1])


def test_is_immutable():
    made = style()
    with pytest.raises(FrozenInstanceError):
        made.name = "other"
    with pytest.raises(TypeError, match="does not support item assignment"):
        made.arrays["in/gamma"] = np.ones(4, np.float32)
    with pytest.raises(ValueError, match="read-only"):
        made.arrays["in/gamma"][0] = 1
    with pytest.raises(ValueError, match="WRITEABLE"):
        made.arrays["in/gamma"].setflags(write=True)


def test_array_layout_does_not_matter():
    array = np.arange(6, dtype=np.float32).reshape(2, 3)
    assert style(arrays={"x": array}) == style(arrays={"x": np.asfortranarray(array)})


def test_equality_and_hash():
    assert style() == style()
    assert hash(style()) == hash(style())
    others = [
        style(1),
        style(name="storm"),
        style(network="cin-32"),
        style(engine="magenta"),
        style(source="Hokusai"),
        style(arrays={"in/gamma": style().arrays["in/gamma"]}),
    ]
    assert len({style(), *others}) == 7
    assert style() != "wave"


def test_digest_leaves_out_name_and_source():
    assert style().digest == style(name="x", source="y").digest
    assert style().digest != style(network="cin-32").digest
    flat = style(arrays={"x": np.ones(4, np.float32)})
    square = style(arrays={"x": np.ones((2, 2), np.float32)})
    assert flat.digest != square.digest


@pytest.mark.parametrize(
    "duplicate", [copy.copy, copy.deepcopy, lambda made: pickle.loads(pickle.dumps(made))]
)
def test_copies_and_pickles(duplicate):
    made = style(source="Hokusai")
    twin = duplicate(made)
    assert twin == made
    with pytest.raises(ValueError, match="read-only"):
        twin.arrays["in/gamma"][0] = 1


def test_travels_between_processes():
    with multiprocessing.get_context("spawn").Pool(1) as pool:
        assert pool.apply(copy.copy, [style()]) == style()


def test_repr_is_short():
    assert repr(style()) == "Embedding(engine='cin', network='cin-16', name='wave', source='')"


@pytest.mark.parametrize(
    "name", ["", "great-wave", "夜", "Screenshot\u202fPM", "a/b", "🎨", "x" * 200]
)
def test_accepts_names(name):
    assert style(name=name).name == name


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"engine": ""}, r"`engine` of an embedding must be text of 1 to 200 .* Received: ''"),
        ({"engine": None}, "`engine` .* Received: None"),
        ({"network": "  "}, "`network` "),
        ({"name": 3}, "`name` .* of 0 to 200 characters on one line. Received: 3"),
        ({"name": "two\nlines"}, r"`name` .* Received: 'two\\nlines'"),
        ({"name": "\x1b[31m"}, "`name` "),
        ({"name": "\ud800"}, "`name` "),
        ({"name": "x" * 201}, "`name` "),
        ({"source": "x" * 2001}, "`source` .* of 0 to 2000"),
        ({"source": b"x"}, "`source` "),
        ({"arrays": {}}, "`arrays` .* mapping of names to float32 arrays.* Received: {}"),
        ({"arrays": [1]}, r"`arrays` .* Received: \[1\]"),
        ({"arrays": {"": np.ones(1, np.float32)}}, "An array name of an embedding .* ''"),
        ({"arrays": {1: np.ones(1, np.float32)}}, "An array name of an embedding .* 1"),
        ({"arrays": {"x": [1.0]}}, "Array 'x' .* Received: list"),
        ({"arrays": {"x": np.float32(1)}}, "Array 'x' .* Received: float32"),
        ({"arrays": {"x": np.ones(3)}}, r"Array 'x' .* Received: float64 array \(3,\)"),
        ({"arrays": {"x": np.ones(3, np.float16)}}, "Received: float16"),
        ({"arrays": {"x": np.ones(3, int)}}, "Received: int64"),
        ({"arrays": {"x": np.ones(3, ">f4")}}, "Received: >f4"),
        ({"arrays": {"x": np.ones((0, 3), np.float32)}}, "not empty"),
        ({"arrays": {"x": np.float32([1, np.nan])}}, "'x' .* holds NaN or infinite values"),
        ({"arrays": {"x": np.float32([1, -np.inf])}}, "'x' .* holds NaN or infinite values"),
    ],
)
def test_refuses(changes, message):
    with pytest.raises(EmbeddingError, match=message):
        style(**changes)


def test_import_is_light():
    code = (
        "import sys, arbitrary_nst.embedding; assert not {'tensorflow', 'keras'} & set(sys.modules)"
    )
    subprocess.run([sys.executable, "-c", code], check=True)
