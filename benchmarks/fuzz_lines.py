"""Odd command lines, many of them: those that do not end as they should are printed.

    python benchmarks/fuzz_lines.py --number 1000 --seed 2

A command line ends well with exit code 0, or with 2 and one line that is no "Unexpected ...";
what it was to write is then not there. All run in one process, on tiny photos; the same seed makes
the same lines. Commands that serve, or train for long, are left out.
"""

from __future__ import annotations

import argparse
import collections
import contextlib
import io
import os
import random
import signal
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

import numpy as np
from PIL import Image

NUMBERS = [
    *(
        "0 1 -1 2 3 7 16 64 0.5 1.0 -0.0 1e-9 1e308 1e999 -inf inf nan NaN 0x10 1_000 ٣ １２ 99999 "
        "4294967296 9223372036854775808 1e 1. .5 + - 5,5 1,2,3 2G 100M -2G 0G G 1e3M % {} None True"
    ).split(),
    *["", " ", " 3", "3 ", "9" * 400, "\n", "3\n", "-" * 50],
]
PLAIN = "0 1 2 3 16 64 100 0.5 0.1 1.5".split()
TEXTS = [
    *(
        "great-wave scream:2 scream:0 scream:-1 scream:nan scream:inf scream:1e999 :1 : :: @ @@ "
        "scream@mask.png scream@ scream@missing.png scream:2@mask.png scream:@mask.png @mask.png "
        "a@b.png a@2x.png greatwave GREAT-WAVE great_wave identity mine.safetensors "
        "broken.safetensors photo.png photo.jpg empty.png text.png folder folder/ missing.png fifo "
        "/dev/null /dev/zero /dev/full loop link.png deep/deep/deep.png . .. / ~ * ? [a] $HOME "
        "sample:astronaut sample:none sample: http://localhost/a.png file:photo.png C:\\a.png "
        "-o --size --help -h -- --overwrite out.png out.jpg out.webp out.tif out.bmp out.avif out "
        "out.xyz out.png/ out.png.part .png .hidden no/such/out.png folder/out.png "
        "out.safetensors photos painted painted/new out.mp4 clip.mp4 out.gif keep png jpg auto cin "
        "magenta vgg19 best style content float32 bfloat16 onnx tflite savedmodel local"
    ).split(),
    "",
    " ",
    "a b.png",
    "x" * 300 + ".png",
    "new\nline.png",
    "tab\t.png",
    "nul\0.png",
    "latin\udce9.png",
    "emoji😀.png",
    "\u202egnp.exe",
    "-photo.png",
    "./-photo.png",
]
COMMANDS = {
    "stylize": ["{text}", "-s", "{text}", "-o", "{text}"],
    "batch": ["{text}", "{text}", "-s", "{text}"],
    "video": ["{text}", "-s", "{text}", "-o", "{text}"],
    "styles": [],
    "embed": ["{text}", "-o", "{text}"],
    "blend": ["-s", "{text}", "-s", "{text}", "-o", "{text}"],
    "export": ["--format", "{text}", "-o", "{text}"],
    "check": ["{text}"],
    "evaluate": ["--photos", "{text}", "--styles", "{text}"],
    "add-style": ["{text}", "--name", "{text}", "--photos", "{text}", "-o", "{text}"],
    "train": ["--styles", "{text}", "--photos", "{text}", "--out", "{text}"],
    "pack-training": ["--styles", "{text}", "--photos", "{text}", "-o", "{text}"],
    "refine-styles": ["--network", "{text}", "--photos", "{text}"],
}
GOOD = {
    "stylize": ["photo.png", "-s", "great-wave", "-o", "out.png"],
    "batch": ["photos", "painted", "-s", "scream"],
    "video": ["clip.gif", "-s", "scream", "-o", "out.gif"],
    "styles": [],
    "embed": ["great-wave", "-o", "out.safetensors"],
    "blend": ["-s", "great-wave:2", "-s", "scream", "-o", "out.safetensors"],
    "export": ["--format", "onnx", "-o", "model"],
    "check": ["magenta"],
    "evaluate": ["--photos", "photos", "--styles", "photos"],
    "add-style": ["photo.png", "--name", "mine", "--photos", "photos", "-o", "out.safetensors"],
    "train": ["--styles", "photos", "--photos", "photos", "--out", "run", "--steps", "1"],
}
# They start what goes on for long, or what belongs to the machine.
LEFT_OUT = {"--ray", "--debug", "--stop-at", "--steps", "--help", "-h", "--version"}
BOUNDED = {"--workers": "1", "--iterations": "1", "--fit-steps": "1", "--refine-steps": "1"}


def options_of(command: str) -> list[argparse.Action]:
    """The options of a command."""
    from arbitrary_nst.cli.parser import build_parser

    parser = build_parser()
    (commands,) = (a.choices for a in parser._actions if isinstance(a.choices, dict))
    actions = commands[command]._actions
    return [a for a in actions if a.option_strings and not LEFT_OUT.intersection(a.option_strings)]


def given(action: argparse.Action, rng: random.Random) -> list[str]:
    """An option with a value, as a rule one that the parser lets through."""
    option = rng.choice(action.option_strings)
    if option in BOUNDED:
        return [option, BOUNDED[option]]
    if action.nargs == 0 or rng.random() < 0.02:
        return [option]
    if rng.random() < 0.15:
        return [option, rng.choice(NUMBERS + TEXTS)]
    if action.choices:
        return [option, str(rng.choice(list(action.choices)))]
    if action.type in (int, float):
        plain = PLAIN if rng.random() < 0.5 else NUMBERS
        fitting = [n for n in plain if action.type is float or n.lstrip("+-").isdecimal()]
        return [option, rng.choice(fitting)]
    if action.type is not None and action.type.__name__ != "placed":
        return [option, rng.choice(NUMBERS)]
    return [option, rng.choice(TEXTS)]


def lines(number: int, seed: int) -> Iterator[list[str]]:
    """Command lines: good ones with something odd in them, and such as are odd all over."""
    rng = random.Random(seed)
    options = {name: options_of(name) for name in COMMANDS}
    for index in range(number):
        name = list(COMMANDS)[index % len(COMMANDS)]
        if name in GOOD and rng.random() < 0.8:
            line = list(GOOD[name])
            if line and rng.random() < 0.6:
                line[rng.randrange(len(line))] = rng.choice(TEXTS)
        else:
            line = [rng.choice(TEXTS) if part == "{text}" else part for part in COMMANDS[name]]
        for _ in range(rng.choice((0, 1, 1, 2, 3))):
            if options[name]:
                line += given(rng.choice(options[name]), rng)
        if rng.random() < 0.05:
            rng.shuffle(line)
        yield [name, *line] if rng.random() < 0.98 else line


def prepare(folder: Path) -> None:
    """The files that command lines may name."""
    os.chdir(folder)
    y, x = np.mgrid[0:36, 0:48]
    picture = np.stack([x * 5, y * 7, (x * y) % 256], -1).astype(np.uint8)
    photo = Image.fromarray(picture)
    for name in ("photo.png", "photo.jpg", "-photo.png", "latin\udce9.png", "a@2x.png"):
        photo.save(os.fsencode(name).decode(errors="surrogateescape"))
    for name in ("photos", "folder"):
        os.mkdir(name)
    photo.save("photos/a.png")
    photo.convert("L").save("photos/b.jpg")
    Path("photos/broken.png").write_bytes(Path("photo.png").read_bytes()[:99])
    Image.fromarray((x * 5).astype(np.uint8)).save("mask.png")
    frames = [photo.rotate(9 * k) for k in range(3)]
    frames[0].save("clip.gif", save_all=True, append_images=frames[1:], duration=80)
    Path("empty.png").touch()
    Path("text.png").write_text("no image")
    Path("broken.safetensors").write_bytes(b"\xff" * 40)
    os.mkfifo("fifo")
    os.symlink("loop", "loop")
    os.symlink("photo.png", "link.png")
    from arbitrary_nst import embed

    embed("great-wave").save("mine.safetensors")


def fuzz_lines(number: int, seed: int, start_at: int = 0) -> int:
    """Runs those from `start_at` on in this process; prints outcomes, and faults as they come."""
    from arbitrary_nst.cli import main

    outcomes: collections.Counter[str] = collections.Counter()
    bad, slowest = 0, (0.0, [])
    signal.signal(signal.SIGALRM, _ring)
    for name in ("MAGENTA", "VGG19"):  # nothing is fetched, and no training begins
        os.environ[f"ARBITRARY_NST_{name}"] = "not-there"
    for index, line in enumerate(lines(number, seed)):
        if index < start_at:
            continue
        if index % 100 == 0:
            print(f"{index} command lines: {dict(outcomes)}", flush=True)
        with tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as name:
            prepare(Path(name))
            before = set(_files(name))
            out, err = io.StringIO(), io.StringIO()
            start, faults = time.process_time(), []
            signal.alarm(300)
            try:
                with contextlib.redirect_stdout(out), contextlib.redirect_stderr(err):
                    code = main(line)
            except SystemExit as end:
                code = f"argparse {end.code}"
            except BaseException as error:  # which is what is looked for
                code = type(error).__name__
                faults.append(f"{code}: {error}"[:300])
            finally:
                signal.alarm(0)
            seconds = time.process_time() - start
            said = err.getvalue()
            faults += _faults(code, said)
            left = sorted(set(_files(name)) - before)
            # A batch that ends with 1 has painted all but the photos that cannot be read.
            if code not in (0, 1, "argparse 0") and left:
                faults.append(f"left {left[:4]}")
            os.chdir("/")
        outcomes[str(code)] += 1
        slowest = max(slowest, (seconds, line))
        if faults:
            bad += 1
            print(f"{line!r}: {code}; {'; '.join(faults)}", flush=True)
    print(f"{number} command lines, seed {seed}: {dict(outcomes)}; {bad} with a fault")
    print(f"slowest {slowest[0]:.1f} s: {slowest[1]!r}")
    return bad


class TooLongError(BaseException):
    """Which no command takes for an error of its own."""


def _ring(number: int, frame: object) -> None:
    raise TooLongError("still running after 300 seconds")


def _faults(code: object, said: str) -> list[str]:
    faults = []
    for word in ("Unexpected", "Traceback", "TimeoutError", "Warning:"):
        if word in said:
            faults.append(f"{word} in {said.strip()[-300:]!r}")
    errors = [text for text in said.splitlines() if ": warning: " not in text]
    if code == 2 and len(errors) != 1:
        faults.append(f"{len(errors)} lines: {said[:300]!r}")
    if code not in (0, 2, 1) and not str(code).startswith("argparse") and not faults:
        faults.append(f"exit code {code}")
    return faults


def _files(folder: str) -> Iterator[str]:
    for root, _, names in os.walk(folder):
        for name in names:
            yield os.path.relpath(os.path.join(root, name), folder)


def main() -> int:
    """Does what is asked for; returns 1 where something did not end well."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--number", type=int, default=1000)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--start-at", type=int, default=0, help="leave out those before this one")
    options = parser.parse_args()
    return min(1, fuzz_lines(options.number, options.seed, options.start_at))


if __name__ == "__main__":
    sys.exit(main())
