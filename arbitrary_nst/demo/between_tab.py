"""The tab between styles: the way from one to another, and a pad with four at its corners."""

from __future__ import annotations

import html
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import gradio as gr
from PIL import Image

from arbitrary_nst.demo.blend_tab import code_box
from arbitrary_nst.demo.files import shown
from arbitrary_nst.demo.mixes import Mix, Own, code, embeddings_of, paint
from arbitrary_nst.demo.photos import Photo, resized
from arbitrary_nst.demo.settings import Settings
from arbitrary_nst.demo.tiles import data_url
from arbitrary_nst.demo.toasts import friendly
from arbitrary_nst.embedding import Embedding

NAME = "Between styles"
STEPS = 5
STRIP_SIZE = 384  # pixels: five pictures side by side are small on any screen
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

    ends: list[gr.Dropdown]
    strip: gr.Gallery
    corners: list[gr.Dropdown]
    pad: gr.HTML
    axes: list[gr.Slider]
    result: gr.Image
    status: gr.Markdown
    code: gr.Code

    @property
    def choices(self) -> list[gr.Dropdown]:
        """All that name a style."""
        return [*self.ends, *self.corners]


@dataclass(frozen=True)
class Shared:
    """What the tab takes from the rest of the page.

    Args:
        present: state with the name of the tab in sight; out of sight nothing is painted here.
        photo: state with the visitor's photo.
        own: state with the visitor's own styles by name.
        strength: of the style, from the blend tab.
        keep: whether the photo's colours stay, likewise.
    """

    present: gr.State
    photo: gr.State
    own: gr.State
    strength: gr.Slider
    keep: gr.Checkbox


def lay_out(pictures: dict[str, Image.Image]) -> BetweenTab:
    """Draws the tab.

    Args:
        pictures: of the packaged styles, by name.
    """
    names = list(pictures)
    gr.Markdown(f"### From one style to another, in {STEPS} pictures")
    with gr.Row():
        ends = [
            gr.Dropdown(names, value=names[index], label=label, min_width=140)
            for label, index in (("From", 0), ("To", min(1, len(names) - 1)))
        ]
    strip = gr.Gallery(
        label="From the one to the other",
        show_label=False,
        columns=STEPS,
        rows=1,
        height="auto",
        object_fit="cover",
        interactive=False,
        buttons=["fullscreen"],
        elem_id="strip",
    )
    gr.Markdown("### Four styles at once: click or drag on the pad, or move its sliders")
    first = corner_names(names)
    with gr.Row(equal_height=False):
        with gr.Column(scale=4, min_width=280):
            pad = gr.HTML(pad_html(first, pictures), js_on_load=_PAD_SCRIPT, elem_id="pad")
            axes = [
                gr.Slider(0, 1, 0.5, step=0.01, label=label, buttons=[], elem_id=f"pad-{axis}")
                for axis, label in (("x", "Left to right"), ("y", "Top to bottom"))
            ]
        with gr.Column(scale=6, min_width=320):
            result = gr.Image(
                label="The mix at this place",
                show_label=False,
                interactive=False,
                buttons=["fullscreen", "download"],
                alt_text="your photo in the mix at this place of the pad",
                height=420,
                elem_id="pad-result",
            )
            status = gr.Markdown(elem_classes="quiet", elem_id="pad-status")
    with gr.Row():
        corners = [
            gr.Dropdown(names, value=name, label=label, min_width=140)
            for label, name in zip(CORNERS, first, strict=True)
        ]
    with gr.Accordion("The same picture from Python", open=False):
        text = code_box("pad-code")
    return BetweenTab(ends, strip, corners, pad, axes, result, status, text)


def corner_names(names: Sequence[str]) -> list[str]:
    """The styles that the pad begins with."""
    wanted = [name for name in FIRST_CORNERS if name in names]
    wanted += [name for name in names if name not in wanted]
    return [wanted[index % len(wanted)] for index in range(len(CORNERS))]


def pad_html(names: Sequence[str], pictures: dict[str, Image.Image]) -> str:
    """The pad with the pictures of these four styles at its corners."""
    cells = "".join(
        f'<div style="background-image: url({data_url(pictures[name])})">'
        f"<span>{html.escape(name)}</span></div>"
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
    pictures: dict[str, Image.Image],
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
        pictures: of the packaged styles, by name.
        live: options of events that a visitor waits for.
        heavy: options of events that take their time.

    Returns:
        A function that adds something to do after an event: to paint this tab anew.
    """

    @friendly
    def draw_strip(
        tab: str, photo: Photo | None, own: Own, strength: float, keep: bool, start: str, end: str
    ) -> Any:
        if tab != NAME or photo is None:
            return gr.skip()
        small = resized(photo, min(photo.size, STRIP_SIZE), settings).image
        styles = embeddings_of((start, end), embedded, own)
        strip = []
        for step in range(STEPS):
            share = step / (STEPS - 1)
            mix = Mix((start, end), (1 - share, share), strength, keep)
            ratio = f"{1 - share:.0%} : {share:.0%}"
            caption = {0: start, STEPS - 1: end}.get(step, ratio)
            strip.append((shown(paint(small, mix, styles)), caption))
        return strip

    @friendly
    def draw_place(
        tab: str, photo: Photo | None, own: Own, strength: float, keep: bool, *place: Any
    ) -> Any:
        if tab != NAME:
            return gr.skip(), gr.skip(), gr.skip()
        if photo is None:
            return None, "Choose a photo to begin.", ""
        x, y, *names = place
        mix = Mix(*corner_mix(x, y, names), strength, keep)
        picture = paint(photo.image, mix, embeddings_of(mix.styles, embedded, own))
        return shown(picture), mix.shares(), code(photo, mix, own)

    @friendly
    def draw_pad(own: Own, *names: str) -> str:
        return pad_html(names, {**pictures, **{n: style.thumbnail for n, style in own.items()}})

    given = [shared.present, shared.photo, shared.own, shared.strength, shared.keep]
    outputs = [tab.result, tab.status, tab.code]
    place = draw_place, [*given, *tab.axes, *tab.corners], outputs
    strip = draw_strip, [*given, *tab.ends], tab.strip
    last = {"show_progress": "hidden", "trigger_mode": "always_last"}
    gr.on([axis.input for axis in tab.axes], *place, **last, **live)
    gr.on([end.input for end in tab.ends], *strip, **last, **heavy)
    corners = [corner.input for corner in tab.corners]
    pad = gr.on(corners, draw_pad, [shared.own, *tab.corners], tab.pad, **last, **live)
    pad.then(*place, **last, **live)

    def redraw_after(event: Any) -> None:
        event.then(*place, **last, **live)
        event.then(*strip, **last, **heavy)

    return redraw_after
