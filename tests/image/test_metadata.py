"""What a picture keeps of its photo: colours' profile, EXIF data, and 16 bits a channel."""

import contextlib
import io
import struct
import warnings

import numpy as np
import pytest
from pictures import pixels
from PIL import Image, ImageCms, TiffImagePlugin

from arbitrary_nst import ImageError, InputError, load_image, save_image, stylize, stylize_array
from arbitrary_nst.cli import main
from arbitrary_nst.image import load_photo, to_pil
from arbitrary_nst.image.profiles import srgb_profile
from arbitrary_nst.image.tags import Directory

MAKE, ORIENTATION, EXIF, GPS, MAKER_NOTE = 0x010F, 0x0112, 0x8769, 0x8825, 0x927C
TAKEN, WIDTH, HEIGHT = 0x9003, 0xA002, 0xA003
POINTS_NOWHERE = b"Exif\0\0MM\0*\0\0\0\x08\0\x01\x87\x69\0\4\0\0\0\1\0\0\xff\xff\0\0\0\0"
FORMATS = ["png", "jpg", "webp", "avif", "tif"]


def camera_data():
    """EXIF data as a telephone writes them: on its side, with the place and a maker note."""
    exif = Image.Exif()
    exif[MAKE], exif[ORIENTATION] = "Camera Works", 6
    exif[EXIF] = {TAKEN: "2024:05:01 10:00:00", WIDTH: 40, HEIGHT: 32, MAKER_NOTE: b"at home" * 9}
    exif[GPS] = {1: "N", 2: (52.0, 30.0, 0.0), 3: "E", 4: (13.0, 24.0, 0.0)}
    return exif


@pytest.fixture
def camera_photo(photo, tmp_path):
    """A photo file that lies on its side, 40 wide and 32 high as it is stored."""
    path = tmp_path / "photo.jpg"
    to_pil(photo).save(path, exif=camera_data(), quality=95)
    return path


def exif_of(path):
    with Image.open(path) as image:
        exif = image.getexif()
        for pointer in (EXIF, GPS):  # read while the file is open
            exif.get_ifd(pointer)
        return exif


@pytest.mark.parametrize("suffix", FORMATS)
def test_files_say_that_they_are_srgb(photo, tmp_path, suffix):
    path = tmp_path / f"a.{suffix}"
    save_image(to_pil(photo), path)
    with Image.open(path) as image:
        profile = image.info["icc_profile"]
    assert profile == srgb_profile()
    assert "sRGB" in ImageCms.getProfileDescription(ImageCms.ImageCmsProfile(io.BytesIO(profile)))


def test_our_profile_changes_no_pixel(photo, tmp_path):
    picture = to_pil(photo)
    save_image(picture, tmp_path / "a.png")
    np.testing.assert_array_equal(load_image(tmp_path / "a.png")[0], load_image(picture)[0])
    np.testing.assert_array_equal(load_image(picture)[0] * 255, pixels(picture))


def test_equal_pictures_are_equal_files(photo, tmp_path):
    for name in ("a.jpg", "b.jpg"):
        save_image(to_pil(photo), tmp_path / name)
    assert (tmp_path / "a.jpg").read_bytes() == (tmp_path / "b.jpg").read_bytes()
    assert srgb_profile()[24:36] == struct.pack(">6H", 1999, 1, 1, 0, 0, 0)  # no present time


def test_a_profile_of_its_own_stays(tmp_path):
    picture = Image.new("RGB", (4, 4))
    picture.info["icc_profile"] = other = srgb_profile() + b"\0"
    save_image(picture, tmp_path / "a.png")
    with Image.open(tmp_path / "a.png") as image:
        assert image.info["icc_profile"] == other


@pytest.mark.parametrize("suffix", FORMATS)
def test_exif_is_kept_on_request(network, camera_photo, tmp_path, suffix):
    picture = stylize(camera_photo, "scream", keep_metadata=True)
    assert picture.size == (32, 40)  # upright
    save_image(picture, tmp_path / f"a.{suffix}")
    exif = exif_of(tmp_path / f"a.{suffix}")
    assert exif[MAKE] == "Camera Works" and exif.get(ORIENTATION, 1) == 1
    inner = exif.get_ifd(EXIF)
    assert (inner[TAKEN], inner[WIDTH], inner[HEIGHT]) == ("2024:05:01 10:00:00", 32, 40)
    assert MAKER_NOTE not in inner and not exif.get_ifd(GPS)
    assert b"at home" not in (tmp_path / f"a.{suffix}").read_bytes()
    upright = np.asarray(Image.open(tmp_path / f"a.{suffix}").convert("RGB"), float)
    off = [np.abs(pixels(picture) - other).mean() for other in (upright, upright[::-1, ::-1])]
    assert off[0] < off[1] / 3  # not turned again by whoever shows it


def test_exif_is_not_kept_unasked(network, camera_photo, tmp_path):
    save_image(stylize(camera_photo, "scream"), tmp_path / "a.jpg")
    assert not dict(exif_of(tmp_path / "a.jpg"))


def test_the_place_is_kept_on_request(network, camera_photo, tmp_path):
    picture = stylize(camera_photo, "scream", keep_metadata="gps")
    save_image(picture, tmp_path / "a.jpg")
    assert not exif_of(tmp_path / "a.jpg").get_ifd(GPS)  # saving asks again
    save_image(picture, tmp_path / "a.jpg", keep_metadata="gps")
    assert exif_of(tmp_path / "a.jpg").get_ifd(GPS)[2] == (52.0, 30.0, 0.0)


def test_a_photo_of_the_users_own_keeps_its_orientation(camera_photo, tmp_path):
    """Its pixels were not turned; the place is left out of it, too."""
    with Image.open(camera_photo) as image:
        save_image(image, tmp_path / "a.jpg")
        save_image(image, tmp_path / "b.jpg", keep_metadata=False)
    exif = exif_of(tmp_path / "a.jpg")
    assert exif[ORIENTATION] == 6 and exif[MAKE] == "Camera Works" and not exif.get_ifd(GPS)
    assert not dict(exif_of(tmp_path / "b.jpg"))


def test_exif_of_a_tiff(photo, tmp_path):
    """Its tags are those of the file as well, which stay behind."""
    to_pil(photo).save(tmp_path / "a.tif", exif=camera_data().tobytes())
    read = load_photo(tmp_path / "a.tif", metadata=True)
    assert read.rgb.shape == (40, 32, 3)
    exif = Image.Exif()
    exif.load(read.exif)
    assert exif[MAKE] == "Camera Works" and exif[ORIENTATION] == 1
    assert {256, 257, 258, 259, 262, 273, 279}.isdisjoint(exif)


@pytest.mark.parametrize(
    ("data", "word"),
    [
        (POINTS_NOWHERE, "EXIF data that cannot be kept"),
        (b"Exif\0\0MM\0*\0\0", None),
        (b"Exif\0\0" + bytes(50), None),  # nothing in it that could be lost
    ],
)
def test_damaged_exif_is_left_out(photo, tmp_path, data, word):
    to_pil(photo).save(tmp_path / "a.jpg", exif=data)
    with pytest.warns(UserWarning, match=word) if word else contextlib.nullcontext():
        assert load_photo(tmp_path / "a.jpg", metadata=True).exif == b""


def test_exif_that_costs_too_much_is_left_out(photo, tmp_path):
    """Five hundred tags of the inner directory point at the same half of the data."""
    room = 30_000
    entry = struct.pack(">HHLL", 0x9286, 7, room, 0)
    inner = struct.pack(">H", 500) + entry * 500 + bytes(4)
    head = b"MM\0*\0\0\0\x08" + struct.pack(">HHHLL", 1, EXIF, 4, 1, 26) + bytes(4)
    data = b"Exif\0\0" + head + inner + bytes(room)
    to_pil(photo).save(tmp_path / "a.jpg", exif=data)
    with pytest.warns(UserWarning, match="cannot be kept: .*its tags take"):
        assert load_photo(tmp_path / "a.jpg", metadata=True).exif == b""


def test_a_wrong_request_is_refused(network, photo, tmp_path):
    for wrong in ("yes", 1, None):
        with pytest.raises(InputError, match='`keep_metadata` is False, True, or "gps"'):
            stylize(photo, "scream", keep_metadata=wrong)
        with pytest.raises(InputError, match="`keep_metadata`"):
            save_image(to_pil(photo), tmp_path / "a.png", keep_metadata=wrong)


# 16 bits.


def deep_pixels(height=24, width=32):
    """A gradient of more than 256 levels in each channel: uint16."""
    y, x = np.mgrid[0:height, 0:width]
    whole = (y * width + x) * (65535 // (height * width))
    return np.stack([whole, 65535 - whole, whole // 2 + 900], axis=-1).astype(np.uint16)


@pytest.mark.parametrize("suffix", ["png", "tif"])
@pytest.mark.parametrize("channels", [3, 4])
def test_16_bits_come_out(tmp_path, suffix, channels):
    cv2 = pytest.importorskip("cv2")
    values = np.concatenate([deep_pixels(), deep_pixels()[..., :1]], axis=-1)[..., :channels]
    path = tmp_path / f"a.{suffix}"
    save_image(values, path, bits=16)
    order = [2, 1, 0, 3][:channels]
    np.testing.assert_array_equal(cv2.imread(str(path), cv2.IMREAD_UNCHANGED)[..., order], values)
    with Image.open(path) as image:  # 8 bits of them, and the profile
        assert np.abs(pixels(image) - values / 257.0).max() < 1
        assert image.info["icc_profile"] == srgb_profile()
        assert image.mode == ("RGB" if channels == 3 else "RGBA")


@pytest.mark.parametrize("suffix", ["png", "tif"])
def test_many_strips(tmp_path, suffix):
    """More rows than are packed at once."""
    cv2 = pytest.importorskip("cv2")
    values = np.random.default_rng(0).integers(0, 65536, (700, 300, 3), np.uint16)
    save_image(values, tmp_path / f"a.{suffix}", bits=16)
    read = cv2.imread(str(tmp_path / f"a.{suffix}"), cv2.IMREAD_UNCHANGED)
    np.testing.assert_array_equal(read[..., ::-1], values)


@pytest.mark.parametrize("suffix", ["png", "tif"])
def test_16_bits_go_in(tmp_path, suffix):
    pytest.importorskip("cv2")
    values = deep_pixels()
    save_image(values, tmp_path / f"a.{suffix}", bits=16)
    rgb = load_photo(tmp_path / f"a.{suffix}", deep=True).rgb
    np.testing.assert_array_equal(np.rint(rgb * 65535), values)
    cut = load_image(tmp_path / f"a.{suffix}")[0]
    assert len(np.unique(cut[..., 0])) <= 256 < len(np.unique(rgb[..., 0]))


def test_16_bits_that_lie_on_their_side(tmp_path):
    pytest.importorskip("cv2")
    exif = Image.Exif()
    exif[ORIENTATION] = 6
    values = deep_pixels()
    for suffix in ("png", "tif"):
        path = tmp_path / f"a.{suffix}"
        from arbitrary_nst.image.deep import write_png, write_tiff

        with open(path, "wb") as file:
            {"png": write_png, "tif": write_tiff}[suffix](file, values, b"", exif.tobytes())
        rgb = load_photo(path, deep=True).rgb
        np.testing.assert_array_equal(np.rint(rgb * 65535), np.rot90(values, -1))


def test_deep_colours_of_another_profile_are_read_with_8_bits(tmp_path):
    """Pillow's colour management knows no more, and a wrong colour is worse than a coarse one."""
    pytest.importorskip("cv2")
    from arbitrary_nst.image.deep import write_png

    profile = ImageCms.ImageCmsProfile(ImageCms.createProfile("XYZ")).tobytes()
    lab = ImageCms.ImageCmsProfile(ImageCms.createProfile("LAB")).tobytes()
    for other in (profile, lab):
        with open(tmp_path / "a.png", "wb") as file:
            write_png(file, deep_pixels(), other, b"")
        with pytest.warns(UserWarning, match="profile"):
            load_photo(tmp_path / "a.png", deep=True)


def test_painted_in_16_bits(network, tmp_path, capsys):
    """Python, and the command, with the EXIF data beside them."""
    cv2 = pytest.importorskip("cv2")
    values = deep_pixels(48, 64)
    photo = tmp_path / "photo.png"
    save_image(values, photo, bits=16)
    picture = stylize_array(photo, "scream")
    assert picture.dtype == np.float32 and picture.shape == (48, 64, 3)
    assert np.abs(picture * 255 - pixels(stylize(values, "scream"))).max() <= 0.51
    save_image(picture, tmp_path / "python.png", bits=16)
    for name in ("command.png", "command.tif"):
        command = f"stylize {photo} -s scream --bits 16 --keep-metadata -o {tmp_path / name}"
        assert main(command.split()) == 0
        read = cv2.imread(str(tmp_path / name), cv2.IMREAD_UNCHANGED)
        assert read.dtype == np.uint16
        expected = cv2.imread(str(tmp_path / "python.png"), cv2.IMREAD_UNCHANGED)
        assert np.abs(read.astype(int) - expected).max() <= 600  # float32 in ONNX or TensorFlow
        assert len(np.unique(read)) > 256
    assert main(f"stylize {photo} -s scream --bits 16 -o {tmp_path / 'a.jpg'}".split()) == 2
    assert "16 bits a channel ends in .png, .tif or .tiff" in capsys.readouterr().err


def test_exif_beside_16_bits(network, camera_photo, tmp_path):
    for name in ("a.png", "a.tif"):
        command = f"stylize {camera_photo} -s scream --bits 16 --keep-gps -o {tmp_path / name}"
        assert main(command.split()) == 0
        exif = exif_of(tmp_path / name)
        assert exif[MAKE] == "Camera Works" and exif.get(ORIENTATION, 1) == 1
        assert exif.get_ifd(EXIF)[TAKEN] == "2024:05:01 10:00:00"
        assert exif.get_ifd(GPS)[2] == (52.0, 30.0, 0.0)


def test_the_command_says_that_the_place_is_left_out(network, camera_photo, tmp_path, capsys):
    command = f"stylize {camera_photo} -s scream -o {tmp_path}"
    wanted = {
        "a.jpg": ", without the place (GPS)\n",
        "a.jpg --keep-gps": ", with the photo's EXIF data\n",
        "a.bmp": " pixels\n",
    }
    for name, end in wanted.items():
        with warnings.catch_warnings(record=True) as caught:
            warnings.simplefilter("always")
            assert main(f"{command}/{name} --keep-metadata".split()) == 0
        said = capsys.readouterr()
        assert said.out.endswith(end) and not caught
        assert ("BMP holds no EXIF data" in said.err) == name.endswith("bmp")


def test_a_folder_in_16_bits_with_its_exif(network, camera_photo, tmp_path, capsys):
    cv2 = pytest.importorskip("cv2")
    out = tmp_path / "out"
    command = f"batch {tmp_path} {out} -s scream --bits 16"
    assert main(command.split()) == 2  # the .jpg would stay one
    assert "16 bits a channel" in capsys.readouterr().err
    assert main([*command.split(), "--format", "png", "--keep-metadata"]) == 0
    read = cv2.imread(str(out / "photo.png"), cv2.IMREAD_UNCHANGED)
    assert read.dtype == np.uint16 and read.shape == (40, 32, 3)
    assert exif_of(out / "photo.png")[MAKE] == "Camera Works"
    assert main([*command.split(), "--format", "png", "--keep-gps"]) == 2
    assert "keep_metadata: True there, gps now" in capsys.readouterr().err


def test_16_bits_need_opencv_and_say_so(tmp_path, monkeypatch):
    save_image(deep_pixels(), tmp_path / "a.png", bits=16)
    monkeypatch.setitem(__import__("sys").modules, "cv2", None)
    with pytest.raises(ImportError, match=r'^Reading 16 bits .*"arbitrary-nst\[video\]"'):
        load_photo(tmp_path / "a.png", deep=True)


def test_wrong_bits_are_refused(photo, tmp_path):
    for wrong in (12, "16", True):
        with pytest.raises(InputError, match="`bits` of a channel are 8 or 16"):
            save_image(to_pil(photo), tmp_path / "a.png", bits=wrong)
    for wrong in (np.zeros((4, 4, 2)), "a", np.zeros((4, 4, 3)) + 2):
        with pytest.raises(ImageError):
            save_image(wrong, tmp_path / "a.png", bits=16)


def test_what_is_written_is_a_plain_tiff(photo, tmp_path):
    """As the format asks: tags in order, the strips where they are said to be."""
    save_image(photo, tmp_path / "a.tif", bits=16)
    with Image.open(tmp_path / "a.tif") as image:
        assert isinstance(image, TiffImagePlugin.TiffImageFile)
        assert image.tag_v2[258] == (16, 16, 16)
    tags = list(Directory((tmp_path / "a.tif").read_bytes()).tags)
    assert len(tags) >= 12 and tags == sorted(tags)
