"""Where magenta's network comes from: downloads, folders, damage, the self-check."""

import hashlib
import http.server
import io
import shutil
import sys
import tarfile
import threading

import pytest
import tensorflow as tf
from small_magenta import IMAGES, TinyMagenta, save_model, two_images

from arbitrary_nst.checkpoints import MAGENTA_URL, magenta_source
from arbitrary_nst.engines.magenta import Magenta, check
from arbitrary_nst.errors import CheckpointError, WeightsUnavailable
from arbitrary_nst.networks.magenta import hub
from arbitrary_nst.networks.magenta.hub import HubNetwork, published_digest

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


def test_a_download_is_made_once(server, magenta_folder, magenta_engine, tmp_path):
    server.body = archive(magenta_folder)
    assert HubNetwork(server.url).network == magenta_engine.network
    assert len(server.requests) == 1
    assert list((tmp_path / "cache").glob("*/saved_model.pb"))
    server.status = 500
    assert HubNetwork(server.url).network == magenta_engine.network
    assert len(server.requests) == 1


@pytest.mark.parametrize("status", [403, 404, 503])
def test_a_moved_download(server, status):
    server.status = status
    with pytest.raises(WeightsUnavailable, match=f"answered {status} .*ARBITRARY_NST_MAGENTA"):
        Magenta(server.url)


@pytest.mark.parametrize("part", ["page", "half", "nothing"])
def test_a_broken_download(server, part, magenta_folder):
    whole = archive(magenta_folder)
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
def test_a_cache_folder_that_lost_files(server, magenta_folder, tmp_path, lost, reason):
    server.body = archive(magenta_folder)
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


def test_a_damaged_model(magenta_folder, tmp_path):
    shutil.copytree(magenta_folder, tmp_path / "copy")
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


def test_a_model_that_needs_larger_images(magenta_model, tmp_path):
    def picky(content, style):
        return magenta_model.stylize(content, tf.reshape(style, (1, 1000, 1000, 3)))

    save_model(tmp_path / "picky", magenta_model, two_images(picky), signatures=False)
    with pytest.raises(CheckpointError, match="fails on a small picture"):
        Magenta(tmp_path / "picky")


def test_setuptools_without_pkg_resources(monkeypatch):
    """As setuptools has been from 82 on; the stand-in for it does not stay."""
    monkeypatch.delitem(sys.modules, "tensorflow_hub")
    monkeypatch.setitem(sys.modules, "pkg_resources", None)
    assert callable(hub._tensorflow_hub().load)
    assert sys.modules["pkg_resources"] is None


def test_no_tensorflow_hub(monkeypatch):
    monkeypatch.setitem(sys.modules, "tensorflow_hub", None)
    with pytest.raises(ImportError, match='pip install "tensorflow-hub"'):
        hub._tensorflow_hub()


# The self-check.


def test_check_says_what_it_found(magenta_folder, magenta_engine):
    lines = list(check(magenta_folder))
    assert [line.partition(":")[0] for line in lines] == [
        *("source", "network", "cut", "weights", "blend", "picture")
    ]
    assert magenta_engine.network in lines[1] and "6 numbers" in lines[1]
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
