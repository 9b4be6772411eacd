"""Runs a command: its errors and warnings as one line each, and the exit code."""

from __future__ import annotations

import contextlib
import io
import logging
import os
import signal
import sys
import warnings
from collections.abc import Iterator, Sequence

from arbitrary_nst.cli.parser import build_parser
from arbitrary_nst.common.ending import Terminated, interrupted_by_sigterm
from arbitrary_nst.common.extras import named
from arbitrary_nst.common.quiet import quiet, writes_to_descriptor_2
from arbitrary_nst.errors import InputError, RenderError, WeightsUnavailable, WorkerDied

EXPECTED_ERRORS = (
    InputError,
    WeightsUnavailable,
    RenderError,
    WorkerDied,
    ImportError,
    OSError,
)


def main(arguments: Sequence[str] | None = None) -> int:
    """Runs one command.

    Returns:
        0, or what the command returns; 2 after one line about what went wrong; 130 where Ctrl-C
        ended it, 143 where SIGTERM did, which shells make of 128 and the signal's number.
    """
    _open_streams()
    words = sys.argv[1:] if arguments is None else arguments
    command = next((word for word in words if not word.startswith("-")), None)
    options = build_parser(command).parse_args(arguments)
    if isinstance(sys.stdout, io.TextIOWrapper):
        # Names of files that are no UTF-8 come out as they came in, instead of as an error.
        sys.stdout.reconfigure(errors="surrogateescape")
    code = None
    with _own_words_only(options.debug), interrupted_by_sigterm():
        try:
            code = options.run(options)
            sys.stdout.flush()
        except KeyboardInterrupt as end:
            _complain("stopped")
            return 128 + (signal.SIGTERM if isinstance(end, Terminated) else signal.SIGINT)
        except BrokenPipeError:
            # The reader of our output, such as `head`, has seen enough. What Python still holds
            # for it goes nowhere, instead of into a second error at exit.
            os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        except Exception as error:
            if options.debug:
                raise
            _complain(_describe(error))
            return 2
    return code or 0


def _open_streams() -> None:
    """Standard streams that were closed, as `>&-` and some services leave them, lead nowhere.

    The next file that is opened, a picture perhaps, would take the number of one of them, and what
    is printed would go into it.
    """
    for number in range(3):
        try:
            os.fstat(number)
        except OSError:
            os.open(os.devnull, os.O_RDWR)  # gets the lowest number that is free: this one
    for name in ("stdin", "stdout", "stderr"):
        if getattr(sys, name) is None:
            mode = "r" if name == "stdin" else "w"
            setattr(sys, name, open(os.devnull, mode, encoding="utf-8"))  # noqa: SIM115


class _LineHandler(logging.Handler):
    def emit(self, record: logging.LogRecord) -> None:
        _complain(record.getMessage())


@contextlib.contextmanager
def _own_words_only(debug: bool) -> Iterator[None]:
    """Warnings and log records as plain lines on stderr, and nothing of what libraries say."""
    handler = _LineHandler(logging.WARNING)
    logger = logging.getLogger("arbitrary_nst")
    passed_on, logger.propagate = logger.propagate, False  # TensorFlow Hub's would say it again
    logging.getLogger("PIL").addHandler(logging.NullHandler())  # or Python prints what it logs
    logger.addHandler(handler)
    try:
        with warnings.catch_warnings(), _native_remarks(debug):
            warnings.showwarning = _show_warning
            yield
    finally:
        logger.removeHandler(handler)
        logger.propagate = passed_on


@contextlib.contextmanager
def _native_remarks(debug: bool) -> Iterator[None]:
    """Silent, unless everything is wanted, or something stands in the place of `sys.stderr`."""
    if debug:
        os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "0")
        yield
        return
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
    with quiet() if writes_to_descriptor_2(sys.stderr) else contextlib.nullcontext():
        yield


def _complain(text: str) -> None:
    print(f"arbitrary-nst: {' '.join(text.split())}", file=sys.stderr)


def _describe(error: Exception) -> str:
    if isinstance(error, ImportError):
        error = named(error)
    if isinstance(error, EXPECTED_ERRORS):
        return str(error)
    if isinstance(error, MemoryError):
        return f"There is not enough memory; a smaller --size needs less. {error}"
    return f"Unexpected {type(error).__name__}: {error} (--debug shows where)"


def _show_warning(message, category, filename, lineno, file=None, line=None) -> None:
    # The library's own remarks, without the line of code that they come from.
    _complain(f"warning: {message}")
