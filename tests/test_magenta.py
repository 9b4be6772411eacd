"""The magenta engine, on a tiny SavedModel of the same form that is made anew for each run."""

import hashlib
import http.server
import io
import shutil
import sys
import tarfile
import threading
import types

import numpy as np
import pytest
import tensorflow as tf
from PIL import Image
from small_magenta import IMAGES, VECTOR_SIZE, TinyMagenta, save_model, two_images

from arbitrary_nst import api
from arbitrary_nst.checkpoints import MAGENTA_URL, magenta_source
from arbitrary_nst.cli import main
from arbitrary_nst.embedding import Embedding, blend, load_styles, save_styles
from arbitrary_nst.engines import check_engine
from arbitrary_nst.engines.magenta import Magenta, _windows, check
from arbitrary_nst.errors import (
    CheckpointError,
    ImageError,
    InputError,
    StyleError,
    WeightsUnavailable,
)
from arbitrary_nst.image import to_pil
from arbitrary_nst.networks.magenta import hub, tflite
from arbitrary_nst.networks.magenta.graph_split import find_bottleneck
from arbitrary_nst.networks.magenta.hub import HubNetwork, published_digest
from arbitrary_nst.networks.magenta.tflite import TflitePair


@pytest.fixture(scope="module")
def model():
    return TinyMagenta()


@pytest.fixture(scope="module")
def model_folder(tmp_path_factory, model):
    return save_model(tmp_path_factory.mktemp("hub") / "tiny", model, two_images(model.stylize))


@pytest.fixture(scope="module")
def engine(model_folder):
    return Magenta(model_folder)


@pytest.fixture
def painting(make_photo):
    return 1 - make_photo(48, 70, seed=3)


# The cut.


def test_the_halves_joined_are_the_whole(engine, model, make_photo):
    network = engine._network
    assert network.vector_size == VECTOR_SIZE
    assert network.difference < 1e-6
    content, style = make_photo(24, 36), make_photo(50, 41, seed=1)
    whole = model.stylize(content[None], style[None])[0].numpy()[0]
    vector = network.predict(style)
    np.testing.assert_allclose(vector, model.bottleneck(style[None]).numpy().ravel(), atol=1e-6)
    np.testing.assert_allclose(network.transform(content, vector), whole, atol=1e-6)


def test_the_halves_do_not_hold_each_others_operations(engine):
    kinds = {
        name: {op.type for op in half.get_concrete_function().graph.get_operations()}
        for name, half in vars(engine._network).items()
        if name in ("_predict", "_transform")
    }
    assert "Rsqrt" not in kinds["_predict"] and "Rsqrt" in kinds["_transform"]
    assert "Relu" in kinds["_predict"] and "Relu" not in kinds["_transform"]


def test_the_bottleneck_is_the_last_single_vector():
    @tf.function(input_signature=[IMAGES])
    def function(x):
        pooled = tf.reduce_mean(x, axis=(1, 2), keepdims=True, name="pooled")
        first = tf.multiply(pooled, 2.0, name="first")
        left, right = tf.nn.relu(first), tf.sigmoid(first)  # neither has it all
        last = tf.add(left, right, name="last")
        tf.identity(last, name="vector_only")
        tf.identity(left, name="left_only")
        return x[:, :1] * 0.0 + last

    graph = function.get_concrete_function().graph
    image = graph.inputs[0]
    # The image itself runs past the mean, so no single tensor has it all.
    assert find_bottleneck(image, graph.outputs[0]) is None
    for output, expected in {"vector_only:0": "last:0", "left_only:0": "Relu:0"}.items():
        assert find_bottleneck(image, graph.get_tensor_by_name(output)).name == expected


def test_halves_that_differ_from_the_whole_are_refused(model_folder, monkeypatch):
    transform = HubNetwork.transform
    monkeypatch.setattr(HubNetwork, "transform", lambda *a: transform(*a) + np.float32(1e-3))
    with pytest.raises(CheckpointError, match="differ from the whole by 0.001. Expected less"):
        HubNetwork(str(model_folder))


# The contract.


@pytest.mark.parametrize(
    "size", [(2, 2), (3, 5), (4, 4), (7, 9), (15, 16), (17, 23), (33, 50), (64, 48), (2, 99)]
)
def test_the_picture_has_the_shape_of_the_photo(engine, size, make_photo, painting):
    content = make_photo(*size)
    picture = engine.render(content, engine.embed(painting))
    assert picture.shape == content.shape and picture.dtype == np.float32
    assert picture.min() >= 0 and picture.max() <= 1


def test_sides_are_grown_by_reflection(engine, model, make_photo, painting):
    content = make_photo(21, 30)
    style = engine.embed(painting)
    grown = np.pad(content, ((0, 3), (0, 2), (0, 0)), mode="reflect")
    vector = style.arrays["bottleneck"].reshape(1, 1, 1, -1)
    expected = model.picture(grown[None], vector).numpy()[0, :21, :30]
    np.testing.assert_allclose(engine.render(content, style), expected, atol=1e-5)


def test_a_photo_of_one_pixel_across_is_refused(engine, painting):
    style = engine.embed(painting)
    with pytest.raises(ImageError, match="at least 2x2 pixels. Received: 30x1"):
        engine.render(np.zeros((1, 30, 3), np.float32), style)


def test_the_same_again_and_inputs_stay_as_they_are(engine, photo, painting):
    before = photo.copy(), painting.copy()
    photo.flags.writeable = painting.flags.writeable = False
    style = engine.embed(painting)
    assert engine.embed(painting) == style
    first = engine.render(photo, style)
    np.testing.assert_array_equal(engine.render(photo, style, seed=5), first)
    np.testing.assert_array_equal(photo, before[0])
    np.testing.assert_array_equal(painting, before[1])
    assert np.abs(engine.render(photo, engine.embed(photo)) - first).mean() > 1e-3


def test_a_batch_is_the_pictures_one_by_one(engine, photo, painting):
    contents, styles = [photo, photo[::-1]], [engine.embed(painting), engine.embed(photo)]
    pairs = zip(contents, styles, strict=True)
    for picture, (content, style) in zip(
        engine.render_batch(contents, styles), list(pairs), strict=True
    ):
        np.testing.assert_array_equal(picture, engine.render(content, style))
    with pytest.raises(InputError, match="2 photos, 1 embeddings"):
        engine.render_batch(contents, styles[:1])


def test_several_threads_get_the_same_pictures(engine, photo, painting):
    expected = engine.render(photo, engine.embed(painting))
    pictures = []
    threads = [
        threading.Thread(
            target=lambda: pictures.append(engine.render(photo, engine.embed(painting)))
        )
        for _ in range(4)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(pictures) == 4
    for picture in pictures:
        np.testing.assert_array_equal(picture, expected)


def test_embeddings_blend(engine, photo, painting):
    first, second = engine.embed(painting), engine.embed(photo)
    assert first.engine == "magenta" and first.network == engine.network
    assert first.arrays["bottleneck"].shape == (VECTOR_SIZE,)
    ends = [engine.render(photo, style) for style in (first, second)]
    np.testing.assert_array_equal(engine.render(photo, blend([first, second], [1, 0])), ends[0])
    middle = engine.render(photo, blend([first, second]))
    assert all(np.abs(middle - end).mean() > 1e-4 for end in ends)
    assert np.abs(middle - ends[0]).mean() < np.abs(ends[1] - ends[0]).mean()


def test_stored_embeddings_give_the_same_picture_without_the_style_half(
    engine, photo, painting, tmp_path, monkeypatch
):
    fresh = np.asarray(api.stylize(photo, [painting, photo], [2, 1], engine=engine))
    library = {"one": engine.embed(painting), "two": engine.embed(photo)}
    save_styles(library, tmp_path / "styles.safetensors")
    monkeypatch.setattr(engine._network, "_predict", None)  # would fail if it were run
    styles = load_styles(tmp_path / "styles.safetensors")
    np.testing.assert_array_equal(
        np.asarray(api.stylize(photo, styles, [2, 1], engine=engine)), fresh
    )


def test_strength_blends_with_the_photos_own_embedding(engine, photo, painting):
    style = engine.embed(painting)
    assert engine.identity(photo) == engine.embed(photo)
    half = blend([engine.embed(photo), style], [0.5, 0.5])
    picture = np.asarray(api.stylize(photo, style, strength=0.5, engine=engine), np.float32) / 255
    np.testing.assert_allclose(picture, engine.render(photo, half), atol=0.51 / 255)


def test_embeddings_of_others_are_refused(engine, photo):
    arrays = {"bottleneck": np.zeros(VECTOR_SIZE, np.float32)}
    for other in (Embedding("cin", engine.network, arrays), Embedding("magenta", "other", arrays)):
        with pytest.raises(StyleError, match="Expected: magenta, network magenta-hub-"):
            engine.render(photo, other)
    short = Embedding("magenta", engine.network, {"bottleneck": np.zeros(3, np.float32)})
    with pytest.raises(StyleError, match="do not fit the network"):
        engine.render(photo, short)


def test_the_network_is_named_after_its_weights(engine, tmp_path, model_folder):
    assert engine.network.startswith("magenta-hub-")
    shutil.copytree(model_folder, tmp_path / "copy")
    assert HubNetwork(str(tmp_path / "copy")).network == engine.network
    other = TinyMagenta(seed=1)
    folder = save_model(tmp_path / "other", other, two_images(other.stylize))
    assert HubNetwork(str(folder)).network != engine.network


def test_the_engine_fits_the_api(engine):
    check_engine(engine)


# Styles of all sizes.


@pytest.mark.parametrize(
    ("size", "scale", "shapes"),
    [
        ((256, 256), 1, [(256, 256)]),
        ((512, 512), 1, [(256, 256)]),
        ((40, 44), 1, [(256, 256)]),  # what is left over is not worth a second window
        ((300, 450), 1, [(256, 256)] * 2),
        ((600, 200), 1, [(256, 256)] * 3),
        ((256, 256), 2, [(256, 256)] * 4),
        ((256, 512), 0.5, [(128, 128)] * 2),
        ((1, 5000), 1, [(256, 256)] * 8),
    ],
)
def test_windows_cover_the_style(size, scale, shapes):
    windows = _windows(np.zeros((*size, 3), np.float32), scale)
    assert [window.shape for window in windows] == [(*shape, 3) for shape in shapes]


def test_windows_reach_both_ends():
    style = np.zeros((100, 260, 3), np.float32)
    style[:, 0], style[:, -1] = 1, 1
    windows = _windows(style, 1)
    assert windows[0][:, 0].min() > 0.5 and windows[-1][:, -1].min() > 0.5


def test_a_larger_scale_looks_closer(engine, model_folder, make_photo):
    checks = np.indices((64, 64)).sum(axis=0) // 8 % 2
    style = np.repeat(checks[..., None], 3, axis=-1).astype(np.float32)
    closer = Magenta(model_folder, style_scale=2)
    assert closer.network == engine.network
    assert closer.embed(style) != engine.embed(style)
    flat = np.full((64, 64, 3), 0.5, np.float32)
    values = [one.embed(flat).arrays["bottleneck"] for one in (engine, closer)]
    np.testing.assert_allclose(values[0], values[1], atol=1e-5)


@pytest.mark.parametrize("scale", [0, -1, 5, float("nan"), "1", None])
def test_scales_out_of_range_are_refused(scale):
    with pytest.raises(InputError, match="`style_scale` is a number from 0.25 to 4. Received"):
        Magenta("nowhere", style_scale=scale)


# Where the network comes from.


def test_the_source(monkeypatch, tmp_path):
    monkeypatch.delenv("ARBITRARY_NST_MAGENTA", raising=False)
    assert magenta_source() == MAGENTA_URL
    monkeypatch.setenv("ARBITRARY_NST_MAGENTA", "elsewhere")
    assert magenta_source() == "elsewhere"
    assert magenta_source(tmp_path) == str(tmp_path)


class Handler(http.server.BaseHTTPRequestHandler):
    """Answers every request with the status and body of its server."""

    def do_GET(self):
        self.server.requests.append(self.path)
        self.send_response(self.server.status)
        self.send_header("Content-Length", str(len(self.server.body)))
        self.end_headers()
        self.wfile.write(self.server.body)

    def log_message(self, *args):
        pass


@pytest.fixture
def server(monkeypatch, tmp_path):
    """A server on this machine, and an empty cache for what comes from it."""
    for name in ("http_proxy", "HTTP_PROXY", "all_proxy", "ALL_PROXY"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("TFHUB_CACHE_DIR", str(tmp_path / "cache"))
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        server.status, server.body, server.requests = 200, b"", []
        server.url = f"http://127.0.0.1:{server.server_port}/magenta/2"
        thread = threading.Thread(target=server.serve_forever, daemon=True)
        thread.start()
        yield server
        server.shutdown()
        thread.join()


def archive(folder):
    file = io.BytesIO()
    with tarfile.open(fileobj=file, mode="w:gz") as tar:
        tar.add(folder, arcname=".")
    return file.getvalue()


def test_a_download_is_made_once(server, model_folder, engine, tmp_path):
    server.body = archive(model_folder)
    assert HubNetwork(server.url).network == engine.network
    assert len(server.requests) == 1
    assert list((tmp_path / "cache").glob("*/saved_model.pb"))
    server.status = 500
    assert HubNetwork(server.url).network == engine.network
    assert len(server.requests) == 1


@pytest.mark.parametrize("status", [403, 404, 503])
def test_a_moved_download(server, status):
    server.status = status
    with pytest.raises(WeightsUnavailable, match=f"answered {status} .*ARBITRARY_NST_MAGENTA"):
        Magenta(server.url)


@pytest.mark.parametrize("part", ["page", "half", "nothing"])
def test_a_broken_download(server, part, model_folder):
    whole = archive(model_folder)
    server.body = {"page": b"<html>Sign in</html>", "half": whole[: len(whole) // 2]}.get(part, b"")
    with pytest.raises(WeightsUnavailable, match="is not a model, perhaps a cut-off download"):
        Magenta(server.url)
    # What failed leaves nothing behind that would be taken for the model.
    server.body = whole
    Magenta(server.url)


def test_no_internet(server):
    server.shutdown()
    server.server_close()
    with pytest.raises(WeightsUnavailable, match="no connection to .*Try again with internet, or"):
        Magenta(server.url)


def test_a_cache_that_cannot_be_written(server, tmp_path, monkeypatch):
    (tmp_path / "file").write_text("in the way")
    monkeypatch.setenv("TFHUB_CACHE_DIR", str(tmp_path / "file" / "cache"))
    with pytest.raises(WeightsUnavailable, match="could not be stored: .*TFHUB_CACHE_DIR"):
        Magenta(server.url)


@pytest.mark.parametrize(
    ("lost", "reason"),
    [
        ("saved_model.pb", "neither saved_model.pb nor saved_model.pbtxt"),
        ("variables/variables.index", "is incomplete"),
        ("variables/variables.data-00000-of-00001", "is incomplete"),
    ],
)
def test_a_cache_folder_that_lost_files(server, model_folder, tmp_path, lost, reason):
    server.body = archive(model_folder)
    HubNetwork(server.url)
    (folder,) = (path for path in (tmp_path / "cache").iterdir() if path.is_dir())
    (folder / lost).unlink()
    with pytest.raises(CheckpointError, match=reason) as caught:
        Magenta(server.url)
    assert f"{folder} is incomplete" in str(caught.value)
    assert "Delete that folder and try again" in str(caught.value)
    shutil.rmtree(folder)
    Magenta(server.url)


def test_a_folder_that_is_not_there(tmp_path):
    with pytest.raises(WeightsUnavailable, match="There is no folder .*without the option and"):
        Magenta(tmp_path / "nowhere")


def test_a_folder_without_a_model(tmp_path):
    with pytest.raises(CheckpointError, match="neither saved_model.pb .*unpack it again"):
        Magenta(tmp_path)


def test_a_damaged_model(model_folder, tmp_path):
    shutil.copytree(model_folder, tmp_path / "copy")
    (tmp_path / "copy" / "saved_model.pb").write_bytes(b"\xff" * 100)
    with pytest.raises(CheckpointError, match="cannot be loaded .*unpack it again"):
        Magenta(tmp_path / "copy")


def other_models():
    module = TinyMagenta()
    first_half = tf.function(module.bottleneck, input_signature=[IMAGES])

    def leaks(content, style):
        return [module.stylize(content, style)[0] + tf.reduce_max(style)]

    def sharpens(content, style):
        kernel = tf.reshape(module.variables_by_name["transformer/contract"][..., :3], (3, 3, 3, 3))
        return [tf.nn.conv2d(content, kernel, 1, "SAME")]

    def swapped(style, content):
        return module.stylize(content, style)

    return {
        "one image": (first_half, "no function of two images"),
        "nothing to call": (None, "no function of two images"),
        "style past the vector": (two_images(leaks), "does not pass through a single vector"),
        "no style": (two_images(sharpens), "does not pass through a single vector"),
        "style first": (two_images(swapped), "does not pass through a single vector"),
    }, module


@pytest.mark.parametrize(
    "kind", ["one image", "nothing to call", "style past the vector", "no style", "style first"]
)
def test_some_other_model(kind, tmp_path):
    kinds, module = other_models()
    function, reason = kinds[kind]
    if function is not None:
        module.__call__ = function
    tf.saved_model.save(module, str(tmp_path))
    with pytest.raises(CheckpointError, match=f"some other model: .*{reason}.*Expected one that"):
        Magenta(tmp_path)


def test_a_model_that_needs_larger_images(model, tmp_path):
    def picky(content, style):
        return model.stylize(content, tf.reshape(style, (1, 1000, 1000, 3)))

    save_model(tmp_path / "picky", model, two_images(picky), signatures=False)
    with pytest.raises(CheckpointError, match="fails on a small picture"):
        Magenta(tmp_path / "picky")


def test_setuptools_without_pkg_resources(monkeypatch):
    monkeypatch.delitem(sys.modules, "tensorflow_hub")
    monkeypatch.setitem(sys.modules, "pkg_resources", None)
    with pytest.raises(ImportError, match=r'lack: pip install "setuptools<82"') as caught:
        hub._tensorflow_hub()
    assert "pkg_resources" in str(caught.value)


def test_no_tensorflow_hub(monkeypatch):
    monkeypatch.setitem(sys.modules, "tensorflow_hub", None)
    with pytest.raises(ImportError, match='pip install "tensorflow-hub"'):
        hub._tensorflow_hub()


# The self-check.


def test_check_says_what_it_found(model_folder, engine):
    lines = list(check(model_folder))
    assert [line.partition(":")[0] for line in lines] == [
        *("source", "network", "cut", "weights", "blend", "picture")
    ]
    assert engine.network in lines[1] and "6 numbers" in lines[1]
    assert "not those that Google published" in lines[3]


def test_the_published_digest_is_made_of_masked_crc32c():
    """CRC-32C of 32 zero bytes is 0x8a9136aa (RFC 3720, B.4).

    Masked (rotated right by 15 bits, plus 0xa282ead8) it is what a checkpoint's index has.
    """
    crc = 0x8A9136AA
    masked = ((crc >> 15 | crc << 17) + 0xA282EAD8) & 0xFFFFFFFF
    lines = f"a/b [2, 4] {masked:#010x}\nb [8] {masked:#010x}\n"
    variables = [tf.Variable(tf.zeros(8), name="b"), tf.Variable(tf.zeros((2, 4)), name="a/b")]
    assert published_digest(variables) == hashlib.sha256(lines.encode()).hexdigest()


# The phone version, with a stand-in for the interpreter.


def detail(index, *shape):
    return {"index": index, "shape": np.array(shape, np.int32)}


class FakeLitert:
    """Adds up what it gets. The file's text says which network it is."""

    running = 0
    resized = 0

    def __init__(self, model_content, num_threads):
        assert num_threads >= 1
        self.kind, _, size = model_content.decode().partition(" ")
        if self.kind not in ("predictor", "transformer", "fixed"):
            raise ValueError("The model is not a valid Flatbuffer buffer")
        self.size = int(size)
        self.values = {}
        self.shapes = {}

    def allocate_tensors(self):
        pass

    def get_input_details(self):
        if self.kind == "predictor":
            return [detail(7, 1, 256, 256, 3)]
        return [detail(4, 1, 1, 1, self.size), detail(3, 1, 384, 384, 3)]

    def get_output_details(self):
        return [
            detail(9, *((1, 1, 1, self.size) if self.kind == "predictor" else (1, 384, 384, 3)))
        ]

    def resize_tensor_input(self, index, shape):
        FakeLitert.resized += 1
        self.shapes[index] = tuple(shape)

    def set_tensor(self, index, value):
        assert value.dtype == np.float32 and value.shape == self.shapes[index]
        self.values[index] = value.copy()

    def invoke(self):
        FakeLitert.running += 1
        assert FakeLitert.running == 1, "two threads in one interpreter"
        FakeLitert.running -= 1

    def get_tensor(self, index):
        assert index == 9
        if self.kind == "predictor":
            mean = self.values[7].mean(axis=(1, 2, 3), keepdims=True)
            return np.repeat(mean, self.size, axis=-1).astype(np.float32)
        if self.kind == "fixed":
            return np.zeros((1, 384, 384, 3), np.float32)
        return self.values[3] * self.values[4].mean()


@pytest.fixture
def pair_folder(tmp_path, monkeypatch):
    fake = types.SimpleNamespace(Interpreter=FakeLitert)
    monkeypatch.setattr(tflite, "require", lambda module: fake)
    (tmp_path / "style_predict_quantized_256.tflite").write_text("predictor 100")
    (tmp_path / "style_transfer_quantized_dynamic.tflite").write_text("transformer 100")
    return tmp_path


def test_the_pair_paints(pair_folder, photo, monkeypatch):
    monkeypatch.setenv("ARBITRARY_NST_MAGENTA", str(pair_folder))
    engine = Magenta()
    style = engine.embed(np.full((40, 50, 3), 0.5, np.float32))
    assert engine.network.startswith("magenta-tflite-")
    np.testing.assert_allclose(style.arrays["bottleneck"], np.full(100, 0.5), atol=1e-6)
    np.testing.assert_allclose(
        engine.render(photo[:17, :22], style), photo[:17, :22] / 2, atol=1e-6
    )
    assert len(list(check(pair_folder))) == 5


def test_memory_is_laid_out_anew_only_for_another_size(pair_folder, photo):
    engine = Magenta(pair_folder)
    style = engine.embed(photo)
    engine.render(photo, style)
    before = FakeLitert.resized
    engine.render(photo[::-1], style)
    assert FakeLitert.resized == before
    engine.render(photo[:16, :16], style)
    assert FakeLitert.resized == before + 2


def test_the_dynamic_transformer_is_preferred(pair_folder):
    (pair_folder / "style_transfer_f16_384.tflite").write_text("fixed 100")
    assert "dynamic" in list(check(pair_folder))[2]
    (pair_folder / "style_transfer_quantized_dynamic.tflite").unlink()
    with pytest.raises(CheckpointError, match="384x384 pixels only. Use .*dynamic.tflite"):
        Magenta(pair_folder)


def test_the_pairs_network_is_named_after_both_files(pair_folder, engine):
    networks = {engine.network, TflitePair(pair_folder).network}
    for size in (50, 60):
        (pair_folder / "style_predict_quantized_256.tflite").write_text(f"predictor {size}")
        path = pair_folder / "style_transfer_quantized_dynamic.tflite"
        path.write_text(f"transformer {size}")
        networks.add(TflitePair(pair_folder).network)
    assert len(networks) == 4


@pytest.mark.parametrize("lost", ["style_predict", "style_transfer"])
def test_half_a_pair(pair_folder, lost):
    (path,) = pair_folder.glob(f"{lost}*")
    path.unlink()
    with pytest.raises(WeightsUnavailable, match=f"There is no {lost}.*Expected the two files"):
        Magenta(pair_folder)


@pytest.mark.parametrize(
    ("predictor", "transformer", "message"),
    [
        ("transformer 100", "predictor 100", "is no style predictor.*swapped"),
        ("predictor 100", "predictor 100", "is no style transformer.*swapped"),
        ("predictor 100", "transformer 64", "do not belong together: .*100 numbers.*takes 64"),
        ("<html>", "transformer 100", "is no TFLite file, or a damaged one.*Copy it again"),
        ("predictor 100", "", "is no TFLite file, or a damaged one.*Copy it again"),
    ],
)
def test_files_of_the_wrong_kind(pair_folder, predictor, transformer, message):
    (pair_folder / "style_predict_quantized_256.tflite").write_text(predictor)
    (pair_folder / "style_transfer_quantized_dynamic.tflite").write_text(transformer)
    with pytest.raises(CheckpointError, match=message):
        Magenta(pair_folder)


def test_an_interpreter_that_fails(pair_folder, photo, monkeypatch):
    engine = Magenta(pair_folder)

    def fail(self):
        raise RuntimeError("MirrorPad: paddings")

    monkeypatch.setattr(FakeLitert, "invoke", fail)
    with pytest.raises(CheckpointError, match="failed on .*MirrorPad: paddings"):
        engine.embed(photo)


def test_threads_take_turns(pair_folder, photo):
    engine = Magenta(pair_folder)
    style = engine.embed(photo)
    errors = []

    def paint(content):
        try:
            for _ in range(20):
                np.testing.assert_array_equal(
                    engine.render(content, style).shape, content.shape, strict=True
                )
        except (AssertionError, CheckpointError) as error:
            errors.append(error)

    threads = [threading.Thread(target=paint, args=(photo[: 16 + 4 * i],)) for i in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert not errors


def test_no_litert(monkeypatch, tmp_path):
    (tmp_path / "net.tflite").write_bytes(b"net")
    monkeypatch.setitem(sys.modules, "ai_edge_litert", types.ModuleType("ai_edge_litert"))
    monkeypatch.setitem(sys.modules, "ai_edge_litert.interpreter", None)
    with pytest.raises(ImportError, match=r'pip install "arbitrary-nst\[tflite\]"'):
        tflite._Interpreter(tmp_path / "net.tflite")


def test_the_pair_needs_no_tensorflow(pair_folder, run_python):
    code = (
        "import sys; from arbitrary_nst.engines import magenta; "
        "from arbitrary_nst.networks.magenta import tflite; "
        "print([name for name in sys.modules if name.startswith(('tensorflow', 'keras'))])"
    )
    assert run_python("-c", code).stdout.strip() == "[]"


def test_from_the_shell(network, model_folder, tmp_path, monkeypatch, capsys, photo):
    """Images go to the magenta engine by themselves where the cin network has no predictor.

    A library of them needs no style network.
    """
    monkeypatch.setenv("ARBITRARY_NST_MAGENTA", str(model_folder))
    monkeypatch.chdir(tmp_path)
    for name in ("photo", "one", "two"):
        to_pil(photo if name == "photo" else np.roll(photo, 9 if name == "one" else 20, 0)).save(
            f"{name}.png"
        )
    assert main(["check", "magenta"]) == 0
    assert "halves differ from the whole" in capsys.readouterr().out
    assert main(["embed", "one.png", "two.png", "-o", "library.safetensors"]) == 0
    assert capsys.readouterr().out == "library.safetensors: one, two\n"
    styles = load_styles("library.safetensors")
    assert [(s.engine, s.name, s.source) for s in styles.values()] == [
        ("magenta", "one", "one.png"),
        ("magenta", "two", "two.png"),
    ]
    assert main(["stylize", "photo.png", "-s", "one.png:2", "-s", "two.png", "-o", "a.png"]) == 0
    expected = np.asarray(api.stylize("photo.png", styles, [2, 1]))
    np.testing.assert_array_equal(np.asarray(Image.open("a.png")), expected)
    with pytest.raises(StyleError, match="Style 1 .'scream'. was made for the engine cin"):
        api.stylize(
            "photo.png",
            [Embedding("cin", "c", {"x": np.ones(3, "f4")}, name="scream")],
            engine="magenta",
        )


def test_the_scale_of_strokes_from_the_shell(model_folder, tmp_path, monkeypatch, photo):
    monkeypatch.setenv("ARBITRARY_NST_MAGENTA", str(model_folder))
    monkeypatch.chdir(tmp_path)
    to_pil(photo).save("photo.png")
    for scale in ("1", "2"):
        arguments = ["stylize", "photo.png", "-s", "photo.png", "--style-scale", scale]
        arguments += ["--engine", "magenta"]
        assert main([*arguments, "-o", f"{scale}.png"]) == 0
    one, two = (np.asarray(Image.open(f"{scale}.png"), np.float32) for scale in (1, 2))
    assert np.abs(one - two).max() > 0
