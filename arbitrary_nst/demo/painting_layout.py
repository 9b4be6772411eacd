"""What the tab for any painting looks like; what it does is in `painting_tab`."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import gradio as gr

from arbitrary_nst.checkpoints import magenta_source, predicts_styles, vgg19_weights
from arbitrary_nst.demo import controls, saving
from arbitrary_nst.demo.parts import code_box, comparison
from arbitrary_nst.engines import load_engine
from arbitrary_nst.errors import InputError, WeightsUnavailable

MAX_PAINTINGS = 4
QUICK, OWN, FULL = "magenta", "cin", "vgg19"
MISSING = "Not at hand here"
HINT = "Drop a painting below, and press Paint."


@dataclass(frozen=True)
class PaintingTab:
    """The components of the tab."""

    embedded: gr.State  # embeddings by engine and file, so that each is made once
    done: gr.State  # the last picture of the full quality, or what there is of it
    images: list[gr.Image]
    weights: list[gr.Slider]
    engine: gr.Radio
    notice: gr.Markdown
    paint: gr.Button
    cancel: gr.Button
    progress: gr.HTML
    controls: controls.Controls
    result: gr.ImageSlider
    status: gr.Markdown
    code: gr.Code
    saving: saving.Saving


def lay_out(pace: saving.Pace, photo: str | None) -> PaintingTab:
    """Draws the tab.

    Args:
        pace: of the pictures to keep.
        photo: file of the photo that the page opens on.
    """
    embedded = gr.State({}, time_to_live=3600)
    done = gr.State(None, time_to_live=3600)
    images, weights = [], []
    with gr.Row(equal_height=False, elem_classes="room"):
        with gr.Column(scale=7, min_width=320, elem_classes="wall"):
            with gr.Column(elem_classes="stage"):
                result = comparison("painting-result", photo and (photo, photo))
                status = gr.Markdown(HINT, elem_classes="quiet", elem_id="painting-status")
            with gr.Row(elem_id="paintings"):
                for number in range(1, MAX_PAINTINGS + 1):
                    with gr.Column(min_width=150, elem_classes="painting"):
                        images.append(_painting(number))
                        weights.append(_weight(number))
        with gr.Column(scale=3, min_width=300, elem_classes="desk"):
            engine = gr.Radio(
                engines(),
                value=first_engine(),
                label="How",
                elem_id="quality",
            )
            notice = gr.Markdown(
                availability(first_engine()), elem_classes="quiet", elem_id="notice"
            )
            with gr.Row():
                button = gr.Button("Paint", variant="primary", min_width=120, elem_id="paint")
                cancel = gr.Button("Cancel", interactive=False, min_width=90, elem_id="cancel")
            progress = gr.HTML(elem_id="progress", elem_classes="progress")
            own_controls = controls.lay_out("painting-")
            keep = saving.lay_out(pace, "painting-", visible=False)
    with gr.Accordion("The same picture from Python", open=False):
        text = code_box("painting-code")
    return PaintingTab(
        embedded,
        done,
        images,
        weights,
        engine,
        notice,
        button,
        cancel,
        progress,
        own_controls,
        result,
        status,
        text,
        keep,
    )


def _painting(number: int) -> gr.Image:
    return gr.Image(
        label=f"Painting {number}",
        type="filepath",
        image_mode=None,
        sources=["upload", "clipboard"],
        height=150,
        placeholder="Drop or click",
        buttons=[],
        alt_text=f"painting {number}",
        elem_id=f"painting-{number}",
    )


def _weight(number: int) -> gr.Slider:
    return gr.Slider(
        0,
        1,
        0.5,
        step=0.01,
        label=f"Weight {number}",
        buttons=[],
        elem_id=f"painting-weight-{number}",
    )


def engines() -> list[tuple[str, str]]:
    """The choice of engines; each says before a click whether its weights are there."""
    quick = f"In a second, by Google's Magenta network; {_magenta_here()}"
    full = f"Full quality, in minutes, by VGG19; {_vgg19_here()}"
    if not predicts_styles():
        return [(quick, QUICK), (full, FULL)]
    own = "At once, by the demo's own network; its weights are here"
    return [(own, OWN), (quick, QUICK), (full, FULL)]


def first_engine() -> str:
    """The engine that is checked at the beginning."""
    return OWN if predicts_styles() else QUICK


def availability(engine: str) -> str:
    """Says plainly whether an engine's network is at hand, and what to do where it is not."""
    if engine == OWN:
        return "A new painting takes a few seconds; after that pictures are instant."
    if engine == QUICK:
        source = magenta_source()
        try:
            if "://" not in source:
                load_engine(QUICK)
        except (InputError, WeightsUnavailable, ImportError) as error:
            return f"{MISSING}: {error}"
        if "://" in source:
            return "Google's Magenta network; it is downloaded at first use (92 MB)."
        return "Google's Magenta network; about a second for a picture."
    try:
        if vgg19_weights() == "imagenet":
            return (
                "Every picture is optimised by VGG19 on its own. Its weights are downloaded at "
                "first use (80 MB); without internet, `ARBITRARY_NST_VGG19` has to name the file."
            )
    except WeightsUnavailable as error:
        return f"{MISSING}: {error}"
    return "Every picture is optimised by VGG19 on its own; this takes minutes."


def _magenta_here() -> str:
    source = magenta_source()
    if "://" in source:
        return "the first picture downloads its weights (92 MB)"
    if not Path(source).exists():  # loading it to be sure would slow every start
        return "its weights are not here, and it will say so instead of painting"
    return "its weights are here"


def _vgg19_here() -> str:
    try:
        at_hand = vgg19_weights() != "imagenet"
    except WeightsUnavailable:
        return "its weights are not here, and it will say so instead of painting"
    return "its weights are here" if at_hand else "the first picture downloads its weights (80 MB)"
