"""A vgg19 run that is killed in the middle, and the same command again."""

import os
import signal
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from PIL import Image
from small_training import draw_painting, draw_photo, small_vgg

import arbitrary_nst
from arbitrary_nst.cli import main
from arbitrary_nst.engines import vgg19
from arbitrary_nst.image import to_pil

COMMAND = (
    "stylize photo.png -s style.png -o out.png --engine vgg19 --iterations 8 --style-size 40 "
    "--init content --save-every 1 --checkpoint state"
).split()
# Killed while the picture of step 5 is on its way to its file; the last state is that of step 4.
PROGRAM = f"""
import functools, os, signal
import test_killed
from arbitrary_nst.cli import main, stylize as command

save = command.save_image

@functools.wraps(save)
def killed(picture, path, **options):
    if str(path).endswith("-0005.png"):
        os.kill(os.getpid(), signal.SIGKILL)
    save(picture, path, **options)

command.save_image = killed
test_killed.make_small()
main({COMMAND!r})
"""
ENGINE = vgg19.Vgg19


def make_small():
    """Has the command line paint with few filters, and write its state every second step."""

    def small(*, settings, checkpoint):
        settings = replace(settings, coarsest=64, restart_every=2, tolerance=0)
        return ENGINE(settings=settings, checkpoint=checkpoint, vgg=small_vgg())

    vgg19.Vgg19 = small


def pixels(path):
    with Image.open(path) as image:
        return np.asarray(image)


@pytest.mark.slow
@pytest.mark.skipif(not hasattr(signal, "SIGKILL"), reason="nothing kills like that here")
def test_the_same_command_goes_on_to_the_same_picture(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(vgg19, "Vgg19", ENGINE)  # what it is set back to
    make_small()
    to_pil(draw_photo(0, 48, 64).astype(np.float32)).save("photo.png")
    to_pil(draw_painting("waves").clip(0, 1).astype(np.float32)).save("style.png")
    assert main(COMMAND) == 0
    whole = {path.name: pixels(path) for path in tmp_path.glob("out*.png")}
    assert len(whole) == 9
    for path in [*tmp_path.glob("out*.png"), tmp_path / "state"]:
        path.unlink()

    folders = [Path(arbitrary_nst.__file__).parents[1], *Path(__file__).parents[:2]]
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join(map(str, folders))}
    done = subprocess.run([sys.executable, "-c", PROGRAM], check=False, env=environment)
    assert done.returncode == -signal.SIGKILL
    left = {path.name for path in tmp_path.iterdir()} - {"photo.png", "style.png"}
    assert left == {"state", *(f"out-000{step}.png" for step in (1, 2, 3, 4))}
    for path in tmp_path.glob("out*.png"):
        path.unlink()

    assert main(COMMAND) == 0
    found = {path.name: pixels(path) for path in tmp_path.glob("out*.png")}
    assert set(found) == {"out.png", *(f"out-000{step}.png" for step in (4, 5, 6, 7, 8))}
    for name, picture in found.items():
        np.testing.assert_array_equal(picture, whole[name], err_msg=name)
