"""Files of visitors are read by a process of their own, in all tabs and for programs."""

import io
import os

import numpy as np
import pytest
from PIL import Image

from arbitrary_nst.errors import ImageError
from arbitrary_nst.image import load_image

pytest.importorskip("gradio", reason="the demo needs gradio")

from arbitrary_nst.demo import photos
from arbitrary_nst.demo.settings import Settings

SETTINGS = Settings(max_pixels=5000)


def png(size=(64, 48)):
    stream = io.BytesIO()
    Image.new("RGB", size, (9, 90, 200)).save(stream, "PNG")
    return stream.getvalue()


READERS = {
    "the photo": lambda data: photos.read_photo(data, "a.png", 32, SETTINGS),
    "the photo at another size": lambda data: photos.resized(kept(data), 64, SETTINGS),
    "the photo in full size": lambda data: photos.full_size(kept(data), SETTINGS),
    "a painting": lambda data: photos.read_painting(data, SETTINGS),
    "a photo for programs": lambda data: photos.as_large_as_allowed(data, 0, SETTINGS),
}


def kept(data):
    """The photo as it is between two events."""
    return photos.Photo("a.png", data, 32, np.zeros((24, 32, 3), np.float32), (48, 64))


@pytest.mark.parametrize("reader", READERS.values(), ids=READERS)
def test_is_bounded(reader, monkeypatch):
    asked = []

    def load(data, *, max_pixels, role, seconds):
        asked.append((max_pixels, seconds))
        return load_image(data, max_pixels=max_pixels, role=role)

    def in_this_process(*arguments, **options):
        pytest.fail("a visitor's file was decoded in the demo's own process")

    monkeypatch.setattr(photos, "load_untrusted", load)
    monkeypatch.setattr(photos, "load_image", in_this_process)
    reader(png())
    assert asked == [(5000, photos.READ_SECONDS)]


def test_a_sample_is_ours(monkeypatch):
    monkeypatch.setattr(photos, "load_untrusted", None)
    sample = np.zeros((100, 100, 3), np.uint8)
    assert photos.read_photo(sample, "sample:x", 32, SETTINGS).shape == (100, 100)


@pytest.mark.parametrize("role", ["photo", "painting"])
def test_a_decoder_that_dies_is_one_file_less(role, monkeypatch):
    def load(data, **options):
        raise ImageError(f"The {role} image (given as bytes) cannot be read: its decoder died.")

    monkeypatch.setattr(photos, "load_untrusted", load)
    with pytest.raises(ImageError, match=f"The {role} cannot be read"):
        photos._decoded(png(), SETTINGS, role)


def test_a_photo_is_written_once_to_be_looked_at(tmp_path, monkeypatch):
    """The browser need not ask for it again at every move of a slider."""
    from arbitrary_nst.demo import files

    monkeypatch.setenv("GRADIO_TEMP_DIR", str(tmp_path))
    photo = photos.read_photo(np.zeros((20, 30, 3), np.uint8), "sample:x", 32, SETTINGS)
    first = files.shown_photo(photo)
    os.utime(first, (1, 1))
    assert files.shown_photo(photo) == first
    assert os.stat(first).st_mtime > 1  # in use, so not swept as old
    os.remove(first)
    assert files.shown_photo(photo) != first
