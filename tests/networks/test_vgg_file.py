"""Files of VGG19's weights that are more than they should be."""

import os

import h5py
import numpy as np
import pytest

from arbitrary_nst.errors import WeightsUnavailable
from arbitrary_nst.networks import vgg, vgg_file
from arbitrary_nst.networks.vgg import load_vgg19
from arbitrary_nst.networks.vgg_file import check_file


@pytest.fixture
def path(tmp_path):
    return tmp_path / "vgg19.h5"


def huge(file, folder):
    """Of a kilobyte: what is not written is nowhere."""
    file.create_dataset("a", (10**4, 10**4), "f4", chunks=(10**3, 10**3))


def endless(file, folder):
    file.create_dataset("a", (2**40, 2**20), "f4", chunks=(1, 1))


def elsewhere(file, folder):
    file.create_dataset("a", (4,), "f4", external=[(str(folder / "secret"), 0, 16)])


def put_together(file, folder):
    layout = h5py.VirtualLayout((4,), "f4")
    layout[:] = h5py.VirtualSource(str(folder / "secret.h5"), "a", (4,))
    file.create_virtual_dataset("a", layout)


def link_to_a_file(file, folder):
    file["a"] = h5py.ExternalLink(str(folder / "secret.h5"), "/a")


def link(file, folder):
    file["a"] = h5py.SoftLink("/b")


def crowd(file, folder):
    for number in range(30):
        file.create_group(str(number))


BAD = {
    huge: "are said to take 400000000 bytes, in a file of",
    endless: "are said to take",
    elsewhere: "'/a' lies in another file",
    put_together: "'/a' lies in another file",
    link_to_a_file: "'a' is a link to another place",
    link: "'a' is a link to another place",
    crowd: "more than 20 parts",
}


@pytest.mark.parametrize(("make", "message"), BAD.items(), ids=lambda v: getattr(v, "__name__", ""))
def test_is_refused_before_it_is_read(path, tmp_path, monkeypatch, make, message):
    monkeypatch.setattr(vgg_file, "MOST_PARTS", 20)
    with h5py.File(path, "w") as file:
        make(file, tmp_path)
    assert os.stat(path).st_size < 10**5
    monkeypatch.setattr(vgg.keras.applications, "VGG19", lambda **_: pytest.fail("was read"))
    with pytest.raises(WeightsUnavailable, match=f"could not be read as VGG19 weights.*{message}"):
        load_vgg19(["relu1_1"], weights=str(path))


def test_a_group_in_itself_ends(path):
    with h5py.File(path, "w") as file:
        file.create_dataset("a/b", data=np.ones(3))
        file["a/again"] = file["a"]
        file["twice"] = file["a/b"]
    check_file(path)


def test_packed_arrays_may_be(path):
    with h5py.File(path, "w") as file:
        file.create_dataset("a", data=np.arange(10**4), compression="gzip")
    check_file(path)


@pytest.mark.parametrize("value", [np.nan, np.inf])
def test_what_is_no_number_is_named(monkeypatch, value):
    def kernels(weights):
        return {"block1_conv1": [np.zeros((3, 3, 3, 64)), np.full(64, value)]}

    monkeypatch.setattr(vgg, "_keras_kernels", kernels)
    with pytest.raises(WeightsUnavailable, match="NaN or infinite .* for block1_conv1"):
        load_vgg19(["relu1_1"], weights="any.h5")
