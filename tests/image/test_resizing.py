"""Sizes and colours of pictures."""

import numpy as np
import pytest

from arbitrary_nst.errors import ImageError, InputError
from arbitrary_nst.image import keep_color, resize


def test_resize_shapes():
    image = np.random.default_rng(0).random((30, 20, 3), np.float32)
    assert resize(image, longer_side=15).shape == (15, 10, 3)
    assert resize(image, longer_side=60).shape == (60, 40, 3)
    assert resize(image[..., 0], longer_side=15).shape == (15, 10)
    assert resize(image, shape=(7, 50)).shape == (7, 50, 3)
    assert resize(image[:, :1], longer_side=3).shape == (3, 1, 3)
    assert resize(image.astype(np.float64), longer_side=np.int64(15)).dtype == np.float32
    same = resize(image, longer_side=30)
    np.testing.assert_array_equal(same, image)
    assert not np.shares_memory(same, image)


def test_resize_values():
    flat = np.full((12, 8, 3), 0.3, np.float32)
    np.testing.assert_allclose(resize(flat, shape=(5, 9)), 0.3, atol=1e-6)
    ramp = np.broadcast_to(np.linspace(0, 1, 64, dtype=np.float32), (4, 64))
    fine = resize(ramp, shape=(4, 32))
    np.testing.assert_allclose(fine[0, 4:-4], ramp[0].reshape(32, 2).mean(1)[4:-4], atol=1e-3)
    assert len(np.unique(resize(ramp / 255, shape=(4, 32)))) > 16  # no detour through 8 bits
    edge = np.zeros((4, 32), np.float32)
    edge[:, 16:] = 1
    wide = resize(edge, shape=(4, 100))  # Lanczos overshoots beside an edge
    assert wide.min() == 0 and wide.max() == 1


@pytest.mark.parametrize(
    "arguments",
    [
        {},
        {"longer_side": 4, "shape": (4, 4)},
        {"longer_side": 0},
        {"longer_side": -3},
        {"longer_side": 2.5},
        {"longer_side": True},
        {"shape": (0, 4)},
    ],
)
def test_resize_refuses(arguments):
    with pytest.raises(InputError, match="longer_side|`shape` needs"):
        resize(np.zeros((4, 4, 3), np.float32), **arguments)


def test_resize_refuses_images():
    for image in (np.zeros((4, 4, 4)), np.zeros(4), np.zeros((4, 4, 3), np.uint8)):
        with pytest.raises(ImageError, match=r"\(H, W\) or \(H, W, 3\)"):
            resize(image, longer_side=2)


def test_keep_color_takes_luma_from_one_and_chroma_from_the_other():
    """Checked against the matrix of YIQ, https://en.wikipedia.org/wiki/YIQ (FCC NTSC)."""
    to_yiq = np.array(
        [[0.299, 0.587, 0.114], [0.5959, -0.2746, -0.3213], [0.2115, -0.5227, 0.3112]]
    )
    rng = np.random.default_rng(0)
    stylized, content = rng.uniform(0.4, 0.6, (2, 5, 4, 3)).astype(np.float32)  # nothing clips
    before = stylized.copy(), content.copy()
    result = keep_color(stylized, content)
    assert result.dtype == np.float32
    got, first, second = (array @ to_yiq.T for array in (result, stylized, content))
    np.testing.assert_allclose(got[..., 0], first[..., 0], atol=1e-5)
    np.testing.assert_allclose(got[..., 1:], second[..., 1:], atol=1e-4)
    np.testing.assert_array_equal(stylized, before[0])
    np.testing.assert_array_equal(content, before[1])


def test_keep_color_edges():
    content = np.random.default_rng(1).random((4, 4, 3), np.float32)
    np.testing.assert_allclose(keep_color(content, content), content, atol=1e-6)
    grey = np.full((4, 4, 3), 0.5, np.float32)
    result = keep_color(content, grey)
    np.testing.assert_allclose(result, result[..., :1].repeat(3, -1), atol=1e-6)
    red = np.zeros((1, 1, 3), np.float32)
    red[..., 0] = 1
    np.testing.assert_array_equal(keep_color(np.ones_like(red), red)[0, 0, 0], 1)  # clipped
    with pytest.raises(ImageError, match=r"same shape. Received: \(1, 1, 3\) and \(4, 4, 3\)"):
        keep_color(red, grey)
