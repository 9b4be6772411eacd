"""The public names, the packaged styles, and what is done before TensorFlow is imported."""

import inspect

import numpy as np
import pytest
from pictures import pixels

from arbitrary_nst import embed, list_styles, stylize, stylize_many
from arbitrary_nst.embedding import normalize_weights
from arbitrary_nst.errors import WeightsUnavailable
from arbitrary_nst.image import load_image

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
    """Neither the photo nor one colour, and each style in its own way: by more than rounding."""
    content = make_photo(96, 130)
    pictures = [stylize(content, name) for name in ("great-wave", "starry-night")]
    for picture in pictures:
        assert picture.mode == "RGB" and picture.size == (130, 96)
        assert np.abs(pixels(picture) - 255 * content).mean() > 1
        assert pixels(picture).std(axis=(0, 1)).max() > 1
    wave, night = (pixels(picture).astype(float) for picture in pictures)
    assert np.abs(wave - night).mean() > 1


def test_strength_zero_is_nearer_to_the_photo(packaged, make_photo):
    """Than the full style; how near is a matter of the network's training."""
    content = make_photo(96, 130)
    pictures = [pixels(stylize(content, "great-wave", strength=s)) / 255 for s in (0, 1)]
    errors = [np.mean((picture - content) ** 2) for picture in pictures]
    assert errors[0] < errors[1]


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
