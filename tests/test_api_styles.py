"""`stylize` and `embed`: what may be called a style, and the weights."""

import numpy as np
import pytest
from pictures import pixels, same

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
)
from arbitrary_nst.engines.cin import Cin
from arbitrary_nst.errors import (
    BlendWeightsError,
    EmbeddingError,
    ImageError,
    ImageNotFound,
    StyleError,
)
from arbitrary_nst.image import to_pil


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
