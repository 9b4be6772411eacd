"""How a photo is painted: the arguments that all callers share."""

import pickle

import numpy as np
import pytest

from arbitrary_nst.errors import ImageTooLarge, InputError
from arbitrary_nst.pipeline.arguments import Options


def test_numbers_of_numpy_become_pythons_own():
    """They are compared with JSON values, and sent to other processes."""
    options = Options(np.float32(0.5), size=np.int64(24), seed=np.uint8(3), max_memory=np.int32(9))
    assert options == Options(0.5, size=24, seed=3, max_memory=9.0)
    assert [type(options.strength), type(options.size), type(options.seed)] == [float, int, int]
    assert pickle.loads(pickle.dumps(options)) == options


@pytest.mark.parametrize(
    ("options", "shape"),
    [
        ({}, (300, 400)),
        ({"working_size": 100}, (75, 100)),
        ({"texture_scale": 2}, (150, 200)),
        ({"texture_scale": 0.5}, (600, 800)),
        ({"working_size": 1}, (1, 1)),
    ],
)
def test_the_shape_at_which_a_photo_is_painted(options, shape):
    assert Options(**options).working_shape(300, 400) == shape


@pytest.mark.parametrize(
    "options",
    [
        {"texture_scale": 0.001},
        {"texture_scale": 1e-300},
        {"texture_scale": 5e-324},
        {"working_size": 50_000},
        {"working_size": 401, "max_pixels": 120_000},
    ],
)
def test_the_limit_of_pixels_holds_for_what_is_painted(options):
    with pytest.raises(ImageTooLarge, match="picture to be painted at .* is too large"):
        Options(**options).working_shape(300, 400)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"strength": 2}, "`strength` is a number from 0 to 1"),
        ({"color": "photo"}, "`color` is"),
        ({"max_pixels": 0}, "`max_pixels` needs"),
        ({"max_memory": float("inf")}, "`max_memory` is a number above 0"),
        ({"working_size": 5, "texture_scale": 2.0}, "say the same thing in two ways"),
    ],
)
def test_wrong_values(options, message):
    with pytest.raises(InputError, match=message):
        Options(**options)
