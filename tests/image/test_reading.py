"""Reading images: kinds of sources, modes, transparency."""

import io
import struct
import zlib

import numpy as np
import pytest
from drawn_images import encode, noise, png_chunk
from PIL import ExifTags, Image

from arbitrary_nst.errors import ImageError
from arbitrary_nst.image import load_image

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
