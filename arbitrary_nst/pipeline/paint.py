"""From photos and a style to pictures: strength, strokes' scale, regions, colours, memory."""

from __future__ import annotations

import functools
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from PIL import Image

from arbitrary_nst.embedding import Embedding, blend
from arbitrary_nst.image import keep_color, resize, scaled_photo, to_pil
from arbitrary_nst.image.arrays import as_floats, to_uint8
from arbitrary_nst.pipeline.detail import restore_detail
from arbitrary_nst.pipeline.regions import Regions, cover_of, weights_of

DEFAULT_MAX_MEMORY = 2e9  # bytes
ROWS_PIXELS = 2**21
Photo = tuple[np.ndarray, np.ndarray | None]  # colours (H, W, 3) and alpha (H, W)
Progress = Callable[..., None]  # (done, total, message, preview=None)


@dataclass(frozen=True)
class Job:
    """What a photo is painted with, checked and embedded.

    Args:
        style: the blend, for the whole photo.
        regions: styles for parts of the photo, in place of `style`.
        strength: from 0, the photo, to 1.
        color: "style" or "content".
        seed: of what is random.
        working_size: longer side in pixels to paint at; None: the photo's own.
        texture_scale: times which strokes are larger than painted at the photo's own size.
        max_memory: bytes that an engine may take for one picture.
    """

    style: Embedding
    regions: Regions | None = None
    strength: float = 1.0
    color: str = "style"
    seed: int = 0
    working_size: int | None = None
    texture_scale: float = 1.0
    max_memory: float = DEFAULT_MAX_MEMORY

    def working_shape(self, height: int, width: int) -> tuple[int, int]:
        """Height and width at which a photo is painted."""
        longest = max(height, width)
        side = self.working_size or longest / self.texture_scale
        return max(1, round(height * side / longest)), max(1, round(width * side / longest))


def paint(
    engine: Any, job: Job, progress: Progress | None, group: Sequence[Photo]
) -> list[Image.Image]:
    """The pictures of photos of one shape.

    Args:
        engine: that paints them.
        job: what they are painted with.
        progress: told the steps of engines with steps, and the passes over large photos.
        group: the photos; colours float32 in `[0, 1]`, or uint8 where a photo is large.
    """
    photos = [rgb for rgb, _ in group]
    height, width = photos[0].shape[:2]
    shape = job.working_shape(height, width)
    at_work = [scaled_photo(photo, shape) for photo in photos]
    regions, cover = job.regions, None
    if regions is None:
        pictures = _everywhere(engine, job, progress, at_work)
    else:
        weights = weights_of(regions.masks, regions.shares, shape)
        pictures = [
            _by_regions(engine, job, regions.styles, progress, photo, weights) for photo in at_work
        ]
        cover = cover_of(regions.masks, regions.shares, (height, width))
    finished = []
    for (photo, alpha), small, picture in zip(group, at_work, pictures, strict=True):
        if shape[0] < height:
            picture = restore_detail(photo, as_floats(small), as_floats(picture))
        elif shape != (height, width):
            picture = resize(as_floats(picture), shape=(height, width))
        if job.color == "content":
            picture = _by_rows(keep_color, picture, photo)
        if cover is not None:
            picture = _by_rows(_laid_over, picture, photo, cover[..., None])
        finished.append(_to_pil(picture, alpha))
    return finished


def _everywhere(
    engine: Any, job: Job, progress: Progress | None, photos: Sequence[np.ndarray]
) -> list[np.ndarray]:
    targets = [at_strength(engine, photo, job.style, job.strength) for photo in photos]
    tells_steps = engine.render_steps is not None and progress is not None
    if tells_steps or _is_large(engine, photos[0], job):
        pairs = zip(photos, targets, strict=True)
        return [_render(engine, job, progress, *pair) for pair in pairs]
    return engine.render_batch([as_floats(p) for p in photos], targets, seed=job.seed)


def _by_regions(
    engine: Any,
    job: Job,
    styles: Sequence[Embedding],
    progress: Progress | None,
    photo: np.ndarray,
    weights: np.ndarray,
) -> np.ndarray:
    targets = [at_strength(engine, photo, style, job.strength) for style in styles]
    if engine.render_regions is not None and not _is_large(engine, photo, job):
        return engine.render_regions(as_floats(photo), targets, weights, seed=job.seed)
    # Other engines paint each style everywhere; the pictures are laid side by side.
    mixed = np.zeros(photo.shape, np.float32)
    for index, target in enumerate(targets):
        if weights[..., index].any():
            picture = _render(engine, job, progress, photo, target)
            mixed += weights[..., index, None] * as_floats(picture)
    return mixed.clip(0, 1)


def _render(
    engine: Any, job: Job, progress: Progress | None, photo: np.ndarray, style: Embedding
) -> np.ndarray:
    if _is_large(engine, photo, job):
        report = functools.partial(_report_pass, progress)
        return engine.render_large(
            photo, style, seed=job.seed, max_memory=job.max_memory, progress=report
        )
    options: dict[str, Any] = {}
    if engine.render_steps is not None and progress is not None:
        options["on_step"] = functools.partial(_report_step, progress)
    return engine.render(as_floats(photo), style, seed=job.seed, **options)


def _is_large(engine: Any, photo: np.ndarray, job: Job) -> bool:
    """Whether the photo is more than the engine may paint at once."""
    if engine.memory_for is None:
        return False
    return engine.memory_for(*photo.shape[:2]) > job.max_memory


def _report_step(progress: Progress, step: Any) -> None:
    progress(step.step, step.total, f"loss {step.loss:.4g}", preview=to_pil(step.picture))


def _report_pass(progress: Progress | None, done: int, total: int) -> None:
    if progress is not None:
        progress(done, total, "passes over a large photo")


def at_strength(engine: Any, content: np.ndarray, style: Embedding, strength: float) -> Embedding:
    """The style, weakened towards the photo's own look as the engine paints it."""
    # At 1 the identity is not even asked for: in some engines it costs a pass of its own.
    if strength == 1.0:
        return style
    return blend([engine.identity(as_floats(content)), style], [1.0 - strength, strength])


def _laid_over(picture: np.ndarray, photo: np.ndarray, cover: np.ndarray) -> np.ndarray:
    return photo + cover * (picture - photo)


def _by_rows(function: Callable, picture: np.ndarray, *others: np.ndarray) -> np.ndarray:
    """`function` of a picture and others of its size, in floats, into the picture's own array."""
    rows = max(1, ROWS_PIXELS // picture.shape[1])
    for top in range(0, picture.shape[0], rows):
        part = slice(top, top + rows)
        values = function(as_floats(picture[part]), *(as_floats(other[part]) for other in others))
        picture[part] = to_uint8(values) if picture.dtype == np.uint8 else values
    return picture


def _to_pil(picture: np.ndarray, alpha: np.ndarray | None) -> Image.Image:
    if picture.dtype == np.uint8:
        return Image.fromarray(picture)
    return to_pil(picture, alpha)
