"""The command line, mostly in this process: `main([...])`."""

import argparse
import io
import logging
import os
import re
import signal
import sys
import types

import numpy as np
import pytest
from PIL import Image

import arbitrary_nst
from arbitrary_nst import blend, embed, load_engine, load_styles, stylize
from arbitrary_nst.cli import build_parser, main
from arbitrary_nst.cli.options import ProgressBar, bytes_of, placed, quality, weighted
from arbitrary_nst.image import to_pil
from arbitrary_nst.samples import SAMPLES, sample_photo


@pytest.fixture
def folder(network, photo, tmp_path, monkeypatch):
    """The current folder, with a photo in it, and the random network in use."""
    monkeypatch.chdir(tmp_path)
    to_pil(photo).save("photo.png")
    return tmp_path


@pytest.fixture
def fails(capsys):
    """Runs a command that must fail in the one right way; returns the line it prints."""

    def run(*arguments):
        assert main(arguments) == 2
        output = capsys.readouterr()
        assert output.out == "" and output.err.count("\n") == 1
        assert output.err.startswith("arbitrary-nst: ")
        return output.err.rstrip("\n")

    return run


def opened(path):
    with Image.open(path) as picture:
        return np.asarray(picture), picture.format


# stylize.


def test_stylize(folder, capsys):
    arguments = "stylize photo.png -s scream:2 -s great-wave:1 -o out.png"
    assert main(arguments.split()) == 0
    output = capsys.readouterr()
    assert output.out == "out.png: 40x32 pixels\n" and output.err == ""
    expected = stylize("photo.png", ["scream", "great-wave"], [2, 1])
    np.testing.assert_array_equal(opened("out.png")[0], expected)


def test_masks_scale_and_memory_arrive(folder, capsys):
    mask = np.zeros((8, 10))
    mask[:, :5] = 1
    to_pil(np.repeat(mask[..., None], 3, axis=-1)).save("left.png")
    styles = "stylize photo.png -s scream:2@left.png -s great-wave"
    assert main([*styles.split(), "--working-size", "24", "-o", "out.png"]) == 0
    expected = stylize(
        "photo.png", ["scream", "great-wave"], [2, 1], masks=[mask, None], working_size=24
    )
    np.testing.assert_array_equal(opened("out.png")[0], expected)
    assert main([*styles.split(), "--texture-scale", "0.5", "-o", "out.png"]) == 0
    assert main("stylize photo.png -s scream@nowhere.png -o out.png".split()) == 2
    assert "mask 1 image 'nowhere.png' does not exist" in capsys.readouterr().err
    assert main("stylize photo.png -s scream --max-memory 1k -o out.png".split()) == 2
    assert "needs 0.4 GB to be painted" in capsys.readouterr().err


def test_every_setting_of_stylize_arrives(folder):
    arguments = "stylize photo.png -s scream --strength 0.5 --color content --size 24 --seed 3 "
    arguments += "--engine cin --max-pixels 2000 -o out.png"
    assert main(arguments.split()) == 0
    expected = stylize("photo.png", "scream", strength=0.5, color="content", size=24, seed=3)
    np.testing.assert_array_equal(opened("out.png")[0], expected)
    assert main([*arguments.split()[:-1], "out.jpg", "--quality", "10"]) == 0
    assert main([*arguments.split()[:-1], "fine.jpg"]) == 0
    assert opened("out.jpg")[1] == "JPEG"
    assert os.path.getsize("out.jpg") < os.path.getsize("fine.jpg")


def test_style_files_and_blends(folder, capsys):
    assert main(["blend", "scream:2", "great-wave:1", "-o", "mine.safetensors"]) == 0
    assert capsys.readouterr().out == "mine.safetensors: 0.67 scream + 0.33 great-wave\n"
    assert main(["stylize", "photo.png", "-s", "mine.safetensors", "-o", "out.png"]) == 0
    expected = stylize("photo.png", [blend([embed("scream"), embed("great-wave")], [2, 1])])
    np.testing.assert_array_equal(opened("out.png")[0], expected)
    assert main(["blend", "mine.safetensors:0.5", "scream", "-o", "b.safetensors"]) == 0
    assert main(["blend", "scream", "scream", "--name", "my own", "-o", "c.safetensors"]) == 0
    assert load_styles("c.safetensors")["my own"].arrays["gamma"].size > 0


def test_embed(folder, capsys):
    assert main(["embed", "scream", "great-wave", "-o", "library.safetensors"]) == 0
    assert capsys.readouterr().out == "library.safetensors: scream, great-wave\n"
    assert load_styles("library.safetensors")["scream"] == embed("scream")
    assert main(["embed", "scream", "-o", "one.SAFETENSORS"]) == 0


def test_styles(folder, capsys):
    assert main(["styles"]) == 0
    assert capsys.readouterr().out == (
        "great-wave    Hokusai, The Great Wave\nstarry-night  Van Gogh\nscream        Munch\n"
    )


def test_the_sheet_of_styles(folder, capsys):
    command = "styles --sheet sheet.png --photo photo.png --photo photo.png --cell 24"
    assert main(command.split()) == 0
    output = capsys.readouterr().out
    assert output.startswith("great-wave")
    sheet, _ = opened("sheet.png")
    # Two columns of rows, with the photos above each: nearer to a screen's shape than one.
    assert 2 * 3 * 24 < sheet.shape[1] < 3 * 3 * 24 and 3 * 19 < sheet.shape[0] < 4 * 24 + 40
    assert sheet.std() > 20
    size = f"{sheet.shape[1]}x{sheet.shape[0]} pixels"
    assert output.endswith(f"sheet.png: 3 styles on 2 photos, {size}\n")


def test_a_sample_photo(folder, monkeypatch):
    photos = types.ModuleType("skimage.data")
    photos.astronaut = lambda: np.full((20, 30, 3), 128, np.uint8)
    package = types.ModuleType("skimage")
    package.data = photos
    monkeypatch.setitem(sys.modules, "skimage", package)
    monkeypatch.setitem(sys.modules, "skimage.data", photos)
    assert main(["stylize", "sample:astronaut", "-s", "scream", "-o", "out.png"]) == 0
    assert opened("out.png")[0].shape == (20, 30, 3)


def test_the_real_sample_photos():
    pytest.importorskip("skimage")
    for name in SAMPLES:
        photo = sample_photo(name)
        assert photo.dtype == np.uint8 and photo.shape[-1] == 3 and photo.size > 100_000


def test_without_the_sample_photos(folder, fails, monkeypatch):
    monkeypatch.setitem(sys.modules, "skimage", None)
    monkeypatch.setitem(sys.modules, "skimage.data", None)
    line = fails("stylize", "sample:coffee", "-s", "scream", "-o", "out.png")
    assert 'pip install "arbitrary-nst[sample]"' in line
    line = fails("stylize", "sample:nope", "-s", "scream", "-o", "out.png")
    assert "no sample photo 'nope'. Expected one of astronaut" in line


# Arguments.


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("great-wave", ("great-wave", 1.0, None)),
        ("great-wave@sky.png", ("great-wave", 1.0, "sky.png")),
        ("great-wave:0.7@masks/sky.PNG", ("great-wave", 0.7, "masks/sky.PNG")),
        ("me@home.safetensors:2", ("me@home.safetensors", 2.0, None)),
        ("a@b.jpg@c.png", ("a@b.jpg", 1.0, "c.png")),
        ("@sky.png", ("@sky.png", 1.0, None)),
    ],
)
def test_placed(text, expected):
    assert placed(text) == expected


def test_a_painting_with_an_at_in_its_name_is_no_mask(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "me@home.jpg").write_bytes(b"")
    assert placed("me@home.jpg") == ("me@home.jpg", 1.0, None)


@pytest.mark.parametrize(("text", "expected"), [("2G", 2e9), ("800m", 8e8), ("1e9", 1e9)])
def test_bytes_of(text, expected):
    assert bytes_of(text) == expected


@pytest.mark.parametrize("text", ["", "G", "-1G", "nan", "infG", "much"])
def test_bytes_of_nonsense(text):
    with pytest.raises(argparse.ArgumentTypeError, match="expected bytes such as 2G"):
        bytes_of(text)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("great-wave", ("great-wave", 1.0)),
        ("great-wave:0.7", ("great-wave", 0.7)),
        ("great-wave:2", ("great-wave", 2.0)),
        ("great-wave:-1", ("great-wave", -1.0)),
        ("great-wave:1e-3", ("great-wave", 0.001)),
        ("C:\\x.safetensors", ("C:\\x.safetensors", 1.0)),
        ("C:\\x.safetensors:0.5", ("C:\\x.safetensors", 0.5)),
        ("a:b:3", ("a:b", 3.0)),
        ("great-wave:", ("great-wave:", 1.0)),
        ("great-wave:much", ("great-wave:much", 1.0)),
        (":2", (":2", 1.0)),
        ("2", ("2", 1.0)),
        ("", ("", 1.0)),
    ],
)
def test_weighted(text, expected):
    assert weighted(text) == expected


def test_weights_that_are_no_numbers():
    name, weight = weighted("great-wave:nan")
    assert name == "great-wave" and np.isnan(weight)
    assert weighted("a:inf") == ("a", np.inf)


@pytest.mark.parametrize("text", ["0", "101", "-1", "x", "1.5", ""])
def test_quality(text, capsys):
    assert quality("95") == 95
    with pytest.raises(SystemExit) as exit:
        main(["stylize", "p.png", "-s", "scream", "-o", "o.jpg", f"--quality={text}"])
    assert exit.value.code == 2
    assert "expected a whole number from 1 to 100" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ([], "required: COMMAND"),
        (["paint"], "invalid choice: 'paint'"),
        (["stylize", "photo.png", "-o", "o.png"], "required: -s/--style"),
        (["stylize", "photo.png", "-s", "scream"], "required: -o/--output"),
        (["stylize", "p.png", "-s", "a", "-o", "o.png", "--size", "big"], "--size: invalid int"),
        (["stylize", "p.png", "-s", "a", "-o", "o.png", "--engine", "x"], "--engine: invalid"),
        (["stylize", "p.png", "-s", "a", "-o", "o.png", "--color", "x"], "--color: invalid"),
        (["train", "--styles", "a"], "required: --out"),
        (["pack-training", "--styles", "a"], "required: --photos, -o/--output"),
        (
            ["train", "--styles", "a", "--photos", "b", "--out", "c", "--channels", "a,b"],
            "expected numbers such as 32,64,128, not 'a,b'",
        ),
    ],
)
def test_wrong_usage(arguments, message, capsys):
    with pytest.raises(SystemExit) as exit:
        main(arguments)
    assert exit.value.code == 2
    assert message in capsys.readouterr().err


def test_every_command_explains_itself(capsys):
    (action,) = [a for a in build_parser()._actions if a.dest == "==SUPPRESS=="]
    commands = list(action.choices)
    known = (
        "stylize batch video styles embed blend train pack-training refine-predictor refine-styles "
        "add-style evaluate check demo export completion"
    )
    assert " ".join(commands) == known
    for command in commands:
        with pytest.raises(SystemExit) as exit:
            main([command, "--help"])
        assert exit.value.code == 0
        text = capsys.readouterr().out
        assert f"arbitrary-nst {command}" in text.split("examples:")[1]


def test_version(capsys):
    with pytest.raises(SystemExit) as exit:
        main(["--version"])
    assert exit.value.code == 0
    assert capsys.readouterr().out == f"arbitrary-nst {arbitrary_nst.__version__}\n"


# Errors: one line, exit code 2, and nothing done before.


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ("stylize no.png -s scream -o o.png", "content image 'no.png' does not exist"),
        ("stylize photo.png -s screm -o o.png", "no style named 'screm'.*Did you mean scream?"),
        ("stylize photo.png -s scream:-1 -o o.png", "none of them negative. Received -1.0"),
        ("stylize photo.png -s scream:nan -o o.png", "finite numbers.*Received nan"),
        ("stylize photo.png -s scream:0 -o o.png", "one value above 0"),
        ("stylize photo.png -s photo.png -o o.png", "no folder 'no-magenta-here' with the Mage"),
        ("stylize photo.png -s photo.png -s scream -o o.png", "Style 1 is an image.*add-style"),
        ("stylize photo.png -s photo.png --engine cin -o o.png", "Style 1 is an image.*add-style"),
        ("stylize photo.png -s scream --engine magenta -o o.png", "no folder 'no-magenta-here'"),
        ("stylize photo.png -s p.png --engine vgg19 --refine-steps 2 -o o.png", "not of vgg19"),
        (
            "stylize p.png -s p.png --engine vgg19 --fit-steps 2 --style-weight 1 -o o.png",
            "of vgg19",
        ),
        ("stylize photo.png -s photo.png --style-scale 9 -o o.png", "a number from 0.25 to 4"),
        ("stylize photo.png -s C:\\x.jpg -o o.png", r"style 1 image 'C:.*x.jpg' does not exist"),
        ("stylize photo.png -s scream --strength 2 -o o.png", "`strength` is a number"),
        ("stylize photo.png -s scream --strength nan -o o.png", "`strength` is a number"),
        ("stylize photo.png -s scream --size 0 -o o.png", "`size` needs"),
        ("stylize photo.png -s scream --size 9 -o o.png", "at least 16x16 pixels"),
        ("stylize photo.png -s scream --max-pixels 9 -o o.png", "too large"),
        ("stylize photo.png -s scream -o o.xyz", "needs a suffix that names an image format"),
        ("stylize no.png -s nope -o no/o.png", "in a folder that does not exist"),
        ("stylize no.png -s nope -o folder.png", "is a folder or a device"),
        ("styles --sheet no/sheet.png", "in a folder that does not exist"),
        ("styles --sheet sheet.gif", "needs a suffix"),
        ("embed nope -o o.png", "needs the suffix .safetensors. Received: 'o.png'"),
        ("embed nope -o no/o.safetensors", "in a folder that does not exist"),
        ("embed nope -o o.safetensors", "no style named 'nope'"),
        ("embed scream scream -o o.safetensors", "'scream' is used twice"),
        ("embed photo.png -o o.safetensors", "no folder 'no-magenta-here'"),
        ("embed photo.png --engine cin -o o.safetensors", "Style 1 is an image"),
        ("blend nope -o o.jpg", "needs the suffix .safetensors"),
        ("blend nope -o no/o.safetensors", "in a folder that does not exist"),
        ("blend scream:0 great-wave:0 -o o.safetensors", "one value above 0"),
        ("add-style no.png --name x --photos no -o o.png", "needs the suffix .safetensors"),
        (
            "add-style no.png --name x --photos no -o o.safetensors --vgg-weights no.h5",
            "no VGG19 weights file 'no.h5'",
        ),
        ("train --styles no --photos no --out o --vgg-weights no.h5", "no VGG19 weights file"),
        ("train --out o --vgg-weights imagenet", "needs `--styles` and `--photos`, or a `--pack`"),
        (
            "evaluate --photos no --styles no --style-list no --csv no/x.csv",
            "in a folder that does not exist",
        ),
    ],
)
def test_errors_are_one_line(folder, fails, arguments, message):
    (folder / "folder.png").mkdir()
    line = fails(*arguments.split())
    assert re.search(message, line), line
    assert sorted(os.listdir()) == ["folder.png", "photo.png"]


def test_debug_shows_the_traceback(folder):
    arguments = ["stylize", "no.png", "-s", "scream", "-o", "o.png"]
    for debug in (["--debug", *arguments], [*arguments, "--debug"]):
        with pytest.raises(FileNotFoundError, match=r"no.png"):
            main(debug)


def test_unexpected_errors_are_one_line_too(folder, fails, monkeypatch):
    def broken(*args, **kwargs):
        raise RuntimeError("something\nodd")

    monkeypatch.setattr("arbitrary_nst.pipeline.engine_choice.load_engine", broken)
    arguments = ["stylize", "photo.png", "-s", "scream", "-o", "o.png"]
    line = fails(*arguments)
    assert line.endswith("Unexpected RuntimeError: something odd (--debug shows where)")
    with pytest.raises(RuntimeError, match="something"):
        main(["--debug", *arguments])


@pytest.mark.parametrize(
    ("error", "code", "message"),
    [
        (KeyboardInterrupt(), 130, "stopped"),
        (MemoryError("64 GiB"), 2, "not enough memory; a smaller --size needs less. 64 GiB"),
        (OSError(28, "No space left on device"), 2, "No space left"),
        (ImportError("no tensorflow"), 2, "no tensorflow"),
    ],
)
def test_other_ends(folder, capsys, monkeypatch, error, code, message):
    def end(*args, **kwargs):
        raise error

    monkeypatch.setattr("arbitrary_nst.pipeline.engine_choice.load_engine", end)
    assert main(["stylize", "photo.png", "-s", "scream", "-o", "o.png"]) == code
    output = capsys.readouterr().err
    assert message in output and output.count("\n") == 1
    assert os.listdir() == ["photo.png"]


@pytest.mark.skipif(os.name == "nt", reason="no process can be asked to end like that there")
def test_sigterm_ends_a_command_as_ctrl_c_does(folder, capsys, monkeypatch):
    before = signal.getsignal(signal.SIGTERM)

    def end(*args, **kwargs):
        signal.raise_signal(signal.SIGTERM)

    monkeypatch.setattr("arbitrary_nst.pipeline.engine_choice.load_engine", end)
    assert main(["stylize", "photo.png", "-s", "scream", "-o", "o.png"]) == 143
    assert capsys.readouterr().err == "arbitrary-nst: stopped\n"
    assert os.listdir() == ["photo.png"]
    assert signal.getsignal(signal.SIGTERM) is before


@pytest.mark.filterwarnings("default")
def test_a_warning_is_a_line_without_code(folder, capsys, photo):
    to_pil(photo).save("moving.gif", save_all=True, append_images=[Image.new("RGB", (40, 32))])
    assert main(["stylize", "moving.gif", "-s", "scream", "-o", "o.png"]) == 0
    error = capsys.readouterr().err
    assert error.count("\n") == 1
    assert error.startswith("arbitrary-nst: warning: The content image 'moving.gif' has several")
    assert ".py" not in error


def test_log_records_are_lines(folder, capsys, monkeypatch):
    def talk(name):
        logging.getLogger("arbitrary_nst.training.data").warning("skipping photo: %s", "a.jpg")
        return load_engine(name)

    monkeypatch.setattr("arbitrary_nst.pipeline.engine_choice.load_engine", talk)
    for _ in range(2):
        assert main(["stylize", "photo.png", "-s", "scream", "-o", "o.png"]) == 0
        assert capsys.readouterr().err == "arbitrary-nst: skipping photo: a.jpg\n"


def test_the_bar_takes_what_engines_report(monkeypatch):
    """On a terminal, elsewhere it is silent; a second picture starts from its first step."""
    terminal = io.StringIO()
    terminal.isatty = lambda: True
    monkeypatch.setattr(sys, "stderr", terminal)
    said = []
    with ProgressBar("test", unit="step") as bar:
        for done, total, message in ((1, 10, "one"), (4, 10, "four"), (2, 5, "two")):
            bar(done, total, message, preview=np.zeros((2, 2, 3)))
            said.append(str(bar._bar))
    for text, parts in zip(said, (("1/10", "one"), ("4/10", "four"), ("2/5", "two")), strict=True):
        assert text.startswith("test: ") and all(part in text for part in parts)
    assert "test: " in terminal.getvalue()


def test_the_bar_is_silent_elsewhere(capsys):
    with ProgressBar("test", unit="step") as bar:
        bar(1, 10, "message")
    assert capsys.readouterr() == ("", "")


@pytest.mark.parametrize(("calls", "starts"), [([], 0), ([(1, 1)], 0), ([(1, 10), (2, 10)], 1)])
def test_a_bar_that_waits_for_a_second_one(monkeypatch, calls, starts):
    started, start = [], ProgressBar._start
    monkeypatch.setattr(ProgressBar, "_start", lambda bar: (started.append(bar), start(bar)))
    with ProgressBar("test", unit="", at_once=False) as bar:
        for done, total in calls:
            bar(done, total, "message")
    assert len(started) == starts


# As a process of its own.


@pytest.mark.parametrize(
    "arguments", [["--help"], ["--version"], ["train", "--help"], ["styles"], ["stylize", "no"]]
)
def test_light_commands_import_nothing_heavy(network, run_python, arguments):
    """Not measured in seconds, which depend on the machine, but in what is imported."""
    program = (
        "import sys\n"
        "from arbitrary_nst.cli import main\n"
        "try:\n"
        "    sys.exit(main(sys.argv[1:]))\n"
        "finally:\n"
        "    heavy = {'tensorflow', 'keras', 'jax', 'torch', 'tqdm'} & set(sys.modules)\n"
        "    assert not heavy, heavy\n"
    )
    result = run_python("-c", program, *arguments)
    assert "AssertionError" not in result.stderr
    assert result.returncode == (2 if arguments[0] == "stylize" else 0)


def test_a_whole_run_says_only_what_it_must(folder, run_python):
    """TensorFlow's own remarks, which no setting silences, do not reach the terminal."""
    command = "-m arbitrary_nst.cli stylize photo.png -s scream -o out.png"
    result = run_python(*command.split())
    assert (result.returncode, result.stdout) == (0, "out.png: 40x32 pixels\n")
    assert result.stderr == ""


@pytest.mark.skipif(os.name == "nt", reason="a pipe's reader leaves differently on Windows")
def test_a_reader_that_leaves_early(network, run_python):
    read, write = os.pipe()
    os.close(read)
    result = run_python("-m", "arbitrary_nst.cli", "styles", stdout=write)
    os.close(write)
    assert (result.returncode, result.stderr) == (0, "")
