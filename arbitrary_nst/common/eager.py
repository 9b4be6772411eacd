"""Painting by TensorFlow at once, whatever the program around it has made of TensorFlow."""

from __future__ import annotations

import functools
import sys
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any, ParamSpec, TypeVar

from arbitrary_nst.errors import InputError

Arguments = ParamSpec("Arguments")
Result = TypeVar("Result")


def eagerly(function: Callable[Arguments, Result]) -> Callable[Arguments, Result]:
    """Lets a function that takes and gives arrays run at once, also while a graph is traced.

    What is made inside a graph, such as in `tf.function` or `Dataset.map`, belongs to that graph.
    A network that is loaded there and kept would make every later call fail.

    Raises (when called):
        InputError: eager execution is switched off in this program.
    """

    @functools.wraps(function)
    def run(*args: Arguments.args, **kwargs: Arguments.kwargs) -> Result:
        tf = loaded_tensorflow()
        # A program that has not loaded it has no graph.
        if tf is None or tf.executing_eagerly():
            return function(*args, **kwargs)
        # Graphs belong to threads. (`tf.init_scope` would not do: it stops gradients, too.)
        with ThreadPoolExecutor(1) as outside:
            outside.submit(check_eager).result()
            return outside.submit(function, *args, **kwargs).result()

    return run


def loaded_tensorflow() -> Any:
    """The module, or None where this process has not loaded it, or not yet.

    For the seconds that another thread needs to import it, it is there without its functions.
    """
    tf = sys.modules.get("tensorflow")
    return tf if hasattr(tf, "executing_eagerly") else None


def check_eager() -> None:
    """Raises `InputError` inside a graph, and where eager execution is switched off."""
    import tensorflow as tf

    if not tf.executing_eagerly():
        raise InputError(
            "TensorFlow does not execute eagerly here, and painting needs it. Paint outside of "
            "graphs, and leave out `tf.compat.v1.disable_eager_execution()`, or paint in a process "
            "of its own."
        )
