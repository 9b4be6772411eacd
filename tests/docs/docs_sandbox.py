"""A folder with every file that the docs name, small, and engines that paint in moments."""

from __future__ import annotations

import argparse
import configparser
import contextlib
import re
import shlex
import shutil
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import replace
from importlib.util import find_spec
from pathlib import Path

import numpy as np
import pytest
from docs_blocks import ROOT, Block
from PIL import Image
from small_training import draw_painting, draw_photo, write_image

from arbitrary_nst.cli import build_parser, main

# Commands of a shell's lines that are looked at here; every other one fails.
KNOWN = "arbitrary-nst python pip ruff mypy mkdocs nox apt".split()
# What takes minutes or hours, by option: made small. The docs' own arguments allow all of it.
SMALL = {
    "--steps": "2",
    "--stop-at": "1",
    "--size": "48",
    "--working-size": "40",
    "--crop-size": "32",
    "--workers": "1",
}


def write_files(folder: Path) -> None:
    """Photos, paintings, masks and folders of them, under the names that the docs use."""
    write_image(folder / "photo.jpg", draw_photo(0, 80, 120))
    for seed, name in enumerate(("a", "b", "c", "d", "e")):
        write_image(folder / f"{name}.jpg", draw_photo(seed, 40, 60))
    for kind, name in (
        ("waves", "painting"),
        ("stripes", "any"),
        ("checks", "other"),
        ("waves", "hare"),
    ):
        write_image(folder / f"{name}.jpg", draw_painting(kind, 64))
    for name in ("sky", "sea"):
        mask = np.zeros((40, 60), np.uint8)
        mask[: 20 if name == "sky" else None] = 255
        Image.fromarray(mask).save(folder / f"{name}.png")
    Image.open(folder / "photo.jpg").save(folder / "photo.png")
    Image.open(folder / "photo.jpg").save(folder / "huge.tif")
    for name in ("photos", "PHOTOS", "content"):
        (folder / name).mkdir()
        for seed in range(3):
            write_image(folder / name / f"{seed}.jpg", draw_photo(seed))
    for name in ("paintings", "PAINTINGS", "MANY"):
        (folder / name).mkdir()
        for kind, file in (("waves", "a"), ("stripes", "b")):
            write_image(folder / name / f"{file}.jpg", draw_painting(kind, 64))
    frames = [Image.fromarray(np.full((48, 64, 3), 40 * n, np.uint8)) for n in range(3)]
    frames[0].save(folder / "in.gif", save_all=True, append_images=frames[1:], duration=100)
    (folder / "vgg19_notop.h5").touch()  # its place is taken by `small_engines`
    # Links to files, not to their folder: what is written there stays here.
    for name in ("models/cin", "NETWORK"):
        (folder / name).mkdir(parents=True)
        for file in (ROOT / "models" / "cin").iterdir():
            (folder / name / file.name).symlink_to(file)
    (folder / "docs").mkdir()
    for name in ("data", "images"):
        shutil.copytree(
            ROOT / "docs" / name, folder / "docs" / name, ignore=shutil.ignore_patterns("*.jpg")
        )


def write_clips(folder: Path) -> None:
    """The films, which take PyAV."""
    from small_clips import make_clip

    clip = make_clip(folder / "clip.mp4")
    for name in ("in.mp4", "fox.mp4", "car-detection.mp4"):
        shutil.copy(clip, folder / name)


def small_engines(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """VGG19 and Magenta's network with few filters and random weights, and few steps."""
    from small_magenta import TinyMagenta, save_model, two_images

    import arbitrary_nst.training.evaluate  # so that all users of `load_vgg19` are there
    import arbitrary_nst.training.new_style
    import arbitrary_nst.training.pack
    import arbitrary_nst.training.train  # noqa: F401
    from arbitrary_nst import Cin, Vgg19, Vgg19Settings, engines
    from arbitrary_nst.networks.vgg import build_vgg19, load_vgg19

    def small(layers, **options):
        return build_vgg19(layers, width=1 / 16)

    for module in list(sys.modules.values()):
        if getattr(module, "load_vgg19", None) is load_vgg19:
            monkeypatch.setattr(module, "load_vgg19", small)
    make = Vgg19.__init__

    def make_small(self, source=None, *, settings=None, **options):
        settings = replace(settings or Vgg19Settings(), iterations=(2,), style_size=32)
        make(self, source, settings=settings, **options)

    monkeypatch.setattr(Vgg19, "__init__", make_small)
    make_cin = Cin.__init__

    def refine_little(self, *args, refine_steps=1, **options):
        make_cin(self, *args, refine_steps=refine_steps, **options)

    monkeypatch.setattr(Cin, "__init__", refine_little)
    monkeypatch.setattr(engines, "_loaded", {})
    model = TinyMagenta()
    save_model(folder / "magenta", model, two_images(model.stylize))
    (folder / "FOLDER").symlink_to(folder / "magenta")


def commands(block: Block, folder: Path) -> list[tuple[list[str], dict[str, str]]]:
    """The commands of a block with their environment, as bash understands its lines.

    Bash does all of the reading: quotes, comments, variables, patterns. The commands themselves
    are functions that write down how they were called.
    """
    record = 'printf "%s\\0" "$FUNCNAME" "$@"; printf "\\1"; env -0; printf "\\1\\2"'
    functions = "".join(f"{name}() {{ {record}; }} >>calls\n" for name in (*KNOWN, "cp", ".ci/run"))
    functions = functions.replace(".ci/run()", "function .ci/run()")
    script = f"set -eu; : >calls\n{functions}{block.text}"
    bash = shutil.which("bash")
    done = subprocess.run(
        [bash, "--norc", "-c", script], cwd=folder, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, f"{block.place}: bash says {done.stderr}"
    calls = []
    for call in (folder / "calls").read_text(encoding="utf-8").split("\1\2")[:-1]:
        words, variables = call.split("\1")
        settings = dict(v.split("=", 1) for v in variables.split("\0") if "=" in v)
        calls.append((words.split("\0")[:-1], settings))
    return calls


def run(words: list[str], settings: dict[str, str], way: str, folder: Path) -> None:
    """Runs a command, or reads its options where it takes long by nature."""
    name, *arguments = words
    if name == "python" and arguments[:2] == ["-m", "pip"]:
        name, arguments = "pip", arguments[2:]
    if name == "python" and arguments[:2] == ["-m", "arbitrary_nst"]:
        name, arguments = "arbitrary-nst", arguments[2:]
    if name == "arbitrary-nst":
        # The demo serves until it is stopped; tests/demo starts it.
        if way == "options" or arguments[0] == "demo":
            with _informative():
                build_parser().parse_args(arguments)
            return
        ours = {k: v for k, v in settings.items() if k.startswith("ARBITRARY_NST_")}
        with pytest.MonkeyPatch.context() as patch:
            for key, value in ours.items():
                patch.setenv(key, value)
            try:
                code = main(small(arguments))
            except SystemExit as end:  # `--version` and `--help` end so
                code = end.code
            assert code in (0, None), shlex.join(words)
    elif name == "pip":
        check_requirements(arguments)
    elif name == "python" and arguments[:2] == ["-m", "pytest"]:
        check_paths(arguments[2:])
    elif name == "python" and arguments[0].endswith(".py"):
        check_script(arguments)
    elif name in ("ruff", "mypy", "mkdocs", "nox", "cp", "apt", ".ci/run"):
        check_paths(arguments)
    else:
        pytest.fail(f"nobody knows how to test: {shlex.join(words)}")


def small(arguments: list[str]) -> list[str]:
    """The same command on less: smaller sizes, fewer steps."""
    if arguments[0] == "train":
        arguments = [*arguments, "--channels", "4,8", "--num-residual-blocks", "1"]
        arguments += ["--crop-size", "32", "--batch-size", "2", "--steps", "2"]
    found = list(arguments)
    for index, word in enumerate(arguments[:-1]):
        if word in SMALL:
            found[index + 1] = SMALL[word]
    if arguments[0] in ("add-style", "refine-styles"):
        found += ["--steps", "2"]
    return found


def check_requirements(arguments: list[str]) -> None:
    """The extras that a line installs are declared; nothing is installed."""
    settings = configparser.ConfigParser()
    settings.read(ROOT / "setup.cfg", encoding="utf-8")
    extras = settings["options.extras_require"]
    for word in arguments:
        match = re.fullmatch(r"(?:\.|arbitrary-nst)\[([\w,]+)\]", word)
        for extra in match[1].split(",") if match else ():
            assert extra in extras, f"{word}: setup.cfg has no extra {extra!r}"


def check_paths(arguments: list[str]) -> None:
    """What looks like a path of the repository is one."""
    for word in arguments:
        if re.match(r"(arbitrary_nst|benchmarks|demo|docs|examples|tests)(/|$)", word):
            assert (ROOT / word).exists(), f"{word} is not there"


class _Read(Exception):
    """The options were read."""


def check_script(arguments: list[str]) -> None:
    """A program of the repository takes these options; it is not run."""
    path = ROOT / arguments[0]
    assert path.is_file(), f"{arguments[0]} is not there"
    parse = argparse.ArgumentParser.parse_args

    def stop(parser, *_):
        with _informative():
            parse(parser, arguments[1:])
        raise _Read

    names = set(sys.modules)
    needs = {"matplotlib": "plot_log.py"}  # of no extra; the program says so itself
    if any(path.name == program and not find_spec(name) for name, program in needs.items()):
        return
    with pytest.MonkeyPatch.context() as patch, contextlib.suppress(_Read):
        patch.setattr(argparse.ArgumentParser, "parse_args", stop)
        patch.syspath_prepend(str(path.parent))
        text = path.read_text(encoding="utf-8")
        exec(compile(text, str(path), "exec"), {"__name__": "__main__", "__file__": str(path)})
        pytest.fail(f"{arguments[0]} reads no options")
    for name in set(sys.modules) - names:  # `tables`, `blend_strip` and the like
        if str(getattr(sys.modules[name], "__file__", "")).startswith(str(path.parent)):
            del sys.modules[name]


@contextlib.contextmanager
def _informative() -> Iterator[None]:
    """What argparse says before it exits is the reason of the failure."""
    try:
        yield
    except SystemExit as error:
        if error.code:
            pytest.fail("options that the program does not take; see what it said on stderr")
