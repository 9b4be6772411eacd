"""JSON that anybody may have written."""

from __future__ import annotations

import json
import os
import stat
from typing import Any

MOST = 2**26  # bytes of a file: a list of a hundred thousand paintings has a tenth of it


def parse_json(text: str | bytes) -> Any:
    """`json.loads`, where whatever is wrong with the text is a `ValueError`."""
    try:
        return json.loads(text)
    except RecursionError:
        raise ValueError("it is nested too deeply") from None


def read_json(path: str | os.PathLike[str]) -> Any:
    """The JSON of a file.

    Raises:
        OSError: it cannot be read.
        ValueError: it is no JSON, no regular file (a pipe would be waited for without end), or
            larger than such a file can be.
    """
    found = os.stat(path)
    if not stat.S_ISREG(found.st_mode):
        raise ValueError("it is no regular file")
    if found.st_size > MOST:
        raise ValueError(f"it has {found.st_size} bytes, more than the {MOST} that are read")
    with open(path, "rb") as file:
        return parse_json(file.read(MOST + 1).decode("utf-8"))
