"""Small files that would cost much to read: refused before Pillow walks them."""

import contextlib
import io
import struct
import time
import warnings

import numpy as np
import pytest
from drawn_images import encode, noise, png_chunk
from PIL import ExifTags, Image

from arbitrary_nst.errors import ImageError
from arbitrary_nst.image import budget, load_image

REFUSED = "would cost more to read than a picture should: .*"
# Tags of a TIFF of 8 by 8 pixels: tag, type, count, value.
SMALL = [
    *((256, 4, 1, 8), (257, 4, 1, 8), (258, 3, 1, 8), (259, 3, 1, 1), (262, 3, 1, 1)),
    *((273, 4, 1, 8), (277, 3, 1, 1), (278, 4, 1, 8), (279, 4, 1, 64)),
]


def tiff(tags, data=b"", order="<"):
    start = b"II*\0" if order == "<" else b"MM\0*"
    head = start + struct.pack(order + "IH", 8, len(tags))
    return head + b"".join(struct.pack(order + "HHII", *t) for t in tags) + bytes(4) + data


def overlapping(count, size, order="<"):
    """Tags of which each has the same bytes as its value."""
    return tiff(SMALL + [(1000 + n, 7, size, 8) for n in range(count)], bytes(size), order)


def with_chunk(png, chunk):
    return png[:33] + chunk + png[33:]  # after the header


@pytest.mark.parametrize("order", "<>")
def test_tags_that_share_their_bytes(order):
    data = overlapping(100, 50_000, order)
    with pytest.raises(ImageError, match=REFUSED + r"tags take 5\d{6} bytes"):
        load_image(data)
    png = with_chunk(encode(noise(), "PNG"), png_chunk(b"eXIf", data))
    with pytest.raises(ImageError, match=REFUSED + "tags take"):
        load_image(png)
    webp = encode(noise(), "WEBP", exif=data)
    with pytest.raises(ImageError, match=REFUSED + "tags take"):
        load_image(webp)
    # A JPEG has EXIF data in pieces of 64 kB, which are joined.
    jpeg, data = encode(noise(), "JPEG"), overlapping(100, 20_000, order)
    segment = b"\xff\xe1" + struct.pack(">H", len(data) + 8) + b"Exif\0\0" + data
    with pytest.raises(ImageError, match=REFUSED + "tags take"):
        load_image(jpeg[:2] + segment + jpeg[2:])
    segment = b"\xff\xe2" + struct.pack(">H", len(data) + 6) + b"MPF\0" + data
    with pytest.raises(ImageError, match=REFUSED + "tags take"):
        load_image(jpeg[:2] + segment + jpeg[2:])


def test_too_many_tags_and_numbers():
    with pytest.raises(ImageError, match=REFUSED + "3009 tags"):
        load_image(tiff(SMALL + [(1000, 1, 1, 0)] * 3000))
    many = [t for t in SMALL if t[0] != 273] + [(273, 4, 300_000, 200)]
    with pytest.raises(ImageError, match=REFUSED + "tag 273 has 300000 numbers"):
        load_image(tiff(many, bytes(1_200_000)))


def test_a_pil_image_with_such_exif_data_is_read_without_them():
    image = Image.fromarray(noise())
    image.info["exif"] = b"Exif\0\0" + overlapping(100, 50_000)
    with pytest.warns(UserWarning, match="damaged EXIF"):
        rgb, _ = load_image(image)
    np.testing.assert_array_equal(rgb * 255, noise())


def test_many_scans():
    jpeg = encode(Image.new("L", (2000, 2000), 128), "JPEG", progressive=True)
    last = jpeg.rindex(b"\xff\xda")
    many = jpeg[:-2] + jpeg[last:-2] * 120 + jpeg[-2:]
    with pytest.raises(ImageError, match=REFUSED + r"\d+ scans or more, .* 4000000 pixels"):
        load_image(many)
    small = encode(Image.new("L", (40, 40), 128), "JPEG", progressive=True)
    last = small.rindex(b"\xff\xda")
    load_image(small[:-2] + small[last:-2] * 120 + small[-2:])  # next to no work


def test_bytes_between_the_parts_of_a_jpeg():
    jpeg = encode(noise(16, 16), "JPEG")
    some = jpeg[:2] + b"\xff" * 100 + jpeg[2:]
    np.testing.assert_array_equal(load_image(some)[0], load_image(jpeg)[0])
    for filling in (b"\xff" * 10**5, b"\0" * 10**5, b"\xff\0" * 10**5):
        with pytest.raises(ImageError, match=REFUSED + "fill the space between"):
            load_image(jpeg[:2] + b"\xff" + filling + jpeg[2:])
    with pytest.raises(ImageError, match=REFUSED + "more than 20000 segments"):
        load_image(jpeg[:2] + b"\xff\xe5\0\2" * 30_000 + jpeg[2:])


def test_many_chunks_of_a_png():
    png = with_chunk(encode(noise(), "PNG"), png_chunk(b"abCd", b"") * 11_000)
    with pytest.raises(ImageError, match=REFUSED + r"more than 101\d\d chunks"):
        load_image(png)


def gif_start(gif):
    return 13 + 3 * (2 << (gif[10] & 7))


def test_long_comments_of_a_gif():
    gif = encode(Image.new("P", (6, 5)), "GIF")
    start = gif_start(gif)

    def commented(blocks, kind=b"\xfe"):
        return gif[:start] + b"!" + kind + (b"\xff" + b"a" * 255) * blocks + b"\0" + gif[start:]

    load_image(commented(200))
    with pytest.raises(ImageError, match=REFUSED + "comments or extensions"):
        load_image(commented(3000))
    load_image(commented(3000, b"\xff"))  # a profile, say: Pillow steps over it
    with pytest.raises(ImageError, match=REFUSED + "comments or extensions"):
        load_image(gif[:start] + b"!\xf9\0" * 200_000 + gif[start:])


def test_run_length_bmp():
    def bmp(width, size):
        head = struct.pack("<IiiHHIIIIII", 40, width, 1, 1, 8, 1, size, 0, 0, 0, 0)
        return b"BM" + struct.pack("<III", 54 + size, 0, 54 + 1024) + head + bytes(1024 + size)

    for data in (bmp(25_000_000, 4), bmp(8, 5 * 10**6)):
        with pytest.raises(ImageError, match=REFUSED + "run-length BMP"):
            load_image(data)


def test_a_header_of_a_ppm_without_an_end():
    with pytest.raises(ImageError, match=REFUSED + "header does not end"):
        load_image(b"P6 # " + b"a" * 10**5)
    with pytest.raises(ImageError, match=REFUSED + "header does not end"):
        load_image(b"P6\n8 8 255 "[:6] + b" " * 10**5)
    load_image(b"P6\n# a comment\n200 200 # and another\n255\n" + bytes(120_000))


def test_boxes_and_segments_of_a_jpeg_2000():
    boxed = b"\0\0\0\x0cjP  \r\n\x87\n"
    for data in (
        boxed + struct.pack(">I4s", 8, b"free") * 20_000,
        b"\xff\x4f\xff\x51" + struct.pack(">H", 2) + b"\xff\x64\0\2" * 20_000,
    ):
        with pytest.raises(ImageError, match=REFUSED + "more than 10000"):
            load_image(data)


def test_tiles_of_a_jpeg_2000():
    """The decoder makes room for all of them before it looks at the first: 700 MB for 2 kB."""
    picture = Image.new("RGB", (1600, 1600))
    whole = encode(picture, "JPEG2000", tile_size=(8, 8))
    for data in (whole, whole[:2000], encode(picture, "JPEG2000", tile_size=(8, 8), no_jp2=True)):
        with pytest.raises(ImageError, match=REFUSED + "it has 120000 tiles"):
            load_image(data)
    few = encode(picture, "JPEG2000", tile_size=(128, 64))
    assert load_image(few)[0].shape == (1600, 1600, 3)
    start = few.index(b"\xff\x51")
    no_size = few[: start + 22] + bytes(8) + few[start + 30 :]
    with pytest.raises(ImageError, match="damaged"):
        load_image(no_size)


def test_what_cameras_and_editors_write_is_read(tmp_path):
    exif = Image.Exif()
    exif[ExifTags.Base.Orientation] = 6
    exif[ExifTags.Base.ImageDescription] = "d" * 30_000
    picture = Image.fromarray(noise(64, 48))
    for kind in ("JPEG", "PNG", "WEBP", "TIFF"):
        options = {"progressive": True} if kind == "JPEG" else {}
        path = tmp_path / f"a.{kind.lower()}"
        picture.save(path, kind, exif=exif, **options)
        assert load_image(path)[0].shape == (48, 64, 3)
    for kind in ("GIF", "BMP", "PPM", "JPEG2000"):
        assert load_image(encode(picture, kind))[0].shape == (64, 48, 3)


def test_damage_beyond_the_first_frame_of_a_gif(tmp_path):
    frames = [Image.fromarray(noise(48, 64, seed=seed)).quantize() for seed in range(2)]
    single = encode(frames[0], "GIF")
    both = encode(frames[0], "GIF", save_all=True, append_images=frames[1:], duration=50)
    expected = load_image(single)[0]
    path = tmp_path / "a.gif"
    for length in range(len(single) + 60, len(both) - 1, 97):
        path.write_bytes(both[:length])
        for source in (both[:length], path):
            with warnings.catch_warnings(record=True) as said:
                warnings.simplefilter("always")
                rgb, _ = load_image(source)
            np.testing.assert_array_equal(rgb, expected)
            assert len(said) <= 1
    with pytest.warns(UserWarning, match="several frames; only the first is used"):
        load_image(both[:-100])


def test_remarks_of_pillow_are_not_passed_on():
    """A tag that lies beyond the end, of which Pillow warns."""
    exif = tiff([(272, 2, 4, 8), (700, 7, 50, 60), (274, 3, 1, 6)])[: 8 + 2 + 36] + bytes(80)
    png = with_chunk(encode(noise(), "PNG"), png_chunk(b"eXIf", exif))
    odd = tiff([t if t[0] != 259 else (259, 3, 2, 1) for t in SMALL], bytes(64))
    for data in (png, odd):
        with warnings.catch_warnings(record=True) as said:
            warnings.simplefilter("always")
            with contextlib.suppress(ImageError):
                load_image(data)
        assert [w for w in said if "PIL" in w.filename] == []


def test_counting_is_quick():
    """Thirty megabytes of what takes longest, and the worst for regular expressions."""
    jpeg = encode(noise(16, 16), "JPEG")
    start = jpeg.index(b"\xff\xda")
    cases = [
        jpeg[:2] + b"\xff" * 30_000_000,
        jpeg[:-2] + b"\xff\0" * 15_000_000,
        jpeg[:start] + b"\xff\0" * 15_000_000,
        b"RIFF0000WEBP" + b"II*\0" * 7_000_000,
        b"GIF89a" + bytes(30_000_000),
        b"P6 " + b"1 " * 15_000_000,
    ]
    for data in cases:
        begun = time.process_time()
        with contextlib.suppress(ImageError):
            budget.check_budget(io.BytesIO(data), "image")
        assert time.process_time() - begun < 3
