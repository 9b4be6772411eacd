"""What the command is started in: closed streams, an old locale, and records of other loggers."""

import logging
import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

import arbitrary_nst
from arbitrary_nst import Cin, load_engine, stylize
from arbitrary_nst.cli import main
from arbitrary_nst.image import to_pil

pytestmark = pytest.mark.skipif(os.name == "nt", reason="shells and locales of POSIX")


@pytest.fixture
def folder(network, photo, tmp_path, monkeypatch):
    """The current folder, with a photo in it, and the random network in use."""
    monkeypatch.chdir(tmp_path)
    to_pil(photo).save("photo.png")
    return tmp_path


def run(shell, **variables):
    """A line of the shell, in which `nst` is the command."""
    root = str(Path(arbitrary_nst.__file__).parents[1])
    return subprocess.run(
        ["sh", "-c", f'nst() {{ "$0" -m arbitrary_nst "$@"; }}; {shell}', sys.executable],
        env={**os.environ, "PYTHONPATH": root, **variables},
        capture_output=True,
        check=False,
    )


@pytest.mark.parametrize("closed", [">&-", "2>&-", "<&- >&- 2>&-"])
def test_closed_streams(folder, closed):
    """The picture is whole, and nothing that is printed gets into a file that is opened later."""
    done = run(f"nst stylize photo.png -s scream -o out.png {closed}")
    assert done.returncode == 0, done.stderr
    # As there, where TensorFlow is not loaded: here it may be, and paint in bfloat16.
    expected = stylize("photo.png", "scream", engine=Cin(runtime="onnx"))
    with Image.open("out.png") as picture:
        np.testing.assert_array_equal(np.asarray(picture), expected)
    refused = run(f"nst stylize none.png -s scream -o out.png {closed}")
    assert refused.returncode == 2
    assert refused.stdout == b"", "an error is no output"


def test_an_old_locale(folder):
    """Names are printed as they are, whatever encoding the terminal is said to have."""
    os.rename("photo.png", "fête-神奈川.png")
    locale = {"LC_ALL": "C", "PYTHONUTF8": "0", "PYTHONCOERCECLOCALE": "0"}
    done = run("nst stylize *.png -s scream -o dönner.png", **locale)
    assert (done.returncode, done.stderr) == (0, b"")
    assert done.stdout == "dönner.png: 40x32 pixels\n".encode()


def test_records_are_not_printed_twice(folder, capfd, monkeypatch):
    """TensorFlow Hub's logger gives the root a handler, which would print ours once more."""

    def talk(name):
        logging.getLogger("arbitrary_nst.networks.vgg_download").warning("fetching VGG19")
        return load_engine(name)

    monkeypatch.setattr("arbitrary_nst.pipeline.engine_choice.load_engine", talk)
    handler = logging.StreamHandler(sys.stderr)
    logging.getLogger().addHandler(handler)
    try:
        assert main(["stylize", "photo.png", "-s", "scream", "-o", "out.png"]) == 0
    finally:
        logging.getLogger().removeHandler(handler)
    assert capfd.readouterr().err == "arbitrary-nst: fetching VGG19\n"
    assert logging.getLogger("arbitrary_nst").propagate
