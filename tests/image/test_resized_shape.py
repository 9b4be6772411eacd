"""Sides of images at another size."""

import numpy as np
import pytest

from arbitrary_nst.errors import ImageTooLarge
from arbitrary_nst.image import resize
from arbitrary_nst.image.resizing import resized_shape
from arbitrary_nst.pipeline.arguments import Options
from arbitrary_nst.pipeline.contents import load_content


@pytest.mark.parametrize(
    ("shape", "longer_side", "expected"),
    [
        ((300, 400), 200, (150, 200)),
        ((400, 300, 3), 200, (200, 150)),
        ((1, 1000), 10, (1, 10)),  # never none
        ((2, 3), 6, (4, 6)),
        ((5, 10), 5, (2, 5)),  # a half goes to the even number
        ((915, 976), 1000, (938, 1000)),  # 937.5, which 1000 / 976 as a factor makes less
        ((30, 40), 10.5, (8, 10)),  # 7.875 and 10.5
    ],
)
def test_sides(shape, longer_side, expected):
    assert resized_shape(shape, longer_side) == expected


def test_resize_has_these_sides():
    assert resize(np.zeros((915, 976, 3), np.float32), longer_side=1000).shape == (938, 1000, 3)


@pytest.mark.parametrize("side", [2.0**31, 10**400, float("inf")])
def test_what_is_far_too_large_is_just_too_large(side):
    """It cannot be reckoned with, and is refused by whoever counts the pixels."""
    assert resized_shape((36, 48), side) == (3 * 2**29, 2**31)


def test_a_size_of_400_digits_is_refused(photo):
    with pytest.raises(ImageTooLarge, match="content image at size=999"):
        load_content(photo, Options(size=10**400 - 1, max_pixels=10**6))
