"""One clock for all streams of a file: it begins at 0, and never goes back.

The clock of a recording counts from when the camera was switched on. Where recordings are put one
after the other it begins anew in the middle: the times of a stream come in stretches, each of which
needs an offset of its own.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from fractions import Fraction
from itertools import pairwise
from typing import Any, NamedTuple

JUMP_BACK = Fraction(1, 10)  # seconds; a smaller step back is a time out of order
JUMP_AHEAD = 10  # seconds, where a clock may jump; in other files so long a pause is meant
TS_DISCONT = 0x0200  # of FFmpeg's formats: of broadcasts, whose clock may jump
Clock = Mapping[int, tuple[Fraction, ...]]  # seconds to add, by stream, for each of its stretches


class Span(NamedTuple):
    """When a stretch of a stream begins and ends, in seconds as the file counts."""

    start: Fraction
    stop: Fraction


class Stretches:
    """Tells in which stretch of its stream each time lies. Times are asked for in their order.

    Args:
        container: of PyAV, in which the stream is.
        is_sparse: whether long pauses are usual, as between subtitles.
    """

    def __init__(self, container: Any, *, is_sparse: bool = False) -> None:
        self._may_jump = bool(container.format.flags & TS_DISCONT) and not is_sparse
        self._index = 0
        self._last: Fraction | None = None

    def of(self, time: Fraction) -> int:
        """The number of the stretch, from 0 up, of a time in seconds."""
        if self._last is not None:
            step = time - self._last
            self._index += step < -JUMP_BACK or (self._may_jump and step > JUMP_AHEAD)
        self._last = time
        return self._index


def clock_of(spans: Mapping[int, Sequence[Span]]) -> Clock:
    """The offsets with which all streams count from the beginning, and each stretch goes on.

    Args:
        spans: by stream, its stretches in their order.
    """
    # A start below 0 is that of sound which only prepares its decoder.
    starts = [stretches[0].start for stretches in spans.values()]
    origin = max(Fraction(0), min(starts, default=Fraction(0)))
    # Streams that jump together stay together; else each goes on for itself.
    together = len({len(stretches) for stretches in spans.values()}) == 1
    groups = [dict(spans)] if together else [{key: spans[key]} for key in spans]
    return {key: offsets for group in groups for key, offsets in _offsets(group, origin).items()}


def _offsets(
    group: Mapping[int, Sequence[Span]], origin: Fraction
) -> dict[int, tuple[Fraction, ...]]:
    offsets = [-origin]
    for before, after in pairwise(zip(*group.values(), strict=True)):
        stop = max(span.stop for span in before) + offsets[-1]
        offsets.append(stop - min(span.start for span in after))
    return {key: tuple(offsets) for key in group}


def offset(clock: Clock, stream: int, stretch: int) -> Fraction:
    """Seconds to add to a time of a stream; those of one that has no clock are of the first."""
    offsets = clock.get(stream) or next(iter(clock.values()), (Fraction(0),))
    return offsets[min(stretch, len(offsets) - 1)]
