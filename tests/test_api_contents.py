"""`stylize` and `stylize_many`: the photos that go in."""

import io

import numpy as np
import pytest
from pictures import encoded, pixels, same
from PIL import ExifTags, Image

from arbitrary_nst import stylize, stylize_many
from arbitrary_nst.engines.cin import Cin
from arbitrary_nst.errors import ImageError, ImageNotFound, ImageTooLarge, InputError, StyleError
from arbitrary_nst.image import to_pil

# Contents.


def test_every_kind_of_content_gives_the_same_picture(network, photo, tmp_path):
    array = pixels(to_pil(photo))
    png = encoded(Image.fromarray(array))
    path = tmp_path / "photo.png"
    path.write_bytes(png)
    expected = stylize(array, "scream")
    assert expected.mode == "RGB" and expected.size == (40, 32)
    for content in (
        path,
        str(path),
        png,
        bytearray(png),
        io.BytesIO(png),
        Image.fromarray(array),
        array.astype(np.float32) / 255,
        array.astype(np.float64) / 255,
    ):
        same(stylize(content, "scream"), expected)
    with open(path, "rb") as file:
        same(stylize(file, "scream"), expected)


def test_grey_photos(network, photo):
    grey = photo[..., 0]
    expected = stylize(np.repeat(grey[..., None], 3, axis=-1), "scream")
    same(stylize(grey, "scream"), expected)
    same(stylize(grey[..., None], "scream"), expected)


def test_alpha_comes_back(network, photo):
    alpha = np.linspace(0.01, 1, 32 * 40, dtype=np.float32).reshape(32, 40, 1)
    content = np.concatenate([photo, alpha], axis=-1)
    picture = stylize(content, "scream")
    assert picture.mode == "RGBA"
    np.testing.assert_array_equal(pixels(picture)[..., 3], np.rint(alpha[..., 0] * 255))
    np.testing.assert_array_equal(pixels(picture)[..., :3], pixels(stylize(photo, "scream")))
    small = stylize(content, "scream", size=20)
    assert small.mode == "RGBA" and small.size == (20, 16)


def test_colour_under_transparency_does_not_matter(network, photo):
    alpha = np.ones((32, 40, 1), np.float32)
    alpha[8:24, 10:30] = 0
    pictures = []
    for hidden in (0.0, 1.0):
        content = np.concatenate([photo, alpha], axis=-1)
        content[8:24, 10:30, :3] = hidden
        pictures.append(stylize(content, "scream"))
    same(*pictures)


def test_the_size_is_that_of_the_upright_photo(network, photo):
    exif = Image.Exif()
    exif[ExifTags.Base.Orientation] = 6
    picture = stylize(encoded(to_pil(photo), exif=exif), "scream")
    assert picture.size == (32, 40)
    same(picture, stylize(np.rot90(pixels(to_pil(photo)), -1), "scream"))


def test_contents_are_not_modified(network, photo):
    before = photo.copy()
    stylize(photo, ["scream", "great-wave"], strength=0.5, color="content", size=24)
    np.testing.assert_array_equal(photo, before)


# Several photos.


def test_many_gives_what_one_by_one_gives(network, make_photo, tmp_path):
    sizes = [(32, 40), (32, 40), (17, 23), (32, 40), (40, 32)]
    contents = [make_photo(*size, seed) for seed, size in enumerate(sizes)]
    path = tmp_path / "a.png"
    to_pil(contents[2]).save(path)
    contents[2] = path
    options = {"strength": 0.6, "color": "content"}
    expected = [stylize(content, ["scream", "great-wave"], **options) for content in contents]
    found = list(stylize_many(contents, ["scream", "great-wave"], **options))
    assert [picture.size for picture in found] == [(w, h) for h, w in sizes]
    for first, second in zip(found, expected, strict=True):
        difference = np.abs(pixels(first).astype(int) - pixels(second))
        assert difference.max() <= 1
    generated = stylize_many((content for content in contents), ["scream", "great-wave"], **options)
    for first, second in zip(generated, found, strict=True):
        same(first, second)


def test_equal_sizes_run_as_one_batch_up_to_a_limit(network, make_photo, monkeypatch):
    batches = []

    class Counting(Cin):
        def render_batch(self, contents, embeddings, *, seed=0):
            batches.append(len(contents))
            return super().render_batch(contents, embeddings, seed=seed)

    contents = [make_photo(32, 40)] * 3 + [make_photo(16, 16)] + [make_photo(32, 40)]
    list(stylize_many(contents, "scream", engine=Counting()))
    assert batches == [3, 1, 1]
    batches.clear()
    monkeypatch.setattr("arbitrary_nst.pipeline.contents.BATCH_PIXELS", 2 * 32 * 40)
    list(stylize_many(contents, "scream", engine=Counting()))
    assert batches == [2, 1, 1, 1]


def test_many_of_none(network):
    assert list(stylize_many([], "scream")) == []
    assert list(stylize_many(iter(()), "scream")) == []
    with pytest.raises(StyleError, match="no style named"):
        stylize_many([], "nope")


@pytest.mark.parametrize(
    "contents",
    ["a.jpg", b"x", None, 5, np.zeros((4, 4, 3)), Image.new("RGB", (4, 4)), io.BytesIO()],
)
def test_a_single_photo_is_not_many(network, contents, tmp_path):
    with pytest.raises(InputError, match="`contents` must be a list of photos; for a single photo"):
        stylize_many(contents, "scream")
    with pytest.raises(InputError, match=r"Received: PosixPath|Received: WindowsPath"):
        stylize_many(tmp_path, "scream")


def test_photos_before_a_broken_one_come_out(network, photo):
    pictures = stylize_many([photo, photo, "missing.png", photo], "scream")
    for _ in range(2):
        assert next(pictures).size == (40, 32)
    with pytest.raises(ImageNotFound, match="content image 'missing.png' does not exist"):
        next(pictures)


def test_many_checks_at_the_call(network, photo, tmp_path):
    with pytest.raises(StyleError, match="no style named"):
        stylize_many([photo], "nope")
    with pytest.raises(ImageNotFound, match="does not exist"):
        stylize_many([tmp_path / "no.png"], "scream")


@pytest.mark.parametrize(
    ("content", "error", "message"),
    [
        ("missing.png", ImageNotFound, "content image 'missing.png' does not exist"),
        (b"", ImageError, r"content image \(given as bytes\) is empty"),
        (b"text", ImageError, "not an image"),
        (None, ImageError, "given as NoneType"),
        (np.full((20, 20, 3), np.nan), ImageError, "NaN"),
        (np.zeros((0, 20, 3)), ImageError, "no pixels"),
        (np.zeros((20, 20, 2)), ImageError, "wrong shape"),
        (np.zeros((10, 10, 3)), ImageError, "at least 16x16"),
        (np.zeros((9000, 9000), np.uint8), ImageTooLarge, "max_pixels=64000000"),
    ],
)
def test_wrong_contents(network, content, error, message):
    with pytest.raises(error, match=message):
        stylize(content, "scream")
