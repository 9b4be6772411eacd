"""The reader of weights, on files of two arrays."""

import numpy as np
import pytest
from safetensors.numpy import save_file

from arbitrary_nst.errors import CheckpointError
from arbitrary_nst.networks.weights_file import check_format, open_weights, read_arrays

ARRAYS = {"a": np.arange(6, dtype=np.float32).reshape(2, 3), "b": np.ones(4, np.float32)}
SHAPES = {"a": (2, 3), "b": (4,)}


@pytest.fixture
def path(tmp_path):
    return tmp_path / "weights.safetensors"


def read(path, **options):
    with open_weights(path, "a network file") as file:
        return read_arrays(path, file, SHAPES, **options)


def test_arrays_come_back_as_float32(path):
    save_file(ARRAYS, path)
    found = read(path)
    assert found.keys() == ARRAYS.keys()
    for name, array in ARRAYS.items():
        assert found[name].dtype == np.float32
        np.testing.assert_array_equal(found[name], array)
    save_file({**ARRAYS, "b": ARRAYS["b"].astype(np.float16)}, path)
    assert read(path, dtypes=("float16", "float32"))["b"].dtype == np.float32


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"b": None}, "array 'b' is missing"),
        ({"c": np.ones(1)}, "array 'c' does not belong"),
        ({"a": np.ones((3, 2), np.float32)}, r"'a' differs. Expected float32 \(2, 3\). .*\(3, 2\)"),
        ({"b": np.ones(4, np.float16)}, r"'b' differs. Expected float32 .* Received: float16 \(4,"),
        ({"b": np.ones(4)}, "array 'b' differs. .* Received: F64"),
        ({"b": np.array([1, np.nan, 0, 0], np.float32)}, "array 'b' holds NaN or infinite"),
    ],
)
def test_the_array_that_differs_is_named(path, changes, message):
    arrays = {**ARRAYS, **changes}
    save_file({name: array for name, array in arrays.items() if array is not None}, path)
    with pytest.raises(CheckpointError, match=message) as caught:
        read(path)
    assert str(caught.value).startswith(f"{path}: array ")


def test_further_arrays_where_they_are_welcome(path):
    save_file({**ARRAYS, "c": np.ones(1)}, path)
    assert read(path, exact=False).keys() == ARRAYS.keys()
    save_file({"a": ARRAYS["a"], "c": np.ones(1)}, path)
    with pytest.raises(CheckpointError, match="array 'b' is missing"):
        read(path, exact=False)


@pytest.mark.parametrize("data", [None, b"", b"no weights", (2**60).to_bytes(8, "little")])
def test_files_that_cannot_be_read(path, data):
    if data is not None:
        path.write_bytes(data)
    with pytest.raises(CheckpointError, match="weights.safetensors is not a network file: "):
        read(path)


@pytest.mark.parametrize("error", [KeyError("layout"), ValueError("layout"), TypeError("layout")])
def test_errors_of_the_block_are_of_the_file(path, error):
    save_file(ARRAYS, path)
    with (
        pytest.raises(CheckpointError, match=r"is not a network file: .*layout'?\. Delete it\.$"),
        open_weights(path, "a network file", hint="Delete it."),
    ):
        raise error


def test_formats(path):
    check_format(path, {"format": "net", "version": "1"}, "net", "1")
    for metadata in ({}, {"format": "net"}, {"format": "other", "version": "1"}):
        with pytest.raises(CheckpointError, match="Expected format 'net' version '1'. Received: "):
            check_format(path, metadata, "net", "1")


@pytest.mark.parametrize("name", ["\x1b[2Jb\n", "a" * 10**6])
def test_names_in_a_damaged_file_do_not_garble_the_message(path, name):
    """They are somebody's, and may clear the terminal, or fill it."""
    save_file({"a": ARRAYS["a"], name: ARRAYS["b"]}, path)
    data = path.read_bytes()
    path.write_bytes(data[:-4])
    with pytest.raises(CheckpointError) as caught:
        read(path)
    assert len(str(caught.value)) < 1000 and str(caught.value).isprintable()
    path.write_bytes(data)
    with pytest.raises(CheckpointError, match="does not belong") as caught:
        read(path)
    assert len(str(caught.value)) < 1000 and str(caught.value).isprintable()
