"""Which engine the styles of a call go to, and their embeddings by that engine.

The choice comes first and loads nothing, so that what cannot work is refused before TensorFlow.
"""

from __future__ import annotations

import logging
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from arbitrary_nst.checkpoints import IDENTITY, predicts_styles, trained_styles
from arbitrary_nst.common.forks import check_not_forked
from arbitrary_nst.embedding import Embedding
from arbitrary_nst.engines import check_engine, load_engine
from arbitrary_nst.engines.protocol import Engine, as_engine
from arbitrary_nst.errors import StyleError, WeightsUnavailable, style_image_error
from arbitrary_nst.pipeline.styles import Style, check_networks, read_styles

_log = logging.getLogger(__name__)


@dataclass(frozen=True)
class Choice:
    """The styles of a call, read, and the engine that they go to.

    Args:
        engine: a name, or the engine object that was given.
        styles: an embedding or a style image, float32 `(H, W, 3)` in `[0, 1]`, for each.
        may_change: whether vgg19 may do it where `engine` cannot be had: nobody named it.
    """

    engine: str | Engine
    styles: Sequence[Embedding | np.ndarray]
    may_change: bool = False


def choose(styles: Sequence[Style], engine: str | Engine, max_pixels: int) -> Choice:
    """Reads the styles and says which engine they go to, without loading it.

    Args:
        styles: as `styles.list_of_styles` gives them.
        engine: as in `stylize`.
        max_pixels: largest style image that is read.

    Raises:
        InputError: `engine` is no engine.
        StyleError: a style that this engine cannot use, or styles that none can use together.
        ImageError: a style image that cannot be read.
        WeightsUnavailable: there is no cin network, whose styles are known by name.
    """
    engine = check_engine(engine)
    if not isinstance(engine, str):
        read = read_styles(styles, engine.styles, max_pixels)
        check_networks(read, engine.name, engine.network)
        return Choice(engine, read)
    known = trained_styles()
    read = read_styles(styles, known, max_pixels)
    chosen = engine
    if engine == "auto":
        chosen = engine_for(read, cin_takes_images=predicts_styles())
    if chosen == "cin":
        images = [n for n, s in enumerate(read, start=1) if not isinstance(s, Embedding)]
        if images and not predicts_styles():
            raise style_image_error(f"Style {images[0]}")
        check_networks(read, "cin", known[IDENTITY].network)
    only_images = not any(isinstance(style, Embedding) for style in read)
    return Choice(chosen, read, engine == "auto" and chosen == "magenta" and only_images)


def engine_for(styles: Sequence[Embedding | np.ndarray], *, cin_takes_images: bool = False) -> str:
    """The engine for `engine="auto"`: that of the embeddings; for images alone "cin" or "magenta".

    Args:
        styles: as `read_styles` gives them.
        cin_takes_images: whether the cin network has a predictor of styles from images. Then it
            paints them at once and offline; docs/predictor.md compares the pictures.

    Raises:
        StyleError: no engine can serve these styles together.
    """
    image, chosen = None, None
    for number, style in enumerate(styles, start=1):
        if not isinstance(style, Embedding):
            image = image or f"Style {number}"
        elif chosen is None:
            chosen = f"style {number} ({style.name or 'unnamed'!r})", style.engine
        elif style.engine != chosen[1]:
            raise StyleError(
                f"Style {number} ({style.name or 'unnamed'!r}) was made for the engine "
                f"{style.engine}, {chosen[0]} for {chosen[1]}. All styles of a blend have to be "
                f"of one engine."
            )
    if image and chosen and chosen[1] == "cin" and not cin_takes_images:
        raise style_image_error(image, beside=chosen[0])
    if chosen:
        return chosen[1]
    return "cin" if cin_takes_images else "magenta"


def loaded(
    choice: Choice, shape: Sequence[int] | None = None, *, pixels: int | None = None
) -> Engine:
    """The engine of a choice, or vgg19 in its place where the choice allows that.

    Args:
        choice: see `choose`.
        shape: of the photo, for the time that is announced.
        pixels: that are painted with it, where that is little, for the form that is soonest done;
            None: many, or not known.

    Raises:
        WeightsUnavailable: the engine's network cannot be had.
        CheckpointError: its files are damaged.
        ImportError: the engine needs a package that is not installed.
        RuntimeError: this process was forked from one that has loaded an engine.
    """
    check_not_forked()  # of an engine object as well
    try:
        engine = load_engine(choice.engine) if isinstance(choice.engine, str) else choice.engine
    except (WeightsUnavailable, ImportError) as error:
        if not choice.may_change:
            raise
        return _fall_back(error, shape)
    if pixels is None or engine.for_pixels is None:
        return engine
    return as_engine(engine.for_pixels(pixels))


def _fall_back(reason: Exception, shape: Sequence[int] | None) -> Engine:
    try:
        engine = load_engine("vgg19")
    except WeightsUnavailable as error:
        raise WeightsUnavailable(
            f"{reason} The vgg19 engine, which could do it, is not to be had either: {error}"
        ) from reason
    seconds = ""
    if shape and engine.estimated_seconds is not None:
        seconds = f", about {engine.estimated_seconds(shape[0], shape[1]):.0f} s a picture"
    _log.warning(
        "the magenta engine cannot be had, so vgg19 does it%s. The reason: %s", seconds, reason
    )
    return engine


def embeddings_by(engine: Engine, styles: Sequence[Embedding | np.ndarray]) -> list[Embedding]:
    """The embeddings of styles, images among them embedded now.

    Args:
        engine: that is to paint them.
        styles: of a `Choice`.

    Raises:
        StyleError: an embedding is of another network; this is known here at the latest.
        ImageError: a style image that this engine cannot use.
    """
    check_networks(styles, engine.name, engine.network)
    return [s if isinstance(s, Embedding) else engine.embed(s) for s in styles]
