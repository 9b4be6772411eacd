"""The predictor fitted once more after a training (`refine-predictor`)."""

import json
import shutil

import numpy as np
import pytest
from safetensors.numpy import load_file
from small_training import NAMES, small_config, small_vgg, write_data

from arbitrary_nst.cli import main
from arbitrary_nst.engines.cin import Cin
from arbitrary_nst.errors import CheckpointError, ImageError, InputError
from arbitrary_nst.image import load_image
from arbitrary_nst.networks.predictor.layout import DENSE_RATES
from arbitrary_nst.networks.predictor.network import PredictorLayout
from arbitrary_nst.training.config import PaintingSpec
from arbitrary_nst.training.paintings import draw_files
from arbitrary_nst.training.refine_predictor import refine_predictor
from arbitrary_nst.training.train import train

SMALL = PredictorLayout((4, 4, 6, 6, 8), (6, 8), 3, 10, 5)


@pytest.fixture(scope="module")
def data(tmp_path_factory):
    return write_data(tmp_path_factory.mktemp("data") / "drawn")


@pytest.fixture(scope="module")
def paintings(data):
    return tuple(PaintingSpec(str(data / "styles" / f"{name}.png"), "all") for name in NAMES)


@pytest.fixture(scope="module")
def trained(data, paintings, tmp_path_factory):
    config = small_config(data, paintings=paintings, predictor=SMALL, painting_crop=32, steps=4)
    return train(config, tmp_path_factory.mktemp("network"), vgg=small_vgg())


@pytest.fixture
def folder(trained, tmp_path):
    return shutil.copytree(trained, tmp_path / "network")


def refinement_loss(folder, file):
    """Of the predicted vector of a painting, over the reference photos."""
    embedder = Cin(folder)._make_embedder()
    sight = embedder._predictor(load_image(file)[0])
    gamma, beta = sight.arrays["gamma"], sight.arrays["beta"]
    slopes = embedder._refiner.slopes
    return np.mean([slopes(sight.grams, gamma, beta, p)[0] for p in embedder._seen_photos])


def test_predicted_vectors_come_nearer_to_their_paintings(folder, trained, data, paintings):
    """By the loss of the refinement, on photos that were not looked at."""
    before = np.mean([refinement_loss(folder, p.file) for p in paintings])
    told = []
    path = refine_predictor(
        folder,
        paintings,
        data / "photos",
        steps=40,
        share=1,
        learning_rate=0.05,  # these vectors are far from where they belong
        progress=lambda *step: told.append(step),
    )
    assert path == folder / "predictor.safetensors"
    assert [step[:2] for step in told] == [(n, 43) for n in range(1, 44)]
    assert {step[2] for step in told[:3]} == {"looking at paintings"}
    assert float(told[-1][2].split()[1]) < float(told[3][2].split()[1])
    after = np.mean([refinement_loss(folder, p.file) for p in paintings])
    assert after < 0.9 * before  # 0.76 of it were seen
    old, new = (load_file(f / path.name) for f in (trained, folder))
    moved = {name.split("/")[0] for name in old if not np.array_equal(old[name], new[name])}
    assert moved == set(DENSE_RATES)
    for file in ("network", "styles", "targets"):
        name = f"{file}.safetensors"
        assert (folder / name).read_bytes() == (trained / name).read_bytes()


def test_it_goes_as_far_as_it_is_told(folder, trained, data, paintings, tmp_path):
    """Not at all, all the way, and half of it, but for the rounding of float16."""
    found = {}
    for share in (0, 0.5, 1):
        other = shutil.copytree(trained, tmp_path / str(share))
        path = refine_predictor(other, paintings, data / "photos", steps=2, share=share)
        found[share] = load_file(path)
    assert_equal(tmp_path / "0" / path.name, trained / path.name)
    for name, array in found[0.5].items():
        between = (found[0][name].astype(np.float32) + found[1][name]) / 2
        np.testing.assert_allclose(array, between, rtol=2e-3, atol=1e-6, err_msg=name)


def assert_equal(first, second):
    """The arrays of two files."""
    ours, theirs = load_file(first), load_file(second)
    assert set(ours) == set(theirs)
    for name, array in ours.items():
        np.testing.assert_array_equal(array, theirs[name], err_msg=name)


def test_from_the_shell_it_does_the_same(folder, trained, data, paintings, tmp_path, capsys):
    listed = tmp_path / "list.json"
    listed.write_text(json.dumps([{"file": f"{name}.png", "group": "all"} for name in NAMES]))
    arguments = ["--network", str(folder), "--photos", str(data / "photos"), "--steps", "2"]
    arguments += ["--painting-list", str(listed), "--paintings", str(data / "styles")]
    assert main(["refine-predictor", *arguments]) == 0
    path = folder / "predictor.safetensors"
    assert capsys.readouterr().out.strip() == str(path)
    other = shutil.copytree(trained, tmp_path / "other")
    refine_predictor(other, paintings, data / "photos", steps=2)
    assert_equal(path, other / path.name)
    refine_predictor(other, paintings, data / "photos", steps=2)
    with pytest.raises(AssertionError):  # it goes on from where it was
        assert_equal(path, other / path.name)


def test_paintings_of_large_groups_are_drawn_seldom():
    """Each group by the root of its number, as in training; no painting twice."""
    paintings = [PaintingSpec(f"many/{i}", "many") for i in range(10000)]
    paintings += [PaintingSpec(f"few/{i}", "few") for i in range(100)]
    files = draw_files(paintings, 110, np.random.default_rng(0))
    assert len(set(files)) == 110
    # 10 of 11 shares, were they put back: 100 of 110, give or take 3 (a binomial deviation).
    assert 85 <= sum(file.startswith("many") for file in files) <= 109
    assert sorted(draw_files(paintings[-3:], 9, np.random.default_rng(0))) == [
        f"few/{i}" for i in (97, 98, 99)
    ]


def test_what_is_refused(folder, data, paintings):
    photos, path = data / "photos", folder / "predictor.safetensors"
    before = path.read_bytes()
    for name in ("steps", "batch_size", "learning_rate"):
        for value in (0, -1, "1", True):
            with pytest.raises(InputError, match=name):
                refine_predictor(folder, paintings, photos, **{name: value})
    with pytest.raises(InputError, match="share"):
        refine_predictor(folder, paintings, photos, share=1.5)
    with pytest.raises(InputError, match="seed"):
        refine_predictor(folder, paintings, photos, seed=-1)
    with pytest.raises(InputError, match="folder of images"):
        refine_predictor(folder, paintings, data / "none")
    with pytest.raises(ImageError, match="none"):
        refine_predictor(folder, [PaintingSpec("none.png", "all")], photos)
    assert path.read_bytes() == before
    path.unlink()
    with pytest.raises(CheckpointError, match=r"predictor\.safetensors"):
        refine_predictor(folder, paintings, photos)
    (folder / "network.safetensors").unlink()
    with pytest.raises(CheckpointError, match=r"network\.safetensors"):
        refine_predictor(folder, paintings, photos)


def test_a_loss_that_is_not_finite(folder, trained, data, paintings):
    with pytest.raises(InputError, match=r"not finite any more at step \d+; .* stays as it was"):
        refine_predictor(folder, paintings, data / "photos", steps=9, learning_rate=1e30)
    assert_equal(folder / "predictor.safetensors", trained / "predictor.safetensors")


def test_a_file_that_cannot_be_written_is_said_at_once(folder, data, paintings, monkeypatch):
    """Before any photo is looked at."""
    photos = data / "photos"
    monkeypatch.setattr("arbitrary_nst.common.atomic.os.access", lambda *asked: False)
    monkeypatch.setattr("arbitrary_nst.training.refine_predictor.photo_rows", None)
    with pytest.raises(InputError, match="not writable"):
        refine_predictor(folder, paintings, photos)
