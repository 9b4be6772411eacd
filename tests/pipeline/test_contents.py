"""Photos on their way to an engine, in groups of one size."""

import numpy as np
import pytest

from arbitrary_nst.errors import ImageError
from arbitrary_nst.pipeline import contents
from arbitrary_nst.pipeline.arguments import Options
from arbitrary_nst.pipeline.contents import Content, by_size, load_content


def photo(height, width):
    return Content(np.zeros((height, width, 3), np.float32), None)


def sizes(groups):
    return [[item and item.rgb.shape[:2] for item in group] for group in groups]


def grouped(items, most=None):
    return sizes(by_size(items, lambda item: item, most))


def test_neighbours_of_one_size():
    items = [photo(4, 5), photo(4, 5), photo(5, 4), photo(4, 5)]
    assert grouped(items) == [[(4, 5), (4, 5)], [(5, 4)], [(4, 5)]]
    assert grouped([]) == []


def test_as_many_as_have_room(monkeypatch):
    monkeypatch.setattr(contents, "BATCH_PIXELS", 45)
    items = [photo(4, 5)] * 5
    assert grouped(items) == [[(4, 5)] * 2, [(4, 5)] * 2, [(4, 5)]]
    assert grouped([photo(9, 9)] * 2) == [[(9, 9)], [(9, 9)]]
    assert grouped(items, 1) == [[(4, 5)]] * 5


def test_what_could_not_be_read_is_a_group_of_its_own():
    items = [photo(4, 5), None, None, photo(4, 5)]
    assert grouped(items) == [[(4, 5)], [None, None], [(4, 5)]]


def test_photos_before_a_broken_one_come_first():
    def items():
        yield photo(4, 5)
        raise ImageError("broken")

    groups = by_size(items(), lambda item: item)
    assert sizes([next(groups)]) == [[(4, 5)]]
    with pytest.raises(ImageError, match="broken"):
        next(groups)


def test_a_scaled_photo_and_its_transparency():
    rgba = np.ones((30, 40, 4), np.float32)
    content = load_content(rgba, Options(size=20, max_pixels=10**6))
    assert content.rgb.shape == (15, 20, 3) and content.alpha.shape == (15, 20)
    with pytest.raises(ImageError, match="at size=4000 is too large"):
        load_content(rgba, Options(size=4000, max_pixels=10**6))
