"""Reading images: orientation, colour profiles, several frames."""

import io
import struct

import numpy as np
import pytest
from drawn_images import (
    BLUE,
    CURVES,
    GREEN,
    LINEAR,
    LINEAR_RGB,
    RED,
    encode,
    icc_profile,
    noise,
    png_chunk,
)
from PIL import ExifTags, Image, ImageCms

from arbitrary_nst.image import load_image

# Orientation.


#  The upright picture is [[1, 2, 3], [4, 5, 6]]; below, how a camera stores it per EXIF value.
STORED = {
    1: [[1, 2, 3], [4, 5, 6]],
    2: [[3, 2, 1], [6, 5, 4]],
    3: [[6, 5, 4], [3, 2, 1]],
    4: [[4, 5, 6], [1, 2, 3]],
    5: [[1, 4], [2, 5], [3, 6]],
    6: [[3, 6], [2, 5], [1, 4]],
    7: [[6, 3], [5, 2], [4, 1]],
    8: [[4, 1], [5, 2], [6, 3]],
}


@pytest.mark.parametrize("orientation", STORED)
@pytest.mark.parametrize("kind", ["PNG", "TIFF", "PIL", "RGBA", "I;16"])
def test_exif_orientation(orientation, kind):
    stored = np.array(STORED[orientation], np.uint8) * 40
    exif = Image.Exif()
    exif[ExifTags.Base.Orientation] = orientation
    picture = Image.fromarray(stored)
    if kind == "RGBA":
        picture = Image.merge("RGBA", [picture] * 4)
    if kind == "I;16":
        picture = Image.fromarray(stored.astype(np.uint16) * 257)
    source = encode(picture, "TIFF" if kind == "TIFF" else "PNG", exif=exif)
    rgb, alpha = load_image(Image.open(io.BytesIO(source)) if kind == "PIL" else source)
    upright = np.array(STORED[1]) * 40
    np.testing.assert_array_equal(np.rint(rgb[..., 0] * 255), upright)
    if kind == "RGBA":
        np.testing.assert_array_equal(np.rint(alpha * 255), upright)


def test_exif_orientation_of_a_jpeg():
    array = np.zeros((16, 32, 3), np.uint8)
    array[:, 16:] = 255
    exif = Image.Exif()
    exif[ExifTags.Base.Orientation] = 6  # to be turned clockwise: the right half goes down
    rgb, _ = load_image(encode(array, "JPEG", exif=exif))
    assert rgb.shape == (32, 16, 3)
    assert rgb[:14].max() < 0.1 and rgb[18:].min() > 0.9


def test_damaged_exif_is_announced_and_ignored():
    array = noise()
    png = encode(array, "PNG")
    end = png.index(b"IDAT") - 4
    broken = png[:end] + png_chunk(b"eXIf", b"neither II nor MM") + png[end:]
    with pytest.warns(UserWarning, match="damaged EXIF"):
        rgb, _ = load_image(broken)
    np.testing.assert_array_equal(rgb * 255, array)


# Colour profiles.

SWAPPED_RGB = icc_profile(b"RGB ", {b"rXYZ": BLUE, b"gXYZ": GREEN, b"bXYZ": RED, **CURVES})
LINEAR_GREY = icc_profile(b"GRAY", {b"kTRC": LINEAR})


def inverted_cmyk_profile():
    """CMYK where no ink at all is black, and full ink of all four is white (Lab, 2 grid points)."""
    table = b"mft1\0\0\0\0" + bytes([4, 3, 2, 0])
    table += struct.pack(">9i", *(65536, 0, 0, 0, 65536, 0, 0, 0, 65536))
    table += bytes(range(256)) * 4
    for corner in range(16):
        table += bytes([255 * bin(corner).count("1") // 4, 128, 128])
    table += bytes(range(256)) * 3
    return icc_profile(b"CMYK", {b"A2B0": table}, pcs=b"Lab ", device_class=b"prtr")


def srgb_of_linear(value):
    return 1.055 * value ** (1 / 2.4) - 0.055


@pytest.mark.parametrize("file_format", ["PNG", "TIFF", "JPEG"])
def test_icc_profile_is_converted_to_srgb(file_format):
    array = np.full((8, 8, 3), 64, np.uint8)
    rgb, _ = load_image(encode(array, file_format, icc_profile=LINEAR_RGB))
    np.testing.assert_allclose(rgb, srgb_of_linear(64 / 255), atol=0.01)  # 0.54, not 0.25
    np.testing.assert_allclose(load_image(encode(array, file_format))[0], 64 / 255, atol=0.01)


def test_icc_profile_with_exchanged_primaries_exchanges_red_and_blue():
    red = Image.new("RGB", (2, 2), (255, 0, 0))
    rgb, _ = load_image(encode(red, "PNG", icc_profile=SWAPPED_RGB))
    np.testing.assert_allclose(rgb[0, 0], (0, 0, 1), atol=0.02)


def test_srgb_profile_changes_nothing():
    array = noise(32, 32)
    profile = ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes()
    rgb, _ = load_image(encode(array, "PNG", icc_profile=profile))
    np.testing.assert_allclose(rgb * 255, array, atol=1.01)


def test_icc_with_alpha_palette_and_grey():
    expected = srgb_of_linear(64 / 255)
    rgb, alpha = load_image(
        encode(Image.new("RGBA", (2, 2), (64, 64, 64, 9)), "PNG", icc_profile=LINEAR_RGB)
    )
    np.testing.assert_allclose(rgb, expected, atol=0.01)
    np.testing.assert_allclose(alpha * 255, 9, rtol=1e-6)
    palette = Image.new("P", (2, 2))
    palette.putpalette([64, 64, 64])
    rgb, _ = load_image(encode(palette, "PNG", icc_profile=LINEAR_RGB))
    np.testing.assert_allclose(rgb, expected, atol=0.01)
    for mode, value in (("L", 64), ("LA", (64, 255))):
        for profile in (LINEAR_GREY, LINEAR_RGB):  # an RGB profile on a grey image is usual, too
            rgb, _ = load_image(encode(Image.new(mode, (2, 2), value), "PNG", icc_profile=profile))
            np.testing.assert_allclose(rgb, expected, atol=0.01)


def test_icc_of_16_bit_grey():
    values = np.array([[0, 16448, 40000, 65535]], np.uint16)
    rgb, _ = load_image(encode(values, "PNG", icc_profile=LINEAR_GREY))
    expected = [0, srgb_of_linear(16448 / 65535), srgb_of_linear(40000 / 65535), 1]
    np.testing.assert_allclose(rgb[0, :, 1], expected, atol=0.01)


def test_icc_of_cmyk():
    paper = Image.new("CMYK", (8, 8), (0, 0, 0, 0))
    assert load_image(encode(paper, "JPEG"))[0].min() == 1
    rgb, _ = load_image(encode(paper, "JPEG", icc_profile=inverted_cmyk_profile()))
    assert rgb.max() < 0.05


@pytest.mark.parametrize(
    "profile", [b"not a profile", LINEAR_RGB[:200], LINEAR_GREY, inverted_cmyk_profile()]
)
def test_unusable_icc_profile_is_announced_and_read_as_srgb(profile):
    array = noise()
    with pytest.warns(UserWarning, match="style 2 image.*ICC colour profile.*read as sRGB"):
        rgb, _ = load_image(encode(array, "PNG", icc_profile=profile), role="style 2")
    np.testing.assert_array_equal(rgb * 255, array)


# Several frames.


@pytest.mark.parametrize("file_format", ["GIF", "WEBP", "PNG", "TIFF"])
def test_first_frame_of_several_and_a_warning(file_format, tmp_path):
    frames = [Image.new("RGB", (8, 8), colour) for colour in ("red", "lime", "blue")]
    options = {"lossless": True} if file_format == "WEBP" else {}
    data = encode(frames[0], file_format, save_all=True, append_images=frames[1:], **options)
    path = tmp_path / "moving.bin"  # the content decides, not the suffix
    path.write_bytes(data)
    with pytest.warns(UserWarning, match=r"moving.bin.*several frames; only the first"):
        rgb, _ = load_image(path)
    np.testing.assert_array_equal(rgb, np.broadcast_to(np.float32([1, 0, 0]), (8, 8, 3)))


def test_current_frame_of_a_pil_image():
    frames = [Image.new("RGB", (8, 8), colour) for colour in ("red", "lime")]
    with Image.open(
        io.BytesIO(encode(frames[0], "GIF", save_all=True, append_images=frames[1:]))
    ) as source:
        source.seek(1)
        np.testing.assert_array_equal(load_image(source)[0][0, 0], (0, 1, 0))
        assert source.tell() == 1


def test_second_image_of_a_phone_photo_is_no_animation():
    frames = [Image.new("RGB", (8, 8), colour) for colour in ("white", "black")]
    data = encode(frames[0], "MPO", save_all=True, append_images=frames[1:])
    assert Image.open(io.BytesIO(data)).format == "MPO"
    assert load_image(data)[0].min() > 0.99  # and no warning: warnings are errors here
