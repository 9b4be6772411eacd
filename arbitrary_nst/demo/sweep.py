"""Visitors' files leave again: by age while the demo runs, all at its end, and those left before.

Gradio has a cleaner of its own, which ends at the first upload that comes while it walks.
"""

from __future__ import annotations

import contextlib
import os
import shutil
import signal
import tempfile
import threading
import time
from collections.abc import Iterator
from pathlib import Path

try:
    import fcntl
except ImportError:  # Windows: a folder left behind stays until the system clears it
    fcntl = None  # type: ignore[assignment]

PREFIX = "arbitrary-nst-demo-"
LOCK = ".in-use"


@contextlib.contextmanager
def private_folder() -> Iterator[None]:
    """Uploads and pictures go into a folder of this run alone, which is deleted at the end.

    Gradio's own default is one folder for all runs and all users of the machine.
    """
    remove_stale()
    before = os.environ.get("GRADIO_TEMP_DIR")
    with tempfile.TemporaryDirectory(prefix=PREFIX, ignore_cleanup_errors=True) as folder:
        os.environ["GRADIO_TEMP_DIR"] = folder
        try:
            with open(Path(folder, LOCK), "w") as lock:
                if fcntl is not None:  # held until the process ends, however it does
                    fcntl.flock(lock, fcntl.LOCK_EX)
                yield
        finally:
            if before is None:
                del os.environ["GRADIO_TEMP_DIR"]
            else:
                os.environ["GRADIO_TEMP_DIR"] = before


def remove_stale() -> None:
    """Deletes the folders of runs that were killed: those whose lock nobody holds."""
    if fcntl is None:
        return
    for folder in Path(tempfile.gettempdir()).glob(f"{PREFIX}*"):
        # An error: another user's, one in use, or one that has just begun.
        with contextlib.suppress(OSError), open(folder / LOCK) as lock:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
            shutil.rmtree(folder, ignore_errors=True)


@contextlib.contextmanager
def ended_by_sigterm() -> Iterator[None]:
    """SIGTERM ends the demo as Ctrl-C does, so that what has to be cleaned up is.

    By another exception than in other commands, since Gradio takes that of Ctrl-C for an end
    without a code.
    """
    if threading.current_thread() is not threading.main_thread():
        yield
        return

    def end(number: int, frame: object) -> None:
        raise SystemExit(128 + number)

    before = signal.signal(signal.SIGTERM, end)
    try:
        yield
    finally:
        signal.signal(signal.SIGTERM, before)


def start_sweeping(folder: Path, every: float, keep_for: float) -> threading.Event:
    """Deletes what lies in the folder and is older than `keep_for`, as long as the process lives.

    What is there now is the page's own, and stays.

    Args:
        folder: Gradio's folder for uploads and pictures.
        every: seconds between two looks.
        keep_for: seconds.

    Returns:
        What ends it when it is set.
    """
    stays = set(_files(folder))
    stop = threading.Event()

    def sweep_on() -> None:
        while not stop.wait(every):
            with contextlib.suppress(OSError):
                sweep(folder, time.time() - keep_for, stays)

    threading.Thread(target=sweep_on, name="sweep", daemon=True).start()
    return stop


def sweep(folder: Path, before: float, stays: set[Path]) -> None:
    """Deletes the files that were written before this time, and folders that are empty then."""
    for path in _files(folder):
        with contextlib.suppress(OSError):  # gone meanwhile
            if path not in stays and path.stat().st_mtime < before:
                path.unlink()
    for place, _, _ in os.walk(folder, topdown=False):
        with contextlib.suppress(OSError):  # not empty, or written into just now
            if Path(place) != folder and os.stat(place).st_mtime < before:
                os.rmdir(place)


def _files(folder: Path) -> list[Path]:
    found = (Path(place, name) for place, _, names in os.walk(folder) for name in names)
    return [path for path in found if path.name != LOCK]
