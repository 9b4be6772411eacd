"""Exported models, each run by its own runtime, paint what the cin engine paints in float32."""

import json
import sys
import textwrap

import numpy as np
import pytest
from PIL import Image

from arbitrary_nst import api
from arbitrary_nst.checkpoints import IDENTITY, trained_styles
from arbitrary_nst.cli import main
from arbitrary_nst.embedding import Embedding, blend, save_styles
from arbitrary_nst.engines.cin import Cin
from arbitrary_nst.errors import InputError, StyleError, WeightsUnavailable
from arbitrary_nst.export import FORMATS, export
from arbitrary_nst.networks.cin import noise, portable
from arbitrary_nst.networks.cin.file import (
    kernel_shapes,
    load_network,
    network_bytes,
    network_id,
)
from arbitrary_nst.networks.cin.layout import CinLayout

SIZES = [(64, 96), (61, 43), (16, 16), (23, 130)]  # height, width
NAMES = ["great-wave", "starry-night", "scream"]
PACKAGES = {"savedmodel": "tensorflow", "tflite": "ai_edge_litert", "onnx": "onnxruntime"}
NETWORKS = ["tiny", "no noise, no skips, two blocks", "packaged"]


@pytest.fixture(scope="session")
def plain_folder(tmp_path_factory):
    """A network of another layout: odd widths, no skip connections, no noise, two blocks."""
    rng = np.random.default_rng(5)
    layout = CinLayout((5, 6), 2, 7)
    kernels = {
        name: (rng.normal(size=shape) / np.sqrt(np.prod(shape[:3]))).astype(np.float32)
        for name, shape in kernel_shapes(layout).items()
    }
    styles = []
    for name in (IDENTITY, *NAMES):
        gamma = rng.uniform(0.5, 1.5, layout.style_size).astype(np.float32)
        beta = rng.normal(0, 0.5, layout.style_size).astype(np.float32)
        arrays = {"gamma": gamma, "beta": beta}
        styles.append(Embedding("cin", network_id(kernels), arrays, name=name))
    folder = tmp_path_factory.mktemp("plain")
    (folder / "network.safetensors").write_bytes(network_bytes(layout, kernels))
    save_styles(styles, folder / "styles.safetensors")
    return folder


@pytest.fixture(params=NETWORKS)
def any_network(request, monkeypatch, network_folder, plain_folder):
    """Each network in turn as the default one."""
    folder = {"tiny": network_folder, NETWORKS[1]: plain_folder}.get(request.param)
    if folder is None:
        monkeypatch.delenv("ARBITRARY_NST_CIN", raising=False)
    else:
        monkeypatch.setenv("ARBITRARY_NST_CIN", str(folder))


@pytest.fixture(params=FORMATS)
def format(request):
    """Each format whose runtime is installed."""
    pytest.importorskip(PACKAGES[request.param])
    if request.param == "onnx":
        pytest.importorskip("onnx")
    return request.param


def load(folder, format):
    """The exported model as a function of its inputs by name."""
    if format == "savedmodel":
        import tensorflow as tf

        model = tf.saved_model.load(str(folder / "model"))
        paint = model.signatures["serving_default"]

        def run(**inputs):
            tensors = {name: tf.constant(value) for name, value in inputs.items()}
            return paint(**tensors)["picture"].numpy()

        run.model = model  # the function alone does not keep it alive
        return run
    if format == "tflite":
        from ai_edge_litert.interpreter import Interpreter

        interpreter = Interpreter(str(folder / "model.tflite"), num_threads=1)
        indices = {one["name"]: one["index"] for one in interpreter.get_input_details()}
        (output,) = interpreter.get_output_details()

        def run(**inputs):
            for name, value in inputs.items():
                interpreter.resize_tensor_input(indices[f"serving_default_{name}:0"], value.shape)
            interpreter.allocate_tensors()
            for name, value in inputs.items():
                interpreter.set_tensor(indices[f"serving_default_{name}:0"], value)
            interpreter.invoke()
            return interpreter.get_tensor(output["index"])

        return run
    import onnxruntime

    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = 1
    session = onnxruntime.InferenceSession(
        folder / "model.onnx", options, providers=["CPUExecutionProvider"]
    )
    return lambda **inputs: session.run(["picture"], inputs)[0]


def read_vectors(folder):
    written = json.loads((folder / "styles.json").read_text(encoding="utf-8"))
    return {one["name"]: np.array(one["vector"], np.float32) for one in written["styles"]}


def difference(picture, photo, style, engine, seed=0):
    """Largest difference to the package's picture; 1 is from black to white."""
    expected = engine.render(photo, style, seed=seed)
    assert picture.shape == (1, *expected.shape) and picture.dtype == np.float32
    return np.abs(picture[0] - expected).max()


def test_the_picture_is_the_package_s(any_network, format, make_photo, tmp_path):
    names = export(tmp_path / "out", format)
    engine = Cin(precision="float32")
    paint, vectors = load(tmp_path / "out", format), read_vectors(tmp_path / "out")
    assert names == list(vectors) == [style.name for style in api.list_styles()]
    mix = blend([engine.styles[names[0]], engine.styles[names[1]]], [0.25, 0.75])
    vector = 0.25 * vectors[names[0]] + 0.75 * vectors[names[1]]
    for number, (height, width) in enumerate(SIZES):
        photo = make_photo(height, width, seed=number)
        style = engine.styles[names[number % 3]]
        picture = paint(content=photo[None], style=vectors[style.name])
        # Two 255ths were asked for; measured 0.01 at most on these sizes.
        assert difference(picture, photo, style, engine) < 0.2 / 255
        picture = paint(content=photo[None], style=vector)
        assert difference(picture, photo, mix, engine) < 0.2 / 255


def test_weights_instead_of_a_vector(any_network, format, make_photo, tmp_path):
    names = ["scream", "great-wave"]
    assert export(tmp_path / "out", format, names, blend_weights=True) == names
    engine = Cin(precision="float32")
    paint, photo = load(tmp_path / "out", format), make_photo(45, 71)
    for weights in ([1, 0], [0, 1], [3, 1], [0.2, 0.3]):
        picture = paint(content=photo[None], weights=np.array(weights, np.float32))
        style = blend([engine.styles[name] for name in names], weights)
        assert difference(picture, photo, style, engine) < 0.2 / 255


def test_the_picture_of_stylize(packaged, format, make_photo, tmp_path):
    """All the way through the API, rounding to whole levels included."""
    name = api.list_styles()[0].name
    export(tmp_path / "out", format, [name])
    photo = make_photo(50, 77)
    picture = load(tmp_path / "out", format)(
        content=photo[None], style=read_vectors(tmp_path / "out")[name]
    )
    expected = np.asarray(api.stylize(photo, name, engine=Cin(precision="float32")), np.float32)
    assert np.abs(picture[0] * 255 - expected).max() < 2


def test_another_seed(network, format, make_photo, tmp_path):
    export(tmp_path / "out", format, seed=7)
    engine, photo = Cin(precision="float32"), make_photo(40, 52)
    style = engine.styles["scream"]
    picture = load(tmp_path / "out", format)(
        content=photo[None], style=read_vectors(tmp_path / "out")["scream"]
    )
    assert difference(picture, photo, style, engine, seed=7) < 0.2 / 255
    assert difference(picture, photo, style, engine, seed=0) > 2 / 255


def test_larger_than_its_noise(network, format, make_photo, tmp_path, monkeypatch):
    """The noise begins anew: another picture than the engine's, and a whole one."""
    monkeypatch.setattr(noise, "NOISE_PIXELS", 1024)
    export(tmp_path / "out", format)
    engine = Cin(precision="float32")
    style = engine.styles["scream"]
    paint, vector = load(tmp_path / "out", format), read_vectors(tmp_path / "out")["scream"]
    small, large = make_photo(32, 32), make_photo(48, 64)
    assert difference(paint(content=small[None], style=vector), small, style, engine) < 0.2 / 255
    picture = paint(content=large[None], style=vector)
    assert np.isfinite(picture).all()
    assert difference(picture, large, style, engine) > 2 / 255


def test_litert_sums_up_many_pixels(network, make_photo, tmp_path):
    """Measured: 0.4 of 255 off with means that LiteRT takes in one go, by rows 0.001."""
    pytest.importorskip("ai_edge_litert")
    export(tmp_path / "out", "tflite")
    photo, vector = make_photo(700, 1001)[None], read_vectors(tmp_path / "out")["scream"]
    layout, kernels = load_network(network / "network.safetensors")
    numbers = noise.noise_numbers(layout, 0)
    # By TensorFlow, and not with the fused operation of the engine, which is off as well.
    exact = portable.portable(layout, kernels, numbers, for_tflite=True)
    expected = exact.paint(photo, vector)["picture"].numpy()
    picture = load(tmp_path / "out", "tflite")(content=photo, style=vector)
    assert np.abs(picture - expected).max() < 0.1 / 255


@pytest.mark.parametrize("blend_weights", [False, True])
@pytest.mark.parametrize("names", [NAMES, NAMES[:1]])
def test_the_program_of_the_readme_runs(
    network, format, make_photo, tmp_path, monkeypatch, names, blend_weights
):
    export(tmp_path / "out", format, names, blend_weights=blend_weights)
    monkeypatch.chdir(tmp_path / "out")
    photo = Image.fromarray((make_photo(37, 50) * 255).astype(np.uint8))
    photo.save("photo.jpg")
    text = (tmp_path / "out" / "README.txt").read_text(encoding="utf-8")
    program = textwrap.dedent(text[text.index("    import json") :])
    assert format in text and network_name(names) in text
    exec(compile(program, "README.txt", "exec"), {})
    with Image.open("picture.png") as picture:
        levels = np.asarray(picture, int)
    shares = [1.0] if len(names) == 1 else [2 / 3, 1 / 3] if blend_weights else [0.7, 0.3]
    engine = Cin(precision="float32")
    expected = api.stylize("photo.jpg", names[:2], shares, engine=engine)
    assert np.abs(np.asarray(expected, int) - levels).max() <= 1


def network_name(names):
    return trained_styles()[names[0]].network


def test_vectors_are_exact(network, tmp_path):
    pytest.importorskip("onnx")
    export(tmp_path / "out", "onnx")
    vectors = read_vectors(tmp_path / "out")
    assert IDENTITY not in vectors
    for name, vector in vectors.items():
        arrays = trained_styles()[name].arrays
        np.testing.assert_array_equal(vector, np.concatenate([arrays["gamma"], arrays["beta"]]))


def test_a_style_file(network, tmp_path):
    pytest.importorskip("onnx")
    parts = [trained_styles()[name] for name in NAMES[:2]]
    blend(parts, name="mine").save(tmp_path / "mine.safetensors")
    styles = [tmp_path / "mine.safetensors", "scream"]
    assert export(tmp_path / "out", "onnx", styles) == ["mine", "scream"]


def test_command(network, other_network_folder, tmp_path, capsys):
    pytest.importorskip("onnx")
    output = tmp_path / "out"
    output.mkdir()  # an empty one will do
    arguments = ["export", "--format", "onnx", "-o", str(output), "--blend-weights"]
    arguments += ["-s", "scream", "-s", "great-wave", "--network", str(other_network_folder)]
    assert main(arguments) == 0
    assert capsys.readouterr().out == f"{output}: onnx, scream, great-wave\n"
    assert sorted(p.name for p in output.iterdir()) == ["README.txt", "model.onnx", "styles.json"]
    written = json.loads((output / "styles.json").read_text(encoding="utf-8"))
    assert written["network"] == trained_styles(other_network_folder)["scream"].network


# What is refused, and what is left then: nothing.


def test_a_folder_with_something_in_it(network, tmp_path):
    (tmp_path / "mine.txt").write_text("mine")
    with pytest.raises(InputError, match=r"is not empty: it has 'mine\.txt'\. Expected a new"):
        export(tmp_path, "tflite")
    with pytest.raises(InputError, match=r"is a file\. Expected a new or an empty folder"):
        export(tmp_path / "mine.txt", "tflite")
    with pytest.raises(InputError, match=r"Create it first"):
        export(tmp_path / "no" / "such", "tflite")
    assert [path.name for path in tmp_path.iterdir()] == ["mine.txt"]


@pytest.mark.parametrize("format", ["keras", None, 3])
def test_unknown_format(network, tmp_path, format):
    with pytest.raises(InputError, match=r"'savedmodel', 'tflite', 'onnx'\. Received: "):
        export(tmp_path / "out", format)


@pytest.mark.parametrize("seed", [-1, 0.5, True, "1"])
def test_wrong_seed(network, tmp_path, seed):
    with pytest.raises(InputError, match=r"`seed` is a whole number from 0 up"):
        export(tmp_path / "out", "tflite", seed=seed)


def test_wrong_styles(network, other_network_folder, make_photo, tmp_path):
    def refused(message, styles):
        with pytest.raises(StyleError, match=message):
            export(tmp_path / "out", "tflite", styles)

    refused("no style named 'grate-wave'.*Did you mean great-wave", ["scream", "grate-wave"])
    refused("Style 2 is an image.*add-style", ["scream", make_photo()])
    refused("Style 2 is called 'scream'.*a name of their own", ["scream", "scream"])
    refused("was made for the engine cin, network", trained_styles(other_network_folder)["scream"])
    refused("`styles` is empty", [])
    assert not list(tmp_path.iterdir())


def test_no_network(tmp_path):
    with pytest.raises(WeightsUnavailable, match="No cin network in"):
        export(tmp_path / "out", "tflite", folder=tmp_path / "none")


def test_missing_package(network, tmp_path, monkeypatch, capsys):
    monkeypatch.setitem(sys.modules, "onnx", None)
    assert main(["export", "--format", "onnx", "-o", str(tmp_path / "out")]) == 2
    assert 'pip install "arbitrary-nst[export]"' in capsys.readouterr().err
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize("exists", [False, True])
def test_nothing_is_left_of_a_failure(network, tmp_path, monkeypatch, exists):
    def fail(module, folder):
        folder.mkdir()
        raise OSError("No space left on device")

    monkeypatch.setattr(portable, "write_savedmodel", fail)
    if exists:
        (tmp_path / "out").mkdir()
    with pytest.raises(OSError, match="No space left"):
        export(tmp_path / "out", "savedmodel")
    assert [path.name for path in tmp_path.rglob("*")] == (["out"] if exists else [])
