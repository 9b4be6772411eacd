"""The public functions: their arguments, and what they promise. What they do is in `pipeline`."""

from __future__ import annotations

import itertools
import math
import os
from collections.abc import Iterable, Iterator, Sequence, Sized
from dataclasses import dataclass

import numpy as np
from PIL import Image

from arbitrary_nst.checkpoints import IDENTITY, trained_styles
from arbitrary_nst.common.checks import check_progress
from arbitrary_nst.embedding import Embedding, Weights
from arbitrary_nst.engines import EngineName, check_engine
from arbitrary_nst.engines.protocol import Engine
from arbitrary_nst.image import DEFAULT_MAX_PIXELS, ImageSource, KeepMetadata
from arbitrary_nst.pipeline.arguments import DEFAULT_MAX_MEMORY, Color, Options, Progress
from arbitrary_nst.pipeline.contents import check_contents, load_content
from arbitrary_nst.pipeline.engine_choice import choose, embeddings_by, loaded
from arbitrary_nst.pipeline.paint import pictures
from arbitrary_nst.pipeline.picture import Picture
from arbitrary_nst.pipeline.plan import look_of, plan
from arbitrary_nst.pipeline.styles import Style, Styles, check_style


@dataclass(frozen=True)
class StyleInfo:
    """A style that ships with the package: the `name` to ask for it by, and its `source`."""

    name: str
    source: str


def list_styles() -> list[StyleInfo]:
    """The styles that the cin network was trained with, with artist and title.

    That is the network in `$ARBITRARY_NST_CIN`, or the packaged one.

    Raises:
        WeightsUnavailable: there is no network.
        EmbeddingError: the file of its styles is damaged.
        CheckpointError: that file lacks the style that leaves a photo as it is.
    """
    styles = trained_styles().values()
    return [StyleInfo(s.name, s.source) for s in styles if s.name != IDENTITY]


def embed(
    style: Style, *, engine: EngineName | Engine = "auto", max_pixels: int = DEFAULT_MAX_PIXELS
) -> Embedding:
    """Turns a style into its embedding, to be saved, blended and used many times.

    Args:
        style: the name of a style of the network (see `list_styles`), a style image, a style file
            (`.safetensors`), or an `Embedding`, which comes back as it is. An image may be a
            path, bytes, a binary file, a PIL image, or an array `(H, W)`, `(H, W, 3)` or
            `(H, W, 4)`, uint8 in `[0, 255]` or float in `[0, 1]`.
        engine: as for `stylize`.
        max_pixels: largest style image that is read, width times height.

    Returns:
        The embedding, named after the style, or after the file of the image.

    Raises:
        InputError: `engine` or `max_pixels` cannot be used.
        StyleError: an unknown name, or a style that the engine cannot embed.
        EmbeddingError: a style file that cannot be read, or that holds several styles.
        ImageError: an image that cannot be read (`ImageNotFound`: that does not exist), that is
            larger than `max_pixels` (`ImageTooLarge`), or that is too narrow for the engine.
        WeightsUnavailable: the engine's network cannot be had.
        CheckpointError: its files are damaged.
        ImportError: the engine needs a package that is not installed.

    Examples:
        >>> embed("painting.jpg").save("painting.safetensors")
    """
    check_style(style)
    check_engine(engine)
    if isinstance(style, Embedding):
        return style
    choice = choose([style], engine, Options(max_pixels=max_pixels).max_pixels)
    if isinstance(choice.styles[0], Embedding):
        return choice.styles[0]
    (embedding,) = embeddings_by(loaded(choice), choice.styles)
    if not embedding.name and isinstance(style, (str, os.PathLike)):
        return embedding.named_after(style)
    return embedding


def stylize(
    content: ImageSource,
    styles: Styles,
    weights: Weights | None = None,
    *,
    strength: float = 1.0,
    color: Color = "style",
    size: int | None = None,
    working_size: int | None = None,
    texture_scale: float = 1.0,
    masks: Sequence[ImageSource | None] | None = None,
    engine: EngineName | Engine = "auto",
    seed: int = 0,
    max_pixels: int = DEFAULT_MAX_PIXELS,
    max_memory: float = DEFAULT_MAX_MEMORY,
    keep_metadata: KeepMetadata = False,
    progress: Progress | None = None,
) -> Image.Image:
    """Paints a photo in a blend of styles.

    Args:
        content: path, bytes, binary file, PIL image, or array `(H, W)`, `(H, W, 1)`, `(H, W, 3)`
            or `(H, W, 4)`, RGB, uint8 in `[0, 255]` or float in `[0, 1]`. It is not modified.
        styles: one or more of: names of styles of the network (see `list_styles`), style images
            of the same kinds as `content`, style files (`.safetensors`), `Embedding`s; or a
            library, as `load_styles` gives it.
        weights: one non-negative number per style, scaled to the sum 1. Default: all equal.
        strength: from 0 (the photo, as the engine reconstructs it) to 1 (the full style).
        color: "style", or "content" to keep the colours of the photo.
        size: longer side in pixels, from 1 up, to work at and to return. Default: the content's
            own.
        working_size: longer side in pixels to paint at, whatever the size of the result: strokes
            are as large beside the photo as in a picture of that size, and the photo's fine
            structure is put back (see `arbitrary_nst.pipeline.detail`).
        texture_scale: the same as a factor above 0: at 2 strokes are twice as large as they would
            be, at 0.5 half as large. Either this or `working_size`.
        masks: for each style an image, white where it goes, or None for one that goes where no
            mask is white. They are scaled to the photo; grey mixes, and where masks overlap
            styles blend by their weights. What no style covers stays the photo.
        engine: "auto", "cin", "magenta", "vgg19", or an engine object, such as `Cin(...)` or one
            of your own (see `engines.protocol`). "auto" is cin for names and images alike; for
            images alone magenta, where the cin network in use has no predictor for them, and
            where that cannot be had vgg19, with a warning.
        seed: of what is random in the engine, from 0 up; the same seed gives the same picture.
        max_pixels: largest photo, mask or style image that is read, width times height.
        max_memory: bytes, above 0, that painting may take, beside TensorFlow, photo and picture. A
            photo that needs more is painted in passes over strips of it, which gives the same
            picture and takes longer; cin only.
        keep_metadata: whether the picture has the photo's EXIF data, in its `info`, where
            `save_image` finds them: camera, time, author; orientation and size are the picture's.
            The place (GPS) is left out unless this is "gps", and so are the maker's notes and the
            small preview.
        progress: called as progress(done, total, message, preview=None). It counts pictures; with
            the vgg19 engine steps, and the preview is the PIL image so far, for a callable that has
            such an argument (`print` has none and does as well); for a photo that is painted in
            passes these.

    Returns:
        A PIL image of the content's size (upright, as EXIF says), or scaled to `size`; "RGBA"
        where the content has transparency, else "RGB".

    Raises:
        InputError: an argument that cannot be used, or a photo that needs more than `max_memory`.
        ImageError: a photo, mask or style image that cannot be read, or that is too small for the
            engine; `ImageNotFound` where it does not exist, `ImageTooLarge` above `max_pixels`.
        StyleError: an unknown name, or styles that cannot be painted, or not together.
        EmbeddingError: a style file that cannot be read, or that holds several styles.
        BlendWeightsError: weights that do not fit the styles.
        WeightsUnavailable: the engine's network cannot be had.
        CheckpointError: its files are damaged.
        ImportError: the engine needs a package that is not installed.
        RenderError: the vgg19 engine's optimisation broke off; it has the last good picture.

    Examples:
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
            keep_metadata=keep_metadata,
            progress=progress,
        )
    )


def stylize_array(
    content: ImageSource,
    styles: Styles,
    weights: Weights | None = None,
    *,
    strength: float = 1.0,
    color: Color = "style",
    size: int | None = None,
    working_size: int | None = None,
    texture_scale: float = 1.0,
    masks: Sequence[ImageSource | None] | None = None,
    engine: EngineName | Engine = "auto",
    seed: int = 0,
    max_pixels: int = DEFAULT_MAX_PIXELS,
    max_memory: float = DEFAULT_MAX_MEMORY,
    progress: Progress | None = None,
) -> np.ndarray:
    """`stylize` for programs that go on with numbers, and for pictures of more than 8 bits.

    A photo of 16 bits a channel is read with all of them (`stylize` reads 8, as PIL has no more;
    in colour that needs OpenCV). `save_image(array, "out.png", bits=16)` writes the result.

    Args:
        content: as for `stylize`.
        styles: as for `stylize`.
        weights: as for `stylize`.
        strength: as for `stylize`.
        color: as for `stylize`.
        size: as for `stylize`.
        working_size: as for `stylize`.
        texture_scale: as for `stylize`.
        masks: as for `stylize`.
        engine: as for `stylize`.
        seed: as for `stylize`.
        max_pixels: as for `stylize`.
        max_memory: as for `stylize`.
        progress: as for `stylize`.

    Returns:
        float32 `(H, W, 3)`, RGB in `[0, 1]`, or `(H, W, 4)` where the content has transparency.

    Raises:
        Exception: whatever `stylize` raises.
    """
    options = Options(
        strength, color, size, working_size, texture_scale, seed, max_pixels, max_memory, bits=16
    )
    pictures = paint_photos([content], styles, weights, masks, engine, options, progress)
    return next(pictures).array()


def stylize_many(
    contents: Iterable[ImageSource],
    styles: Styles,
    weights: Weights | None = None,
    *,
    strength: float = 1.0,
    color: Color = "style",
    size: int | None = None,
    working_size: int | None = None,
    texture_scale: float = 1.0,
    masks: Sequence[ImageSource | None] | None = None,
    engine: EngineName | Engine = "auto",
    seed: int = 0,
    max_pixels: int = DEFAULT_MAX_PIXELS,
    max_memory: float = DEFAULT_MAX_MEMORY,
    keep_metadata: KeepMetadata = False,
    progress: Progress | None = None,
) -> Iterator[Image.Image]:
    """`stylize` for several photos in the same blend, one after the other.

    Styles are embedded once. Photos are read as they are needed; neighbours of equal size run as
    one batch. Arguments and the first photo are checked, and the engine is loaded, at the call
    and not at the first picture. `contents` is any iterable of photos, `progress` counts them;
    for the other arguments see `stylize`.

    Returns:
        An iterator over PIL images, in the order of `contents`.

    Raises:
        InputError: `contents` is no list of photos.
        Exception: whatever `stylize` raises. For a photo after the first one that comes when its
            turn does, after the pictures of the photos before it.

    Examples:
        >>> for number, picture in enumerate(stylize_many(paths, "great-wave")):
        ...     picture.save(f"{number}.png")
    """
    options = Options(
        strength,
        color,
        size,
        working_size,
        texture_scale,
        seed,
        max_pixels,
        max_memory,
        keep_metadata=keep_metadata,
    )
    return map(
        Picture.image, paint_photos(contents, styles, weights, masks, engine, options, progress)
    )


def paint_photos(
    contents: Iterable[ImageSource],
    styles: Styles,
    weights: Weights | None,
    masks: Sequence[ImageSource | None] | None,
    engine: EngineName | Engine,
    options: Options,
    progress: Progress | None,
) -> Iterator[Picture]:
    """`stylize_many` with its options in one piece, for callers who need more than PIL images."""
    check_contents(contents)
    check_progress(progress)
    plans = plan(styles, weights, masks, engine, options)
    photos = (load_content(content, options) for content in contents)
    # The first photo, too, before the engine: a wrong path should not wait for TensorFlow.
    first = next(photos, None)
    if first is None:
        return iter(())
    total = len(contents) if isinstance(contents, Sized) else 0
    shape = first.rgb.shape
    pixels = math.prod(options.working_shape(*shape[:2]))
    runner = loaded(plans.choice, shape, pixels=pixels if total == 1 else None)
    return pictures(
        runner,
        look_of(plans, runner),
        itertools.chain([first], photos),
        total=total,
        progress=progress,
    )
