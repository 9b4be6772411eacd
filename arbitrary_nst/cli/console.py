"""Runs a command: its errors and warnings as one line each, and the exit code."""

from __future__ import annotations

import contextlib
import io
import logging
import os
import sys
import warnings
from collections.abc import Iterator, Sequence

from arbitrary_nst.cli.parser import build_parser
from arbitrary_nst.common.extras import named
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
        0, or what the command returns; 2 after one line about what went wrong; 130 where the
        user pressed Ctrl-C.
    """
    options = build_parser().parse_args(arguments)
    if isinstance(sys.stdout, io.TextIOWrapper):
        # Names of files that are no UTF-8 come out as they came in, instead of as an error.
        sys.stdout.reconfigure(errors="surrogateescape")
    code = None
    with _own_words_only(options.debug):
        try:
            code = options.run(options)
            sys.stdout.flush()
        except KeyboardInterrupt:
            _complain("stopped")
            return 130
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


class _LineHandler(logging.Handler):
    def emit(self, record: logging.LogRecord) -> None:
        _complain(record.getMessage())


@contextlib.contextmanager
def _own_words_only(debug: bool) -> Iterator[None]:
    """Warnings and log records as plain lines on stderr, and nothing of what libraries say."""
    handler = _LineHandler(logging.WARNING)
    logger = logging.getLogger("arbitrary_nst")
    logging.getLogger("PIL").addHandler(logging.NullHandler())  # or Python prints what it logs
    logger.addHandler(handler)
    try:
        with warnings.catch_warnings(), _without_native_remarks(debug):
            warnings.showwarning = _show_warning
            yield
    finally:
        logger.removeHandler(handler)


@contextlib.contextmanager
def _without_native_remarks(debug: bool) -> Iterator[None]:
    """Sends what native code writes to stderr nowhere; Python's own `sys.stderr` stays.

    TensorFlow greets there with a dozen lines, and no setting of its own stops all of them.
    """
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "0" if debug else "3")
    python_stderr = sys.stderr
    try:
        redirected = not debug and python_stderr.fileno() == 2
    except (AttributeError, OSError):  # none, or an object in its place, as in a notebook
        redirected = False
    if not redirected:
        yield
        return
    encoding, errors = python_stderr.encoding, python_stderr.errors
    with open(os.dup(2), "w", buffering=1, encoding=encoding, errors=errors) as sys.stderr:
        with open(os.devnull, "wb") as nowhere:
            os.dup2(nowhere.fileno(), 2)
        try:
            yield
        finally:
            os.dup2(sys.stderr.fileno(), 2)
            sys.stderr.flush()
            sys.stderr = python_stderr


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
