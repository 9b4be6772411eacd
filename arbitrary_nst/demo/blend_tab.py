"""The tab with the sliders: up to six styles, and the picture that follows them."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import gradio as gr
from PIL import Image

from arbitrary_nst.demo import slots
from arbitrary_nst.demo.files import exact, shown
from arbitrary_nst.demo.mixes import MAX_STYLES, Mix, Own, code, embeddings_of, paint, thumbnails
from arbitrary_nst.demo.photos import Photo, full_size
from arbitrary_nst.demo.settings import Settings
from arbitrary_nst.demo.tiles import style_sheet
from arbitrary_nst.demo.toasts import friendly, no_photo, note
from arbitrary_nst.embedding import Embedding

NAME = "Blend"
FIRST_STYLES = ("composition-vii", "starry-night")


@dataclass(frozen=True)
class BlendTab:
    """The components of the tab."""

    chosen: gr.State  # names, in the order of the slots
    styles: gr.CheckboxGroup
    pictures: gr.HTML
    rows: list[gr.Row]
    sliders: list[gr.Slider]
    removes: list[gr.Button]
    strength: gr.Slider
    keep: gr.Checkbox
    result: gr.ImageSlider
    status: gr.Markdown
    code: gr.Code
    full: gr.Button
    download: gr.DownloadButton

    @property
    def slots(self) -> list[Any]:
        """What `slots.updates` updates."""
        return [self.chosen, self.styles, *self.rows, *self.sliders, *self.removes]


@dataclass(frozen=True)
class After:
    """Functions that add something to do after an event; each returns the event of its own.

    Args:
        paint: the picture of the present settings.
        draw: the pictures of the choice of styles.
        begin: all of it anew, with the first styles.
    """

    paint: Callable[[Any], Any]
    draw: Callable[[Any], Any]
    begin: Callable[[Any], Any]


def lay_out(pictures: dict[str, Image.Image]) -> BlendTab:
    """Draws the tab.

    Args:
        pictures: of the packaged styles, by name.
    """
    chosen = gr.State(())
    with gr.Row(equal_height=False):
        with gr.Column(scale=6, min_width=320, elem_id="stage"):
            result = comparison("result")
            status = gr.Markdown(elem_classes="quiet", elem_id="status")
        with gr.Column(scale=4, min_width=280):
            rows, sliders, removes = zip(*map(_slot, range(1, MAX_STYLES + 1)), strict=True)
            strength = gr.Slider(
                0,
                1,
                1,
                step=0.01,
                label="Strength",
                info="0 is the photo, 1 the full style.",
                buttons=[],
                elem_id="strength",
            )
            keep = gr.Checkbox(False, label="Keep the colours of the photo", elem_id="keep")
            full = gr.Button("Full-size PNG", variant="primary", elem_id="full")
            download = gr.DownloadButton("Save the PNG", visible=False, elem_id="download")
    styles = gr.CheckboxGroup(
        list(pictures),
        label=f"Styles, up to {MAX_STYLES}",
        elem_id="styles",
        elem_classes="tiles",
    )
    sheet = gr.HTML(style_sheet("styles", pictures.values()), elem_classes="sheet")
    with gr.Accordion("The same picture from Python", open=False):
        text = code_box("code")
    return BlendTab(
        chosen,
        styles,
        sheet,
        list(rows),
        list(sliders),
        list(removes),
        strength,
        keep,
        result,
        status,
        text,
        full,
        download,
    )


def comparison(name: str) -> gr.ImageSlider:
    """The photo and its picture on top of each other, with a line to move between them."""
    return gr.ImageSlider(
        label="Before and after: move the line",
        show_label=False,
        interactive=False,
        buttons=["fullscreen"],
        slider_position=25,
        max_height=560,
        elem_id=name,
    )


def code_box(name: str) -> gr.Code:
    """Lines of Python to be copied."""
    return gr.Code(
        language="python",
        interactive=False,
        lines=4,
        show_label=False,
        show_line_numbers=False,
        wrap_lines=True,
        buttons=["copy"],
        elem_id=name,
    )


def _slot(number: int) -> tuple[gr.Row, gr.Slider, gr.Button]:
    with gr.Row(visible=False, elem_classes="slot") as row:
        slider = gr.Slider(
            0,
            1,
            slots.NEW_WEIGHT,
            step=0.01,
            label=f"Style {number}",
            min_width=160,
            buttons=[],
            elem_id=f"weight-{number}",
        )
        button = gr.Button(
            f"Remove style {number}",
            scale=0,
            min_width=40,
            elem_id=f"remove-{number}",
            elem_classes="remove",
        )
    return row, slider, button


def connect(
    page: gr.Blocks,
    tab: BlendTab,
    photo: gr.State,
    own: gr.State,
    settings: Settings,
    embedded: dict[str, Embedding],
    *,
    live: dict[str, Any],
    heavy: dict[str, Any],
) -> After:
    """Wires the tab.

    Args:
        page: on whose opening the first styles are chosen.
        tab: the components.
        photo: state with the visitor's photo.
        own: state with the visitor's own styles by name.
        settings: for the limits.
        embedded: the packaged styles by name.
        live: options of events that a visitor waits for.
        heavy: options of events that take their time.

    """
    quick = {"show_progress": "hidden", "trigger_mode": "always_last", **live}
    settings_of_mix = [tab.chosen, own, tab.strength, tab.keep, *tab.sliders]

    @friendly
    def refresh(photo: Photo | None, *given: Any) -> tuple[Any, ...]:
        """The picture of the present settings, what it is, and the code that makes it."""
        hidden = gr.DownloadButton(visible=False)
        if photo is None:
            return None, "Choose a photo to begin.", "", hidden
        mix, own = _mix(*given)
        picture = paint(photo.image, mix, embeddings_of(mix.styles, embedded, own))
        pair = shown(photo.picture()), shown(picture)
        if mix.is_empty:
            hint = "All weights are 0: this is the photo." if mix.styles else "Choose a style."
            return pair, hint, "", hidden
        status = f"{mix.shares()} · {picture.width} × {picture.height} pixels"
        return pair, status, code(photo, mix, own), hidden

    @friendly
    def prepare(photo: Photo | None, *given: Any) -> Any:
        """The button that saves the picture of the photo in its own size."""
        if photo is None:
            raise no_photo()
        mix, own = _mix(*given)
        image = full_size(photo, settings)
        picture = paint(image, mix, embeddings_of(mix.styles, embedded, own))
        if image.shape[:2] != photo.shape:
            note(
                f"The photo has {photo.shape[1]} × {photo.shape[0]} pixels; this demo paints up "
                f"to {settings.max_output_pixels / 1e6:.3g} megapixels."
            )
        label = f"Save the PNG ({picture.width} × {picture.height})"
        file = exact(picture, "-".join(mix.styles) or "photo")
        return gr.DownloadButton(label, value=file, visible=True)

    @friendly
    def pick(names: list[str], chosen: tuple[str, ...], own: Own, *weights: float) -> list[Any]:
        before = slots.weighted(chosen, weights)
        return slots.updates(slots.picked(names, before, embedded, own))

    @friendly
    def begin() -> list[Any]:
        names = FIRST_STYLES if embedded.keys() >= set(FIRST_STYLES) else list(embedded)[:2]
        return slots.updates(dict.fromkeys(names, slots.NEW_WEIGHT))

    @friendly
    def draw_choice(photo: Photo | None, own: Own) -> Any:
        if photo is None:
            return gr.skip()
        pictures = thumbnails(photo.image, embedded)
        return style_sheet(
            "styles", [*pictures.values(), *(style.thumbnail for style in own.values())]
        )

    inputs = [photo, *settings_of_mix]
    outputs = [tab.result, tab.status, tab.code, tab.download]

    def paint_after(event: Any) -> Any:
        return event.then(refresh, inputs, outputs, **quick)

    def draw_after(event: Any) -> Any:
        return event.then(draw_choice, [photo, own], tab.pictures, **quick)

    # One listener for all sliders: while one picture is being painted, only the last of the
    # moves since then waits, so dragging never makes a backlog.
    moves = [slider.input for slider in (*tab.sliders, tab.strength)]
    gr.on([*moves, tab.keep.input], refresh, inputs, outputs, **quick)

    present = [tab.chosen, own, *tab.sliders]
    paint_after(tab.styles.input(pick, [tab.styles, *present], tab.slots, **quick))
    for button in tab.removes:
        inputs_of_click = [button, tab.chosen, *tab.sliders]
        paint_after(button.click(friendly(_remove), inputs_of_click, tab.slots, **quick))
    paint_after(page.load(begin, None, tab.slots, **quick))

    def begin_after(event: Any) -> Any:
        return draw_after(paint_after(event.then(begin, None, tab.slots, **quick)))

    made = tab.full.click(prepare, inputs, tab.download, show_progress_on=tab.full, **heavy)
    made.success(None, js=_SAVE, api_visibility="private")
    return After(paint_after, draw_after, begin_after)


# A browser saves a file only through a link that is there when it is clicked.
_SAVE = "() => { setTimeout(() => document.querySelector('#download')?.click(), 300); }"


def _mix(
    chosen: tuple[str, ...], own: Own, strength: float, keep: bool, *weights: float
) -> tuple[Mix, Own]:
    used = slots.weighted(chosen, weights)
    return Mix(tuple(used), tuple(used.values()), round(float(strength), 2), keep), own


def _remove(label: str, chosen: tuple[str, ...], *weights: float) -> list[Any]:
    """Takes out the style that the button named when it was clicked.

    By its name and not by its place, which a click just before may have changed.
    """
    mix = slots.weighted(chosen, weights)
    mix.pop(label.removeprefix(slots.REMOVE), None)
    return slots.updates(mix)
