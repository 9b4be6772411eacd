"""What decides the picture of the vgg19 engine, and the scales and steps that follow from it."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Literal, get_args

import numpy as np

from arbitrary_nst.errors import InputError
from arbitrary_nst.image import load_image
from arbitrary_nst.networks.precision import PRECISIONS, Precision
from arbitrary_nst.networks.vgg import STYLE_LAYERS

Optimizer = Literal["lbfgs", "adam"]
OPTIMIZERS: tuple[str, ...] = get_args(Optimizer)
Pooling = Literal["max", "average"]
POOLINGS: tuple[str, ...] = get_args(Pooling)
MIN_CONTENT_SIDE = 16  # relu5_1 sees one position there
MIN_TILE_SIDE = 288  # of which two thirds are there for its neighbours' sake


@dataclass(frozen=True)
class Vgg19Settings:
    """What decides the picture of the vgg19 engine.

    Args:
        iterations: steps at each scale, the coarsest first; the last number holds for all scales
            beyond. One step is one look at the picture by VGG19 and back.
        coarsest: longer side in pixels of the first scale; each next one has the square root of
            two times that, up to the size of the photo. Below 256 a face falls apart.
        style_weight: of the style loss against the content loss (weight 1).
        layer_weights: of relu1_1, relu2_1, relu3_1, relu4_1, relu5_1 in the style loss.
        covariance_weight: from 0 to 1, which share of the style loss compares the features' moments
            about their mean, the rest being Gram matrices, which are about zero. Means make up most
            of a Gram matrix, and once they are right it hardly asks for strokes any more.
        parts_weight: from 0 to 1, which share of the style loss is asked of what is detailed and of
            what is flat in the photo, each by itself, the rest being asked of the whole. Else the
            style goes where it is had most easily, and skies or faces stay a photo.
        drawing_weight: of the loss that keeps the photo's outlines, whatever their contrast, at
            relu3_1 (`networks.losses.drawing_loss`): eyes and mouths, which the content loss at
            relu4_2 is too coarse for.
        palette_weight: from 0 to 1, how far the photo that content and drawing are compared with
            has the colours of the cin network's picture in place of its own, with its own luma.
            Else cloth and skies keep a tint of the photo. Of effect with `init="cin"` alone.
        total_variation_weight: of the smoothness term.
        style_size: longer side in pixels at which a painting is looked at, at most.
        style_scale: at each scale a painting is looked at with its longer side at this many times
            the picture's, up to `style_size`, so that strokes grow with the picture; larger makes
            larger strokes.
        pooling: of VGG19, "max" as it was trained, or "average" as Gatys et al. preferred.
        optimizer: "lbfgs" or "adam".
        learning_rate: Adam's.
        init: what the first scale starts from: "cin", the picture that the cin network makes of the
            photo in this style, or where that network cannot be had the photo; "content", the
            photo; "noise"; or the path of an image.
        init_styles: names of packaged styles for `init="cin"`, in place of the style itself.
        tolerance: a scale ends when ten steps lower its loss by less than this share.
        restart_every: steps after which L-BFGS forgets its memory; checkpoints are written there,
            so that a resumed run computes what an uninterrupted one does.
        precision: "float32", "bfloat16", or "auto": bfloat16 where the processor is fast at it.
        whole_pixels: largest picture that is looked at in one piece, which takes about 3 GB for a
            megapixel; a larger one is looked at in tiles, twice for each step, to the same result.
        tile_side: longer side in pixels of what is looked at then; 288 at least. Smaller ones take
            less memory and see more of their neighbours: with 512 it is a quarter more work than
            with 640.
        max_pixels: largest picture.
    """

    iterations: tuple[int, ...] = (120, 90, 70, 40)
    coarsest: int = 256
    style_weight: float = 8.0
    layer_weights: tuple[float, ...] = (1.0, 1.0, 1.0, 1.0, 1.0)
    covariance_weight: float = 0.25
    parts_weight: float = 0.5
    drawing_weight: float = 1.0
    palette_weight: float = 1.0
    total_variation_weight: float = 4.0
    style_size: int = 512
    style_scale: float = 1.5
    pooling: Pooling = "max"
    optimizer: Optimizer = "lbfgs"
    learning_rate: float = 0.02
    init: str = "cin"
    init_styles: tuple[str, ...] = ()
    tolerance: float = 1e-3
    restart_every: int = 50
    precision: Precision = "auto"
    whole_pixels: int = 1_000_000
    tile_side: int = 576
    max_pixels: int = 25_000_000


def scale_shapes(shape: Sequence[int], coarsest: int) -> list[tuple[int, int, int]]:
    """Shapes from coarse to fine: reduced by the square root of two to about `coarsest` pixels."""
    height, width = shape[:2]
    count = max(0, round(2 * math.log2(max(height, width) / coarsest)))
    # A shorter side of a few positions of the deepest layer has no statistics worth the name.
    while count and min(height, width) / 2 ** (count / 2) < 2 * MIN_CONTENT_SIDE:
        count -= 1
    shapes = []
    for step in range(count, 0, -1):
        factor = 2 ** (-step / 2)
        shapes.append((round(height * factor), round(width * factor), 3))
    return [*shapes, (height, width, 3)]


def steps_of_scales(settings: Vgg19Settings, num_scales: int) -> list[int]:
    """How many steps each scale gets at most."""
    given = settings.iterations
    return [given[min(index, len(given) - 1)] for index in range(num_scales)]


def check_settings(settings: Vgg19Settings) -> None:
    """Raises `InputError`, or `ImageError` for the image in `init`, where a setting is wrong."""
    choices = {"optimizer": OPTIMIZERS, "pooling": POOLINGS, "precision": PRECISIONS}
    for name, allowed in choices.items():
        if getattr(settings, name) not in allowed:
            raise InputError(
                f"`{name}` is one of {', '.join(map(repr, allowed))}. "
                f"Received: {getattr(settings, name)!r}."
            )
    lowest = {
        "coarsest": 64,
        "style_size": MIN_CONTENT_SIDE,
        "restart_every": 1,
        "whole_pixels": 256,
        "tile_side": MIN_TILE_SIDE,
        "max_pixels": 256,
    }
    for name, low in lowest.items():
        _check_number(name, getattr(settings, name), low, whole=True)
    for name in ("covariance_weight", "parts_weight", "palette_weight"):
        _check_number(name, getattr(settings, name), 0, 1)
    _check_number("style_scale", settings.style_scale, 0.25, 4)
    weights = ("style_weight", "drawing_weight", "total_variation_weight")
    for name in (*weights, "learning_rate", "tolerance"):
        _check_number(name, getattr(settings, name), 0)
    for name, length in (("iterations", None), ("layer_weights", len(STYLE_LAYERS))):
        values = getattr(settings, name)
        if not values or (length and len(values) != length):
            raise InputError(f"`{name}` needs {length or 'some'} numbers. Received: {values!r}.")
        for value in values:
            _check_number(name, value, 0 if length else 1, whole=not length)
    if sum(settings.layer_weights) <= 0:
        raise InputError("`layer_weights` needs one number above 0 at least.")
    if settings.init not in ("content", "noise", "cin"):
        load_image(settings.init, role="init")  # a wrong path should not wait for VGG19


def _check_number(
    name: str, value: Any, low: float, high: float = math.inf, *, whole: bool = False
) -> None:
    kinds = (int, np.integer) if whole else (int, float, np.number)
    fits = isinstance(value, kinds) and not isinstance(value, bool) and low <= value <= high
    if not fits or not math.isfinite(value):
        kind = "whole number" if whole else "number"
        span = f"from {low:g} up" if high == math.inf else f"from {low:g} to {high:g}"
        raise InputError(f"`{name}` must be a {kind} {span}. Received: {value!r}.")
