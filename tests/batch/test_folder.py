"""`stylize_folder`: the arguments of `stylize`, for a folder."""

import inspect
import json
import pickle
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from arbitrary_nst import Cin, InputError, load_engine, load_image, stylize, stylize_folder
from arbitrary_nst.batch.files import MANIFEST
from arbitrary_nst.batch.settings import make_engine, prepare
from arbitrary_nst.cli import main
from arbitrary_nst.cli.parser import build_parser
from arbitrary_nst.image import to_pil


@pytest.fixture
def folder(network, make_photo, tmp_path, monkeypatch):
    """The current folder, with photos of two sizes in `in`, a mask, and a small network in use."""
    monkeypatch.chdir(tmp_path)
    Path("in").mkdir()
    to_pil(make_photo(64, 80)).save("in/a.png")
    to_pil(make_photo(48, 64, 1)).save("in/b.png")
    mask = np.zeros((10, 20), np.uint8)
    mask[:, :10] = 255
    Image.fromarray(mask).save("left.png")
    return tmp_path


def pictures(folder):
    return {path.name: np.asarray(Image.open(path)) for path in Path(folder).glob("*.png")}


CASES = [
    ({"working_size": 32}, "--working-size 32"),
    ({"texture_scale": 2.0}, "--texture-scale 2"),
    ({"masks": ["left.png", None]}, None),
    ({"masks": ["left.png", None], "color": "content", "strength": 0.5}, None),
    ({"max_memory": 4e9, "max_pixels": 10**6}, "--max-memory 4G --max-pixels 1000000"),
]


@pytest.mark.parametrize(("options", "words"), CASES)
def test_pictures_are_those_of_stylize(folder, options, words):
    styles = ["scream", "great-wave"]
    report = stylize_folder("in", styles, "out", [2, 1], **options)
    assert (report.painted, report.failed) == (2, [])
    for name, picture in pictures("out").items():
        expected = np.asarray(stylize(f"in/{name}", styles, [2, 1], **options))
        # A batch paints with a single thread, which rounds in another order.
        np.testing.assert_allclose(picture.astype(int), expected, atol=2)
    if words is not None:
        command = f"batch in shell -s scream:2 -s great-wave:1 {words} --workers 1"
        assert main(command.split()) == 0
        for name, picture in pictures("shell").items():
            np.testing.assert_array_equal(picture, pictures("out")[name])


def test_masks_from_the_shell(folder):
    assert main("batch in out -s scream@left.png --workers 1".split()) == 0
    for name, picture in pictures("out").items():
        photo = np.asarray(Image.open(f"in/{name}"))
        width = photo.shape[1] // 2
        np.testing.assert_array_equal(picture[:, width + 4 :], photo[:, width + 4 :])
        assert np.abs(picture[:, :width].astype(int) - photo[:, :width]).mean() > 5


def test_size_and_masks_are_settings_of_the_pictures(folder, capsys):
    """Those that are as ever are not written down: earlier folders can be gone on with."""
    stylize_folder("in", "scream", "plain")
    assert not {"regions", "working_size", "max_memory", "texture_scale"} & set(settings("plain"))
    assert stylize_folder("in", "scream", "plain", max_pixels=10**6).skipped == 2
    stylize_folder("in", ["scream"], "out", masks=["left.png"])
    assert stylize_folder("in", ["scream"], "out", masks=["left.png"]).skipped == 2
    for options, now in (({}, "none"), ({"masks": [np.ones((4, 4))]}, "others")):
        message = f"made with other settings. masks: others there, {now} now. Choose"
        with pytest.raises(InputError, match=message):
            stylize_folder("in", ["scream"], "out", **options)
    with pytest.raises(InputError, match="working_size: None there, 32 now"):
        stylize_folder("in", ["scream"], "plain", working_size=32)


def settings(folder):
    return json.loads(Path(folder, MANIFEST).read_text("utf-8"))["settings"]


@pytest.mark.parametrize(
    ("arguments", "options", "message"),
    [
        (("in", "out", ["scream"]), {}, r"order of arguments is `stylize_folder\(in_dir, styles"),
        (("in", "out", "scream"), {}, "order of arguments is"),
        (("in", "scream", None), {}, "Expected a folder as `out_dir`. Received: None"),
        (("in", "scream", "out"), {"masks": []}, "`masks` is a list"),
        (("in", "scream", "out"), {"progress": 3}, "`progress` is a callable"),
        (("in", "scream", "out"), {"texture_scale": 0}, "`texture_scale` is a number above 0"),
        (("in", "scream", "out"), {"engine": "cin2"}, "`engine` is one of"),
    ],
)
def test_what_is_refused(folder, arguments, options, message):
    with pytest.raises(InputError, match=message):
        stylize_folder(*arguments, **options)
    assert not Path("out").exists()


def test_a_style_and_a_folder_may_have_one_name(folder):
    assert stylize_folder("in", "scream", "scream").painted == 2


def test_the_arguments_and_defaults_are_those_of_stylize():
    """In Python and in the shell. Only `progress` stands at the end."""
    one, many = (inspect.signature(f).parameters for f in (stylize, stylize_folder))
    shared = [name for name in one if name not in ("content", "progress")]
    assert [name for name in many if name in shared] == shared
    assert all(one[name].default == many[name].default for name in shared)
    options = vars(build_parser().parse_args("batch in out -s scream".split()))
    names = ("strength", "color", "size", "working_size", "texture_scale", "seed", "engine")
    names = (*names, "max_pixels", "max_memory", "precision", "recursive", "quality", "overwrite")
    assert {n: options[n] for n in names} == {n: many[n].default for n in names}


# Engines with settings.


def test_an_engine_object_is_made_again_in_other_processes(folder, other_network_folder):
    """Of a network in a folder of its own, in its own precision."""
    engine = Cin(other_network_folder, precision="float32")
    settings, runner = prepare(["scream"], engine=engine)
    assert runner is engine
    again = make_engine(pickle.loads(pickle.dumps(settings.engine)))
    assert (again.network, again.precision) == (engine.network, "float32")
    assert again.network != load_engine("cin").network
    with pytest.raises(InputError, match="`precision` is that of the engine object here"):
        prepare(["scream"], engine=engine, precision="bfloat16")
    # The packaged one, or that of the environment, has another path on another machine.
    assert prepare(["scream"], engine=Cin())[0].engine.folder is None
    light = prepare(["scream"], engine=Cin(runtime="onnx"))[0]
    plain = prepare(["scream"], engine=Cin(precision="float32"))[0]
    assert make_engine(light.engine).runtime == "onnx"
    assert make_engine(plain.engine).runtime == "tensorflow"
    assert light.fingerprint() != plain.fingerprint()


def test_an_engine_of_another_type_stays_in_this_process(folder):
    class Own(Cin):
        pass

    assert prepare(["scream"], engine=Own())[0].engine.precision is None


def test_the_scale_of_strokes_in_images_from_the_shell(folder, monkeypatch):
    monkeypatch.delenv("ARBITRARY_NST_CIN")  # the packaged network has a predictor
    words = "-s in/a.png --refine-steps 0 --precision float32 --workers 1 --size 32"
    assert main(f"batch in out {words} --style-scale 2".split()) == 0
    expected = Cin(style_scale=2, refine_steps=0, precision="float32").embed(
        load_image("in/a.png")[0]
    )
    assert settings("out")["style"] == expected.digest
    assert settings("out")["precision"] == "float32"
