"""Style files."""

import json
import os

import numpy as np
import pytest
import safetensors.numpy
from small_styles import assert_same_arrays, style

from arbitrary_nst.embedding import Embedding, load_styles, save_styles
from arbitrary_nst.errors import EmbeddingError


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
