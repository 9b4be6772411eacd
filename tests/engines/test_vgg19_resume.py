"""The file of a picture on its way: what was written comes back, or nothing does."""

import math

import numpy as np
import pytest

from arbitrary_nst.engines.vgg19.resume import load_state, save_state
from arbitrary_nst.errors import CheckpointError

PRINT = "ab" * 32


@pytest.fixture
def file(tmp_path):
    path = tmp_path / "state.safetensors"
    picture = np.random.default_rng(0).random((5, 4, 3), np.float32)
    save_state(path, PRINT, 1, 20, 0.25, picture)
    return path


def test_what_was_written_comes_back(file):
    picture = np.random.default_rng(0).random((5, 4, 3), np.float32)
    *state, found = load_state(file, PRINT)
    assert state == [1, 20, 0.25]
    np.testing.assert_array_equal(found, picture)
    save_state(file, PRINT, 0, 0, math.nan, picture)
    assert math.isnan(load_state(file, PRINT)[2])


def test_no_flipped_bit_is_a_state(file):
    """Else a picture could go on from steps that never were, or be taken for done."""
    data = file.read_bytes()
    name = data.index(b'"digest"')  # under another one it is a file of before there were any
    rng = np.random.default_rng(1)
    for place in rng.permutation(len(data))[:300]:
        if name <= place < name + 8:
            continue
        damaged = bytearray(data)
        damaged[place] ^= 1 << int(rng.integers(8))
        file.write_bytes(damaged)
        with pytest.raises(CheckpointError):
            load_state(file, PRINT)


def test_of_before_there_were_digests(file):
    """They are taken, as they were."""
    from safetensors import safe_open
    from safetensors.numpy import save_file

    with safe_open(file, framework="numpy") as opened:
        about, picture = opened.metadata(), opened.get_tensor("picture")
    del about["digest"]
    save_file({"picture": picture}, file, about)
    assert load_state(file, PRINT)[:2] == (1, 20)
