"""Names and places of files that are out of the ordinary, and numbers without bounds."""

import os
from dataclasses import replace

import numpy as np
import pytest
from PIL import Image

from arbitrary_nst import embed, load_styles, stylize
from arbitrary_nst.cli import main
from arbitrary_nst.cli.options import placed
from arbitrary_nst.image import to_pil

LATIN = os.fsdecode(b"caf\xe9.png")


@pytest.fixture
def folder(network, photo, tmp_path, monkeypatch):
    """The current folder, with a photo and a mask in it, and the random network in use."""
    monkeypatch.chdir(tmp_path)
    to_pil(photo).save("photo.png")
    Image.new("L", (40, 32), 255).save("mask@2x.png")
    return tmp_path


def pixels(path):
    with Image.open(path) as picture:
        return np.asarray(picture)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("wave@mask@2x.png", ("wave", 1.0, "mask@2x.png")),
        ("wave:2@mask@2x.png", ("wave", 2.0, "mask@2x.png")),
        (
            "me@home/style.safetensors@mask@2x.png",
            ("me@home/style.safetensors", 1.0, "mask@2x.png"),
        ),
        ("wave@no@2x.png", ("wave@no", 1.0, "2x.png")),  # no such file: as it ever was
        ("mask@2x.png", ("mask@2x.png", 1.0, None)),  # a file itself: a style
        ("@mask.png", ("@mask.png", 1.0, None)),
    ],
)
def test_masks_with_an_at_in_their_names(folder, text, expected):
    assert placed(text) == expected


def test_such_a_mask_from_the_shell(folder):
    arguments = ["stylize", "photo.png", "-s", "scream@mask@2x.png", "-s", "great-wave"]
    assert main([*arguments, "-o", "out.png"]) == 0
    both = stylize("photo.png", ["scream", "great-wave"], masks=["mask@2x.png", None])
    np.testing.assert_array_equal(pixels("out.png"), both)


@pytest.mark.parametrize(
    ("output", "what"), [("photo.png", "photo"), ("mask.png", "mask 1"), ("link.png", "photo")]
)
def test_what_is_read_is_not_replaced(folder, capsys, output, what):
    Image.new("L", (40, 32), 255).save("mask.png")
    os.symlink("photo.png", "link.png")
    before = (folder / output).read_bytes()
    arguments = ["stylize", "photo.png", "-s", "scream@mask.png", "-o", output]
    assert main(arguments) == 2
    assert f"is the {what} itself, which would be replaced" in capsys.readouterr().err
    assert (folder / output).read_bytes() == before
    assert main([*arguments, "--overwrite"]) == 0
    assert (folder / output).read_bytes() != before


def test_a_sheet_does_not_replace_its_photo(folder, capsys):
    arguments = ["styles", "--sheet", "photo.png", "--photo", "photo.png", "--cell", "16"]
    assert main(arguments) == 2
    assert "is the photo 1 itself" in capsys.readouterr().err


def test_names_that_are_no_utf8(folder, network_folder, run_python):
    os.rename("photo.png", LATIN)
    assert main(["stylize", LATIN, "-s", "scream", "-o", "out.png"]) == 0
    words = ["-m", "arbitrary_nst", "stylize", LATIN, "-s", "scream", "-o", "2" + LATIN]
    done = run_python(*words, errors="surrogateescape")
    assert done.stdout.startswith("2" + LATIN)
    assert done.returncode == 0 and os.path.exists("2" + LATIN)


def test_a_style_is_named_after_any_file(folder):
    style = embed("great-wave").named_after("x/" + LATIN)
    assert (style.name, style.source) == ("caf\ufffd", "caf\ufffd.png")
    replace(style, name=style.name).save("mine.safetensors")
    assert list(load_styles("mine.safetensors")) == ["caf\ufffd"]


@pytest.mark.parametrize("scale", ["1e-300", "0.001"])
def test_strokes_so_small_that_the_picture_would_be_huge(folder, capsys, scale):
    words = ["stylize", "photo.png", "-s", "scream", "--texture-scale", scale, "-o", "out.png"]
    assert main([*words, "--max-pixels", "1000000"]) == 2
    assert "picture to be painted at texture_scale" in capsys.readouterr().err


def test_a_style_of_huge_numbers(folder, capsys):
    wave = embed("great-wave")
    huge = {key: np.full_like(array, 1e38) for key, array in wave.arrays.items()}
    replace(wave, arrays=huge).save("huge.safetensors")
    assert main(["stylize", "photo.png", "-s", "huge.safetensors", "-o", "out.png"]) == 2
    assert "numbers that no network makes" in capsys.readouterr().err


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="no pipes here")
def test_a_pipe_among_the_photos_of_a_batch(folder, capsys):
    os.mkdir("in")
    os.mkfifo("in/pipe.jpg")
    to_pil(np.full((32, 40, 3), 0.5, np.float32)).save("in/a.jfif", "JPEG")
    words = ["batch", "in", "out", "-s", "scream", "--workers", "1"]
    assert main(words) == 1
    assert "pipe.jpg" in capsys.readouterr().err
    assert os.path.exists("out/a.jfif") and not os.path.exists("out/pipe.jpg")
