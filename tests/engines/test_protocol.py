"""The contract of `engines.protocol`, kept by every engine, each with a small network."""

from dataclasses import dataclass, replace

import numpy as np
import pytest
from small_training import small_vgg

from arbitrary_nst.embedding import Embedding, blend
from arbitrary_nst.engines import check_engine
from arbitrary_nst.engines.cin import Cin
from arbitrary_nst.engines.protocol import ABILITIES, Engine, Step, as_engine
from arbitrary_nst.engines.vgg19 import Vgg19, Vgg19Settings
from arbitrary_nst.errors import ImageError, InputError, StyleError

ABLE = {
    "cin": {"render_regions", "render_large", "render_large_regions", "memory_for", "for_pixels"},
    "magenta": set(),
    "vgg19": {"render_steps", "render_regions", "estimated_seconds"},
}


@dataclass
class Case:
    """An engine, two of its styles, and the smallest photo that it takes."""

    engine: Engine
    styles: tuple[Embedding, Embedding]
    min_side: int


@pytest.fixture(scope="module", params=["cin", "cin bfloat16", "cin onnx", "magenta", "vgg19"])
def case(request, network_folder, make_photo):
    if request.param.startswith("cin"):
        form = request.param.partition(" ")[2] or "float32"
        setting = {"runtime": form} if form == "onnx" else {"precision": form}
        engine = Cin(network_folder, **setting)
        return Case(engine, (engine.styles["great-wave"], engine.styles["scream"]), 16)
    if request.param == "magenta":
        engine, side = request.getfixturevalue("magenta_engine"), 2
    else:
        settings = Vgg19Settings(iterations=(3,), style_size=40, init="content")
        engine, side = Vgg19(settings=settings, vgg=small_vgg()), 16
    paintings = (1 - make_photo(40, 40, seed) for seed in (3, 4))
    return Case(engine, tuple(engine.embed(painting) for painting in paintings), side)


@pytest.fixture
def engine(case):
    return case.engine


@pytest.mark.parametrize("size", [(16, 16), (17, 23), (16, 45)])
def test_the_picture_has_the_shape_of_the_photo(case, size, make_photo):
    content = make_photo(*size)
    picture = case.engine.render(content, case.styles[0])
    assert picture.shape == content.shape and picture.dtype == np.float32
    assert picture.min() >= 0 and picture.max() <= 1 and picture.std() > 1e-3


def test_the_same_again_and_another_style_is_another_picture(case, photo):
    first = case.engine.render(photo, case.styles[0], seed=3)
    np.testing.assert_array_equal(case.engine.render(photo, case.styles[0], seed=3), first)
    other = case.engine.render(photo, case.styles[1], seed=3)
    assert np.abs(other - first).mean() > 1e-3


def test_inputs_stay_as_they_are(case, photo):
    before = photo.copy()
    photo.flags.writeable = False
    case.engine.render(photo, case.styles[0])
    case.engine.identity(photo)
    np.testing.assert_array_equal(photo, before)


def test_identity_is_an_embedding_of_the_engine(case, photo):
    identity = case.engine.identity(photo)
    assert (identity.engine, identity.network) == (case.engine.name, case.engine.network)
    assert identity.arrays.keys() == case.styles[0].arrays.keys()
    assert case.engine.render(photo, blend([identity, case.styles[0]])).shape == photo.shape


def test_equal_styles_weight_zero_and_order(case, photo):
    first, second = case.styles
    expected = case.engine.render(photo, first)
    for styles, weights in (
        ([first, first], [0.3, 0.7]),
        ([first, second], [1, 0]),
        ([second, first], [0, 5]),
    ):
        picture = case.engine.render(photo, blend(styles, weights))
        np.testing.assert_array_equal(picture, expected)
    forth = case.engine.render(photo, blend([first, second], [0.2, 0.8]))
    back = case.engine.render(photo, blend([second, first], [0.8, 0.2]))
    np.testing.assert_array_equal(forth, back)


def test_a_batch_gives_the_single_pictures(case, make_photo):
    contents = [make_photo(17, 23, seed) for seed in range(2)]
    pictures = case.engine.render_batch(contents, case.styles, seed=1)
    for content, style, picture in zip(contents, case.styles, pictures, strict=True):
        single = case.engine.render(content, style, seed=1)
        np.testing.assert_allclose(picture, single, atol=1e-5)
    with pytest.raises(InputError, match="2 photos.* 1 embeddings"):
        case.engine.render_batch(contents, case.styles[:1])


def test_embeddings_of_others_are_refused(case, photo):
    style = replace(case.styles[0], name="mine")
    for stranger in (replace(style, engine="other"), replace(style, network="other")):
        message = f"'mine' was made for .* Expected: {case.engine.name}"
        with pytest.raises(StyleError, match=message):
            case.engine.render(photo, stranger)
    name, array = max(style.arrays.items(), key=lambda item: item[1].size)
    odd = replace(style, arrays={**style.arrays, name: array[:-1]})
    with pytest.raises(StyleError, match="arrays of the style 'mine' do not fit"):
        case.engine.render(photo, odd)


def test_photos_that_are_none_or_too_small_are_refused(case, make_photo):
    side = case.min_side
    with pytest.raises(ImageError, match=f"{side}x{side}.*Received: 40x{side - 1}"):
        case.engine.render(make_photo(side - 1, 40), case.styles[0])
    for content in (np.zeros((32, 32, 3), np.uint8), np.full((32, 32, 3), np.nan), None):
        with pytest.raises(ImageError):
            case.engine.render(content, case.styles[0])


def test_everything_is_declared(engine):
    assert as_engine(engine) is engine and check_engine(engine) is engine
    assert {name for name in ABILITIES if getattr(engine, name) is not None} == ABLE[engine.name]


def test_images_are_embedded_or_refused(case, photo):
    if case.engine.takes_images:
        style = case.engine.embed(photo)
        assert (style.engine, style.network) == (case.engine.name, case.engine.network)
    else:
        assert case.engine.styles
        with pytest.raises(StyleError, match="is an image"):
            case.engine.embed(photo)


# What an engine may do besides.


def test_regions(case, photo):
    if case.engine.render_regions is None:
        pytest.skip("not declared")
    weights = np.zeros((*photo.shape[:2], 2), np.float32)
    weights[..., 1] = 1
    picture = case.engine.render_regions(photo, case.styles, weights, seed=1)
    whole = case.engine.render(photo, case.styles[1], seed=1)
    np.testing.assert_allclose(picture, whole, atol=0.05)
    weights[:, :20] = 1, 0
    assert np.abs(case.engine.render_regions(photo, case.styles, weights) - whole).mean() > 0.01


def test_bounded_memory(case, make_photo):
    if case.engine.render_large is None:
        pytest.skip("not declared")
    assert case.engine.memory_for(20, 40) == 2 * case.engine.memory_for(20, 20) > 0
    photo, calls = make_photo(48, 64), []
    picture = case.engine.render_large(
        photo, case.styles[0], seed=1, max_memory=2e9, progress=lambda *call: calls.append(call)
    )
    whole = case.engine.render(photo, case.styles[0], seed=1)
    np.testing.assert_allclose(picture, whole, atol=0.05)
    assert calls and calls[-1][0] == calls[-1][1]
    with pytest.raises(InputError, match="memory"):
        case.engine.render_large(photo, case.styles[0], max_memory=1)


def test_regions_in_bounded_memory(case, make_photo):
    if case.engine.render_large_regions is None:
        pytest.skip("not declared")
    assert case.engine.memory_for(20, 40, num_regions=2) > case.engine.memory_for(20, 40)
    photo, calls = make_photo(48, 64), []
    weights = np.zeros((48, 64, 2), np.float32)
    weights[:, :30] = 1, 0
    weights[:, 30:] = 0, 1
    picture = case.engine.render_large_regions(
        photo,
        case.styles,
        weights.astype(np.float16),
        seed=1,
        max_memory=2e9,
        progress=lambda *call: calls.append(call),
    )
    whole = case.engine.render_regions(photo, case.styles, weights, seed=1)
    np.testing.assert_allclose(picture, whole, atol=0.05)
    assert calls and calls[-1][0] == calls[-1][1]
    with pytest.raises(InputError, match="memory"):
        case.engine.render_large_regions(photo, case.styles, weights, max_memory=1)


def test_steps(case, photo):
    if case.engine.render_steps is None:
        pytest.skip("not declared")
    steps, seen = list(case.engine.render_steps(photo, case.styles[0], seed=1)), []
    picture = case.engine.render(photo, case.styles[0], seed=1, on_step=seen.append)
    assert all(isinstance(step, Step) for step in steps)
    assert [step.step for step in steps] == [step.step for step in seen] == [1, 2, 3]
    assert {step.total for step in steps} == {3}
    np.testing.assert_array_equal(steps[-1].picture, picture)


def test_estimated_seconds(engine):
    if engine.estimated_seconds is None:
        pytest.skip("not declared")
    assert engine.estimated_seconds(400, 800) > engine.estimated_seconds(200, 400) > 0


# An engine of a user's own.


class Own:
    """The least that an engine may be."""

    name, network = "own", "1"

    def embed(self, style):
        return Embedding(self.name, self.network, {"mean": style.mean((0, 1))})

    identity = embed

    def render(self, content, embedding, *, seed=0):
        return 1 - content

    def render_batch(self, contents, embeddings, *, seed=0):
        return [1 - content for content in contents]


def test_what_is_left_out_has_a_default(photo):
    engine = as_engine(Own())
    assert (engine.name, engine.network) == ("own", "1")
    assert engine.styles == {} and engine.takes_images is True
    assert all(getattr(engine, name) is None for name in ABILITIES)
    np.testing.assert_array_equal(engine.render(photo, engine.embed(photo)), 1 - photo)
    assert check_engine(Own()).name == "own"


def test_what_is_declared_is_kept(photo):
    class Named(Own):
        def __init__(self):
            self.styles = {"mean": self.embed(photo)}

        def render_regions(self, content, embeddings, weights, *, seed=0):
            return content

    engine = as_engine(Named())
    assert list(engine.styles) == ["mean"] and engine.takes_images is False
    assert engine.render_regions(photo, [], None) is photo
    assert engine.render_steps is None


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"render": None}, "An engine object has .* methods embed, identity, render, render_batch"),
        ({"network": None}, "has texts `name` and `network`"),
        ({"render_steps": True}, "`render_steps` of the own engine is a method, or None.*True"),
        ({"render_large": Own.render}, "needs both of `render_large` and `memory_for`"),
        ({"memory_for": Own.render}, "needs both of `render_large` and `memory_for`"),
        ({"render_large_regions": Own.render}, "needs `render_regions` and `render_large` beside"),
    ],
)
def test_what_does_not_fit_together(changes, message):
    odd = type("Odd", (Own,), changes)()
    with pytest.raises(InputError, match=message):
        as_engine(odd)
    with pytest.raises(InputError, match=f"or an engine object, such as `Cin\\(\\)`. .*{message}"):
        check_engine(odd)
