"""The tab for regions: a brush that says where in the photo each style goes."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import gradio as gr
import numpy as np

from arbitrary_nst.demo import brush, controls, saving
from arbitrary_nst.demo.files import shown, shown_photo
from arbitrary_nst.demo.mixes import Masks, Mix, Own, code, embeddings_of, preview
from arbitrary_nst.demo.names import Captions, choices, title_of
from arbitrary_nst.demo.parts import Shared, code_box, comparison
from arbitrary_nst.demo.photos import Photo
from arbitrary_nst.demo.settings import Settings
from arbitrary_nst.demo.slots import network_of
from arbitrary_nst.demo.toasts import friendly, no_photo
from arbitrary_nst.embedding import Embedding
from arbitrary_nst.errors import StyleError

NAME = "Regions"
PHOTO = ""  # instead of a style: what stays the photo
STAYS = ("The photo as it is", PHOTO)
FIRST = ("starry-night", "great-wave", "the-kiss")
FIRST_REST = "water-lilies"
HINT = "Brush over the photo where the red style is to go; the palette has green and blue."


@dataclass(frozen=True)
class RegionsTab:
    """The components of the tab."""

    masks: gr.State  # uint8 `(h, w, 3)`, a channel for each brush, or None
    drawn_on: gr.State  # the token of the photo in the editor
    layers: brush.Layers
    editor: gr.ImageEditor
    nudge: gr.Textbox  # the page writes into it when what was brushed has been sent
    ready: gr.Dropdown
    brushes: list[gr.Dropdown]
    rest: gr.Dropdown
    controls: controls.Controls
    result: gr.ImageSlider
    status: gr.Markdown
    code: gr.Code
    file: gr.DownloadButton
    saving: saving.Saving

    @property
    def choices(self) -> list[gr.Dropdown]:
        """All that name a style."""
        return [*self.brushes, self.rest]


def lay_out(names: list[str], captions: Captions, pace: saving.Pace) -> RegionsTab:
    """Draws the tab.

    Args:
        names: of the packaged styles.
        captions: of the packaged styles, by name.
        pace: of the pictures to keep.
    """
    shown_names = choices(names, captions)
    first = [name for name in FIRST if name in names]
    first = (first + [n for n in names if n not in first] + [names[0]] * 3)[:3]
    with gr.Row(equal_height=False, elem_classes="room halves"):
        with gr.Column(scale=5, min_width=320, elem_classes="stage"):
            result = comparison("regions-result")
            status = gr.Markdown(HINT, elem_classes="quiet", elem_id="regions-status")
        with gr.Column(scale=5, min_width=320, elem_classes="desk"):
            layers = brush.Layers()
            editor = brush.editor(layers)
            nudge = gr.Textbox(elem_id="regions-nudge", label="Nudge", elem_classes="sheet")
    gr.HTML(brush.sheet(), elem_classes="sheet")
    with gr.Row(equal_height=False, elem_classes="bench"):
        with gr.Column(scale=4, min_width=260, elem_classes="small-choices"):
            brushes = [
                gr.Dropdown(
                    shown_names,
                    value=name,
                    label=f"Where it is {color}",
                    elem_id=f"brush-{number}",
                )
                for number, (color, name) in enumerate(
                    zip(brush.COLORS, first, strict=True), start=1
                )
            ]
        with gr.Column(scale=4, min_width=260, elem_classes="small-choices"):
            rest = gr.Dropdown(
                rest_choices(names, captions),
                value=FIRST_REST if FIRST_REST in names else names[0],
                label="Everywhere else",
                elem_id="rest",
            )
            ready = gr.Dropdown(
                list(brush.READY),
                value=next(iter(brush.READY)),
                label="Without a brush: what is red",
                elem_id="ready",
            )
        with gr.Column(scale=4, min_width=260):
            own_controls = controls.lay_out("regions-")
            keep = saving.lay_out(pace, "regions-")
    with gr.Accordion("The same picture from Python", open=False):
        text = code_box("regions-code")
        file = gr.DownloadButton(
            "Save the regions that these lines read",
            visible=False,
            size="sm",
            elem_id="save-regions",
        )
    return RegionsTab(
        gr.State(None, time_to_live=3600),
        gr.State(""),
        layers,
        editor,
        nudge,
        ready,
        brushes,
        rest,
        own_controls,
        result,
        status,
        text,
        file,
        keep,
    )


def rest_choices(names: list[str], captions: Captions) -> list[tuple[str, str]]:
    """What can be everywhere else: a style, or the photo as it is."""
    return [STAYS, *choices(names, captions)]


def nothing_new() -> gr.Error:
    """Ends an event that has nothing to say, without a word to the visitor."""
    return gr.Error("Nothing new.", visible=False, print_exception=False)


@dataclass(frozen=True, eq=False)
class Order:
    """What the tab is set to.

    Args:
        mix: of the styles that are somewhere, all of the same weight.
        channels: for each of them its brush, None for what goes everywhere else.
        masks: likewise, uint8 `(h, w)`.
    """

    mix: Mix
    channels: tuple[int | None, ...]
    masks: Masks

    def words(self, captions: Captions) -> str:
        """Which style is where."""
        colors = list(brush.COLORS)
        places = [
            f"{title_of(name, captions)} {'elsewhere' if c is None else f'where it is {colors[c]}'}"
            for name, c in zip(self.mix.styles, self.channels, strict=True)
        ]
        if None not in self.channels:
            places.append("the photo elsewhere")
        return ", ".join(places)


def order_of(masks: np.ndarray | None, names: tuple[Any, ...], look: tuple[Any, ...]) -> Order:
    """What to paint.

    Args:
        masks: of the brushes, uint8 `(h, w, 3)`, or None.
        names: of the styles of the brushes, and of the style everywhere else or `PHOTO`.
        look: values of the controls.
    """
    channels: list[int | None] = list(brush.used(masks))
    styles = [names[channel] for channel in channels if channel is not None]
    if names[-1] != PHOTO:
        channels.append(None)
        styles.append(names[-1])
    mix = Mix(tuple(styles), (1.0,) * len(styles), **controls.read(*look))
    if masks is None:
        return Order(mix, tuple(channels), None)
    each = [None if c is None else np.ascontiguousarray(masks[..., c]) for c in channels]
    return Order(mix, tuple(channels), each)


def connect(
    tab: RegionsTab,
    shared: Shared,
    settings: Settings,
    embedded: dict[str, Embedding],
    captions: Captions,
    *,
    live: dict[str, Any],
    heavy: dict[str, Any],
    reading: dict[str, Any],
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
        reading: options of those that read files.

    Returns:
        A function that adds something to do after an event: to show this tab anew.
    """

    def styles_of(order: Order, own: Own) -> list[Embedding]:
        styles = embeddings_of(order.mix.styles, embedded, own)
        networks = {network_of(name, embedded, own) for name in order.mix.styles}
        if len(networks) > 1:
            raise StyleError("These styles are of two networks, and cannot be in one picture.")
        return styles

    def job(photo: Photo, order: Order, own: Own) -> saving.Job:
        return saving.job_of(photo, order.mix, styles_of(order, own), settings, "", order.masks)

    @friendly
    def show_photo(
        request: gr.Request, present: str, photo: Photo | None, drawn_on: str
    ) -> tuple[Any, ...]:
        """Another photo begins with nothing drawn on it; the same one keeps what is.

        No `gr.skip()` for the editor: Gradio answers that with a new one for this visit, which
        knows nothing of `layers`.
        """
        token = "" if photo is None else photo.token
        if present != NAME or token == drawn_on:
            raise nothing_new()
        tab.layers.forget(request.session_hash)
        value = None if photo is None else brush.value_of(photo, None)
        return value, None, token, next(iter(brush.READY))

    @friendly
    def take(request: gr.Request, photo: Photo | None, ready: Any, before: Any) -> Any:
        """The masks of what is drawn, over the region that was ready, where that is new.

        The editor sends an empty layer, too, when the page puts another photo there.
        """
        layer = tab.layers.get(request.session_hash)
        if photo is None or layer is None:
            raise nothing_new()
        masks = brush.over(brush.masks_in(layer), brush.ready(str(ready), photo))
        if masks is before or (masks is not None and np.array_equal(masks, before)):
            raise nothing_new()
        return masks

    @friendly
    def renew(request: gr.Request, photo: Photo | None) -> tuple[Any, ...]:
        """The photo once more, after everything was wiped out."""
        tab.layers.forget(request.session_hash)
        value = None if photo is None else brush.value_of(photo, None)
        return value, None, next(iter(brush.READY))

    @friendly
    def take_ready(request: gr.Request, photo: Photo | None, name: Any) -> tuple[Any, ...]:
        if photo is None:
            raise no_photo()
        tab.layers.forget(request.session_hash)
        masks = brush.ready(str(name), photo)
        return brush.value_of(photo, masks), masks

    @friendly
    def draw(
        present: str, photo: Photo | None, own: Own, masks: Any, *given: Any
    ) -> tuple[Any, ...]:
        if present != NAME:
            return (gr.skip(),) * 6
        no_offer, no_file = saving.offer_of(tab.saving, None), gr.DownloadButton(visible=False)
        if photo is None:
            return None, "Choose a photo to begin.", "", no_file, *no_offer
        order = order_of(masks, given[:4], given[4:])
        if order.mix.is_empty:
            before = shown_photo(photo)
            return (before, before), HINT, "", no_file, *no_offer
        styles = styles_of(order, own)
        picture = preview(photo, order.mix, styles, order.masks)
        pair = shown_photo(photo), shown(picture)
        channels, file = None, no_file
        if masks is not None:
            channels = order.channels
            file = gr.DownloadButton(value=brush.regions_file(masks), visible=True)
        text = code(photo, order.mix, own, settings=settings, channels=channels)
        words = order.words(captions) if masks is not None else HINT
        offer = saving.offer_of(tab.saving, job(photo, order, own))
        return pair, words, text, file, *offer

    @friendly
    def find(photo: Photo | None, own: Own, masks: Any, *given: Any) -> saving.Job:
        if photo is None:
            raise no_photo()
        order = order_of(masks, given[:4], given[4:])
        if order.mix.is_empty:
            raise gr.Error(HINT, title="Nothing to paint yet", print_exception=False)
        return job(photo, order, own)

    last: dict[str, Any] = {
        "show_progress": "hidden",
        "trigger_mode": "always_last",
        "preprocess": False,
    }
    chosen = [shared.own, tab.masks, *tab.choices, *tab.controls.all]
    inputs = [shared.present, shared.photo, *chosen]
    outputs = [tab.result, tab.status, tab.code, tab.file, *tab.saving.shown]
    painting = draw, inputs, outputs
    # The editor keeps its first change to itself; so the page tells of what was sent, too. Apart
    # from each other: Gradio's page asks all that an event may be of for their values.
    for drawn in (tab.editor.change, tab.nudge.change):
        taken = drawn(take, [shared.photo, tab.ready, tab.masks], tab.masks, **last, **reading)
        taken.success(*painting, **last, **live)
    wiped = tab.editor.clear(
        renew, shared.photo, [tab.editor, tab.masks, tab.ready], **last, **live
    )
    wiped.success(*painting, **last, **live)
    begun = tab.ready.input(
        take_ready, [shared.photo, tab.ready], [tab.editor, tab.masks], **last, **live
    )
    begun.success(*painting, **last, **live)
    gr.on([p.input for p in (*tab.choices, *tab.controls.all)], *painting, **last, **live)
    saving.connect(tab.saving, [shared.photo, *chosen], find, live=live, heavy=heavy)

    def redraw_after(event: Any) -> None:
        photo = [shared.present, shared.photo, tab.drawn_on]
        new = [tab.editor, tab.masks, tab.drawn_on, tab.ready]
        event.then(show_photo, photo, new, **last, **live).then(*painting, **last, **live)

    return redraw_after
