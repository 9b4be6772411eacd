"""Animated pictures in, by Pillow: GIF, WebP, PNG and AVIF."""

from __future__ import annotations

from collections.abc import Iterator
from fractions import Fraction
from pathlib import Path

import numpy as np
from PIL import Image

from arbitrary_nst.errors import VideoError
from arbitrary_nst.video.clip import Clip, Color, Frame, usual_matrix

ANIMATIONS = ("GIF", "WEBP", "PNG", "AVIF")  # formats of Pillow
MILLISECOND = Fraction(1, 1000)
# As browsers do with frames that are to be shown for no time at all.
NO_DURATION, DEFAULT_DURATION = 10, 100  # milliseconds


def open_animation(path: Path) -> Clip | None:
    """The clip, where the file is an image of some kind; None where it is none.

    Raises:
        VideoError: it is a single image, or damaged.
    """
    try:
        image = Image.open(path)
    except (OSError, Image.DecompressionBombError, ValueError):
        return None
    with image:
        if image.format not in ANIMATIONS or getattr(image, "n_frames", 1) == 1:
            raise VideoError(
                f"{str(path)!r} is a single image ({image.format}), not a video. "
                f"Paint it with `stylize`."
            )
        try:
            durations = [_duration(frame) for frame in _shown(image)]
        except (OSError, EOFError, ValueError, SyntaxError) as error:
            raise VideoError(
                f"The animation {str(path)!r} is damaged or cut short: {error}. Save it anew."
            ) from error
        total = sum(durations)
        return Clip(
            path,
            *image.size,
            num_frames=len(durations),
            time_base=MILLISECOND,
            rate=Fraction(1000 * len(durations), total),
            seconds=total / 1000,
            color=Color(usual_matrix(image.height)),
            loops=_loops(image),
            is_animation=True,
        )


def animation_frames(clip: Clip) -> Iterator[Frame]:
    """The frames of an animation, and their times in milliseconds."""
    time = 0
    with Image.open(clip.path) as image:
        for frame in _shown(image):
            rgba = np.asarray(frame.convert("RGBA"))
            alpha = None if (rgba[..., 3] == 255).all() else rgba[..., 3]
            duration = _duration(frame)
            yield Frame(rgba[..., :3], alpha, time, duration)
            time += duration


def _shown(image: Image.Image) -> Iterator[Image.Image]:
    """The image at each of its frames, but for one that is for viewers without animation."""
    first = 1 if getattr(image, "default_image", False) else 0  # of a PNG
    for index in range(first, getattr(image, "n_frames", 1)):
        image.seek(index)
        yield image


def _loops(image: Image.Image) -> int | None:
    if image.format == "AVIF":
        return 0  # Pillow does not tell
    loops = image.info.get("loop")
    # What a GIF says by saying nothing, the others say in words.
    return None if loops == 1 and image.format != "GIF" else loops


def _duration(frame: Image.Image) -> int:
    frame.load()  # before that WebP does not know
    duration = round(frame.info.get("duration", 0))
    return duration if duration > NO_DURATION else DEFAULT_DURATION
