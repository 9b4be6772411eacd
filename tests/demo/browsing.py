"""What tests do on a page of the demo."""

import io
import os
import shutil
import time
from dataclasses import replace
from importlib.util import find_spec

import numpy as np
import pytest
from PIL import Image

from arbitrary_nst import embed
from arbitrary_nst.demo import Settings
from arbitrary_nst.engines.protocol import Step

CHROMIUM = os.environ.get("CHROMIUM") or shutil.which("chromium") or shutil.which("google-chrome")
# Of a module whose tests drive a browser.
IN_A_BROWSER = [
    pytest.mark.slow,
    pytest.mark.skipif(find_spec("gradio") is None, reason="the demo needs gradio"),
    pytest.mark.skipif(
        find_spec("playwright") is None,
        reason='the browser is driven by playwright: pip install "playwright"',
    ),
    pytest.mark.skipif(CHROMIUM is None, reason="there is no chromium (apt install chromium)"),
    # Not ours: Gradio and what it stands on, in the newest Python and libraries.
    pytest.mark.filterwarnings("ignore::DeprecationWarning:(gradio|starlette|fastapi|websockets)"),
    pytest.mark.filterwarnings("ignore::ResourceWarning"),
]
SETTINGS = Settings(port=0, max_pixels=2_000_000, max_output_pixels=1_000_000, max_file_megabytes=4)


class InSteps:
    """What an engine does besides `render_steps`."""

    def render(self, content, embedding, *, seed=0, on_step=lambda step: None):
        for step in self.render_steps(content, embedding):
            on_step(step)
        return step.picture

    def render_batch(self, contents, embeddings, *, seed=0):
        return [self.render(*pair) for pair in zip(contents, embeddings, strict=True)]


class FakeVgg19(InSteps):
    """An engine that takes its time: 400 steps, each a little darker than the one before."""

    name, network, styles = "vgg19", "fake", {}

    def __init__(self, pause=0.05):
        self.steps, self.pause = 0, pause

    def embed(self, style):
        return replace(embed("scream"), engine=self.name, network=self.network)  # any at all

    def identity(self, content):
        return self.embed(content)

    def render_steps(self, content, embedding, *, seed=0):
        for step in range(1, 401):
            time.sleep(self.pause)
            self.steps = step
            yield Step(step, 400, 1.0, content * np.float32(1 - step / 800))


def upload(page, path, box="photo"):
    """Hands a file to an upload field."""
    page.locator(f"#{box} input[type=file]").set_input_files(path)


def pixels(page, box="result"):
    """The painted picture on the page: uint8 `(H, W, 3)`."""
    return read(page, page.locator(f"#{box} img").last.get_attribute("src"))


def read(page, url):
    """A picture that the page shows, from its address."""
    return np.asarray(Image.open(io.BytesIO(page.request.get(url).body())).convert("RGB"))


def wait_until(condition, *, seconds=30):
    """Waits for something to become true, and returns it."""
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        found = condition()
        if found:
            return found
        time.sleep(0.1)
    raise AssertionError("it did not come true")


def status(page, text):
    """Waits for the line below the picture."""
    page.locator("#status").get_by_text(text).wait_for()


def same(picture, wanted):
    """Whether a picture of the page is this one; the page has it as JPEG."""
    stream = io.BytesIO()
    wanted.save(stream, "JPEG", quality=92, subsampling=0)
    return np.array_equal(picture, np.asarray(Image.open(stream)))


def begin(page, photo_file):
    """Uploads the photo, and waits for its picture in the two styles that the page begins with."""
    upload(page, photo_file)
    status(page, "50% great-wave, 50% starry-night · 128 × 96 pixels")
