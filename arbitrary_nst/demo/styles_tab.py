"""The tab for styles of one's own: made from paintings, named, kept in a file, loaded again."""

from __future__ import annotations

from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import gradio as gr
import numpy as np
from PIL import Image

from arbitrary_nst.checkpoints import predicts_styles
from arbitrary_nst.demo.files import new_file, original_name, read_upload, uploaded_path
from arbitrary_nst.demo.mixes import LIBRARY_FILE, THUMBNAIL, Own, OwnStyle, thumbnails
from arbitrary_nst.demo.painting_tab import OWN, QUICK, availability
from arbitrary_nst.demo.photos import read_painting, square
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
    own: gr.State,
    settings: Settings,
    embedded: dict[str, Embedding],
    sample: np.ndarray,
    choices: list[Any],
    *,
    heavy: dict[str, Any],
) -> tuple[list[Any], Any]:
    """Wires the tab.

    Args:
        tab: the components.
        own: state with the visitor's own styles by name.
        settings: for the limits.
        embedded: the packaged styles, whose names are taken.
        sample: image on which styles without a painting are shown.
        choices: components that offer styles by name.
        heavy: options of the events.

    Returns:
        The events after which there are more styles, and the one after which there are none.
    """

    def changed(own: Own) -> list[Any]:
        file = None
        if own:
            file = new_file(LIBRARY_FILE)
            save_styles({name: style.embedding for name, style in own.items()}, file)
        names = [*embedded, *own]
        return [
            own,
            [(style.thumbnail, name) for name, style in own.items()],
            gr.DownloadButton(value=None if file is None else str(file), visible=bool(own)),
            *[gr.update(choices=names) for _ in choices],
        ]

    @friendly
    def make(files: Any, names: str, own: Own) -> list[Any]:
        if not files:
            raise gr.Error("Choose paintings first.", title="Nothing yet", print_exception=False)
        files = files if isinstance(files, list) else [files]
        given = [line.strip() for line in (names or "").splitlines() if line.strip()]
        # Of our own network, if it takes images, so that they mix with the packaged styles.
        engine = load_engine(OWN if predicts_styles() else QUICK)
        for index, file in enumerate(files):
            image = read_painting(read_upload(file, settings), settings)
            source = original_name(file)
            wanted = given[index] if index < len(given) else Path(source).stem
            name = free_name(wanted, {*embedded, *own})
            embedding = replace(engine.embed(image), name=name, source=source)
            own = add(own, name, OwnStyle(embedding, to_pil(square(image, THUMBNAIL))))
        return changed(own)

    @friendly
    def load(file: Any, own: Own) -> list[Any]:
        path = uploaded_path(file)
        try:
            library = load_styles(path, max_bytes=MAX_LIBRARY_BYTES)
        except InputError as error:
            # The message names the file by where the server keeps it.
            raise InputError(str(error).replace(str(path), original_name(file))) from error
        taken = {name: free_name(name, {*embedded, *own}) for name in library}
        styles = {taken[name]: replace(s, name=taken[name]) for name, s in library.items()}
        for name, picture in _shown_on(sample, styles).items():
            own = add(own, name, OwnStyle(styles[name], picture))
        note(f"Loaded: {', '.join(styles)}.")
        return changed(own)

    outputs = [own, tab.gallery, tab.download, *choices]
    options = {"show_progress_on": tab.gallery, **heavy}
    made = tab.make.click(
        make, [tab.paintings, tab.names, own], outputs, preprocess=False, **options
    )
    loaded = tab.load.upload(load, [tab.load, own], outputs, preprocess=False, **options)
    forgot = tab.forget.click(lambda: changed({}), None, outputs, **options)
    return [made, loaded], forgot


def add(own: Own, name: str, style: OwnStyle) -> dict[str, OwnStyle]:
    """The visitor's styles with one more.

    Raises:
        InputError: there are too many.
    """
    if len(own) >= MAX_OWN:
        raise InputError(f"The demo keeps up to {MAX_OWN} styles of your own. Forget some first.")
    return {**own, name: style}


def free_name(wanted: str, taken: set[str]) -> str:
    """A name for a style that no other has: "mine", else "mine-2", "mine-3" and so on."""
    base = " ".join("".join(c if c.isprintable() else " " for c in wanted).split())[:60] or "style"
    name, number = base, 2
    while name in taken or name == "identity":
        name, number = f"{base}-{number}", number + 1
    return name


def _shown_on(image: np.ndarray, styles: dict[str, Embedding]) -> dict[str, Image.Image]:
    """Thumbnails of styles; refuses those that no network here can paint.

    Raises:
        InputError, WeightsUnavailable: a style belongs to a network that is not at hand.
    """
    slow = [name for name, style in styles.items() if style.engine not in ("cin", QUICK)]
    if slow:
        raise InputError(
            f"The styles {', '.join(slow)} are for the vgg19 engine, which takes minutes for a "
            f"picture. The demo's own styles are those of cin and magenta."
        )
    return thumbnails(image, styles)
