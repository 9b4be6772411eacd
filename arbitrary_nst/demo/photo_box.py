"""The visitor's photo, which all tabs share: dropped, pasted, chosen, from the camera, or a sample.

Gradio's own image field takes nothing while it shows a picture, so the page shows the photo itself
and brings files, from wherever they come, to a button for uploads; see `script.py`.
"""

from __future__ import annotations

import html
import weakref
from dataclasses import dataclass
from typing import Any

import gradio as gr
import numpy as np

from arbitrary_nst.demo.controls import text
from arbitrary_nst.demo.files import original_name, read_upload, settings_in
from arbitrary_nst.demo.photos import (
    DEFAULT_SIZE,
    SIZES,
    Photo,
    fitted,
    read_photo,
    resized,
    square,
)
from arbitrary_nst.demo.settings import Settings
from arbitrary_nst.demo.tiles import SIDE, data_url, style_sheet
from arbitrary_nst.demo.toasts import friendly, note
from arbitrary_nst.image import to_pil
from arbitrary_nst.image.arrays import as_floats

STATE_SECONDS = 3600  # how long a visitor who is gone is remembered
FIRST_SAMPLE = "chelsea"
CHOOSE = "Drop, paste or choose a photo"
SAMPLE = "sample:"

# Visitors' photos by their tokens, as long as a visit has them: a page that lost its connection
# loads itself anew, as another visit, and asks for its photo.
_photos: weakref.WeakValueDictionary[str, Photo] = weakref.WeakValueDictionary()


@dataclass(frozen=True)
class PhotoBox:
    """The components of the photo."""

    state: gr.State  # Photo or None
    mix: gr.State  # the mix that came in the last file, as a text, or ""
    about: gr.HTML
    button: gr.UploadButton
    resume: gr.Textbox  # of a page that was here before: its photo and its mix, as a text
    remove: gr.Button
    size: gr.Radio
    camera: gr.Image
    samples: gr.Radio | None


@dataclass(frozen=True)
class Events:
    """What happens to the photo: events after which there is another, or another size of it."""

    photos: list[Any]
    sizes: list[Any]


def first_photo(samples: dict[str, np.ndarray], settings: Settings) -> Photo | None:
    """The photo that the page opens on; none where there are no samples."""
    if not samples:
        return None
    name = FIRST_SAMPLE if FIRST_SAMPLE in samples else next(iter(samples))
    return read_photo(samples[name], f"{SAMPLE}{name}", DEFAULT_SIZE, settings)


def lay_out(samples: dict[str, np.ndarray], first: Photo | None) -> PhotoBox:
    """Draws the photo, what brings another, and the samples beside it."""
    state = gr.State(first, time_to_live=STATE_SECONDS)
    with gr.Row(elem_id="photo", equal_height=True):
        about = gr.HTML(about_photo(first), elem_id="photo-info", min_width=150)
        remove = gr.Button(
            "Remove my photo", visible=False, scale=0, min_width=130, elem_id="remove-photo"
        )
        button = gr.UploadButton(
            CHOOSE, file_types=["image"], scale=0, min_width=220, elem_id="choose"
        )
        row = None
        if samples:
            names = list(samples)
            row = gr.Radio(
                names,
                label="Or a sample",
                value=None if first is None else first.name.removeprefix(SAMPLE),
                scale=0,
                min_width=216,
                elem_id="samples",
                elem_classes="tiles",
            )
            sheet = style_sheet("samples", [sample_tile(samples[name]) for name in names])
            gr.HTML(sheet, elem_classes="sheet")
    resume = gr.Textbox(elem_id="resume", label="Resume", elem_classes="sheet")
    mix = gr.State("")
    return PhotoBox(state, mix, about, button, resume, remove, *_hidden_until_placed(), row)


def lay_out_more(box: PhotoBox) -> None:
    """Draws what few visitors need, at the place where this is called."""
    with gr.Accordion("Size while you try, and the camera", open=False, elem_id="more"), gr.Row():
        box.size.render()
        box.camera.render()


def _hidden_until_placed() -> tuple[gr.Radio, gr.Image]:
    size = gr.Radio(
        [(f"{size}", size) for size in SIZES],
        value=DEFAULT_SIZE,
        label="Size while you try, in pixels",
        info="The download is as large as the photo, whatever this says.",
        elem_id="size",
        render=False,
    )
    camera = gr.Image(
        label="Camera",
        type="filepath",
        image_mode=None,  # the file as it is: reading it is the library's business
        sources=["webcam"],
        height=240,
        buttons=[],
        alt_text="the picture of your camera",
        elem_id="camera",
        render=False,
    )
    return size, camera


def sample_tile(pixels: np.ndarray) -> Any:
    """The middle of a sample photo, uint8 `(H, W, 3)`, as a small PIL image."""
    return to_pil(square(as_floats(pixels), SIDE))


def about_photo(photo: Photo | None) -> str:
    """What the page says of the photo: itself, small, its name and its size.

    Its style sheet says how wide the photo is for its height, before any picture of it is there:
    an editor that changes its size while it takes the photo may show nothing of it.
    """
    if photo is None:
        return '<p class="about none" role="status">No photo yet.</p>'
    name = html.escape(photo.name.removeprefix(SAMPLE))
    is_sample = _is_sample(photo)
    kind, key = ("Sample", html.escape(photo.name)) if is_sample else ("Your photo", photo.token)
    height, width = photo.shape
    address = data_url(to_pil(fitted(photo.image, SIDE)))
    return (
        f"<style>:root {{ --ratio: {width / height:.4f}; }}</style>"
        f'<p class="about" role="status" data-photo="{key}">'
        f'<img src="{address}" alt="{kind.lower()}, small">'
        f"<span><b>{name}</b><br>{kind}, {width} × {height} pixels</span></p>"
    )


def connect(
    box: PhotoBox,
    settings: Settings,
    samples: dict[str, np.ndarray],
    first: Photo | None,
    *,
    live: dict[str, Any],
    reading: dict[str, Any],
) -> Events:
    """Wires the photo.

    Args:
        box: the components.
        settings: for the limits.
        samples: the sample photos by name.
        first: the photo to return to when the visitor's is removed.
        live: options of events that a visitor waits for.
        reading: options of those that read files, which may be slow ones.
    """

    def shown(photo: Photo | None, sample: str | None) -> list[Any]:
        """What shows a photo. `sample` is checked in the row, where there is one."""
        yours = photo is not None and sample is None
        if photo is not None and yours:
            _photos[photo.token] = photo
        return [photo, "", about_photo(photo), gr.Button(visible=yours), sample]

    @friendly
    def upload(file: Any, size: Any) -> list[Any]:
        """Another photo; what cannot be read leaves the photo that is there."""
        if not file:
            return [gr.skip()] * 5
        file = file[0] if isinstance(file, list) else file
        source = read_upload(file, settings)
        if mix := settings_in(source):
            note("This picture was made here: its mix is taken, and your photo stays.")
            return [gr.skip(), mix, *[gr.skip()] * 3]
        photo = read_photo(source, original_name(file), _size(size), settings)
        return shown(photo, None)

    @friendly
    def resume(text: str, size: Any) -> list[Any]:
        """Photo and mix of a page that lost its connection."""
        key, _, mix = text.partition("?")
        if key.startswith(SAMPLE):
            taken = take_sample(key.removeprefix(SAMPLE), size)
        elif (photo := _photos.get(key)) is not None:
            taken = shown(resized(photo, _size(size), settings), None)
        else:
            note("The demo was started anew, and no longer has your photo. Please give it again.")
            taken = [gr.skip()] * 5
        return [taken[0], mix, *taken[2:]]

    @friendly
    def remove() -> list[Any]:
        return shown(first, None if first is None else first.name.removeprefix(SAMPLE))

    @friendly
    def take_sample(name: Any, size: Any) -> list[Any]:
        if text(name) not in samples:
            return [gr.skip()] * 5
        photo = read_photo(samples[name], f"{SAMPLE}{name}", _size(size), settings)
        return shown(photo, name)

    @friendly
    def resize(photo: Photo | None, size: Any) -> Photo | None:
        if photo is None:
            return None
        new = resized(photo, _size(size), settings)
        if not _is_sample(new):
            _photos[new.token] = new
        return new

    quick = {"show_progress": "hidden", "trigger_mode": "always_last", **live}
    # `preprocess=False`: Gradio would open files with PIL first, with errors of its own.
    slow = {"show_progress": "hidden", "preprocess": False, **reading}
    # A value that no event reads stands in for the samples where there are none.
    outputs = [box.state, box.mix, box.about, box.remove, box.samples or gr.State(None)]
    photos = [
        box.button.upload(upload, [box.button, box.size], outputs, **slow),
        box.camera.input(upload, [box.camera, box.size], outputs, **slow),
        box.resume.change(resume, [box.resume, box.size], outputs, **slow),
        box.remove.click(remove, None, outputs, **quick),
    ]
    again = {**quick, **reading}  # the file is read anew
    sizes = [box.size.input(resize, [box.state, box.size], box.state, **again)]
    if box.samples is not None:
        photos.append(box.samples.input(take_sample, [box.samples, box.size], outputs, **quick))
    return Events(photos, sizes)


def _is_sample(photo: Photo) -> bool:
    return photo.name.startswith(SAMPLE)


def _size(value: Any) -> int:
    """A size that the page offers, whatever a message made by hand says."""
    return value if value in SIZES else DEFAULT_SIZE
