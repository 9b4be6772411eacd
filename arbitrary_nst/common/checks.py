"""Checks of plain arguments: numbers, and callables. Each returns the value it checked."""

from __future__ import annotations

import math
import numbers
import operator
from typing import Any

from arbitrary_nst.errors import InputError


def positive_int(value: Any, name: str) -> int:
    try:
        number = 0 if isinstance(value, bool) else operator.index(value)
    except TypeError:
        number = 0
    if number < 1:
        raise InputError(f"`{name}` needs to be a whole number of at least 1. Received: {value!r}.")
    return number


def positive_number(value: Any, name: str) -> float:
    if not is_real(value) or not 0 < value < math.inf:
        raise InputError(f"`{name}` is a number above 0. Received: {value!r}.")
    return float(value)


def check_share(value: Any, name: str) -> float:
    if not is_real(value) or not 0 <= value <= 1:
        raise InputError(f"`{name}` is a number from 0 to 1. Received: {value!r}.")
    return float(value)


def check_style_scale(scale: Any) -> float:
    if not is_real(scale) or not 0.25 <= scale <= 4:
        raise InputError(f"`style_scale` is a number from 0.25 to 4. Received: {scale!r:.100}.")
    return float(scale)


def whole_number(value: Any, name: str) -> int:
    if not isinstance(value, numbers.Integral) or isinstance(value, bool) or value < 0:
        raise InputError(f"`{name}` is a whole number from 0 up. Received: {value!r}.")
    return int(value)


def check_quality(quality: Any) -> int:
    if positive_int(quality, "quality") > 100:
        raise InputError(f"`quality` goes from 1 to 100. Received: {quality}.")
    return int(quality)


def check_progress(progress: Any) -> None:
    if progress is not None and not callable(progress):
        raise InputError(f"`progress` is a callable, or None. Received: {progress!r}.")


def is_real(value: Any) -> bool:
    """Whether a value is a number, of Python or NumPy, and not a bool."""
    return isinstance(value, numbers.Real) and not isinstance(value, bool)
