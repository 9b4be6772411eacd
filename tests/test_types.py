"""The types as programs of others see them: `typed_program.py` is run, and checked strictly."""

import importlib.util
import os
import shutil
import subprocess
import sys
from pathlib import Path
from typing import get_args

import pytest
import typed_program

import arbitrary_nst
from arbitrary_nst.engines import ENGINES, EngineName

PROGRAM = Path(typed_program.__file__)
ROOT = str(Path(arbitrary_nst.__file__).resolve().parents[1])


def test_the_program_runs(network, tmp_path):
    typed_program.main(tmp_path)


def test_names_of_engines():
    assert get_args(EngineName) == ("auto", *ENGINES) == ("auto", "cin", "magenta", "vgg19")


def check(command, tmp_path, **variables):
    done = subprocess.run(
        command,
        cwd=tmp_path,
        env={**os.environ, "PYTHONPATH": ROOT, **variables},
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stdout[-4000:]
    return done.stdout


@pytest.mark.slow
def test_mypy_strict(tmp_path):
    pytest.importorskip("mypy")
    # Other packages' errors are not the program's; as where the package is installed.
    text = "[mypy]\nstrict = true\n[mypy-arbitrary_nst.*]\nfollow_imports = silent\n"
    (tmp_path / "mypy.ini").write_text(text)
    shutil.copy(PROGRAM, tmp_path)  # out of the checkout, whose settings are not the program's
    said = check([sys.executable, "-m", "mypy", PROGRAM.name], tmp_path, MYPYPATH=ROOT)
    assert "no issues found in 1 source file" in said
    assert PROGRAM.read_text().count("# type: ignore[arg-type]") == 4


@pytest.mark.slow
def test_pyright(tmp_path):
    """By basedpyright, which is pyright in a wheel, with pyright's own rules."""
    if importlib.util.find_spec("basedpyright") is None:
        pytest.skip("basedpyright is not installed")
    settings = (
        '{"typeCheckingMode": "standard", "reportUnnecessaryTypeIgnoreComment": "error", '
        f'"extraPaths": ["{Path(ROOT).as_posix()}"], "include": ["{PROGRAM.name}"]}}'
    )
    (tmp_path / "pyrightconfig.json").write_text(settings)
    shutil.copy(PROGRAM, tmp_path)
    command = [sys.executable, "-m", "basedpyright", "--pythonpath", sys.executable]
    assert "0 errors" in check(command, tmp_path)
