"""Directories of tags, as TIFF files and EXIF data have them: what they ask for, before it is done.

Every tag may point anywhere, so a thousand of them can point at the same half megabyte, and
Pillow copies it for each. Here nothing is copied.
"""

from __future__ import annotations

import struct
from dataclasses import dataclass

MOST_TAGS = 2000  # files of cameras and scanners have less than 200
MOST_NUMBERS = 200_000  # of a single tag: strips of a picture, for one
SHARED_BYTES = 2**16  # that tags may have in common: some writers keep equal values once

IMAGE_WIDTH, BITS, PHOTOMETRIC, SAMPLES = 256, 258, 262, 277
EXTRA_SAMPLES, SAMPLE_FORMAT = 338, 339
STARTS = (b"II*\0", b"MM\0*", b"II\0*", b"MM*\0", b"II+\0", b"MM\0+")  # as many as Pillow takes

# Bytes of a number of each type.
_SIZES = {1: 1, 2: 1, 3: 2, 4: 4, 5: 8, 6: 1, 7: 1, 8: 2, 9: 4, 10: 8, 11: 4, 12: 8, 13: 4, 16: 8}
_TEXTS = (1, 2, 6, 7)  # types whose values stay bytes
_UNSIGNED = {1: "B", 3: "H", 4: "L"}


@dataclass(frozen=True)
class Tag:
    """A tag: its type, how many values it has, and where they are."""

    kind: int
    count: int
    start: int

    @property
    def size(self) -> int:
        """Of the values, in bytes."""
        return self.count * _SIZES[self.kind]


class Directory:
    """The first directory of a TIFF file, or of EXIF data.

    Args:
        data: bytes, or what can be sliced like them; begins with the byte order.
        start: of another directory in the same data; None: the first.

    Raises:
        ValueError: there is none.
    """

    def __init__(self, data: bytes | memoryview, start: int | None = None) -> None:
        if bytes(data[:4]) not in STARTS:
            raise ValueError("these are no tags")
        self._data = data
        self._order = "<" if data[:2] == b"II" else ">"
        is_big = 43 in (data[2], data[3])
        entry = self._order + ("HHQ8s" if is_big else "HHL4s")
        pointer, number, room = ("Q", "Q", 8) if is_big else ("L", "H", 4)
        try:
            (top,) = struct.unpack_from(self._order + pointer, data, 8 if is_big else 4)
            top = top if start is None else start
            (self.count,) = struct.unpack_from(self._order + number, data, top)
        except struct.error as error:
            raise ValueError("the directory of tags is cut short") from error
        self.tags: dict[int, Tag] = {}
        self.num_bytes = 0
        place = top + struct.calcsize(self._order + number)
        for _ in range(min(self.count, MOST_TAGS + 1)):
            if place + struct.calcsize(entry) > len(data):
                break
            tag, kind, count, value = struct.unpack_from(entry, data, place)
            if kind in _SIZES:
                inside = count * _SIZES[kind] <= room
                start = place + struct.calcsize(entry) - room
                if not inside:
                    (start,) = struct.unpack(self._order + pointer, value)
                self.tags[tag] = Tag(kind, count, start)
                # What lies beyond the end is not there to be copied.
                self.num_bytes += max(0, min(self.tags[tag].size, len(data) - start))
            place += struct.calcsize(entry)

    def numbers(self, tag: int, default: tuple[int, ...]) -> tuple[int, ...]:
        """The values of a tag of whole numbers, 16 at most; the default where there are none."""
        found = self.tags.get(tag)
        if found is None or found.kind not in _UNSIGNED:
            return default
        form = f"{self._order}{min(found.count, 16)}{_UNSIGNED[found.kind]}"
        try:
            return struct.unpack_from(form, self._data, found.start) or default
        except struct.error:
            return default

    def fault(self) -> str:
        """Why reading the tags would cost too much; empty where it does not."""
        if self.count > MOST_TAGS:
            return f"it has {self.count} tags, more than {MOST_TAGS}"
        if self.num_bytes > len(self._data) + SHARED_BYTES:
            return f"its tags take {self.num_bytes} bytes, and all of it has {len(self._data)}"
        for tag, found in self.tags.items():
            if found.count > MOST_NUMBERS and found.kind not in _TEXTS:
                return f"its tag {tag} has {found.count} numbers, more than {MOST_NUMBERS}"
        return ""


def tags_fault(data: bytes | memoryview) -> str:
    """`Directory.fault` of EXIF data, which may begin with its name; empty for what is none."""
    while data[:6] == b"Exif\0\0":
        data = data[6:]
    try:
        return Directory(data).fault()
    except ValueError:
        return ""
