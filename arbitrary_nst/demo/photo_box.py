"""The visitor's photo, which all tabs share: upload, paste, webcam or sample."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import gradio as gr
import numpy as np

from arbitrary_nst.demo.files import original_name, read_upload, shown
from arbitrary_nst.demo.photos import (
    DEFAULT_SIZE,
    SIZES,
    Photo,
    read_photo,
    resized,
    square,
)
from arbitrary_nst.demo.settings import Settings
from arbitrary_nst.demo.tiles import SIDE, style_sheet
from arbitrary_nst.demo.toasts import friendly
from arbitrary_nst.image import to_pil
from arbitrary_nst.image.arrays import as_floats

STATE_SECONDS = 3600  # how long a visitor who is gone is remembered


@dataclass(frozen=True)
class PhotoBox:
    """The components of the photo."""

    state: gr.State  # Photo or None
    image: gr.Image
    size: gr.Radio
    samples: gr.Radio | None


def lay_out(samples: dict[str, np.ndarray]) -> PhotoBox:
    """Draws the photo, the samples below it, and the size to paint at."""
    state = gr.State(None, time_to_live=STATE_SECONDS)
    image = gr.Image(
        label="Your photo",
        type="filepath",
        image_mode=None,  # the file as it is: reading it is the library's business
        sources=["upload", "clipboard", "webcam"],
        height=250,
        buttons=[],
        alt_text="your photo",
        elem_id="photo",
    )
    row = None
    if samples:
        names = list(samples)
        row = gr.Radio(
            names, label="Or one of these", value=names[0], elem_id="samples", elem_classes="tiles"
        )
        sheet = style_sheet("samples", [sample_tile(samples[name]) for name in names])
        gr.HTML(sheet, elem_classes="sheet")
    size = gr.Radio(
        [(f"{size}", size) for size in SIZES],
        value=DEFAULT_SIZE,
        label="Size while you try, in pixels",
        info="The download is as large as the photo.",
        elem_id="size",
    )
    return PhotoBox(state, image, size, row)


def sample_tile(pixels: np.ndarray) -> Any:
    """The middle of a sample photo, uint8 `(H, W, 3)`, as a small PIL image."""
    return to_pil(square(as_floats(pixels), SIDE))


def connect(
    page: gr.Blocks,
    box: PhotoBox,
    settings: Settings,
    samples: dict[str, np.ndarray],
    live: dict[str, Any],
) -> tuple[list[Any], list[Any]]:
    """Wires the photo.

    Args:
        page: on whose opening the first sample is taken.
        box: the components.
        settings: for the limits.
        samples: the sample photos by name.
        live: options of every event.

    Returns:
        The events after which there is another photo, and those after which it has another size.
    """

    @friendly
    def upload(file: dict[str, Any] | None, size: int) -> tuple[Any, ...]:
        if not file:
            return None, None
        source = read_upload(file, settings)
        return read_photo(source, original_name(file), int(size), settings), None

    @friendly
    def take_sample(name: str | None, size: int) -> tuple[Any, ...]:
        if name not in samples:
            return gr.skip(), gr.skip()
        photo = read_photo(samples[name], f"sample:{name}", size, settings)
        return photo, shown(photo.picture())

    @friendly
    def resize(photo: Photo | None, size: int) -> Photo | None:
        return None if photo is None else resized(photo, size, settings)

    quick = {"show_progress": "hidden", "trigger_mode": "always_last", **live}
    # A value that no event reads stands in for the samples where there are none.
    other = box.samples or gr.State(None)
    # `preprocess=False`: Gradio would open the file with PIL first, with errors of its own.
    uploaded = box.image.input(
        upload, [box.image, box.size], [box.state, other], preprocess=False, **quick
    )
    # What cannot be read does not stay in the box, as if it were the photo.
    nothing = [box.state, other, box.image]
    photos = [
        uploaded,
        uploaded.failure(lambda: (None, None, None), None, nothing, **quick),
        box.image.clear(lambda: (None, None), None, [box.state, other], **quick),
    ]
    if box.samples is not None:
        inputs, outputs = [box.samples, box.size], [box.state, box.image]
        photos.append(box.samples.input(take_sample, inputs, outputs, **quick))
        photos.append(page.load(take_sample, inputs, outputs, **quick))
    sizes = [box.size.input(resize, [box.state, box.size], box.state, **quick)]
    return photos, sizes
