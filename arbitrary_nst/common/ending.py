"""SIGTERM, as `kill` and a shutdown send it, ends a command as Ctrl-C does.

So what is written in steps is kept (the checkpoint of a training), what is half written goes, and
programs that were started end. A shell's background has Ctrl-C ignored: there it is the only
polite way. The exit code still tells the two apart.
"""

from __future__ import annotations

import contextlib
import signal
import threading
from collections.abc import Iterator
from types import FrameType
from typing import NoReturn


class Terminated(KeyboardInterrupt):
    """SIGTERM came."""


def interrupt(number: int, frame: FrameType | None) -> NoReturn:
    """The handler of SIGTERM in a command. Raises `Terminated`."""
    raise Terminated


@contextlib.contextmanager
def interrupted_by_sigterm() -> Iterator[None]:
    """`interrupt` handles SIGTERM in the block.

    Does nothing outside the main thread, or where the program handles it in its own way.
    """
    in_main_thread = threading.current_thread() is threading.main_thread()
    if not in_main_thread or signal.getsignal(signal.SIGTERM) is not signal.SIG_DFL:
        yield
        return
    signal.signal(signal.SIGTERM, interrupt)
    try:
        yield
    finally:
        signal.signal(signal.SIGTERM, signal.SIG_DFL)


@contextlib.contextmanager
def held_interrupts() -> Iterator[None]:
    """Makes Ctrl-C wait for the end of the block, so that a step is taken whole or not at all.

    And SIGTERM, where it interrupts as Ctrl-C does. Does nothing outside the main thread, or where
    the program handles them in its own way.
    """
    in_main_thread = threading.current_thread() is threading.main_thread()
    numbers = (signal.SIGINT, signal.SIGTERM) if in_main_thread else ()
    interrupting = (signal.default_int_handler, interrupt)
    heard = [number for number in numbers if signal.getsignal(number) in interrupting]
    caught: list[int] = []
    before = {n: signal.signal(n, lambda number, frame: caught.append(number)) for n in heard}
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
    if caught:
        signal.raise_signal(caught[0])
