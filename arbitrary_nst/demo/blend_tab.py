"""The tab with the sliders: up to six styles, and the picture that follows them."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from typing import Any

import gradio as gr

from arbitrary_nst.demo import controls, saving, share, slots
from arbitrary_nst.demo.blend_layout import BlendTab, First
from arbitrary_nst.demo.files import shown, shown_photo
from arbitrary_nst.demo.mixes import (
    Mix,
    Own,
    check_can_be_fitted,
    code,
    embeddings_of,
    preview,
    tile_pictures,
)
from arbitrary_nst.demo.names import Captions, title_of
from arbitrary_nst.demo.photos import Photo
from arbitrary_nst.demo.settings import Settings
from arbitrary_nst.demo.tiles import style_sheet
from arbitrary_nst.demo.toasts import friendly, no_photo
from arbitrary_nst.embedding import Embedding

NAME = "Blend"
FIRST_STYLES = ("composition-vii", "starry-night")
MOST_PAST = 60
ONE_MOVE = 1.0  # seconds: pictures closer together than that are one move of a slider
NO_PHOTO = "Choose a photo to begin."


@dataclass(frozen=True)
class After:
    """Functions that add something to do after an event; each returns the event of its own.

    Args:
        paint: the picture of the present settings.
        draw: the pictures of the choice of styles.
        begin: all of it anew, with the first styles.
        take: the mix in a state, a text; it is not painted yet.
    """

    paint: Callable[[Any], Any]
    draw: Callable[[Any], Any]
    begin: Callable[[Any], Any]
    take: Callable[[Any, gr.State], Any]


def first_names(embedded: dict[str, Embedding]) -> tuple[str, ...]:
    """The styles that a visitor begins with."""
    return FIRST_STYLES if embedded.keys() >= set(FIRST_STYLES) else tuple(embedded)[:2]


def first_view(
    photo: Photo | None, embedded: dict[str, Embedding], captions: Captions, settings: Settings
) -> First:
    """What the page opens on, painted once for all visitors."""
    names = first_names(embedded)
    mix = Mix(names, tuple(slots.NEW_WEIGHT for _ in names))
    if photo is None or mix.is_empty:
        return First(names, None, NO_PHOTO, "")
    picture = preview(photo, mix, embeddings_of(names, embedded, {}))
    pair = shown_photo(photo), shown(picture)
    status = _status(mix, captions, picture)
    return First(names, pair, status, code(photo, mix, {}, settings=settings))


def connect(
    page: gr.Blocks,
    tab: BlendTab,
    photo: gr.State,
    own: gr.State,
    settings: Settings,
    embedded: dict[str, Embedding],
    captions: Captions,
    *,
    live: dict[str, Any],
    heavy: dict[str, Any],
) -> After:
    """Wires the tab.

    Args:
        page: on whose opening the mix in its address is taken.
        tab: the components.
        photo: state with the visitor's photo.
        own: state with the visitor's own styles by name.
        settings: for the limits.
        embedded: the packaged styles by name.
        captions: of the packaged styles, by name.
        live: options of events that a visitor waits for.
        heavy: options of events that take their time.

    """
    quick = {"show_progress": "hidden", "trigger_mode": "always_last", **live}
    quick["preprocess"] = False  # see `controls.number`
    settings_of_mix = [tab.chosen, own, *tab.controls.all, *tab.sliders]

    @friendly
    def refresh(photo: Photo | None, past: list[Any], *given: Any) -> tuple[Any, ...]:
        """The picture of the present settings, what it is, and the code that makes it."""
        no_offer = saving.offer_of(tab.saving, None)
        if photo is None:
            return None, NO_PHOTO, "", *no_offer, "", past, None
        mix, own = _mix(*given)
        styles = embeddings_of(mix.styles, embedded, own)
        picture = preview(photo, mix, styles)
        pair = shown_photo(photo), shown(picture)
        past = _remembered(past, share.to_text(mix))
        if mix.is_empty:
            hint = "All weights are 0: this is the photo." if mix.styles else "Choose a style."
            return pair, hint, "", *no_offer, "", past, None
        offer = saving.offer_of(tab.saving, saving.job_of(photo, mix, styles, settings))
        text = code(photo, mix, own, settings=settings)
        return pair, _status(mix, captions, picture), text, *offer, share.to_text(mix), past, None

    @friendly
    def fit(photo: Photo | None, *given: Any) -> Iterator[tuple[Any, ...]]:
        """The picture of the styles fitted to this photo, until the next move of a slider."""
        if photo is None:
            raise no_photo()
        plain, own = _mix(*given)
        mix = replace(plain, fit=True)
        check_can_be_fitted(mix, own)
        yield (gr.skip(), "Fitting the styles to this photo …", *[gr.skip()] * 4)
        picture = preview(photo, mix, [])
        pair = shown_photo(photo), shown(picture)
        styles = embeddings_of(mix.styles, embedded, own)
        offer = saving.offer_of(tab.saving, saving.job_of(photo, mix, styles, settings))
        words = f"{_status(mix, captions, picture)} · fitted to this photo"
        key = photo.token, photo.size, plain
        yield pair, words, code(photo, mix, own, settings=settings), *offer, key

    @friendly
    def find(photo: Photo | None, fitted: Any, *given: Any) -> saving.Job:
        """The picture to keep: that which is shown."""
        if photo is None:
            raise no_photo()
        mix, own = _mix(*given)
        if fitted == (photo.token, photo.size, mix):
            mix = replace(mix, fit=True)
        styles = embeddings_of(mix.styles, embedded, own)
        return saving.job_of(photo, mix, styles, settings, share.to_text(mix))

    def show(mix: slots.Weighted, own: Own) -> list[Any]:
        places = {name: place for place, name in enumerate([*embedded, *own])}
        sheet = slots.sheet([places[name] for name in mix if name in places])
        return [*slots.updates(mix, captions), sheet]

    def show_all(mix: Mix, own: Own) -> list[Any]:
        weights = dict(zip(mix.styles, mix.weights, strict=True))
        return [*show(weights, own), mix.strength, mix.strokes, mix.keep_colors]

    @friendly
    def pick(given: Any, chosen: tuple[str, ...], own: Own, *weights: float) -> list[Any]:
        names = [controls.text(name) for name in given] if isinstance(given, list) else []
        before = slots.weighted(chosen, weights)
        return show(slots.picked(names, before, embedded, own), own)

    @friendly
    def remove(label: str, chosen: tuple[str, ...], own: Own, *weights: float) -> list[Any]:
        """Takes out the style that the button named when it was clicked.

        By its name and not by its place, which a click just before may have changed.
        """
        mix = slots.weighted(chosen, weights)
        kept = {n: w for n, w in mix.items() if f"{slots.REMOVE}{title_of(n, captions)}" != label}
        return show(kept, own)

    @friendly
    def begin() -> list[Any]:
        return show(dict.fromkeys(first_names(embedded), slots.NEW_WEIGHT), {})

    @friendly
    def take_link(request: gr.Request) -> list[Any]:
        mix = share.from_text(str(request.query_params), embedded)
        return [gr.skip()] * len(everything) if mix is None else show_all(mix, {})

    @friendly
    def take_text(given: Any, own: Own) -> list[Any]:
        text, _, _ = controls.text(given).partition("#")
        mix = share.from_text(text, [*embedded, *own])
        return [gr.skip()] * len(everything) if mix is None else show_all(mix, own)

    @friendly
    def surprise() -> list[Any]:
        return show_all(share.surprise(list(embedded)), {})

    @friendly
    def take_preset(name: Any) -> list[Any]:
        mix = share.PRESETS.get(controls.text(name))
        if mix is None:
            return [gr.skip()] * len(everything)
        return show_all(Mix(tuple(mix), tuple(mix.values())), {})

    @friendly
    def undo(past: list[Any], own: Own) -> list[Any]:
        known = [*embedded, *own]
        while past:
            past = past[:-1]  # the last one is what is shown
            mix = share.from_text(past[-1][1], known) if past else None
            if mix is not None:
                return [*show_all(mix, own), past[:-1]]
        return [gr.skip()] * (len(everything) + 1)

    @friendly
    def draw_choice(photo: Photo | None, own: Own) -> Any:
        if photo is None:
            return gr.skip()
        return style_sheet("styles", tile_pictures(photo.image, embedded, own).values())

    inputs = [photo, tab.fitted, *settings_of_mix]
    outputs = [tab.result, tab.status, tab.code, *tab.saving.shown, tab.link, tab.past, tab.fitted]
    shown_mix = [*tab.slots, tab.slot_pictures]
    everything = [*shown_mix, *tab.controls.all]

    def paint_after(event: Any) -> Any:
        return event.then(refresh, [photo, tab.past, *settings_of_mix], outputs, **quick)

    def draw_after(event: Any) -> Any:
        return event.then(draw_choice, [photo, own], tab.pictures, show_progress="hidden", **heavy)

    # One listener for all sliders: while one picture is being painted, only the last of the
    # moves since then waits, so dragging never makes a backlog.
    moves = [part.input for part in (*tab.sliders, *tab.controls.all)]
    gr.on(moves, refresh, [photo, tab.past, *settings_of_mix], outputs, **quick)

    present = [tab.chosen, own, *tab.sliders]
    paint_after(tab.styles.input(pick, [tab.styles, *present], shown_mix, **quick))
    for button in tab.removes:
        paint_after(button.click(remove, [button, *present], shown_mix, **quick))
    paint_after(page.load(take_link, None, everything, **quick))
    paint_after(tab.surprise.click(surprise, None, everything, **quick))
    paint_after(tab.preset.input(take_preset, tab.preset, everything, **quick))
    paint_after(tab.undo.click(undo, [tab.past, own], [*everything, tab.past], **quick))

    # Not `input`: Gradio 6.31 tells that of no text that a program writes.
    paint_after(tab.recall.change(take_text, [tab.recall, own], everything, **quick))
    fitting = [tab.result, tab.status, tab.code, *tab.saving.shown, tab.fitted]
    slow: dict[str, Any] = {"show_progress": "hidden", "preprocess": False, **heavy}
    tab.fit.click(fit, [photo, *settings_of_mix], fitting, **slow)

    def begin_after(event: Any) -> Any:
        return draw_after(paint_after(event.then(begin, None, shown_mix, **quick)))

    def take_after(event: Any, text: gr.State) -> Any:
        return event.success(take_text, [text, own], everything, **quick)

    saving.connect(tab.saving, inputs, find, live=live, heavy=heavy)
    return After(paint_after, draw_after, begin_after, take_after)


def _mix(chosen: tuple[str, ...], own: Own, *given: Any) -> tuple[Mix, Own]:
    """The mix that the page shows: the values of the controls, and then those of the slots."""
    used = slots.weighted(chosen, given[3:])
    return Mix(tuple(used), tuple(used.values()), **controls.read(*given[:3])), own


def _status(mix: Mix, captions: Captions, picture: Any) -> str:
    return f"{mix.shares(captions)} · {picture.width} × {picture.height} pixels"


def _remembered(past: list[Any], text: str) -> list[Any]:
    """The mixes so far with this one; moves in quick succession are one."""
    now = time.monotonic()
    if past and past[-1][1] == text:
        return past
    if len(past) > 1 and now - past[-1][0] < ONE_MOVE:
        past = past[:-1]
    return [*past[-MOST_PAST:], (now, text)]
