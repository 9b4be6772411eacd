"""The vgg19 engine, on a small VGG with random kernels."""

import itertools
import logging
import os
import threading
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import tensorflow as tf
from small_training import draw_painting, draw_photo, small_vgg

from arbitrary_nst import api
from arbitrary_nst.cli import main
from arbitrary_nst.embedding import Embedding, blend
from arbitrary_nst.engines import check_engine, vgg19
from arbitrary_nst.engines.vgg19 import RenderError, Vgg19, Vgg19Settings, scale_shapes
from arbitrary_nst.engines.vgg19 import engine as module
from arbitrary_nst.engines.vgg19.styles import looked_at_sizes, moments_for, photo_share
from arbitrary_nst.errors import (
    CheckpointError,
    ImageError,
    ImageNotFound,
    InputError,
    StopPainting,
    StyleError,
    WeightsUnavailable,
)
from arbitrary_nst.image import to_pil
from arbitrary_nst.image.arrays import LUMA, keep_color
from arbitrary_nst.networks.vgg import STYLE_LAYERS, gram_matrix

SETTINGS = Vgg19Settings(
    iterations=(12, 8), coarsest=64, style_size=40, tolerance=0, init="content", style_weight=8.0
)


def engine_with(**changes):
    checkpoint = changes.pop("checkpoint", None)
    return Vgg19(settings=replace(SETTINGS, **changes), vgg=small_vgg(), checkpoint=checkpoint)


@pytest.fixture(scope="module")
def engine():
    return engine_with()


@pytest.fixture(scope="module")
def content():
    return draw_photo(0, 48, 64).astype(np.float32)


@pytest.fixture(scope="module")
def paintings():
    names = ("waves", "checks", "stripes")
    return [draw_painting(name).clip(0, 1).astype(np.float32) for name in names]


@pytest.fixture(scope="module")
def styles(engine, paintings):
    return [engine.embed(painting) for painting in paintings]


def losses(engine, content, style):
    return [step.loss for step in engine.render_steps(content, style)]


# ---------------------------------------------------------------- embeddings


def grams_at(embedding, size=40):
    return [gram for gram, _ in moments_for(embedding, (size,), size)]


def test_an_embedding_has_the_moments_of_each_layer(engine, paintings):
    found = engine.embed(paintings[0])
    features = small_vgg()(paintings[0][None])
    moments = moments_for(found, (40,), 40)
    for layer, values, (gram, mean) in zip(STYLE_LAYERS, features, moments, strict=False):
        flat = values.numpy().reshape(-1, values.shape[-1])
        expected = flat.T @ flat / len(flat)
        np.testing.assert_allclose(gram, expected, rtol=1e-4, atol=1e-4)
        np.testing.assert_allclose(mean, flat.mean(axis=0), rtol=1e-4, atol=1e-4)
        triangle = expected[np.triu_indices(len(expected))]
        np.testing.assert_allclose(found.arrays[f"{layer} 40"], triangle, rtol=1e-3)


def test_a_painting_is_looked_at_in_several_sizes(paintings):
    """Strokes grow with the picture: each scale has the painting at its own size."""
    assert looked_at_sizes(512) == (512, 362, 256, 181, 128)
    assert looked_at_sizes(60) == (60,)
    found = engine_with(style_size=256).embed(paintings[0])
    sizes = looked_at_sizes(256)
    large, small = (moments_for(found, sizes, side)[0][0] for side in (900, 100))
    alone = {size: engine_with(style_size=size).embed(paintings[0]) for size in (256, 128)}
    np.testing.assert_array_equal(large, moments_for(alone[256], (256,), 256)[0][0])
    np.testing.assert_array_equal(small, moments_for(alone[128], (128,), 128)[0][0])
    assert np.abs(large - small).max() > 1e-3


def test_a_style_of_an_earlier_version(engine, content, paintings, styles):
    """Gram matrices at one size: painted without covariances, at every scale."""
    arrays = {layer: styles[0].arrays[f"{layer} 40"] for layer in STYLE_LAYERS}
    earlier = Embedding("vgg19", engine.network, arrays, name="old")
    plain = engine_with(covariance_weight=0.0, iterations=(3,))
    np.testing.assert_array_equal(
        engine_with(iterations=(3,)).render(content, earlier), plain.render(content, styles[0])
    )


def test_the_blended_loss_has_the_gradient_of_the_blended_style(engine, content, paintings):
    """Of losses that are not yet divided by the norm of their target, as the class explains."""
    weights = [0.5, 0.3, 0.2]
    grams = [gram_matrix(small_vgg()(p[None])[1]) for p in paintings]
    mean = sum(w * g for w, g in zip(weights, grams, strict=True))
    picture = tf.constant(content[None])

    def gradient(pairs):
        with tf.GradientTape() as tape:
            tape.watch(picture)
            found = gram_matrix(small_vgg()(picture)[1])
            loss = sum(w * tf.reduce_sum((found - g) ** 2) for w, g in pairs)
        return tape.gradient(loss, picture).numpy()

    one, many = gradient([(1, mean)]), gradient(zip(weights, grams, strict=True))
    np.testing.assert_allclose(one, many, atol=1e-4 * np.abs(many).max())


def test_blending_embeddings_blends_gram_matrices(engine, styles):
    mixed = blend(styles, [2, 1, 1])
    parts = [grams_at(style) for style in styles]
    for layer, found in enumerate(grams_at(mixed)):
        expected = sum(w * p[layer] for w, p in zip((0.5, 0.25, 0.25), parts, strict=True))
        np.testing.assert_allclose(found, expected, rtol=1e-4, atol=1e-5)


def test_the_network_is_named_after_weights_and_pooling(engine):
    assert engine.network.startswith("vgg19-max-")
    assert engine_with(pooling="average").network.startswith("vgg19-average-")


# ---------------------------------------------------------------- the optimisation


def test_the_gradient_is_that_of_finite_differences(engine, content, styles):
    function = engine._objective(content, [styles[0]])
    loss, gradient = function(content.astype(np.float64))
    assert np.isfinite(loss)
    step = 1e-3 * gradient / np.linalg.norm(gradient)
    around = [function(content + sign * step)[0] for sign in (1, -1)]
    assert (around[0] - around[1]) / 2 == pytest.approx((gradient * step).sum(), rel=0.05)


@pytest.mark.parametrize("drawing_weight", [0.0, 1.0])
def test_the_loss_falls_at_every_scale(drawing_weight, content, styles):
    found = losses(engine_with(drawing_weight=drawing_weight), content, styles[0])
    assert len(found) == 12
    assert all(later <= earlier for earlier, later in itertools.pairwise(found))
    if drawing_weight == 0:
        assert found[-1] < 0.7 * found[0]


def test_the_drawing_loss_is_minimised_with_the_others(content, styles):
    """It is zero at the photo, where this starts, so that the sum cannot fall as far.

    The bound is what the sum is at the picture that is painted without it.
    """
    plain, drawn = engine_with(drawing_weight=0.0), engine_with(drawing_weight=1.0)
    *_, last = plain.render_steps(content, styles[0])
    without, _ = drawn._objective(content, [styles[0]])(last.picture.astype(np.float64))
    found = losses(drawn, content, styles[0])
    assert last.loss < found[-1] < min(without, found[0])


def test_lbfgs_beats_adam_at_equal_steps(content, styles):
    content = 0.25 + 0.5 * content
    found = [
        losses(engine_with(optimizer=name, iterations=(30,)), content, styles[0])[-1]
        for name in ("lbfgs", "adam")
    ]
    assert found[0] < found[1]


@pytest.mark.parametrize("optimizer", ["lbfgs", "adam"])
def test_pixels_stay_in_range_on_the_way(optimizer, content, styles):
    for step in engine_with(optimizer=optimizer).render_steps(content, styles[1]):
        assert step.picture.dtype == np.float32
        assert step.picture.min() >= 0
        assert step.picture.max() <= 1


def test_coarse_to_fine(styles):
    big = draw_photo(1, 100, 130).astype(np.float32)
    steps = list(engine_with().render_steps(big, styles[0]))
    shapes = [(50, 65, 3)] * 12 + [(71, 92, 3)] * 8 + [(100, 130, 3)] * 8
    assert [s.picture.shape for s in steps] == shapes
    assert [s.step for s in steps] == list(range(1, 29))
    assert {s.total for s in steps} == {28}


@pytest.mark.parametrize(
    ("shape", "coarsest", "expected"),
    [
        ((512, 341), 256, [(256, 170, 3), (362, 241, 3), (512, 341, 3)]),
        ((400, 300), 128, [(141, 106, 3), (200, 150, 3), (283, 212, 3), (400, 300, 3)]),
        ((300, 250), 256, [(300, 250, 3)]),
        ((40, 640), 128, [(40, 640, 3)]),
        ((16, 2000), 256, [(16, 2000, 3)]),
    ],
)
def test_scales(shape, coarsest, expected):
    assert scale_shapes(shape, coarsest) == expected


@pytest.mark.parametrize("shape", [(16, 16), (17, 31), (16, 150)])
def test_the_picture_has_the_shape_of_the_photo(shape, styles):
    photo = draw_photo(2, *shape).astype(np.float32)
    assert engine_with(iterations=(2,)).render(photo, styles[0]).shape == (*shape, 3)


@pytest.mark.parametrize("value", [0.0, 0.5, 1.0])
def test_flat_images(value, content, styles):
    flat = np.full((32, 40, 3), value, np.float32)
    quick = engine_with(iterations=(3,))
    for photo, style in (
        (flat, styles[0]),
        (content, quick.embed(flat)),
        (flat, quick.embed(flat)),
    ):
        assert np.isfinite(quick.render(photo, style)).all()


def test_a_narrow_style(engine):
    strip = draw_photo(3, 8, 300).astype(np.float32)
    assert all(np.isfinite(a).all() for a in engine.embed(strip).arrays.values())


def test_the_scale_ends_when_the_loss_no_longer_moves(content, styles):
    found = losses(engine_with(iterations=(200,), tolerance=0.5), content, styles[0])
    assert 11 <= len(found) < 100


def test_the_same_seed_gives_the_same_picture(content, styles):
    pictures = [
        engine_with(init="noise", iterations=(3,)).render(content, styles[0], seed=seed)
        for seed in (1, 1, 2)
    ]
    np.testing.assert_array_equal(pictures[0], pictures[1])
    assert np.abs(pictures[0] - pictures[2]).max() > 0.01


def test_starting_points(network, content, styles, tmp_path):
    file = tmp_path / "start.png"
    to_pil(1 - content).save(file)
    first = {}
    for init in ("content", "noise", "cin", str(file)):
        quick = engine_with(init=init, init_styles=("scream",), iterations=(1,))
        start = quick._starts.picture(content, [styles[0]], None, 0)
        assert start.shape == content.shape
        first[init] = start
    np.testing.assert_array_equal(first["content"], content)
    np.testing.assert_allclose(first[str(file)], 1 - content, atol=0.01)
    assert np.abs(first["cin"] - content).mean() > 0.01


def test_the_start_is_the_first_step(network, content, styles):
    quick = engine_with(init="cin", init_styles=("scream",), iterations=(2,))
    steps = list(quick.render_steps(content, styles[0]))
    assert [step.step for step in steps] == [0, 1, 2]
    expected = quick._starts.cin.render(content, quick._starts.cin.styles["scream"])
    np.testing.assert_array_equal(steps[0].picture, expected)


def test_without_a_cin_network_it_starts_from_the_photo(content, styles, monkeypatch):
    monkeypatch.setenv("ARBITRARY_NST_CIN", "no-such-folder")
    start = engine_with(init="cin")._starts.picture(content, [styles[0]], None, 0)
    np.testing.assert_array_equal(start, content)


def test_a_style_brings_the_vector_that_it_starts_with(content, paintings, monkeypatch):
    """Blended and weakened with it, and of no use to another network."""
    quick = engine_with(init="cin")
    cin = FakeCin("one")
    quick._starts.cin = cin
    first, second = (quick.embed(painting) for painting in paintings[:2])
    mixed = blend([first, second, quick.identity(content)], [2, 1, 1])
    quick._starts.picture(content, [mixed], None, 0)
    (vector,) = cin.seen
    wanted = (2 * paintings[0].mean() + paintings[1].mean() + 7) / 4
    np.testing.assert_allclose(vector.arrays["gamma"], [wanted], rtol=1e-5)
    assert photo_share(mixed) == 0.25
    other = engine_with(init="cin")
    other._starts.cin = FakeCin("two")
    assert other._starts.picture(content, [first], None, 0) is content
    assert engine_with().render(content, first).shape == content.shape


@pytest.mark.parametrize("share", [0.0, 0.5, 1.0])
def test_the_photo_is_compared_in_the_colours_of_the_network_s_picture(
    share, paintings, monkeypatch
):
    """At every scale, with its own luma; at half of it half-way, and not at all with 0."""
    content = (0.3 + 0.4 * draw_photo(0, 68, 90)).astype(np.float32)  # far from black and white
    quick = engine_with(init="cin", palette_weight=share, iterations=(2,))
    quick._starts.cin = TintingFakeCin("one")
    compared = []

    def noted(photo, *rest):
        compared.append(photo)
        return Vgg19._objective(quick, photo, *rest)

    monkeypatch.setattr(quick, "_objective", noted)
    quick.render(content, quick.embed(paintings[0]))
    assert [photo.shape for photo in compared] == [(48, 64, 3), (68, 90, 3)]
    for photo in compared:
        own = vgg19.start.at_shape(content, photo.shape)
        np.testing.assert_allclose(photo @ LUMA, own @ LUMA, atol=1e-5)
        wanted = keep_color(own, vgg19.start.at_shape(tinted(content), photo.shape))
        np.testing.assert_allclose(photo, own + share * (wanted - own), atol=1e-3)
        assert np.abs(photo - own).mean() >= 0.01 * share


@pytest.mark.parametrize("shape", [(16, 4000, 3), (1200, 40, 3), (700, 600, 3)])
def test_colours_are_had_from_a_picture_of_some_size(shape, paintings):
    """Of 512 pixels at most; a strip is not made too narrow for the network."""
    quick = engine_with(init="cin")
    cin = quick._starts.cin = SizedFakeCin("one")
    photo = np.random.default_rng(0).random(shape, np.float32)
    recolored = quick._starts.recolored(photo, [quick.embed(paintings[0])], None, 0)
    assert recolored.shape == shape and recolored.dtype == np.float32
    wanted = {
        (16, 4000, 3): (16, 512, 3),
        (1200, 40, 3): (512, 32, 3),
        (700, 600, 3): (512, 439, 3),
    }
    assert cin.shapes == [wanted[shape]]


def test_colours_of_a_large_photo_are_kept_in_half_precision(content, paintings, monkeypatch):
    """To less than a level of 255, and the loss is the same but for that."""
    quick = engine_with(init="cin")
    quick._starts.cin = TintingFakeCin("one")
    style = quick.embed(paintings[0])
    exact = quick._starts.recolored(content, [style], None, 0)
    monkeypatch.setattr(vgg19.start, "MANY_NUMBERS", content.size - 1)
    rounded = quick._starts.recolored(content, [style], None, 0)
    assert (exact.dtype, rounded.dtype) == (np.float32, np.float16)
    np.testing.assert_allclose(rounded, exact, atol=1 / 1024)
    losses = [quick._objective(photo, [style])(content)[0] for photo in (exact, rounded)]
    assert losses[1] == pytest.approx(losses[0], rel=0.01)


def test_the_photo_keeps_its_colours_where_no_network_paints_this_style(content, styles):
    """Starting from the photo, from another style, or with a style that knows no network."""
    for init in ({"init": "content"}, {"init": "cin", "init_styles": ("scream",)}):
        starts = engine_with(**init)._starts
        assert starts.recolored(content, [styles[0]], None, 0) is content
    starts = engine_with(init="cin")._starts
    starts.cin = TintingFakeCin("one")
    recolored = starts.recolored(content, [styles[0]], None, 0)
    np.testing.assert_allclose(recolored, content, atol=1e-6)


class FakeCin:
    """Stands for the cin network: a vector is the mean of the painting."""

    name, takes_images, styles = "cin", True, {}

    def __init__(self, network):
        self.network, self.seen = network, []

    def embed(self, painting):
        return Embedding("cin", self.network, {"gamma": np.float32([painting.mean()])})

    def identity(self, content):
        return Embedding("cin", self.network, {"gamma": np.float32([7])})

    def render(self, content, embedding, *, seed=0):
        self.seen.append(embedding)
        return content


class SizedFakeCin(FakeCin):
    """Tells the shapes of the photos that it was given."""

    def render(self, content, embedding, *, seed=0):
        self.shapes = [*getattr(self, "shapes", []), content.shape]
        return super().render(content, embedding, seed=seed)


class TintingFakeCin(FakeCin):
    """Its picture is the photo with other colours."""

    def render(self, content, embedding, *, seed=0):
        return tinted(super().render(content, embedding, seed=seed))


def tinted(content):
    """A photo with its channels exchanged, in less contrast."""
    return (0.3 + 0.2 * content[..., [2, 0, 1]]).astype(np.float32)


@pytest.mark.parametrize("parts_weight", [0.0, 0.5])
def test_identity_leaves_the_photo_as_it_is(parts_weight, engine, content):
    """It starts at the minimum but for the smoothness term."""
    quick = engine_with(total_variation_weight=0.0, parts_weight=parts_weight)
    picture = quick.render(content, engine.identity(content))
    np.testing.assert_allclose(picture, content, atol=0.02)


def test_flat_and_detailed_positions_are_asked_for_the_style_each(content, styles):
    """With the weight on parts a flat half of a photo comes nearer to the style."""
    photo = content.copy()
    photo[:, :32] = 0.5
    rng = np.random.default_rng(0)
    photo[:, 32:] = rng.random((48, 32, 3), np.float32)
    gaps = {}
    for weight in (0.0, 1.0):
        # By themselves: what else is asked of the picture goes another way here.
        others = {"covariance_weight": 0.0, "drawing_weight": 0.0}
        quick = engine_with(parts_weight=weight, iterations=(25,), **others)
        picture = quick.render(photo, styles[0])
        found = gram_matrix(small_vgg()(picture[None, :, :32])[0]).numpy()[0]
        wanted = grams_at(styles[0])[0]
        gaps[weight] = ((found - wanted) ** 2).sum() / (wanted**2).sum()
    assert gaps[1.0] < gaps[0.0]


# ---------------------------------------------------------------- interruptions


def test_a_resumed_run_equals_an_uninterrupted_one(content, styles, tmp_path):
    settings = {"iterations": (12, 8), "restart_every": 5}
    big = np.kron(content, np.ones((2, 2, 1), np.float32))
    whole = engine_with(**settings).render(big, styles[0])
    for stop in (3, 7, 18, 25):
        file = tmp_path / f"{stop}.safetensors"
        interrupted = engine_with(**settings, checkpoint=file)
        for step in interrupted.render_steps(big, styles[0]):
            if step.step == stop:
                break
        resumed = engine_with(**settings, checkpoint=file)
        np.testing.assert_array_equal(resumed.render(big, styles[0]), whole)
    # A finished one is given back at once.
    again = engine_with(**settings, checkpoint=file)
    (step,) = again.render_steps(big, styles[0])
    assert step.step == step.total == 28
    np.testing.assert_array_equal(again.render(big, styles[0]), whole)


def test_checkpoints_of_others(content, styles, tmp_path):
    file = tmp_path / "state.safetensors"
    engine_with(checkpoint=file).render(content, styles[0])
    before = file.read_bytes()
    for photo, style, options in (
        (1 - content, styles[0], {}),
        (content, styles[1], {}),
        (content, styles[0], {"style_weight": 3.0}),
    ):
        with pytest.raises(CheckpointError, match="belongs to another photo, style or settings"):
            engine_with(checkpoint=file, **options).render(photo, style)
    assert file.read_bytes() == before
    for data in (b"", b"nonsense", before[:100]):
        file.write_bytes(data)
        with pytest.raises(CheckpointError, match="is not a checkpoint of the vgg19 engine"):
            engine_with(checkpoint=file).render(content, styles[0])
        assert file.read_bytes() == data
    with pytest.raises(InputError, match="in a folder that does not exist"):
        engine_with(checkpoint=tmp_path / "no" / "state.safetensors")


def test_ctrl_c_keeps_the_picture_so_far(content, styles, caplog):
    seen = []

    def stop(step):
        seen.append(step)
        if step.step == 5:
            raise KeyboardInterrupt

    engine = engine_with()
    # Where the key is pressed while a step is computed.
    original = module.minimize_in_steps

    def interrupted(*args, **kwargs):
        for number, state in enumerate(original(*args, **kwargs), start=1):
            if number == 5:
                raise KeyboardInterrupt
            yield state

    with pytest.MonkeyPatch.context() as patch, caplog.at_level(logging.WARNING):
        patch.setattr(module, "minimize_in_steps", interrupted)
        picture = engine.render(content, styles[0], on_step=seen.append)
    assert len(seen) == 4
    np.testing.assert_array_equal(picture, seen[-1].picture)
    assert "stopped after 4 of 12 steps; this is the picture so far" in caplog.text

    # Who is asked to stop in a function of his own may have the picture, too.
    def enough(step):
        if step.step == 5:
            raise StopPainting

    caplog.clear()
    with caplog.at_level(logging.WARNING):
        kept = engine.render(content, styles[0], on_step=enough)
    *_, fifth = itertools.islice(engine.render_steps(content, styles[0]), 5)
    np.testing.assert_array_equal(kept, fifth.picture)
    assert "stopped after 5 of 12 steps; this is the picture so far" in caplog.text
    # And another exception in the caller's own function is the caller's.
    with pytest.raises(KeyboardInterrupt):
        engine.render(content, styles[0], on_step=stop)


def test_closing_the_generator_ends_the_work(engine, content, styles):
    before = threading.active_count()
    steps = engine.render_steps(content, styles[0])
    next(steps)
    steps.close()
    assert threading.active_count() == before


def test_a_loss_that_is_not_a_number(engine, content, styles, monkeypatch):
    calls = []

    def broken(*args):
        function = Vgg19._objective(engine, *args)

        def evaluate(values):
            loss, gradient = function(values)
            calls.append(loss)
            return (np.nan if len(calls) > 6 else loss), gradient

        return evaluate

    monkeypatch.setattr(engine, "_objective", broken, raising=False)
    with pytest.raises(RenderError, match="broke off after .* steps: the loss is nan") as caught:
        engine.render(content, styles[0])
    assert caught.value.picture.shape == content.shape
    assert np.isfinite(caught.value.picture).all()
    assert np.abs(caught.value.picture - content).max() > 0.01


# ---------------------------------------------------------------- refusals


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"optimizer": "sgd"}, "`optimizer` is one of 'lbfgs', 'adam'. Received: 'sgd'"),
        ({"pooling": "min"}, "`pooling` is one of"),
        ({"precision": "half"}, "`precision` is one of"),
        ({"iterations": ()}, "`iterations` needs some numbers"),
        ({"iterations": (0,)}, "`iterations` must be a whole number from 1 up. Received: 0"),
        ({"layer_weights": (1.0,)}, "`layer_weights` needs 5 numbers"),
        ({"layer_weights": (0.0,) * 5}, "one number above 0"),
        ({"style_weight": float("nan")}, "`style_weight` must be a number from 0 up"),
        ({"coarsest": 3}, "`coarsest` must be a whole number from 64 up"),
        ({"restart_every": 0}, "`restart_every`"),
        ({"covariance_weight": 1.5}, "`covariance_weight` must be a number from 0 to 1. Rec"),
        ({"parts_weight": -0.1}, "`parts_weight` must be a number from 0 to 1"),
        ({"style_scale": 9}, "`style_scale` must be a number from 0.25 to 4"),
        ({"tile_side": 200}, "`tile_side` must be a whole number from 288 up"),
    ],
)
def test_wrong_settings(changes, message):
    with pytest.raises(InputError, match=message):
        engine_with(**changes)


def test_wrong_starting_points(network, content, styles):
    with pytest.raises(ImageNotFound, match=r"no\.png"):
        engine_with(init="no.png")
    with pytest.raises(StyleError, match="names of packaged styles.*'nope'"):
        engine_with(init="cin", init_styles=("nope",)).render(content, styles[0])


def test_what_does_not_fit_is_refused(engine, content, styles):
    with pytest.raises(StyleError, match="was made for the engine cin"):
        engine.render(content, Embedding("cin", "c", {"x": np.ones(3, np.float32)}, name="x"))
    odd = Embedding("vgg19", engine.network, {"relu1_1": np.ones(3, np.float32)})
    with pytest.raises(StyleError, match="do not fit the network"):
        engine.render(content, odd)
    with pytest.raises(ImageError, match="at least 16x16"):
        engine.render(content[:15], styles[0])
    with pytest.raises(ImageError, match="at most 1000 pixels in all.*Received: 64x48"):
        engine_with(max_pixels=1000).render(content, styles[0])


# ---------------------------------------------------------------- through the API


def test_through_the_api(engine, content, paintings):
    check_engine(engine)
    seen = []
    picture = api.stylize(
        content,
        [paintings[0], paintings[1]],
        [2, 1],
        engine=engine,
        strength=0.9,
        progress=lambda done, total, message, preview=None: seen.append((done, total, preview)),
    )
    assert picture.size == (64, 48)
    assert [(done, total) for done, total, _ in seen] == [(n, 12) for n in range(1, 13)]
    assert all(preview.size == (64, 48) for *_, preview in seen)
    np.testing.assert_array_equal(np.asarray(seen[-1][2]), np.asarray(picture))


def test_what_is_told_on_the_way_is_finished_like_the_last_picture(engine, paintings):
    """Of the result's size at every scale, in the photo's colours, with its masks and alpha."""
    photo = draw_photo(1, 100, 130).astype(np.float32)
    alpha = np.linspace(0.2, 1, 13000, dtype=np.float32).reshape(100, 130, 1)
    left = np.zeros((100, 130))
    left[:, :65] = 1
    previews = []
    picture = api.stylize(
        np.concatenate([photo, alpha], axis=-1),
        [paintings[0]],
        masks=[left],
        engine=engine_with(iterations=(2,)),
        color="content",
        progress=lambda done, total, message, preview=None: previews.append(preview),
    )
    assert len(previews) == 6
    assert all(p.size == (130, 100) and p.mode == "RGBA" for p in previews)
    np.testing.assert_array_equal(np.asarray(previews[-1]), np.asarray(picture))
    first = np.asarray(previews[0], float)
    np.testing.assert_allclose(first[:, 70:, :3], 255 * photo[:, 70:], atol=1)
    np.testing.assert_allclose(first[..., 3:], 255 * alpha, atol=1)


def test_auto_falls_back_to_vgg19_and_says_so(network, content, paintings, monkeypatch, caplog):
    """Where the cin network has no predictor."""
    monkeypatch.setattr("arbitrary_nst.pipeline.engine_choice.predicts_styles", lambda: False)
    monkeypatch.setattr("arbitrary_nst.engines._make", make_small)
    monkeypatch.setattr("arbitrary_nst.engines._loaded", {})
    monkeypatch.setattr("arbitrary_nst.engines.vgg19_weights", lambda: "small")
    with caplog.at_level(logging.WARNING):
        picture = api.stylize(content, [paintings[0]])
        style = api.embed(paintings[0])
    assert picture.size == (64, 48)
    assert style.engine == "vgg19"
    assert "so vgg19 does it, about 0 s a picture. The reason: no magenta here" in caplog.text
    for engine in ("magenta", "auto"):
        other = Embedding("magenta", "m", {"x": np.ones(3, np.float32)})
        with pytest.raises(WeightsUnavailable, match="no magenta here"):
            api.stylize(content, [paintings[0], other], engine=engine)


def test_auto_is_cin_where_it_takes_images(network, content, paintings, monkeypatch, caplog):
    made = []

    def make(name, source):
        made.append(name)
        return engine_with(iterations=(2,))

    monkeypatch.setattr("arbitrary_nst.pipeline.engine_choice.predicts_styles", lambda: True)
    monkeypatch.setattr("arbitrary_nst.engines._loaded", {})
    monkeypatch.setattr("arbitrary_nst.engines._make", make)
    with caplog.at_level(logging.WARNING):
        assert api.stylize(content, [paintings[0]]).size == (64, 48)
    assert made == ["cin"] and not caplog.text


def make_small(name, source):
    if name == "vgg19":
        return engine_with(iterations=(2,))
    raise WeightsUnavailable("no magenta here")


def test_neither_magenta_nor_vgg19(network, content, paintings, monkeypatch):
    monkeypatch.setattr("arbitrary_nst.pipeline.engine_choice.predicts_styles", lambda: False)
    with pytest.raises(
        WeightsUnavailable, match=r"no folder 'no-magenta-here'.*'no-vgg19-here.h5'"
    ):
        api.stylize(content, [paintings[0]])


def test_from_the_shell(content, paintings, tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    to_pil(content).save("photo.png")
    to_pil(paintings[0]).save("style.png")
    given = []

    def small(**options):
        given.append(options)
        return engine_with(iterations=(4,), checkpoint=options["checkpoint"])

    monkeypatch.setattr(vgg19, "Vgg19", small)
    arguments = ["stylize", "photo.png", "-s", "style.png", "-o", "out.png", "--engine", "vgg19"]
    settings = ["--iterations", "4,2", "--pooling", "average", "--checkpoint", "state"]
    assert main([*arguments, *settings, "--save-every", "2"]) == 0
    assert given[0]["settings"] == Vgg19Settings(iterations=(4, 2), pooling="average")
    written = sorted(path.name for path in tmp_path.iterdir())
    assert written == [
        "out-0002.png",
        "out-0004.png",
        "out.png",
        "photo.png",
        "state",
        "style.png",
    ]
    assert capsys.readouterr().out == "out.png: 64x48 pixels\n"
    wrong = ["stylize", "photo.png", "-s", "style.png", "-o", "out.png", "--iterations", "3"]
    assert main(wrong) == 2
    assert "--iterations is a setting of --engine vgg19, not of auto" in capsys.readouterr().err


# ---------------------------------------------------------------- the real network


SHARED = Path(os.environ.get("ARBITRARY_NST_SHARED", Path(__file__).parents[3] / "shared"))
WEIGHTS = SHARED / "weights" / "vgg19" / "vgg19_notop.h5"


@pytest.mark.slow
@pytest.mark.skipif(not WEIGHTS.is_file(), reason="no VGG19 here; ARBITRARY_NST_SHARED names it")
def test_the_real_vgg19(content, paintings):
    # From the photo, whose drawing is not asked for: the style alone falls by half, and by more.
    settings = Vgg19Settings(iterations=(40,), init="content", drawing_weight=0, parts_weight=0)
    engine = Vgg19(WEIGHTS, settings=settings)
    found = losses(engine, content, engine.embed(paintings[0]))
    assert found[-1] < 0.5 * found[0]
