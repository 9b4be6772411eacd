"""The styles of a mix, each in a slot with its slider: which ones, and with what weight."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import gradio as gr

from arbitrary_nst.demo.controls import number
from arbitrary_nst.demo.mixes import MAX_STYLES, Own
from arbitrary_nst.demo.names import Captions, title_of
from arbitrary_nst.demo.tiles import slot_sheet
from arbitrary_nst.demo.toasts import note
from arbitrary_nst.embedding import Embedding

NEW_WEIGHT = 0.5
REMOVE = "Remove "  # what the buttons say before the name of the style
Weighted = dict[str, float]  # names and weights, in the order of the slots


def weighted(chosen: Sequence[str], weights: Sequence[float | None]) -> Weighted:
    """The mix in the slots: the first `len(chosen)` of them are in use."""
    pairs = zip(chosen, weights, strict=False)
    return {name: round(number(weight, f"The weight of {name}"), 2) for name, weight in pairs}


def picked(
    names: Sequence[str], before: Weighted, embedded: Mapping[str, Embedding], own: Own
) -> Weighted:
    """The mix after another choice of styles; those that stay keep their weights.

    Args:
        names: what is checked now.
        before: the mix until now.
        embedded: the packaged styles.
        own: the visitor's own.
    """
    mix = {name: weight for name, weight in before.items() if name in names}
    for name in names:
        if name in mix or (name not in embedded and name not in own):
            continue
        first = next(iter(mix), name)
        if network_of(name, embedded, own) != network_of(first, embedded, own):
            note(
                f"{name} belongs to another network than {first}, and the two do not mix. "
                f"This is a new mix."
            )
            mix = {}
        if len(mix) == MAX_STYLES:
            note(f"A mix has up to {MAX_STYLES} styles. Take one out first.")
            break
        mix[name] = NEW_WEIGHT
    return mix


def network_of(name: str, embedded: Mapping[str, Embedding], own: Own) -> tuple[str, str]:
    """Engine and network of a style; only styles of one network mix."""
    style = own[name].embedding if name in own else embedded[name]
    return style.engine, style.network


def updates(mix: Weighted, captions: Captions | None = None) -> list[Any]:
    """What shows a mix: the names, the check boxes, and rows, sliders and buttons of all slots."""
    titles = [title_of(name, captions or {}) for name in mix]
    empty = MAX_STYLES - len(mix)
    rows = [gr.Row(visible=True)] * len(mix) + [gr.Row(visible=False)] * empty
    sliders = [gr.Slider(label=t, value=w) for t, w in zip(titles, mix.values(), strict=True)]
    buttons = [gr.Button(f"{REMOVE}{title}") for title in titles]
    return [
        tuple(mix),
        gr.CheckboxGroup(value=list(mix)),
        *rows,
        *sliders,
        *[gr.Slider(value=NEW_WEIGHT)] * empty,
        *buttons,
        *[gr.skip()] * empty,
    ]


def sheet(places: Sequence[int]) -> str:
    """Puts the pictures of the choice onto the slots, by their places in it."""
    return slot_sheet("styles", places)
