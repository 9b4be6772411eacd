"""Runs that break off: what there is of the picture is kept, and said in plain words."""

import functools
import os
import signal

import numpy as np
import pytest
from PIL import Image
from small_training import draw_painting, draw_photo, small_vgg

from arbitrary_nst import api, errors
from arbitrary_nst.batch import processes, stylize_folder
from arbitrary_nst.cli import main
from arbitrary_nst.cli import stylize as stylize_command
from arbitrary_nst.cli.stopping import Stops
from arbitrary_nst.engines import vgg19
from arbitrary_nst.engines.vgg19 import Vgg19, Vgg19Settings
from arbitrary_nst.errors import RenderError, StopPainting, WorkerDied
from arbitrary_nst.image import to_pil

SETTINGS = Vgg19Settings(
    iterations=(12,), coarsest=64, style_size=40, tolerance=0, init="content", style_weight=8.0
)


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


def test_with_masks_the_last_good_picture_is_laid_over_the_photo(folder, content):
    """What no style covers is the photo, also where the work broke off."""
    left = np.zeros((48, 64))
    left[:, :32] = 1
    with pytest.raises(RenderError, match="broke off after [1-9]") as caught:
        api.stylize(content, ["style.png"], masks=[left], engine=Breaking(8))
    found = caught.value.picture
    assert found.dtype == np.float32
    np.testing.assert_allclose(found[:, 34:], content[:, 34:], atol=0.01)
    assert np.abs(found[:, :30] - content[:, :30]).max() > 0.03


@pytest.fixture
def heard():
    """Ctrl-C as in the foreground of a shell, wherever the tests run."""
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    yield
    signal.signal(signal.SIGINT, before)


def test_an_ignored_signal_stays_ignored(heard):
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    with Stops() as stops:
        stops.after_this_step()
        assert signal.getsignal(signal.SIGINT) is signal.SIG_IGN
        os.kill(os.getpid(), signal.SIGINT)
        stops.after_this_step()


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_a_signal_keeps_the_picture_so_far(number, heard, folder, monkeypatch, capsys):
    """The same picture as `--save-every` shows of that step, finished and in its place."""
    before = {n: signal.getsignal(n) for n in (signal.SIGINT, signal.SIGTERM)}
    save = stylize_command.save_image

    @functools.wraps(save)  # the parser reads its defaults
    def press(picture, path, **options):
        save(picture, path, **options)
        if str(path).endswith("-0004.png"):
            os.kill(os.getpid(), number)

    monkeypatch.setattr(stylize_command, "save_image", press)
    assert run(monkeypatch, 10**6, "--save-every", "1", "--color", "content") == 0
    error = capsys.readouterr().err
    assert "ends after this step" in error
    assert "stopped after 4 of 12 steps; this is the picture so far" in error
    last = sorted(folder.glob("out-0*.png"))[-1]
    assert last.name == "out-0004.png"
    np.testing.assert_array_equal(pixels("out.png"), pixels(last))
    assert {n: signal.getsignal(n) for n in before} == before


def test_a_signal_before_the_first_step_is_what_it_always_is(heard):
    stops = Stops()
    with stops:
        assert signal.getsignal(signal.SIGINT) is signal.default_int_handler
        stops.after_this_step()
        os.kill(os.getpid(), signal.SIGINT)
        with pytest.raises(KeyboardInterrupt):
            os.kill(os.getpid(), signal.SIGINT)
        with pytest.raises(StopPainting):
            stops.after_this_step()
    assert signal.getsignal(signal.SIGINT) is signal.default_int_handler


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
