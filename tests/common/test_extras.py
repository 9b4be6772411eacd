"""Packages that may be missing."""

import configparser
import re
import sys
from pathlib import Path

import pytest

from arbitrary_nst.common import extras
from arbitrary_nst.common.extras import require

SETTINGS = Path(__file__).parents[2] / "setup.cfg"


def test_a_module_that_is_there():
    assert require("json") is __import__("json")
    assert require("os.path") is __import__("os").path


@pytest.mark.parametrize("module", sorted(extras._NEEDED))
def test_a_module_that_is_missing(module, monkeypatch):
    monkeypatch.setitem(sys.modules, module, None)
    purpose, package = extras._NEEDED[module]
    message = (
        f'^{re.escape(purpose)}: pip install "{re.escape(package)}" \\(.*{module.split(".")[0]}'
    )
    with pytest.raises(ImportError, match=message) as caught:
        require(module)
    assert isinstance(caught.value.__cause__, ImportError)


def test_the_module_that_is_really_missing_is_named(monkeypatch):
    monkeypatch.setitem(extras._NEEDED, "missing", ("The inner one", "inner"))
    monkeypatch.setitem(extras._NEEDED, "outer", ("The outer one", "outer"))

    def fail(module):
        raise ImportError("no", name="missing")

    monkeypatch.setattr(extras.importlib, "import_module", fail)
    with pytest.raises(ImportError, match='^The inner one: pip install "inner"'):
        require("outer")


def test_another_purpose_is_that_of_the_module_alone(monkeypatch):
    """OpenCV steadies films and reads deep photos; what it lacks itself has its own line."""
    monkeypatch.setitem(sys.modules, "cv2", None)
    with pytest.raises(ImportError, match=r'^For this: pip install "arbitrary-nst\[video\]"'):
        require("cv2", "For this")
    monkeypatch.setattr(extras.importlib, "import_module", lambda name: __import__("no_such"))
    monkeypatch.setitem(extras._NEEDED, "no_such", ("The inner one", "inner"))
    with pytest.raises(ImportError, match='^The inner one: pip install "inner"'):
        require("cv2", "For this")


def test_every_extra_exists():
    parser = configparser.ConfigParser()
    parser.read(SETTINGS)
    known = set(parser["options.extras_require"])
    packages = [package for _, package in extras._NEEDED.values()]
    named = [p.partition("[")[2].rstrip("]") for p in packages if p.startswith("arbitrary-nst[")]
    assert len(named) >= 7 and set(named) <= known


NO_TENSORFLOW = """
import sys
sys.modules["tensorflow"] = None
from arbitrary_nst import Cin, stylize
from arbitrary_nst.cli import main
def paint():
    stylize("photo.png", "photo.png", engine=Cin(runtime="tensorflow"))
def train():
    from arbitrary_nst import train
for use in (paint, train):
    try:
        use()
    except ImportError as error:
        print(error)
command = ["stylize", "photo.png", "-s", "photo.png", "-o", "out.png"]
small = main(command)
print("small photos:", small)
sys.exit(main([*command, "--overwrite", "--fit-steps", "1"]))
"""


def test_a_bare_tensorflow_is_named_as_well(packaged, run_python, tmp_path, photo):
    """In Python, and on the command line; small photos ONNX Runtime paints without it."""
    from arbitrary_nst import save_image

    save_image(photo, tmp_path / "photo.png")
    done = run_python("-c", NO_TENSORFLOW, cwd=tmp_path)
    line = 'Networks need TensorFlow: pip install "tensorflow" ('
    assert done.returncode == 2
    assert done.stdout.count(line) == 2 and f"arbitrary-nst: {line}" in done.stderr
    assert "small photos: 0" in done.stdout


def test_what_every_command_needs_is_named_too(run_python, tmp_path):
    """It is missing before there is a command that could tell of it in one line."""
    code = "import sys; sys.modules['safetensors'] = None; import arbitrary_nst.cli"
    done = run_python("-c", code, cwd=tmp_path)
    line = 'ImportError: Files of weights and styles need safetensors: pip install "safetensors" ('
    assert done.returncode == 1 and done.stderr.splitlines()[-1].startswith(line)


def test_an_error_that_says_it_already_stays():
    error = ImportError('x: pip install "y"')
    assert extras.named(error) is error
    other = ImportError("no", name="unheard_of")
    assert extras.named(other) is other
    inner = extras.named(ImportError("no", name="tensorflow.python.eager"))
    assert str(inner) == 'Networks need TensorFlow: pip install "tensorflow" (no)'
