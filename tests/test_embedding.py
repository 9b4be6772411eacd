"""Embedding, blend and style files."""

import copy
import io
import json
import multiprocessing
import os
import pickle
import subprocess
import sys
from dataclasses import FrozenInstanceError, replace
from fractions import Fraction
from itertools import permutations

import numpy as np
import pytest
import safetensors.numpy

from arbitrary_nst import embedding as embedding_module
from arbitrary_nst.embedding import Embedding, blend, load_styles, normalize_weights, save_styles
from arbitrary_nst.errors import BlendWeightsError, EmbeddingError, StyleError


def style(seed=0, name="wave", **changes):
    rng = np.random.default_rng(seed)
    arrays = {
        "in/gamma": rng.normal(1, 1, 4).astype(np.float32),
        "in/beta": rng.normal(0, 1, (2, 3)).astype(np.float32),
    }
    fields = {"engine": "cin", "network": "cin-16", "arrays": arrays, "name": name}
    return Embedding(**(fields | changes))


def assert_same_arrays(left, right):
    assert list(left.arrays) == list(right.arrays)
    for key in left.arrays:
        assert left.arrays[key].tobytes() == right.arrays[key].tobytes()


# ---------------------------------------------------------------- Embedding


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


# ---------------------------------------------------------------- files


@pytest.fixture
def path(tmp_path):
    return tmp_path / "style.safetensors"


@pytest.mark.parametrize("as_path", [str, lambda path: path])
@pytest.mark.parametrize("name", ["wave", "", "夜 🎨"])
def test_round_trip_of_one(path, as_path, name):
    made = style(name=name, source="Hokusai, 神奈川沖浪裏")
    made.save(as_path(path))
    assert Embedding.load(as_path(path)) == made


def test_round_trip_of_extreme_values(path):
    limits = np.finfo(np.float32)
    values = np.float32([limits.max, limits.min, limits.smallest_subnormal, -0.0])
    made = style(arrays={"a": values, "b": np.array(3, np.float32), "1/2/3": values[None]})
    made.save(path)
    assert_same_arrays(Embedding.load(path), made)


def test_round_trip_of_a_library(path):
    styles = [style(i, f"s{11 - i}", network=f"net{i % 2}", source=str(i)) for i in range(12)]
    save_styles(iter(styles), path)
    loaded = load_styles(path)
    assert list(loaded) == [f"s{11 - i}" for i in range(12)]
    assert list(loaded.values()) == styles


def test_names_of_a_mapping_win(path):
    save_styles({"a": style(0, "x"), "b": style(1, "")}, path)
    assert load_styles(path) == {"a": style(0, "a"), "b": style(1, "b")}


def test_one_style_is_a_library_of_one(path):
    style().save(path)
    assert load_styles(path) == {"wave": style()}
    save_styles([style(1)], path)
    assert Embedding.load(path) == style(1)


def test_load_refuses_a_library(path):
    save_styles([style(0, "a"), style(1, "b")], path)
    with pytest.raises(EmbeddingError, match=r"holds 2 styles, not one. .*load_styles.*\['a'\]"):
        Embedding.load(path)


def test_files_are_reproducible(tmp_path):
    for name in ("a", "b"):
        save_styles([style(0, "x"), style(1, "y", source="s")], tmp_path / name)
    assert (tmp_path / "a").read_bytes() == (tmp_path / "b").read_bytes()


def test_file_format(path):
    """Pinned: files in the wild have this form."""
    style(arrays={"x": np.float32([1])}, name="n", source="s").save(path)
    assert list(safetensors.numpy.load_file(path)) == ["0/x"]
    with safetensors.safe_open(path, "np") as file:
        assert {key: json.loads(value) for key, value in file.metadata().items()} == {
            "arbitrary_nst": {
                "version": 1,
                "styles": [{"engine": "cin", "network": "cin-16", "name": "n", "source": "s"}],
            }
        }


@pytest.mark.parametrize(
    ("styles", "message"),
    [
        ([], "no styles to save"),
        ([style(0), style(1)], "'wave' is used twice"),
        ([style(0), style(1, "")], "Style 1 has no name"),
        ([style(0, " ")], "Style 0 has no name"),
        (["wave"], "Expected an Embedding, .* Received: 'wave'"),
        ({"a": None}, "Expected an Embedding, .* Received: None"),
        ({"": style()}, "Style 0 has no name"),
        ({3: style()}, "`name` .* Received: 3"),
    ],
)
def test_save_styles_refuses(path, styles, message):
    with pytest.raises(EmbeddingError, match=message):
        save_styles(styles, path)
    assert not path.exists()


def test_load_styles_needs_names(path):
    style(name="").save(path)
    with pytest.raises(EmbeddingError, match=r"Cannot read .*style.safetensors'. Style 0 has no"):
        load_styles(path)


def test_a_failed_save_leaves_the_old_file(path, monkeypatch):
    style().save(path)

    def full_disk(*_):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "replace", full_disk)
    with pytest.raises(OSError, match="No space left"):
        style(1).save(path)
    assert Embedding.load(path) == style()
    assert os.listdir(path.parent) == [path.name]


def test_save_into_a_missing_folder(tmp_path):
    with pytest.raises(EmbeddingError, match=r"Cannot write .*There is no folder '.*missing'"):
        style().save(tmp_path / "missing" / "x.safetensors")


def test_save_over_a_folder(tmp_path):
    with pytest.raises(EmbeddingError, match="Cannot write .*It is a folder"):
        style().save(tmp_path)


# ---------------------------------------------------------------- hostile and damaged files


def raw_file(header, data=b"\0\0\0\0"):
    header = header if isinstance(header, bytes) else json.dumps(header).encode()
    return len(header).to_bytes(8, "little") + header + data


def metadata_file(metadata):
    text = metadata if isinstance(metadata, str) else json.dumps(metadata)
    return raw_file(
        {
            "__metadata__": {"arbitrary_nst": text},
            "0/x": {"dtype": "F32", "shape": [1], "data_offsets": [0, 4]},
        }
    )


RECORD = {"engine": "cin", "network": "cin-16", "name": "n", "source": ""}
GOOD = {"version": 1, "styles": [RECORD]}


def array_file(arrays, styles=(RECORD,)):
    metadata = {"arbitrary_nst": json.dumps({"version": 1, "styles": list(styles)})}
    return safetensors.numpy.save(arrays, metadata=metadata)


def tensor_file(tensor, data=b"\0\0\0\0"):
    return raw_file({"__metadata__": {"arbitrary_nst": json.dumps(GOOD)}, "0/x": tensor}, data)


class Bomb:
    def __reduce__(self):
        return os._exit, (99,)


def npz_bytes():
    file = io.BytesIO()
    np.savez(file, x=np.ones(3, np.float32))
    return file.getvalue()


ONE = np.ones(1, np.float32)
NOT_SAFETENSORS = "damaged or not a safetensors file at all. Expected a file written by"
BAD_LIST = "list of styles is damaged"
BAD_FILES = {
    "empty": (b"", NOT_SAFETENSORS),
    "random": (np.random.default_rng(0).bytes(5000), NOT_SAFETENSORS),
    "pickle": (pickle.dumps(Bomb()), NOT_SAFETENSORS),
    "npz": (npz_bytes(), NOT_SAFETENSORS),
    "no header": (raw_file(b""), NOT_SAFETENSORS),
    "huge header": (b"\xff" * 8 + b"{}", NOT_SAFETENSORS),
    "nested header": (raw_file(b'{"a":' * 100_000), NOT_SAFETENSORS),
    "header not text": (raw_file(b"\xff\xfe{}"), NOT_SAFETENSORS),
    "nothing": (raw_file({}, b""), "without styles, perhaps the weights of a network"),
    "weights": (safetensors.numpy.save({"conv": ONE}), "without styles, perhaps the weights"),
    "null metadata": (raw_file({"__metadata__": None}, b""), "without styles"),
    "other metadata": (raw_file({"__metadata__": {"format": "pt"}}, b""), "without styles"),
    "not JSON": (metadata_file("{"), BAD_LIST),
    "nested JSON": (metadata_file("[" * 100_000), BAD_LIST),
    "long number": (metadata_file("1" * 10_000), BAD_LIST),
    "JSON list": (metadata_file([]), BAD_LIST),
    "JSON null": (metadata_file(None), BAD_LIST),
    "no version": (metadata_file({"styles": [RECORD]}), BAD_LIST),
    "old version": (metadata_file(GOOD | {"version": 0}), BAD_LIST),
    "text version": (metadata_file(GOOD | {"version": "2"}), BAD_LIST),
    "new version": (
        metadata_file({"version": 2}),
        "has format version 2, and this arbitrary_nst reads up to 1. Update it with `pip",
    ),
    "styles null": (metadata_file(GOOD | {"styles": None}), BAD_LIST),
    "no styles": (metadata_file(GOOD | {"styles": []}), BAD_LIST),
    "style a number": (metadata_file(GOOD | {"styles": [1]}), BAD_LIST),
    "style without name": (metadata_file(GOOD | {"styles": [{"engine": "cin"}]}), BAD_LIST),
    "style with more": (metadata_file(GOOD | {"styles": [RECORD | {"x": 1}]}), BAD_LIST),
    "name a number": (metadata_file(GOOD | {"styles": [RECORD | {"name": 1}]}), "`name` "),
    "name a list": (metadata_file(GOOD | {"styles": [RECORD | {"name": [[]]}]}), "`name` "),
    "engine empty": (metadata_file(GOOD | {"styles": [RECORD | {"engine": ""}]}), "`engine` "),
    "escapes": (metadata_file(GOOD | {"styles": [RECORD | {"source": "\x1b[2J"}]}), "`source` "),
    "float16": (array_file({"0/x": np.ones(1, np.float16)}), "'0/x' .* F32 .* Received: F16"),
    "float64": (array_file({"0/x": np.ones(1)}), "Received: F64"),
    "int": (array_file({"0/x": np.ones(1, np.int32)}), "Received: I32"),
    "bfloat16": (
        tensor_file({"dtype": "BF16", "shape": [2], "data_offsets": [0, 4]}),
        "Received: BF16",
    ),
    "unknown dtype": (
        tensor_file({"dtype": "F31", "shape": [1], "data_offsets": [0, 4]}),
        NOT_SAFETENSORS,
    ),
    "NaN": (array_file({"0/x": ONE * np.nan}), "'x' .* NaN or infinite"),
    "inf": (array_file({"0/x": ONE * np.inf}), "'x' .* NaN or infinite"),
    "no elements": (array_file({"0/x": np.ones(0, np.float32)}), "not empty"),
    "style without arrays": (array_file({"0/x": ONE}, [RECORD, RECORD]), "`arrays` "),
    "array of no style": (array_file({"0/x": ONE, "1/x": ONE}), "'1/x' belongs to none of its 1"),
    "array without index": (array_file({"0": ONE}), "'0' belongs to none"),
    "array without name": (array_file({"0/": ONE}), "An array name .* ''"),
    "index padded": (array_file({"00/x": ONE}), "'00/x' belongs to none"),
    "index negative": (array_file({"-1/x": ONE}), "'-1/x' belongs to none"),
    "index unicode": (array_file({"٠/x": ONE}), "belongs to none"),
    "huge shape": (
        tensor_file({"dtype": "F32", "shape": [2**62, 2**62], "data_offsets": [0, 4]}),
        NOT_SAFETENSORS,
    ),
    "huge offsets": (
        tensor_file({"dtype": "F32", "shape": [2**40], "data_offsets": [0, 2**42]}),
        NOT_SAFETENSORS,
    ),
    "many axes": (
        tensor_file({"dtype": "F32", "shape": [1] * 100, "data_offsets": [0, 4]}),
        "'0/x' has an impossible shape",
    ),
    "empty and huge": (
        tensor_file({"dtype": "F32", "shape": [0, 2**63], "data_offsets": [0, 0]}, b""),
        "impossible shape|not empty",
    ),
}


def load_any(path):
    """Loads by both doors, which must agree that the file is bad."""
    with pytest.raises(EmbeddingError) as caught:
        load_styles(path)
    with pytest.raises(EmbeddingError):
        Embedding.load(path)
    raise caught.value


@pytest.mark.parametrize(("data", "message"), BAD_FILES.values(), ids=BAD_FILES)
def test_bad_files(path, data, message):
    path.write_bytes(data)
    with pytest.raises(EmbeddingError, match=r"Cannot read .*style.safetensors'. .*" + message):
        load_any(path)


def test_a_good_file_made_by_hand(path):
    """Shows that the bad files above are bad for the reason given."""
    path.write_bytes(metadata_file(GOOD))
    assert Embedding.load(path) == Embedding(
        "cin", "cin-16", {"x": np.zeros(1, np.float32)}, name="n"
    )


def test_duplicate_names_in_a_file(path):
    path.write_bytes(array_file({"0/x": ONE, "1/x": ONE}, [RECORD, RECORD]))
    with pytest.raises(EmbeddingError, match="Cannot read .*'n' is used twice"):
        load_styles(path)


def test_missing_file(tmp_path):
    with pytest.raises(EmbeddingError, match=r"Cannot read .*none.safetensors'. There is no such"):
        load_any(tmp_path / "none.safetensors")


def test_folder_instead_of_a_file(tmp_path):
    with pytest.raises(EmbeddingError, match="It is a folder or a device"):
        load_any(tmp_path)


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="needs named pipes")
def test_pipe_instead_of_a_file(path):
    os.mkfifo(path)
    with pytest.raises(EmbeddingError, match="It is a folder or a device"):
        load_any(path)


def test_impossible_path():
    with pytest.raises(EmbeddingError, match="It cannot be opened: "):
        load_any("nul\0character")


def test_large_files_are_not_read(path, monkeypatch):
    style().save(path)
    size = path.stat().st_size
    assert Embedding.load(path, max_bytes=size) == style()
    with pytest.raises(EmbeddingError, match=f"max_bytes={size - 1}. Received: {size} bytes"):
        Embedding.load(path, max_bytes=size - 1)
    with pytest.raises(EmbeddingError, match="larger than allowed"):
        load_styles(path, max_bytes=10)
    with open(path, "r+b") as file:  # a sparse file: takes no space
        file.truncate(embedding_module.MAX_FILE_BYTES + 1)
    monkeypatch.setattr(type(path), "read_bytes", lambda self: pytest.fail("was read"))
    with pytest.raises(EmbeddingError, match="larger than allowed"):
        load_any(path)


def test_every_truncation(path):
    save_styles([style(0, "a"), style(1, "b")], path)
    data = path.read_bytes()
    for length in range(len(data)):
        path.write_bytes(data[:length])
        with pytest.raises(EmbeddingError, match=NOT_SAFETENSORS):
            load_styles(path)


@pytest.mark.parametrize("seed", range(4))
def test_byte_flips(path, seed):
    """Whatever a file holds, the outcome is styles or an `EmbeddingError`."""
    save_styles([style(0, "a"), replace(style(1, "b"), source="x")], path)
    data = np.frombuffer(path.read_bytes(), np.uint8)
    rng = np.random.default_rng(seed)
    outcomes = set()
    for _ in range(500):
        broken = data.copy()
        places = rng.integers(0, len(data), rng.integers(1, 4))
        broken[places] = rng.integers(0, 256, len(places))
        path.write_bytes(broken.tobytes())
        try:
            loaded = load_styles(path)
            assert all(isinstance(e, Embedding) and e.name == n for n, e in loaded.items())
            outcomes.add("loaded")
        except EmbeddingError:
            outcomes.add("refused")
    assert outcomes == {"loaded", "refused"}
