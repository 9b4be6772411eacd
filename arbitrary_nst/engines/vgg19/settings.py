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


@dataclass(frozen=True)
class Vgg19Settings:
    """What decides the picture of the vgg19 engine.

    Args:
        iterations: steps at each scale, the coarsest first; the last number holds for all scales
            beyond. One step is one look at the picture by VGG19 and back.
        coarsest: longer side in pixels of the first scale; each next one has twice that, up to
            the size of the photo.
        style_weight: of the style loss against the content loss (weight 1).
        layer_weights: of relu1_1, relu2_1, relu3_1, relu4_1, relu5_1 in the style loss.
        total_variation_weight: of the smoothness term.
        style_size: longer side in pixels at which a style image is looked at; larger makes
            larger strokes.
        pooling: of VGG19, "max" as it was trained, or "average" as Gatys et al. preferred.
        optimizer: "lbfgs" or "adam".
        learning_rate: Adam's.
        init: what the first scale starts from: "content"; "noise"; "cin", the picture that the
            cin network makes of the photo in `init_styles`; or the path of an image.
        init_styles: names of packaged styles for `init="cin"`.
        tolerance: a scale ends when ten steps lower its loss by less than this share.
        restart_every: steps after which L-BFGS forgets its memory; checkpoints are written there,
            so that a resumed run computes what an uninterrupted one does.
        precision: "float32", "bfloat16", or "auto": bfloat16 where the processor is fast at it.
        max_pixels: largest picture; a step needs about 3 GB for a megapixel.
    """

    iterations: tuple[int, ...] = (150, 80, 40)
    coarsest: int = 256
    style_weight: float = 8.0
    layer_weights: tuple[float, ...] = (1.0, 1.0, 1.0, 1.0, 1.0)
    total_variation_weight: float = 1.0
    style_size: int = 512
    pooling: Pooling = "max"
    optimizer: Optimizer = "lbfgs"
    learning_rate: float = 0.02
    init: str = "content"
    init_styles: tuple[str, ...] = ()
    tolerance: float = 2e-3
    restart_every: int = 50
    precision: Precision = "auto"
    max_pixels: int = 1_600_000


def scale_shapes(shape: Sequence[int], coarsest: int) -> list[tuple[int, int, int]]:
    """Shapes from coarse to fine: halved until the longer side is near `coarsest`."""
    height, width = shape[:2]
    shapes = [(height, width, 3)]
    while max(height, width) >= 1.5 * coarsest and min(height, width) >= 4 * MIN_CONTENT_SIDE:
        height, width = (height + 1) // 2, (width + 1) // 2
        shapes.append((height, width, 3))
    return shapes[::-1]


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
    lowest = {"coarsest": 64, "style_size": MIN_CONTENT_SIDE, "restart_every": 1, "max_pixels": 256}
    for name, low in lowest.items():
        _check_number(name, getattr(settings, name), low, whole=True)
    for name in ("style_weight", "total_variation_weight", "learning_rate", "tolerance"):
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
    if settings.init == "cin" and not settings.init_styles:
        raise InputError('`init="cin"` needs the names of packaged styles in `init_styles`.')


def _check_number(name: str, value: Any, low: float, *, whole: bool = False) -> None:
    kinds = (int, np.integer) if whole else (int, float, np.number)
    if isinstance(value, bool) or not isinstance(value, kinds) or not low <= value < math.inf:
        kind = "whole number" if whole else "number"
        raise InputError(f"`{name}` must be a {kind} from {low:g} up. Received: {value!r}.")
