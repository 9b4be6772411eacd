"""The tab for styles of one's own: made from paintings, named, kept in a file, loaded again."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import gradio as gr
import numpy as np

from arbitrary_nst.checkpoints import predicts_styles
from arbitrary_nst.demo import controls, saving
from arbitrary_nst.demo.files import (
    new_file,
    original_name,
    read_upload,
    shown,
    shown_photo,
    uploaded_path,
)
from arbitrary_nst.demo.mixes import (
    LIBRARY_FILE,
    THUMBNAIL,
    Mix,
    Own,
    OwnStyle,
    code,
    embeddings_of,
    preview,
    tile_pictures,
)
from arbitrary_nst.demo.names import Captions
from arbitrary_nst.demo.painting_layout import OWN, QUICK, availability
from arbitrary_nst.demo.parts import Shared, code_box, comparison
from arbitrary_nst.demo.photos import Photo, fitted, read_painting
from arbitrary_nst.demo.settings import Settings
from arbitrary_nst.demo.toasts import friendly, no_photo, note
from arbitrary_nst.embedding import Embedding, load_styles, save_styles
from arbitrary_nst.engines import load_engine
from arbitrary_nst.errors import InputError
from arbitrary_nst.image import to_pil

NAME = "My styles"
MAX_OWN = 24
HINT = (
    "Turn paintings into styles of your own: they are shown here, and mix with the others in the "
    "first tabs."
)
MAX_LIBRARY_BYTES = 2**23  # hundreds of styles of the two networks that paint at once


@dataclass(frozen=True)
class StylesTab:
    """The components of the tab."""

    chosen: gr.State  # name of the style that is shown, or ""
    paintings: gr.File
    names: gr.Textbox
    make: gr.Button
    gallery: gr.Gallery
    forget: gr.Button
    download: gr.DownloadButton
    load: gr.UploadButton
    controls: controls.Controls
    result: gr.ImageSlider
    status: gr.Markdown
    code: gr.Code
    saving: saving.Saving


def lay_out(pace: saving.Pace, photo: str | None) -> StylesTab:
    """Draws the tab.

    Args:
        pace: of the pictures to keep.
        photo: file of the photo that the page opens on.
    """
    with gr.Row(equal_height=False, elem_classes="room"):
        with gr.Column(scale=7, min_width=320, elem_classes="wall"):
            with gr.Column(elem_classes="stage"):
                result = comparison("mine-result", photo and (photo, photo))
                status = gr.Markdown(HINT, elem_classes="quiet", elem_id="mine-status")
            gallery = gr.Gallery(
                label="My styles",
                show_label=False,
                columns=8,
                height="auto",
                object_fit="cover",
                allow_preview=False,
                interactive=False,
                buttons=[],
                format="jpeg",
                elem_id="own-styles",
            )
        with gr.Column(scale=3, min_width=300, elem_classes="desk"):
            paintings = gr.File(
                label="Paintings",
                file_count="multiple",
                file_types=["image"],
                height=136,
                elem_id="own-paintings",
            )
            names = gr.Textbox(
                label="Names, one a line; else those of the files",
                lines=2,
                max_lines=4,
                elem_id="own-names",
            )
            gr.Markdown(
                availability(OWN if predicts_styles() else QUICK), elem_classes="quiet small"
            )
            make = gr.Button("Make styles", variant="primary", elem_id="make-styles")
            with gr.Row(elem_classes="small-buttons"):
                load = gr.UploadButton(
                    "Load a file",
                    file_types=[".safetensors"],
                    size="sm",
                    min_width=80,
                    elem_id="load-library",
                )
                download = gr.DownloadButton(
                    "Save as a file", visible=False, size="sm", min_width=90, elem_id="save-library"
                )
                forget = gr.Button("Forget all", size="sm", min_width=80, elem_id="forget")
            own_controls = controls.lay_out("mine-")
            keep = saving.lay_out(pace, "mine-", visible=False)
    with gr.Accordion("The same picture from Python", open=False):
        text = code_box("mine-code")
    return StylesTab(
        gr.State(""),
        paintings,
        names,
        make,
        gallery,
        forget,
        download,
        load,
        own_controls,
        result,
        status,
        text,
        keep,
    )


def connect(
    tab: StylesTab,
    shared: Shared,
    settings: Settings,
    embedded: dict[str, Embedding],
    captions: Captions,
    sample: np.ndarray,
    offers: list[tuple[Any, Callable[[list[str], Captions], list[tuple[str, str]]]]],
    *,
    live: dict[str, Any],
    heavy: dict[str, Any],
) -> tuple[list[Any], Any, Callable[[Any], None]]:
    """Wires the tab.

    Args:
        tab: the components.
        shared: what this tab takes from the rest of the page.
        settings: for the limits.
        embedded: the packaged styles, whose names are taken.
        captions: of the packaged styles, by name.
        sample: image on which styles without a painting are shown where there is no photo.
        offers: components that offer styles by name, and what makes their choices of names.
        live: options of events that a visitor waits for.
        heavy: options of events that take their time.

    Returns:
        The events after which there are more styles, the one after which there are none, and a
        function that adds something to do after an event: to paint this tab anew.
    """

    def changed(photo: Photo | None, own: Own) -> list[Any]:
        file = None
        if own:
            file = new_file(LIBRARY_FILE)
            save_styles({name: style.embedding for name, style in own.items()}, file)
        names = [*embedded, *own]
        pictures = tile_pictures(sample if photo is None else photo.image, {}, own)
        return [
            own,
            [(picture, name) for name, picture in pictures.items()],
            gr.DownloadButton(value=None if file is None else str(file), visible=bool(own)),
            *[gr.update(choices=choices(names, captions)) for _, choices in offers],
        ]

    @friendly
    def make(files: Any, names: str, photo: Photo | None, own: Own) -> list[Any]:
        if not files:
            raise gr.Error("Choose paintings first.", title="Nothing yet", print_exception=False)
        files = files if isinstance(files, list) else [files]
        check_room(own, len(files))
        given = [line.strip() for line in controls.text(names).splitlines() if line.strip()]
        # Of our own network, if it takes images, so that they mix with the packaged styles.
        engine = load_engine(OWN if predicts_styles() else QUICK)
        for index, file in enumerate(files):
            image = read_painting(read_upload(file, settings), settings)
            source = original_name(file)
            wanted = given[index] if index < len(given) else Path(source).stem
            name = free_name(wanted, {*embedded, *own})
            embedding = replace(engine.embed(image), name=name, source=source)
            own = {**own, name: OwnStyle(embedding, to_pil(fitted(image, THUMBNAIL)))}
        return changed(photo, own)

    @friendly
    def load(file: Any, photo: Photo | None, own: Own) -> list[Any]:
        path = uploaded_path(file)
        try:
            library = load_styles(path, max_bytes=MAX_LIBRARY_BYTES)
        except InputError as error:
            # The message names the file by where the server keeps it.
            raise InputError(str(error).replace(str(path), original_name(file))) from error
        check_room(own, len(library))  # before the first of them is painted
        check_paintable(library)
        taken = {name: free_name(name, {*embedded, *own}) for name in library}
        styles = {taken[name]: replace(s, name=taken[name]) for name, s in library.items()}
        shown = changed(photo, {**own, **{name: OwnStyle(s) for name, s in styles.items()}})
        note(f"Loaded: {', '.join(styles)}.")
        return shown

    @friendly
    def forget(photo: Photo | None) -> list[Any]:
        return changed(photo, {})

    def mix_of(name: str, own: Own, *given: Any) -> Mix | None:
        return Mix((name,), (1.0,), **controls.read(*given)) if name in own else None

    @friendly
    def choose(own: Own, event: gr.SelectData) -> str:
        return list(own)[int(event.index)] if 0 <= int(event.index) < len(own) else ""

    def newest(own: Own) -> str:
        return list(own)[-1] if own else ""

    @friendly
    def draw(
        present: str, photo: Photo | None, own: Own, name: str, *given: Any
    ) -> tuple[Any, ...]:
        """The photo in the style that was chosen, what it is, and the code that makes it."""
        if present != NAME:
            return (gr.skip(),) * 5
        no_offer = saving.offer_of(tab.saving, None)
        if photo is None:
            return None, "Choose a photo to begin.", "", *no_offer
        before, mix = shown_photo(photo), mix_of(name, own, *given)
        if mix is None:
            return (before, before), HINT, "", *no_offer
        styles = embeddings_of(mix.styles, embedded, own)
        picture = preview(photo, mix, styles)
        offer = saving.offer_of(tab.saving, saving.job_of(photo, mix, styles, settings))
        words = f"{name} · {picture.width} × {picture.height} pixels"
        return (before, shown(picture)), words, code(photo, mix, own, settings=settings), *offer

    @friendly
    def find(photo: Photo | None, own: Own, name: str, *given: Any) -> saving.Job:
        if photo is None:
            raise no_photo()
        mix = mix_of(name, own, *given)
        if mix is None:
            raise gr.Error(HINT, title="No style yet", print_exception=False)
        return saving.job_of(photo, mix, embeddings_of(mix.styles, embedded, own), settings)

    outputs = [shared.own, tab.gallery, tab.download, *(offer for offer, _ in offers)]
    options = {"preprocess": False, **heavy, "show_progress_on": tab.gallery}
    mine = [shared.photo, shared.own]
    made = tab.make.click(make, [tab.paintings, tab.names, *mine], outputs, **options)
    loaded = tab.load.upload(load, [tab.load, *mine], outputs, **options)
    forgot = tab.forget.click(forget, shared.photo, outputs, **options)

    last: dict[str, Any] = {
        "show_progress": "hidden",
        "trigger_mode": "always_last",
        "preprocess": False,
        **live,
    }
    chosen = [shared.own, tab.chosen, *tab.controls.all]
    looks = [tab.result, tab.status, tab.code, *tab.saving.shown]
    painting = draw, [shared.present, shared.photo, *chosen], looks
    for event in (made, loaded, forgot):
        event.success(newest, shared.own, tab.chosen, **last).then(*painting, **last)
    tab.gallery.select(choose, shared.own, tab.chosen, **last).then(*painting, **last)
    gr.on([part.input for part in tab.controls.all], *painting, **last)
    saving.connect(tab.saving, [shared.photo, *chosen], find, live=live, heavy=heavy)

    def paint_after(event: Any) -> None:
        event.then(*painting, **last)

    return [made, loaded], forgot, paint_after


def check_room(own: Own, new: int) -> None:
    """Checks that the visitor may have that many more styles.

    Raises:
        InputError: there would be too many.
    """
    if len(own) + new > MAX_OWN:
        raise InputError(
            f"The demo keeps up to {MAX_OWN} styles of your own; these would be {len(own) + new}. "
            f"Forget some first."
        )


def check_paintable(styles: Mapping[str, Embedding]) -> None:
    """Checks that these styles are of networks that paint at once.

    Raises:
        InputError: one is not.
    """
    slow = [name for name, style in styles.items() if style.engine not in ("cin", QUICK)]
    if slow:
        raise InputError(
            f"The styles {', '.join(slow)} are for the vgg19 engine, which takes minutes for a "
            f"picture. The demo's own styles are those of cin and magenta."
        )


def free_name(wanted: str, taken: set[str]) -> str:
    """A name for a style that no other has: "mine", else "mine-2", "mine-3" and so on."""
    base = " ".join("".join(c if c.isprintable() else " " for c in wanted).split())[:60] or "style"
    name, number = base, 2
    while name in taken or name == "identity":
        name, number = f"{base}-{number}", number + 1
    return name
