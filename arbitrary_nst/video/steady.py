"""Less flicker in painted videos, and a measure of it; both follow the optical flow of the source.

A network that paints each frame for itself answers small changes of the frame, such as noise and
compression, with other strokes. Where the source only moves, the picture should only move: there
the frame before, carried along by the flow, is blended into the new one. Where something comes
into view, or the flow is wrong, it is not.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, NamedTuple

import numpy as np

from arbitrary_nst.common.extras import require
from arbitrary_nst.image.arrays import to_uint8

FLOW_SIDE = 640  # pixels: longer side at which flow is computed; it costs the same for 4K
# Of the flow there and back, in pixels squared: Sundaram, Brox, Keutzer 2010, "Dense point
# trajectories by GPU-accelerated large displacement optical flow", section 2.3.
FLOW_SLACK, FLOW_SHARE = 0.5, 0.01
SAME_LEVELS = 4  # of 255: what differs by less from one frame to the next has not moved
SAME_COLOR = 0.06  # difference of colours in the source at which half of the trust is gone
SAME_TONE = 0.1  # the same for colours of the picture, seen from afar: blurred by
STROKE = 4  # pixels
SAME_SCENE = 0.1  # with less of the frame to be followed there was a cut
MAX_BLEND = 0.9


class Past(NamedTuple):
    """What is kept of a frame for the next one: arrays float32 `(H, W, 3)`, RGB in `[0, 1]`.

    `content`: as it was read. `calm`: the same, steadied; it is what was painted. `picture`: the
    painted frame, steadied.
    """

    content: np.ndarray
    calm: np.ndarray
    picture: np.ndarray


class Motion(NamedTuple):
    """How a frame came about from the one before.

    `back`: float32 `(H, W, 2)`, for each pixel of the frame the way (x, y) in pixels to where it
    was; `valid`: bool `(H, W)`, false where that is not to be trusted.
    """

    back: np.ndarray
    valid: np.ndarray


def painted_steadily(
    past: Past | None,
    content: np.ndarray,
    strength: float,
    paint: Callable[[np.ndarray], np.ndarray],
) -> Past:
    """Paints a frame such that it follows from the one before.

    Both what is painted and the picture are blended with those of the frame before, moved along.
    The first takes away noise of the source, which a network answers with other strokes, and
    blurs nothing; the second takes away what is left.

    Args:
        past: what this function returned for the frame before; None for the first.
        content: the frame, float32 `(H, W, 3)`, RGB in `[0, 1]`.
        strength: from 0 (each frame for itself) to 1.
        paint: turns a frame into a picture of the same shape, dtype and range.

    Returns:
        The frame and its steadied picture, to be handed in with the next frame.
    """
    if past is None or strength == 0 or past.content.shape != content.shape:
        return Past(content, content, paint(content))
    motion = motion_between(past.content, content)
    trust = _trust(past.content, content, motion)
    if trust.mean() < SAME_SCENE:
        return Past(content, content, paint(content))
    share = (MAX_BLEND * strength * trust)[..., None]
    calm = content + share * (warp(past.calm, motion.back) - content)
    picture = paint(calm)
    before = warp(past.picture, motion.back)
    share *= _likeness(before, picture)[..., None]
    return Past(content, calm, picture + share * (before - picture))


def motion_between(before: np.ndarray, after: np.ndarray) -> Motion:
    """Optical flow from `after` back to `before`, checked against the flow in the other direction.

    Args:
        before: float32 `(H, W, 3)`, RGB in `[0, 1]`.
        after: of the same shape.

    Raises:
        ImportError: OpenCV is not installed.
    """
    cv2 = require("cv2")
    height, width = after.shape[:2]
    scale = min(1.0, FLOW_SIDE / max(height, width))
    size = max(16, round(width * scale)), max(16, round(height * scale))
    grays = [_gray(cv2, image, size) for image in (before, after)]
    flow = cv2.DISOpticalFlow_create(cv2.DISOPTICAL_FLOW_PRESET_MEDIUM)
    forth = flow.calc(*grays, None)
    back = flow.calc(*grays[::-1], None)
    gap = ((back + warp(forth, back)) ** 2).sum(axis=-1)
    length = (back**2).sum(axis=-1) + (forth**2).sum(axis=-1)
    valid = gap < FLOW_SHARE * length + FLOW_SLACK
    source_y, source_x = _source(back)
    valid &= (source_x >= 0) & (source_x <= size[0] - 1)
    valid &= (source_y >= 0) & (source_y <= size[1] - 1)
    # Where there is nothing to follow, as on a wall, flow goes astray; but nothing moves either.
    still = cv2.GaussianBlur(cv2.absdiff(*grays).astype(np.float32), (0, 0), 2) < SAME_LEVELS
    back[still & ~valid] = 0
    valid |= still
    if size != (width, height):
        back = cv2.resize(back, (width, height), interpolation=cv2.INTER_LINEAR)
        back *= np.array([width / size[0], height / size[1]], np.float32)
        valid = cv2.resize(valid.astype(np.uint8), (width, height), interpolation=0).astype(bool)
    return Motion(back, valid)


def warp(image: np.ndarray, back: np.ndarray) -> np.ndarray:
    """Moves an image: each pixel comes from where `back` says it was.

    Args:
        image: float32 `(H, W, C)`.
        back: float32 `(H, W, 2)`; see `Motion`.

    Returns:
        float32 `(H, W, C)`; pictures stay in their range. Bicubic, since a linear filter, again
        and again, would blur.
    """
    cv2 = require("cv2")
    source_y, source_x = _source(back)
    options = {"interpolation": cv2.INTER_CUBIC, "borderMode": cv2.BORDER_REPLICATE}
    moved = cv2.remap(image, source_x, source_y, **options)
    return moved.clip(0, 1) if image.shape[-1] == 3 else moved


def _trust(before: np.ndarray, after: np.ndarray, motion: Motion) -> np.ndarray:
    """From 0 to 1, float32 `(H, W)`: how surely each pixel shows what it showed a frame ago."""
    cv2 = require("cv2")
    # Blurred, so that the noise of the source, which is to be steadied, does not count as change.
    difference = cv2.GaussianBlur(after - warp(before, motion.back), (0, 0), 1.5)
    change = np.abs(difference).max(axis=-1)
    trust = np.exp2(-((change / SAME_COLOR) ** 2)) * motion.valid
    # A network looks at neighbourhoods: beside what has changed its strokes change, too.
    trust = cv2.erode(trust.astype(np.float32), np.ones((5, 5), np.uint8))
    return cv2.GaussianBlur(trust, (0, 0), 2)


def _likeness(before: np.ndarray, after: np.ndarray) -> np.ndarray:
    """From 0 to 1, float32 `(H, W)`: less where pictures differ by more than single strokes.

    Around what moves a network paints a halo, also on what stands still, which would be dragged.
    """
    cv2 = require("cv2")
    change = np.abs(cv2.GaussianBlur(after - before, (0, 0), STROKE)).max(axis=-1)
    return np.exp2(-((change / SAME_TONE) ** 2))


def _gray(cv2: Any, image: np.ndarray, size: tuple[int, int]) -> np.ndarray:
    gray = cv2.cvtColor(to_uint8(image), cv2.COLOR_RGB2GRAY)
    return cv2.resize(gray, size, interpolation=cv2.INTER_AREA)


def _source(back: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    y, x = np.indices(back.shape[:2], np.float32)
    return y + back[..., 1], x + back[..., 0]
