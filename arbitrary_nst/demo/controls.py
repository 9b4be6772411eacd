"""How strongly, with which strokes and colours: the same three controls in every tab."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any

import gradio as gr

from arbitrary_nst.demo.toasts import note

MOST_STROKES = 3.0
LEAST_STROKES = 0.5


@dataclass(frozen=True)
class Controls:
    """The components."""

    strength: gr.Slider
    strokes: gr.Slider
    keep: gr.Checkbox

    @property
    def all(self) -> list[Any]:
        """In the order in which `read` takes their values."""
        return [self.strength, self.strokes, self.keep]


def lay_out(prefix: str = "") -> Controls:
    """Draws the controls of a tab.

    Args:
        prefix: of their ids, which differ from tab to tab.
    """
    with gr.Column(elem_classes="controls"):
        strength = gr.Slider(
            0, 1, 1, step=0.01, label="Strength", buttons=[], elem_id=f"{prefix}strength"
        )
        strokes = gr.Slider(
            LEAST_STROKES,
            MOST_STROKES,
            1,
            step=0.05,
            label="Stroke size",
            buttons=[],
            elem_id=f"{prefix}strokes",
        )
        keep = gr.Checkbox(False, label="Keep the colours of the photo", elem_id=f"{prefix}keep")
    return Controls(strength, strokes, keep)


def read(strength: Any, strokes: Any, keep: Any) -> dict[str, Any]:
    """The values of the controls, as `Mix` takes them."""
    return {
        "strength": number(strength, "The strength"),
        "strokes": number(strokes, "The stroke size", LEAST_STROKES, MOST_STROKES),
        "keep_colors": bool(keep),
    }


def text(value: Any) -> str:
    """A name as the page sends it; "", which nothing is called, in place of anything else.

    A message made by hand may hold a list where a name belongs.
    """
    return value if isinstance(value, str) else ""


def number(value: Any, what: str, low: float = 0.0, high: float = 1.0) -> float:
    """A number as it was typed, brought into its bounds, and the visitor told of it.

    Gradio's own check ends the event with an error of its own: hence `preprocess=False` wherever
    a slider is read, and this.
    """
    try:
        given = float(value)
    except (TypeError, ValueError, OverflowError):
        given = math.nan
    taken = low if math.isnan(given) else min(max(given, low), high)
    if taken != given:
        shown = "nothing" if math.isnan(given) else f"{given:g}"
        note(f"{what} goes from {low:g} to {high:g}: {shown} was taken as {taken:g}.")
    return round(taken, 4)
