"""What a call asks for: first a plan, before an engine is loaded, then a look to paint in."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from arbitrary_nst.embedding import Embedding, Weights, blend, normalize_weights
from arbitrary_nst.engines.protocol import Engine
from arbitrary_nst.image import ImageSource
from arbitrary_nst.pipeline.arguments import Options
from arbitrary_nst.pipeline.engine_choice import Choice, choose, embeddings_by
from arbitrary_nst.pipeline.regions import Mask, Regions, read_masks
from arbitrary_nst.pipeline.styles import Styles, list_of_styles, name_of


@dataclass(frozen=True)
class Look:
    """What photos are painted with.

    Args:
        style: the blend, for the whole photo.
        options: how it is painted.
        regions: styles for parts of the photo, in place of `style`.
    """

    style: Embedding
    options: Options
    regions: Regions | None = None

    def unusual(self) -> dict[str, Any]:
        """What of regions, strokes' scale and memory is not the default: JSON values by name.

        For those who keep settings beside pictures: with the style, strength, colour, size and
        seed they say what the pictures depend on.
        """
        names = ("working_size", "texture_scale", "max_memory", "bits", "keep_metadata")
        values = {name: getattr(self.options, name) for name in names}
        usual = Options()
        values = {name: v for name, v in values.items() if v != getattr(usual, name)}
        if self.regions is not None:
            parts = zip(self.regions.styles, self.regions.shares, self.regions.masks, strict=True)
            values["regions"] = [[style.digest, s, _digest(mask)] for style, s, mask in parts]
        return values


@dataclass(frozen=True)
class Plan:
    """A call whose arguments are checked, and whose styles and masks are read.

    Args:
        choice: of the engine, with the styles.
        names: of the styles, for people.
        shares: of the styles, of sum 1.
        masks: as `read_masks` gives them; None: the blend is everywhere.
        options: how it is painted.
    """

    choice: Choice
    names: Sequence[str]
    shares: Sequence[float]
    masks: Sequence[Mask] | None
    options: Options


def plan(
    styles: Styles,
    weights: Weights | None,
    masks: Sequence[ImageSource | None] | None,
    engine: str | Engine,
    options: Options,
) -> Plan:
    """Checks and reads the arguments of a call; loads no engine.

    Args:
        styles: as in `stylize`.
        weights: as in `stylize`.
        masks: as in `stylize`.
        engine: as in `stylize`.
        options: checked.

    Raises:
        InputError: an argument or image that cannot be used; its subclasses tell which.
        WeightsUnavailable: there is no cin network, whose styles are known by name.
    """
    parts = list_of_styles(styles)
    shares = normalize_weights(weights, len(parts))
    areas = None if masks is None else read_masks(masks, len(parts), options.max_pixels)
    choice = choose(parts, engine, options.max_pixels)
    names = [name_of(part, style) for part, style in zip(parts, choice.styles, strict=True)]
    return Plan(choice, names, shares, areas, options)


def look_of(plan: Plan, engine: Engine) -> Look:
    """The look that a plan becomes by the engine that is to paint; see `embeddings_by`."""
    embeddings = embeddings_by(engine, plan.choice.styles)
    regions = None if plan.masks is None else Regions(embeddings, plan.shares, plan.masks)
    return Look(blend(embeddings, plan.shares), plan.options, regions)


def _digest(mask: np.ndarray | None) -> str | None:
    if mask is None:
        return None
    digest = hashlib.sha256(f"{mask.shape}".encode())
    digest.update(np.ascontiguousarray(mask, "<f4").tobytes())
    return digest.hexdigest()[:16]
