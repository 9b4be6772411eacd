"""Painting in programs that have made something else of TensorFlow."""

import pytest

PROGRAM = """
import warnings
import numpy as np
import tensorflow as tf
{before}
from arbitrary_nst import stylize
photo = np.random.default_rng(0).integers(0, 255, (32, 40, 3), dtype=np.uint8)
{after}
"""


def run(run_python, before, after):
    return run_python("-c", PROGRAM.format(before=before, after=after))


def test_a_first_call_inside_a_graph_harms_no_later_one(network, run_python):
    """And paints as later ones do: arrays come in, and a picture goes out."""
    done = run(
        run_python,
        "",
        "inside = []\n"
        "call = lambda: inside.append(np.asarray(stylize(photo, 'scream', strength=0.5)))\n"
        "tf.function(call, autograph=False)()\n"
        "assert np.array_equal(inside[0], np.asarray(stylize(photo, 'scream', strength=0.5)))\n"
        "with tf.Graph().as_default():\n"
        "    assert np.array_equal(np.asarray(stylize(photo, 'scream')), "
        "np.asarray(stylize(photo, 'scream')))\n",
    )
    assert done.returncode == 0, done.stderr[-2000:]


def test_without_eager_execution_the_message_names_it(network, run_python):
    done = run(run_python, "tf.compat.v1.disable_eager_execution()", "stylize(photo, 'scream')")
    assert done.returncode == 1
    last = done.stderr.strip().splitlines()[-1]
    assert "InputError" in last and "disable_eager_execution" in last


@pytest.mark.parametrize("backend", ["jax", "torch"])
def test_another_backend_of_keras_does_not_count(network, run_python, monkeypatch, backend):
    """Whether it is installed or not; the variable stays for whoever comes next."""
    monkeypatch.setenv("KERAS_BACKEND", backend)
    done = run_python(
        "-c",
        "import os, warnings, numpy as np\n"
        "from arbitrary_nst import Cin, stylize\n"
        "with warnings.catch_warnings(record=True) as said:\n"
        "    warnings.simplefilter('always')\n"
        "    engine = Cin(runtime='tensorflow')\n"  # ONNX Runtime would do it without Keras
        "    stylize(np.zeros((32, 40, 3)), 'scream', engine=engine)\n"
        "    stylize(np.zeros((32, 40, 3)), 'scream', engine=engine)\n"
        "import keras\n"
        "said = [str(w.message) for w in said if 'KERAS_BACKEND' in str(w.message)]\n"
        "name = os.environ['KERAS_BACKEND']\n"
        "print(keras.backend.backend(), name, len(said), said[0].split()[0])\n",
    )
    assert done.returncode == 0, done.stderr[-2000:]
    assert done.stdout.split() == ["tensorflow", backend, "1", f"KERAS_BACKEND={backend}"]


def test_who_paints_does_not_mind_another_thread_that_loads_tensorflow(network, run_python):
    """For seconds the module is there without its functions; and Keras and it load each other."""
    done = run_python(
        "-c",
        "import threading, numpy as np\n"
        "from arbitrary_nst import Cin, stylize\n"
        "photo = np.zeros((32, 40, 3), np.uint8)\n"
        "def load():\n"
        "    import tensorflow\n"
        "def paint(**settings):\n"
        "    stylize(photo, 'scream', engine=Cin(**settings))\n"
        "    done.append(settings)\n"
        "done = []\n"
        "loading = threading.Thread(target=load)\n"
        "painting = threading.Thread(target=paint, kwargs={'runtime': 'tensorflow'})\n"
        "loading.start(), painting.start()\n"
        "times = 0\n"
        "while loading.is_alive() or painting.is_alive():\n"
        "    paint()\n"
        "    times += 1\n"
        "print(times, len(done) - times)\n",
    )
    assert done.returncode == 0, done.stderr[-2000:]
    assert "Traceback" not in done.stderr  # of the other threads
    times, others = map(int, done.stdout.split())
    assert times > 1 and others == 1
