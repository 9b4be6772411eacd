"""Images of strangers, read by a child."""

import time

import numpy as np
import pytest
from drawn_images import encode, noise
from PIL import Image

from arbitrary_nst.errors import ImageError, ImageTooLarge
from arbitrary_nst.image import bounded, load_image, load_untrusted


@pytest.mark.parametrize("kind", ["RGB", "RGBA", "deep"])
def test_the_picture_is_that_of_load_image(kind):
    if kind == "deep":
        data = encode(np.arange(600, dtype=np.uint16).reshape(20, 30) * 100, "PNG")
    else:
        data = encode(noise(20, 30, len(kind)), "PNG")
    rgb, alpha = load_untrusted(data)
    expected, expected_alpha = load_image(data)
    np.testing.assert_array_equal(rgb, expected)
    assert rgb.dtype == np.float32 and rgb.flags.writeable
    assert (alpha is None) == (kind != "RGBA")
    if alpha is not None:
        np.testing.assert_array_equal(alpha, expected_alpha)


def test_errors_are_those_of_load_image():
    with pytest.raises(ImageError, match=r"^The photo image \(given as bytes\) is not an image"):
        load_untrusted(b"no image", role="photo")
    with pytest.raises(ImageTooLarge, match="max_pixels=99"):
        load_untrusted(encode(noise(10, 10), "PNG"), max_pixels=99)


def run_instead(monkeypatch, program):
    """A decoder that behaves in this way."""
    start = "import sys; from arbitrary_nst.image import bounded\n"
    program = f"{start}def load_image(*a, **k):\n    {program}\n"
    end = "bounded.load_image = load_image; bounded.serve()"
    monkeypatch.setattr(bounded, "_PROGRAM", program + end)


def test_time_is_bounded(monkeypatch):
    run_instead(monkeypatch, "import time; time.sleep(60)")
    begun = time.monotonic()
    with pytest.raises(ImageError, match="takes longer to read than 1 seconds"):
        load_untrusted(b"x", seconds=1)
    assert time.monotonic() - begun < 30


def test_memory_is_bounded(monkeypatch):
    pytest.importorskip("resource")
    run_instead(monkeypatch, "b = bytes(3 * 2**30); sys.exit(0)")
    with pytest.raises(ImageError, match="took too much memory or time"):
        load_untrusted(b"x", max_pixels=1000)


def test_a_decoder_may_die(monkeypatch):
    run_instead(monkeypatch, "import os, signal; os.kill(os.getpid(), signal.SIGSEGV)")
    with pytest.raises(ImageError, match="died of it"):
        load_untrusted(b"x")


def test_a_large_picture_has_room():
    data = encode(Image.new("RGBA", (2000, 2000), (1, 2, 3, 0)), "PNG")
    rgb, alpha = load_untrusted(data, max_pixels=4_000_000, seconds=60)
    assert rgb.shape == (2000, 2000, 3) and not alpha.any()
