"""What stands around the code agrees with it: versions, bounds, archives, completion."""

import configparser
import importlib.util
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

import arbitrary_nst
from arbitrary_nst.cli import main
from arbitrary_nst.cli.parser import build_parser

ROOT = Path(__file__).parents[1]
in_checkout = pytest.mark.skipif(not (ROOT / ".ci" / "run").is_file(), reason="not in a checkout")


def settings():
    parser = configparser.ConfigParser()
    parser.read(ROOT / "setup.cfg", encoding="utf-8")
    return parser


@in_checkout
def test_one_version_everywhere():
    version = arbitrary_nst.__version__
    citation = (ROOT / "CITATION.cff").read_text(encoding="utf-8")
    assert re.search(r"^version: (.*)$", citation, re.MULTILINE)[1] == version
    changes = (ROOT / "CHANGELOG.md").read_text(encoding="utf-8")
    assert f"## [{version}]" in changes


@in_checkout
def test_urls_are_of_one_place():
    """Where the project moves, all of them move."""
    place = settings()["metadata"]["url"]
    names = ["CITATION.cff", ".github/SECURITY.md", ".github/CODE_OF_CONDUCT.md"]
    for name in names:
        assert place in (ROOT / name).read_text(encoding="utf-8"), name


@in_checkout
def test_the_lowest_versions(tmp_path):
    """A pin for each package that an install needs, as setup.cfg has it."""
    pytest.importorskip("packaging")
    file = tmp_path / "lowest.txt"
    command = [sys.executable, ROOT / ".ci" / "lowest.py", "--extra", "video", "--output", file]
    subprocess.run(command, check=True)
    pins = dict(line.split("==") for line in file.read_text().splitlines())
    needed = settings()["options"]["install_requires"].splitlines()
    wanted = {re.split(r"[>=~;\[ ]", line)[0] for line in needed if line and line[0] != "#"}
    assert wanted | {"av", "opencv-python-headless"} == set(pins)
    (line,) = [line for line in needed if line.startswith("safetensors")]
    assert line == f"safetensors>={pins['safetensors']}"


@in_checkout
def test_the_mutants_are_of_this_package():
    """What each changes stands once where it says, and its tests are there."""
    program = ROOT / "benchmarks" / "mutants.py"
    spec = importlib.util.spec_from_file_location("mutants", program)
    mutants = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(mutants)
    for fault, file, old, new, tests in mutants.MUTANTS:
        text = (ROOT / "arbitrary_nst" / file).read_text(encoding="utf-8")
        assert text.count(old) == 1 and old != new, fault
        assert all((ROOT / name).is_file() for name in tests.split()), fault


@in_checkout
def test_every_bound_is_declared():
    """No requirement without one: an old version that pip finds lying around would be used."""
    parser = settings()
    texts = [parser["options"]["install_requires"], *parser["options.extras_require"].values()]
    lines = [line.strip() for text in texts for line in text.splitlines()]
    names = [line for line in lines if line and not line.startswith(("#", "arbitrary-nst["))]
    assert not [line for line in names if ">=" not in line]


# Completion by the shell.


@pytest.mark.parametrize("shell", ["bash", "zsh", "tcsh"])
def test_completion(network, shell, capsys):
    pytest.importorskip("shtab")
    assert main(["completion", shell]) == 0
    script = capsys.readouterr().out
    # For tcsh shtab lists, of the options, those whose values it can complete.
    assert ("--engine" if shell == "tcsh" else "--working-size") in script and "stylize" in script
    if shell != "tcsh":
        assert "great-wave starry-night scream" in script
    if shell == "bash" and shutil.which("bash"):
        asked = (
            "\nCOMP_WORDS=(arbitrary-nst styl); COMP_CWORD=1; _shtab_arbitrary_nst; "
            'printf "%s\\n" "${COMPREPLY[@]}"\n'
        )
        done = subprocess.run(
            ["bash", "--norc"], input=script + asked, text=True, capture_output=True, check=True
        )
        assert {line.strip() for line in done.stdout.splitlines()} == {"stylize", "styles"}


def test_completion_without_its_package(network, capsys, monkeypatch):
    monkeypatch.setitem(sys.modules, "shtab", None)
    assert main(["completion", "bash"]) == 2
    assert 'pip install "arbitrary-nst[completion]"' in capsys.readouterr().err


def test_every_command_explains_itself():
    commands = build_parser()._subparsers._group_actions[0].choices
    assert "completion" in commands
    assert all(len(parser.format_help()) > 200 for parser in commands.values())
