"""Files that are to be read whole."""

from __future__ import annotations

import errno
import os
import stat


def check_regular(path: str | os.PathLike[str]) -> None:
    """Raises `OSError` for a folder, a pipe or a device: a pipe would be waited for without end.

    What is not there raises `FileNotFoundError`.
    """
    if not stat.S_ISREG(os.stat(path).st_mode):
        raise OSError(errno.EINVAL, "it is a folder, a pipe or a device", os.fspath(path))
