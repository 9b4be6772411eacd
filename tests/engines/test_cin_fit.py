"""Styles that the cin engine fits to each photo (`fit_steps`)."""

import numpy as np
import pytest
from small_training import NAMES, draw_painting, draw_photo, small_config, small_vgg, write_data

from arbitrary_nst import Embedding, blend, embed, load_styles, stylize
from arbitrary_nst.batch.settings import make_engine, prepare
from arbitrary_nst.embedding import save_styles
from arbitrary_nst.engines.cin import Cin
from arbitrary_nst.engines.cin.targets import KEYS, fit_photo, target_arrays, target_grams
from arbitrary_nst.errors import CheckpointError, InputError, StyleError, WeightsUnavailable
from arbitrary_nst.networks.losses import style_loss
from arbitrary_nst.networks.predictor.network import PredictorLayout, trunk_of
from arbitrary_nst.networks.vgg import gram_matrix
from arbitrary_nst.training.config import PaintingSpec
from arbitrary_nst.training.train import train

SMALL = PredictorLayout((4, 4, 6, 6, 8), (6, 8), 3, 10, 5)
STEPS = 8


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """A network with its styles, predictor and targets, after a few steps."""
    data = write_data(tmp_path_factory.mktemp("data") / "drawn")
    paintings = tuple(PaintingSpec(str(data / "styles" / f"{n}.png"), "all") for n in NAMES)
    config = small_config(data, paintings=paintings, predictor=SMALL, painting_crop=32, steps=4)
    return train(config, tmp_path_factory.mktemp("network"), vgg=small_vgg())


@pytest.fixture(scope="module")
def engine(folder):
    return Cin(folder, precision="float32", fit_steps=STEPS)


@pytest.fixture(scope="module")
def plain(folder):
    return Cin(folder, precision="float32")


@pytest.fixture(scope="module")
def photo():
    return draw_photo(9, 72, 96).astype(np.float32)


def distance(engine, picture, style):
    """From the Gram matrices that the style is to have, by the predictor's convolutions."""
    trunk = trunk_of(engine._full.predictor)
    grams = [gram_matrix(f) for f in trunk(picture[None])]
    targets = [gram[None] for gram in target_grams(style.arrays)]
    return float(style_loss(grams, targets)[0])


@pytest.mark.parametrize("name", NAMES)
def test_a_named_style_comes_nearer_to_its_painting(engine, plain, photo, name):
    style = engine.styles[name]
    fitted = distance(engine, engine.render(photo, style), style)
    before = distance(engine, plain.render(photo, plain.styles[name]), style)
    assert fitted < 0.9 * before


def test_an_image_and_a_blend_come_nearer(engine, plain, photo):
    painting = draw_painting("checks", 64).astype(np.float32)[:, ::-1].copy()
    ours, theirs = engine.embed(painting), plain.embed(painting)
    assert distance(engine, engine.render(photo, ours), ours) < distance(
        engine, plain.render(photo, theirs), ours
    )
    mixed = blend([ours, engine.styles["waves"]])
    half = blend([theirs, plain.styles["waves"]])
    before = distance(engine, plain.render(photo, half), mixed)
    assert distance(engine, engine.render(photo, mixed), mixed) < before


def test_it_goes_the_same_way_for_all_callers(engine, plain, photo):
    """One photo, a batch, regions of a single style, and passes over strips, which keep arrays in
    half precision: a thousandth on average, where what is fitted differs by a hundredth and more.
    """
    style = engine.styles["waves"]
    single = engine.render(photo, style)
    batch = engine.render_batch([photo, photo], [style, engine.styles["checks"]])
    np.testing.assert_array_equal(batch[0], single)
    everywhere = np.ones((*photo.shape[:2], 1), np.float32)
    np.testing.assert_allclose(engine.render_regions(photo, [style], everywhere), single, atol=1e-3)
    assert np.abs(engine.render_large(photo, style) - single).mean() < 1e-3
    large = engine.render_large_regions(photo, [style], everywhere)
    assert np.abs(large - single).mean() < 1e-3
    assert np.abs(plain.render(photo, plain.styles["waves"]) - single).mean() > 1e-2


def test_the_same_seed_gives_the_same_picture(engine, photo):
    style = engine.styles["stripes"]
    first, again = (engine.render(photo, style, seed=3) for _ in range(2))
    np.testing.assert_array_equal(first, again)


def test_strength_and_identity(engine, plain, photo):
    """Strength leads from the photo to the full style; the identity is not fitted to anything."""
    np.testing.assert_array_equal(
        np.asarray(stylize(photo, "identity", engine=engine)),
        np.asarray(stylize(photo, "identity", engine=plain)),
    )
    pictures = [
        np.asarray(stylize(photo, "waves", strength=strength, engine=engine)) / 255
        for strength in (0, 0.5, 1)
    ]
    ends = [np.abs(pictures[1] - pictures[i]).mean() for i in (0, 2)]
    assert all(end < np.abs(pictures[2] - pictures[0]).mean() for end in ends)
    own = target_grams(engine.identity(photo).arrays)
    for gram, target in zip(engine._full.refiner.grams(fit_photo(photo, 16)), own, strict=True):
        np.testing.assert_allclose(gram, target, rtol=1e-5)


def test_embeddings_carry_what_they_are_fitted_to(engine, plain, photo, tmp_path):
    style = embed(draw_painting("stripes", 64), engine=engine)
    style.save(tmp_path / "mine.safetensors")
    loaded = Embedding.load(tmp_path / "mine.safetensors")
    assert set(loaded.arrays) == {"gamma", "beta", *KEYS}
    for given, asked in ((plain.styles["waves"], engine), (style, plain)):
        with pytest.raises(StyleError, match="do not fit the network"):
            asked.render(photo, given)


def test_matrices_survive_their_halves():
    rng = np.random.default_rng(0)
    grams = [m + m.T for m in (rng.random((n, n), np.float32) for n in (1, 2, 3, 7, 64))]
    for gram, back in zip(grams, target_grams(target_arrays(grams)), strict=True):
        np.testing.assert_array_equal(gram, back)


@pytest.mark.parametrize(
    ("size", "expected"),
    [((600, 512), (256, 218)), ((100, 200), (100, 200)), ((2000, 20), (1600, 16))],
)
def test_the_photo_is_small(size, expected):
    small = fit_photo(np.zeros((*size, 3), np.uint8), 16)
    assert small.shape == (*expected, 3) and small.dtype == np.float32


def test_a_batch_on_other_processes_fits_too(engine):
    settings, _ = prepare("waves", engine=engine)
    again = make_engine(settings.engine)
    assert again.fit_steps == STEPS and again.precision == "float32"
    plain = prepare("waves", engine=Cin(engine.folder, precision="float32"))[0]
    assert settings.fingerprint() != plain.fingerprint()


class TestRefused:
    @pytest.mark.parametrize("steps", [-1, 0.5, True, "ten", None])
    def test_wrong_steps(self, folder, steps):
        with pytest.raises(InputError, match="fit_steps"):
            Cin(folder, fit_steps=steps)

    def test_a_network_without_targets(self, folder, tmp_path):
        for file in folder.glob("*.safetensors"):
            if file.name not in ("targets.safetensors", "checkpoint.safetensors"):
                (tmp_path / file.name).write_bytes(file.read_bytes())
        assert Cin(tmp_path).fit_steps == 0
        with pytest.raises(WeightsUnavailable, match=r"without targets\.safetensors"):
            Cin(tmp_path, fit_steps=1)

    def test_targets_of_another_network(self, folder, tmp_path):
        for file in folder.glob("*.safetensors"):
            (tmp_path / file.name).write_bytes(file.read_bytes())
        targets = load_styles(folder / "targets.safetensors").values()
        foreign = [type(t)(t.engine, "cin-0", dict(t.arrays), name=t.name) for t in targets]
        save_styles(foreign, tmp_path / "targets.safetensors")
        with pytest.raises(CheckpointError, match="another network. Expected cin-"):
            Cin(tmp_path, fit_steps=1)
