"""A picture that takes minutes, as a generator, between whose steps a visitor may cancel."""

from __future__ import annotations

import contextlib
import queue
import threading
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import NamedTuple

from PIL import Image

from arbitrary_nst.pipeline.arguments import Progress


class Report(NamedTuple):
    """`done` of `total` steps, and the picture so far, or None."""

    done: int
    total: int
    preview: Image.Image | None


def in_steps(paint: Callable[[Progress], Image.Image]) -> Iterator[Report | Image.Image]:
    """What a function tells its `progress`, as it comes, and at last its picture.

    The function runs in a thread of its own. Closing the generator ends it at its next step.

    Args:
        paint: takes a `progress`, as `stylize` does.

    Yields:
        A `Report` for each step, and the picture.

    Raises:
        Exception: whatever the function raises.
    """
    # One report at most lies ready: the work does not run ahead of who watches it.
    reports: queue.Queue[Report | None] = queue.Queue(maxsize=1)
    stop = threading.Event()

    def hand_over(report: Report | None) -> None:
        while not stop.is_set():
            with contextlib.suppress(queue.Full):
                reports.put(report, timeout=0.1)
                return

    def progress(done: int, total: int, message: str, preview: Image.Image | None = None) -> None:
        hand_over(Report(done, total, preview))
        if stop.is_set():
            raise InterruptedError

    def work() -> Image.Image:
        try:
            return paint(progress)
        finally:
            hand_over(None)

    with ThreadPoolExecutor(1, "minutes") as pool:
        painting = pool.submit(work)
        try:
            while (report := reports.get()) is not None:
                yield report
        finally:
            stop.set()
    yield painting.result()
