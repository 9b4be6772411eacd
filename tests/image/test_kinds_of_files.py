"""Files that users have: pipes, photos of phones, names of other systems."""

import os
import sys
import types

import numpy as np
import pytest
from drawn_images import encode, noise
from PIL import Image

from arbitrary_nst.errors import ImageError, InputError
from arbitrary_nst.image import can_write, check_output_path, load_image, save_image, to_pil

HEIC = b"\0\0\0\x18ftypheic\0\0\0\0mif1heic" + bytes(100)


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="no pipes here")
def test_a_pipe_is_not_waited_for(tmp_path):
    os.mkfifo(tmp_path / "a.jpg")
    with pytest.raises(ImageError, match="a.jpg' is a pipe or a device, not a file"):
        load_image(tmp_path / "a.jpg")


def test_heif_without_its_package(monkeypatch):
    monkeypatch.setitem(sys.modules, "pillow_heif", None)
    monkeypatch.delitem(Image.OPEN, "HEIF", raising=False)
    with pytest.raises(ImageError, match=r'HEIF \(.heic\).*pip install "arbitrary-nst\[heif\]"'):
        load_image(HEIC)


def test_heif_with_its_package(monkeypatch):
    """The package is asked to register itself, once, and its decoder is used."""
    calls = []

    class Photo(Image.Image):
        format = "HEIF"

    def opened(file, name):
        photo = Photo()
        photo.__dict__.update(Image.fromarray(noise()).__dict__)
        return photo

    def register():
        calls.append(1)
        Image.register_open("HEIF", opened, lambda start: start[4:8] == b"ftyp")

    monkeypatch.setitem(
        sys.modules, "pillow_heif", types.SimpleNamespace(register_heif_opener=register)
    )
    monkeypatch.setattr(Image, "OPEN", dict(Image.OPEN))
    monkeypatch.setattr(Image, "ID", [kind for kind in Image.ID if kind != "HEIF"])
    Image.OPEN.pop("HEIF", None)
    for _ in range(2):
        np.testing.assert_array_equal(load_image(HEIC)[0] * 255, noise())
    assert calls == [1]


@pytest.mark.skipif(not can_write(".avif"), reason="this Pillow has no AVIF")
@pytest.mark.parametrize("channels", [3, 4])
def test_avif_out_and_in(tmp_path, channels):
    picture = np.zeros((32, 48, channels), np.uint8)
    picture[..., 0], picture[..., 3:] = 200, 90
    picture[:, 24:, 1] = 100
    save_image(Image.fromarray(picture), tmp_path / "a.avif")
    rgb, alpha = load_image(tmp_path / "a.avif")
    with Image.open(tmp_path / "a.avif") as saved:
        assert saved.format == "AVIF"
    np.testing.assert_allclose(rgb * 255, picture[..., :3], atol=6)
    assert (alpha is None) == (channels == 3)


def test_avif_where_pillow_cannot_write_it(tmp_path, monkeypatch):
    monkeypatch.setattr(Image, "SAVE", {k: v for k, v in Image.SAVE.items() if k != "AVIF"})
    assert not can_write(".avif") and can_write(".PNG") and not can_write(".heic")
    with pytest.raises(InputError, match="cannot write .avif files.*pillow 11.3"):
        check_output_path(tmp_path / "a.avif")


def test_jfif_is_jpeg(tmp_path):
    save_image(to_pil(np.full((16, 16, 3), 0.5, np.float32)), tmp_path / "a.jfif")
    with Image.open(tmp_path / "a.jfif") as picture:
        assert picture.format == "JPEG"
    (tmp_path / "b.jfif").write_bytes(encode(noise(), "JPEG"))
    assert load_image(tmp_path / "b.jfif")[0].shape == (6, 5, 3)
