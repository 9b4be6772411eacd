"""What a video is, apart from its frames, and what a frame is."""

from __future__ import annotations

from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path
from typing import NamedTuple

import numpy as np

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
        num_frames: as many as there are packets, or pictures of an animation.
        time_base: the unit of all times, in seconds.
        rate: mean number of frames a second.
        seconds: how long it is.
        color: how its colours are stored.
        aspect: width of a pixel by its height.
        sounds: names of the codecs of its audio streams.
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
    is_animation: bool = False


class Frame(NamedTuple):
    """One frame, upright.

    `rgb`: uint8 `(H, W, 3)`; `alpha`: uint8 `(H, W)`, or None where there is no transparency;
    `time` and `duration`: in units of the clip's time base, the duration 0 where it is unknown.
    """

    rgb: np.ndarray
    alpha: np.ndarray | None
    time: int
    duration: int


def usual_matrix(height: int) -> int:
    """The matrix that players assume where a file names none."""
    return 1 if height >= HD_ROWS else 6
