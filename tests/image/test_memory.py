"""What reading a large photo takes: its numbers, and little beside them."""

import io
import sys

import numpy as np
import pytest
from PIL import ExifTags, Image

HEIGHT, WIDTH = 2400, 3200
ARRAY = HEIGHT * WIDTH * 3 * 4  # bytes of float32
READ = """
import re, sys
from arbitrary_nst.image import load_image
def peak():  # not `ru_maxrss`, which a process has from the one that started it
    return int(re.search(r"VmHWM:\\s*(\\d+)", open("/proc/self/status").read())[1]) * 1024
data = open(sys.argv[1], "rb").read()
load_image(open(sys.argv[2], "rb").read())  # what is imported on the way
before = peak()
rgb, alpha = load_image(data)
print(rgb.shape[0], peak() - before)
"""


def photo(kind):
    ramp = np.arange(WIDTH, dtype=np.uint32)[None] + np.arange(HEIGHT, dtype=np.uint32)[:, None]
    if kind == "16 bits":
        return Image.fromarray((ramp * 11).astype(np.uint16)), {"format": "PNG"}
    picture = Image.fromarray(np.stack([(ramp // 8 % 256).astype(np.uint8)] * 3, -1))
    if kind == "alpha":
        picture.putalpha(200)
        return picture, {"format": "PNG", "compress_level": 1}
    exif = Image.Exif()
    if kind == "turned":
        exif[ExifTags.Base.Orientation] = 6
    return picture, {"format": "JPEG", "exif": exif}


@pytest.mark.skipif(sys.platform != "linux", reason="the peak is read from /proc")
@pytest.mark.parametrize("kind", ["plain", "turned", "alpha", "16 bits"])
def test_a_large_photo_is_copied_less_than_once(kind, tmp_path, run_python):
    """A quarter is what Pillow has decoded; a second array as large was seen where it turned."""
    picture, options = photo(kind)
    buffer = io.BytesIO()
    picture.save(buffer, **options)
    (tmp_path / "large").write_bytes(buffer.getvalue())
    picture.crop((0, 0, 64, 48)).save(tmp_path / "small", **options)
    done = run_python("-c", READ, tmp_path / "large", tmp_path / "small")
    height, grown = (int(word) for word in done.stdout.split())
    assert height == (WIDTH if kind == "turned" else HEIGHT)
    array = ARRAY * (4 / 3 if kind == "alpha" else 1)
    assert 0.9 * array < grown < 2 * array + 10 * len(buffer.getvalue()) + 2**24
