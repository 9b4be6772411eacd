"""What is opened as a file is one: a pipe, to which nobody writes, would be waited for."""

import os

import pytest

from arbitrary_nst.common.files import check_regular
from arbitrary_nst.errors import CheckpointError, InputError
from arbitrary_nst.networks.magenta.tflite import TflitePair
from arbitrary_nst.networks.weights_file import open_weights
from arbitrary_nst.training.pack import open_pack
from arbitrary_nst.video import parts

pytestmark = pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="needs named pipes")


@pytest.fixture
def pipe(tmp_path):
    path = tmp_path / "style_predict.tflite"
    os.mkfifo(path)
    return path


def test_check(pipe, tmp_path):
    (tmp_path / "file").touch()
    check_regular(tmp_path / "file")
    for path in (pipe, tmp_path, "/dev/null"):
        with pytest.raises(OSError, match="it is a folder, a pipe or a device"):
            check_regular(path)
    with pytest.raises(FileNotFoundError):
        check_regular(tmp_path / "none")


def test_weights(pipe):
    with pytest.raises(CheckpointError, match="a pipe or a device"), open_weights(pipe, "a file"):
        pass


def test_magenta(pipe):
    pytest.importorskip("ai_edge_litert")
    with pytest.raises(CheckpointError, match="a pipe or a device"):
        TflitePair(pipe.parent)


def test_a_training_pack(pipe, tmp_path):
    with pytest.raises(InputError, match="a pipe or a device"):
        open_pack(pipe, tmp_path / "unpacked")


@pytest.mark.parametrize("make", [os.mkfifo, os.mkdir])
@pytest.mark.parametrize("name", ["segment-000000.part", "past-000001.npz", "finished.json"])
def test_parts_of_a_film(tmp_path, name, make):
    """They count as not there, and go with the rest."""
    segment, past = tmp_path / "segment-000000.part", tmp_path / "past-000001.npz"
    segment.write_bytes(b"frames")
    parts.save_past(tmp_path, 1, None)
    assert parts._num_finished(tmp_path) == 1
    (tmp_path / name).unlink()
    make(tmp_path / name)
    os.mkdir(tmp_path / "left.tmp")
    assert parts._num_finished(tmp_path) == 0
    assert not (tmp_path / "left.tmp").exists() and past.parent == segment.parent
    parts.remove_parts(tmp_path)
    assert not tmp_path.exists()
    tmp_path.mkdir()
