"""A batch by several processes of one machine, each with an engine.

Threads are not enough: with one thread for an operation, TensorFlow keeps to one core, however many
threads call it. With more threads for an operation it paints one picture faster, but takes a fifth
more work for it, and the last bits of a picture depend on their number.
"""

from __future__ import annotations

import contextlib
import functools
import itertools
import math
import multiprocessing
import os
import signal
import threading
from collections.abc import Generator, Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from typing import Any

from arbitrary_nst.batch import work
from arbitrary_nst.batch.files import Job, remove_leftovers
from arbitrary_nst.batch.settings import BatchSettings, EngineRecipe, make_engine, set_threads
from arbitrary_nst.batch.work import Outcome
from arbitrary_nst.engines.protocol import Engine
from arbitrary_nst.errors import WorkerDied

SHARE = 16  # photos that a process takes at once


def paint_by_processes(
    settings: BatchSettings, jobs: Sequence[Job], *, workers: int
) -> Generator[Outcome, None, None]:
    """`work.paint_jobs` by several processes; yields the outcomes in order.

    As always with processes, a program that calls this needs `if __name__ == "__main__":`.

    Args:
        settings: of the batch.
        jobs: in folders that exist.
        workers: processes, each with an engine and threads of its own.

    Raises:
        OSError: the disk is full.
        WorkerDied: a process was killed; what is painted stays.
    """
    share = max(1, min(SHARE, math.ceil(len(jobs) / (4 * workers))))
    context = multiprocessing.get_context("spawn")  # TensorFlow does not survive a fork
    # Without a lock, which a worker that is killed would keep for ever.
    stop = context.RawValue("b", 0)
    pool = ProcessPoolExecutor(workers, mp_context=context, initializer=_begin, initargs=(stop,))
    try:
        paint = functools.partial(_paint_share, settings)
        # One call more than processes, so that none has to wait for the next.
        for outcomes in work.ahead(pool, paint, _shares(jobs, share), workers + 2):
            yield from outcomes
    except BrokenProcessPool as error:
        raise WorkerDied(
            "A worker process was killed, perhaps for want of memory. The pictures that are "
            "painted stay; the same command goes on, with fewer --workers in less memory."
        ) from error
    finally:
        stop.value = 1
        pool.shutdown(cancel_futures=True)
        remove_leftovers(jobs)  # of a process that was killed; no other is left


class _Worker:
    """What a worker process knows from its beginning: when it is to stop."""

    stop: Any = None


def _begin(stop: Any) -> None:
    """In a worker, before its first photo."""
    # Ctrl-C reaches all processes of a terminal; only the first one is to act on it.
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    _Worker.stop = stop
    threading.Thread(target=_end_with_parent, daemon=True).start()


def _end_with_parent() -> None:
    """Ends this process when the one that started it has ended, however that was.

    One that is killed can tell nobody, and its workers would paint on, or wait for ever.
    """
    parent = multiprocessing.parent_process()
    if parent is not None:
        parent.join()
        os._exit(1)


def _shares(jobs: Sequence[Job], share: int) -> Iterator[list[Job]]:
    rest = iter(jobs)
    while part := list(itertools.islice(rest, share)):
        yield part


def _paint_share(settings: BatchSettings, jobs: list[Job]) -> list[Outcome]:
    """In a worker: paints a few photos, and leaves the rest of them when it is to stop."""
    outcomes: list[Outcome] = []
    stop = _Worker.stop
    if stop.value:
        return outcomes
    engine = _engine(settings.engine)
    with contextlib.closing(work.paint_jobs(engine, settings, jobs)) as painted:
        for outcome in painted:
            outcomes.append(outcome)
            if stop.value:
                break
    return outcomes


@functools.cache
def _engine(recipe: EngineRecipe) -> Engine:
    set_threads(recipe.threads)
    return make_engine(recipe)
