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


def test_every_extra_exists():
    parser = configparser.ConfigParser()
    parser.read(SETTINGS)
    known = set(parser["options.extras_require"])
    packages = [package for _, package in extras._NEEDED.values()]
    named = [p.partition("[")[2].rstrip("]") for p in packages if p.startswith("arbitrary-nst[")]
    assert len(named) >= 7 and set(named) <= known
