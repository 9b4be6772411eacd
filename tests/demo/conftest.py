"""A demo that runs, and a browser that visits it."""

import contextlib
import gc
import warnings

import numpy as np
import pytest
from browsing import CHROMIUM, SETTINGS, status
from PIL import Image

from arbitrary_nst.demo import start
from arbitrary_nst.demo.serving import private_folder, quiet

quiet()  # before Gradio is imported


@contextlib.contextmanager
def served(settings=SETTINGS, **variables):
    """The address of a demo that runs with these environment variables, without those of None."""
    with pytest.MonkeyPatch.context() as patch, private_folder():
        for name, value in variables.items():
            if value is None:
                patch.delenv(name, raising=False)
            else:
                patch.setenv(name, str(value))
        page = start(settings, wait=False)
        yield page.local_url
        page.close(verbose=False)


@pytest.fixture(scope="module", autouse=True)
def event_loops():
    """Gradio leaves event loops unclosed; collected later they would fail some other test."""
    yield
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ResourceWarning)
        gc.collect()


@pytest.fixture(scope="session")
def serve():
    """See `served`."""
    return served


@pytest.fixture(scope="module")
def address(network_folder):
    """The running demo, with the random network and no other engine."""
    with served(
        ARBITRARY_NST_CIN=network_folder,
        ARBITRARY_NST_MAGENTA="no-magenta-here",
        ARBITRARY_NST_VGG19="no-vgg19-here.h5",
    ) as url:
        yield url


@pytest.fixture(scope="module")
def browser():
    """A headless Chromium, for all visitors."""
    playwright = pytest.importorskip("playwright.sync_api")
    with playwright.sync_playwright() as driver:
        options = ["--no-sandbox", "--disable-gpu", "--no-proxy-server"]
        chromium = driver.chromium.launch(executable_path=CHROMIUM, args=options)
        yield chromium
        chromium.close()


@pytest.fixture
def visit(browser, address):
    """Opens the page as a new visitor; notes what the page asks the network for."""
    contexts = []

    def visit(
        url=address,
        width=1280,
        scheme="light",
        mix="50% great-wave, 50% starry-night",
        *,
        touch=False,
        before=None,
    ):
        height = 800 if width > 600 else 844
        context = browser.new_context(
            viewport={"width": width, "height": height},
            color_scheme=scheme,
            has_touch=touch,
            is_mobile=touch,
        )
        contexts.append(context)
        page = context.new_page()
        page.set_default_timeout(60_000)
        if before is not None:
            page.add_init_script(before)
        page.requested = []
        page.on("request", lambda request: page.requested.append(request.url))
        page.goto(url)
        status(page, mix)
        return page

    yield visit
    for context in contexts:
        context.close()


@pytest.fixture
def photo_file(tmp_path, make_photo):
    """A photo of the size at which the page paints, as PNG: nothing is scaled."""
    path = tmp_path / "hill.png"
    Image.fromarray(np.rint(make_photo(96, 128) * 255).astype(np.uint8)).save(path)
    return path
