"""Named styles fitted once more after a training (`refine-styles`)."""

import numpy as np
import pytest
from small_training import NAMES, small_config, small_vgg, write_data

from arbitrary_nst.checkpoints import IDENTITY
from arbitrary_nst.cli import main
from arbitrary_nst.engines.cin import Cin
from arbitrary_nst.engines.cin.targets import load_targets, target_grams
from arbitrary_nst.errors import InputError, StyleError, WeightsUnavailable
from arbitrary_nst.image import load_image
from arbitrary_nst.networks.losses import style_loss
from arbitrary_nst.networks.predictor.network import PredictorLayout, trunk_of
from arbitrary_nst.networks.vgg import gram_matrix
from arbitrary_nst.training.config import PaintingSpec
from arbitrary_nst.training.refine_styles import refine_styles
from arbitrary_nst.training.train import train

SMALL = PredictorLayout((4, 4, 6, 6, 8), (6, 8), 3, 10, 5)


@pytest.fixture(scope="module")
def data(tmp_path_factory):
    return write_data(tmp_path_factory.mktemp("data") / "drawn")


@pytest.fixture(scope="module")
def trained(data, tmp_path_factory):
    paintings = tuple(PaintingSpec(str(data / "styles" / f"{n}.png"), "all") for n in NAMES)
    config = small_config(data, paintings=paintings, predictor=SMALL, painting_crop=32, steps=4)
    return train(config, tmp_path_factory.mktemp("network"), vgg=small_vgg())


@pytest.fixture
def folder(trained, tmp_path):
    for name in ("network", "styles", "predictor", "targets"):
        file = trained / f"{name}.safetensors"
        (tmp_path / file.name).write_bytes(file.read_bytes())
    return tmp_path


def distance(engine, photo, style, target):
    """Of a picture from the painting's Gram matrices, by the predictor's convolutions."""
    trunk = trunk_of(engine._full.predictor)
    grams = [gram_matrix(f) for f in trunk(engine.render(photo, style)[None])]
    return float(style_loss(grams, [gram[None] for gram in target])[0])


def test_pictures_come_nearer_to_their_paintings(folder, data):
    """On a photo that is not among those that are looked at, too; what was not named stays."""
    before = Cin(folder, precision="float32")
    refine_styles(folder, data / "photos", names=["waves", "checks"], steps=40)
    after = Cin(folder, precision="float32")
    assert list(after.styles) == list(before.styles)
    for name in (IDENTITY, "stripes"):
        assert after.styles[name] == before.styles[name]
    photo = load_image(data / "photos" / "0.png")[0][:, ::-1].copy()
    targets = load_targets(folder, after.network)
    for name in ("waves", "checks"):
        target = target_grams(targets[name])
        old, new = (distance(e, photo, e.styles[name], target) for e in (before, after))
        assert new < 0.97 * old
        assert after.styles[name].source == before.styles[name].source


def test_a_share_goes_part_of_the_way(folder, data):
    """From what the vectors were to what all of the steps find."""
    path = folder / "styles.safetensors"
    before, kept = Cin(folder).styles["waves"].arrays, path.read_bytes()
    found = {}
    for share in (0.25, 1.0):
        path.write_bytes(kept)
        refine_styles(folder, data / "photos", names=["waves"], steps=3, share=share)
        found[share] = Cin(folder).styles["waves"].arrays
    for name, old in before.items():
        whole = found[1.0][name] - old
        assert np.abs(whole).max() > 0.01
        np.testing.assert_allclose(found[0.25][name] - old, 0.25 * whole, atol=1e-6)


def test_from_the_shell_it_does_the_same(folder, data, capsys):
    arguments = ["--network", str(folder), "--photos", str(data / "photos"), "--steps", "3"]
    assert main(["refine-styles", *arguments]) == 0
    assert capsys.readouterr().out.strip() == str(folder / "styles.safetensors")
    first = Cin(folder).styles
    assert set(first) == {IDENTITY, *NAMES}
    assert main(["refine-styles", *arguments]) == 0  # it goes on from where it was
    moved = [
        np.abs(Cin(folder).styles[n].arrays["gamma"] - first[n].arrays["gamma"]).max()
        for n in NAMES
    ]
    assert min(moved) > 0


def test_what_is_refused(folder, data):
    photos = data / "photos"
    before = (folder / "styles.safetensors").read_bytes()
    with pytest.raises(StyleError, match="no target for the style 'wave'"):
        refine_styles(folder, photos, names=["wave"])
    for steps in (0, -1, 1.5, True):
        with pytest.raises(InputError, match="steps"):
            refine_styles(folder, photos, steps=steps)
    for share in (-0.1, 1.5, float("nan"), "half"):
        with pytest.raises(InputError, match="share"):
            refine_styles(folder, photos, share=share)
    with pytest.raises(InputError, match="folder of images"):
        refine_styles(folder, data / "none")
    (folder / "targets.safetensors").unlink()
    with pytest.raises(WeightsUnavailable, match=r"without targets\.safetensors"):
        refine_styles(folder, photos)
    assert (folder / "styles.safetensors").read_bytes() == before


def test_a_file_that_cannot_be_written_is_said_at_once(folder, data, monkeypatch):
    """Before any photo is looked at."""
    photos = data / "photos"
    monkeypatch.setattr("arbitrary_nst.common.atomic.os.access", lambda *asked: False)
    monkeypatch.setattr("arbitrary_nst.training.refine_styles._photo", None)
    with pytest.raises(InputError, match="not writable"):
        refine_styles(folder, photos)
