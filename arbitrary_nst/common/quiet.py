"""Keeps TensorFlow's greetings off the terminal."""

from __future__ import annotations

import contextlib
import logging
import os
import sys
import threading
from typing import TextIO

_silent = threading.Lock()  # held for as long as it is silent


def quiet() -> contextlib.ExitStack:
    """Sends what native code writes to the terminal nowhere; Python's own lines stay.

    TensorFlow greets with a dozen lines on standard error when it is loaded, and no setting of its
    own stops all of them. The command line calls this by itself; a program or a notebook calls it
    once, before the first picture. Python's errors, warnings and tracebacks are printed as before,
    except by log handlers that were given `sys.stderr` earlier.

    It holds for the whole process: processes that are started meanwhile inherit the silence, their
    Python errors included, and so do crashes of native code.

    Returns:
        What ends it: the silence holds from the call to the end of the process, or to
        `.close()`, or to the end of a `with`. Where it is silent already, a call changes nothing.

    Examples:
        >>> with quiet():
        ...     picture = stylize("photo.jpg", "starry-night")
    """
    undo = contextlib.ExitStack()
    if not _silent.acquire(blocking=False):
        return undo
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
    try:
        kept = os.dup(2)
    except OSError:  # there is no standard error
        _silent.release()
        return undo
    logger = logging.getLogger("tensorflow")
    level, before = logger.level, sys.stderr
    if writes_to_descriptor_2(before):
        before.flush()
        sys.stderr = open(  # noqa: SIM115
            kept, "w", buffering=1, encoding=before.encoding, errors=before.errors, closefd=False
        )
    during = sys.stderr
    with open(os.devnull, "wb") as nowhere:
        os.dup2(nowhere.fileno(), 2)
    logger.setLevel(max(level, logging.ERROR))

    def restore() -> None:
        with contextlib.suppress(AttributeError, OSError, ValueError):
            during.flush()
        os.dup2(kept, 2)
        os.close(kept)
        if sys.stderr is during:  # nobody has put another in its place meanwhile
            sys.stderr = before
        logger.setLevel(level)
        _silent.release()

    undo.callback(restore)
    return undo


def writes_to_descriptor_2(stream: TextIO | None) -> bool:
    """Whether a stream is the process's standard error itself, as `sys.stderr` is in a terminal."""
    try:
        return stream is not None and stream.fileno() == 2
    except (AttributeError, OSError, ValueError):  # an object in its place, as in a notebook
        return False
