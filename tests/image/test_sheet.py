"""Contact sheets."""

import numpy as np
import pytest
from PIL import Image

from arbitrary_nst.errors import ImageError, InputError
from arbitrary_nst.image.sheet import columns_for, contact_sheet, side_by_side


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


def test_columns_make_a_sheet_of_the_shape_of_a_screen():
    """16 rows of 300 by 200 in 5 columns of 4, with the photos above each, are 1500 by 1000."""
    assert columns_for(16, 300, 200, top=200) == 5
    assert columns_for(3, 1000, 200) == 1
    assert columns_for(1, 10, 500) == 1 and columns_for(0, 10, 10) == 1


def test_sheets_side_by_side():
    red, blue = Image.new("RGB", (4, 6), "red"), Image.new("RGB", (3, 2), "blue")
    pixels = np.asarray(side_by_side([red, blue]))
    assert pixels.shape == (6, 7, 3)
    assert (pixels[:, :4] == (255, 0, 0)).all() and (pixels[:2, 4:] == (0, 0, 255)).all()
    assert (pixels[2:, 4:] == 255).all()


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
