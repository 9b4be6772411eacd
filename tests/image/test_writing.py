"""Images to PIL and to files."""

import os
import stat

import numpy as np
import pytest
from drawn_images import noise
from PIL import Image

from arbitrary_nst.errors import ImageError, InputError
from arbitrary_nst.image import check_output_path, load_image, save_image, to_pil


def test_to_pil_rounds_and_clips():
    values = np.array([[0, 0.5 / 255 - 1e-4, 0.5 / 255 + 1e-4, 254.6 / 255, -0.2, 1.2]], np.float32)
    picture = to_pil(np.repeat(values[..., None], 3, axis=-1))
    assert picture.mode == "RGB"
    np.testing.assert_array_equal(np.asarray(picture)[0, :, 0], [0, 0, 1, 255, 0, 255])


def test_to_pil_and_back_is_exact():
    array = noise(9, 7, 4)
    array[..., 3] |= 1
    rgb, alpha = load_image(array)
    picture = to_pil(rgb, alpha)
    assert picture.mode == "RGBA"
    np.testing.assert_array_equal(np.asarray(picture), array)


@pytest.mark.parametrize(
    ("image", "alpha", "message"),
    [
        (np.zeros((2, 2)), None, r"`image` needs the shape \(H, W, 3\). Received: \(2, 2\)"),
        (np.zeros((2, 2, 4)), None, r"`image` needs the shape"),
        (np.zeros((0, 2, 3)), None, r"`image` needs the shape"),
        (np.zeros((2, 2, 3), np.uint8), None, "float array.*Received: uint8"),
        ("picture", None, "float array.*Received: str"),
        (np.full((2, 2, 3), np.nan), None, "`image` holds NaN"),
        (np.zeros((2, 2, 3)), np.zeros((2, 3)), r"Expected shape \(2, 2\). Received: \(2, 3\)"),
        (np.zeros((2, 2, 3)), np.zeros((2, 2, 1)), r"`alpha` needs the shape \(H, W\)"),
    ],
)
def test_to_pil_refuses(image, alpha, message):
    with pytest.raises(ImageError, match=message):
        to_pil(image, alpha)


@pytest.mark.parametrize("suffix", ["png", "PNG", "jpg", "jpeg", "webp", "tif", "tiff", "bmp"])
def test_save_by_suffix(suffix, tmp_path):
    path = tmp_path / f"out.{suffix}"
    array = np.full((16, 16, 3), (200, 100, 50), np.uint8)
    save_image(Image.fromarray(array), path)
    with Image.open(path) as saved:
        expected = {"jpg": "JPEG", "tif": "TIFF"}.get(suffix, suffix.upper())
        assert saved.format == expected
        lossless = expected in ("PNG", "TIFF", "BMP")
        np.testing.assert_allclose(np.asarray(saved), array, atol=0 if lossless else 4)
    assert os.listdir(tmp_path) == [path.name]


def test_jpeg_is_saved_without_subsampling_and_with_quality(tmp_path):
    picture = Image.fromarray(noise(64, 64))
    save_image(picture, tmp_path / "a.jpg")
    with Image.open(tmp_path / "a.jpg") as saved:
        assert [component[1:3] for component in saved.layer] == [(1, 1)] * 3
    for suffix in ("jpg", "webp"):
        save_image(picture, tmp_path / f"low.{suffix}", quality=10)
        save_image(picture, tmp_path / f"high.{suffix}")
        sizes = [(tmp_path / f"{name}.{suffix}").stat().st_size for name in ("low", "high")]
        assert sizes[0] * 2 < sizes[1]


@pytest.mark.parametrize("suffix", ["png", "webp", "tiff", "jpg", "bmp"])
def test_transparency_is_kept_or_laid_on_white(suffix, tmp_path):
    picture = Image.new("RGBA", (16, 16), (200, 0, 0, 255))
    picture.paste((0, 0, 0, 0), (0, 0, 16, 8))
    save_image(picture, tmp_path / f"a.{suffix}")
    with Image.open(tmp_path / f"a.{suffix}") as saved:
        if suffix in ("jpg", "bmp"):
            assert saved.mode == "RGB"
            assert min(saved.getpixel((8, 2))) > 250
            assert saved.getpixel((8, 14))[0] < 205
        else:
            assert saved.mode == "RGBA"
            assert saved.getpixel((8, 2))[3] == 0 and saved.getpixel((8, 14))[3] == 255


@pytest.mark.parametrize("failure", [OSError("disk full"), KeyboardInterrupt()])
@pytest.mark.parametrize("exists", [True, False])
def test_a_failing_save_leaves_everything_as_it_was(failure, exists, tmp_path, monkeypatch):
    path = tmp_path / "a.png"
    if exists:
        path.write_bytes(b"old")

    def fail(self, file, **options):
        file.write(b"half a pic")
        assert len(os.listdir(tmp_path)) == 1 + exists
        raise failure

    monkeypatch.setattr(Image.Image, "save", fail)
    with pytest.raises(type(failure)):
        save_image(Image.new("RGB", (2, 2)), path)
    assert os.listdir(tmp_path) == (["a.png"] if exists else [])
    if exists:
        assert path.read_bytes() == b"old"


def test_a_failing_replace_leaves_everything_as_it_was(tmp_path, monkeypatch):
    path = tmp_path / "a.png"
    path.write_bytes(b"old")

    def fail(*args):
        raise OSError("no")

    monkeypatch.setattr(os, "replace", fail)
    with pytest.raises(OSError, match="no"):
        save_image(Image.new("RGB", (2, 2)), path)
    assert os.listdir(tmp_path) == ["a.png"] and path.read_bytes() == b"old"


@pytest.mark.skipif(os.name == "nt", reason="Windows has other permissions")
def test_permissions_follow_the_umask_or_the_old_file(tmp_path):
    path = tmp_path / "a.png"
    umask = os.umask(0o027)
    try:
        save_image(Image.new("RGB", (2, 2)), path)
    finally:
        os.umask(umask)
    assert stat.S_IMODE(path.stat().st_mode) == 0o640
    path.chmod(0o600)
    save_image(Image.new("RGB", (3, 3)), path)
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert load_image(path)[0].shape == (3, 3, 3)


def test_a_symbolic_link_stays_and_its_file_is_replaced(tmp_path):
    (tmp_path / "real").mkdir()
    target, link = tmp_path / "real" / "a.png", tmp_path / "link.png"
    link.symlink_to(target)
    for size in (2, 3):  # first through a link to nothing, then replacing
        save_image(Image.new("RGB", (size, size)), link)
        assert link.is_symlink()
        with Image.open(target) as saved:
            assert saved.size == (size, size)
    assert os.listdir(tmp_path / "real") == ["a.png"]


def test_check_output_path(tmp_path, monkeypatch):
    assert check_output_path(tmp_path / "a.JPG") == (tmp_path / "a.JPG").resolve()
    for name in ("a.xyz", "a", ".png", "a.gif"):
        with pytest.raises(InputError, match=r"Expected one of \.png, \.jpg.*Received: '"):
            check_output_path(tmp_path / name)
    with pytest.raises(InputError, match="folder that does not exist. Create it"):
        check_output_path(tmp_path / "no" / "a.png")
    (tmp_path / "folder.png").mkdir()
    with pytest.raises(InputError, match="is a folder or a device"):
        check_output_path(tmp_path / "folder.png")
    (tmp_path / "file").touch()
    with pytest.raises(InputError, match="folder that does not exist"):
        check_output_path(tmp_path / "file" / "a.png")
    monkeypatch.setattr(os, "access", lambda *args: False)  # root may write everywhere
    with pytest.raises(InputError, match="is not writable"):
        check_output_path(tmp_path / "a.png")


@pytest.mark.parametrize(
    ("picture", "name", "quality", "message"),
    [
        (Image.new("RGB", (2, 2)), "a.xyz", 95, "needs a suffix"),
        (
            np.zeros((2, 2)),
            "a.png",
            95,
            r"an array \(H, W, 3\) or \(H, W, 4\). Received: \(2, 2\)",
        ),
        (Image.new("CMYK", (2, 2)), "a.png", 95, "Received: CMYK"),
        (Image.new("L", (16384, 1)), "a.webp", 95, "WEBP holds at most 16383.*16384 by 1"),
        (Image.new("L", (1, 65536)), "a.jpg", 95, "JPEG holds at most 65535"),
        (Image.new("RGB", (2, 2)), "a.jpg", 101, "`quality` goes from 1 to 100"),
        (Image.new("RGB", (2, 2)), "a.jpg", 0, "`quality` needs to be a whole number"),
    ],
)
def test_save_refuses(picture, name, quality, message, tmp_path):
    with pytest.raises(InputError, match=message):
        save_image(picture, tmp_path / name, quality=quality)
    assert os.listdir(tmp_path) == []
