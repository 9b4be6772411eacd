"""What the tab with the sliders looks like; what it does is in `blend_tab`."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import gradio as gr
from PIL import Image

from arbitrary_nst.demo import controls, saving, share, slots
from arbitrary_nst.demo.mixes import MAX_STYLES, fits_styles
from arbitrary_nst.demo.names import Captions, tiles, title_of
from arbitrary_nst.demo.parts import code_box, comparison
from arbitrary_nst.demo.tiles import style_sheet

# The last pictures; see `script.py`, which keeps them in the visitor's browser alone.
RECENT = '<div id="recent" role="group" aria-label="Your last pictures"></div>'


@dataclass(frozen=True)
class First:
    """What the page shows before anything has happened.

    Args:
        names: of the styles, each with the weight of a new one.
        pair: files of the photo and of its picture, or None.
        status: the line below it.
        code: that makes it.
    """

    names: tuple[str, ...]
    pair: tuple[str, str] | None
    status: str
    code: str


@dataclass(frozen=True)
class BlendTab:
    """The components of the tab."""

    chosen: gr.State  # names, in the order of the slots
    past: gr.State  # mixes before this one, for undo
    fitted: gr.State  # of which photo and mix the fitted picture is shown, or None
    recall: gr.Textbox  # the mix of a picture in the row of the last ones, as a text
    styles: gr.CheckboxGroup
    pictures: gr.HTML
    rows: list[gr.Row]
    sliders: list[gr.Slider]
    removes: list[gr.Button]
    slot_pictures: gr.HTML
    surprise: gr.Button
    undo: gr.Button
    preset: gr.Dropdown
    fit: gr.Button
    controls: controls.Controls
    result: gr.ImageSlider
    status: gr.Markdown
    link: gr.Textbox  # the mix that is shown, as a text; see `script.py`
    code: gr.Code
    saving: saving.Saving

    @property
    def slots(self) -> list[Any]:
        """What `slots.updates` updates."""
        return [self.chosen, self.styles, *self.rows, *self.sliders, *self.removes]


def lay_out(
    pictures: dict[str, Image.Image], captions: Captions, first: First, pace: saving.Pace
) -> BlendTab:
    """Draws the tab.

    Args:
        pictures: of the packaged styles, by name.
        captions: of the packaged styles, by name.
        first: what is shown at the beginning.
        pace: of the pictures to keep.
    """
    chosen, past, fitted = gr.State(first.names), gr.State([]), gr.State(None)
    with gr.Row(equal_height=False, elem_classes="room"):
        with gr.Column(scale=7, min_width=320, elem_classes="wall"):
            with gr.Column(elem_classes="stage"):
                result = comparison("result", first.pair)
                status = gr.Markdown(first.status, elem_classes="quiet", elem_id="status")
            styles = gr.CheckboxGroup(
                tiles(list(pictures), captions),
                value=list(first.names),
                label=f"Styles, up to {MAX_STYLES}: your photo in each of them",
                elem_id="styles",
                elem_classes="tiles",
            )
            sheet = gr.HTML(style_sheet("styles", pictures.values()), elem_classes="sheet")
        with gr.Column(scale=3, min_width=300, elem_classes="desk"):
            with gr.Column(elem_id="slots"):
                titles = [title_of(name, captions) for name in first.names]
                titles += [""] * (MAX_STYLES - len(titles))
                rows, sliders, removes = zip(
                    *(_slot(n, title) for n, title in enumerate(titles, start=1)), strict=True
                )
            places = [list(pictures).index(name) for name in first.names]
            slot_pictures = gr.HTML(slots.sheet(places), elem_classes="sheet")
            with gr.Row(elem_classes="small-buttons"):
                surprise = gr.Button("Surprise me", size="sm", min_width=90, elem_id="surprise")
                undo = gr.Button("Undo", size="sm", min_width=60, elem_id="undo")
                gr.Button("Copy link", size="sm", min_width=80, elem_id="copy-link")
            names = [name for name, mix in share.PRESETS.items() if mix.keys() <= pictures.keys()]
            preset = gr.Dropdown(
                names,
                value=None,
                label="Or begin with a ready mix",
                visible=bool(names),
                elem_id="preset",
            )
            own_controls = controls.lay_out()
            fit = gr.Button(
                "Fit to this photo, in some seconds",
                size="sm",
                visible=fits_styles(),
                elem_id="fit",
            )
            keep = saving.lay_out(pace)
            gr.HTML(RECENT, elem_id="recent-box")
            recall = gr.Textbox(elem_id="recall", label="Recall", elem_classes="sheet")
    link = gr.Textbox(elem_id="link", label="Link", elem_classes="sheet")
    with gr.Accordion("The same picture from Python", open=False):
        text = code_box("code", first.code)
    return BlendTab(
        chosen,
        past,
        fitted,
        recall,
        styles,
        sheet,
        list(rows),
        list(sliders),
        list(removes),
        slot_pictures,
        surprise,
        undo,
        preset,
        fit,
        own_controls,
        result,
        status,
        link,
        text,
        keep,
    )


def _slot(number: int, title: str) -> tuple[gr.Row, gr.Slider, gr.Button]:
    row_id = f"slot-{number}"
    with gr.Row(visible=bool(title), elem_classes="slot", elem_id=row_id) as row:
        slider = gr.Slider(
            0,
            1,
            slots.NEW_WEIGHT,
            step=0.01,
            label=title or f"Style {number}",
            min_width=160,
            buttons=[],
            elem_id=f"weight-{number}",
        )
        button = gr.Button(
            f"{slots.REMOVE}{title or f'style {number}'}",
            scale=0,
            min_width=40,
            elem_id=f"remove-{number}",
            elem_classes="remove",
        )
    return row, slider, button
