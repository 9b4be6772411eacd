"""The public functions: what goes in, what comes out, what is refused, and when."""

import inspect
import io

import numpy as np
import pytest
from PIL import ExifTags, Image

import arbitrary_nst
from arbitrary_nst import (
    Embedding,
    blend,
    embed,
    list_styles,
    load_engine,
    load_styles,
    save_styles,
    stylize,
    stylize_many,
)
from arbitrary_nst.embedding import normalize_weights
from arbitrary_nst.engines.cin import Cin
from arbitrary_nst.errors import (
    BlendWeightsError,
    EmbeddingError,
    ImageError,
    ImageNotFound,
    ImageTooLarge,
    InputError,
    StyleError,
    WeightsUnavailable,
)
from arbitrary_nst.image import load_image, resize, to_pil


def pixels(picture):
    return np.asarray(picture)


def encoded(picture, file_format="PNG", **options):
    buffer = io.BytesIO()
    picture.save(buffer, file_format, **options)
    return buffer.getvalue()


def same(first, second):
    assert first.mode == second.mode
    np.testing.assert_array_equal(pixels(first), pixels(second))


def test_public_names():
    assert arbitrary_nst.__all__ == [
        "Embedding",
        "StyleInfo",
        "blend",
        "embed",
        "list_styles",
        "load_engine",
        "load_styles",
        "save_image",
        "save_styles",
        "stylize",
        "stylize_many",
    ]
    assert all(hasattr(arbitrary_nst, name) for name in arbitrary_nst.__all__)


# The packaged network.


def test_the_packaged_styles_have_names_and_sources(packaged):
    styles = list_styles()
    assert len(styles) >= 8
    assert len({style.name for style in styles}) == len(styles)
    assert {"great-wave", "starry-night"} <= {style.name for style in styles}
    for style in styles:
        assert style.name == style.name.lower() and " " not in style.name
        assert len(style.source) > 5


def test_the_packaged_network_paints(packaged, make_photo):
    content = make_photo(96, 130)
    picture = stylize(content, ["great-wave", "starry-night"], [0.7, 0.3])
    assert picture.mode == "RGB" and picture.size == (130, 96)
    difference = np.abs(pixels(picture) / 255 - content).mean()
    assert 0.02 < difference < 0.5 and pixels(picture).std() > 10


def test_strength_zero_is_nearer_to_the_photo(packaged, make_photo):
    """Modest, because the photo is nothing like those that the network was trained with."""
    content = make_photo(96, 130)
    pictures = [pixels(stylize(content, "great-wave", strength=s)) / 255 for s in (0, 1)]
    errors = [np.mean((picture - content) ** 2) for picture in pictures]
    assert -10 * np.log10(errors[0]) > 11
    assert errors[0] < 0.6 * errors[1]


# Contents.


def test_every_kind_of_content_gives_the_same_picture(network, photo, tmp_path):
    array = pixels(to_pil(photo))
    png = encoded(Image.fromarray(array))
    path = tmp_path / "photo.png"
    path.write_bytes(png)
    expected = stylize(array, "scream")
    assert expected.mode == "RGB" and expected.size == (40, 32)
    for content in (
        path,
        str(path),
        png,
        bytearray(png),
        io.BytesIO(png),
        Image.fromarray(array),
        array.astype(np.float32) / 255,
        array.astype(np.float64) / 255,
    ):
        same(stylize(content, "scream"), expected)
    with open(path, "rb") as file:
        same(stylize(file, "scream"), expected)


def test_grey_photos(network, photo):
    grey = photo[..., 0]
    expected = stylize(np.repeat(grey[..., None], 3, axis=-1), "scream")
    same(stylize(grey, "scream"), expected)
    same(stylize(grey[..., None], "scream"), expected)


def test_alpha_comes_back(network, photo):
    alpha = np.linspace(0.01, 1, 32 * 40, dtype=np.float32).reshape(32, 40, 1)
    content = np.concatenate([photo, alpha], axis=-1)
    picture = stylize(content, "scream")
    assert picture.mode == "RGBA"
    np.testing.assert_array_equal(pixels(picture)[..., 3], np.rint(alpha[..., 0] * 255))
    np.testing.assert_array_equal(pixels(picture)[..., :3], pixels(stylize(photo, "scream")))
    small = stylize(content, "scream", size=20)
    assert small.mode == "RGBA" and small.size == (20, 16)


def test_colour_under_transparency_does_not_matter(network, photo):
    alpha = np.ones((32, 40, 1), np.float32)
    alpha[8:24, 10:30] = 0
    pictures = []
    for hidden in (0.0, 1.0):
        content = np.concatenate([photo, alpha], axis=-1)
        content[8:24, 10:30, :3] = hidden
        pictures.append(stylize(content, "scream"))
    same(*pictures)


def test_the_size_is_that_of_the_upright_photo(network, photo):
    exif = Image.Exif()
    exif[ExifTags.Base.Orientation] = 6
    picture = stylize(encoded(to_pil(photo), exif=exif), "scream")
    assert picture.size == (32, 40)
    same(picture, stylize(np.rot90(pixels(to_pil(photo)), -1), "scream"))


def test_contents_are_not_modified(network, photo):
    before = photo.copy()
    stylize(photo, ["scream", "great-wave"], strength=0.5, color="content", size=24)
    np.testing.assert_array_equal(photo, before)


# Styles and weights.


def test_kinds_of_styles_mix(network, photo, tmp_path):
    embed("scream").save(tmp_path / "scream.safetensors")
    expected = stylize(photo, ["scream", "great-wave"], [2, 1])
    for style in (
        embed("scream"),
        tmp_path / "scream.safetensors",
        str(tmp_path / "scream.safetensors"),
    ):
        same(stylize(photo, [style, "great-wave"], [2, 1]), expected)
    assert np.abs(pixels(expected) - pixels(stylize(photo, "scream")).astype(float)).mean() > 0.5


def test_styles_in_any_iterable(network, photo):
    expected = stylize(photo, ["scream", "great-wave"])
    same(stylize(photo, ("scream", "great-wave")), expected)
    same(stylize(photo, (name for name in ["scream", "great-wave"])), expected)
    same(stylize(photo, np.array(["scream", "great-wave"]).tolist()), expected)
    same(stylize(photo, {name: embed(name) for name in ["scream", "great-wave"]}), expected)


def test_a_library_is_a_list_of_styles(network, photo, tmp_path):
    path = tmp_path / "library.safetensors"
    save_styles([embed("scream"), embed("great-wave")], path)
    same(
        stylize(photo, load_styles(path), [3, 1]), stylize(photo, ["scream", "great-wave"], [3, 1])
    )
    with pytest.raises(EmbeddingError, match="holds 2 styles, not one. Pick one with"):
        stylize(photo, path)


def test_blends_are_exact(network, photo):
    first = stylize(photo, "scream")
    same(stylize(photo, ["scream", "great-wave"], [1, 0]), first)
    same(stylize(photo, ["scream", "scream"], [0.2, 0.8]), first)
    same(stylize(photo, [blend([embed("scream"), embed("great-wave")], [7, 0])]), first)
    same(
        stylize(photo, ["scream", "great-wave", "starry-night"], [1, 2, 3]),
        stylize(photo, ["starry-night", "scream", "great-wave"], [3, 1, 2]),
    )


@pytest.mark.parametrize("weights", [[2, 1], (2, 1), np.array([2.0, 1.0]), [2 / 3, 1 / 3]])
def test_kinds_of_weights(network, photo, weights):
    same(
        stylize(photo, ["scream", "great-wave"], weights),
        stylize(photo, ["scream", "great-wave"], [20, 10]),
    )


def test_the_identity_is_a_style_but_not_listed(network, photo):
    assert "identity" not in [style.name for style in list_styles()]
    assert embed("identity").name == "identity"


def test_list_styles(network):
    assert [style.name for style in list_styles()] == ["great-wave", "starry-night", "scream"]
    assert list_styles()[2] == arbitrary_nst.StyleInfo("scream", "Munch")


def test_embed(network, tmp_path):
    scream = embed("scream")
    assert isinstance(scream, Embedding) and (scream.name, scream.source) == ("scream", "Munch")
    assert embed(scream) is scream
    scream.save(tmp_path / "a.safetensors")
    assert embed(tmp_path / "a.safetensors") == scream
    assert embed("scream", engine="cin") == scream


def test_a_name_wins_over_a_file_and_a_path_is_a_file(network, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "scream").write_bytes(b"no image")
    assert embed("scream").name == "scream"
    for path in ("./scream", tmp_path / "scream"):
        with pytest.raises(ImageError, match="scream' is not an image"):
            embed(path)


@pytest.mark.parametrize(
    ("style", "near"),
    [
        ("grate-wave", "Did you mean great-wave?"),
        ("Great Wave", "Did you mean great-wave?"),
        ("GREAT_WAVE", "Did you mean great-wave?"),
        ("starry", "Did you mean starry-night?"),
        ("xyz", "Known names: great-wave, starry-night, scream."),
        ("", "Known names: great-wave"),
        ("folder/xyz", "Known names"),
        ("x" * 5000, "Known names"),
        ("nul\0", "Known names"),
    ],
)
def test_unknown_names(network, photo, style, near):
    message = r"^There is no style named .*, and no file of that name\. " + near
    for call in (lambda: stylize(photo, style), lambda: embed(style)):
        with pytest.raises(StyleError, match=message):
            call()


@pytest.mark.parametrize("styles", [None, 5, 1.5, object(), {"scream", "great-wave"}, True])
def test_what_is_no_list_of_styles(network, photo, styles):
    with pytest.raises(StyleError, match=r"^`styles` must be a list of styles; each is the name"):
        stylize(photo, styles)


@pytest.mark.parametrize("styles", [[], (), {}, iter([])])
def test_no_styles(network, photo, styles):
    with pytest.raises(StyleError, match="`styles` is empty. Expected at least one"):
        stylize(photo, styles)


@pytest.mark.parametrize(
    ("styles", "message"),
    [
        ([None], "Style 1 must be the name of .*Received: None"),
        (["scream", 5], "Style 2 must be .*Received: 5. Numbers belong into `weights`"),
        ([["scream"]], r"Style 1 must be .*Received: \['scream'\]"),
        ([("scream", 0.5)], "Style 1 must be"),
        ({"scream": 0.7}, "Style 1 must be .*Received: 0.7. Numbers belong into `weights`"),
    ],
)
def test_what_is_no_style(network, photo, styles, message):
    with pytest.raises(StyleError, match=message):
        stylize(photo, styles)
    with pytest.raises(StyleError, match="Style 1 must be"):
        embed([None])


def test_style_files_that_cannot_be_read(network, photo, tmp_path):
    broken = tmp_path / "broken.safetensors"
    broken.write_bytes(b"nonsense")
    with pytest.raises(EmbeddingError, match=r"broken.safetensors'. It is damaged"):
        stylize(photo, ["scream", broken])
    with pytest.raises(EmbeddingError, match="There is no such file"):
        stylize(photo, [tmp_path / "missing.safetensors"])


def test_style_images_are_read_and_refused_by_number(network, photo, tmp_path):
    painting = tmp_path / "painting.png"
    to_pil(photo).save(painting)
    for style in (painting, str(painting), photo, to_pil(photo), painting.read_bytes()):
        for engine in ("cin", load_engine("cin")):
            with pytest.raises(StyleError, match="is an image, and the cin engine knows only"):
                stylize(photo, ["scream", style], engine=engine)
        message = (
            r"^Style 2 is an image, style 1 \('scream'\) needs the cin.*`arbitrary-nst add-style"
        )
        with pytest.raises(StyleError, match=message):
            stylize(photo, ["scream", style])
        with pytest.raises(StyleError, match=r"^Style 1 is an image"):
            embed(style, engine="cin")
    with pytest.raises(ImageNotFound, match=r"style 2 image '.*no.png' does not exist"):
        stylize(photo, ["scream", tmp_path / "no.png"])
    with pytest.raises(ImageError, match="style 3 image .* folder"):
        stylize(photo, ["scream", "great-wave", tmp_path])
    with pytest.raises(ImageError, match="style 1 image .*wrong shape"):
        stylize(photo, [np.zeros((2, 4, 4, 3))])


def test_embeddings_of_other_networks_are_refused_by_number(network, other_network_folder, photo):
    stranger = load_styles(other_network_folder / "styles.safetensors")["scream"]
    message = r"^Style 2 \('scream'\) was made for the engine cin, network .*Expected: cin, network"
    for engine in ("auto", "cin", load_engine("cin")):
        with pytest.raises(StyleError, match=message):
            stylize(photo, ["scream", stranger], engine=engine)
    foreign = Embedding("magenta", "m1", {"x": np.ones(3, np.float32)}, name="mine")
    message = r"^Style 2 \('scream'\) was made for the engine cin, style 1 \('mine'\) for magenta"
    with pytest.raises(StyleError, match=message):
        stylize(photo, [foreign, stranger])
    other = Cin(other_network_folder)
    assert stylize(photo, [stranger], engine=other).size == (40, 32)
    same(stylize(photo, ["scream"], engine=other), stylize(photo, [stranger], engine=other))


@pytest.mark.parametrize(
    ("weights", "message"),
    [
        ([1], r"one value per style. Expected 2 values. Received 1: weights=\[1\]"),
        ([1, 2, 3], "Expected 2 values"),
        ([], "Expected 2 values"),
        ([1, -1], "none of them negative. Received -1"),
        ([0, 0], "one value above 0"),
        ([1, float("nan")], "finite numbers.*Received nan"),
        ([1, float("inf")], "finite numbers.*Received inf"),
        ([1, "a"], "finite numbers.*Received 'a'"),
        ([1, None], "finite numbers"),
        ("12", "list of numbers"),
        (5, "list of numbers"),
    ],
)
def test_wrong_weights(network, photo, weights, message):
    with pytest.raises(BlendWeightsError, match=message):
        stylize(photo, ["scream", "great-wave"], weights)


# Options.


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


# Several photos.


def test_many_gives_what_one_by_one_gives(network, make_photo, tmp_path):
    sizes = [(32, 40), (32, 40), (17, 23), (32, 40), (40, 32)]
    contents = [make_photo(*size, seed) for seed, size in enumerate(sizes)]
    path = tmp_path / "a.png"
    to_pil(contents[2]).save(path)
    contents[2] = path
    options = {"strength": 0.6, "color": "content"}
    expected = [stylize(content, ["scream", "great-wave"], **options) for content in contents]
    found = list(stylize_many(contents, ["scream", "great-wave"], **options))
    assert [picture.size for picture in found] == [(w, h) for h, w in sizes]
    for first, second in zip(found, expected, strict=True):
        difference = np.abs(pixels(first).astype(int) - pixels(second))
        assert difference.max() <= 1
    generated = stylize_many((content for content in contents), ["scream", "great-wave"], **options)
    for first, second in zip(generated, found, strict=True):
        same(first, second)


def test_equal_sizes_run_as_one_batch_up_to_a_limit(network, make_photo, monkeypatch):
    batches = []

    class Counting(Cin):
        def render_batch(self, contents, embeddings, *, seed=0):
            batches.append(len(contents))
            return super().render_batch(contents, embeddings, seed=seed)

    contents = [make_photo(32, 40)] * 3 + [make_photo(16, 16)] + [make_photo(32, 40)]
    list(stylize_many(contents, "scream", engine=Counting()))
    assert batches == [3, 1, 1]
    batches.clear()
    monkeypatch.setattr("arbitrary_nst.pipeline.contents.BATCH_PIXELS", 2 * 32 * 40)
    list(stylize_many(contents, "scream", engine=Counting()))
    assert batches == [2, 1, 1, 1]


def test_many_of_none(network):
    assert list(stylize_many([], "scream")) == []
    assert list(stylize_many(iter(()), "scream")) == []
    with pytest.raises(StyleError, match="no style named"):
        stylize_many([], "nope")


@pytest.mark.parametrize(
    "contents",
    ["a.jpg", b"x", None, 5, np.zeros((4, 4, 3)), Image.new("RGB", (4, 4)), io.BytesIO()],
)
def test_a_single_photo_is_not_many(network, contents, tmp_path):
    with pytest.raises(InputError, match="`contents` must be a list of photos; for a single photo"):
        stylize_many(contents, "scream")
    with pytest.raises(InputError, match=r"Received: PosixPath|Received: WindowsPath"):
        stylize_many(tmp_path, "scream")


def test_photos_before_a_broken_one_come_out(network, photo):
    pictures = stylize_many([photo, photo, "missing.png", photo], "scream")
    for _ in range(2):
        assert next(pictures).size == (40, 32)
    with pytest.raises(ImageNotFound, match="content image 'missing.png' does not exist"):
        next(pictures)


def test_many_checks_at_the_call(network, photo, tmp_path):
    with pytest.raises(StyleError, match="no style named"):
        stylize_many([photo], "nope")
    with pytest.raises(ImageNotFound, match="does not exist"):
        stylize_many([tmp_path / "no.png"], "scream")


@pytest.mark.parametrize(
    ("content", "error", "message"),
    [
        ("missing.png", ImageNotFound, "content image 'missing.png' does not exist"),
        (b"", ImageError, r"content image \(given as bytes\) is empty"),
        (b"text", ImageError, "not an image"),
        (None, ImageError, "given as NoneType"),
        (np.full((20, 20, 3), np.nan), ImageError, "NaN"),
        (np.zeros((0, 20, 3)), ImageError, "no pixels"),
        (np.zeros((20, 20, 2)), ImageError, "wrong shape"),
        (np.zeros((10, 10, 3)), ImageError, "at least 16x16"),
        (np.zeros((9000, 9000), np.uint8), ImageTooLarge, "max_pixels=64000000"),
    ],
)
def test_wrong_contents(network, content, error, message):
    with pytest.raises(error, match=message):
        stylize(content, "scream")


# Before anything heavy.


def test_a_missing_network(monkeypatch, photo, tmp_path):
    monkeypatch.setenv("ARBITRARY_NST_CIN", str(tmp_path))
    for call in (list_styles, lambda: embed("scream"), lambda: stylize(photo, "scream")):
        with pytest.raises(WeightsUnavailable, match="No cin network in .*ARBITRARY_NST_CIN"):
            call()


NOTHING_HEAVY = """
import sys
import numpy as np
from arbitrary_nst import Embedding, embed, list_styles, load_engine, stylize, stylize_many
from arbitrary_nst.errors import InputError

photo = np.zeros((32, 32, 3))
list_styles(), embed("scream")
stranger = Embedding("magenta", "m1", {"x": np.ones(3, np.float32)})
for number, call in enumerate([
    lambda: stylize("missing.png", "scream"),
    lambda: stylize(b"broken", "scream"),
    lambda: stylize(photo, "nope"),
    lambda: stylize(photo, photo, engine="cin"),
    lambda: stylize(photo, ["scream", photo]),
    lambda: stylize(photo, ["scream", stranger]),
    lambda: stylize(photo, ["scream"], [1, 2]),
    lambda: stylize(photo, ["scream"], [float("nan")]),
    lambda: stylize(photo, "scream", strength=2),
    lambda: stylize(photo, "scream", size=0),
    lambda: stylize(photo, "scream", size=10**6),
    lambda: stylize(photo, "scream", engine="nope"),
    lambda: stylize_many(["missing.png"], "scream"),
    lambda: embed(photo, engine="cin"),
    lambda: load_engine("nope"),
]):
    try:
        call()
    except InputError:
        pass
    else:
        sys.exit(f"call {number} raised nothing")
heavy = {"tensorflow", "keras", "jax", "torch"} & set(sys.modules)
sys.exit(f"imported {heavy}" if heavy else 0)
"""


def test_mistakes_are_found_before_tensorflow_is_imported(network, run_python):
    result = run_python("-c", NOTHING_HEAVY)
    assert result.returncode == 0, result.stderr


def test_signatures_agree():
    """`stylize` hands everything on to `stylize_many`, and both have the same defaults."""
    one, many = (inspect.signature(function).parameters for function in (stylize, stylize_many))
    assert list(one)[1:] == list(many)[1:]
    assert all(one[name] == many[name] for name in list(one)[1:])
    assert normalize_weights(one["weights"].default, 2) == [0.5, 0.5]
    assert load_image(np.zeros((4, 4)), max_pixels=one["max_pixels"].default)[1] is None
