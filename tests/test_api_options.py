"""The options of `stylize`."""

import numpy as np
import pytest
from pictures import pixels, same

from arbitrary_nst import Embedding, blend, embed, load_engine, stylize, stylize_many
from arbitrary_nst.engines.cin import Cin
from arbitrary_nst.errors import InputError, StyleError
from arbitrary_nst.image import resize, to_pil


def test_strength_is_a_blend_with_the_identity(network, photo):
    identity = load_engine("cin").identity(photo)
    half = blend([identity, embed("scream")], [0.7, 0.3])
    same(stylize(photo, "scream", strength=0), stylize(photo, [identity]))
    same(stylize(photo, "scream", strength=0.3), stylize(photo, [half]))
    same(stylize(photo, "scream", strength=1), stylize(photo, "scream"))
    same(stylize(photo, "scream", strength=np.float32(1)), stylize(photo, "scream"))


def test_the_colours_of_the_content(network, photo):
    picture = pixels(stylize(photo, "scream", color="content")) / 255
    plain = pixels(stylize(photo, "scream")) / 255
    inside = (picture > 0.02).all(-1) & (picture < 0.98).all(-1)  # not clipped
    chroma = photo - photo.mean(-1, keepdims=True)
    found = picture - picture.mean(-1, keepdims=True)
    assert inside.mean() > 0.3
    np.testing.assert_allclose(found[inside], chroma[inside], atol=0.005)
    luma = np.array([0.299, 0.587, 0.114])
    np.testing.assert_allclose((picture @ luma)[inside], (plain @ luma)[inside], atol=0.005)


@pytest.mark.parametrize("size", [24, np.int64(24), np.uint8(24)])
def test_size_is_the_longer_side(network, photo, size):
    picture = stylize(photo, "scream", size=size)
    assert picture.size == (24, 19)
    same(picture, stylize(resize(photo, longer_side=24), "scream"))
    assert stylize(photo.swapaxes(0, 1), "scream", size=80).size == (64, 80)


def test_seed(network, photo):
    same(stylize(photo, "scream", seed=3), stylize(photo, "scream", seed=np.int32(3)))
    pair = [pixels(stylize(photo, "scream", seed=seed)) for seed in (0, 3)]
    assert not np.array_equal(*pair)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"strength": -0.1}, "`strength` is a number from 0 to 1. Received: -0.1"),
        ({"strength": 1.1}, "`strength` is a number"),
        ({"strength": float("nan")}, "`strength` is a number.*nan"),
        ({"strength": "1"}, "`strength` is a number.*'1'"),
        ({"strength": True}, "`strength` is a number.*True"),
        ({"strength": None}, "`strength` is a number"),
        ({"strength": 1j}, "`strength` is a number"),
        ({"color": "photo"}, '`color` is "style" or "content". Received: \'photo\''),
        ({"color": None}, "`color` is"),
        ({"size": 0}, "`size` needs to be a whole number of at least 1. Received: 0"),
        ({"size": -5}, "`size` needs"),
        ({"size": 2.5}, "`size` needs"),
        ({"size": True}, "`size` needs"),
        ({"size": "512"}, "`size` needs"),
        ({"size": 10**6}, "content image at size=1000000 is too large.*max_pixels=64000000"),
        ({"size": 10, "engine": "cin"}, "at least 16x16 pixels. Received: 10x8"),
        ({"seed": -1}, "`seed` is a whole number from 0 up. Received: -1"),
        ({"seed": 1.0}, "`seed` is a whole number"),
        (
            {"engine": "nope"},
            "'auto', 'cin', 'magenta', 'vgg19', or an engine object.*'nope'",
        ),
        ({"engine": None}, "`engine` is one of"),
        ({"engine": object()}, "with the methods embed, identity, render, render_batch"),
        ({"engine": Cin}, "`engine` is one of"),
        ({"max_pixels": 0}, "`max_pixels` needs"),
        ({"max_pixels": 100}, "max_pixels=100"),
        ({"progress": 3}, "`progress` is a callable"),
    ],
)
def test_wrong_options(network, photo, options, message):
    with pytest.raises(InputError, match=message):
        stylize(photo, "scream", **options)


def test_an_engine_object(network, photo):
    engine = Cin(precision="float32")
    same(
        stylize(photo, "scream", engine=engine),
        to_pil(engine.render(photo, embed("scream", engine=engine))),
    )


def test_an_engine_that_knows_no_names(photo):
    """Any object that keeps the contract will do."""

    class Negative:
        name, network = "negative", "n1"

        def embed(self, style):
            return Embedding(self.name, self.network, {"mean": style.mean((0, 1))}, name="mean")

        def identity(self, content):
            return self.embed(content)

        def render(self, content, embedding, *, seed=0):
            return 1 - content

        def render_batch(self, contents, embeddings, *, seed=0):
            return [self.render(*pair) for pair in zip(contents, embeddings, strict=True)]

    engine = Negative()
    same(stylize(photo, [photo, photo], strength=0.5, engine=engine), to_pil(1 - photo))
    with pytest.raises(StyleError, match="no style named 'scream'.*Known names: none"):
        stylize(photo, "scream", engine=engine)
    assert embed(photo, engine=engine).engine == "negative"


def test_progress(network, photo):
    calls = []
    stylize(photo, "scream", progress=lambda *call: calls.append(call))
    assert calls == [(1, 1, "40x32 pixels")]
    calls.clear()
    pictures = stylize_many([photo] * 3, "scream", progress=lambda *call: calls.append(call))
    assert calls == []
    list(pictures)
    assert [call[:2] for call in calls] == [(1, 3), (2, 3), (3, 3)]
    calls.clear()
    contents = (photo for _ in range(2))
    list(stylize_many(contents, "scream", progress=lambda *call: calls.append(call)))
    assert [call[:2] for call in calls] == [(1, 1), (2, 2)]
