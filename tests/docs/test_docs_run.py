"""Every Python block and every shell line of README and docs runs, on photos of a few pixels.

A page's Python blocks run one after the other with the same names, as a reader pastes them. Shell
lines are read by bash; `arbitrary-nst` runs in this process, and of commands that install or
measure the words are checked. `docs_blocks.py` says how a block is marked that cannot run.
"""

from __future__ import annotations

import contextlib
import shutil

import docs_sandbox as sandbox
import pytest
from docs_blocks import PAGES, ROOT, blocks

pytest.importorskip("av", reason="the docs paint films: pip install '.[video]'")

ALL = [block for page in PAGES for block in blocks(page)]
WITH_CODE = sorted({b.page for b in ALL if b.language in ("python", "bash")})


@pytest.fixture(scope="module")
def files(tmp_path_factory):
    """The files of the docs, and small engines, which all pages share."""
    folder = tmp_path_factory.mktemp("docs")
    sandbox.write_files(folder)
    sandbox.write_clips(folder)
    with pytest.MonkeyPatch.context() as patch:
        sandbox.small_engines(folder, patch)
        yield folder


@pytest.fixture
def place(files, tmp_path, monkeypatch):
    """A folder with the files of the docs, in which a page runs."""
    folder = tmp_path / "page"
    shutil.copytree(files, folder, symlinks=True)
    monkeypatch.chdir(folder)
    monkeypatch.setenv("ARBITRARY_NST_MAGENTA", str(files / "magenta"))
    monkeypatch.setenv("ARBITRARY_NST_VGG19", str(files / "vgg19_notop.h5"))
    monkeypatch.delenv("ARBITRARY_NST_CIN", raising=False)
    return folder


def test_every_block_has_a_language():
    assert [b.place for b in ALL if not b.language] == []


def test_few_blocks_do_not_run():
    """A mark needs a reason, and each one more is a promise less."""
    marked = {block.place.split(":")[0]: block for block in ALL if block.way != "run"}
    assert {block.way for block in marked.values()} <= {"options", "skip"}
    assert len([block for block in ALL if block.way != "run"]) <= 8
    assert len([block for block in ALL if block.way == "skip"]) <= 2


@pytest.mark.slow
@pytest.mark.filterwarnings("default")
@pytest.mark.parametrize("page", WITH_CODE, ids=lambda page: str(page.relative_to(ROOT)))
def test_page(page, place, capfd):
    names = {"__name__": "docs"}
    with contextlib.ExitStack() as stack:
        for block in blocks(page):
            if block.way == "skip":
                continue
            if block.language == "python":
                if "quiet()" in block.text:
                    import arbitrary_nst

                    stack.callback(arbitrary_nst.quiet().close)
                lines = "\n" * block.line + block.text  # so that tracebacks name the page's lines
                exec(compile(lines, str(page), "exec"), names)
            elif block.language == "bash":
                for words, settings in sandbox.commands(block, place):
                    sandbox.run(words, settings, block.way, place)
