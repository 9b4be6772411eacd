"""Each program in `examples/` runs, on photos and networks of a few pixels and filters."""

import csv
import functools
import importlib
import json
import sys
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from PIL import Image
from small_magenta import TinyMagenta, save_model, two_images
from small_training import small_vgg

from arbitrary_nst import embed, engines, list_styles, save_styles, stylize
from arbitrary_nst.engines.vgg19 import Vgg19, Vgg19Settings
from arbitrary_nst.image import to_pil

FOLDER = Path(__file__).parents[2] / "examples"
TESTED = {
    "blend_strip",
    "compare_engines",
    "new_styles",
    "painting_gallery",
    "painting_list",
    "plot_log",
    "readme_pictures",
    "regions_and_scale",
    "vgg19_gallery",
}


@pytest.fixture
def example(monkeypatch):
    """Imports an example anew; one of them imports another from beside it."""
    monkeypatch.syspath_prepend(str(FOLDER))
    yield importlib.import_module
    for name in TESTED:
        sys.modules.pop(name, None)


@pytest.fixture
def run(example, monkeypatch):
    """Runs an example, as `python examples/NAME.py ARGUMENTS` would."""

    def call(name, *arguments):
        monkeypatch.setattr(sys, "argv", [f"{name}.py", *map(str, arguments)])
        example(name).main()

    return call


@pytest.fixture
def folder(network, make_photo, tmp_path, monkeypatch):
    """The current folder, with `a.png` .. `d.png`, and the random network as that of cin."""
    monkeypatch.chdir(tmp_path)
    for seed, name in enumerate("abcd"):
        to_pil(make_photo(32, 48, seed)).save(f"{name}.png")
    return tmp_path


@pytest.fixture
def small_engines(folder, monkeypatch):
    """Magenta with a handful of numbers, and vgg19 with few filters and steps."""
    model = TinyMagenta()
    save_model(folder / "magenta", model, two_images(model.stylize))
    monkeypatch.setenv("ARBITRARY_NST_MAGENTA", str(folder / "magenta"))

    original = engines._make

    def make(name, source):
        if name != "vgg19":
            return original(name, source)
        settings = replace(
            Vgg19Settings(), iterations=(2,), coarsest=64, style_size=32, init="content"
        )
        return Vgg19(settings=settings, vgg=small_vgg())

    monkeypatch.setattr(engines, "_make", make)
    monkeypatch.setattr(engines, "_loaded", {})
    monkeypatch.setattr(engines, "vgg19_weights", lambda: "small")


def check_pictures(*paths):
    """Pictures that are there and not of one colour."""
    for path in paths:
        with Image.open(path) as picture:
            assert np.asarray(picture).std() > 1, path


def test_every_example_is_tested():
    assert {path.stem for path in FOLDER.glob("*.py")} == TESTED


@pytest.mark.parametrize(
    "styles", ["great-wave scream", "scream", "great-wave:scream scream:scream"]
)
def test_blend_strip(folder, run, styles, capsys):
    run("blend_strip", "a.png", *styles.split(), "--steps", 2, "--size", 32, "-o", "strip.png")
    assert capsys.readouterr().out == "strip.png\n"
    check_pictures("strip.png")


def test_blend_strip_goes_from_style_to_style(folder, example, monkeypatch):
    """Its ends are the pictures of the two styles alone."""
    module, sheets = example("blend_strip"), []
    monkeypatch.setattr(module, "contact_sheet", lambda rows, **options: sheets.append(rows))
    module.blend_strip("a.png", "scream", "great-wave", steps=3)
    ((first, _, last),) = sheets[0]
    for image, name in ((first, "scream"), (last, "great-wave")):
        np.testing.assert_array_equal(255 * image, stylize("a.png", name, size=512))


@pytest.mark.usefixtures("small_engines")
def test_compare_engines(folder, run, capsys):
    Path("list.json").write_text(json.dumps([{"name": "scream", "file": "b.png", "source": "me"}]))
    arguments = "--photo a.png --styles . --style-list list.json --names scream --size 32 --cell 40"
    run("compare_engines", *arguments.split(), "-o", "sheet.png")
    lines = capsys.readouterr().out.splitlines()
    assert [line.split()[:2] for line in lines] == [[name, "scream"] for name in engines.ENGINES]
    check_pictures("sheet.png")


def test_new_styles(folder, run):
    save_styles([embed("scream")], "mine.safetensors")
    run(
        "new_styles", "b.png:mine.safetensors", "--photos", "a.png", "--cell", 40, "-o", "sheet.png"
    )
    check_pictures("sheet.png")


@pytest.mark.usefixtures("small_engines")
def test_painting_gallery(folder, run):
    Path("out").mkdir()
    words = "--engine magenta --paintings a.png b.png --photos c.png d.png --size 32 -o out"
    run("painting_gallery", *words.split())
    names = [f"magenta-{name}.jpg" for name in ("blend", "gallery", "strength")]
    assert sorted(path.name for path in Path("out").iterdir()) == names
    check_pictures(*Path("out").iterdir())
    Path("some").mkdir()
    run("painting_gallery", *words.split(), "--only", "blend", "-o", "some")
    assert [path.name for path in Path("some").iterdir()] == ["magenta-blend.jpg"]


def test_painting_list(tmp_path, run, monkeypatch):
    """Every painting is in one of the lists, and no painter in both."""
    monkeypatch.chdir(tmp_path)
    rows = [
        {"file": f"{n}.jpg", "artist": f"Painter {n % 20} (born 1850)", "source_repo": "museum"}
        for n in range(60)
    ]
    with open("paintings.csv", "w", newline="") as file:
        writer = csv.DictWriter(file, ["file", "artist", "source_repo"])
        writer.writeheader()
        writer.writerows(rows)
    run("painting_list", "paintings.csv", "--train", "train.json", "--held-out", "held.json")
    train, held = (json.loads(Path(name).read_text()) for name in ("train.json", "held.json"))
    assert sorted(row["file"] for row in train + held) == sorted(row["file"] for row in rows)
    groups, kept_out = ({row["group"] for row in part} for part in (train, held))
    assert groups | kept_out == {f"Painter {n}" for n in range(20)}
    assert kept_out and not groups & kept_out


def test_plot_log(tmp_path, run):
    pytest.importorskip("matplotlib", reason="plot_log.py needs matplotlib")
    with open(tmp_path / "log.csv", "w", newline="") as file:
        writer = csv.DictWriter(file, ["step", "style", "shift", "content"])
        writer.writeheader()
        for step in range(1, 151):
            writer.writerow({"step": step, "style": 1 / step, "shift": 0.3, "content": 0.5})
    log, plot = tmp_path / "log.csv", tmp_path / "curves.png"
    run("plot_log", f"{log}:120", log, "-o", plot)
    check_pictures(plot)


def test_readme_pictures(folder, example, run, monkeypatch):
    module = example("readme_pictures")
    monkeypatch.setattr(module, "HERO", ("a.png", "great-wave", "scream"))
    monkeypatch.setattr(module, "STRIP", ("b.png", "starry-night", "scream"))
    monkeypatch.setattr(module, "STRENGTH", ("c.png", "scream"))
    monkeypatch.setattr(module, "SHEET", ("a.png", "d.png"))
    for name in ("blend_strip", "strength_strip"):  # smaller than the 768 pixels of the README
        strip = getattr(module, name)
        small = functools.partial(lambda strip, *photo, size: strip(*photo, size=size // 16), strip)
        monkeypatch.setattr(module, name, small)
    run("readme_pictures", "--photos", ".", "--out", "out")
    names = ["blend-strip.jpg", "hero.jpg", "strength-strip.jpg", "styles.jpg"]
    assert sorted(path.name for path in Path("out").iterdir()) == names
    check_pictures(*Path("out").iterdir())


def test_the_styles_of_the_readme_are_packaged(packaged, example):
    module = example("readme_pictures")
    named = {
        *module.HERO[1:],
        *module.STRIP[1:],
        *module.STRENGTH[1:],
        "starry-night",
        "great-wave",
    }
    assert named <= {style.name for style in list_styles()}


def test_regions_and_scale(folder, example, run, monkeypatch, capsys):
    module = example("regions_and_scale")
    monkeypatch.setattr(module, "resize", lambda photo, longer_side: photo)
    Path("out").mkdir()
    run("regions_and_scale", "a.png", "b.png", "--huge", 0.01, "-o", "out")
    names = ["huge.jpg", "passes.jpg", "regions.jpg", "scale.jpg"]
    assert sorted(path.name for path in Path("out").iterdir()) == names
    check_pictures(*Path("out").iterdir())
    told = capsys.readouterr().out
    assert "working_size: downscaled" in told and "passes against at once" in told


@pytest.mark.usefixtures("small_engines")
def test_vgg19_gallery(folder, example, run, monkeypatch, capsys):
    """A second call finds its parts and paints nothing."""
    monkeypatch.setattr(example("vgg19_gallery"), "BLENDS", ([1, 0, 0], [1, 1, 1]))
    Path("out").mkdir()
    words = "--paintings a.png b.png c.png --photos d.png --size 32 --parts parts -o out"
    run("vgg19_gallery", *words.split())
    # One for each painting, of which the first is a blend as well, and the other blend.
    assert len(list(Path("parts").iterdir())) == 4
    check_pictures(*Path("parts").iterdir(), "out/vgg19-gallery.jpg", "out/vgg19-blend.jpg")
    capsys.readouterr()
    run("vgg19_gallery", *words.split())
    assert capsys.readouterr().out == ""
