"""The one path through the rooms: load image -> embed styles -> blend -> render -> picture."""

from __future__ import annotations

import functools
import itertools
import logging
import os
from collections.abc import Callable, Iterable, Iterator, Sequence, Sized
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image

from arbitrary_nst.checkpoints import IDENTITY, predicts_styles, trained_styles
from arbitrary_nst.common.checks import (
    check_progress,
    check_share,
    positive_int,
    positive_number,
    whole_number,
)
from arbitrary_nst.embedding import Embedding, blend, normalize_weights
from arbitrary_nst.engines import check_engine, load_engine
from arbitrary_nst.errors import InputError, WeightsUnavailable, style_image_error
from arbitrary_nst.image import (
    DEFAULT_MAX_PIXELS,
    ImageSource,
    load_image,
    resize,
    scaled_photo,
)
from arbitrary_nst.image.arrays import check_size
from arbitrary_nst.pipeline.paint import DEFAULT_MAX_MEMORY, Job, Photo, Progress, paint
from arbitrary_nst.pipeline.regions import Regions, read_masks
from arbitrary_nst.pipeline.styles import (
    Style,
    Styles,
    check_network,
    check_style,
    choose_engine,
    list_of_styles,
    read_styles,
)

_log = logging.getLogger(__name__)
COLORS = ("style", "content")
BATCH_PIXELS = 2**21  # photos of one size go through the network together up to this many pixels
LARGE_PIXELS = 2**24  # above, a photo stays in bytes: as floats it would take four times as much


@dataclass(frozen=True)
class StyleInfo:
    """A style that ships with the package: the `name` to ask for it by, and its `source`."""

    name: str
    source: str


def list_styles() -> list[StyleInfo]:
    """The styles that the embedded network was trained with, with artist and title."""
    styles = trained_styles().values()
    return [StyleInfo(s.name, s.source) for s in styles if s.name != IDENTITY]


def embed(style: Style, *, engine: Any = "auto") -> Embedding:
    """Turns a style into its embedding, to be saved, blended and used many times.

    Args:
        style: the name of an embedded style, a style image (path, bytes, PIL image or array), a
            style file, or an `Embedding`, which comes back as it is.
        engine: "auto", "cin", "magenta", "vgg19", or an engine object.

    Raises:
        StyleError: an unknown name, or a style that the engine cannot embed.
        ImageError: an image that cannot be read.
    """
    check_style(style)
    engine = check_engine(engine)
    if isinstance(style, Embedding):
        return style
    chosen, resolved = resolve([style], engine, DEFAULT_MAX_PIXELS)
    if isinstance(resolved[0], Embedding):
        return resolved[0]
    embedding = _runner(engine, chosen, resolved).embed(resolved[0])
    if not embedding.name and isinstance(style, (str, os.PathLike)):
        return replace(embedding, name=Path(style).stem, source=Path(style).name)
    return embedding


def stylize(
    content: ImageSource,
    styles: Styles,
    weights: Sequence[float] | None = None,
    *,
    strength: float = 1.0,
    color: str = "style",
    size: int | None = None,
    working_size: int | None = None,
    texture_scale: float = 1.0,
    masks: Sequence[ImageSource | None] | None = None,
    engine: Any = "auto",
    seed: int = 0,
    max_pixels: int = DEFAULT_MAX_PIXELS,
    max_memory: float = DEFAULT_MAX_MEMORY,
    progress: Progress | None = None,
) -> Image.Image:
    """Paints a photo in a blend of styles.

    Args:
        content: path, bytes, binary file, PIL image, or array `(H, W)`, `(H, W, 3)` or
            `(H, W, 4)`, uint8 in `[0, 255]` or float in `[0, 1]`.
        styles: one or more of: names of embedded styles (see `list_styles`), style images,
            style files (`.safetensors`), `Embedding`s; or a library, as `load_styles` gives it.
        weights: one non-negative number per style, scaled to the sum 1. Default: all equal.
        strength: from 0 (the photo, as the engine reconstructs it) to 1 (the full style).
        color: "style", or "content" to keep the colours of the photo.
        size: longer side in pixels to work at and to return. Default: the content's own.
        working_size: longer side in pixels to paint at, whatever the size of the result: strokes
            are as large beside the photo as in a picture of that size, and the photo's fine
            structure is put back (see `arbitrary_nst.pipeline.detail`).
        texture_scale: the same as a factor: at 2 strokes are twice as large as they would be, at
            0.5 half as large. Either this or `working_size`.
        masks: for each style an image, white where it goes, or None for one that goes where no
            mask is white. They are scaled to the photo; grey mixes, and where masks overlap
            styles blend by their weights. What no style covers stays the photo.
        engine: "auto", "cin", "magenta", "vgg19", or an engine object. "auto" is cin for names
            and images alike; for images alone magenta, where the cin network in use has no
            predictor for them, and where that cannot be had vgg19, with a warning.
        seed: of what is random in the engine; the same seed gives the same picture.
        max_pixels: largest photo or style image that is read, width times height.
        max_memory: bytes that painting may take, beside TensorFlow, the photo and the picture. A
            photo that needs more is painted in passes over strips of it, which gives the same
            picture and takes longer; cin only.
        progress: called as progress(done, total, message, preview=None). It counts pictures; with
            the vgg19 engine steps, and the preview is the PIL image so far; for a photo that is
            painted in passes these.

    Returns:
        A PIL image of the content's size (upright, as EXIF says), or scaled to `size`; "RGBA"
        where the content has transparency, else "RGB".

    Raises:
        InputError: an argument or image that cannot be used; its subclasses tell which.
        WeightsUnavailable: the engine's network cannot be had.

    Example:
        >>> stylize("photo.jpg", ["great-wave", "scream"], [0.7, 0.3]).save("out.png")
    """
    return next(
        stylize_many(
            [content],
            styles,
            weights,
            strength=strength,
            color=color,
            size=size,
            working_size=working_size,
            texture_scale=texture_scale,
            masks=masks,
            engine=engine,
            seed=seed,
            max_pixels=max_pixels,
            max_memory=max_memory,
            progress=progress,
        )
    )


def stylize_many(
    contents: Iterable[ImageSource],
    styles: Styles,
    weights: Sequence[float] | None = None,
    *,
    strength: float = 1.0,
    color: str = "style",
    size: int | None = None,
    working_size: int | None = None,
    texture_scale: float = 1.0,
    masks: Sequence[ImageSource | None] | None = None,
    engine: Any = "auto",
    seed: int = 0,
    max_pixels: int = DEFAULT_MAX_PIXELS,
    max_memory: float = DEFAULT_MAX_MEMORY,
    progress: Progress | None = None,
) -> Iterator[Image.Image]:
    """`stylize` for several photos in the same blend, one after the other.

    Styles are embedded once. Photos are read as they are needed; neighbours of equal size run as
    one batch. Arguments and the first photo are checked, and the engine is loaded, at the call
    and not at the first picture. `contents` is any iterable of photos, `progress` counts them;
    for the other arguments see `stylize`.

    Returns:
        An iterator over the pictures, in the order of `contents`. A photo that cannot be read
        raises its error when its turn comes, after the pictures of the photos before it.
    """
    _check_contents(contents)
    strength, size, seed = check_options(strength, color, size, seed, progress)
    working_size, texture_scale = _check_scale(working_size, texture_scale)
    max_memory = positive_number(max_memory, "max_memory")
    engine = check_engine(engine)
    parts = list_of_styles(styles)
    shares = normalize_weights(weights, len(parts))
    areas = None if masks is None else read_masks(masks, len(parts), max_pixels)
    chosen, resolved = resolve(parts, engine, max_pixels)
    photos = (load_content(content, size, max_pixels) for content in contents)
    # The first photo, too, before the engine: a wrong path should not wait for TensorFlow.
    first = next(photos, None)
    if first is None:
        return iter(())
    runner = _runner(engine, chosen, resolved, first[0].shape)
    embeddings = embedded(runner, resolved)
    job = Job(
        style=blend(embeddings, shares),
        regions=None if areas is None else Regions(embeddings, shares, areas),
        strength=strength,
        color=color,
        seed=seed,
        working_size=working_size,
        texture_scale=texture_scale,
        max_memory=max_memory,
    )
    total = len(contents) if isinstance(contents, Sized) else 0
    upcoming = itertools.chain([first], photos)
    if runner.render_steps is not None:
        # Minutes for a picture: its steps are counted, not the pictures.
        return _pictures(functools.partial(paint, runner, job, progress), upcoming, total, None)
    inner = progress if total == 1 else None
    return _pictures(functools.partial(paint, runner, job, inner), upcoming, total, progress)


def _pictures(
    paint: Callable[[list[Photo]], list[Image.Image]],
    photos: Iterator[Photo],
    total: int,
    progress: Progress | None,
) -> Iterator[Image.Image]:
    done = 0
    for group in _equal_sizes(photos):
        for picture in paint(group):
            done += 1
            if progress is not None:
                progress(done, max(total, done), f"{picture.width}x{picture.height} pixels")
            yield picture


def _equal_sizes(photos: Iterator[Photo]) -> Iterator[list[Photo]]:
    """Neighbours of one shape, together up to `BATCH_PIXELS` pixels."""
    group: list[Photo] = []
    try:
        for photo in photos:
            shape = photo[0].shape
            room = (len(group) + 1) * shape[0] * shape[1] <= BATCH_PIXELS
            if group and (group[0][0].shape != shape or not room):
                yield group
                group = []
            group.append(photo)
    except InputError:
        # The photos before the one that cannot be read still get their pictures.
        if group:
            yield group
        raise
    if group:
        yield group


def load_content(content: ImageSource, size: int | None, max_pixels: int) -> Photo:
    rgb, alpha = load_image(content, max_pixels=max_pixels, keep_bytes_above=LARGE_PIXELS)
    if size is not None:
        scale = size / max(rgb.shape[:2])
        height, width = (max(1, round(side * scale)) for side in rgb.shape[:2])
        check_size(height, width, f"content image at size={size}", max_pixels)
        rgb = scaled_photo(rgb, (height, width))
        alpha = None if alpha is None else resize(alpha, shape=rgb.shape[:2])
    return rgb, alpha


def _check_contents(contents: Any) -> None:
    single = isinstance(contents, (str, bytes, os.PathLike, np.ndarray, Image.Image))
    if single or hasattr(contents, "read") or not isinstance(contents, Iterable):
        raise InputError(
            f"`contents` must be a list of photos; for a single photo there is `stylize`. "
            f"Received: {type(contents).__name__}."
        )


def check_options(
    strength: Any, color: Any, size: Any, seed: Any, progress: Any
) -> tuple[float, int | None, int]:
    strength = check_share(strength, "strength")
    if not isinstance(color, str) or color not in COLORS:
        raise InputError(f'`color` is "style" or "content". Received: {color!r}.')
    check_progress(progress)
    size = None if size is None else positive_int(size, "size")
    return strength, size, whole_number(seed, "seed")


def _check_scale(working_size: Any, texture_scale: Any) -> tuple[int | None, float]:
    scale = positive_number(texture_scale, "texture_scale")
    if working_size is None:
        return None, scale
    if scale != 1.0:
        raise InputError(
            f"`working_size` and `texture_scale` say the same thing in two ways. Expected one of "
            f"them. Received: working_size={working_size!r}, texture_scale={texture_scale!r}."
        )
    return positive_int(working_size, "working_size"), 1.0


# The engine: "auto" or a name until the styles say which, an object when it has to work.


def resolve(
    styles: Sequence[Style], engine: Any, max_pixels: int
) -> tuple[Any, list[Embedding | np.ndarray]]:
    """Reads the styles and says which engine they go to, without loading it.

    Args:
        styles: as `styles.list_of_styles` gives them.
        engine: as in `stylize`.
        max_pixels: largest image that is read.

    Returns:
        The engine, a name or the object that was given, and the styles as `read_styles` has them.
    """
    engine = check_engine(engine)
    known = trained_styles() if isinstance(engine, str) else engine.styles
    resolved = read_styles(styles, known, max_pixels)
    if isinstance(engine, str) and engine == "auto":
        engine = choose_engine(resolved, cin_takes_images=predicts_styles())
    _check_styles(resolved, engine)
    return engine, resolved


def embedded(runner: Any, styles: Sequence[Embedding | np.ndarray]) -> list[Embedding]:
    """The embeddings of styles that `resolve` gave, by the engine that works."""
    check_network(styles, runner.name, runner.network)
    return [s if isinstance(s, Embedding) else runner.embed(s) for s in styles]


def _check_styles(styles: Sequence[Embedding | np.ndarray], engine: Any) -> None:
    """Refuses what the cin engine cannot use, before it is loaded."""
    if engine == "cin":
        takes_images = predicts_styles()
        for number, style in enumerate(styles, start=1):
            if not isinstance(style, Embedding) and not takes_images:
                raise style_image_error(f"Style {number}")
        check_network(styles, "cin", trained_styles()[IDENTITY].network)


def _runner(
    engine: Any,
    chosen: Any,
    styles: Sequence[Embedding | np.ndarray],
    shape: Sequence[int] | None = None,
) -> Any:
    """The engine that works: `chosen`, or another where "auto"'s Magenta is not to be had."""
    try:
        return load_engine(chosen) if isinstance(chosen, str) else chosen
    except (WeightsUnavailable, ImportError) as error:
        images = not any(isinstance(style, Embedding) for style in styles)
        if not (isinstance(engine, str) and engine == "auto" and chosen == "magenta" and images):
            raise
        return _fall_back(error, shape)


def _fall_back(reason: Exception, shape: Sequence[int] | None) -> Any:
    try:
        runner = load_engine("vgg19")
    except WeightsUnavailable as error:
        raise WeightsUnavailable(
            f"{reason} The vgg19 engine, which could do it, is not to be had either: {error}"
        ) from reason
    seconds = ""
    if shape and runner.estimated_seconds is not None:
        seconds = f", about {runner.estimated_seconds(*shape[:2]):.0f} s a picture"
    _log.warning(
        "the magenta engine cannot be had, so vgg19 does it%s. The reason: %s", seconds, reason
    )
    return runner


def engine_and_embeddings(styles: Sequence[Style], engine: Any) -> tuple[Any, list[Embedding]]:
    """The engine object that paints all of these styles, and their embeddings.

    Args:
        styles: as `styles.list_of_styles` gives them.
        engine: as in `stylize`.

    Raises:
        InputError: a style that cannot be used, or styles that no engine can use together.
        WeightsUnavailable: the engine's network cannot be had.
    """
    chosen, resolved = resolve(styles, engine, DEFAULT_MAX_PIXELS)
    runner = _runner(engine, chosen, resolved)
    return runner, embedded(runner, resolved)
