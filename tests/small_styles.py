"""Embeddings of a few numbers."""

import numpy as np

from arbitrary_nst.embedding import Embedding


def style(seed=0, name="wave", **changes):
    rng = np.random.default_rng(seed)
    arrays = {
        "in/gamma": rng.normal(1, 1, 4).astype(np.float32),
        "in/beta": rng.normal(0, 1, (2, 3)).astype(np.float32),
    }
    fields = {"engine": "cin", "network": "cin-16", "arrays": arrays, "name": name}
    return Embedding(**(fields | changes))


def assert_same_arrays(left, right):
    assert list(left.arrays) == list(right.arrays)
    for key in left.arrays:
        assert left.arrays[key].tobytes() == right.arrays[key].tobytes()
