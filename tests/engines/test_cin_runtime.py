"""On what the cin engine runs: TensorFlow, or ONNX Runtime for a single photo from a cold start."""

import importlib
import sys
import types

import numpy as np
import pytest
from PIL import Image

from arbitrary_nst import Embedding, api, load_styles, stylize
from arbitrary_nst.engines.cin import Cin, engine, runtime
from arbitrary_nst.errors import CheckpointError, ImageError, InputError, StyleError

STYLES = ["great-wave", "scream"]
CALLS = {
    "one style": {"styles": "great-wave"},
    "a blend": {"styles": STYLES, "weights": [0.7, 0.3]},
    "half strength": {"styles": "scream", "strength": 0.5},
    "the photo": {"styles": "scream", "strength": 0},
    "the photo's colours": {"styles": STYLES, "color": "content"},
    "another seed": {"styles": "starry-night", "seed": 7},
    "larger strokes": {"styles": "scream", "working_size": 40},
    "another size": {"styles": "scream", "size": 77},
}


@pytest.fixture(scope="module")
def light(network_folder):
    return Cin(network_folder, runtime="onnx")


@pytest.fixture(scope="module")
def full(network_folder):
    return Cin(network_folder, precision="float32", runtime="tensorflow")


def nearly_same(one, other):
    """No value differs by more than one of 255."""
    one, other = (np.asarray(picture, np.int16) for picture in (one, other))
    assert one.shape == other.shape and np.abs(one - other).max() <= 1
    assert one.std() > 1


@pytest.mark.parametrize("size", [(64, 48), (61, 43), (59, 130)])
@pytest.mark.parametrize("call", CALLS)
def test_both_paint_the_same(light, full, make_photo, size, call):
    photo = make_photo(*size)
    pictures = [stylize(photo, engine=runner, **CALLS[call]) for runner in (light, full)]
    nearly_same(*pictures)


@pytest.mark.parametrize("masks", [["left", None], ["left"], ["left", "grey"]])
def test_masks(light, full, make_photo, masks):
    photo = make_photo(43, 61)
    left = np.zeros(photo.shape[:2], np.float32)
    left[:, :30] = 1
    areas = {"left": left, "grey": np.full_like(left, 0.5), None: None}
    options = {"masks": [areas[mask] for mask in masks], "strength": 0.8}
    pictures = [stylize(photo, STYLES[: len(masks)], engine=e, **options) for e in (light, full)]
    nearly_same(*pictures)


def test_what_is_painted_in_passes_is_painted_by_the_other(light, full, make_photo):
    photo = make_photo(70, 90)
    pictures = [runner.render_large(photo, light.styles["scream"]) for runner in (light, full)]
    np.testing.assert_array_equal(*pictures)


def test_it_is_float32(light):
    assert (light.runtime, light.precision) == ("onnx", "float32")
    assert light.memory_for(100, 100) > 0


def test_what_is_wrong_is_refused_alike(light, photo, make_photo):
    stranger = Embedding("cin", "cin-other", light.styles["scream"].arrays)
    with pytest.raises(StyleError, match="Expected: cin, network cin-"):
        light.render(photo, stranger)
    with pytest.raises(ImageError, match="at least 16x16"):
        light.render(make_photo(15, 40), light.styles["scream"])


def test_the_graph_is_that_of_the_network(light, other_network_folder, photo):
    """There is no second file that could be of another network."""
    other = Cin(other_network_folder, runtime="onnx")
    assert other.network != light.network
    with pytest.raises(StyleError):
        other.render(photo, light.styles["scream"])


def test_a_damaged_network(tmp_path, network_folder):
    data = (network_folder / "network.safetensors").read_bytes()
    (tmp_path / "network.safetensors").write_bytes(data[: len(data) // 2])
    (tmp_path / "styles.safetensors").symlink_to(network_folder / "styles.safetensors")
    with pytest.raises(CheckpointError, match="is not a readable network file"):
        Cin(tmp_path, runtime="onnx")


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"runtime": "torch"}, "'auto', 'tensorflow', 'onnx'. Received: 'torch'"),
        ({"runtime": None}, "`runtime` is one of"),
        ({"runtime": "onnx", "precision": "bfloat16"}, "paints in float32"),
        ({"runtime": "onnx", "fit_steps": 3}, "needs gradients of TensorFlow"),
    ],
)
def test_what_does_not_go_together(network_folder, options, message):
    with pytest.raises(InputError, match=message):
        Cin(network_folder, **options)


# Which one it is by itself.


def test_little_work_goes_to_the_light_form(network_folder, monkeypatch):
    monkeypatch.setattr(engine, "is_sooner_light", lambda pixels: pixels <= 100)
    cin = Cin(network_folder)
    light = cin.for_pixels(60)
    assert light.runtime == "onnx" and light.network == cin.network and cin.runtime == "auto"
    assert cin.for_pixels(40) is light
    assert cin.for_pixels(1) is cin, "by now TensorFlow would be worth its start"
    for options in ({"precision": "bfloat16"}, {"runtime": "tensorflow"}):
        cin = Cin(network_folder, **options)
        assert cin.for_pixels(60) is cin
    light = Cin(network_folder, runtime="onnx")
    assert light.for_pixels(10**9) is light


def test_where_tensorflow_is_loaded_it_paints(monkeypatch):
    runtime._has_onnx.cache_clear()
    loaded = types.ModuleType("tensorflow")
    monkeypatch.setitem(sys.modules, "tensorflow", loaded)
    assert runtime.is_sooner_light(10)  # another thread has only begun to load it
    loaded.executing_eagerly = lambda: True
    assert not runtime.is_sooner_light(10)
    monkeypatch.delitem(sys.modules, "tensorflow")
    assert runtime.is_sooner_light(10) and not runtime.is_sooner_light(runtime.LIGHT_PIXELS + 1)


@pytest.mark.parametrize("package", ["onnx", "onnxruntime"])
def test_without_the_packages_tensorflow_paints(network_folder, monkeypatch, package):
    runtime._has_onnx.cache_clear()
    monkeypatch.delitem(sys.modules, "tensorflow")
    monkeypatch.setitem(sys.modules, package, None)
    try:
        assert not runtime.is_sooner_light(10)
        cin = Cin(network_folder)
        assert cin.for_pixels(10) is cin
        with pytest.raises(ImportError, match="needs .*: pip install"):
            Cin(network_folder, runtime="onnx")
    finally:
        runtime._has_onnx.cache_clear()


COLD = """
import sys
from arbitrary_nst import Embedding, stylize
from arbitrary_nst.cli import main

main("stylize photo.png -s scream -s great-wave:2 --strength 0.9 --color content -o 1.png".split())
main("stylize photo.png -s own.safetensors@mask.png -s scream --seed 3 -o 2.png".split())
style = Embedding.load("own.safetensors")
stylize("photo.png", [style, "scream"], working_size=40).save("3.png")
stylize("photo.png", "identity").save("4.png")
heavy = {"tensorflow", "keras", "jax", "torch", "gradio", "av", "cv2"} & set(sys.modules)
sys.exit(f"imported {heavy}" if heavy else 0)
"""


def test_a_cold_start_loads_no_tensorflow(
    network, full, tmp_path, make_photo, run_python, monkeypatch
):
    monkeypatch.chdir(tmp_path)
    photo = Image.fromarray((make_photo(61, 43) * 255).astype(np.uint8))
    photo.save("photo.png")
    mask = np.zeros((61, 43), np.uint8)
    mask[:20] = 255
    Image.fromarray(mask).save("mask.png")
    own = load_styles(network / "styles.safetensors")["starry-night"]
    own.save("own.safetensors")
    result = run_python("-c", COLD)
    assert result.returncode == 0, result.stderr
    expected = [
        stylize(
            photo, ["scream", "great-wave"], [1, 2], strength=0.9, color="content", engine=full
        ),
        stylize(photo, [own, "scream"], masks=[mask, None], seed=3, engine=full),
        stylize(photo, [own, "scream"], working_size=40, engine=full),
        stylize(photo, "identity", engine=full),
    ]
    for number, picture in enumerate(expected, start=1):
        nearly_same(Image.open(f"{number}.png"), picture)


COLD_IMAGE = """
import sys
from arbitrary_nst.cli import main

main("stylize photo.png -s painting.png -s scream:2 -o 1.png".split())
main("embed painting.png -o painting.safetensors".split())
main("stylize photo.png -s painting.safetensors -s scream:2 -o 2.png".split())
heavy = {"tensorflow", "keras"} & set(sys.modules)
sys.exit(f"imported {heavy}" if heavy else 0)
"""


def test_an_image_as_style_loads_no_tensorflow_either(packaged, tmp_path, run_python, monkeypatch):
    """Refined, mixed with a name; and the same vector where TensorFlow is loaded."""
    monkeypatch.chdir(tmp_path)
    rng = np.random.default_rng(0)
    for name, size in (("photo", (43, 61)), ("painting", (50, 40))):
        small = Image.fromarray(rng.integers(0, 256, (8, 8, 3), np.uint8))
        small.resize(size, Image.Resampling.BICUBIC).save(f"{name}.png")
    result = run_python("-c", COLD_IMAGE)
    assert result.returncode == 0, result.stderr
    nearly_same(Image.open("1.png"), Image.open("2.png"))
    cold = Embedding.load("painting.safetensors")
    importlib.import_module("tensorflow")
    warm = api.embed("painting.png", engine=Cin())
    predicted = api.embed("painting.png", engine=Cin(refine_steps=0))
    for name, array in cold.arrays.items():
        np.testing.assert_allclose(warm.arrays[name], array, atol=1e-3)
        assert np.abs(array - predicted.arrays[name]).max() > 0.05


class Recorder:
    """An engine that writes down what it is asked for."""

    name, network = "recorder", "r1"

    def __init__(self):
        self.asked = []

    def for_pixels(self, pixels):
        self.asked.append(pixels)
        return self

    def embed(self, style):
        return Embedding(self.name, self.network, {"x": np.ones(1, np.float32)})

    identity = embed

    def render(self, content, style, *, seed=0):
        return content

    def render_batch(self, contents, styles, *, seed=0):
        return contents


def test_only_a_single_photo_asks(make_photo):
    recorder, photo = Recorder(), make_photo(40, 60)
    style = recorder.embed(photo)
    stylize(photo, style, engine=recorder)
    stylize(photo, [style, photo], engine=recorder, size=30)
    stylize(photo, style, engine=recorder, texture_scale=2)
    list(api.stylize_many([photo, photo], style, engine=recorder))
    list(api.stylize_many(iter([photo]), style, engine=recorder))
    assert recorder.asked == [2400, 600, 600]
