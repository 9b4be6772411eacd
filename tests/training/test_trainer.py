"""The model that is trained, its targets and losses."""

from dataclasses import replace

import keras
import numpy as np
import pytest
from small_runs import batch_of, one_hot
from small_training import LAYOUT, NAMES, draw_painting, small_config, small_vgg

from arbitrary_nst.errors import InputError
from arbitrary_nst.networks.detail import detail_mask
from arbitrary_nst.networks.losses import LUMA, total_variation_loss
from arbitrary_nst.networks.vgg import gram_matrix
from arbitrary_nst.training.checkpoint import averaged
from arbitrary_nst.training.config import PaintingSpec, check_config
from arbitrary_nst.training.data import BatchSource, load_style
from arbitrary_nst.training.statistics import (
    NUM_WHOLE,
    painting_statistics,
    style_statistics,
    to_array,
)
from arbitrary_nst.training.train import build_trainer, take_step
from arbitrary_nst.training.trainer import LOSS_NAMES


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
        local_drawing_weight=1.5,
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
            + 1.5 * found["local_drawing"]
            + 4 * found["light"]
            + 5 * found["identity"]
            + 7 * found["variation"]
        )
        assert found["total"] == pytest.approx(expected, rel=1e-4)
        assert (found["identity"] > 0) == (index == 0)
        assert found["local_drawing"] > 0.1


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


def test_parts_follow_the_paintings_own_parts(data):
    """At 0.25 a quarter of the way from the painting to its half, at 0 not at all."""
    config = small_config(data, detailed_weight=1.0, flat_weight=1.0, matched_parts=0.25)
    trainer = build_trainer(config, vgg=small_vgg())
    painting = load_style(config.styles[1], config.styles[1].style_size)
    # Half of it is calm, so that its halves differ.
    calm = np.where(np.arange(40)[:, None, None] < 20, painting, 0.5).astype(np.float32)
    own = style_statistics(calm[None], small_vgg()(calm[None]), detail_mask(calm)[None])
    targets = painting_statistics(small_vgg(), [calm], [0.25])
    for whole, targeted, part in zip(
        own[:5] * 2, targets[NUM_WHOLE:], own[NUM_WHOLE:], strict=True
    ):
        expected = 0.75 * to_array(whole) + 0.25 * to_array(part)
        np.testing.assert_allclose(targeted, expected, rtol=1e-5, atol=1e-6)
    assert not np.allclose(targets[NUM_WHOLE], targets[NUM_WHOLE + 5], rtol=0.01)
    assert len(painting_statistics(small_vgg(), [calm])) == NUM_WHOLE
    batch = BatchSource(config).batch(0)
    photo = style_statistics(batch["content"], small_vgg()(batch["content"]), batch["detail"])
    known = painting_statistics(small_vgg(), [painting], [0.25])
    for found, expected in zip(trainer.target_statistics(one_hot(2), photo), known, strict=True):
        np.testing.assert_allclose(found[:1], expected, rtol=1e-4, atol=1e-6)
    with pytest.raises(InputError, match="`matched_parts` goes from 0 to 1. Received: 1.5"):
        check_config(replace(config, matched_parts=1.5))


def test_a_style_has_its_own_share_of_parts(data):
    """`matched_parts` of a style stands above that of all, 0 included."""
    config = small_config(data, detailed_weight=1.0, flat_weight=1.0)
    assert config.shares_of_parts() == ()
    first, *others = config.styles
    styles = (replace(first, matched_parts=0.5), *others)
    own, other = replace(config, styles=styles), replace(config, styles=styles, matched_parts=0.25)
    assert own.shares_of_parts() == (0.5, 0.0, 0.0)
    assert other.shares_of_parts() == (0.5, 0.25, 0.25)
    paintings = [load_style(style, style.style_size) for style in styles]
    batch = BatchSource(own).batch(0)
    photo = style_statistics(batch["content"], small_vgg()(batch["content"]), batch["detail"])
    targets = build_trainer(own, vgg=small_vgg()).target_statistics(one_hot(1), photo)
    known = painting_statistics(small_vgg(), [paintings[0]], [0.5])
    for found, expected in zip(targets, known, strict=True):
        np.testing.assert_allclose(found[:1], expected, rtol=1e-4, atol=1e-6)
    unmatched = build_trainer(own, vgg=small_vgg()).target_statistics(one_hot(2), photo)
    for whole, part in zip(unmatched[:5] * 2, unmatched[NUM_WHOLE:], strict=True):
        np.testing.assert_allclose(part, whole, rtol=1e-5, atol=1e-6)
    wrong = replace(own, styles=(replace(first, matched_parts=-0.1), *others))
    with pytest.raises(InputError, match=f"`matched_parts` of style '{first.name}' goes from 0"):
        check_config(wrong)


def test_drawn_paintings_have_parts_too(data):
    """The loss of a painting of the list is that of the same one by name."""
    config = small_config(data, detailed_weight=1.0, flat_weight=1.0, matched_parts=0.5)
    files = [PaintingSpec(style.file, style.name) for style in config.styles]
    drawn = replace(config, paintings=tuple(files), paintings_per_batch=1, painting_crop=40)
    batch = BatchSource(drawn).batch(0)
    assert batch["painting_detail"].shape == (1, 40, 40, 1)
    assert batch["mixing"].shape == (2, 5)
    painting = load_style(config.styles[1], config.styles[1].style_size)
    batch["paintings"] = painting[None]
    batch["painting_detail"] = detail_mask(painting)[None]
    trainer, found = build_trainer(drawn, vgg=small_vgg()), []
    picture = batch["content"] ** 2
    for column in (2, 4):
        batch["mixing"] = np.eye(5, dtype=np.float32)[[column, column]]
        found.append(losses_of(trainer, batch, picture))
    assert found[0]["flat"] > 0
    assert found[0] == pytest.approx(found[1], rel=1e-3)


def test_a_photo_is_compared_in_the_colours_of_the_picture(data):
    """A picture that is the photo in other colours has no content loss, one of other luma has."""
    config = small_config(data, palette_weight=1.0, batch_size=4, styles_per_photo=2)
    batch = BatchSource(config).batch(3)
    photo = 0.35 + 0.3 * np.repeat(batch["content"], 2, axis=0)
    batch["content"] = photo[::2]
    other = np.array([0.3, -0.2, 0.0], np.float32)
    other = photo + other - other @ LUMA
    found = losses_of(build_trainer(config, vgg=small_vgg()), batch, other)
    assert found["content"] < 1e-6
    assert found["drawing"] < 0.05
    asked = replace(config, palette_weight=0.0)
    own = losses_of(build_trainer(asked, vgg=small_vgg()), batch, other)
    assert own["content"] > 0.01
    trainer = build_trainer(config, vgg=small_vgg())
    assert losses_of(trainer, batch, 1 - photo)["content"] > 0.01
    for name in ("style", "tone", "light"):
        assert found[name] == pytest.approx(own[name], rel=1e-4)


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
