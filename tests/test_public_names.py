"""The names at the top of the package: which, from where, and that they cost nothing before."""

import ast
import inspect
from pathlib import Path

import pytest

import arbitrary_nst

NAMES = """
    BlendWeightsError CheckpointError Cin Embedding EmbeddingError ImageError ImageNotFound
    ImageTooLarge InputError Keyframe Magenta RenderError StopPainting StyleError StyleInfo
    TrainConfig Vgg19 Vgg19Settings VideoError VideoNotFound WeightsUnavailable WorkerDied blend
    embed export_network list_styles load_engine load_image load_styles quiet save_image
    save_styles stylize stylize_array stylize_folder stylize_many stylize_video train
""".split()


def test_all():
    assert sorted(arbitrary_nst.__all__) == NAMES
    assert set(NAMES) <= set(dir(arbitrary_nst))


@pytest.mark.parametrize("name", NAMES)
def test_each_is_there_and_says_what_it_is(name):
    assert inspect.getdoc(getattr(arbitrary_nst, name))


def test_every_error_is_among_them():
    found = vars(arbitrary_nst.errors).values()
    errors = {e.__name__ for e in found if isinstance(e, type) and issubclass(e, Exception)}
    assert errors <= set(NAMES)


def test_type_checkers_see_the_same_names():
    tree = ast.parse(Path(arbitrary_nst.__file__).read_text(encoding="utf-8"))
    (block,) = [node for node in tree.body if isinstance(node, ast.If)]
    names = {
        alias.asname or alias.name: f"{node.module}.{alias.name}"
        for node in block.body
        for alias in node.names
    }
    assert sorted(names) == NAMES
    for name, place in names.items():
        module, _, attribute = place.rpartition(".")
        wanted = arbitrary_nst._OTHER_NAMES.get(name, name)
        assert (module, attribute) == (f"arbitrary_nst.{arbitrary_nst._PLACES[name]}", wanted)


def test_another_name():
    with pytest.raises(AttributeError, match="module 'arbitrary_nst' has no attribute 'styleize'"):
        arbitrary_nst.styleize  # noqa: B018


LIGHT = """
import sys
import arbitrary_nst
before = set(sys.modules)
assert not {"numpy", "PIL", "tensorflow", "keras"} & before, before
arbitrary_nst.stylize, arbitrary_nst.stylize_folder, arbitrary_nst.stylize_video
arbitrary_nst.InputError, arbitrary_nst.Keyframe, arbitrary_nst.export_network
heavy = {"tensorflow", "keras", "jax", "torch", "scipy", "gradio", "av", "cv2"} & set(sys.modules)
sys.exit(f"imported {heavy}" if heavy else 0)
"""


def test_importing_the_package_is_light(run_python):
    result = run_python("-c", LIGHT)
    assert result.returncode == 0, result.stderr


def test_the_package_is_a_command(run_python):
    result = run_python("-m", "arbitrary_nst", "--version")
    assert (result.returncode, result.stdout.strip()) == (
        0,
        f"arbitrary-nst {arbitrary_nst.__version__}",
    )
    assert run_python("-m", "arbitrary_nst", "stylize").returncode == 2
