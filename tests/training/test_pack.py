"""Training packs: what is in them, that they train, and files that are none."""

import json
import zipfile
from dataclasses import replace

import keras
import numpy as np
import pytest
from small_training import small_config, small_vgg, write_data

from arbitrary_nst.errors import InputError, WeightsUnavailable
from arbitrary_nst.networks.vgg import build_vgg19, load_vgg19
from arbitrary_nst.training import pack as pack_module
from arbitrary_nst.training.config import PaintingSpec
from arbitrary_nst.training.data import BatchSource, load_painting
from arbitrary_nst.training.pack import open_pack, write_pack
from arbitrary_nst.training.reading import config_from_options
from arbitrary_nst.training.statistics import LOSS_LAYERS


@pytest.fixture(scope="module")
def config(tmp_path_factory):
    folder = write_data(tmp_path_factory.mktemp("data") / "drawn")
    files = sorted((folder / "photos").iterdir())[:3]
    paintings = tuple(PaintingSpec(str(f), f"painter {i % 2}") for i, f in enumerate(files))
    made = small_config(folder, paintings=paintings, flat_weight=0.5, painting_crop=32)
    framed, *others = made.styles
    styles = replace(framed, crop=(0.2, 0, 0.9, 1)), *others
    return replace(made, styles=styles)


@pytest.fixture
def small_loss_network(monkeypatch):
    """VGG19 of a sixteenth of the width, in the place of the real one."""
    monkeypatch.setattr(pack_module, "load_vgg19", lambda layers, weights: small_vgg())


@pytest.fixture
def packed(config, small_loss_network, tmp_path):
    path = tmp_path / "training.pack"
    assert write_pack(config, path, megabytes=1) == (5, 3)
    return path


def test_contents_come_back(config, packed, tmp_path):
    found, _ = open_pack(packed, tmp_path / "unpacked")
    same = {"styles": (), "photos": "", "paintings": ()}
    assert replace(found, **same) == replace(config, **same)
    assert [s.name for s in found.styles] == [s.name for s in config.styles]
    assert sorted(p.group for p in found.paintings) == ["painter 0", "painter 0", "painter 1"]
    for style, original in zip(found.styles, config.styles, strict=True):
        image, painting = load_painting(style), load_painting(original)
        assert image.shape == painting.shape
        assert np.abs(image - painting).mean() < 0.05
    batch = BatchSource(found).batch(0)
    assert batch["content"].shape == (2, 32, 32, 3)
    assert batch["paintings"].shape == (3, 32, 32, 3)


def test_weights_are_those_of_the_loss_network(packed, tmp_path, monkeypatch):
    """To the ten bits of a float16's mantissa, the deep ones to 1/254 of their filter's largest."""
    _, weights = open_pack(packed, tmp_path / "unpacked")
    monkeypatch.setattr(
        "arbitrary_nst.networks.vgg.build_vgg19",
        lambda layers, **options: build_vgg19(layers, width=1 / 16, seed=5, **options),
    )
    found = load_vgg19(LOSS_LAYERS, weights=weights)
    for layer in small_vgg().layers:
        if isinstance(layer, keras.layers.Conv2D):
            for mine, theirs in zip(
                found.get_layer(layer.name).get_weights(), layer.get_weights(), strict=True
            ):
                deep = layer.name.startswith(("block4", "block5"))
                step = np.abs(theirs).max(axis=tuple(range(theirs.ndim - 1))) / 254 if deep else 0
                assert (np.abs(mine - theirs) <= 1e-3 * np.abs(theirs) + 1.01 * step + 1e-6).all()


def test_weights_of_another_width_are_refused(packed, tmp_path):
    _, weights = open_pack(packed, tmp_path / "unpacked")
    with pytest.raises(WeightsUnavailable, match="no weights of VGG19 for block1_conv1"):
        load_vgg19(LOSS_LAYERS, weights=weights)


def test_options_go_before_the_pack(packed, tmp_path):
    found, _ = open_pack(packed, tmp_path / "unpacked")
    config = config_from_options({"steps": 7, "batch_size": None, "noise_channels": 2}, found)
    assert (config.steps, config.batch_size, config.flat_weight) == (7, 2, 0.5)
    assert config.layout == replace(found.layout, noise_channels=2)
    assert config.styles == found.styles
    with pytest.raises(InputError, match="needs `--styles` and `--photos`, or a `--pack`"):
        config_from_options({"steps": 7})


def test_size_is_kept(config, small_loss_network, tmp_path):
    """Room for some of the photos: the file is no larger than asked for, and none is no pack."""
    whole = tmp_path / "whole.pack"
    write_pack(config, whole, megabytes=1)
    megabytes = (whole.stat().st_size + 1000) / 1e6  # what is kept for the directory included
    photos, paintings = write_pack(config, tmp_path / "part.pack", megabytes=megabytes)
    assert 0 < photos + paintings < 8
    assert (tmp_path / "part.pack").stat().st_size <= megabytes * 1e6
    with pytest.raises(InputError, match="no room for a photo"):
        write_pack(config, tmp_path / "none.pack", megabytes=0.01)
    assert not (tmp_path / "none.pack").exists()


def test_unpacked_once(packed, tmp_path):
    folder = tmp_path / "unpacked"
    open_pack(packed, folder)
    before = (folder / "config.json").stat().st_mtime_ns
    open_pack(packed, folder)
    assert (folder / "config.json").stat().st_mtime_ns == before
    (folder / "complete.txt").unlink()  # as after an interruption
    open_pack(packed, folder)
    assert (folder / "config.json").stat().st_mtime_ns != before


@pytest.mark.parametrize(
    ("names", "message"),
    [
        (["../photos/1.jpg"], "holds '../photos/1.jpg'"),
        (["photos/../../1.jpg"], "holds"),
        (["photos/run.py"], "holds 'photos/run.py'"),
        (["config.json"], "lacks"),
    ],
)
def test_other_archives(tmp_path, names, message):
    path = tmp_path / "other.pack"
    with zipfile.ZipFile(path, "w") as archive:
        for name in names:
            archive.writestr(name, json.dumps({}))
    with pytest.raises(InputError, match=f"is not a training pack: it {message}"):
        open_pack(path, tmp_path / "unpacked")
    assert not (tmp_path / "unpacked").exists()


def test_compressed_or_damaged_archives(tmp_path):
    path = tmp_path / "other.pack"
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("config.json", "0" * 1000)
    with pytest.raises(InputError, match="it is compressed"):
        open_pack(path, tmp_path / "unpacked")
    path.write_bytes(b"no archive")
    with pytest.raises(InputError, match="not a readable training pack"):
        open_pack(path, tmp_path / "unpacked")


def test_parts_that_overlap_are_refused(packed, tmp_path):
    """Thousands of entries that are one and the same would fill the disk."""
    with zipfile.ZipFile(packed) as archive:
        first = max(archive.infolist(), key=lambda info: info.file_size)
        folder, number = "photos", 90000
    with zipfile.ZipFile(packed, "a") as archive:
        for _ in range(30):
            copy = zipfile.ZipInfo(f"{folder}/{number}.jpg")
            for name in ("header_offset", "file_size", "compress_size", "CRC"):
                setattr(copy, name, getattr(first, name))
            archive.filelist.append(copy)
            archive.NameToInfo[copy.filename] = copy
            number += 1
        archive._didModify = True
    with pytest.raises(InputError, match="is not a training pack: its parts overlap"):
        open_pack(packed, tmp_path / "unpacked")
    assert not (tmp_path / "unpacked").exists()


def test_a_secret_pack_is_none(packed, tmp_path):
    data = bytearray(packed.read_bytes())
    for mark, place in ((b"PK\x01\x02", 8), (b"PK\x03\x04", 6)):
        start = data.index(mark)
        data[start + place] |= 1  # says that it is encrypted
    packed.write_bytes(data)
    with pytest.raises(InputError, match="not a readable training pack"):
        open_pack(packed, tmp_path / "unpacked")
