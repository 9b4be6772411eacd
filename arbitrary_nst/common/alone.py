"""One run at a time in a folder."""

from __future__ import annotations

import contextlib
import os
from collections.abc import Iterator

from arbitrary_nst.errors import InputError

try:
    import fcntl
except ImportError:  # Windows: nobody notices a second run there
    fcntl = None  # type: ignore[assignment]


@contextlib.contextmanager
def alone_in(folder: str | os.PathLike[str]) -> Iterator[None]:
    """Holds a folder that exists, so that a second run does not take away what the first needs.

    It is held until the block or the process ends, however that does, and nothing is left in the
    folder. On a file system without locks nothing is held.

    Raises:
        InputError: another run holds it.
    """
    if fcntl is None:
        yield
        return
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise InputError(
                f"Another run is at work in {os.fspath(folder)!r}. Wait for it, stop it, or choose "
                f"another output."
            ) from None
        except OSError:  # no locks there, as with some network file systems
            pass
        yield
    finally:
        os.close(descriptor)
