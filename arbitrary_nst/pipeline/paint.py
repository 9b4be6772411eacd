"""From photos and a style to pictures: strength, strokes' scale, regions, colours, memory."""

from __future__ import annotations

import functools
import inspect
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from arbitrary_nst.embedding import Embedding, blend
from arbitrary_nst.engines.protocol import Engine, Step
from arbitrary_nst.errors import RenderError
from arbitrary_nst.image import (
    keep_color,
    resize,
    scaled_photo,
)
from arbitrary_nst.image.arrays import as_floats, to_uint8
from arbitrary_nst.pipeline.arguments import Progress
from arbitrary_nst.pipeline.contents import LARGE_PIXELS, Content, by_size
from arbitrary_nst.pipeline.detail import restore_detail
from arbitrary_nst.pipeline.picture import Picture
from arbitrary_nst.pipeline.plan import Look
from arbitrary_nst.pipeline.regions import (
    Regions,
    byte_cover_of,
    cover_of,
    half_weights_of,
    weights_of,
)

ROWS_PIXELS = 2**21


@dataclass(frozen=True)
class Part:
    """Which of how many pictures that are laid side by side."""

    number: int
    count: int


WHOLE = Part(0, 1)


def pictures(
    engine: Engine,
    look: Look,
    contents: Iterable[Content],
    *,
    total: int,
    progress: Progress | None,
) -> Iterator[Picture]:
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
    # A batch is no faster where a picture takes minutes, and each is to come as soon as it is done.
    for group in by_size(contents, lambda content: content, 1 if counts_steps else None):
        for picture in paint(engine, look, inner, group):
            done += 1
            size = picture.rgb.shape
            if progress is not None and not counts_steps:
                progress(done, max(total, done), f"{size[1]}x{size[0]} pixels")
            yield picture


def paint(
    engine: Engine, look: Look, progress: Progress | None, group: Sequence[Content]
) -> list[Picture]:
    """The pictures of photos of one shape.

    Args:
        engine: that paints them.
        look: what they are painted with.
        progress: told the steps of engines with steps, and the passes over large photos.
        group: the photos.

    Raises:
        RenderError: a picture broke off; where there is one photo, it has the last good picture.
    """
    photos = [content.rgb for content in group]
    try:
        told = None if progress is None else _with_finished_previews(progress, group[0], look)
        painted = paint_arrays(engine, look, told, photos)
    except RenderError as error:
        if error.picture is None or len(group) > 1:
            raise
        raise RenderError(str(error), _last_good(error.picture, group[0], look)) from error
    cover = cover_for(look, photos[0].shape[:2])
    return [
        Picture(finished(picture, content.rgb, look, cover), content.alpha, content.exif)
        for picture, content in zip(painted, group, strict=True)
    ]


def _with_finished_previews(progress: Progress, content: Content, look: Look) -> Progress:
    """A progress that is told arrays as engines have them, and tells pictures like the last one.

    A picture on its way is of the size of its scale, in the style's colours and without masks; who
    watches it wants to see what would come out if that were the end.
    """
    photo = content.rgb
    at_work = scaled_photo(photo, look.options.working_shape(*photo.shape[:2]))
    cover = functools.cache(lambda: cover_for(look, photo.shape[:2]))

    shows = _takes_preview(progress)

    def told(done: int, total: int, message: str, preview: np.ndarray | None = None) -> None:
        if preview is None or not shows:
            progress(done, total, message)
            return
        picture = resize(preview, shape=at_work.shape[:2])
        picture = finished(_at_photo_size(photo, at_work, picture), photo, look, cover())
        progress(done, total, message, preview=Picture(picture, content.alpha).image())

    return told


def _takes_preview(progress: Progress) -> bool:
    """`print` and the like take the three that every engine gives, and no preview."""
    try:
        inspect.signature(progress).bind(0, 1, "", preview=None)
    except (TypeError, ValueError):  # it has no such argument, or nobody knows
        return False
    return True


def _last_good(picture: np.ndarray, content: Content, look: Look) -> np.ndarray:
    """What `paint_arrays` left of a picture that broke off, finished like any other."""
    cover = cover_for(look, content.rgb.shape)
    picture = as_floats(finished(picture, content.rgb, look, cover))
    if content.alpha is None:
        return picture
    return np.concatenate([picture, content.alpha[..., None]], axis=-1)


def paint_arrays(
    engine: Engine, look: Look, progress: Progress | None, photos: Sequence[np.ndarray]
) -> list[np.ndarray]:
    """Paints photos of one shape: strength, regions and the strokes' scale.

    Args:
        engine: that paints them.
        look: what they are painted with.
        progress: as for `paint`, but that its previews are the engine's own arrays.
        photos: `(H, W, 3)`, float32 in `[0, 1]` or uint8 in `[0, 255]`.

    Returns:
        Pictures of the same shape, float32 in `[0, 1]`, or uint8 for photos of uint8.

    Raises:
        RenderError: as for `paint`.
    """
    height, width = photos[0].shape[:2]
    shape = look.options.working_shape(height, width)
    at_work = [scaled_photo(photo, shape) for photo in photos]
    try:
        if look.regions is None:
            pictures = _everywhere(engine, look, progress, at_work)
        else:
            pictures = _by_regions(engine, look, look.regions, progress, at_work)
    except RenderError as error:
        if error.picture is None or len(photos) > 1:
            raise
        picture = _at_photo_size(photos[0], at_work[0], error.picture)
        raise RenderError(str(error), picture) from error
    for picture in pictures:
        # In a film nobody would notice before it is done: NaN is black in bytes.
        if picture.dtype != np.uint8 and not np.isfinite(picture).all():
            raise RenderError(
                "The engine painted NaN or infinite values. Expected values in [0, 1]. The style "
                "may be damaged; precision='float32' may help."
            )
    triples = zip(photos, at_work, pictures, strict=True)
    return [_at_photo_size(*triple) for triple in triples]


def _at_photo_size(photo: np.ndarray, small: np.ndarray, picture: np.ndarray) -> np.ndarray:
    """A picture of the photo at its working size, `small`, as one of the photo's size."""
    if small.shape[0] < photo.shape[0]:
        return restore_detail(photo, as_floats(small), as_floats(picture))
    if small.shape != photo.shape:
        return resize(as_floats(picture), shape=photo.shape[:2])
    return picture


def cover_for(look: Look, shape: tuple[int, ...]) -> np.ndarray | None:
    """How much of the photo the picture covers, for `finished`: see `regions.cover_of`.

    Of a large photo, which is in bytes, it is uint8 in `[0, 255]`.
    """
    if look.regions is None:
        return None
    is_large = shape[0] * shape[1] > LARGE_PIXELS
    cover = byte_cover_of if is_large else cover_of
    return cover(look.regions.masks, look.regions.shares, (shape[0], shape[1]))


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
    regions: Regions,
    progress: Progress | None,
    photos: Sequence[np.ndarray],
) -> list[np.ndarray]:
    shape, options = photos[0].shape[:2], look.options
    in_passes = (
        engine.render_large_regions is not None
        and engine.memory_for is not None
        and engine.memory_for(*shape, num_regions=len(regions.styles)) > options.max_memory
    )
    weights = (half_weights_of if in_passes else weights_of)(regions.masks, regions.shares, shape)
    pictures = []
    for photo in photos:
        targets = [at_strength(engine, photo, style, options.strength) for style in regions.styles]
        if in_passes and engine.render_large_regions is not None:
            picture = engine.render_large_regions(
                photo,
                targets,
                weights,
                seed=options.seed,
                max_memory=options.max_memory,
                progress=functools.partial(_report_pass, progress),
            )
        elif engine.render_regions is not None:
            told: dict[str, Any] = {}
            if engine.render_steps is not None and progress is not None:
                told["on_step"] = functools.partial(_report_step, progress, WHOLE)
            picture = engine.render_regions(
                as_floats(photo), targets, weights, seed=options.seed, **told
            )
        else:
            picture = _side_by_side(engine, look, progress, photo, targets, weights)
        pictures.append(picture)
    return pictures


def _side_by_side(
    engine: Engine,
    look: Look,
    progress: Progress | None,
    photo: np.ndarray,
    targets: Sequence[Embedding],
    weights: np.ndarray,
) -> np.ndarray:
    """Each style painted everywhere, and the pictures laid side by side.

    Raises:
        RenderError: one of them broke off; the picture has what is painted, and the photo where
            nothing is.
    """
    mixed = np.zeros(photo.shape, np.float32)
    seen = [index for index in range(len(targets)) if weights[..., index].any()]
    for number, index in enumerate(seen):
        own, part = weights[..., index, None], Part(number, len(seen))
        try:
            picture = _render(engine, look, progress, photo, targets[index], part)
        except RenderError as error:
            if error.picture is None and number == 0:
                raise
            mixed += own * (as_floats(photo) if error.picture is None else error.picture)
            for later in seen[number + 1 :]:
                mixed += weights[..., later, None] * as_floats(photo)
            raise RenderError(str(error), mixed.clip(0, 1)) from error
        mixed += own * as_floats(picture)
    return mixed.clip(0, 1)


def _render(
    engine: Engine,
    look: Look,
    progress: Progress | None,
    photo: np.ndarray,
    style: Embedding,
    part: Part = WHOLE,
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
    if engine.render_steps is not None:
        if part.number:
            options["part"] = part.number
        if progress is not None:
            options["on_step"] = functools.partial(_report_step, progress, part)
    return engine.render(as_floats(photo), style, seed=look.options.seed, **options)


def _is_large(engine: Engine, photo: np.ndarray, look: Look) -> bool:
    """Whether the photo is more than the engine may paint at once."""
    if engine.memory_for is None:
        return False
    return engine.memory_for(*photo.shape[:2]) > look.options.max_memory


def _report_step(progress: Progress, part: Part, step: Step) -> None:
    done, total = part.number * step.total + step.step, part.count * step.total
    words = f"loss {step.loss:.4g}" if step.step else "what it starts from"
    progress(done, total, words, preview=step.picture)


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
