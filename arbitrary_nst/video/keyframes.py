"""The style of each moment of a video."""

from __future__ import annotations

import math
from collections.abc import Sequence
from itertools import pairwise
from typing import Any, NamedTuple

from arbitrary_nst.common.checks import is_real
from arbitrary_nst.embedding import Embedding, Weights, blend, normalize_weights
from arbitrary_nst.errors import InputError, StyleError
from arbitrary_nst.pipeline.styles import Style, Styles, list_of_styles


class Keyframe(NamedTuple):
    """A moment of a video, in seconds from its beginning, and the style that it has there."""

    time: float
    styles: Styles
    weights: Weights | None = None


def style_at(moments: Sequence[tuple[float, Embedding]], time: float) -> Embedding:
    """The style at a time: that of the nearest moment, or the blend of the two around it.

    Args:
        moments: times in seconds, rising, and embeddings of one network.
        time: in seconds.
    """
    for (start, before), (stop, after) in pairwise(moments):
        if time < stop:
            share = max(0.0, (time - start) / (stop - start))
            return blend([before, after], [1 - share, share])
    return moments[-1][1]


def read_keyframes(
    styles: Any, weights: Weights | None
) -> tuple[list[float], list[Style], list[list[tuple[int, float]]]]:
    """Takes the argument `styles` of `stylize_video` apart.

    Args:
        styles: keyframes, or styles without a time, as for `stylize`.
        weights: of styles without a time.

    Returns:
        The times in seconds, all styles, and for each time the places of its styles among them
        with their shares.

    Raises:
        InputError: the times do not rise, or the weights do not fit.
        StyleError: there is no style, or only some have a time.
    """
    keyframes = [styles] if isinstance(styles, Keyframe) else styles
    is_list = isinstance(keyframes, (list, tuple)) and len(keyframes) > 0
    if not is_list or not any(isinstance(part, Keyframe) for part in keyframes):
        keyframes = [Keyframe(0, styles, weights)]
    elif weights is not None:
        raise InputError("`weights` is for styles without times: a keyframe has its own weights.")
    _check_times(keyframes)
    parts: list[Style] = []
    groups = []
    for _, own, shares in keyframes:
        own = list_of_styles(own)
        groups.append(list(enumerate(normalize_weights(shares, len(own)), start=len(parts))))
        parts += own
    return [float(keyframe.time) for keyframe in keyframes], parts, groups


def _check_times(keyframes: Sequence[Any]) -> None:
    last = -math.inf
    for number, keyframe in enumerate(keyframes, start=1):
        if not isinstance(keyframe, Keyframe):
            raise StyleError(
                f"Keyframes and styles without a time cannot be mixed: number {number} is "
                f"{keyframe!r:.100}. Expected: Keyframe(SECONDS, STYLE)."
            )
        time = keyframe.time
        if not is_real(time) or not 0 <= time < math.inf:
            raise InputError(
                f"The time of keyframe {number} is a number of seconds from 0 up. "
                f"Received: {time!r}."
            )
        if time <= last:
            raise InputError(
                f"Keyframes come in the order of their times. Received: {time:g} s after "
                f"{last:g} s."
            )
        last = time
