"""Ctrl-C and SIGTERM while a picture is made in steps: the picture so far is kept."""

from __future__ import annotations

import signal
import sys
import threading
from types import FrameType
from typing import Any

from arbitrary_nst.errors import StopPainting

SIGNALS = (signal.SIGINT, signal.SIGTERM)


class Stops:
    """From the first step of a picture on, a signal ends the work after the step that is made.

    Before it, and for the second signal, they do what they always do. A step of a large picture
    takes seconds, in which the picture so far would be lost to an exception that comes anywhere.
    """

    def __init__(self) -> None:
        self._before: dict[int, Any] = {}
        self._wanted = False

    def __enter__(self) -> Stops:
        return self

    def __exit__(self, *_: object) -> None:
        self._give_back()

    def after_this_step(self) -> None:
        """To be called after each step.

        Raises:
            StopPainting: there was a signal.
        """
        if self._wanted:
            self._wanted = False
            raise StopPainting
        if not self._before and threading.current_thread() is threading.main_thread():
            # One that is ignored, as Ctrl-C is in a shell's background, stays so.
            heard = [n for n in SIGNALS if signal.getsignal(n) is not signal.SIG_IGN]
            self._before = {number: signal.signal(number, self._stop) for number in heard}

    def _stop(self, number: int, frame: FrameType | None) -> None:
        self._wanted = True
        self._give_back()
        print("\narbitrary-nst: ends after this step", file=sys.stderr)

    def _give_back(self) -> None:
        for number, handler in self._before.items():
            signal.signal(number, handler)
        # Not emptied: who asked for an end once is not to be asked again.
        if not self._wanted:
            self._before = {}
