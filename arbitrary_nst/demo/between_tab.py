"""The tab between styles: the way from one to another, and a pad with four at its corners."""

from __future__ import annotations

import html
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import gradio as gr
from PIL import Image

from arbitrary_nst.demo import controls, saving, share
from arbitrary_nst.demo.files import shown, shown_photo
from arbitrary_nst.demo.mixes import Mix, Own, code, embeddings_of, preview, tile_pictures
from arbitrary_nst.demo.names import Captions, narrow_title, titles
from arbitrary_nst.demo.parts import Shared, code_box, comparison
from arbitrary_nst.demo.photos import Photo
from arbitrary_nst.demo.settings import Settings
from arbitrary_nst.demo.tiles import data_url
from arbitrary_nst.demo.toasts import friendly, no_photo
from arbitrary_nst.embedding import Embedding

NAME = "Between styles"
STEPS = 5
ENDS = ("From", "To")
HINT = "Five steps from the one to the other: click one to see it large."
CORNERS = ("Top left", "Top right", "Bottom left", "Bottom right")
FIRST_CORNERS = ("great-wave", "scream", "composition-vii", "water-lilies")

# The pad moves the two sliders, which the keyboard reaches as well, and follows them.
_PAD_SCRIPT = """
const axes = ["x", "y"];
const slider = (axis) => document.querySelector(`#pad-${axis} input[type=range]`);
const follow = () => {
  const pad = element.querySelector(".pad");
  for (const axis of axes) pad?.style.setProperty(`--${axis}`, slider(axis)?.value ?? 0.5);
};
const move = (event) => {
  const box = element.querySelector(".pad").getBoundingClientRect();
  const at = {
    x: (event.clientX - box.left) / box.width,
    y: (event.clientY - box.top) / box.height,
  };
  for (const axis of axes) {
    const input = slider(axis);
    input.value = Math.min(1, Math.max(0, at[axis])).toFixed(2);
    input.dispatchEvent(new Event("input", { bubbles: true }));
  }
  follow();
};
element.addEventListener("pointerdown", (event) => {
  if (!event.target.closest(".pad")) return;
  event.target.setPointerCapture(event.pointerId);
  move(event);
});
element.addEventListener("pointermove", (event) => {
  if (event.buttons && event.target.closest(".pad")) move(event);
});
document.addEventListener("input", (event) => {
  if (event.target.closest("#pad-x, #pad-y")) follow();
});
"""


@dataclass(frozen=True)
class BetweenTab:
    """The components of the tab."""

    place: gr.State  # names and weights of the picture in sight
    ends: list[gr.Dropdown]
    strip: gr.Gallery
    corners: list[gr.Dropdown]
    pad: gr.HTML
    axes: list[gr.Slider]
    controls: controls.Controls
    result: gr.ImageSlider
    status: gr.Markdown
    code: gr.Code
    saving: saving.Saving

    @property
    def choices(self) -> list[gr.Dropdown]:
        """All that name a style."""
        return [*self.ends, *self.corners]


def lay_out(pictures: dict[str, Image.Image], captions: Captions, pace: saving.Pace) -> BetweenTab:
    """Draws the tab.

    Args:
        pictures: of the packaged styles, by name.
        captions: of the packaged styles, by name.
        pace: of the pictures to keep.
    """
    names = list(pictures)
    shown_names = titles(names, captions)
    first = corner_names(names)
    with gr.Row(equal_height=False, elem_classes="room"):
        with gr.Column(scale=7, min_width=320, elem_classes="wall"):
            with gr.Column(elem_classes="stage"):
                result = comparison("pad-result")
                status = gr.Markdown(elem_classes="quiet", elem_id="pad-status")
            with gr.Row(elem_classes="small-choices"):
                ends = [
                    gr.Dropdown(shown_names, value=names[index], label=label, min_width=140)
                    for label, index in zip(ENDS, (0, min(1, len(names) - 1)), strict=True)
                ]
            strip = gr.Gallery(
                label="From the one to the other",
                show_label=False,
                columns=STEPS,
                rows=1,
                height="auto",
                object_fit="contain",
                allow_preview=False,
                interactive=False,
                buttons=[],
                elem_id="strip",
            )
            gr.Markdown(HINT, elem_classes="quiet")
        with gr.Column(scale=3, min_width=300, elem_classes="desk"):
            pad = gr.HTML(
                pad_html(first, pictures, captions), js_on_load=_PAD_SCRIPT, elem_id="pad"
            )
            with gr.Row(elem_id="corners", elem_classes="small-choices"):
                corners = [
                    gr.Dropdown(shown_names, value=name, label=label, min_width=120)
                    for label, name in zip(CORNERS, first, strict=True)
                ]
            axes = [
                gr.Slider(0, 1, 0.5, step=0.01, label=label, buttons=[], elem_id=f"pad-{axis}")
                for axis, label in (("x", "Left to right"), ("y", "Top to bottom"))
            ]
            own_controls = controls.lay_out("pad-")
            keep = saving.lay_out(pace, "pad-")
    with gr.Accordion("The same picture from Python", open=False):
        text = code_box("pad-code")
    place = gr.State(corner_mix(0.5, 0.5, first))
    return BetweenTab(
        place, ends, strip, corners, pad, axes, own_controls, result, status, text, keep
    )


def corner_names(names: Sequence[str]) -> list[str]:
    """The styles that the pad begins with."""
    wanted = [name for name in FIRST_CORNERS if name in names]
    wanted += [name for name in names if name not in wanted]
    return [wanted[index % len(wanted)] for index in range(len(CORNERS))]


def pad_html(names: Sequence[str], pictures: dict[str, Image.Image], captions: Captions) -> str:
    """The pad with the pictures of these four styles at its corners."""
    cells = "".join(
        f'<div style="background-image: url({data_url(pictures[name])})">'
        f"<span>{html.escape(narrow_title(name, captions))}</span></div>"
        for name in names
    )
    return f'<div class="pad" aria-hidden="true">{cells}<i></i></div>'


def corner_weights(x: float, y: float) -> tuple[float, ...]:
    """Bilinear weights of the four corners, in the order of `CORNERS`; their sum is 1."""
    return (1 - x) * (1 - y), x * (1 - y), (1 - x) * y, x * y


def corner_mix(
    x: float, y: float, names: Sequence[str]
) -> tuple[tuple[str, ...], tuple[float, ...]]:
    """Styles and weights at a place of the pad; a style at two corners counts once."""
    totals = dict.fromkeys(names, 0.0)
    for name, weight in zip(names, corner_weights(x, y), strict=True):
        totals[name] += weight
    shares = {name: round(weight, 4) for name, weight in totals.items() if weight >= 5e-5}
    return tuple(shares), tuple(shares.values())


def connect(
    tab: BetweenTab,
    shared: Shared,
    settings: Settings,
    embedded: dict[str, Embedding],
    captions: Captions,
    *,
    live: dict[str, Any],
    heavy: dict[str, Any],
) -> Callable[[Any], None]:
    """Wires the tab.

    Args:
        tab: the components.
        shared: what this tab takes from the rest of the page.
        settings: for the limits.
        embedded: the packaged styles by name.
        captions: of the packaged styles, by name.
        live: options of events that a visitor waits for.
        heavy: options of events that take their time.

    Returns:
        A function that adds something to do after an event: to paint this tab anew.
    """

    def way(start: str, end: str, step: int) -> tuple[tuple[str, ...], tuple[float, ...]]:
        share = step / (STEPS - 1)
        return (start, end), (1 - share, share)

    @friendly
    def draw_strip(
        tab: str, photo: Photo | None, own: Own, start: Any, end: Any, *given: Any
    ) -> Any:
        if tab != NAME or photo is None:
            return gr.skip()
        start, end = controls.text(start), controls.text(end)
        styles = embeddings_of((start, end), embedded, own)
        strip = []
        for step in range(STEPS):
            mix = Mix(*way(start, end, step), **controls.read(*given))
            first, second = (f"{weight:.0%}" for weight in mix.weights)
            named = {0: narrow_title(start, captions), STEPS - 1: narrow_title(end, captions)}
            caption = named.get(step, f"{first} : {second}")
            strip.append((shown(preview(photo, mix, styles)), caption))
        return strip

    @friendly
    def draw_place(
        tab_name: str, photo: Photo | None, own: Own, place: Any, *given: Any
    ) -> tuple[Any, ...]:
        if tab_name != NAME:
            return (gr.skip(),) * 5
        if photo is None:
            return None, "Choose a photo to begin.", "", *saving.offer_of(tab.saving, None)
        mix = Mix(*place, **controls.read(*given))
        styles = embeddings_of(mix.styles, embedded, own)
        picture = preview(photo, mix, styles)
        offer = saving.offer_of(tab.saving, saving.job_of(photo, mix, styles, settings))
        pair = shown_photo(photo), shown(picture)
        return pair, mix.shares(captions), code(photo, mix, own, settings=settings), *offer

    @friendly
    def find(photo: Photo | None, own: Own, place: Any, *given: Any) -> saving.Job:
        if photo is None:
            raise no_photo()
        mix = Mix(*place, **controls.read(*given))
        styles = embeddings_of(mix.styles, embedded, own)
        return saving.job_of(photo, mix, styles, settings, share.to_text(mix))

    @friendly
    def at_pad(x: Any, y: Any, *given: Any) -> Any:
        names = [controls.text(name) for name in given]
        x, y = controls.number(x, "Left to right"), controls.number(y, "Top to bottom")
        return corner_mix(x, y, names)

    @friendly
    def at_strip(start: Any, end: Any, event: gr.SelectData) -> Any:
        step = min(max(int(event.index), 0), STEPS - 1)
        names, weights = way(controls.text(start), controls.text(end), step)
        shares = {n: w for n, w in zip(names, weights, strict=True) if w}
        return tuple(shares), tuple(shares.values())

    @friendly
    def draw_pad(tab: str, photo: Photo | None, own: Own, *given: Any) -> Any:
        if tab != NAME or photo is None:
            return gr.skip()
        names = tuple(controls.text(name) for name in given)
        embeddings_of(names, embedded, own)  # for its check of the names
        four = {name: style for name, style in embedded.items() if name in names}
        ours = {name: style for name, style in own.items() if name in names}
        return pad_html(names, tile_pictures(photo.image, four, ours), captions)

    given = [shared.present, shared.photo, shared.own]
    outputs = [tab.result, tab.status, tab.code, *tab.saving.shown]
    place = draw_place, [*given, tab.place, *tab.controls.all], outputs
    strip = draw_strip, [*given, *tab.ends, *tab.controls.all], tab.strip
    pad = draw_pad, [*given, *tab.corners], tab.pad
    last: dict[str, Any] = {
        "show_progress": "hidden",
        "trigger_mode": "always_last",
        "preprocess": False,
    }
    moved = [axis.input for axis in tab.axes]
    at_corners = at_pad, [*tab.axes, *tab.corners], tab.place
    gr.on(moved, *at_corners, **last, **live).then(*place, **last, **live)
    tab.strip.select(at_strip, tab.ends, tab.place, **last, **live).then(*place, **last, **live)
    gr.on([end.input for end in tab.ends], *strip, **last, **heavy)
    corners = gr.on([corner.input for corner in tab.corners], *at_corners, **last, **live)
    corners.then(*place, **last, **live).then(*pad, **last, **heavy)
    looks = gr.on([part.input for part in tab.controls.all], *place, **last, **live)
    looks.then(*strip, **last, **heavy)
    inputs = [shared.photo, shared.own, tab.place, *tab.controls.all]
    saving.connect(tab.saving, inputs, find, live=live, heavy=heavy)

    def redraw_after(event: Any) -> None:
        event.then(*place, **last, **live)
        event.then(*pad, **last, **heavy)
        event.then(*strip, **last, **heavy)

    return redraw_after
