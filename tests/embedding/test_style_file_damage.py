"""Hostile and damaged style files."""

import io
import json
import os
import pickle
from dataclasses import replace

import numpy as np
import pytest
import safetensors.numpy
from small_styles import style

from arbitrary_nst import embedding as embedding_module
from arbitrary_nst.embedding import Embedding, load_styles, save_styles
from arbitrary_nst.errors import EmbeddingError


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


@pytest.mark.parametrize("name", ["0/\x1b[2Jx\n", "0/" + "x" * 10**6, "x" * 10**6])
def test_names_in_a_damaged_file_do_not_garble_the_message(path, name):
    """They are somebody's, and may clear the terminal, or fill it."""
    data = array_file({name: ONE})
    for damaged in (data, data[:-1]):
        path.write_bytes(damaged)
        with pytest.raises(EmbeddingError) as caught:
            load_any(path)
        assert len(str(caught.value)) < 1000 and str(caught.value).isprintable()
