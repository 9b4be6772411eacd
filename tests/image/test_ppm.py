"""Portable anymaps: as Pillow decodes them, and at once."""

import io
import time

import numpy as np
import pytest
from PIL import Image

from arbitrary_nst.errors import ImageError
from arbitrary_nst.image import load_image
from arbitrary_nst.image.ppm import decoded_at_once

RNG = np.random.default_rng(0)


def ppm(magic, values, white, size=(5, 4)):
    head = f"{magic}\n# made by hand\n{size[0]} {size[1]}\n" + (f"{white}\n" if white else "")
    if magic in ("P1", "P2", "P3"):
        return (head + "\n".join(map(str, values)) + "\n").encode()
    kind = np.uint8 if white < 256 else ">u2"
    return head.encode() + np.asarray(values).astype(kind).tobytes()


@pytest.mark.parametrize("white", [1, 3, 100, 254, 255, 256, 1000, 4095, 65535])
@pytest.mark.parametrize("magic", ["P1", "P2", "P3", "P5", "P6"])
def test_values_are_those_of_pillow(magic, white):
    bands = 3 if magic in ("P3", "P6") else 1
    values = RNG.integers(0, 2 if magic == "P1" else white + 1, 20 * bands)
    data = ppm(magic, values, 0 if magic == "P1" else white)
    theirs = Image.open(io.BytesIO(data))
    file = io.BytesIO(data)
    ours = decoded_at_once(Image.open(file), file)
    deep = theirs.mode == "I"
    expected = np.asarray(theirs) if deep else np.asarray(theirs.convert("RGB"))
    np.testing.assert_array_equal(
        np.asarray(ours) if deep else np.asarray(ours.convert("RGB")), expected
    )
    rgb, _ = load_image(data)
    np.testing.assert_allclose(
        rgb[..., 0] * (65535 if deep else 255), expected if deep else expected[..., 0], rtol=1e-6
    )


def test_a_megapixel_of_16_bits_takes_no_second():
    data = ppm("P6", np.full(3_000_000, 0x1234), 65535, (1000, 1000))
    begun = time.process_time()
    rgb, _ = load_image(data)
    assert time.process_time() - begun < 1
    np.testing.assert_array_equal(rgb, np.float32(18) / np.float32(255))


@pytest.mark.parametrize(
    ("data", "message"),
    [
        (ppm("P6", [300] * 59, 1000), "59 values of 60"),
        (ppm("P5", [300] * 19, 1000), "19 values of 20"),
        (ppm("P3", [3] * 59, 7), "59 values of 60"),
        (ppm("P2", [3] * 19 + ["x"], 7), "19 values of 20"),
        (ppm("P2", [], 7), "0 values of 20"),
        (ppm("P2", [3] * 19 + [8], 7), "a value is 8, and white 7"),
        (ppm("P2", [3] * 19 + ["9" * 40], 7), "and white 7"),
        (ppm("P1", [1] * 19 + [2], 0), "neither 0 nor 1"),
        (ppm("P1", [1] * 19, 0), "19 values of 20"),
    ],
)
def test_what_is_damaged(data, message):
    with pytest.raises(ImageError, match=f"cannot be read.*{message}"):
        load_image(data)


def test_comments_and_blanks_between_values():
    data = b"P2\n2 2\n9\n0 3 # 7 7\n\t6\r\n9\n"
    np.testing.assert_array_equal(np.rint(load_image(data)[0][..., 0] * 9), [[0, 3], [6, 9]])
    np.testing.assert_array_equal(load_image(b"P1 3 1\n01 # 1\n0")[0][0, :, 0], [1, 0, 1])


def test_too_many_pixels_are_refused_before_they_are_decoded():
    with pytest.raises(ImageError, match="5 by 4 is 20 pixels"):
        load_image(ppm("P2", [], 7), max_pixels=19)
