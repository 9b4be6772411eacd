"""Precision, devices and backends."""

import importlib.util
import os
import subprocess
import sys
from pathlib import Path

import keras
import numpy as np
import pytest
import small_training
from small_runs import assert_same_state, logged

import arbitrary_nst
from arbitrary_nst.errors import InputError
from arbitrary_nst.training import devices


@pytest.mark.parametrize(
    ("precision", "cpu", "fast", "policy"),
    [
        ("float32", True, True, "float32"),
        ("bfloat16", True, False, "mixed_bfloat16"),
        ("auto", True, True, "mixed_bfloat16"),
        ("auto", True, False, "float32"),
        ("auto", False, False, "mixed_bfloat16"),
    ],
)
def test_dtype_policy(monkeypatch, precision, cpu, fast, policy):
    monkeypatch.setattr(devices, "_on_cpu", lambda: cpu)
    monkeypatch.setattr(devices, "has_fast_bfloat16", lambda: fast)
    assert devices.dtype_policy(precision) == policy


def test_unknown_precision():
    with pytest.raises(InputError, match="`precision` is one of 'auto', 'float32', 'bfloat16'"):
        devices.dtype_policy("half")


def test_one_device_needs_no_scope():
    with devices.device_scope(3) as scope:
        assert scope is None


def test_batch_that_cannot_be_split(monkeypatch):
    monkeypatch.setattr(keras.backend, "backend", lambda: "jax")
    monkeypatch.setattr(keras.distribution, "list_devices", lambda kind=None: ["gpu:0", "gpu:1"])
    with pytest.raises(InputError, match="multiple of the number of devices, 2. Received: 3"):
        devices.device_scope(3)


def test_several_gpus_with_tensorflow(monkeypatch, caplog):
    monkeypatch.setattr(keras.backend, "backend", lambda: "tensorflow")
    monkeypatch.setattr(keras.distribution, "list_devices", lambda kind=None: ["gpu:0", "gpu:1"])
    with devices.device_scope(3):
        pass
    assert "TensorFlow uses one of the GPUs" in caplog.text


BACKEND_SCRIPT = """
import sys
from pathlib import Path
import keras, numpy as np
from small_training import small_config, small_vgg, write_data
from arbitrary_nst.training.checkpoint import assign_kernels
from arbitrary_nst.training.data import BatchSource
from arbitrary_nst.training.devices import device_scope, dtype_policy
from arbitrary_nst.training.train import build_trainer, take_step, train

data, out = Path(sys.argv[1]), Path(sys.argv[2])
config, vgg = small_config(data), small_vgg()
for index, layer in enumerate(layer for layer in vgg.layers if layer.weights):
    layer.set_weights([np.random.default_rng(index).normal(0, 0.2, w.shape) for w in layer.weights])
trainer = build_trainer(config, vgg=vgg)
assign_kernels(trainer, {
    c.name: np.random.default_rng(len(c.name)).normal(
        0, 0.2, (c.kernel_size, c.kernel_size, c.inputs, c.filters))
    for c in config.layout.convolutions()
})
batch = BatchSource(config).batch(0)
picture = keras.ops.convert_to_numpy(trainer(batch))
losses = [take_step(trainer, BatchSource(config).batch(i), i + 1) for i in range(3)]
np.savez(out / "found.npz", picture=picture, losses=[list(step.values()) for step in losses])
dtype_policy("auto")
train(config, out / "whole", vgg=vgg)
train(config, out / "parts", vgg=vgg, stop_at=5)
train(config, out / "parts", vgg=vgg)
print(keras.backend.backend(), len(keras.distribution.list_devices()) if "jax" in sys.argv else 1)
"""


def run_backend(backend, data, out, **variables):
    out.mkdir()
    folders = [Path(small_training.__file__).parent, Path(arbitrary_nst.__file__).parents[1]]
    path = os.pathsep.join([*map(str, folders), os.environ.get("PYTHONPATH", "")])
    environment = {**os.environ, "KERAS_BACKEND": backend, "PYTHONPATH": path, **variables}
    command = [sys.executable, "-c", BACKEND_SCRIPT, str(data), str(out), backend]
    done = subprocess.run(command, check=False, env=environment, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr[-4000:]
    return np.load(out / "found.npz"), done.stdout.split()


@pytest.mark.slow
@pytest.mark.parametrize(("backend", "module"), [("jax", "jax"), ("torch", "torch")])
def test_other_backends(data, tmp_path, backend, module):
    """The same picture within 1e-5, the same losses, and runs that resume."""
    if importlib.util.find_spec(module) is None:
        pytest.skip(f"{module} is not installed")
    expected, _ = run_backend("tensorflow", data, tmp_path / "tensorflow")
    found, said = run_backend(backend, data, tmp_path / backend)
    assert said == [backend, "1"]
    np.testing.assert_allclose(found["picture"], expected["picture"], atol=1e-5)
    np.testing.assert_allclose(found["losses"], expected["losses"], rtol=1e-3, atol=1e-5)
    assert_same_state(tmp_path / backend / "whole", tmp_path / backend / "parts")


@pytest.mark.slow
def test_batch_over_two_devices(data, tmp_path):
    """Two devices that each take half of the batch come to the same losses."""
    if importlib.util.find_spec("jax") is None:
        pytest.skip("jax is not installed")
    expected, _ = run_backend("tensorflow", data, tmp_path / "tensorflow")
    flags = {"XLA_FLAGS": "--xla_force_host_platform_device_count=2"}
    found, said = run_backend("jax", data, tmp_path / "jax", **flags)
    assert said == ["jax", "2"]
    np.testing.assert_allclose(found["losses"], expected["losses"], rtol=1e-3, atol=1e-5)
    one = logged(tmp_path / "tensorflow" / "whole")
    two = logged(tmp_path / "jax" / "whole")
    assert len(one) == len(two) == 12
    assert_same_state(tmp_path / "jax" / "whole", tmp_path / "jax" / "parts")
