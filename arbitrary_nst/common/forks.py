"""Processes that were forked after TensorFlow had been at work, in which it would wait for ever."""

from __future__ import annotations

import os


class _First:
    """The process that was the first to ask for an engine; its forks have a copy of this."""

    process: int | None = None


def check_not_forked() -> None:
    """Refuses work in a process that was forked from one which has worked already.

    A fork copies memory, but not the threads of TensorFlow, for which the child would wait.

    Raises:
        RuntimeError: it is such a process.
    """
    if _First.process is None:
        _First.process = os.getpid()
    if _First.process != os.getpid():
        raise RuntimeError(
            "This process was forked from one that has already loaded an engine; TensorFlow's "
            "threads do not survive that, and it would wait for ever. Start processes with "
            "`multiprocessing.get_context('spawn')`, or fork before the first picture."
        )
