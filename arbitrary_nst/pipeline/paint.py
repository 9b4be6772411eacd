"""From photos and a style to pictures: strength, strokes' scale, regions, colours, memory."""

from __future__ import annotations

import functools
from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import Any

import numpy as np
from PIL import Image

from arbitrary_nst.embedding import Embedding, blend
from arbitrary_nst.engines.protocol import Engine, Step
from arbitrary_nst.image import keep_color, resize, scaled_photo, to_pil
from arbitrary_nst.image.arrays import as_floats, to_uint8
from arbitrary_nst.pipeline.arguments import Progress
from arbitrary_nst.pipeline.contents import Content, by_size
from arbitrary_nst.pipeline.detail import restore_detail
from arbitrary_nst.pipeline.plan import Look
from arbitrary_nst.pipeline.regions import cover_of, weights_of

ROWS_PIXELS = 2**21


def pictures(
    engine: Engine,
    look: Look,
    contents: Iterable[Content],
    *,
    total: int,
    progress: Progress | None,
) -> Iterator[Image.Image]:
    """The pictures of photos, one after the other; neighbours of one size run as one batch.

    Args:
        engine: that paints them.
        look: what they are painted with.
        contents: the photos, read as they are needed.
        total: how many they are; 0: not known.
        progress: told the pictures; of an engine that takes minutes its steps, and of a single
            photo the passes over it, too.
    """
    counts_steps = engine.render_steps is not None
    inner = progress if counts_steps or total == 1 else None
    done = 0
    for group in by_size(contents, lambda content: content):
        for picture in paint(engine, look, inner, group):
            done += 1
            if progress is not None and not counts_steps:
                progress(done, max(total, done), f"{picture.width}x{picture.height} pixels")
            yield picture


def paint(
    engine: Engine, look: Look, progress: Progress | None, group: Sequence[Content]
) -> list[Image.Image]:
    """The pictures of photos of one shape.

    Args:
        engine: that paints them.
        look: what they are painted with.
        progress: told the steps of engines with steps, and the passes over large photos.
        group: the photos.
    """
    photos = [content.rgb for content in group]
    painted = paint_arrays(engine, look, progress, photos)
    cover = cover_for(look, photos[0].shape[:2])
    return [
        _to_pil(finished(picture, content.rgb, look, cover), content.alpha)
        for picture, content in zip(painted, group, strict=True)
    ]


def paint_arrays(
    engine: Engine, look: Look, progress: Progress | None, photos: Sequence[np.ndarray]
) -> list[np.ndarray]:
    """Paints photos of one shape: strength, regions and the strokes' scale.

    Args:
        engine: that paints them.
        look: what they are painted with.
        progress: as for `paint`.
        photos: `(H, W, 3)`, float32 in `[0, 1]` or uint8 in `[0, 255]`.

    Returns:
        Pictures of the same shape, float32 in `[0, 1]`, or uint8 for photos of uint8.
    """
    height, width = photos[0].shape[:2]
    shape = look.options.working_shape(height, width)
    at_work = [scaled_photo(photo, shape) for photo in photos]
    if look.regions is None:
        pictures = _everywhere(engine, look, progress, at_work)
    else:
        weights = weights_of(look.regions.masks, look.regions.shares, shape)
        pictures = [
            _by_regions(engine, look, look.regions.styles, progress, photo, weights)
            for photo in at_work
        ]
    results = []
    for photo, small, picture in zip(photos, at_work, pictures, strict=True):
        if shape[0] < height:
            picture = restore_detail(photo, as_floats(small), as_floats(picture))
        elif shape != (height, width):
            picture = resize(as_floats(picture), shape=(height, width))
        results.append(picture)
    return results


def cover_for(look: Look, shape: tuple[int, ...]) -> np.ndarray | None:
    """How much of the photo the picture covers, for `finished`: see `regions.cover_of`."""
    if look.regions is None:
        return None
    return cover_of(look.regions.masks, look.regions.shares, (shape[0], shape[1]))


def finished(
    picture: np.ndarray, photo: np.ndarray, look: Look, cover: np.ndarray | None
) -> np.ndarray:
    """A painted picture with the photo's colours, if they are to be kept, and laid over it.

    Args:
        picture: as `paint_arrays` gives it; its memory is used.
        photo: of the same shape, as for `paint_arrays`.
        look: what it was painted with.
        cover: as `cover_for` gives it.
    """
    if look.options.color == "content":
        picture = _by_rows(keep_color, picture, photo)
    if cover is not None:
        picture = _by_rows(_laid_over, picture, photo, cover[..., None])
    return picture


def _everywhere(
    engine: Engine, look: Look, progress: Progress | None, photos: Sequence[np.ndarray]
) -> list[np.ndarray]:
    targets = [at_strength(engine, photo, look.style, look.options.strength) for photo in photos]
    tells_steps = engine.render_steps is not None and progress is not None
    if tells_steps or _is_large(engine, photos[0], look):
        pairs = zip(photos, targets, strict=True)
        return [_render(engine, look, progress, *pair) for pair in pairs]
    return engine.render_batch([as_floats(p) for p in photos], targets, seed=look.options.seed)


def _by_regions(
    engine: Engine,
    look: Look,
    styles: Sequence[Embedding],
    progress: Progress | None,
    photo: np.ndarray,
    weights: np.ndarray,
) -> np.ndarray:
    targets = [at_strength(engine, photo, style, look.options.strength) for style in styles]
    if engine.render_regions is not None and not _is_large(engine, photo, look):
        return engine.render_regions(as_floats(photo), targets, weights, seed=look.options.seed)
    # Other engines paint each style everywhere; the pictures are laid side by side.
    mixed = np.zeros(photo.shape, np.float32)
    for index, target in enumerate(targets):
        if weights[..., index].any():
            picture = _render(engine, look, progress, photo, target)
            mixed += weights[..., index, None] * as_floats(picture)
    return mixed.clip(0, 1)


def _render(
    engine: Engine, look: Look, progress: Progress | None, photo: np.ndarray, style: Embedding
) -> np.ndarray:
    if _is_large(engine, photo, look) and engine.render_large is not None:
        report = functools.partial(_report_pass, progress)
        return engine.render_large(
            photo,
            style,
            seed=look.options.seed,
            max_memory=look.options.max_memory,
            progress=report,
        )
    options: dict[str, Any] = {}
    if engine.render_steps is not None and progress is not None:
        options["on_step"] = functools.partial(_report_step, progress)
    return engine.render(as_floats(photo), style, seed=look.options.seed, **options)


def _is_large(engine: Engine, photo: np.ndarray, look: Look) -> bool:
    """Whether the photo is more than the engine may paint at once."""
    if engine.memory_for is None:
        return False
    return engine.memory_for(*photo.shape[:2]) > look.options.max_memory


def _report_step(progress: Progress, step: Step) -> None:
    progress(step.step, step.total, f"loss {step.loss:.4g}", preview=to_pil(step.picture))


def _report_pass(progress: Progress | None, done: int, total: int) -> None:
    if progress is not None:
        progress(done, total, "passes over a large photo")


def at_strength(
    engine: Engine, content: np.ndarray, style: Embedding, strength: float
) -> Embedding:
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
