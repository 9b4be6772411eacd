"""The style predictor: its file, its training, and images as styles of the cin engine."""

import json
from dataclasses import replace

import keras
import numpy as np
import pytest
from safetensors.numpy import load_file
from small_training import LAYOUT, NAMES, small_config, small_vgg, write_data

from arbitrary_nst import embed, stylize
from arbitrary_nst.checkpoints import reference_photos
from arbitrary_nst.engines.cin import Cin
from arbitrary_nst.errors import CheckpointError, ImageError, InputError, StyleError
from arbitrary_nst.image import load_image, resize
from arbitrary_nst.networks.cin.file import load_network
from arbitrary_nst.networks.losses import style_loss
from arbitrary_nst.networks.predictor.file import load_predictor, predictor_bytes
from arbitrary_nst.networks.predictor.network import (
    TRUNK,
    PredictorLayout,
    build_predictor,
    compiled,
)
from arbitrary_nst.networks.predictor.start import standardize, start_at, start_trunk
from arbitrary_nst.networks.vgg import gram_matrix
from arbitrary_nst.training.config import PaintingSpec, StyleSpec, TrainConfig, check_config
from arbitrary_nst.training.data import BatchSource, draw_mixing
from arbitrary_nst.training.evaluate import evaluate_styles
from arbitrary_nst.training.new_style import learn_style
from arbitrary_nst.training.paintings import by_group, draw_painting
from arbitrary_nst.training.reading import config_from_options, read_painting_list
from arbitrary_nst.training.train import build_trainer, take_step, train

SMALL = PredictorLayout((4, 4, 6, 6, 8), (6, 8), 3, 10, 5)
SIZE = LAYOUT.style_size


@pytest.fixture(scope="module")
def data(tmp_path_factory):
    """The folder of the small photos and paintings."""
    return write_data(tmp_path_factory.mktemp("data"))


def paintings_of(data):
    return tuple(
        PaintingSpec(str(data / "styles" / f"{name}.png"), group)
        for name, group in zip(NAMES, "aab", strict=True)
    )


def config_of(data, **changes):
    settings = {"painting_crop": 32, "steps": 6, "predictor": SMALL, **changes}
    return small_config(data, **{"paintings": paintings_of(data), **settings})


@pytest.fixture(scope="module")
def trained(data, tmp_path_factory):
    """A folder with a network, its styles and its predictor, after a few steps."""
    out = tmp_path_factory.mktemp("trained")
    train(config_of(data), out, vgg=small_vgg())
    return out


def random_paintings(count, height, width):
    return np.random.default_rng(0).random((count, height, width, 3), np.float32)


class TestNetwork:
    @pytest.mark.parametrize("size", [(32, 32), (33, 70), (200, 64)])
    def test_any_size_gives_one_vector(self, size):
        vectors = np.asarray(build_predictor(7, SMALL)(random_paintings(2, *size)))
        assert vectors.shape == (2, 14) and vectors.dtype == np.float32
        assert np.isfinite(vectors).all()

    def test_a_painting_and_its_tiling_are_nearly_one_style(self):
        """What is pooled over the whole picture does not know how large it is."""
        predictor = build_predictor(7, SMALL)
        one = random_paintings(1, 128, 128)
        tiled, other = np.tile(one, (1, 2, 2, 1)), 0.3 * one
        base, same, different = (np.asarray(predictor(x)) for x in (one, tiled, other))
        assert np.abs(same - base).max() < 0.25 * np.abs(different - base).max()

    @pytest.mark.parametrize("dtype", ["float32", "mixed_bfloat16"])
    def test_compiled_it_gives_the_same_vectors(self, dtype):
        predictor = build_predictor(SIZE, SMALL, dtype=dtype)
        fast = compiled(predictor)
        for size in ((40, 48), (33, 71)):
            one, other = random_paintings(2, *size)
            # Two at once, since one alone may take another way.
            plain = predictor(np.stack([one, other]))[0]
            np.testing.assert_allclose(fast(one[None])[0], plain, rtol=1e-3, atol=2e-4)

    def test_a_flat_painting_is_no_trouble(self):
        assert np.isfinite(np.asarray(build_predictor(7, SMALL)(np.zeros((1, 40, 40, 3))))).all()

    def test_starts_at_the_styles_that_are_known(self):
        vectors = np.random.default_rng(0).normal(3, 1, (6, 14)).astype(np.float32)
        predictor = build_predictor(7, SMALL)
        start_at(predictor, vectors)
        found = np.asarray(predictor(random_paintings(1, 64, 64)))[0]
        assert np.abs(found - vectors.mean(0)).max() < np.abs(vectors - vectors.mean(0)).max()

    def test_the_trunk_starts_as_the_loss_network(self):
        """Its features are VGG19's times one number for each layer, and of size one."""
        vgg = small_vgg()
        layout = replace(SMALL, trunk=(4, 4, 8, 8, 16))
        paintings = [*random_paintings(1, 96, 128), 0.5 * random_paintings(1, 128, 80)[0]]
        predictor = build_predictor(7, layout)
        start_trunk(predictor, vgg, paintings)
        ours, theirs = (
            keras.Model(model.input, [model.get_layer(name).output for name in TRUNK])
            for model in (predictor, vgg)
        )
        sizes = []
        for painting in paintings:
            for own, other in zip(ours(painting[None]), theirs(painting[None]), strict=True):
                inside = (0, slice(8, -8), slice(8, -8))  # the borders are padded otherwise
                own, other = np.asarray(own)[inside], np.asarray(other)[inside]
                ratio = own.sum() / other.sum()
                np.testing.assert_allclose(own, ratio * other, atol=1e-3 * own.max())
                sizes.append(own.mean())
        assert 0.7 < np.mean(sizes) < 1.4

    def test_a_trunk_of_other_widths_stays_random(self):
        predictor = build_predictor(7, SMALL, seed=1)
        before = predictor.get_weights()
        start_trunk(predictor, small_vgg(), random_paintings(1, 32, 32))
        for old, new in zip(before, predictor.get_weights(), strict=True):
            np.testing.assert_array_equal(old, new)

    def test_pooled_numbers_are_standardised(self):
        paintings = [*random_paintings(6, 48, 48), *(0.3 * random_paintings(6, 48, 48) + 0.2)]
        predictor = build_predictor(7, SMALL)
        standardize(predictor, paintings)
        model = keras.Model(predictor.input, predictor.get_layer("standard").output)
        numbers = np.stack([np.asarray(model(painting[None]))[0] for painting in paintings])
        np.testing.assert_allclose(numbers.mean(axis=0), 0, atol=1e-3)
        assert 0.5 < numbers.std(axis=0).mean() <= 1
        vectors = np.stack([np.asarray(predictor(p[None]))[0] for p in paintings])
        assert vectors.std(axis=0).mean() > 1e-3

    def test_its_file_gives_the_same_vectors(self, tmp_path):
        predictor = build_predictor(7, SMALL, seed=3)
        path = tmp_path / "p.safetensors"
        path.write_bytes(predictor_bytes(predictor, SMALL, "cin-x"))
        again = load_predictor(path, 7, "cin-x")
        x = random_paintings(1, 50, 60)
        np.testing.assert_allclose(again(x), predictor(x), atol=5e-3)  # float16 in the file

    def test_wrong_files_are_refused(self, tmp_path):
        path = tmp_path / "p.safetensors"
        with pytest.raises(CheckpointError, match="no predictor file"):
            load_predictor(path, 7, "cin-x")
        path.write_bytes(b"\xff" * 40)
        with pytest.raises(CheckpointError, match="not a readable predictor file"):
            load_predictor(path, 7, "cin-x")
        predictor = build_predictor(7, SMALL)
        path.write_bytes(predictor_bytes(predictor, SMALL, "cin-x"))
        with pytest.raises(CheckpointError, match="another network. Expected cin-y. Received: "):
            load_predictor(path, 7, "cin-y")
        with pytest.raises(CheckpointError, match="'vector/kernel' differs"):
            load_predictor(path, 8, "cin-x")
        path.write_bytes(predictor_bytes(predictor, replace(SMALL, hidden=10**9), "cin-x"))
        with pytest.raises(CheckpointError, match="out of bounds"):
            load_predictor(path, 7, "cin-x")
        predictor.get_layer("vector").bias.assign(np.full(14, np.nan))
        path.write_bytes(predictor_bytes(predictor, SMALL, "cin-x"))
        with pytest.raises(CheckpointError, match="'vector/bias' holds NaN"):
            load_predictor(path, 7, "cin-x")


class TestPaintings:
    def test_draws_are_varied_and_in_range(self, data):
        groups = by_group(paintings_of(data))
        draws = [draw_painting(groups, 32, np.random.default_rng(seed)) for seed in range(30)]
        for image in draws:
            assert image.shape == (32, 32, 3) and image.dtype == np.float32
            assert image.min() >= 0 and image.max() <= 1
        assert len({image.tobytes() for image in draws}) == 30

    def test_small_groups_are_drawn_too(self, tmp_path, monkeypatch):
        """Of 16 paintings by one and a single one by another, the single one is a fifth."""
        groups = [[f"a{number}" for number in range(16)], ["b"]]
        drawn = []

        def load(file, role):
            drawn.append(file)
            return np.zeros((40, 40, 3), np.float32), None

        monkeypatch.setattr("arbitrary_nst.training.paintings.load_image", load)
        for seed in range(500):
            draw_painting(groups, 32, np.random.default_rng(seed))
        assert 0.15 < drawn.count("b") / len(drawn) < 0.25
        assert len(set(drawn)) == 17

    def test_a_list_is_read(self, data, tmp_path):
        entries = [{"file": "stripes.png", "group": "a"}]
        (tmp_path / "list.json").write_text(json.dumps(entries))
        specs = read_painting_list(tmp_path / "list.json", data / "styles")
        assert specs == (PaintingSpec(str(data / "styles" / "stripes.png"), "a"),)
        options = {
            "styles": data / "styles",
            "photos": data / "photos",
            "painting_list": tmp_path / "list.json",
            "paintings": data / "styles",
            "painting_share": 0.5,
        }
        config = config_from_options(options)
        assert config.paintings == specs and config.painting_share == 0.5
        assert not config_from_options({**options, "painting_list": None}).paintings

    @pytest.mark.parametrize("text", ["", "[]", "{}", '[{"file": "a.png"}]', "[1]"])
    def test_a_wrong_list_is_refused(self, tmp_path, text):
        (tmp_path / "list.json").write_text(text)
        with pytest.raises(InputError, match="list.json"):
            read_painting_list(tmp_path / "list.json", tmp_path)


class TestTraining:
    def test_batches_are_functions_of_seed_and_step(self, data):
        config = config_of(data, stability_weight=1.0)
        one, again = BatchSource(config).batch(5), BatchSource(config).batch(5)
        assert one["paintings"].shape == (3, 32, 32, 3)
        assert one["mixing"].shape == (2, 1 + 3 + 3)
        for name in one:
            np.testing.assert_array_equal(one[name], again[name])
        assert not np.array_equal(one["paintings"][0], one["paintings"][1])

    def test_shares_of_the_draws(self, data):
        config = config_of(data, painting_share=0.75, identity_share=0.0, strength_share=0.0)
        rng = np.random.default_rng(0)
        mixings = np.stack([draw_mixing(config, rng) for _ in range(2000)])
        np.testing.assert_allclose(mixings.sum(1), 1, atol=1e-6)
        assert 0.65 < mixings[:, 4:].sum(1).mean() < 0.8
        only = replace(config, painting_share=1.0, blend_share=1.0)
        mixings = np.stack([draw_mixing(only, rng) for _ in range(50)])
        np.testing.assert_array_equal(mixings[:, :4], 0)

    def test_the_predictor_learns(self, data, trained):
        """In a network that is frozen, on one batch without named styles, the loss falls."""
        shares = {"painting_share": 1.0, "blend_share": 0.0, "identity_share": 0.0}
        config = config_of(
            data, **shares, strength_share=0.0, content_weight=0.0, learning_rate=1e-2, steps=100
        )
        _, kernels = load_network(trained / "network.safetensors")
        trainer = build_trainer(config, vgg=small_vgg(), kernels=kernels)
        batch = BatchSource(config).batch(0)
        losses = [take_step(trainer, batch, step)["style"] for step in range(1, 41)]
        assert losses[-1] < 0.8 * losses[0]

    def test_paintings_have_a_style_weight_of_their_own(self, data):
        """The loss grows by it, where all samples take a painting without a name."""
        shares = {"painting_share": 1.0, "identity_share": 0.0, "strength_share": 0.0}
        losses = []
        for weight in (0.0, 1.0, 3.0):
            config = config_of(data, **shares, painting_style_weight=weight)
            trainer = build_trainer(config, vgg=small_vgg())
            batch = BatchSource(config).batch(0)
            losses.append(float(trainer.compute_loss(x=batch, y_pred=trainer(batch))))
        assert losses[1] - losses[0] > 0.01
        assert losses[2] - losses[0] == pytest.approx(3 * (losses[1] - losses[0]), rel=1e-2)
        with pytest.raises(InputError, match="painting_style_weight"):
            check_config(replace(config, painting_style_weight=-1.0))

    def test_a_run_in_portions_is_the_same_run(self, data, trained, tmp_path):
        train(config_of(data), tmp_path, vgg=small_vgg(), stop_at=3)
        train(config_of(data), tmp_path, vgg=small_vgg())
        for name in ("network", "styles", "predictor"):
            parts = load_file(tmp_path / f"{name}.safetensors")
            whole = load_file(trained / f"{name}.safetensors")
            assert parts.keys() == whole.keys()
            for key in whole:
                np.testing.assert_array_equal(parts[key], whole[key])

    def test_settings_survive_the_file(self, data, tmp_path):
        config = config_of(data)
        config.save(tmp_path / "config.json")
        assert TrainConfig.load(tmp_path / "config.json") == config

    def test_a_missing_painting_is_named(self, data, tmp_path):
        gone = (PaintingSpec(str(tmp_path / "gone.png"), "a"),)
        with pytest.raises(InputError, match=r"1 paintings are missing, the first is .*gone\.png"):
            train(config_of(data, paintings=gone), tmp_path, vgg=small_vgg())


class TestEngine:
    def test_names_and_images_mix(self, data, trained, monkeypatch, photo):
        monkeypatch.setenv("ARBITRARY_NST_CIN", str(trained))
        painting = str(data / "styles" / "waves.png")
        unseen = embed(painting, engine="cin")
        assert unseen.engine == "cin" and unseen.name == "waves"
        assert embed(painting).digest == unseen.digest  # without a name of an engine
        picture = stylize(photo, [painting, "stripes"], [0.25, 0.75])
        wanted = stylize(photo, [unseen, embed("stripes")], [0.25, 0.75])
        np.testing.assert_array_equal(np.asarray(picture), np.asarray(wanted))
        assert not np.array_equal(np.asarray(picture), np.asarray(stylize(photo, "stripes")))

    def test_evaluate_embeds_paintings_whose_names_are_unknown(self, data, trained):
        engine = Cin(trained, refine_steps=0)
        file = str(data / "styles" / "waves.png")
        specs = [StyleSpec("unseen", file), StyleSpec("waves", file)]
        pictures = {}
        scores = evaluate_styles(
            specs,
            [data / "photos" / "0.png"],
            size=64,
            vgg=small_vgg(),
            engines=[engine],
            on_picture=lambda engine, style, photo, picture: pictures.update({style: picture}),
        )
        assert [s.style for s in scores if s.engine == "cin"] == ["unseen", "waves"]
        assert not np.array_equal(pictures["unseen"], pictures["waves"])

    def test_a_new_style_may_start_from_the_prediction(self, data, trained, monkeypatch):
        offered = {}

        def nearest(trainer, batch, known):
            offered.update(known)
            return known["as predicted"]

        monkeypatch.setattr("arbitrary_nst.training.new_style.nearest_style", nearest)
        file = data / "styles" / "waves.png"
        learned = learn_style(
            file, "mine", data / "photos", network=trained, steps=1, style_size=40, vgg=small_vgg()
        )
        assert set(offered) == {*NAMES, "as predicted"}
        assert learned.name == "mine" and learned.network == Cin(trained).network

    def test_without_a_predictor_images_are_refused(self, network, data, photo):
        with pytest.raises(StyleError, match="knows only styles it was trained with"):
            stylize(photo, str(data / "styles" / "waves.png"), engine="cin")

    def test_a_painting_seen_larger_is_another_style(self, trained):
        painting = random_paintings(1, 60, 80)[0]
        vectors = {
            scale: Cin(trained, style_scale=scale, refine_steps=0).embed(painting).arrays["gamma"]
            for scale in (0.5, 1, 2)
        }
        assert np.abs(vectors[1] - vectors[2]).max() > 1e-5
        assert np.abs(vectors[1] - vectors[0.5]).max() > 1e-5
        for wrong in (0, 5, "large", None, True, float("nan")):
            with pytest.raises(InputError, match="style_scale"):
                Cin(trained, style_scale=wrong)

    def test_refined_it_is_nearer_to_the_painting(self, data, trained, photo):
        """By the Gram matrices of the predictor's own features: on the photos that it looks at more
        with every step, and on one that it did not see as well.
        """
        painting = load_image(data / "styles" / "waves.png")[0]
        predictor = Cin(trained)._full.predictor
        trunk = keras.Model(predictor.input, [predictor.get_layer(n).output for n in TRUNK])

        def grams(image):
            return [gram_matrix(f) for f in trunk(image[None])]

        wanted = grams(resize(painting, longer_side=512))

        def loss(picture):
            return float(style_loss(grams(picture), wanted)[0])

        strip, _ = load_image(reference_photos())
        photos = np.split(strip, strip.shape[1] // strip.shape[0], axis=1)
        seen, unseen, engine = [], [], Cin(trained)
        for engine.refine_steps in (0, 4, 16):
            style = engine.embed(painting)
            seen.append(np.mean([loss(engine.render(p, style)) for p in photos]))
            unseen.append(loss(engine.render(resize(photo, longer_side=128), style)))
        assert seen[2] < seen[1] < seen[0]
        assert seen[2] < 0.8 * seen[0]
        assert max(unseen[1:]) < unseen[0]

    def test_refined_it_is_the_same_each_time(self, data, trained):
        painting = load_image(data / "styles" / "checks.png")[0]
        engine = Cin(trained, refine_steps=3)
        assert engine.embed(painting).digest == engine.embed(painting).digest

    @pytest.mark.parametrize("steps", [-1, 1.5, True, "many", None])
    def test_wrong_steps_are_refused(self, trained, steps):
        with pytest.raises(InputError, match="refine_steps"):
            Cin(trained, refine_steps=steps)

    def test_a_narrow_painting_is_refused(self, trained):
        with pytest.raises(ImageError, match="too narrow: 512x10 pixels"):
            Cin(trained).embed(np.zeros((20, 1000, 3), np.float32))

    def test_a_predictor_of_another_network_is_refused(self, trained, tmp_path):
        for file in trained.glob("*.safetensors"):
            (tmp_path / file.name).write_bytes(file.read_bytes())
        predictor = build_predictor(SIZE, SMALL)
        (tmp_path / "predictor.safetensors").write_bytes(predictor_bytes(predictor, SMALL, "cin-0"))
        with pytest.raises(CheckpointError, match="another network"):
            Cin(tmp_path).embed(np.zeros((64, 64, 3), np.float32))
