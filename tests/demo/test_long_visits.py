"""What takes a while: a photo of 12 megapixels to the end, and a server that is started anew."""

import contextlib
import os
import socket
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from browsing import IN_A_BROWSER, SETTINGS, begin, status, upload, wait_until
from PIL import Image

import arbitrary_nst
from arbitrary_nst import stylize

pytestmark = IN_A_BROWSER
MIX = ["great-wave", "starry-night"], [1, 0.5]


@pytest.fixture
def camera_photo(tmp_path, make_photo):
    """A photo as a camera makes it: 4000x3000 pixels, JPEG."""
    path = tmp_path / "IMG_0001.jpg"
    photo = Image.fromarray(np.rint(make_photo(300, 400) * 255).astype(np.uint8))
    photo.resize((4000, 3000)).save(path, quality=90)
    return path


def test_twelve_megapixels_from_upload_to_download(visit, serve, network, camera_photo, tmp_path):
    settings = replace(
        SETTINGS, max_pixels=12_000_000, max_output_pixels=12_000_000, max_file_megabytes=20
    )
    with serve(settings, ARBITRARY_NST_CIN=network) as url:
        page = visit(url)
        upload(page, camera_photo)
        status(page, "50% great-wave, 50% starry-night · 512 × 384 pixels")
        page.get_by_label("range slider for great-wave").fill("1")  # the mix of before is not kept
        status(page, "67% great-wave, 33% starry-night · 512 × 384 pixels")
        page.locator("#full").get_by_text("4000 × 3000").wait_for()
        with page.expect_download(timeout=300_000) as download:
            page.locator("#full").click()
        download.value.save_as(tmp_path / "out.png")
    with Image.open(tmp_path / "out.png") as saved:
        assert saved.size == (4000, 3000)
        found = np.asarray(saved)
    wanted = np.asarray(stylize(camera_photo, *MIX, working_size=512))
    np.testing.assert_array_equal(found, wanted)


@contextlib.contextmanager
def demo_on(port, network, folder):
    """A demo in a process of its own, as it is on a server."""
    root = str(Path(arbitrary_nst.__file__).resolve().parents[1])
    changes = {"PYTHONPATH": root, "TMPDIR": str(folder), "ARBITRARY_NST_CIN": str(network)}
    command = [sys.executable, "-m", "arbitrary_nst", "demo", "--port", str(port)]
    quiet = {"stdout": subprocess.DEVNULL, "stderr": subprocess.DEVNULL}
    with subprocess.Popen(command, env={**os.environ, **changes}, **quiet) as process:
        try:
            wait_until(lambda: answers(port), seconds=120)
            yield process
        finally:
            process.kill()


def answers(port):
    with contextlib.suppress(OSError), socket.create_connection(("127.0.0.1", port), 1):
        return True
    return False


def test_a_server_that_dies_and_is_started_anew(visit, network, photo_file, tmp_path):
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    with demo_on(port, network, tmp_path) as process:
        page = visit(f"http://127.0.0.1:{port}")
        begin(page, photo_file)
        page.get_by_label("range slider for great-wave").fill("1")
        status(page, "67% great-wave, 33% starry-night")
        wait_until(lambda: "great-wave:1" in page.locator("#link textarea").input_value())
        process.kill()
        process.wait(30)
        page.get_by_label("range slider for great-wave").fill("0.25")
        page.get_by_text("Connection to the server was lost").first.wait_for()
        page.evaluate("window.lost = true")
    with demo_on(port, network, tmp_path):
        page.wait_for_function("window.lost === undefined", timeout=120_000)
        page.locator(".toast-body").get_by_text("no longer has your photo").first.wait_for()
        status(page, "67% great-wave, 33% starry-night")  # the mix is there, on a sample
        upload(page, photo_file)
        page.locator("#photo-info").get_by_text("hill.png").wait_for()
