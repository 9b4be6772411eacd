"""Files of visitors are read by a process of their own, in all tabs and for programs."""

import copy
import gc
import io
import os
import sys

import numpy as np
import pytest
from PIL import Image

from arbitrary_nst.errors import ImageError, ImageTooLarge
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


@pytest.mark.parametrize("role", ["photo", "painting"])
def test_what_is_not_installed_is_not_the_visitors_to_install(role, monkeypatch):
    def load(data, *, max_pixels, role, seconds):
        return load_image(data, max_pixels=max_pixels, role=role)

    monkeypatch.setattr(photos, "load_untrusted", load)  # a child may have what this one has not
    monkeypatch.delitem(Image.OPEN, "HEIF", raising=False)
    monkeypatch.setitem(sys.modules, "pillow_heif", None)
    source = b"\0\0\0\x18ftypheic\0\0\0\0mif1heic" + bytes(100)
    with pytest.raises(ImageError) as caught:
        photos._decoded(source, SETTINGS, role)
    assert str(caught.value) == (
        f"The {role} is in the format HEIF (.heic), which this demo cannot read. Save it as JPEG "
        f"and upload that."
    )


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


class TestManyVisitors:
    """One file, named in as many sessions as one likes, takes the memory of one."""

    def test_file_and_pixels_are_kept_once(self):
        data = png()
        first = photos.read_photo(data, "a.png", 32, SETTINGS)
        second = photos.read_photo(bytes(bytearray(data)), "b.png", 32, SETTINGS)
        assert (second.name, second.token != first.token) == ("b.png", True)
        assert second.image is first.image and second.source is first.source
        larger = photos.resized(second, 64, SETTINGS)
        assert larger.source is first.source and larger.token == second.token
        assert larger.image.shape == (48, 64, 3)

    def test_a_visit_begins_without_a_copy(self):
        photo = photos.read_photo(png(), "a.png", 32, SETTINGS)
        assert copy.deepcopy(photo) is photo

    def test_nothing_is_kept_for_nobody(self):
        photos.read_photo(png((61, 33)), "a.png", 32, SETTINGS)
        gc.collect()
        assert not [p for p in photos._known.values() if p.shape == (33, 61)]

    def test_limits_hold_for_what_is_known(self):
        kept = photos.read_photo(png(), "a.png", 32, SETTINGS)
        with pytest.raises(ImageTooLarge):
            photos.read_photo(kept.source, "a.png", 32, Settings(max_pixels=9))
