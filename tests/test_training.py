"""The training program: losses, draws, the model, resuming, and everything that can go wrong."""

import csv
import importlib.util
import json
import os
import signal
import subprocess
import sys
import threading
from dataclasses import asdict, replace
from pathlib import Path

import keras
import numpy as np
import pytest
from PIL import Image
from safetensors import safe_open
from safetensors.numpy import load_file, save_file
from small_training import (
    LAYOUT,
    NAMES,
    draw_painting,
    draw_photo,
    small_config,
    small_vgg,
    write_data,
    write_image,
)

from arbitrary_nst.checkpoints import trained_styles
from arbitrary_nst.embedding import Embedding
from arbitrary_nst.errors import CheckpointError, ImageError, InputError, WeightsUnavailable
from arbitrary_nst.networks.cin.file import load_network, network_id
from arbitrary_nst.networks.cin.network import CinLayout
from arbitrary_nst.networks.losses import (
    drawing_loss,
    light_loss,
    pixel_loss,
    relative_error,
    style_loss,
    tone_loss,
    total_variation_loss,
)
from arbitrary_nst.networks.vgg import gram_matrix
from arbitrary_nst.training import devices
from arbitrary_nst.training import train as train_module
from arbitrary_nst.training.checkpoint import (
    averaged,
    export,
    load_checkpoint,
    save_checkpoint,
    start_from,
)
from arbitrary_nst.training.config import (
    StyleSpec,
    TrainConfig,
    check_config,
    config_from_options,
    find_images,
    read_style_list,
)
from arbitrary_nst.training.data import (
    BatchSource,
    detail_mask,
    draw_mixing,
    load_style,
    random_crop,
)
from arbitrary_nst.training.report import COLUMNS, LossLog, RunningMeans
from arbitrary_nst.training.statistics import NUM_WHOLE, style_statistics, to_array
from arbitrary_nst.training.train import build_trainer, take_step, train
from arbitrary_nst.training.trainer import LOSS_NAMES, StyleTrainer


@pytest.fixture(scope="module")
def data(tmp_path_factory):
    """A folder with photos and paintings."""
    return write_data(tmp_path_factory.mktemp("data") / "drawn")


@pytest.fixture(scope="module")
def built(data):
    """One compiled trainer for all tests that only look, or that put it back as it was."""
    trainer = build_trainer(small_config(data), vgg=small_vgg())
    rng = np.random.default_rng(0)
    for index in range(4):
        vectors = rng.normal(1, 0.5, LAYOUT.style_size), rng.normal(0, 0.5, LAYOUT.style_size)
        trainer.table.assign(index, *vectors)
    return trainer


@pytest.fixture
def trainer(built):
    """The trainer of `built`, with the same state at the start of every test."""
    variables = [*built.trainable_variables, *built.optimizer.variables]
    before = [to_array(variable).copy() for variable in variables]
    yield built
    for variable, value in zip(variables, before, strict=True):
        variable.assign(value)


@pytest.fixture(scope="module")
def finished(data, tmp_path_factory):
    """The folder of a run of twelve steps without a pause."""
    return run(data, tmp_path_factory.mktemp("finished"))


def run(data, out, *, checkpoint_every=100, **options):
    config = small_config(data, **options.pop("settings", {}))
    return train(config, out, vgg=small_vgg(), checkpoint_every=checkpoint_every, **options)


def checkpoint(out):
    return load_file(out / "checkpoint.safetensors")


def assert_same_state(left, right):
    left, right = checkpoint(left), checkpoint(right)
    assert list(left) == list(right)
    for name in left:
        np.testing.assert_array_equal(left[name], right[name], err_msg=name)


def logged(out):
    with (out / "log.csv").open(newline="") as file:
        return list(csv.DictReader(file))


def contents(folder):
    return {p.name: p.read_bytes() for p in folder.rglob("*") if p.is_file()}


def one_hot(index, count=4, batch=2):
    return np.eye(count, dtype=np.float32)[[index] * batch]


def batch_of(mixing, seed=0):
    photos = np.stack([draw_photo(seed + i, 32, 32) for i in range(len(mixing))])
    return {"content": photos.astype(np.float32), "mixing": np.asarray(mixing, np.float32)}


# ---------------------------------------------------------------- losses


def test_relative_error_by_hand():
    """(1 + 4) / (1 + 16) for the first picture; the second has no error."""
    target = np.array([[1.0, 4.0], [3.0, 0.0]], np.float32)
    found = relative_error(np.array([[2.0, 2.0], [3.0, 0.0]], np.float32), target)
    np.testing.assert_allclose(found, [5 / 17, 0], rtol=1e-6)


def test_relative_error_without_features_is_one():
    target = np.ones((2, 3, 3, 4), np.float32)
    np.testing.assert_allclose(relative_error(0 * target, target), [1, 1], rtol=1e-6)


def test_style_loss_is_the_mean_over_layers():
    """Relative errors 1 (nothing of it there) and 1/4 (half off) make 0.625."""
    ones = np.ones((1, 2, 2), np.float32)
    np.testing.assert_allclose(style_loss([0 * ones, 3 * ones], [ones, 2 * ones]), [0.625])


def test_total_variation_by_hand():
    """Down: steps 2 and 0, mean square 2; across: steps 1 and -1, mean square 1."""
    image = np.array([[0, 1], [2, 1]], np.float32)[None, :, :, None]
    np.testing.assert_allclose(total_variation_loss(image), [3])


def test_pixel_loss_by_hand():
    image = np.array([[0, 1], [2, 1]], np.float32)[None, :, :, None]
    np.testing.assert_allclose(pixel_loss(image, 0 * image), [1])


# ---------------------------------------------------------------- draws


PINNED_DRAWS = [[0, 0, 1, 0], [0, 0, 0, 1], [0.3791, 0.6209, 0, 0], [0, 0, 0, 1]]


def test_draws_stay_what_they_were(data):
    """A run that is going on must see the draws that it would have seen before.

    To be made again by printing them; they change only with NumPy's own generators.
    """
    config = small_config(data)
    found = [draw_mixing(config, np.random.default_rng([0, step])).round(4) for step in range(4)]
    np.testing.assert_allclose(found, PINNED_DRAWS, atol=1e-6)


def test_kinds_of_draws(data):
    """Half identity alone, a quarter blends with the identity, a quarter blends of styles."""
    shares = {"identity_share": 0.5, "strength_share": 0.25, "blend_share": 0.25}
    config = small_config(data, **shares)
    rng = np.random.default_rng(0)
    draws = np.array([draw_mixing(config, rng) for _ in range(400)])
    np.testing.assert_allclose(draws.sum(axis=1), 1, rtol=1e-6)
    assert (draws >= 0).all()
    alone = draws[:, 0] == 1
    strength = (draws[:, 0] > 0) & ~alone
    assert abs(alone.mean() - 0.5) < 0.1
    assert abs(strength.mean() - 0.25) < 0.1
    assert ((draws[strength, 1:] > 0).sum(axis=1) == 1).all()
    assert ((draws[draws[:, 0] == 0] > 0).sum(axis=1) >= 2).all()


def test_draws_of_one_style_do_not_blend(data):
    config = small_config(data, blend_share=1.0, strength_share=0.0, identity_share=0.0)
    config = replace(config, styles=config.styles[:1])
    for seed in range(20):
        assert list(draw_mixing(config, np.random.default_rng(seed))) == [0, 1]


def test_batches_are_functions_of_seed_and_step(data):
    source, other = BatchSource(small_config(data)), BatchSource(small_config(data))
    ahead = dict(enumerate(source.batches(3, 9), start=3))
    assert list(ahead) == [3, 4, 5, 6, 7, 8]
    for step in (8, 3):
        alone = other.batch(step)
        assert list(alone) == ["content", "mixing"]
        for name, array in alone.items():
            assert array.dtype == np.float32
            np.testing.assert_array_equal(array, ahead[step][name])
    assert (ahead[3]["content"] != ahead[4]["content"]).any()
    different = BatchSource(small_config(data, seed=1)).batch(3)
    assert (different["content"] != ahead[3]["content"]).any()


def test_noise_of_a_layout_that_has_it(data):
    config = small_config(data, layout=replace(LAYOUT, noise_channels=3))
    assert BatchSource(config).batch(0)["noise"].shape == (2, 8, 8, 3)


@pytest.mark.parametrize("shape", [(5, 7), (32, 32), (33, 200), (200, 33), (1, 1)])
def test_crops_of_any_photo(shape):
    image = np.random.default_rng(0).uniform(size=(*shape, 3)).astype(np.float32)
    for seed in range(5):
        crop = random_crop(image, 32, np.random.default_rng(seed))
        assert crop.shape == (32, 32, 3)
        assert 0 <= crop.min() <= crop.max() <= 1


def test_zoom_enlarges_crops():
    # A grey wedge: the range of values in a crop is the share of the image that it shows.
    image = np.tile(np.linspace(0, 1, 64, dtype=np.float32)[None, :, None], (64, 1, 3))
    plain, zoomed = (
        [np.ptp(random_crop(image, 32, np.random.default_rng(s), zoom=zoom)) for s in range(50)]
        for zoom in (1, 2)
    )
    assert min(plain) > 0.45 and max(plain) > 0.9
    assert 0.2 < min(zoomed) < 0.4 and max(zoomed) > 0.9


def test_crops_are_flipped_half_the_time():
    image = np.tile(np.linspace(0, 1, 32, dtype=np.float32)[None, :, None], (32, 1, 3))
    crops = [random_crop(image, 32, np.random.default_rng(seed)) for seed in range(100)]
    flipped = [bool(crop[0, 0, 0] > 0.5) for crop in crops]
    assert 30 < sum(flipped) < 70
    np.testing.assert_array_equal(crops[flipped.index(True)], image[:, ::-1])


def test_broken_photos_are_skipped_and_named_once(data, tmp_path, caplog):
    for seed in range(2):
        write_image(tmp_path / f"{seed}.png", draw_photo(seed))
    whole = (tmp_path / "0.png").read_bytes()
    (tmp_path / "cut.png").write_bytes(whole[: len(whole) // 2])
    (tmp_path / "text.jpg").write_text("no photo")
    source = BatchSource(small_config(data, photos=str(tmp_path)))
    for batch in source.batches(0, 20):
        assert batch["content"].shape == (2, 32, 32, 3)
    messages = [record.getMessage() for record in caplog.records]
    assert len(messages) == 2
    assert all(message.startswith("skipping a photo: ") for message in messages)
    assert {name for name in ("cut.png", "text.jpg") if any(name in m for m in messages)} == {
        "cut.png",
        "text.jpg",
    }


def test_sample_photos_skip_broken_ones(data, tmp_path):
    (tmp_path / "0.png").write_text("no photo")
    for seed in (1, 2):
        write_image(tmp_path / f"{seed}.png", draw_photo(seed))
    samples = BatchSource(small_config(data, photos=str(tmp_path))).samples(4, 16)
    assert [sample.shape for sample in samples] == [(16, 16, 3)] * 2


def test_nothing_but_broken_photos(data, tmp_path):
    (tmp_path / "text.jpg").write_text("no photo")
    source = BatchSource(small_config(data, photos=str(tmp_path)))
    with pytest.raises(InputError, match="100 photos in a row could not be read"):
        source.batch(0)
    with pytest.raises(InputError, match="None of the 1 photos in .* opens"):
        source.samples(4, 16)


def test_find_images(tmp_path):
    (tmp_path / "deep").mkdir()
    for name in ("b.PNG", "a.jpg", "deep/c.webp", "notes.txt"):
        (tmp_path / name).touch()
    names = [str(path.relative_to(tmp_path)) for path in find_images(tmp_path)]
    assert names == ["a.jpg", "b.PNG", "deep/c.webp"]


def test_folders_without_images(tmp_path):
    with pytest.raises(InputError, match="holds no image file"):
        find_images(tmp_path)
    with pytest.raises(InputError, match="A folder of images was expected. Received: .*nowhere"):
        find_images(tmp_path / "nowhere")


def test_narrow_painting(tmp_path):
    path = write_image(tmp_path / "narrow.png", np.zeros((10, 100, 3)))
    with pytest.raises(ImageError, match="painting is too narrow: 64x6 pixels .* Expected 32"):
        load_style(str(path), 64, role="painting")


# ---------------------------------------------------------------- settings


def test_config_round_trip(data, tmp_path):
    config = small_config(data, initial="models/é", layout=CinLayout((4, 8), skip_connections=True))
    config.save(tmp_path / "config.json")
    assert TrainConfig.load(tmp_path / "config.json") == config


def test_config_of_an_older_version(data, tmp_path):
    """Settings that a file does not have get their defaults."""
    values = asdict(small_config(data))
    del values["seed"], values["layout"]["noise_channels"]
    (tmp_path / "config.json").write_text(json.dumps(values))
    assert TrainConfig.load(tmp_path / "config.json") == small_config(data)


@pytest.mark.parametrize(
    "text", ["", "[]", "{}", '{"styles": [], "layout": {}}', '{"unknown": 1}', "\x00\xff"]
)
def test_damaged_config(tmp_path, text):
    path = tmp_path / "config.json"
    path.write_bytes(text.encode("latin-1"))
    with pytest.raises(InputError, match=r"config.json is not a training configuration"):
        TrainConfig.load(path)


def test_missing_config(tmp_path):
    with pytest.raises(InputError, match="is not a training configuration"):
        TrainConfig.load(tmp_path / "config.json")


def test_style_list(tmp_path):
    path = tmp_path / "styles.json"
    path.write_text(
        '[{"name": "a", "file": "x.png", "style_weight": 4.0}, {"name": "b", "file": "y"}]'
    )
    styles = read_style_list(path, "paintings", defaults={"style_weight": 8.0})
    assert styles == (
        StyleSpec("a", str(Path("paintings/x.png")), style_weight=4.0),
        StyleSpec("b", str(Path("paintings/y")), style_weight=8.0),
    )


def test_folder_as_style_list(data):
    styles = read_style_list(None, data / "styles")
    assert [style.name for style in styles] == sorted(NAMES)
    assert styles[0].file == str(data / "styles" / "checks.png")


@pytest.mark.parametrize(
    "text", ["", "{}x", '{"name": "a"}', '[{"name": "a"}]', "[1]", '[{"f": 1}]']
)
def test_damaged_style_list(tmp_path, text):
    path = tmp_path / "styles.json"
    path.write_text(text)
    with pytest.raises(InputError, match=r"styles.json is not a style list. Expected a JSON list"):
        read_style_list(path, tmp_path)


def test_config_from_options(data):
    options = {
        "styles": str(data / "styles"),
        "photos": str(data / "photos"),
        "style_weight": 7.0,
        "channels": (8, 16),
        "steps": 5,
        "seed": None,
        "stop_at": 3,
    }
    config = config_from_options(options)
    assert (config.steps, config.seed, config.layout.channels) == (5, 0, (8, 16))
    assert {style.style_weight for style in config.styles} == {7.0}


def spec(**changes):
    return (StyleSpec(**{"name": "a", "file": "a.png", **changes}),)


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"styles": ()}, "`styles` needs at least one style"),
        ({"styles": spec() + spec()}, "each with its own name other than 'identity'. Received"),
        ({"styles": spec(name="identity")}, "`styles` needs .* Received: \\['identity'\\]"),
        ({"styles": spec(name="")}, "`styles` needs"),
        ({"styles": spec(name="a\x00")}, "`name`"),
        ({"styles": spec(style_weight=-1)}, "`style_weight` of style 'a' must be a number from 0"),
        ({"styles": spec(style_size=16)}, "`style_size` of style 'a' must be a whole number fr"),
        ({"layout": CinLayout((8,))}, "`channels` of the layout needs 2 to 6 numbers"),
        ({"crop_size": 34}, "`crop_size` must be a multiple of 4, 32 at least. Received: 34"),
        ({"crop_size": 16}, "`crop_size` must be a multiple of 4, 32 at least. Received: 16"),
        ({"steps": 0}, "`steps` must be a whole number from 1 up. Received: 0"),
        ({"stability_weight": 1.0, "batch_size": 1}, "needs two photos a step at least"),
        ({"batch_size": 2.5}, "`batch_size` must be a whole number from 1 up. Received: 2.5"),
        ({"seed": -1}, "`seed` must be a whole number from 0 up"),
        ({"zoom": 0.5}, "`zoom` must be a number from 1 up. Received: 0.5"),
        ({"learning_rate": 0.0}, "`learning_rate` must be a number"),
        ({"learning_rate": float("nan")}, "`learning_rate` must be a number"),
        ({"content_weight": "1"}, "`content_weight` must be a number from 0 up. Received: '1'"),
        ({"total_variation_weight": float("inf")}, "`total_variation_weight` must be a number"),
        ({"blend_share": 0.7, "identity_share": 0.5}, "and 1 at most together"),
        ({"strength_share": -0.1}, "must be 0 or more"),
        ({"pooling": "median"}, "`pooling` is one of 'max', 'average'. Received: 'median'"),
        ({"precision": "float16"}, "`precision` is one of 'auto', 'float32', 'bfloat16'"),
    ],
)
def test_settings_that_cannot_work(data, changes, message):
    with pytest.raises(InputError, match=message):
        check_config(small_config(data, **changes))


@pytest.mark.parametrize("options", [{"stop_at": 0}, {"checkpoint_every": 0}])
def test_portions_that_cannot_work(data, tmp_path, options):
    with pytest.raises(InputError, match=f"`{next(iter(options))}` needs to be a whole number"):
        run(data, tmp_path, **options)


def test_broken_painting(data, tmp_path):
    (tmp_path / "broken.png").write_bytes(b"\x89PNG\r\n\x1a\n")
    styles = (StyleSpec("sunset", str(tmp_path / "broken.png")),)
    with pytest.raises(ImageError, match="style 'sunset'"):
        run(data, tmp_path / "out", settings={"styles": styles})


def test_broken_sample_photo(data, tmp_path):
    (tmp_path / "broken.png").write_text("no photo")
    with pytest.raises(ImageError, match="broken.png"):
        run(data, tmp_path / "out", sample_photos=[tmp_path / "broken.png"])
    assert not (tmp_path / "out").exists()


# ---------------------------------------------------------------- the model


def test_styles_differ(trainer):
    batch = batch_of(one_hot(0))
    pictures = [to_array(trainer({**batch, "mixing": one_hot(index)})) for index in range(4)]
    for i in range(4):
        for j in range(i):
            assert np.abs(pictures[i] - pictures[j]).mean() > 0.01


def test_one_hot_blend_is_that_style(trainer):
    """Exactly: the other styles enter with weight 0, and so do the photo's own numbers."""
    gamma, beta = (to_array(values) for values in trainer.table(np.eye(4, dtype=np.float32)))
    content = batch_of(one_hot(0))["content"]
    for index in range(1, 4):
        picture = trainer({"content": content, "mixing": one_hot(index)})
        vectors = {"gamma": gamma[[index] * 2], "beta": beta[[index] * 2]}
        expected = trainer.network({"content": content, **vectors})
        np.testing.assert_array_equal(to_array(picture), to_array(expected))


def test_identity_has_the_brightness_and_contrast_of_the_photo(trainer):
    """Also where its own numbers of the last layer say otherwise."""
    content = batch_of(one_hot(0))["content"]
    picture = to_array(trainer({"content": content, "mixing": one_hot(0)}))
    logits = [np.log(x / (1 - x)) for x in (picture, content.clip(0.04, 0.96))]
    found, expected = ((x.mean((1, 2)), x.std((1, 2))) for x in logits)
    np.testing.assert_allclose(found, expected, atol=0.01)


def test_blend_is_the_mean_of_the_vectors(trainer):
    mixing = np.array([[0.1, 0.2, 0.3, 0.4]], np.float32)
    for values, blended in zip(
        trainer.table(np.eye(4, dtype=np.float32)), trainer.table(mixing), strict=True
    ):
        np.testing.assert_allclose(blended, mixing @ to_array(values), rtol=1e-5)


def test_table_assignment(trainer):
    gamma, beta = np.arange(LAYOUT.style_size) / 7.0, np.arange(LAYOUT.style_size) / 9.0
    others = [to_array(v)[[0, 1, 3]] for v in trainer.table(np.eye(4, dtype=np.float32))]
    trainer.table.assign(2, gamma, beta)
    found = [to_array(values) for values in trainer.table(np.eye(4, dtype=np.float32))]
    np.testing.assert_allclose([found[0][2], found[1][2]], [gamma, beta], rtol=1e-5, atol=1e-6)
    np.testing.assert_array_equal([f[[0, 1, 3]] for f in found], others)


def test_training_one_style_leaves_the_others_alone(trainer):
    """Not only small gradients: none at all."""
    tables = (trainer.table.gamma_offset, trainer.table.beta_offset)
    before = [to_array(table).copy() for table in tables]
    kernel = to_array(trainer.network.get_layer("in_conv").kernel).copy()
    for step in range(1, 4):
        take_step(trainer, batch_of(one_hot(2)), step)
    for table, old in zip(tables, before, strict=True):
        new = to_array(table)
        np.testing.assert_array_equal(new[[0, 1, 3]], old[[0, 1, 3]])
        assert (new[2] != old[2]).mean() > 0.5
    assert (to_array(trainer.network.get_layer("in_conv").kernel) != kernel).any()


def grams_of(picture):
    """Plain Gram matrices of the style layers."""
    return [to_array(gram_matrix(f)) for f in small_vgg()(picture)[:-1]]


def test_target_of_a_style_is_its_painting(trainer):
    painting = draw_painting("checks").astype(np.float32)[None]
    targets = trainer.target_statistics(one_hot(1 + NAMES.index("checks"), batch=1))
    for found, expected in zip(targets[:5], grams_of(painting), strict=True):
        np.testing.assert_allclose(found, expected, atol=0.02 * np.abs(expected).max())


def test_target_of_a_blend_is_the_blended_target(trainer):
    mixing = np.array([[0.0, 0.5, 0.3, 0.2]], np.float32)
    pure = [trainer.target_statistics(one_hot(index, batch=1)) for index in (1, 2, 3)]
    for found, *parts in zip(trainer.target_statistics(mixing), *pure, strict=True):
        expected = sum(w * to_array(p) for w, p in zip((0.5, 0.3, 0.2), parts, strict=True))
        np.testing.assert_allclose(found, expected, rtol=1e-5, atol=1e-5 * np.abs(expected).max())


def test_target_of_the_identity_is_the_photo(trainer):
    """Half identity, half a style: half the photo's own Gram matrices, half the painting's."""
    photo = batch_of(one_hot(0))["content"]
    features, own = style_statistics(photo, small_vgg()(photo)), grams_of(photo)
    targets = trainer.target_statistics(one_hot(0), features)
    for found, expected in zip(targets[:5], own, strict=True):
        np.testing.assert_allclose(found, expected, rtol=1e-5)
    style = trainer.target_statistics(one_hot(3))
    half = trainer.target_statistics((one_hot(0) + one_hot(3)) / 2, features)
    for found, painted, expected in zip(half[:5], style[:5], own, strict=True):
        expected = (expected + to_array(painted)) / 2
        np.testing.assert_allclose(found, expected, rtol=1e-5, atol=1e-5 * np.abs(expected).max())


def losses_of(trainer, batch, picture):
    trainer.reset_metrics()
    total = float(trainer.compute_loss(x=batch, y_pred=picture))
    return {"total": total, **{t.name: float(t.result()) for t in trainer.metrics[1:]}}


def test_the_photo_itself_is_a_perfect_identity(trainer):
    """What is left is the photo's own variation, at weight 1."""
    batch = batch_of(one_hot(0))
    found = losses_of(trainer, batch, batch["content"])
    for name in ("style", "shift", "tone", "content", "identity"):
        assert found[name] == pytest.approx(0, abs=1e-9)
    for name in ("drawing", "light"):
        assert found[name] == pytest.approx(0, abs=0.02)
    variation = float(keras.ops.mean(total_variation_loss(batch["content"])))
    assert found["total"] == pytest.approx(variation, rel=1e-5)


def test_only_the_identity_is_asked_for_the_pixels(trainer):
    """A picture 0.1 too bright; of the two samples one is of the identity."""
    batch = batch_of([one_hot(0)[0], [0.5, 0.5, 0, 0]])
    found = losses_of(trainer, batch, batch["content"] + np.float32(0.1))
    assert found["identity"] == pytest.approx(0.05, rel=1e-4)


def test_total_is_the_weighted_sum(data):
    """By the formula, from the parts that the trackers hold; two samples of different styles."""
    specs = [
        replace(s, style_weight=w)
        for s, w in zip(small_config(data).styles, (1, 2, 6), strict=True)
    ]
    config = small_config(
        data,
        styles=tuple(specs),
        content_weight=3.0,
        shift_weight=0.25,
        identity_weight=5.0,
        total_variation_weight=7.0,
        detailed_weight=0.5,
        flat_weight=1.5,
        tone_weight=0.75,
        drawing_weight=2.0,
        light_weight=4.0,
    )
    trainer = build_trainer(config, vgg=small_vgg())
    picture = batch_of(one_hot(0), seed=10)["content"]
    for index, weight in ((0, 3.0), (2, 2.0), (3, 6.0)):
        batch = batch_of(one_hot(index))
        batch["detail"] = np.stack([detail_mask(photo) for photo in batch["content"]])
        found = losses_of(trainer, batch, picture)
        style = (found["style"] + 0.5 * found["detailed"] + 1.5 * found["flat"]) / 3
        expected = (
            weight * (style + 0.25 * found["shift"] + 0.75 * found["tone"])
            + 3 * found["content"]
            + 2 * found["drawing"]
            + 4 * found["light"]
            + 5 * found["identity"]
            + 7 * found["variation"]
        )
        assert found["total"] == pytest.approx(expected, rel=1e-4)
        assert (found["identity"] > 0) == (index == 0)


def test_stability_compares_the_first_picture_with_the_last(data):
    """0.1 apart at weight 2; the rest of the loss is the same without the term."""
    batch = batch_of(one_hot(1))
    batch["content"][1] = batch["content"][0]
    picture = batch["content"] + np.array([0, 0.1], np.float32)[:, None, None, None]
    found = []
    for weight in (0.0, 2.0):
        trainer = build_trainer(small_config(data, stability_weight=weight), vgg=small_vgg())
        found.append(losses_of(trainer, batch, picture))
    assert found[0]["stability"] == 0
    assert found[1]["stability"] == pytest.approx(0.1, rel=1e-4)
    assert found[1]["total"] - found[0]["total"] == pytest.approx(0.2, rel=1e-3)


def test_last_sample_of_a_stability_batch_is_the_first_disturbed(data):
    layout = replace(LAYOUT, noise_channels=2)
    config = small_config(data, layout=layout, stability_weight=1.0, batch_size=3)
    for step in range(5):
        batch = BatchSource(config).batch(step)
        for name in ("mixing", "noise"):
            np.testing.assert_array_equal(batch[name][2], batch[name][0])
        first, _, last = batch["content"]
        assert 0 < np.abs(last - first).mean() < 0.2
        assert last.min() >= 0
        assert last.max() <= 1


def test_each_loss_is_tracked_once(trainer):
    assert [metric.name for metric in trainer.metrics] == list(LOSS_NAMES)


def test_loss_falls(data):
    trainer = build_trainer(small_config(data, steps=40, learning_rate=5e-3), vgg=small_vgg())
    batch = batch_of([one_hot(1)[0], one_hot(3)[0]])
    losses = [take_step(trainer, batch, step)["loss"] for step in range(1, 41)]
    assert losses[-1] < 0.8 * losses[0]


def test_style_weight_zero_of_variation(trainer):
    flat = np.full((1, 32, 32, 3), 0.5, np.float32)
    assert float(total_variation_loss(flat)[0]) == 0


def test_drawing_is_blind_to_contrast_and_colour():
    """Channels scaled and shifted each by its own amount are the same drawing; noise is none."""
    rng = np.random.default_rng(0)
    photo = rng.normal(size=(2, 16, 16, 3)).astype(np.float32)
    scaled = photo * np.array([0.2, 1, 5], np.float32) + np.array([3, 0, -1], np.float32)
    assert to_array(drawing_loss(photo, photo)) == pytest.approx(0, abs=0.01)
    assert to_array(drawing_loss(scaled, photo)) == pytest.approx(0, abs=0.05)
    other = rng.normal(size=photo.shape).astype(np.float32)
    assert to_array(drawing_loss(other, photo)) == pytest.approx(2, abs=0.3)
    assert to_array(drawing_loss(-photo, photo)) == pytest.approx(4, abs=0.01)


def test_light_is_the_order_of_light_and_dark():
    """Darker and of less contrast is the same order, the negative the opposite one."""
    photo = np.random.default_rng(0).random((1, 64, 64, 3), np.float32)
    assert float(light_loss(0.5 * photo, photo)[0]) == pytest.approx(0, abs=0.02)
    assert float(light_loss(1 - photo, photo)[0]) == pytest.approx(2, abs=0.02)


def test_tone_by_hand():
    """Quantiles 0.1 too high along one of two directions, of which the other hardly varies."""
    wanted = np.stack([np.linspace(0, 1, 5), np.full(5, 0.5)], axis=1)[None]
    found = wanted + 0.1
    variance = np.linspace(0, 1, 5).var()
    expected = (0.01 / (variance + 0.0004) + 0.01 / 0.0004) / 2
    assert float(tone_loss(found, wanted)[0]) == pytest.approx(expected, rel=1e-4)


def test_detail_is_where_the_edges_are():
    """Noise in the left half alone; half of the positions each."""
    photo = np.full((96, 128, 3), 0.5, np.float32)
    photo[:, :64] = np.random.default_rng(0).random((96, 64, 3), np.float32)
    mask = detail_mask(photo)
    assert mask.shape == (96, 128, 1)
    assert mask[:, :48].min() == 1
    assert mask[:, 80:].max() == 0


def test_both_parts_of_a_picture_are_asked_for_the_painting(data):
    config = small_config(data, detailed_weight=1.0, flat_weight=1.0)
    trainer = build_trainer(config, vgg=small_vgg())
    batch = BatchSource(config).batch(0)
    assert batch["detail"].shape == (2, 32, 32, 1)
    own = style_statistics(batch["content"], small_vgg()(batch["content"]), batch["detail"])
    targets = trainer.target_statistics(one_hot(2), own)
    for detailed, flat, whole in zip(
        targets[NUM_WHOLE : NUM_WHOLE + 5], targets[NUM_WHOLE + 5 :], targets[:5], strict=True
    ):
        np.testing.assert_array_equal(detailed, whole)
        np.testing.assert_array_equal(flat, whole)
    identity = trainer.target_statistics(one_hot(0), own)
    for found, expected in zip(identity, own, strict=True):
        np.testing.assert_allclose(found, expected, rtol=1e-5)


def test_samples_that_share_a_photo(data):
    """Two styles a photo: the same loss as that of the photo given twice."""
    shared = small_config(data, batch_size=4, styles_per_photo=2)
    batch = BatchSource(shared).batch(3)
    assert batch["content"].shape == (2, 32, 32, 3)
    assert batch["mixing"].shape == (4, 4)
    trainer, found = build_trainer(shared, vgg=small_vgg()), []
    picture = to_array(trainer(batch))
    found.append(losses_of(trainer, batch, picture))
    alone = build_trainer(replace(shared, styles_per_photo=1), vgg=small_vgg())
    twice = {**batch, "content": np.repeat(batch["content"], 2, axis=0)}
    np.testing.assert_allclose(to_array(alone(twice)), picture, atol=1e-6)
    found.append(losses_of(alone, twice, picture))
    assert found[0] == pytest.approx(found[1], rel=1e-5)
    with pytest.raises(InputError, match="multiple of `styles_per_photo`. Received: batch_size=3"):
        check_config(replace(shared, batch_size=3))


def test_what_is_exported_is_the_average(data):
    """After two steps at momentum 0.75: 0.25 of the second state and 0.75 of the first."""
    config = small_config(data, averaging=0.75)
    trainer = build_trainer(config, vgg=small_vgg())
    kernel, states = trainer.network.get_layer("in_conv").kernel, []
    for step in (1, 2):
        take_step(trainer, batch_of(one_hot(1)), step)
        states.append(to_array(kernel).copy())
    with averaged(trainer):
        found = to_array(kernel).copy()
    np.testing.assert_allclose(found, 0.75 * states[0] + 0.25 * states[1], atol=1e-6)
    np.testing.assert_array_equal(to_array(kernel), states[1])


# ---------------------------------------------------------------- a run and its folder


def test_results_of_a_run(finished, data):
    assert TrainConfig.load(finished / "config.json") == small_config(data)
    layout, kernels = load_network(finished / "network.safetensors")
    styles = trained_styles(finished)
    assert layout == LAYOUT
    assert list(styles) == ["identity", *NAMES]
    assert styles["waves"].source == "drawn waves"
    for style in styles.values():
        assert (style.engine, style.network) == ("cin", network_id(kernels))
        assert style.arrays["gamma"].shape == (LAYOUT.style_size,)
    assert not list(finished.rglob("*.tmp"))


def test_sample_sheet(finished):
    """Four photos down, the identity and three styles across."""
    sheet = Image.open(finished / "samples" / "step-000012.jpg")
    assert sheet.width > 4 * 192
    assert sheet.height > 4 * 192
    assert np.asarray(sheet.convert("L")).std() > 10


def test_log(finished):
    rows = logged(finished)
    assert list(rows[0]) == ["step", *LOSS_NAMES, "seconds"]
    assert [int(row["step"]) for row in rows] == list(range(1, 13))
    assert all(float(row["loss"]) > 0 for row in rows)
    seconds = [float(row["seconds"]) for row in rows]
    assert seconds == sorted(seconds)


def test_progress(data, tmp_path):
    calls = []
    run(data, tmp_path, stop_at=2, progress=lambda *call: calls.append(call))
    assert [call[:2] for call in calls] == [(1, 2), (2, 2)]
    assert calls[0][2].startswith("loss ")
    assert " style " in calls[0][2]


def test_resumed_run_equals_uninterrupted_one(data, finished, tmp_path):
    """Every weight, every moment of the optimiser, and the step, bit for bit."""
    run(data, tmp_path, stop_at=5)
    assert [row["step"] for row in logged(tmp_path)] == [str(step) for step in range(1, 6)]
    run(data, tmp_path)
    assert_same_state(tmp_path, finished)
    assert trained_styles(tmp_path) == trained_styles(finished)
    for row, expected in zip(logged(tmp_path), logged(finished), strict=True):
        assert {**row, "seconds": ""} == {**expected, "seconds": ""}
    seconds = [float(row["seconds"]) for row in logged(tmp_path)]
    assert seconds == sorted(seconds)


def test_killed_run_repeats_the_steps_after_its_checkpoint(data, finished, tmp_path):
    def kill(step, *_):
        if step == 7:
            raise RuntimeError("killed")

    with pytest.raises(RuntimeError, match="killed"):
        run(data, tmp_path, checkpoint_every=4, progress=kill)
    assert int(checkpoint(tmp_path)["optimizer/0000/iteration"]) == 4
    assert len(logged(tmp_path)) == 7
    run(data, tmp_path)
    assert_same_state(tmp_path, finished)
    assert [int(row["step"]) for row in logged(tmp_path)] == list(range(1, 13))


def test_interrupted_run_saves_its_last_step(data, finished, tmp_path, caplog, monkeypatch):
    """Ctrl-C in the middle of the third step: the step is finished, saved and said."""
    original = StyleTrainer.train_on_batch

    def interrupted(self, *args, **kwargs):
        if int(to_array(self.optimizer.iterations)) == 2:
            signal.raise_signal(signal.SIGINT)
        return original(self, *args, **kwargs)

    monkeypatch.setattr(StyleTrainer, "train_on_batch", interrupted)
    with pytest.raises(KeyboardInterrupt):
        run(data, tmp_path)
    assert int(checkpoint(tmp_path)["optimizer/0000/iteration"]) == 3
    assert "stopped after step 3; its checkpoint is written" in caplog.text
    assert len(logged(tmp_path)) == 3
    monkeypatch.undo()
    run(data, tmp_path)
    assert_same_state(tmp_path, finished)


def test_interruption_before_the_first_step_saves_nothing(data, tmp_path, monkeypatch, caplog):
    def interrupted(self, *args, **kwargs):
        raise KeyboardInterrupt

    monkeypatch.setattr(StyleTrainer, "train_on_batch", interrupted)
    with pytest.raises(KeyboardInterrupt):
        run(data, tmp_path)
    assert not (tmp_path / "checkpoint.safetensors").exists()
    assert not caplog.records


def test_interrupts_elsewhere_are_not_held():
    """In another thread there are none; a program's own handler stays in charge."""
    errors = []

    def hold():
        try:
            with train_module._held_interrupt():
                pass
        except BaseException as error:
            errors.append(error)

    thread = threading.Thread(target=hold)
    thread.start()
    thread.join()
    assert not errors
    caught = []
    previous = signal.signal(signal.SIGINT, lambda number, frame: caught.append(number))
    try:
        with train_module._held_interrupt():
            signal.raise_signal(signal.SIGINT)
            assert caught == [signal.SIGINT]
    finally:
        signal.signal(signal.SIGINT, previous)


def test_finished_run_has_nothing_left_to_do(data, finished, tmp_path):
    """Only the results are written again, should they be missing."""
    for name, value in contents(finished).items():
        if name not in ("network.safetensors", "styles.safetensors"):
            (tmp_path / name).write_bytes(value)
    run(data, tmp_path)
    assert trained_styles(tmp_path) == trained_styles(finished)
    for name in ("checkpoint.safetensors", "log.csv"):
        assert (tmp_path / name).read_bytes() == (finished / name).read_bytes()


def test_changing_what_may_change(data, finished, tmp_path):
    for name, value in contents(finished).items():
        (tmp_path / name).write_bytes(value)
    changes = {
        "steps": 20,
        "crop_size": 36,
        "batch_size": 1,
        "learning_rate": 1e-4,
        "content_weight": 2.0,
        "styles": tuple(replace(s, style_weight=1.0) for s in small_config(data).styles),
    }
    run(data, tmp_path, stop_at=13, settings=changes)
    assert int(checkpoint(tmp_path)["optimizer/0000/iteration"]) == 13
    assert [int(row["step"]) for row in logged(tmp_path)] == list(range(1, 14))
    assert TrainConfig.load(tmp_path / "config.json").steps == 20


@pytest.mark.parametrize("kind", ["order", "names", "fewer", "layout"])
def test_run_of_other_settings_is_refused(data, finished, tmp_path, kind):
    for name, value in contents(finished).items():
        (tmp_path / name).write_bytes(value)
    (tmp_path / "samples").mkdir()
    before, styles = contents(tmp_path), small_config(data).styles
    changes = {
        "order": {"styles": styles[::-1]},
        "names": {"styles": (*styles[:2], replace(styles[2], name="ripples"))},
        "fewer": {"styles": styles[:2]},
        "layout": {"layout": CinLayout((4, 8, 16), 2, 3)},
    }[kind]
    setting = "layout" if kind == "layout" else "styles"
    with pytest.raises(CheckpointError, match=f"run with another setting `{setting}`. Expected"):
        run(data, tmp_path, settings=changes)
    assert contents(tmp_path) == before


def test_loss_that_is_not_a_number(data, tmp_path):
    run(data, tmp_path, stop_at=2)
    before = contents(tmp_path)
    with pytest.raises(InputError, match=r"The loss is (nan|inf) at step \d+: `learning_rate` is"):
        run(data, tmp_path, settings={"learning_rate": 1e30}, checkpoint_every=1000)
    after = contents(tmp_path)
    for name in ("checkpoint.safetensors", "network.safetensors", "styles.safetensors"):
        assert after[name] == before[name]


# ---------------------------------------------------------------- checkpoints


@pytest.fixture
def saved(trainer, tmp_path):
    path = tmp_path / "checkpoint.safetensors"
    save_checkpoint(trainer, 0, path)
    return path


def rewrite(path, change, metadata=None):
    arrays = load_file(path)
    change(arrays)
    save_file(arrays, path, metadata)


def test_names_in_a_checkpoint(saved):
    """Pinned: checkpoints of runs that are under way have to be readable."""
    names = sorted(load_file(saved))
    assert len(names) == 10 + 1 + 2 * 10
    assert names[:2] == ["model/0000/kernel", "model/0001/kernel"]
    assert names[8:13] == [
        "model/0008/gamma_offset",
        "model/0009/beta_offset",
        "optimizer/0000/iteration",
        "optimizer/0001/in_conv_kernel_momentum",
        "optimizer/0002/in_conv_kernel_velocity",
    ]
    assert names[-1] == "optimizer/0020/styles_beta_offset_velocity"


def test_checkpoint_round_trip(trainer, tmp_path):
    take_step(trainer, batch_of(one_hot(1)), 1)
    for name in ("a", "b"):
        (tmp_path / name).mkdir()
    path = tmp_path / "a" / "checkpoint.safetensors"
    save_checkpoint(trainer, 1, path)
    take_step(trainer, batch_of(one_hot(2)), 2)
    assert load_checkpoint(trainer, path) == 1
    save_checkpoint(trainer, 1, tmp_path / "b" / path.name)
    assert_same_state(tmp_path / "a", tmp_path / "b")
    with safe_open(path, framework="numpy") as file:
        assert file.metadata()["step"] == "1"


def test_no_checkpoint(trainer, tmp_path):
    assert load_checkpoint(trainer, tmp_path / "none") == 0


def test_checkpoint_without_settings(trainer, saved):
    """As older versions wrote it."""
    rewrite(saved, lambda arrays: None, {"step": "0"})
    assert load_checkpoint(trainer, saved) == 0


def drop(arrays):
    del arrays["model/0003/kernel"]


def add(arrays):
    arrays["model/0099/kernel"] = np.zeros(3, np.float32)


def reshape(arrays):
    arrays["model/0000/kernel"] = arrays["model/0000/kernel"][:2].copy()


def widen(arrays):
    arrays["model/0000/kernel"] = arrays["model/0000/kernel"].astype(np.float64)


def spoil(arrays):
    arrays["model/0001/kernel"][0, 0, 0, 0] = np.nan


def rewind(arrays):
    arrays["optimizer/0000/iteration"] = np.array(-5)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (drop, "array 'model/0003/kernel' differs. Expected float32 .* Received: no such array"),
        (add, "array 'model/0099/kernel' differs. Expected no such array. Received: float32"),
        (reshape, r"'model/0000/kernel' differs. Expected float32 \(3, 3, 3, 4\). Received: f"),
        (widen, "array 'model/0000/kernel' differs. Expected float32 .* Received: F64"),
        (spoil, "array 'model/0001/kernel' holds NaN or infinite values"),
        (rewind, "is damaged: it is of step -5"),
    ],
)
def test_checkpoint_with_wrong_arrays(trainer, saved, change, message):
    rewrite(saved, change)
    assert_refused(trainer, saved, message)


@pytest.mark.parametrize("kind", ["empty", "text", "cut", "huge header", "folder"])
def test_damaged_checkpoint(trainer, saved, kind):
    whole = saved.read_bytes()
    saved.unlink()
    if kind == "folder":
        saved.mkdir()
    else:
        saved.write_bytes(
            {
                "empty": b"",
                "text": b"no checkpoint",
                "cut": whole[: len(whole) // 2],
                "huge header": (2**60).to_bytes(8, "little") + whole[8:],
            }[kind]
        )
    assert_refused(trainer, saved, "is not a readable checkpoint")


def assert_refused(trainer, path, message):
    """Nothing of a refused checkpoint is taken over."""
    variables = [*trainer.trainable_variables, *trainer.optimizer.variables]
    before = [to_array(variable).copy() for variable in variables]
    with pytest.raises(CheckpointError, match=message):
        load_checkpoint(trainer, path)
    for variable, value in zip(variables, before, strict=True):
        np.testing.assert_array_equal(to_array(variable), value)


def test_damaged_checkpoint_stops_a_run(data, tmp_path):
    (tmp_path / "checkpoint.safetensors").write_text("no checkpoint")
    (tmp_path / "log.csv").write_text("precious")
    with pytest.raises(CheckpointError, match="is not a readable checkpoint"):
        run(data, tmp_path)
    assert contents(tmp_path) == {
        "checkpoint.safetensors": b"no checkpoint",
        "log.csv": b"precious",
    }


def test_weights_that_are_not_numbers_are_not_saved(trainer, saved):
    before = saved.read_bytes()
    trainer.table.assign(1, np.full(LAYOUT.style_size, np.nan), np.zeros(LAYOUT.style_size))
    with pytest.raises(CheckpointError, match="after step 7, which is not saved: array 'model/00"):
        save_checkpoint(trainer, 7, saved)
    assert saved.read_bytes() == before


def test_start_from_a_trained_network(data, finished):
    """Kernels and known styles are taken over; a new style starts as the mean of the known."""
    styles = (*small_config(data).styles[:2], StyleSpec("new", str(data / "styles" / "waves.png")))
    styles = tuple(replace(style, style_size=40) for style in styles)
    trainer = build_trainer(small_config(data, styles=styles), vgg=small_vgg())
    start_from(trainer, finished)
    _, kernels = load_network(finished / "network.safetensors")
    for name, kernel in kernels.items():
        found = to_array(trainer.network.get_layer(f"{name}_conv").kernel)
        np.testing.assert_array_equal(found, kernel)
    known = trained_styles(finished)
    gamma = to_array(trainer.table(np.eye(4, dtype=np.float32))[0])
    np.testing.assert_allclose(gamma[1], known["stripes"].arrays["gamma"], rtol=1e-5)
    mean = np.mean([style.arrays["gamma"] for style in known.values()], axis=0)
    np.testing.assert_allclose(gamma[3], mean, rtol=1e-5)


def test_new_parts_of_the_network_start_closed(data, finished):
    """What the trained network lacks of them does not change its pictures."""
    layout = replace(LAYOUT, skip_connections=True, noise_channels=2, num_residual_blocks=2)
    trainer = build_trainer(small_config(data, layout=layout), vgg=small_vgg())
    start_from(trainer, finished)
    old = build_trainer(small_config(data), vgg=small_vgg())
    start_from(old, finished)
    batch = batch_of(one_hot(2))
    noise = np.random.default_rng(0).normal(size=(2, 8, 8, 2)).astype(np.float32)
    picture = to_array(trainer({**batch, "noise": noise}))
    np.testing.assert_allclose(picture, to_array(old(batch)), atol=1e-6)
    # Closed, but not dead: the new block's own gammas can open it.
    losses = [take_step(trainer, {**batch, "noise": noise}, step) for step in (1, 2)]
    assert all(np.isfinite(loss["loss"]) for loss in losses)
    ends = np.cumsum([c.filters for c in layout.convolutions()])
    index = [c.name for c in layout.convolutions()].index("residual2b")
    gamma = to_array(trainer.table(np.eye(4, dtype=np.float32))[0])
    assert np.abs(gamma[2, ends[index - 1] : ends[index]]).max() > 0


def test_a_network_with_fewer_blocks_is_refused(data, finished, tmp_path):
    layout = replace(LAYOUT, num_residual_blocks=0)
    with pytest.raises(CheckpointError, match="has another layout"):
        run(data, tmp_path, settings={"layout": layout, "initial": str(finished)})


def test_start_from_another_layout(data, finished, tmp_path):
    with pytest.raises(CheckpointError, match="has another layout. Expected CinLayout"):
        run(data, tmp_path, settings={"layout": CinLayout((4, 8), 1, 3), "initial": str(finished)})


def test_start_from_nothing(data, tmp_path):
    with pytest.raises(WeightsUnavailable, match="No cin network in"):
        run(data, tmp_path, settings={"initial": str(tmp_path / "nowhere")})


def test_exported_styles_render_what_the_trainer_renders(trainer, tmp_path):
    export(trainer, tmp_path)
    style = trained_styles(tmp_path)["checks"]
    gamma, beta = (to_array(values)[2] for values in trainer.table(np.eye(4, dtype=np.float32)))
    np.testing.assert_array_equal(style.arrays["gamma"], gamma)
    np.testing.assert_array_equal(style.arrays["beta"], beta)
    assert isinstance(style, Embedding)


# ---------------------------------------------------------------- the log


def write_log(path, *rows):
    lines = [",".join(COLUMNS), *rows]
    path.write_text("\r\n".join(lines))


def row(step):
    return ",".join([str(step), *"1" * len(LOSS_NAMES), f"{step}.5"])


def test_log_goes_on_after_the_checkpoint(tmp_path):
    path = tmp_path / "log.csv"
    write_log(path, row(1), row(2), row(3))
    LossLog(path, 2).add(3, dict.fromkeys(LOSS_NAMES, 0.25))
    rows = logged(tmp_path)
    assert [row["step"] for row in rows] == ["1", "2", "3"]
    assert rows[2]["loss"] == "0.25"
    assert float(rows[2]["seconds"]) >= 2.5


@pytest.mark.parametrize("cut", ["2", "2,0.1", "", "x,,,"])
def test_row_cut_short_is_dropped(tmp_path, cut):
    path = tmp_path / "log.csv"
    write_log(path, row(1), row(2), cut)
    LossLog(path, 5)
    assert [row["step"] for row in logged(tmp_path)] == ["1", "2"]


def test_log_with_other_columns(tmp_path):
    """Of an older version: what it has is kept."""
    path = tmp_path / "log.csv"
    path.write_text("step,loss,old,seconds\n1,2.5,7,3.0\n")
    LossLog(path, 1)
    (found,) = logged(tmp_path)
    assert list(found) == list(COLUMNS)
    assert (found["loss"], found["style"]) == ("2.5", "")


@pytest.mark.parametrize("content", [b"", b"\x00\xff\xfe", b"no,log\n1,2"])
def test_log_that_is_none(tmp_path, content):
    path = tmp_path / "log.csv"
    path.write_bytes(content)
    LossLog(path, 3)
    assert logged(tmp_path) == []


def test_new_run_starts_a_new_log(tmp_path):
    path = tmp_path / "log.csv"
    write_log(path, row(1))
    LossLog(path, 0)
    assert logged(tmp_path) == []


def test_running_means():
    """1 moves a hundredth of the way to 3."""
    means = RunningMeans()
    losses = {"loss": 1.0, "style": 0.5, "content": 0.25}
    assert means.add(losses) == "loss 1.000 style 0.500 content 0.250"
    assert means.add({**losses, "loss": 3.0}) == "loss 1.020 style 0.500 content 0.250"


# ---------------------------------------------------------------- devices and backends


@pytest.mark.parametrize(
    ("precision", "cpu", "fast", "policy"),
    [
        ("float32", True, True, "float32"),
        ("bfloat16", True, False, "mixed_bfloat16"),
        ("auto", True, True, "mixed_bfloat16"),
        ("auto", True, False, "float32"),
        ("auto", False, False, "mixed_bfloat16"),
    ],
)
def test_dtype_policy(monkeypatch, precision, cpu, fast, policy):
    monkeypatch.setattr(devices, "_on_cpu", lambda: cpu)
    monkeypatch.setattr(devices, "has_fast_bfloat16", lambda: fast)
    assert devices.dtype_policy(precision) == policy


def test_unknown_precision():
    with pytest.raises(InputError, match="`precision` is one of 'auto', 'float32', 'bfloat16'"):
        devices.dtype_policy("half")


def test_one_device_needs_no_scope():
    with devices.device_scope(3) as scope:
        assert scope is None


def test_batch_that_cannot_be_split(monkeypatch):
    monkeypatch.setattr(keras.backend, "backend", lambda: "jax")
    monkeypatch.setattr(keras.distribution, "list_devices", lambda kind=None: ["gpu:0", "gpu:1"])
    with pytest.raises(InputError, match="multiple of the number of devices, 2. Received: 3"):
        devices.device_scope(3)


def test_several_gpus_with_tensorflow(monkeypatch, caplog):
    monkeypatch.setattr(keras.backend, "backend", lambda: "tensorflow")
    monkeypatch.setattr(keras.distribution, "list_devices", lambda kind=None: ["gpu:0", "gpu:1"])
    with devices.device_scope(3):
        pass
    assert "TensorFlow uses one of the GPUs" in caplog.text


BACKEND_SCRIPT = """
import sys
from pathlib import Path
import keras, numpy as np
from small_training import small_config, small_vgg, write_data
from arbitrary_nst.training.checkpoint import assign_kernels
from arbitrary_nst.training.data import BatchSource
from arbitrary_nst.training.devices import device_scope, dtype_policy
from arbitrary_nst.training.train import build_trainer, take_step, train

data, out = Path(sys.argv[1]), Path(sys.argv[2])
config, vgg = small_config(data), small_vgg()
for index, layer in enumerate(layer for layer in vgg.layers if layer.weights):
    layer.set_weights([np.random.default_rng(index).normal(0, 0.2, w.shape) for w in layer.weights])
trainer = build_trainer(config, vgg=vgg)
assign_kernels(trainer, {
    c.name: np.random.default_rng(len(c.name)).normal(
        0, 0.2, (c.kernel_size, c.kernel_size, c.inputs, c.filters))
    for c in config.layout.convolutions()
})
batch = BatchSource(config).batch(0)
picture = keras.ops.convert_to_array(trainer(batch))
losses = [take_step(trainer, BatchSource(config).batch(i), i + 1) for i in range(3)]
np.savez(out / "found.npz", picture=picture, losses=[list(step.values()) for step in losses])
dtype_policy("auto")
train(config, out / "whole", vgg=vgg)
train(config, out / "parts", vgg=vgg, stop_at=5)
train(config, out / "parts", vgg=vgg)
print(keras.backend.backend(), len(keras.distribution.list_devices()) if "jax" in sys.argv else 1)
"""


def run_backend(backend, data, out, **variables):
    out.mkdir()
    folders = [str(Path(__file__).parent), str(Path(__file__).parents[1])]
    path = os.pathsep.join([*folders, os.environ.get("PYTHONPATH", "")])
    environment = {**os.environ, "KERAS_BACKEND": backend, "PYTHONPATH": path, **variables}
    command = [sys.executable, "-c", BACKEND_SCRIPT, str(data), str(out), backend]
    done = subprocess.run(command, check=False, env=environment, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr[-4000:]
    return np.load(out / "found.npz"), done.stdout.split()


@pytest.mark.slow
@pytest.mark.parametrize(("backend", "module"), [("jax", "jax"), ("torch", "torch")])
def test_other_backends(data, tmp_path, backend, module):
    """The same picture within 1e-5, the same losses, and runs that resume."""
    if importlib.util.find_spec(module) is None:
        pytest.skip(f"{module} is not installed")
    expected, _ = run_backend("tensorflow", data, tmp_path / "tensorflow")
    found, said = run_backend(backend, data, tmp_path / backend)
    assert said == [backend, "1"]
    np.testing.assert_allclose(found["picture"], expected["picture"], atol=1e-5)
    np.testing.assert_allclose(found["losses"], expected["losses"], rtol=1e-3, atol=1e-5)
    assert_same_state(tmp_path / backend / "whole", tmp_path / backend / "parts")


@pytest.mark.slow
def test_batch_over_two_devices(data, tmp_path):
    """Two devices that each take half of the batch come to the same losses."""
    if importlib.util.find_spec("jax") is None:
        pytest.skip("jax is not installed")
    expected, _ = run_backend("tensorflow", data, tmp_path / "tensorflow")
    flags = {"XLA_FLAGS": "--xla_force_host_platform_device_count=2"}
    found, said = run_backend("jax", data, tmp_path / "jax", **flags)
    assert said == ["jax", "2"]
    np.testing.assert_allclose(found["losses"], expected["losses"], rtol=1e-3, atol=1e-5)
    one = logged(tmp_path / "tensorflow" / "whole")
    two = logged(tmp_path / "jax" / "whole")
    assert len(one) == len(two) == 12
    assert_same_state(tmp_path / "jax" / "whole", tmp_path / "jax" / "parts")
