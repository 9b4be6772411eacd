"""Errors as messages on the page, in the words of the library."""

from __future__ import annotations

import functools
import html
import inspect
import logging
from collections.abc import Callable, Iterator
from typing import Any

import gradio as gr

from arbitrary_nst.errors import InputError, RenderError, WeightsUnavailable

_log = logging.getLogger(__name__)
_EXPECTED = (InputError, WeightsUnavailable, RenderError, ImportError)


def friendly(function: Callable) -> Callable:
    """Wraps an event handler: its errors become toasts, and never a bare "Error"."""
    if inspect.isgeneratorfunction(function):

        @functools.wraps(function)
        def generate(*arguments: Any, **options: Any) -> Iterator[Any]:
            try:
                yield from function(*arguments, **options)
            except Exception as error:
                raise _toast(error) from error

        return generate

    @functools.wraps(function)
    def call(*arguments: Any, **options: Any) -> Any:
        try:
            return function(*arguments, **options)
        except Exception as error:
            raise _toast(error) from error

    return call


def plainly(function: Callable) -> Callable:
    """Wraps a function of the API, whose errors are read by programs: they stay as they are."""

    @functools.wraps(function)
    def call(*arguments: Any, **options: Any) -> Any:
        try:
            return function(*arguments, **options)
        except Exception as error:
            text, title = _words(error)
            raise gr.Error(text, title=title, print_exception=False) from error

    return call


def note(text: str) -> None:
    """Shows a remark that is no error."""
    gr.Info(html.escape(text), duration=6)


def _toast(error: Exception) -> gr.Error:
    if isinstance(error, gr.Error):
        return error
    text, title = _words(error)
    # Gradio renders toasts as HTML, and the text may hold the name of a file.
    return gr.Error(html.escape(text), title=title, duration=12, print_exception=False)


def _words(error: Exception) -> tuple[str, str]:
    """What to say of an error, and the title of that."""
    if isinstance(error, _EXPECTED):
        return str(error), "This does not work"
    if isinstance(error, MemoryError):
        return "There is not enough memory for it. Choose a smaller size.", "Too large"
    _log.exception("an event of the demo failed")
    text = f"An unexpected {type(error).__name__}; whoever runs this demo finds it in the log."
    return text, "Something broke"


def no_photo() -> gr.Error:
    """What to raise where a photo is needed."""
    return gr.Error("Choose a photo first.", title="No photo yet", print_exception=False)
