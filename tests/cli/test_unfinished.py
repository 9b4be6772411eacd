"""Runs that break off: what there is of the picture is kept, and said in plain words."""

import functools

import numpy as np
import pytest
from PIL import Image
from small_training import draw_painting, draw_photo, small_vgg

from arbitrary_nst import api, errors
from arbitrary_nst.batch import processes, stylize_folder
from arbitrary_nst.cli import main
from arbitrary_nst.engines import vgg19
from arbitrary_nst.engines.vgg19 import Vgg19, Vgg19Settings
from arbitrary_nst.errors import RenderError, WorkerDied
from arbitrary_nst.image import to_pil

SETTINGS = Vgg19Settings(iterations=(12,), coarsest=64, style_size=40, tolerance=0)


class Breaking(Vgg19):
    """Its loss is not a number any more after so many calls."""

    def __init__(self, good_calls, **options):
        super().__init__(settings=SETTINGS, vgg=small_vgg())
        self.good_calls = good_calls

    def _objective(self, *arguments):
        function = super()._objective(*arguments)

        def evaluate(values):
            loss, gradient = function(values)
            self.good_calls -= 1
            return (loss if self.good_calls >= 0 else np.nan), gradient

        return evaluate


@pytest.fixture(scope="module")
def content():
    return draw_photo(0, 48, 64).astype(np.float32)


@pytest.fixture
def folder(content, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    to_pil(content).save("photo.png")
    to_pil(draw_painting("waves").clip(0, 1).astype(np.float32)).save("style.png")
    to_pil(draw_painting("checks").clip(0, 1).astype(np.float32)).save("other.png")
    return tmp_path


def run(monkeypatch, good_calls, *more):
    monkeypatch.setattr(vgg19, "Vgg19", lambda **options: Breaking(good_calls, **options))
    words = ["stylize", "photo.png", "-s", "style.png", "-o", "out.png", "--engine", "vgg19"]
    # A setting, so that the engine is made here.
    return main([*words, "--iterations", "12", *more])


def pixels(path):
    with Image.open(path) as image:
        return np.asarray(image, float)


def test_the_last_good_picture_is_kept_beside_the_output(folder, monkeypatch, capsys):
    to_pil(np.zeros((4, 4, 3))).save("out.png")
    before = (folder / "out.png").read_bytes()
    assert run(monkeypatch, 6, "--save-every", "1") == 2
    output = capsys.readouterr()
    assert "arbitrary-nst: The optimisation broke off after" in output.err
    assert output.err.endswith("The last good picture is kept as out-unfinished.png.\n")
    assert "Unexpected" not in output.err and output.out == ""
    # What was there stays, and the picture is that of the last step.
    assert (folder / "out.png").read_bytes() == before
    last = sorted(folder.glob("out-0*.png"))[-1]
    np.testing.assert_array_equal(pixels("out-unfinished.png"), pixels(last))
    assert np.abs(pixels("out-unfinished.png") - pixels("photo.png")).max() > 3


def test_without_one_good_step_nothing_is_promised(folder, monkeypatch, capsys):
    assert run(monkeypatch, 0) == 2
    error = capsys.readouterr().err
    assert "broke off after 0 steps" in error and "kept" not in error
    assert not list(folder.glob("out*"))


def test_it_is_finished_like_any_other(folder, content, monkeypatch):
    """Painted small, in the photo's colours, with its transparency."""
    alpha = np.linspace(0.2, 1, 48 * 64, dtype=np.float32).reshape(48, 64)
    to_pil(content, alpha).save("photo.png")
    assert run(monkeypatch, 6, "--working-size", "32", "--color", "content") == 2
    with Image.open("out-unfinished.png") as picture:
        assert picture.mode == "RGBA" and picture.size == (64, 48)
        found = np.asarray(picture, float)
    np.testing.assert_allclose(found[..., 3], 255 * alpha, atol=1)
    # The chroma is the photo's, but where luma leads out of range.
    chroma = [image[..., 0] - image[..., 2] for image in (found, 255 * content)]
    assert np.abs(chroma[0] - chroma[1]).mean() < 6


def test_with_masks_what_is_painted_stays(folder, content):
    """The second style breaks off at once: the first is there, the photo in place of the second."""
    left = np.zeros((48, 64))
    left[:, :32] = 1
    masks, styles = [left, 1 - left], ["style.png", "other.png"]
    whole = np.asarray(api.stylize(content, styles, masks=masks, engine=Breaking(10**6)), float)
    calls = Breaking(10**6)
    api.stylize(content, styles[:1], engine=calls)
    engine = Breaking(10**6 - calls.good_calls)  # as many as the first style takes
    with pytest.raises(RenderError, match="broke off after 0 steps") as caught:
        api.stylize(content, styles, masks=masks, engine=engine)
    found = 255 * caught.value.picture
    assert caught.value.picture.dtype == np.float32
    np.testing.assert_allclose(found[:, :32], whole[:, :32], atol=0.6)
    np.testing.assert_allclose(found[:, 32:], 255 * content[:, 32:], atol=0.01)


def test_photos_before_the_one_that_breaks_off_get_their_pictures(content):
    calls = Breaking(10**6)
    style = calls.embed(draw_painting("waves").clip(0, 1).astype(np.float32))
    api.stylize(content, style, engine=calls)
    engine = Breaking(10**6 - calls.good_calls + 6)
    pictures = api.stylize_many([content, 1 - content], style, engine=engine)
    assert next(pictures).size == (64, 48)
    with pytest.raises(RenderError) as caught:
        next(pictures)
    assert caught.value.picture.shape == (48, 64, 3)


def test_old_import_paths():
    assert vgg19.RenderError is errors.RenderError
    assert processes.WorkerDied is errors.WorkerDied
    assert issubclass(RenderError, RuntimeError) and issubclass(WorkerDied, RuntimeError)


def test_a_worker_that_died_is_told_in_its_own_words(folder, network, monkeypatch, capsys):
    @functools.wraps(stylize_folder)  # the parser reads its defaults
    def die(*arguments, **options):
        raise WorkerDied("A worker process was killed.")

    monkeypatch.setattr("arbitrary_nst.cli.batch.stylize_folder", die)
    assert main(["batch", ".", "out", "-s", "scream"]) == 2
    assert capsys.readouterr().err.endswith("arbitrary-nst: A worker process was killed.\n")
