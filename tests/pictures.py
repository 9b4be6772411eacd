"""Pictures compared and encoded."""

import io

import numpy as np


def pixels(picture):
    return np.asarray(picture)


def encoded(picture, file_format="PNG", **options):
    buffer = io.BytesIO()
    picture.save(buffer, file_format, **options)
    return buffer.getvalue()


def same(first, second):
    assert first.mode == second.mode
    np.testing.assert_array_equal(pixels(first), pixels(second))
