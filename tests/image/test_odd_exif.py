"""Photos whose EXIF data are odd, as some cameras write them."""

import io

import numpy as np
import pytest
from PIL import ExifTags, Image, ImageOps

from arbitrary_nst.image import load_image

STORED = np.arange(2 * 3 * 3, dtype=np.uint8).reshape(2, 3, 3) * 10


def encoded(orientation):
    """A PNG with this orientation, and a text where the standard has a number."""
    exif = Image.Exif()
    exif[ExifTags.Base.Orientation] = orientation
    exif[ExifTags.Base.Software] = "text"
    data = exif.tobytes()
    tag, other = (int(t).to_bytes(2, "big") for t in (0x0131, ExifTags.Base.ImageWidth))
    assert data.count(tag) == 1
    file = io.BytesIO()
    Image.fromarray(STORED).save(file, "PNG", exif=data.replace(tag, other))
    return file.getvalue()


def test_the_photo_is_upright_whatever_the_other_tags_say():
    with pytest.raises(Exception, match="required argument is not an integer"):
        ImageOps.exif_transpose(Image.open(io.BytesIO(encoded(6))))
    rgb, _ = load_image(encoded(6))
    np.testing.assert_array_equal(np.rint(rgb * 255), np.rot90(STORED, -1))


@pytest.mark.parametrize("orientation", [0, 1, 9, 65535])
def test_orientations_that_mean_nothing(orientation):
    rgb, _ = load_image(encoded(orientation))
    np.testing.assert_array_equal(np.rint(rgb * 255), STORED)
