"""A file of VGG19's weights, looked at before Keras reads it: HDF5 holds more than numbers."""

from __future__ import annotations

import math
from collections.abc import Iterator
from pathlib import Path

import h5py

MOST_BYTES = 2**30  # of all arrays; VGG19 with its classifier has 575 MB
MOST_TIMES = 100  # that arrays are larger than the file; what is packed may be, a little
MOST_PARTS = 10_000  # groups and arrays; VGG19 has some sixty


def check_file(path: str | Path) -> None:
    """Checks that a file holds its arrays itself, and that they are as large as it says.

    In a small file an array may be said to have any size, to lie in another file, or to be a group
    in which it lies itself. Keras' newest versions look at some of this.

    Raises:
        ValueError: one of these.
        Exception: whatever h5py raises where it is no HDF5 file, or a damaged one.
    """
    size, total = Path(path).stat().st_size, 0
    with h5py.File(path, "r") as file:
        for array in _arrays(file):
            if array.external or array.is_virtual:
                raise ValueError(f"the array {array.name!r:.200} lies in another file")
            total += math.prod(array.shape or (0,)) * array.dtype.itemsize
            if total > min(MOST_BYTES, MOST_TIMES * size):
                raise ValueError(
                    f"with {array.name!r:.200} its arrays are said to take {total} bytes, in a "
                    f"file of {size}"
                )


def _arrays(file: h5py.File) -> Iterator[h5py.Dataset]:
    """The arrays of a file, each once."""
    seen, groups = set(), [file]
    while groups:
        group = groups.pop()
        for name in group:
            if not isinstance(group.get(name, getlink=True), h5py.HardLink):
                raise ValueError(f"{name!r:.200} is a link to another place")
            part = group[name]
            place = h5py.h5o.get_info(part.id).addr
            if place in seen:
                continue
            seen.add(place)
            if len(seen) > MOST_PARTS:
                raise ValueError(f"it has more than {MOST_PARTS} parts")
            if isinstance(part, h5py.Group):
                groups.append(part)
            elif isinstance(part, h5py.Dataset):
                yield part
