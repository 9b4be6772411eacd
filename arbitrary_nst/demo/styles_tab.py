"""The tab for styles of one's own: made from paintings, named, kept in a file, loaded again."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import gradio as gr
import numpy as np

from arbitrary_nst.checkpoints import predicts_styles
from arbitrary_nst.demo.files import new_file, original_name, read_upload, uploaded_path
from arbitrary_nst.demo.mixes import LIBRARY_FILE, THUMBNAIL, Own, OwnStyle, tile_pictures
from arbitrary_nst.demo.names import Captions, choices
from arbitrary_nst.demo.painting_layout import OWN, QUICK, availability
from arbitrary_nst.demo.photos import Photo, fitted, read_painting
from arbitrary_nst.demo.settings import Settings
from arbitrary_nst.demo.toasts import friendly, note
from arbitrary_nst.embedding import Embedding, load_styles, save_styles
from arbitrary_nst.engines import load_engine
from arbitrary_nst.errors import InputError
from arbitrary_nst.image import to_pil

NAME = "My styles"
MAX_OWN = 24
MAX_LIBRARY_BYTES = 2**23  # hundreds of styles of the two networks that paint at once


@dataclass(frozen=True)
class StylesTab:
    """The components of the tab."""

    paintings: gr.File
    names: gr.Textbox
    make: gr.Button
    gallery: gr.Gallery
    forget: gr.Button
    download: gr.DownloadButton
    load: gr.UploadButton


def lay_out() -> StylesTab:
    """Draws the tab."""
    gr.Markdown(
        "Turn paintings into styles of your own. They join the choice in the Blend tab at once, "
        "and mix with each other.",
    )
    gr.Markdown(availability(OWN if predicts_styles() else QUICK), elem_classes="quiet")
    with gr.Row(equal_height=False):
        with gr.Column(scale=4, min_width=280):
            paintings = gr.File(
                label="Paintings",
                file_count="multiple",
                file_types=["image"],
                height=160,
                elem_id="own-paintings",
            )
            names = gr.Textbox(
                label="Names, one a line",
                info="Without them the styles are named after the files.",
                lines=2,
                max_lines=6,
                elem_id="own-names",
            )
            make = gr.Button("Make styles", variant="primary", elem_id="make-styles")
        with gr.Column(scale=6, min_width=320):
            gallery = gr.Gallery(
                label="My styles",
                columns=4,
                height="auto",
                object_fit="cover",
                allow_preview=False,
                interactive=False,
                buttons=[],
                format="jpeg",
                elem_id="own-styles",
            )
            with gr.Row():
                download = gr.DownloadButton(
                    "Save as a file", visible=False, min_width=120, elem_id="save-library"
                )
                load = gr.UploadButton(
                    "Load a file",
                    file_types=[".safetensors"],
                    min_width=120,
                    elem_id="load-library",
                )
                forget = gr.Button("Forget all", min_width=100, elem_id="forget")
    return StylesTab(paintings, names, make, gallery, forget, download, load)


def connect(
    tab: StylesTab,
    photo: gr.State,
    own: gr.State,
    settings: Settings,
    embedded: dict[str, Embedding],
    captions: Captions,
    sample: np.ndarray,
    offers: list[Any],
    *,
    heavy: dict[str, Any],
) -> tuple[list[Any], Any]:
    """Wires the tab.

    Args:
        tab: the components.
        photo: state with the visitor's photo.
        own: state with the visitor's own styles by name.
        settings: for the limits.
        embedded: the packaged styles, whose names are taken.
        captions: of the packaged styles, by name.
        sample: image on which styles without a painting are shown where there is no photo.
        offers: components that offer styles by name.
        heavy: options of the events.

    Returns:
        The events after which there are more styles, and the one after which there are none.
    """

    def changed(photo: Photo | None, own: Own) -> list[Any]:
        file = None
        if own:
            file = new_file(LIBRARY_FILE)
            save_styles({name: style.embedding for name, style in own.items()}, file)
        names = choices([*embedded, *own], captions)
        pictures = tile_pictures(sample if photo is None else photo.image, {}, own)
        return [
            own,
            [(picture, name) for name, picture in pictures.items()],
            gr.DownloadButton(value=None if file is None else str(file), visible=bool(own)),
            *[gr.update(choices=names) for _ in offers],
        ]

    @friendly
    def make(files: Any, names: str, photo: Photo | None, own: Own) -> list[Any]:
        if not files:
            raise gr.Error("Choose paintings first.", title="Nothing yet", print_exception=False)
        files = files if isinstance(files, list) else [files]
        check_room(own, len(files))
        given = [line.strip() for line in (names or "").splitlines() if line.strip()]
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

    outputs = [own, tab.gallery, tab.download, *offers]
    options = {"show_progress_on": tab.gallery, "preprocess": False, **heavy}
    mine = [photo, own]
    made = tab.make.click(make, [tab.paintings, tab.names, *mine], outputs, **options)
    loaded = tab.load.upload(load, [tab.load, *mine], outputs, **options)
    forgot = tab.forget.click(forget, photo, outputs, **options)
    return [made, loaded], forgot


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
