"""Masks with the vgg19 engine: several styles in one optimisation, and large photos in tiles."""

from dataclasses import replace

import numpy as np
import pytest
import tensorflow as tf
from small_training import draw_painting, draw_photo, small_vgg

from arbitrary_nst import api
from arbitrary_nst.engines.vgg19 import Vgg19, Vgg19Settings, objective
from arbitrary_nst.engines.vgg19.eyes import Eyes
from arbitrary_nst.engines.vgg19.objective import Objective, Region
from arbitrary_nst.engines.vgg19.styles import moments_for
from arbitrary_nst.errors import CheckpointError, InputError
from arbitrary_nst.networks.losses import drawing_loss, style_loss, total_variation_loss
from arbitrary_nst.networks.vgg import gram_matrix

SETTINGS = Vgg19Settings(
    iterations=(6,),
    coarsest=64,
    style_size=40,
    tolerance=0,
    restart_every=2,
    init="content",
    style_weight=8.0,
)


@pytest.fixture(scope="module")
def content():
    return draw_photo(0, 48, 64).astype(np.float32)


@pytest.fixture(scope="module")
def styles():
    return [engine_with(None).embed(painting(name)) for name in ("waves", "checks")]


@pytest.fixture
def masks():
    left = np.zeros((48, 64))
    left[:, :32] = 1
    return [left, 1 - left]


def engine_with(checkpoint, dtype="float32", **changes):
    vgg = small_vgg(dtype)
    return Vgg19(settings=replace(SETTINGS, **changes), vgg=vgg, checkpoint=checkpoint)


def painting(name):
    return draw_painting(name).clip(0, 1).astype(np.float32)


def paint(content, styles, masks, engine, **options):
    return np.asarray(api.stylize(content, styles, masks=masks, engine=engine, **options), float)


def test_each_style_is_asked_of_its_region(content, styles, masks):
    """Each half comes nearer to its own style than in the other order of the styles."""
    engine = engine_with(None, iterations=(30,), covariance_weight=0.0, parts_weight=0.0)
    both = paint(content, styles, masks, engine), paint(content, styles[::-1], masks, engine)
    wanted = [[gram for gram, _ in moments_for(style, (40,), 40)] for style in styles]

    def gap(picture, half, style):
        part = (picture / 255).astype(np.float32)[None, :, half]
        grams = [gram_matrix(features).numpy()[0] for features in small_vgg()(part)[:-1]]
        return style_loss([g[None] for g in grams], [w[None] for w in wanted[style]])[0]

    left, right = slice(0, 32), slice(32, 64)
    assert gap(both[0], left, 0) < gap(both[1], left, 0)
    assert gap(both[0], right, 1) < gap(both[1], right, 1)


def test_one_mask_everywhere_is_no_mask(content, styles):
    everywhere = [np.ones((48, 64))]
    found = paint(content, styles[:1], everywhere, engine_with(None))
    np.testing.assert_allclose(
        found, np.asarray(api.stylize(content, styles[:1], engine=engine_with(None))), atol=1
    )


def test_equal_styles_on_soft_masks(content, styles):
    """Where a style meets itself nothing of the seam is to be seen in what is wanted."""
    soft = np.tile(np.linspace(0, 1, 64), (48, 1))
    region = [
        Region(w.astype(np.float32), moments_for(styles[0], (40,), 40)) for w in (soft, 1 - soft)
    ]
    settings = replace(SETTINGS, parts_weight=0.0)
    loss, gradient = Objective(Eyes(small_vgg()), settings, content, region)(content)
    assert np.isfinite(loss) and np.isfinite(gradient).all()


def test_weights_that_do_not_fit(content, styles):
    weights = np.full((48, 64, 3), 1 / 3, np.float32)
    with pytest.raises(InputError, match=r"the shape \(48, 64, 2\). Received: \(48, 64, 3"):
        engine_with(None).render_regions(content, styles, weights)


def test_strength_colour_and_working_size(content, styles, masks):
    engine = engine_with(None)
    full = paint(content, styles, masks, engine)
    weak = paint(content, styles, masks, engine, strength=0.1)
    assert np.abs(weak - 255 * content).mean() < np.abs(full - 255 * content).mean()
    grey = paint(content, styles, masks, engine, color="content")
    chroma = [image[..., 0] - image[..., 2] for image in (grey, 255 * content)]
    assert np.abs(chroma[0] - chroma[1]).mean() < 6
    assert paint(content, styles, masks, engine, working_size=32).shape == content.shape


def test_masks_with_a_checkpoint(content, styles, masks, tmp_path):
    file = tmp_path / "state.safetensors"
    plain = paint(content, styles, masks, engine_with(None))
    seen = []

    def tell(done, total, message, preview=None):
        seen.append((done, total))

    found = paint(content, styles, masks, engine_with(file), progress=tell)
    np.testing.assert_array_equal(found, plain)
    assert seen == [(n, 6) for n in range(1, 7)]
    assert [path.name for path in tmp_path.iterdir()] == ["state.safetensors"]
    seen.clear()
    again = paint(content, styles, masks, engine_with(file), progress=tell)
    np.testing.assert_array_equal(again, plain)
    assert seen == [(6, 6)]  # done, and given back at once


def test_it_goes_on_where_it_was(content, styles, masks, tmp_path):
    plain = paint(content, styles, masks, engine_with(None))
    file = tmp_path / "state"

    class Stop(Exception):
        pass

    def until(done, total, message, preview=None):
        if done == 5:
            raise Stop

    with pytest.raises(Stop):
        paint(content, styles, masks, engine_with(file), progress=until)
    seen = []
    picture = paint(
        content,
        styles,
        masks,
        engine_with(file),
        progress=lambda done, total, message, preview=None: seen.append(done),
    )
    np.testing.assert_array_equal(picture, plain)
    assert seen == [4, 5, 6]  # from the last state that was written


def test_another_picture_s_state_is_refused_and_kept(content, styles, masks, tmp_path):
    file = tmp_path / "state"
    engine_with(file).render(content, styles[0])
    before = file.read_bytes()
    for other in (masks, masks[::-1]):
        with pytest.raises(CheckpointError, match="state belongs to another photo"):
            paint(content, styles, other, engine_with(file))
    assert file.read_bytes() == before


# ---------------------------------------------------------------- tiles


@pytest.mark.parametrize("shape", [(330, 300), (301, 405), (100, 417)])
@pytest.mark.parametrize(
    ("parts_weight", "kept_bytes", "kept"),
    [
        (0.0, objective.KEPT_BYTES, {True}),
        (0.5, objective.KEPT_BYTES, {True}),
        (0.5, 250_000, {True, False}),
        (0.5, 0, {False}),
    ],
)
def test_tiles_give_the_loss_and_the_gradient_of_the_whole(
    shape, parts_weight, kept_bytes, kept, styles, monkeypatch
):
    """To the rounding of float32, with the photo's own share and with soft regions.

    The photo's features are kept of all tiles, of the first two (each is 0.1 MB), or of none.
    """
    monkeypatch.setattr(objective, "KEPT_BYTES", kept_bytes)
    photo = draw_photo(1, *shape).astype(np.float32)
    picture = np.random.default_rng(0).random(photo.shape, np.float32)
    soft = np.tile(np.linspace(0, 1, shape[1], dtype=np.float32), (shape[0], 1))
    first, second = (moments_for(style, (40,), 40) for style in styles)
    eyes, settings = Eyes(small_vgg("float64")), replace(SETTINGS, parts_weight=parts_weight)
    regions = [Region(soft, first, 0.3), Region(1 - soft, second)]
    whole, tiles = (Objective(eyes, settings, photo, regions, side) for side in (None, 288))
    assert len(tiles._tiles) > 1 and {features is not None for features in tiles._kept} == kept
    (loss, gradient), (by_tiles, summed) = whole(picture), tiles(picture)
    assert by_tiles == pytest.approx(loss, rel=1e-5)
    np.testing.assert_allclose(summed, gradient, atol=1e-4 * np.abs(gradient).max())


def test_a_picture_by_tiles_is_painted_by_the_loss_of_the_whole():
    """At each picture on its way the tiles have the loss and the gradient of the whole there.

    Pictures of two runs are not compared beyond the first step. L-BFGS multiplies what was rounded,
    by ten or so a step; and a pixel at a bound, where the gradient is nothing but rounding, is held
    in one run and free in the other. Rounding is a millionth of the largest gradient here, and a
    tile that sees too little of its neighbours is off by a thirtieth (64 pixels in place of 96).
    The features are in float64: in float32 a unit whose value is nothing but rounding can be on in
    the tile and off in the whole, by which the gradient differs in all of the picture that it sees,
    by a sixteenth on one processor.
    """
    photo = (0.2 + 0.6 * draw_photo(2, 300, 330)).astype(np.float32)  # no pixel at a bound
    options = {"iterations": (4,), "coarsest": 330, "restart_every": 50}
    in_tiles = engine_with(None, "float64", whole_pixels=60_000, tile_side=288, **options)
    in_one = engine_with(None, "float64", **options)
    style = in_one.embed(painting("waves"))
    tiles, whole = (engine._objective(photo, [style]) for engine in (in_tiles, in_one))
    assert len(tiles._tiles) > 1 and len(whole._tiles) == 1
    largest = np.abs(whole(photo)[1]).max()
    steps = list(in_tiles.render_steps(photo, style))
    losses = [step.loss for step in steps]
    assert len(losses) == 4 and losses == sorted(losses, reverse=True)
    for step in steps:
        loss, gradient = whole(step.picture)
        assert step.loss == pytest.approx(loss, rel=1e-5)
        np.testing.assert_allclose(tiles(step.picture)[1], gradient, atol=1e-4 * largest)
    # The first step moves the pixel that moves most by a hundredth, or by less.
    first = next(in_one.render_steps(photo, style)).picture
    assert 1e-3 < np.abs(first - photo).max() < 0.011
    np.testing.assert_allclose(steps[0].picture, first, atol=2e-6)


def test_the_style_loss_has_the_derivatives_of_its_formula():
    """Gram matrices and covariances of two groups of three parts, against TensorFlow's tape."""
    rng = np.random.default_rng(0)
    eyes = Eyes(small_vgg())
    channels = [int(output.shape[-1]) for output in small_vgg().outputs[:-1]]

    def moments(count):
        return [
            tuple(tf.constant(rng.random((count, *shape), np.float32)) for shape in ((c, c), (c,)))
            for c in channels
        ]

    def symmetric(layers):
        return [(p + tf.transpose(p, (0, 2, 1)), m) for p, m in layers]

    sums, targets = symmetric(moments(3)), symmetric(moments(2))
    mixing = tf.constant(rng.random((len(channels), 2, 3), np.float32))
    weights = tf.constant(rng.random((len(channels), 2, 2), np.float32))
    with tf.GradientTape() as tape:
        tape.watch(sums)
        expected = 0.0
        for index, ((products, means), (wanted, wanted_mean)) in enumerate(
            zip(sums, targets, strict=True)
        ):
            gram = tf.einsum("gp,pcd->gcd", mixing[index], products)
            mean = tf.matmul(mixing[index], means)
            about = gram - tf.einsum("gc,gd->gcd", mean, mean)
            wanted_about = wanted - tf.einsum("gc,gd->gcd", wanted_mean, wanted_mean)
            for weight, gap in zip(
                weights[index], (gram - wanted, about - wanted_about), strict=True
            ):
                expected += tf.reduce_sum(weight * tf.reduce_sum(gap**2, axis=(1, 2)))
    slopes = tape.gradient(expected, sums)
    loss, found = eyes._style(sums, targets, mixing, weights)
    assert float(loss) == pytest.approx(float(expected), rel=1e-5)
    for ours, theirs in zip(tf.nest.flatten(found), tf.nest.flatten(slopes), strict=True):
        scale = np.abs(theirs).max()
        np.testing.assert_allclose(ours, theirs, atol=1e-5 * scale)


@pytest.mark.parametrize("side", [None, 288])
def test_the_drawing_loss_of_a_picture_is_that_of_its_features(side, styles):
    """From sums over positions as from the features at relu3_1 themselves, and its gradient, too.

    Regions and parts divide the sums, and both together are the whole picture again.
    """
    photo = draw_photo(1, 301, 330).astype(np.float32)
    picture = np.random.default_rng(0).random(photo.shape, np.float32)
    left = np.tile(np.linspace(0, 1, 330, dtype=np.float32), (301, 1))
    first, second = (moments_for(style, (40,), 40) for style in styles)
    regions = [Region(left, first), Region(1 - left, second)]
    eyes = Eyes(small_vgg())

    def looked_at(weight):
        settings = replace(SETTINGS, drawing_weight=weight, style_weight=1e-3)
        loss, gradient = Objective(eyes, settings, photo, regions, side)(picture)
        return loss, gradient

    (loss, gradient), (without, gradient_without) = looked_at(3.0), looked_at(0.0)
    with tf.GradientTape() as tape:
        variable = tf.constant(picture[None])
        tape.watch(variable)
        features, own = (small_vgg()(values)[2] for values in (variable, photo[None]))
        expected = drawing_loss(features, own)[0]
    slope = 3 * tape.gradient(expected, variable).numpy()[0]
    assert loss - without == pytest.approx(3 * float(expected), rel=1e-4)
    found = gradient - gradient_without
    np.testing.assert_allclose(found, slope, atol=1e-3 * np.abs(slope).max())


def test_outlines_are_kept_by_the_drawing_weight(content, styles):
    """With it a picture follows the photo at relu3_1 by more, at the same number of steps."""

    def lost(weight):
        engine = engine_with(None, drawing_weight=weight, iterations=(20,))
        picture = engine.render(content, styles[0])
        features, own = (small_vgg()(values[None])[2] for values in (picture, content))
        return float(drawing_loss(features, own)[0])

    assert lost(4.0) < 0.8 * lost(0.0)


def test_total_variation_by_strips(monkeypatch):
    values = np.random.default_rng(0).random((23, 17, 3), np.float32)
    found = []
    for pixels in (2**20, 40):
        monkeypatch.setattr(objective, "ROWS_PIXELS", pixels)
        gradient = np.zeros_like(values)
        found.append((objective.add_total_variation(values, gradient, 2.0), gradient))
    with tf.GradientTape() as tape:
        variable = tf.constant(values[None])
        tape.watch(variable)
        loss = total_variation_loss(variable)
    expected = 2 * tape.gradient(loss, variable).numpy()[0]
    for value, gradient in found:
        assert value == pytest.approx(float(loss[0]), rel=1e-5)
        np.testing.assert_allclose(gradient, expected, atol=1e-7)
