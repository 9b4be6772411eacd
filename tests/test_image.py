"""Reading, writing and the small picture operations, on files made here."""

import io
import os
import pickle
import random
import stat
import struct
import time
import warnings
import zlib

import numpy as np
import pytest
from PIL import ExifTags, Image, ImageCms

from arbitrary_nst.errors import ImageError, ImageNotFound, ImageTooLarge, InputError
from arbitrary_nst.image import (
    check_output_path,
    keep_color,
    load_image,
    reading,
    resize,
    save_image,
    to_pil,
)
from arbitrary_nst.image.sheet import contact_sheet


def noise(height=6, width=5, channels=3, seed=0):
    """uint8 noise, `(height, width, channels)`."""
    shape = (height, width, channels) if channels else (height, width)
    return np.random.default_rng(seed).integers(0, 256, shape, dtype=np.uint8)


def encode(picture, file_format, **options):
    """The bytes of a PIL image or uint8 array in a file format."""
    if isinstance(picture, np.ndarray):
        picture = Image.fromarray(picture)
    buffer = io.BytesIO()
    picture.save(buffer, file_format, **options)
    return buffer.getvalue()


def png_chunk(kind, data):
    return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))


def png_header(width, height):
    """A PNG that claims a size and holds a single compressed byte."""
    header = png_chunk(b"IHDR", struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0))
    data = png_chunk(b"IDAT", zlib.compress(b"\0"))
    return b"\x89PNG\r\n\x1a\n" + header + data + png_chunk(b"IEND", b"")


# Kinds of sources.


def test_every_kind_of_source_gives_the_same_image(tmp_path):
    array = noise()
    png = encode(array, "PNG")
    path = tmp_path / "a.png"
    path.write_bytes(png)
    sources = [path, str(path), png, bytearray(png), memoryview(png), io.BytesIO(png)]
    sources += [Image.fromarray(array), Image.open(path), array]
    expected = array.astype(np.float32) / np.float32(255)
    for source in sources:
        rgb, alpha = load_image(source)
        assert alpha is None
        assert rgb.dtype == np.float32 and rgb.flags.c_contiguous
        np.testing.assert_array_equal(rgb, expected)
    sources[-2].close()
    with open(path, "rb") as file:
        np.testing.assert_array_equal(load_image(file)[0], expected)
        assert not file.closed


def test_a_stream_that_cannot_seek_is_read_from_where_it_stands():
    class Pipe(io.RawIOBase):
        def __init__(self, data):
            self.file = io.BytesIO(data)

        def readable(self):
            return True

        def readinto(self, buffer):
            return self.file.readinto(buffer)

    array = noise()
    np.testing.assert_array_equal(load_image(Pipe(encode(array, "PNG")))[0] * 255, array)
    file = io.BytesIO(b"head" + encode(array, "PNG"))
    file.seek(4)
    np.testing.assert_array_equal(load_image(file)[0] * 255, array)


@pytest.mark.parametrize("file_format", ["PNG", "BMP", "TIFF", "PPM", "GIF"])
def test_lossless_formats_are_exact(file_format):
    array = np.zeros((4, 6, 3), np.uint8)
    array[:2, :3] = (255, 0, 51)
    array[2:, 3:] = (1, 2, 3)
    np.testing.assert_array_equal(load_image(encode(array, file_format))[0] * 255, array)


@pytest.mark.parametrize("file_format", ["JPEG", "WEBP", "JPEG2000"])
def test_lossy_formats_are_close(file_format):
    array = np.full((32, 24, 3), (200, 100, 50), np.uint8)
    rgb, _ = load_image(encode(array, file_format))
    assert rgb.shape == array.shape
    np.testing.assert_allclose(rgb * 255, array, atol=4)


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        (np.uint8(51), 51 / 255),
        (np.uint16(300), 300 / 65535),
        (np.array(300, ">u2"), 300 / 65535),
        (np.float16(0.25), 0.25),
        (np.float32(0.25), 0.25),
        (np.float64(0.25), 0.25),
        (np.bool_(True), 1.0),
        (np.float64(1 + 1e-7), 1.0),
    ],
)
@pytest.mark.parametrize("shape", [(2, 3), (2, 3, 1), (2, 3, 3), (2, 3, 4)])
def test_arrays(value, expected, shape):
    array = np.full(shape, value)
    before = array.copy()
    rgb, alpha = load_image(array)
    assert rgb.shape == (2, 3, 3) and rgb.dtype == np.float32
    np.testing.assert_allclose(rgb, expected, rtol=1e-6)
    assert (alpha is not None) == (shape[-1] == 4)
    if alpha is not None:
        assert alpha.shape == (2, 3) and alpha.dtype == np.float32
        np.testing.assert_allclose(alpha, expected, rtol=1e-6)
    rgb[:] = 0.5
    np.testing.assert_array_equal(array, before)


def test_read_only_and_strided_arrays_and_array_likes():
    array = noise(8, 8)
    array.flags.writeable = False
    np.testing.assert_array_equal(load_image(array[::2, ::-1])[0] * 255, array[::2, ::-1])

    class Tensor:
        def __array__(self, dtype=None, copy=None):
            return array

    np.testing.assert_array_equal(load_image(Tensor())[0] * 255, array)


def test_a_pil_source_is_neither_closed_nor_changed():
    exif = Image.Exif()
    exif[ExifTags.Base.Orientation] = 6
    source = Image.open(io.BytesIO(encode(noise(), "PNG", exif=exif)))
    source.load()
    before = source.tobytes(), source.size, source.mode, dict(source.info)
    load_image(source)
    assert (source.tobytes(), source.size, source.mode, dict(source.info)) == before
    assert source.getexif()[ExifTags.Base.Orientation] == 6


# Modes.


def test_palette_grey_and_black_and_white():
    array = noise(channels=0)
    grey = np.repeat(array[..., None], 3, axis=-1)
    np.testing.assert_array_equal(load_image(encode(array, "PNG"))[0] * 255, grey)
    bits = Image.fromarray(array > 127)
    assert bits.mode == "1"
    np.testing.assert_array_equal(load_image(encode(bits, "PNG"))[0], grey > 127)
    palette = Image.new("P", (2, 1))
    palette.putpalette([10, 20, 30, 40, 50, 60])
    palette.putpixel((1, 0), 1)
    expected = [[[10, 20, 30], [40, 50, 60]]]
    np.testing.assert_array_equal(load_image(encode(palette, "PNG"))[0] * 255, expected)


@pytest.mark.parametrize(
    ("mode", "colour", "expected"),
    [
        ("CMYK", (0, 255, 0, 0), (255, 0, 255)),
        ("CMYK", (0, 0, 0, 255), (0, 0, 0)),
        ("YCbCr", (76, 85, 255), (254, 0, 0)),
        ("HSV", (85, 255, 255), (0, 255, 0)),
        ("LAB", (255, 128, 128), (255, 255, 255)),
        ("RGBX", (1, 2, 3, 4), (1, 2, 3)),
    ],
)
def test_other_colour_modes(mode, colour, expected):
    rgb, alpha = load_image(Image.new(mode, (2, 2), colour))
    np.testing.assert_allclose(rgb[1, 1] * 255, expected, atol=2)
    assert alpha is None


def test_cmyk_jpeg_file():
    cyan = Image.new("CMYK", (8, 8), (255, 0, 0, 0))
    rgb, _ = load_image(encode(cyan, "JPEG"))
    np.testing.assert_allclose(rgb[4, 4] * 255, (0, 255, 255), atol=2)


@pytest.mark.parametrize("mode", ["I;16", "I;16B", "I"])
def test_16_bit_grey_keeps_every_value(mode):
    values = np.array([[0, 1, 255, 256], [257, 32768, 40000, 65535]])
    dtype = {"I;16": "<u2", "I;16B": ">u2", "I": "<i4"}[mode]
    picture = Image.frombytes(mode, (4, 2), values.astype(dtype).tobytes())
    sources = [picture, encode(picture, "TIFF")]
    if mode == "I;16":
        sources.append(encode(picture, "PNG"))
    for source in sources:
        rgb, alpha = load_image(source)
        assert alpha is None
        np.testing.assert_array_equal(np.rint(rgb[..., 1].astype(np.float64) * 65535), values)


def test_16_bit_rgb_png_is_scaled_not_clipped():
    rows = b"\0" + struct.pack(">6H", 0, 257, 65535, 32768, 1000, 40000)
    data = b"\x89PNG\r\n\x1a\n"
    data += png_chunk(b"IHDR", struct.pack(">IIBBBBB", 2, 1, 16, 2, 0, 0, 0))
    data += png_chunk(b"IDAT", zlib.compress(rows)) + png_chunk(b"IEND", b"")
    expected = np.array([[[0, 257, 65535], [32768, 1000, 40000]]]) / 65535
    np.testing.assert_allclose(load_image(data)[0], expected, atol=1 / 255)


def test_32_bit_integers_are_refused():
    picture = Image.fromarray(np.array([[0, 70000]], np.int32))
    with pytest.raises(ImageError, match=r"do not fit 16 bits.*0 to 70000"):
        load_image(encode(picture, "TIFF"))
    with pytest.raises(ImageError, match=r"-1 to 0"):
        load_image(Image.fromarray(np.array([[0, -1]], np.int32)))


def test_float_tiff_follows_the_rule_for_float_arrays():
    values = np.array([[0, 0.25, 1]], np.float32)
    np.testing.assert_array_equal(load_image(encode(values, "TIFF"))[0][..., 2], values)
    with pytest.raises(ImageError, match="Divide by 255"):
        load_image(encode(values * 255, "TIFF"))
    with pytest.raises(ImageError, match="NaN"):
        load_image(encode(values * np.float32(np.nan), "TIFF"))


# Transparency.


def test_alpha_of_rgba_la_and_pa():
    array = noise(channels=4)
    array[..., 3] = np.maximum(array[..., 3], 1)  # nothing hidden: colours stay exact
    rgb, alpha = load_image(encode(array, "PNG"))
    np.testing.assert_array_equal(rgb * 255, array[..., :3])
    np.testing.assert_array_equal(np.rint(alpha * 255), array[..., 3])
    grey = Image.new("LA", (2, 2), (100, 40))
    palette = Image.new("P", (2, 2))
    palette.putpalette([100, 100, 100])
    palette.putalpha(40)
    assert palette.mode == "PA"
    for source in (grey, encode(grey, "PNG"), palette):
        rgb, alpha = load_image(source)
        assert rgb.shape == (2, 2, 3)
        np.testing.assert_allclose(rgb * 255, 100, rtol=1e-6)
        np.testing.assert_allclose(alpha * 255, 40, rtol=1e-6)


def test_premultiplied_alpha_is_divided_out():
    rgb, alpha = load_image(Image.new("RGBa", (2, 2), (50, 0, 100, 127)))
    np.testing.assert_allclose(rgb[0, 0] * 255, (100, 0, 200), atol=2)
    np.testing.assert_allclose(alpha * 255, 127, rtol=1e-6)


def test_opaque_alpha_channel_is_kept():
    _, alpha = load_image(encode(Image.new("RGBA", (2, 2), (1, 2, 3, 255)), "PNG"))
    np.testing.assert_array_equal(alpha, np.ones((2, 2), np.float32))


def test_transparency_of_palette_and_of_one_colour():
    palette = Image.new("P", (3, 1))
    palette.putpalette([10, 20, 30, 40, 50, 60, 70, 80, 90])
    palette.putdata([0, 1, 2])
    _, alpha = load_image(encode(palette, "PNG", transparency=bytes([0, 128, 255])))
    np.testing.assert_allclose(alpha * 255, [[0, 128, 255]], rtol=1e-6)
    _, alpha = load_image(encode(palette, "GIF", transparency=1))
    np.testing.assert_array_equal(alpha, [[1, 0, 1]])

    colours = Image.new("RGB", (2, 1), (9, 8, 7))
    colours.putpixel((1, 0), (1, 2, 3))
    _, alpha = load_image(encode(colours, "PNG", transparency=(1, 2, 3)))
    np.testing.assert_array_equal(alpha, [[1, 0]])
    grey = np.array([[5, 6]], np.uint8)
    _, alpha = load_image(encode(grey, "PNG", transparency=6))
    np.testing.assert_array_equal(alpha, [[1, 0]])
    deep = Image.fromarray(np.array([[500, 600, 501]], np.uint16))
    _, alpha = load_image(encode(deep, "PNG", transparency=600))
    np.testing.assert_array_equal(alpha, [[1, 0, 1]])


@pytest.mark.parametrize("shape", [(9, 14), (1, 7), (33, 1), (64, 64)])
def test_colour_under_transparency_does_not_bleed(shape):
    """Visible: red on the left, blue on the right. Hidden: green, which must be gone."""
    array = np.zeros((*shape, 4), np.float32)
    array[..., 1] = 1
    if shape[1] > 1:
        array[:, 0], array[:, -1] = (1, 0, 0, 1), (0, 0, 1, 1)
    else:
        array[0], array[-1] = (1, 0, 0, 1), (0, 0, 1, 1)
    rgb, alpha = load_image(array)
    np.testing.assert_array_equal(alpha, array[..., 3])
    np.testing.assert_array_equal(rgb[alpha == 1], array[alpha == 1][:, :3])
    np.testing.assert_allclose(rgb[..., 1], 0, atol=1e-6)  # no green
    np.testing.assert_allclose(rgb.sum(-1), 1, atol=1e-5)  # no black either: red and blue mixed
    if shape[1] > 4:
        assert (rgb[:, 1, 0] > 0.5).all() and (rgb[:, -2, 2] > 0.5).all()  # the nearer one wins


def test_faint_colour_counts_less_and_stays_as_it_is():
    array = np.zeros((2, 2, 4), np.float32)
    array[0, 0] = (1, 0, 0, 0.01)
    array[0, 1] = (0, 0, 1, 0.99)
    rgb, _ = load_image(array)
    np.testing.assert_array_equal(rgb[0], array[0, :, :3])
    np.testing.assert_allclose(rgb[1], [(0.01, 0, 0.99)] * 2, atol=1e-6)
    hidden = np.full((2, 2, 4), 0.25, np.float32)
    hidden[..., 3] = 0
    np.testing.assert_array_equal(load_image(hidden)[0], hidden[..., :3])  # nothing to fill from


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


# Colour profiles, written by hand: the ICC format is a header, a table of tags, and their data.


def icc_profile(space, tags, pcs=b"XYZ ", device_class=b"mntr"):
    text = b"desc\0\0\0\0" + struct.pack(">I", 5) + b"test\0" + bytes(78)
    tags = {b"desc": text, b"cprt": b"text\0\0\0\0none\0", b"wtpt": D50, **tags}
    offset = 128 + 4 + 12 * len(tags)
    table, body = struct.pack(">I", len(tags)), b""
    for tag, data in tags.items():
        table += tag + struct.pack(">II", offset + len(body), len(data))
        body += data + bytes(-len(data) % 4)
    header = struct.pack(">I4sI4s4s4s", offset + len(body), b"test", 0x02400000, device_class,
                         space, pcs)  # fmt: skip
    header += struct.pack(">6H4s", 2020, 1, 1, 0, 0, 0, b"acsp") + bytes(28)
    header += D50[8:]
    return header + bytes(128 - len(header)) + table + body


def xyz(*values):
    return b"XYZ \0\0\0\0" + struct.pack(">3i", *(round(value * 65536) for value in values))


D50 = xyz(0.9642, 1.0, 0.8249)
LINEAR = b"curv\0\0\0\0" + struct.pack(">I", 0)
# The sRGB primaries, adapted to D50.
RED, GREEN, BLUE = (
    xyz(0.4361, 0.2225, 0.0139),
    xyz(0.3851, 0.7169, 0.0971),
    xyz(0.1431, 0.0606, 0.7141),
)
CURVES = {b"rTRC": LINEAR, b"gTRC": LINEAR, b"bTRC": LINEAR}
LINEAR_RGB = icc_profile(b"RGB ", {b"rXYZ": RED, b"gXYZ": GREEN, b"bXYZ": BLUE, **CURVES})
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


# Refusals.


def test_missing_file(tmp_path):
    path = tmp_path / "no.png"
    with pytest.raises(ImageNotFound, match=r"^The style 2 image '.*no.png' does not exist"):
        load_image(path, role="style 2")
    with pytest.raises(FileNotFoundError):
        load_image(path)


def test_folder_empty_and_foreign_files(tmp_path):
    with pytest.raises(ImageError, match="content image '.*' is a folder"):
        load_image(tmp_path)
    empty = tmp_path / "empty.png"
    empty.touch()
    with pytest.raises(ImageError, match="empty.png' is empty"):
        load_image(empty)
    with pytest.raises(ImageError, match=r"given as bytes\) is empty"):
        load_image(b"")
    with pytest.raises(ImageError, match="is empty"):
        load_image(io.BytesIO())
    text = tmp_path / "text.png"
    text.write_text("I am not an image.")
    with pytest.raises(ImageError, match="text.png' is not an image.*PNG"):
        load_image(text)
    with open(text) as file, pytest.raises(ImageError, match="text file.*'rb'"):
        load_image(file)
    with pytest.raises(ImageError, match="cannot be read"):
        load_image("null\0byte.png")
    with pytest.raises(ImageError, match="cannot be read"):
        load_image("x" * 5000)


def test_permission_denied(tmp_path, monkeypatch):
    """Simulated: root may read everything."""

    def refuse(*args):
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr(reading, "open", refuse, raising=False)
    with pytest.raises(ImageError, match="secret.png' may not be read: permission denied"):
        load_image(tmp_path / "secret.png")


def test_formats_that_run_programs_are_refused():
    eps = encode(Image.new("RGB", (4, 4)), "EPS")
    assert Image.open(io.BytesIO(eps)).format == "EPS"  # PIL would hand it to Ghostscript
    with pytest.raises(ImageError, match="is not an image"):
        load_image(eps)


@pytest.mark.parametrize("source", [None, 7, 1.5, [[1, 2]], object(), {"a": 1}, np.uint8])
def test_wrong_types(source):
    with pytest.raises(ImageError, match=f"given as {type(source).__name__}"):
        load_image(source)


@pytest.mark.parametrize(
    ("array", "message"),
    [
        (np.full((2, 2, 3), np.nan), "NaN or infinite"),
        (np.full((2, 2, 3), np.inf, np.float32), "NaN or infinite"),
        (np.full((2, 2, 3), -np.inf), "NaN or infinite"),
        (np.full((2, 2, 3), 200.0), r"outside \[0, 1\].*200 to 200. Divide by 255"),
        (np.full((2, 2, 3), -0.5), r"outside \[0, 1\].*-0.5 to -0.5. Rescale"),
        (np.full((2, 2, 3), 1e300), r"outside \[0, 1\]"),
        (np.zeros((2, 2, 2)), r"wrong shape.*Received: \(2, 2, 2\)"),
        (np.zeros((1, 4, 4, 3)), r"Drop the batch axis"),
        (np.zeros((3, 4, 5)), r"channels last"),
        (np.zeros(7), r"Received: \(7,\)"),
        (np.array(1.0), r"Received: \(\)"),
        (np.zeros((0, 4, 3)), "has no pixels"),
        (np.zeros((4, 0)), "has no pixels"),
        (np.zeros((2, 2, 3), np.int64), "dtype int64"),
        (np.zeros((2, 2, 3), np.uint32), "dtype uint32"),
        (np.zeros((2, 2, 3), complex), "dtype complex"),
        (np.zeros((2, 2, 3), object), "dtype object"),
        (np.zeros((2, 2, 3), "U3"), "dtype <U3"),
        (np.zeros((2, 2, 3), "M8[s]"), "dtype datetime64"),
        (np.zeros((2, 2), [("r", "f4")]), "dtype"),
    ],
)
def test_hostile_arrays(array, message):
    with pytest.raises(ImageError, match=r"^The style 1 image \(given as ndarray\) .*" + message):
        load_image(array, role="style 1")


def test_one_nan_in_many_is_found():
    array = np.zeros((64, 64, 3), np.float32)
    array[40, 3, 2] = np.nan
    with pytest.raises(ImageError, match="NaN"):
        load_image(array)


def test_an_array_like_that_throws():
    class Symbolic:
        def __array__(self, dtype=None, copy=None):
            raise NotImplementedError("symbolic")

    with pytest.raises(ImageError, match="NotImplementedError: symbolic"):
        load_image(Symbolic())


def test_pixel_limit():
    array = noise(10, 20)
    for source in (array, encode(array, "PNG"), Image.fromarray(array)):
        load_image(source, max_pixels=200)
        with pytest.raises(
            ImageTooLarge, match=r"20 by 10 is 200 pixels.*max_pixels=199.*raise `max_pixels`"
        ):
            load_image(source, max_pixels=199)


@pytest.mark.parametrize("size", [(100_000, 100_000), (2**31 - 1, 2**31 - 1), (9000, 9000)])
@pytest.mark.parametrize("lazy", [False, True])
def test_image_bomb_is_refused_without_decoding(size, lazy, monkeypatch):
    def decode(*args):
        raise AssertionError("the image was decoded")

    monkeypatch.setattr("PIL.PngImagePlugin.PngImageFile.load", decode)
    start = time.perf_counter()
    source = png_header(*size)
    if lazy and size == (9000, 9000):
        source = Image.open(io.BytesIO(source))
    with pytest.raises(ImageTooLarge, match=r"too large.*\d pixels.*max_pixels=64000000.*raise"):
        load_image(source)
    assert time.perf_counter() - start < 1


def test_limits_of_pil_are_respected_and_left_alone():
    before = Image.MAX_IMAGE_PIXELS
    with warnings.catch_warnings():
        warnings.simplefilter("always")
        with pytest.warns(Image.DecompressionBombWarning), pytest.raises(ImageTooLarge):
            load_image(png_header(10_000, 10_000))
    with pytest.raises(ImageTooLarge, match="raise `max_pixels` and `PIL.Image.MAX_IMAGE_PIXELS`"):
        load_image(png_header(20_000, 20_000), max_pixels=10**9)
    assert before == Image.MAX_IMAGE_PIXELS


@pytest.mark.parametrize("value", [0, -1, 1.5, True, None, "9"])
def test_wrong_limits(value):
    with pytest.raises(InputError, match="`max_pixels` needs to be a whole number"):
        load_image(noise(), max_pixels=value)


FORMATS = ["PNG", "JPEG", "GIF", "WEBP", "TIFF", "BMP"]


@pytest.mark.parametrize("file_format", FORMATS)
def test_truncated_files(file_format, tmp_path):
    data = encode(noise(32, 32), file_format)
    path = tmp_path / "cut.img"
    for length in (1, 5, 20, len(data) // 3, len(data) // 2, len(data) * 3 // 4):
        path.write_bytes(data[:length])
        with pytest.raises(ImageError, match=r"cut.img' (cannot be read|is not an image)"):
            load_image(path)
        with pytest.raises(ImageError, match=r"cannot be read|is not an image"):
            load_image(data[:length])


def test_a_pil_image_that_is_cut_short_or_closed():
    png = encode(noise(32, 32), "PNG")
    with pytest.raises(ImageError, match="cannot be read"):
        load_image(Image.open(io.BytesIO(png[: len(png) // 2])))
    closed = Image.new("RGB", (2, 2))
    closed.close()
    with pytest.raises(ImageError, match="cannot be read"):
        load_image(closed)


@pytest.mark.parametrize("file_format", [*FORMATS, "PPM", "JPEG2000"])
def test_damaged_bytes_give_an_image_or_an_image_error(file_format):
    options = {} if file_format in ("GIF", "BMP", "PPM") else {"icc_profile": LINEAR_RGB}
    whole = encode(noise(12, 12), file_format, **options)
    rng = random.Random(7)
    num_errors = 0
    for _ in range(60):
        data = bytearray(whole)
        for _ in range(rng.choice([1, 3, 20])):
            data[rng.randrange(min(len(data), rng.choice([64, len(data)])))] = rng.randrange(256)
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # PIL's own remarks on damaged files
            try:
                rgb, _ = load_image(bytes(data), max_pixels=1_000_000)
            except ImageError:
                num_errors += 1
            else:
                assert rgb.dtype == np.float32 and rgb.ndim == 3 and rgb.shape[-1] == 3
                assert rgb.min() >= 0 and rgb.max() <= 1
    assert num_errors > 0  # the damage did reach the decoder


def test_any_exception_of_a_decoder_becomes_an_image_error(monkeypatch):
    png = encode(noise(), "PNG")
    for error in (
        SyntaxError,
        struct.error,
        OSError,
        EOFError,
        IndexError,
        RecursionError,
        KeyError,
    ):

        def fail(self, error=error):
            raise error("broken")

        monkeypatch.setattr("PIL.PngImagePlugin.PngImageFile.load", fail)
        with pytest.raises(ImageError, match=f"{error.__name__}: .*broken"):
            load_image(png)

    def exhaust(self):
        raise MemoryError

    monkeypatch.setattr("PIL.PngImagePlugin.PngImageFile.load", exhaust)
    with pytest.raises(ImageError, match="does not fit into memory"):
        load_image(png)


def test_errors_are_built_in_errors_too_and_survive_pickling():
    for kind in (ImageNotFound, ImageTooLarge, ImageError):
        error = pickle.loads(pickle.dumps(kind("plain message")))
        assert type(error) is kind and str(error) == "plain message"
        assert isinstance(error, InputError) and isinstance(error, ValueError)


# To PIL and to files.


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
            np.zeros((2, 2, 3)),
            "a.png",
            95,
            "Received: ndarray. Convert a float array with `to_pil`",
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


# Picture operations.


def test_resize_shapes():
    image = np.random.default_rng(0).random((30, 20, 3), np.float32)
    assert resize(image, longer_side=15).shape == (15, 10, 3)
    assert resize(image, longer_side=60).shape == (60, 40, 3)
    assert resize(image[..., 0], longer_side=15).shape == (15, 10)
    assert resize(image, shape=(7, 50)).shape == (7, 50, 3)
    assert resize(image[:, :1], longer_side=3).shape == (3, 1, 3)
    assert resize(image.astype(np.float64), longer_side=np.int64(15)).dtype == np.float32
    same = resize(image, longer_side=30)
    np.testing.assert_array_equal(same, image)
    assert not np.shares_memory(same, image)


def test_resize_values():
    flat = np.full((12, 8, 3), 0.3, np.float32)
    np.testing.assert_allclose(resize(flat, shape=(5, 9)), 0.3, atol=1e-6)
    ramp = np.broadcast_to(np.linspace(0, 1, 64, dtype=np.float32), (4, 64))
    fine = resize(ramp, shape=(4, 32))
    np.testing.assert_allclose(fine[0, 4:-4], ramp[0].reshape(32, 2).mean(1)[4:-4], atol=1e-3)
    assert len(np.unique(resize(ramp / 255, shape=(4, 32)))) > 16  # no detour through 8 bits
    edge = np.zeros((4, 32), np.float32)
    edge[:, 16:] = 1
    wide = resize(edge, shape=(4, 100))  # Lanczos overshoots beside an edge
    assert wide.min() == 0 and wide.max() == 1


@pytest.mark.parametrize(
    "arguments",
    [
        {},
        {"longer_side": 4, "shape": (4, 4)},
        {"longer_side": 0},
        {"longer_side": -3},
        {"longer_side": 2.5},
        {"longer_side": True},
        {"shape": (0, 4)},
    ],
)
def test_resize_refuses(arguments):
    with pytest.raises(InputError, match="longer_side|`shape` needs"):
        resize(np.zeros((4, 4, 3), np.float32), **arguments)


def test_resize_refuses_images():
    for image in (np.zeros((4, 4, 4)), np.zeros(4), np.zeros((4, 4, 3), np.uint8)):
        with pytest.raises(ImageError, match=r"\(H, W\) or \(H, W, 3\)"):
            resize(image, longer_side=2)


def test_keep_color_takes_luma_from_one_and_chroma_from_the_other():
    """Checked against the matrix of YIQ, https://en.wikipedia.org/wiki/YIQ (FCC NTSC)."""
    to_yiq = np.array(
        [[0.299, 0.587, 0.114], [0.5959, -0.2746, -0.3213], [0.2115, -0.5227, 0.3112]]
    )
    rng = np.random.default_rng(0)
    stylized, content = rng.uniform(0.4, 0.6, (2, 5, 4, 3)).astype(np.float32)  # nothing clips
    before = stylized.copy(), content.copy()
    result = keep_color(stylized, content)
    assert result.dtype == np.float32
    got, first, second = (array @ to_yiq.T for array in (result, stylized, content))
    np.testing.assert_allclose(got[..., 0], first[..., 0], atol=1e-5)
    np.testing.assert_allclose(got[..., 1:], second[..., 1:], atol=1e-4)
    np.testing.assert_array_equal(stylized, before[0])
    np.testing.assert_array_equal(content, before[1])


def test_keep_color_edges():
    content = np.random.default_rng(1).random((4, 4, 3), np.float32)
    np.testing.assert_allclose(keep_color(content, content), content, atol=1e-6)
    grey = np.full((4, 4, 3), 0.5, np.float32)
    result = keep_color(content, grey)
    np.testing.assert_allclose(result, result[..., :1].repeat(3, -1), atol=1e-6)
    red = np.zeros((1, 1, 3), np.float32)
    red[..., 0] = 1
    np.testing.assert_array_equal(keep_color(np.ones_like(red), red)[0, 0, 0], 1)  # clipped
    with pytest.raises(ImageError, match=r"same shape. Received: \(1, 1, 3\) and \(4, 4, 3\)"):
        keep_color(red, grey)


def test_contact_sheet_places_images_in_cells():
    """20 by 10 in a cell of 40 becomes 40 by 20, and its row is 20 high; 10 by 10 fills a cell."""
    red = np.zeros((10, 20, 3), np.float32)
    red[..., 0] = 1
    blue = red[:, :10, ::-1]
    sheet = contact_sheet([[red, None], [blue, red]], cell=40, gap=4)
    assert sheet.mode == "RGB" and sheet.size == (4 + 2 * 44, 4 + 20 + 4 + 40 + 4)
    pixels = np.asarray(sheet)
    white = (255, 255, 255)
    assert (pixels[4:24, 4:44] == (255, 0, 0)).all()
    assert (pixels[4:24, 48:88] == 255).all()  # None stays blank
    assert (pixels[28:68, 4:44] == (0, 0, 255)).all()
    assert tuple(pixels[36, 60]) == white  # above: letterboxed, not cropped
    assert (pixels[38:58, 48:88] == (255, 0, 0)).all()
    assert contact_sheet([[red, red], [red]], cell=40, gap=4).size == (92, 52)  # a short row


def test_contact_sheet_labels():
    grey = np.full((8, 8, 3), 0.5, np.float32)
    rows = [[grey, grey], [grey, grey]]
    bare = contact_sheet(rows, cell=64)
    sheet = contact_sheet(
        rows, row_labels=["one", "a very long label " * 9], column_labels=["x", "y" * 99], cell=64
    )
    left, top = sheet.width - bare.width, sheet.height - bare.height
    assert 0 < left <= 64 + 8 and top > 0
    pixels = np.asarray(sheet)
    np.testing.assert_array_equal(pixels[top + 8 :, left + 8 :], np.asarray(bare)[8:, 8:])
    assert (pixels[: top + 8, left + 8 :] < 128).any()
    for y in (0, 1):
        assert (pixels[top + 8 + 72 * y :][:64, : left + 8] < 128).any()
    assert (pixels[: top + 8, left + 72 : left + 80] == 255).all()  # labels end at their cell


def test_contact_sheet_refuses():
    grey = np.full((8, 8, 3), 0.5, np.float32)
    for rows in ([], [[]]):
        with pytest.raises(InputError, match="at least one row"):
            contact_sheet(rows)
    with pytest.raises(InputError, match="one text per row. Expected 1. Received: 2"):
        contact_sheet([[grey]], row_labels=["a", "b"])
    with pytest.raises(InputError, match="one text per column"):
        contact_sheet([[grey]], column_labels=[])
    with pytest.raises(InputError, match="`cell` needs"):
        contact_sheet([[grey]], cell=0)
    with pytest.raises(ImageError, match="Received: uint8"):
        contact_sheet([[np.zeros((4, 4, 3), np.uint8)]])
