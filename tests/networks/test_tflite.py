"""Magenta's phone version, with a stand-in for the interpreter."""

import sys
import threading
import types

import numpy as np
import pytest

from arbitrary_nst.engines.magenta import Magenta, check
from arbitrary_nst.errors import CheckpointError, WeightsUnavailable
from arbitrary_nst.networks.magenta import tflite
from arbitrary_nst.networks.magenta.tflite import TflitePair


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


def test_the_pairs_network_is_named_after_both_files(pair_folder, magenta_engine):
    networks = {magenta_engine.network, TflitePair(pair_folder).network}
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
