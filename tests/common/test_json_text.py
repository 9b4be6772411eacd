"""JSON that anybody may have written."""

import os

import pytest

from arbitrary_nst.batch.files import MANIFEST, open_manifest
from arbitrary_nst.common import json_text
from arbitrary_nst.common.json_text import parse_json, read_json
from arbitrary_nst.errors import InputError
from arbitrary_nst.training.config import TrainConfig
from arbitrary_nst.training.reading import read_painting_list, read_style_list

DEEP = "[" * 200_000


@pytest.mark.parametrize("text", [DEEP, "9" * 5000, b"\xff", "", '{"a":'])
def test_what_is_wrong_is_a_value_error(text):
    with pytest.raises(ValueError, match=r"."):
        parse_json(text)


def test_what_is_right():
    assert parse_json('{"a": [1, "é"]}') == {"a": [1, "é"]}


def test_a_file(tmp_path, monkeypatch):
    path = tmp_path / "a.json"
    path.write_text('["é"]', encoding="utf-8")
    assert read_json(path) == ["é"]
    monkeypatch.setattr(json_text, "MOST", 4)
    with pytest.raises(ValueError, match="6 bytes, more than the 4"):
        read_json(path)


def damage(path, how):
    if how == "pipe":
        os.mkfifo(path)
    elif how == "folder":
        path.mkdir()
    else:
        path.write_bytes(DEEP.encode() if how == "deep" else b"[" + b"\xff" * 10_000)


PIPE = pytest.param("pipe", marks=pytest.mark.skipif(os.name == "nt", reason="no named pipes"))
HOW = ["deep", "bytes", "folder", PIPE]


@pytest.mark.parametrize("how", HOW)
@pytest.mark.parametrize(
    ("read", "message"),
    [
        (TrainConfig.load, "is not a training configuration"),
        (lambda path: read_style_list(path, path.parent), "is not a style list"),
        (lambda path: read_painting_list(path, path.parent), "is not a list of paintings"),
        (lambda path: open_manifest(path.parent, [], {}, []), "cannot be used"),
    ],
    ids=["settings", "styles", "paintings", "manifest"],
)
def test_every_reader_says_what_it_is_not(tmp_path, how, read, message):
    """Also of a pipe, which would be waited for, and of what Python's own parser gives up at."""
    path = tmp_path / MANIFEST
    damage(path, how)
    with pytest.raises(InputError, match=message) as caught:
        read(path)
    assert len(str(caught.value)) < 1000  # Python's own words have all of what cannot be decoded
