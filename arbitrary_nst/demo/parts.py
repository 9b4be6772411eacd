"""Parts of the page that several tabs have."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import gradio as gr

STAGE_HEIGHT = 420  # pixels of the picture, known before it is there, so that nothing moves


@dataclass(frozen=True)
class Shared:
    """What the tab takes from the rest of the page.

    Args:
        present: state with the name of the tab in sight; out of sight nothing is painted here.
        photo: state with the visitor's photo.
        own: state with the visitor's own styles by name.
    """

    present: gr.State
    photo: gr.State
    own: gr.State


def comparison(name: str, value: Any = None) -> gr.ImageSlider:
    """The photo and its picture on top of each other, with a line to move between them."""
    return gr.ImageSlider(
        value,
        label="Before and after: move the line",
        show_label=False,
        interactive=False,
        buttons=["fullscreen"],
        slider_position=50,
        height=STAGE_HEIGHT,
        max_height=STAGE_HEIGHT,
        elem_id=name,
        elem_classes="picture",
    )


def code_box(name: str, value: str = "") -> gr.Code:
    """Lines of Python to be copied."""
    return gr.Code(
        value,
        label="Python",
        language="python",
        interactive=False,
        lines=4,
        show_label=False,
        show_line_numbers=False,
        wrap_lines=True,
        buttons=["copy"],
        elem_id=name,
    )
