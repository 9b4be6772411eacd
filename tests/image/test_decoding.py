"""Pixels that Pillow hands on otherwise than they are meant."""

import struct
import zlib

import numpy as np
import pytest
from drawn_images import encode, png_chunk
from PIL import Image

from arbitrary_nst.errors import ImageError
from arbitrary_nst.image import load_image

RAMP = np.linspace(0, 65535, 32 * 32).astype(np.uint16).reshape(32, 32)


def grey_tiff(photometric, bits, rows, *, form=1, width=32, extra=()):
    """A TIFF of one strip; `extra` are further tags: (tag, type, count, value)."""
    height, data = len(rows), rows.tobytes()
    tags = [
        *((256, 4, 1, width), (257, 4, 1, height), (258, 3, 1, bits), (259, 3, 1, 1)),
        *((262, 3, 1, photometric), (273, 4, 1, 8), (277, 3, 1, 1), (278, 4, 1, height)),
        *((279, 4, 1, len(data)), (339, 3, 1, form)),
    ]
    tags = sorted({tag[0]: tag for tag in [*tags, *extra]}.values())
    head = b"II*\0" + struct.pack("<I", 8 + len(data))
    table = struct.pack("<H", len(tags)) + b"".join(struct.pack("<HHII", *t) for t in tags)
    return head + data + table + bytes(4)


@pytest.mark.parametrize("photometric", [0, 1])
def test_white_is_zero(photometric):
    """Scanners and X-ray machines write 0 for white."""

    def stored(values, white):
        return white - values if photometric == 0 else values

    deep = stored(RAMP, np.uint16(65535)).astype("<u2")
    rgb, _ = load_image(grey_tiff(photometric, 16, deep))
    np.testing.assert_allclose(rgb[..., 0], RAMP / 65535, atol=1e-6)
    flat = stored(RAMP // 257, np.uint16(255)).astype(np.uint8)
    rgb, _ = load_image(grey_tiff(photometric, 8, flat))
    np.testing.assert_allclose(rgb[..., 0], RAMP // 257 / 255, atol=1e-6)
    real = stored(RAMP / 65535, 1).astype("<f4")
    rgb, _ = load_image(grey_tiff(photometric, 32, real, form=3))
    np.testing.assert_allclose(rgb[..., 0], RAMP / 65535, atol=1e-6)


def test_twelve_bits():
    """Two numbers in three bytes: 0x123, 0xfff; 0, 0x800."""
    rows = np.array([[0x12, 0x3F, 0xFF], [0x00, 0x08, 0x00]], np.uint8)
    rgb, _ = load_image(grey_tiff(1, 12, rows, width=2))
    np.testing.assert_allclose(rgb[..., 1] * 4095, [[0x123, 0xFFF], [0, 0x800]], atol=0.04)


def transparent_png(depth, kind, row, width, colour):
    head = struct.pack(">IIBBBBB", width, 1, depth, kind, 0, 0, 0)
    start = b"\x89PNG\r\n\x1a\n" + png_chunk(b"IHDR", head) + png_chunk(b"tRNS", colour)
    return start + png_chunk(b"IDAT", zlib.compress(b"\0" + row)) + png_chunk(b"IEND", b"")


@pytest.mark.parametrize("depth", [1, 2, 4, 8, 16])
def test_a_transparent_grey(depth):
    """Black and white by turns; first white is transparent, then black."""
    white = 2**depth - 1
    number = 0
    for value in [0, white] * 4:
        number = number << depth | value
    for colour, expected in ((white, [1, 0] * 4), (0, [0, 1] * 4)):
        row = number.to_bytes(depth, "big")
        data = transparent_png(depth, 0, row, 8, struct.pack(">H", colour))
        _, alpha = load_image(data)
        np.testing.assert_array_equal(alpha, [expected])


@pytest.mark.parametrize("depth", [8, 16])
def test_a_transparent_colour(depth):
    form = ">3H" if depth == 16 else ">3B"
    scale = 257 if depth == 16 else 1
    colours = [(9 * scale, 8 * scale, 7 * scale), (200 * scale, 8 * scale, 7 * scale)]
    row = b"".join(struct.pack(form, *colour) for colour in colours)
    data = transparent_png(depth, 2, row, 2, struct.pack(">3H", *colours[0]))
    _, alpha = load_image(data)
    np.testing.assert_array_equal(alpha, [[0, 1]])


def test_integers_of_which_nobody_can_tell_what_is_white():
    values = np.tile(np.arange(256, dtype=np.int32), (4, 1))
    for source in (Image.fromarray(values), encode(Image.fromarray(values), "TIFF")):
        with pytest.raises(ImageError, match="largest is 255, so that white may be 255 or 65535"):
            load_image(source)
    rgb, _ = load_image(Image.fromarray(values * 0))
    assert not rgb.any()
    rgb, _ = load_image(b"P5 2 1 65535\n" + struct.pack(">2H", 7, 255))  # a dark one, surely
    np.testing.assert_allclose(rgb[0, :, 0] * 65535, [7, 255], rtol=1e-6)


@pytest.mark.parametrize(
    ("tags", "message"),
    [
        ([(262, 3, 1, 2), (277, 3, 1, 3), (258, 3, 1, 32)], "floating point"),
        ([(338, 3, 1, 1), (277, 3, 1, 2), (258, 3, 1, 16)], "1 of them beside the colours"),
        ([(262, 3, 1, 5), (277, 3, 1, 5), (338, 3, 1, 2), (258, 3, 1, 16)], "interpretation 5"),
    ],
)
def test_kinds_of_tiff_that_pil_does_not_know(tags, message):
    data = grey_tiff(1, 16, np.zeros((4, 64), np.float32), form=3, extra=tags)
    with pytest.raises(ImageError, match=f"is a TIFF of a kind that cannot be read.*{message}"):
        load_image(data)


def test_the_message_on_tensors():
    class Tensor:
        def __array__(self, dtype=None, copy=None):
            raise RuntimeError("Can't call numpy() on Tensor that requires grad")

    with pytest.raises(ImageError, match=r"cannot become a NumPy array.*requires grad.*detach"):
        load_image(Tensor())
