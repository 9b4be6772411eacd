"""A mix as a short text: in the page's address, in the files that are saved, and for undo.

The text is the query of an address, such as `mix=great-wave:0.5,scream:1&strength=0.8`.
"""

from __future__ import annotations

import math
import random
from collections.abc import Collection, Mapping
from urllib.parse import parse_qs, unquote, urlencode

from arbitrary_nst.demo.controls import LEAST_STROKES, MOST_STROKES
from arbitrary_nst.demo.mixes import MAX_STYLES, Mix

PRESETS: Mapping[str, Mapping[str, float]] = {
    "Night on the water": {"starry-night": 0.7, "great-wave": 0.4},
    "Garden in June": {"water-lilies": 0.6, "grande-jatte": 0.4},
    "Gold and ochre": {"the-kiss": 0.6, "cubist-ochre": 0.3},
    "Storm": {"shipwreck": 0.6, "scream": 0.4},
    "Bright rooms": {"woman-with-a-hat": 0.5, "composition-vii": 0.5},
    "Ink and mountains": {"fuchun-mountains": 0.8, "sainte-victoire": 0.3},
}


def to_text(mix: Mix) -> str:
    """The mix as the query of an address."""
    pairs = zip(mix.styles, mix.weights, strict=True)
    parts = {"mix": ",".join(f"{_listed(name)}:{weight:g}" for name, weight in pairs)}
    if mix.strength != 1:
        parts["strength"] = f"{mix.strength:g}"
    if mix.strokes != 1:
        parts["strokes"] = f"{mix.strokes:g}"
    if mix.keep_colors:
        parts["colours"] = "photo"
    return urlencode(parts, safe=":,")


def from_text(text: str, known: Collection[str]) -> Mix | None:
    """The mix in a text from anywhere; None where there is none. What is not known is left out."""
    parts = {name: values[-1] for name, values in parse_qs(text[:2000]).items()}
    weights: dict[str, float] = {}
    for part in parts.get("mix", "").split(","):
        name, _, weight = part.rpartition(":")
        name = unquote(name)  # what `_listed` did
        if name in known and len(weights) < MAX_STYLES:
            weights[name] = _within(weight, 0, 1, 0.5)
    if not weights:
        return None
    return Mix(
        tuple(weights),
        tuple(weights.values()),
        _within(parts.get("strength"), 0, 1, 1),
        parts.get("colours") == "photo",
        _within(parts.get("strokes"), LEAST_STROKES, MOST_STROKES, 1),
    )


def surprise(names: Collection[str]) -> Mix:
    """Two or three styles, none with so little that one would not see it."""
    chosen = random.sample(list(names), min(len(names), random.choice((2, 2, 3))))
    weights = tuple(round(random.uniform(0.25, 1), 2) for _ in chosen)
    return Mix(tuple(chosen), weights)


def _listed(name: str) -> str:
    """A name without what parts the list: a visitor's own style is called as its file."""
    return name.replace("%", "%25").replace(",", "%2C")


def _within(text: str | None, low: float, high: float, default: float) -> float:
    try:
        value = float(text or "")
    except ValueError:
        return default
    return default if math.isnan(value) else round(min(max(value, low), high), 2)
