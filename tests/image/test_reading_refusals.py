"""Reading images: what is refused, and how."""

import io
import pickle
import random
import struct
import time
import warnings

import numpy as np
import pytest
from drawn_images import LINEAR_RGB, encode, noise, png_header
from PIL import Image

from arbitrary_nst.errors import ImageError, ImageNotFound, ImageTooLarge, InputError
from arbitrary_nst.image import load_image, reading


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
