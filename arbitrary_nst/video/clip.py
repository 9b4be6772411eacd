"""What a video is, apart from its frames, and what a frame is."""

from __future__ import annotations

from dataclasses import dataclass, field
from fractions import Fraction
from pathlib import Path
from typing import NamedTuple

import numpy as np

from arbitrary_nst.video.clock import Clock

UNSPECIFIED = 2  # of primaries, transfer and matrix; these are the numbers of ITU-T H.273
HD_ROWS = 720  # from here on an unspecified matrix is taken to be that of HDTV
# By number of the matrix: the number by which swscale knows it.
SWSCALE_MATRICES = {1: 1, 4: 4, 5: 5, 6: 5, 7: 7, 9: 9}


class Color(NamedTuple):
    """How a video stores colours: numbers of ITU-T H.273, and whether the full range is used."""

    matrix: int
    primaries: int = UNSPECIFIED
    transfer: int = UNSPECIFIED
    is_full: bool = False

    @property
    def swscale(self) -> tuple[int, int]:
        """Matrix and range as swscale wants them."""
        return SWSCALE_MATRICES[self.matrix], 2 if self.is_full else 1


@dataclass(frozen=True)
class Clip:
    """What is in a video file.

    Attributes:
        path: of the file.
        width: of the upright frames, in pixels.
        height: the same.
        num_frames: as many as there are packets that are shown, or pictures of an animation.
        time_base: the unit of all times, in seconds.
        rate: mean number of frames a second.
        seconds: how long it is.
        color: how its colours are stored.
        aspect: width of a pixel by its height.
        sounds: names of the codecs of its audio streams.
        clock: what is added to the times of its streams, so that they begin at 0.
        loops: of an animation, as its file says it: 0 for ever, None once.
        is_animation: whether Pillow reads it.
    """

    path: Path
    width: int
    height: int
    num_frames: int
    time_base: Fraction
    rate: Fraction
    seconds: float
    color: Color
    aspect: Fraction = Fraction(1)
    sounds: tuple[str, ...] = ()
    clock: Clock = field(default_factory=dict)
    loops: int | None = 0
    is_animation: bool = False


class Frame(NamedTuple):
    """One frame, upright.

    `rgb`: uint8 `(H, W, 3)`; `alpha`: uint8 `(H, W)`, or None where there is no transparency;
    `time` and `duration`: in units of the clip's time base, from the clip's beginning; the duration
    is 0 where it is unknown.
    """

    rgb: np.ndarray
    alpha: np.ndarray | None
    time: int
    duration: int


def usual_matrix(height: int) -> int:
    """The matrix that players assume where a file names none."""
    return 1 if height >= HD_ROWS else 6


def url(path: Path) -> str:
    """A file as FFmpeg is to be told of it: of `a:b.mp4` it would take the `a` for a protocol."""
    return f"file:{path}"
