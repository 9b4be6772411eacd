"""The settings of one training run, saved as JSON beside its checkpoint."""

from __future__ import annotations

import json
import math
from collections.abc import Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

import numpy as np

from arbitrary_nst.checkpoints import IDENTITY
from arbitrary_nst.common.atomic import write_bytes
from arbitrary_nst.common.json_text import read_json
from arbitrary_nst.common.text import said
from arbitrary_nst.embedding import Embedding
from arbitrary_nst.errors import InputError
from arbitrary_nst.networks.cin.file import layout_fault
from arbitrary_nst.networks.cin.layout import CinLayout
from arbitrary_nst.networks.precision import PRECISIONS, Precision
from arbitrary_nst.networks.predictor.file import predictor_layout
from arbitrary_nst.networks.predictor.network import PredictorLayout

# The autocorrelations of the style loss compare pixels up to 28 apart.
MIN_TRAINING_SIDE = 32
POOLINGS = ("max", "average")
OPTIMIZERS = ("adam", "muon")
WHOLE = (0.0, 0.0, 1.0, 1.0)  # a crop that takes nothing away
WEIGHTS = (
    *("content", "drawing", "light", "shift", "detailed", "flat", "tone"),
    *("total_variation", "identity", "stability"),
)


@dataclass(frozen=True)
class StyleSpec:
    """One painting to learn.

    Args:
        name: short name, such as "great-wave".
        file: path of the image.
        source: artist and title, kept in the embedding.
        style_weight: of its style loss against the content loss; higher is more style.
        style_size: longer side in pixels at which the painting is looked at; strokes come out
            as large as they are at this size.
        levels: what counts as black and as white in the file, of `[0, 1]`: many photographs of
            paintings are hazy, and pictures in their style would be as grey.
        crop: what of the file is the painting: left, top, right and bottom as shares of its width
            and height. Without it a frame, a mount or a collector's seal is part of the style.
        matched_parts: as `TrainConfig.matched_parts`, of this style. None: as all.
    """

    name: str
    file: str
    source: str = ""
    style_weight: float = 4.0
    style_size: int = 512
    levels: tuple[float, float] = (0.0, 1.0)
    crop: tuple[float, float, float, float] = WHOLE
    matched_parts: float | None = None

    def __post_init__(self) -> None:
        object.__setattr__(self, "levels", tuple(self.levels))  # JSON has lists
        object.__setattr__(self, "crop", tuple(self.crop))


@dataclass(frozen=True)
class PaintingSpec:
    """One of the many paintings that a style predictor learns from.

    Args:
        file: path of the image.
        group: painter or collection; all groups are drawn, the small ones too.
    """

    file: str
    group: str


@dataclass(frozen=True)
class TrainConfig:
    """Everything that decides what a training run computes.

    Args:
        styles: the paintings. The identity style is added by itself.
        photos: folder of content photos, searched recursively.
        layout: of the network.
        steps: optimiser steps in all; the learning rate falls to zero at the last.
        batch_size: samples a step.
        styles_per_photo: samples that share one photo, each in a style of its own: what the loss
            network sees in the photo is computed once for them. `batch_size` is a multiple.
        crop_size: side in pixels of the square crops; a multiple of the network's.
        zoom: the most that photos are enlarged for a crop. Photos smaller than those the network
            is meant for have more in every pixel; enlarged they have as much sky and skin.
        learning_rate: after a short warm-up, before the cosine decay.
        optimizer: "adam", or "muon" for the network's kernels, see `optimizers.Muon`; styles and
            predictor always learn by Adam.
        content_weight: of the content loss at relu4_2.
        shift_weight: of the autocorrelations beside the Gram matrices, in the style loss.
        detailed_weight: of the style asked of the detailed half of each photo alone, beside the
            style of the whole, in the style loss; the three count 1 together.
        flat_weight: the same for the flat half: skies and walls are painted too.
        matched_parts: how much of what each half is asked for is the painting's own detailed, or
            flat, half, from 0 (the whole painting) to 1: skies take after its calm parts.
        tone_weight: of light, dark and colours at 1/8 of the size, in the style loss: the
            picture has the painting's contrast.
        drawing_weight: of the photo's outlines, see `drawing_loss`; unlike the content loss it
            leaves contrast and colours to the style.
        local_drawing_weight: the same place by place, so that the faint lines of a dark face count
            as much as a roof against the sky, see `local_drawing_loss`.
        light_weight: of `light_loss`, that dark stays dark.
        palette_weight: from 0 to 1, how far the photo that content and drawing are compared with
            has the colours of the picture in place of its own, see `recolored`: cloth and skies
            keep no tint of the photo. 0 looks at each photo once, not also once a sample.
        total_variation_weight: of `total_variation_loss`.
        identity_weight: of the pixel loss on samples of the identity style.
        stability_weight: of the pixel loss between the pictures of a photo and of the same photo
            with a little noise and other brightness. Above 0 the last photo of each batch is
            the first one again, disturbed so.
        blend_share: share of samples that blend 2 to 4 styles.
        strength_share: share of samples that blend a style with the identity.
        identity_share: share of samples of the identity style alone.
        averaging: momentum of the running average of the weights that is exported, 0.999 say;
            0 exports the weights of the last step.
        pooling: of VGG19, "max" or "average".
        slim_weights: file of a slim VGG19 to compute the losses with, see `load_vgg_slim`; None:
            the full one.
        frozen_trunk: whether the predictor's first five convolutions stay as they are.
        precision: "float32", "bfloat16", or "auto": bfloat16 where the processor is fast at it.
        seed: of the initial weights and of every draw.
        paintings: those that a style predictor learns from, beside the network; none: no
            predictor is trained.
        predictor: widths of the predictor.
        paintings_per_batch: paintings drawn for a step.
        painting_share: share of the style draws that take one of them, not a named style.
        painting_crop: side in pixels of the square part that is looked at.
        painting_style_weight: of the style loss for them; None: the mean of the named styles'.
        initial: folder of a trained network to start from instead of random weights: kernels and
            styles of the same name are taken over. Skip connections, noise and residual blocks
            that it lacks start closed (gamma 0), so that the first pictures are those of the
            trained network.
    """

    styles: tuple[StyleSpec, ...]
    photos: str
    layout: CinLayout = field(default_factory=CinLayout)
    steps: int = 12_000
    batch_size: int = 4
    styles_per_photo: int = 1
    crop_size: int = 192
    zoom: float = 1.0
    learning_rate: float = 1.5e-3
    optimizer: str = "adam"
    content_weight: float = 1.0
    shift_weight: float = 1.5
    detailed_weight: float = 0.0
    flat_weight: float = 0.0
    matched_parts: float = 0.0
    tone_weight: float = 0.0
    drawing_weight: float = 0.0
    local_drawing_weight: float = 0.0
    light_weight: float = 0.0
    palette_weight: float = 0.0
    total_variation_weight: float = 1.0
    identity_weight: float = 10.0
    stability_weight: float = 0.0
    blend_share: float = 0.25
    strength_share: float = 0.05
    identity_share: float = 0.05
    averaging: float = 0.0
    pooling: str = "max"
    slim_weights: str | None = None
    frozen_trunk: bool = False
    precision: Precision = "auto"
    seed: int = 0
    paintings: tuple[PaintingSpec, ...] = ()
    predictor: PredictorLayout = field(default_factory=PredictorLayout)
    paintings_per_batch: int = 3
    painting_share: float = 0.75
    painting_crop: int = 256
    painting_style_weight: float | None = None
    initial: str | None = None

    def shares_of_parts(self) -> tuple[float, ...]:
        """`matched_parts` of each style; empty where none has any."""
        own = [style.matched_parts for style in self.styles]
        shares = tuple(self.matched_parts if share is None else share for share in own)
        return shares if any((*shares, self.matched_parts)) else ()

    def save(self, path: str | Path) -> None:
        """Writes the settings as JSON."""
        write_bytes(path, (json.dumps(asdict(self), indent=2) + "\n").encode())

    @classmethod
    def load(cls, path: str | Path) -> TrainConfig:
        """Reads what `save` wrote; a damaged file or an unknown setting raises `InputError`."""
        try:
            values: dict[str, Any] = read_json(path)
            values["styles"] = tuple(StyleSpec(**style) for style in values["styles"])
            values["paintings"] = tuple(PaintingSpec(**p) for p in values.get("paintings", ()))
            predictor = values.get("predictor", asdict(PredictorLayout()))
            values["predictor"] = predictor_layout(predictor)
            layout = values["layout"]
            values["layout"] = CinLayout(**{**layout, "channels": tuple(layout["channels"])})
            config = cls(**values)
            _check_texts(config)
            return config
        except (OSError, ValueError, TypeError, KeyError) as error:
            raise InputError(f"{path} is not a training configuration: {said(error)}") from error


def _check_texts(config: TrainConfig) -> None:
    """What is joined to a folder, or printed, before the other settings are looked at."""
    texts: list[Any] = [config.photos]
    texts += [text for text in (config.slim_weights, config.initial) if text is not None]
    texts += [text for style in config.styles for text in (style.name, style.file, style.source)]
    texts += [text for painting in config.paintings for text in (painting.file, painting.group)]
    for text in texts:
        if not isinstance(text, str):
            raise TypeError(f"a name or a path is no text, but {text!r}")


def check_config(config: TrainConfig) -> None:
    """Raises `InputError` for settings that cannot work, before anything heavy is loaded."""
    _check_styles(config.styles)
    layout = config.layout
    fault = layout_fault(layout)
    if fault:
        raise InputError(f"{fault}.")
    least = max(MIN_TRAINING_SIDE, 4 * layout.multiple)
    _check_number("crop_size", config.crop_size, low=1, whole=True)
    if config.crop_size % layout.multiple or config.crop_size < least:
        raise InputError(
            f"`crop_size` must be a multiple of {layout.multiple}, {least} at least. "
            f"Received: {config.crop_size}."
        )
    for name in ("steps", "batch_size", "styles_per_photo", "paintings_per_batch"):
        _check_number(name, getattr(config, name), low=1, whole=True)
    if config.batch_size % config.styles_per_photo:
        raise InputError(
            f"`batch_size` must be a multiple of `styles_per_photo`. Received: "
            f"batch_size={config.batch_size}, styles_per_photo={config.styles_per_photo}."
        )
    _check_number("seed", config.seed, low=0, whole=True)
    _check_number("zoom", config.zoom, low=1)
    _check_number("learning_rate", config.learning_rate, low=1e-12)
    for name in WEIGHTS:
        _check_number(f"{name}_weight", getattr(config, f"{name}_weight"), low=0)
    _check_number("averaging", config.averaging, low=0)
    if config.averaging >= 1:
        raise InputError(f"`averaging` is below 1. Received: {config.averaging}.")
    if config.painting_style_weight is not None:
        _check_number("painting_style_weight", config.painting_style_weight, low=0)
    if config.stability_weight > 0 and config.batch_size < 2 * config.styles_per_photo:
        raise InputError("`stability_weight` above 0 needs two photos a step at least.")
    _check_number("painting_crop", config.painting_crop, low=MIN_TRAINING_SIDE, whole=True)
    missing = [spec.file for spec in config.paintings if not Path(spec.file).is_file()]
    if missing:
        raise InputError(f"{len(missing)} paintings are missing, the first is {missing[0]}.")
    for name in ("painting_share", "matched_parts", "palette_weight"):
        _check_share(name, getattr(config, name))
    shares = (config.blend_share, config.strength_share, config.identity_share)
    numbers = [share for share in shares if isinstance(share, (int, float)) and share >= 0]
    if len(numbers) < len(shares) or sum(numbers) > 1 + 1e-9:
        raise InputError(
            "`blend_share`, `strength_share` and `identity_share` must be 0 or more, and 1 at most "
            f"together. Received: {', '.join(map(str, shares))}."
        )
    choices_of = {"optimizer": OPTIMIZERS, "pooling": POOLINGS, "precision": PRECISIONS}
    for name, choices in choices_of.items():
        if getattr(config, name) not in choices:
            raise InputError(
                f"`{name}` is one of {', '.join(map(repr, choices))}. "
                f"Received: {getattr(config, name)!r}."
            )


def _check_styles(styles: tuple[StyleSpec, ...]) -> None:
    names = [style.name for style in styles]
    is_named = all(isinstance(name, str) and name for name in names)
    if not is_named or not names or len(set(names)) != len(names) or IDENTITY in names:
        raise InputError(
            f"`styles` needs at least one style, each with its own name other than "
            f"{IDENTITY!r}. Received: {said(names, 500)}."
        )
    for style in styles:
        # Hours of training should not end in a name or a source that cannot be saved.
        Embedding("cin", "cin", {"gamma": np.zeros(1, "f4")}, name=style.name, source=style.source)
        owner = f" of style {style.name!r}"
        _check_number("style_weight", style.style_weight, low=0, owner=owner)
        _check_number(
            "style_size", style.style_size, low=MIN_TRAINING_SIDE, whole=True, owner=owner
        )
        check_painting(style)
        if style.matched_parts is not None:
            _check_share("matched_parts", style.matched_parts, owner)


def _check_share(name: str, value: Any, owner: str = "") -> None:
    if isinstance(value, bool) or not isinstance(value, (int, float)) or not 0 <= value <= 1:
        raise InputError(f"`{name}`{owner} goes from 0 to 1. Received: {value!r}.")


def check_painting(style: StyleSpec) -> None:
    """Raises `InputError` unless `levels` and `crop` of a style are such."""
    owner, levels, crop = f" of style {style.name!r}", style.levels, style.crop
    if not _are_shares(levels, 2) or not levels[0] <= levels[1] - 0.05:
        raise InputError(
            f"`levels`{owner} must be black and white, two numbers from 0 to 1 at least 0.05 "
            f"apart. Received: {list(levels)!r}."
        )
    if not _are_shares(crop, 4) or not (crop[0] < crop[2] and crop[1] < crop[3]):
        raise InputError(
            f"`crop`{owner} must be left, top, right and bottom, four shares of width and height "
            f"from 0 to 1, as in [0.1, 0, 0.9, 1]. Received: {list(crop)!r}."
        )


def _are_shares(values: Sequence[Any], count: int) -> bool:
    numbers = [v for v in values if isinstance(v, (int, float)) and not isinstance(v, bool)]
    return len(values) == len(numbers) == count and all(0 <= v <= 1 for v in numbers)


def _check_number(
    name: str, value: Any, *, low: float, whole: bool = False, owner: str = ""
) -> None:
    kinds = (int,) if whole else (int, float)
    if isinstance(value, bool) or not isinstance(value, kinds) or not low <= value < math.inf:
        kind = "whole number" if whole else "number"
        raise InputError(f"`{name}`{owner} must be a {kind} from {low:g} up. Received: {value!r}.")
