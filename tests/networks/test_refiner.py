"""What the refiner follows, beside the painting."""

import numpy as np
import pytest
import tensorflow as tf
from small_cin import LAYOUTS, fast_network

from arbitrary_nst.networks.cin.fast import normalize
from arbitrary_nst.networks.cin.noise import draw_noise
from arbitrary_nst.networks.losses import recolored, relative_error
from arbitrary_nst.networks.predictor.network import PredictorLayout, build_predictor
from arbitrary_nst.networks.predictor.refiner import Refiner
from arbitrary_nst.networks.predictor.refining import follow
from arbitrary_nst.networks.vgg import gram_matrix

SMALL = PredictorLayout(trunk=(4, 4, 6, 6, 8), widths=(8,), mixed=3, hidden=8, bottleneck=4)


def make_refiner(**settings):
    layout = LAYOUTS["shipped"]
    predictor = build_predictor(layout.style_size, SMALL)
    return Refiner(fast_network(layout), predictor, **settings)


@pytest.fixture(scope="module")
def refiner():
    return make_refiner()


@pytest.mark.parametrize(
    ("weight", "settings"), [(0.05, {}), (0.1, {"content_weight": 0.1, "recolor": True})]
)
def test_where_the_style_is_reached_the_photo_still_counts(weight, settings):
    """The painting is the picture itself, so that no style is missing; a step brings the photo."""
    refiner = make_refiner(**settings)
    size = LAYOUTS["shipped"].style_size
    gamma, beta = (tf.constant(np.full(size, v, np.float32)) for v in (1.0, 0.1))
    photo = tf.constant(np.random.default_rng(0).random((1, 48, 48, 3), np.float32))
    noise = tf.constant(draw_noise(LAYOUTS["shipped"], 48, 48, seed=0)[None])
    own = refiner._features(photo)[1]

    def paint(gamma, beta):
        return refiner._network.apply(
            photo, noise, lambda x, step: normalize(x, *step.affine(gamma, beta))
        )

    picture = paint(gamma, beta)
    wanted = refiner._trunk(recolored(photo, picture))[-1] if settings else own

    def content(gamma, beta):
        return float(relative_error(refiner._trunk(paint(gamma, beta))[-1], wanted)[0])

    grams = [gram_matrix(f) for f in refiner._trunk(picture)]
    slopes = refiner._gradients(gamma, beta, photo, noise, own, grams)
    length = float(tf.sqrt(sum(tf.reduce_sum(tf.square(slope)) for slope in slopes)))
    assert length > 1e-4
    step = 0.05 / length
    nearer = content(gamma - step * slopes[0], beta - step * slopes[1])
    assert nearer < content(gamma, beta) - 1e-4
    # The content's own slope by its weight.
    along = (content(gamma, beta) - nearer) / 0.05
    assert length == pytest.approx(weight * along, rel=0.3)


def random_photos(count):
    return list(np.random.default_rng(1).random((count, 48, 48, 3), np.float32))


def start():
    size = LAYOUTS["shipped"].style_size
    return {"gamma": np.ones(size, np.float32), "beta": np.full(size, 0.1, np.float32)}


def test_each_step_looks_at_the_next_photo(refiner):
    painting, *photos = random_photos(4)
    grams = refiner.grams(painting)
    one, two, other = (
        refiner(grams, start(), chosen, 2)["gamma"] for chosen in (photos[:1], photos[:2], photos)
    )
    assert np.abs(one - two).max() > 1e-5
    np.testing.assert_array_equal(two, other)  # the third one's turn never comes


def test_the_rate_falls_to_zero():
    """On an even slope a step of Adam is as long as the rate."""
    seen = []

    def gradients(gamma, beta, step):
        seen.append(gamma.copy())
        return np.ones_like(gamma), np.ones_like(beta)

    arrays = {"gamma": np.zeros(3), "beta": np.zeros(3)}
    last = follow(gradients, arrays, 4, 0.1)["gamma"]
    steps = -np.diff([gamma[0] for gamma in [*seen, last]])
    np.testing.assert_allclose(steps, [0.1, 0.075, 0.05, 0.025], rtol=1e-5)
