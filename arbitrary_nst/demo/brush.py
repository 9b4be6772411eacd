"""Where styles go, brushed over the photo: the editor, and the masks in what it sends.

Each brush has a colour, and each colour is a style. The three masks are the three channels of one
small image, which is also the file that the Python lines beside the picture read.
"""

from __future__ import annotations

import io
from typing import Any

import gradio as gr
import numpy as np
from gradio.components.base import server
from gradio.components.image_editor import AcceptBlobs
from PIL import Image

from arbitrary_nst.demo.files import new_file
from arbitrary_nst.demo.mixes import REGIONS_FILE
from arbitrary_nst.demo.photos import READ_SECONDS, SIZES, Photo
from arbitrary_nst.image import load_untrusted

COLORS = {"red": (193, 18, 31), "green": (110, 214, 92), "blue": (37, 99, 235)}
MAX_BYTES = 1_000_000  # of a layer as the page sends it
MAX_NAME = 64  # characters of the name of a visit
MOST_LAYERS = 64  # that are kept, of all visitors together
LEAST = 16  # of 255: what is fainter everywhere is no mask
READY = {  # regions for those who would rather not draw, or cannot
    "Nothing": (0, 0, 0, 0),
    "The upper half": (0, 0, 1, 0.5),
    "The lower half": (0, 0.5, 1, 1),
    "The left half": (0, 0, 0.5, 1),
    "The right half": (0.5, 0, 1, 1),
    "The middle": (0.25, 0.25, 0.75, 0.75),
}


class Layers:
    """What each visitor drew last, by the name of the visit, until it makes room.

    Gradio's own store keeps all that any page sends, the photo too, and as many layers as a message
    made by hand says. And an event that reads the editor has the page upload photo, layer and both
    together, some 2 MB at every stroke; so none does, and what was drawn is taken from here.
    """

    def __init__(self) -> None:
        self._kept: dict[str, bytes] = {}

    @server
    def accept(self, data: AcceptBlobs) -> None:
        """Takes the layer that was drawn on; the photo below it is known."""
        if data.data.get("type") != "layer" or not data.files:
            return
        visitor, drawn = str(data.data.get("session_hash"))[:MAX_NAME], data.files[0][1]
        self.forget(visitor)
        if len(drawn) <= MAX_BYTES:
            self._kept[visitor] = drawn
        while len(self._kept) > MOST_LAYERS:
            del self._kept[next(iter(self._kept))]

    def get(self, visitor: Any) -> bytes | None:
        """The file of the layer; None where there is none."""
        return self._kept.get(str(visitor)[:MAX_NAME])

    def forget(self, visitor: Any) -> None:
        """What was drawn does not count any more: the page shows something else now."""
        self._kept.pop(str(visitor)[:MAX_NAME], None)


def editor(layers: Layers) -> gr.ImageEditor:
    """Draws the editor; it has the visitor's photo once the tab is in sight.

    Args:
        layers: take what is drawn.
    """
    colors: list[Any] = [f"rgb{color}" for color in COLORS.values()]
    part = gr.ImageEditor(
        label="Brush over the photo",
        show_label=False,
        interactive=True,
        sources=(),
        transforms=(),
        layers=False,
        buttons=[],
        brush=gr.Brush(default_size=36, colors=colors, default_color=colors[0], color_mode="fixed"),
        eraser=gr.Eraser(default_size=36),
        format="png",
        height=345,
        canvas_size=(450, 300),
        elem_id="regions-editor",
    )
    part.accept_blobs = layers.accept
    return part


def sheet() -> str:
    """HTML that gives each list of styles, `brush-NUMBER` from 1, the colour of its brush."""
    rules = (f"#brush-{n} {{ --brush: rgb{color}; }}" for n, color in enumerate(COLORS.values(), 1))
    return f"<style>{' '.join(rules)}</style>"


def masks_in(file: bytes | None) -> np.ndarray | None:
    """The masks in a layer: where it has a brush's colour, as much as it is opaque.

    Args:
        file: of the layer, as the page sends it.

    Returns:
        uint8 `(h, w, 3)`, a channel for each brush; None where nothing is drawn.

    Raises:
        ImageError: the file is no image, or a damaged or huge one.
    """
    if file is None:
        return None
    most = 2 * max(SIZES) ** 2
    rgb, alpha = load_untrusted(file, max_pixels=most, role="drawing", seconds=READ_SECONDS)
    if alpha is None:
        return None
    colors = np.array(list(COLORS.values()), np.float32) / 255
    far = np.stack([((rgb - color) ** 2).sum(-1) for color in colors], axis=-1)
    nearest = far.argmin(axis=-1)[..., None] == np.arange(len(colors))
    masks = np.rint(nearest * alpha[..., None] * 255).astype(np.uint8)
    return masks if masks.max() >= LEAST else None


def used(masks: np.ndarray | None) -> list[int]:
    """The brushes that were used, by their channels."""
    if masks is None:
        return []
    return [channel for channel in range(len(COLORS)) if masks[..., channel].max() >= LEAST]


def ready(name: str, photo: Photo) -> np.ndarray | None:
    """The masks of a region of `READY`, by the first brush, for this photo."""
    left, top, right, bottom = READY.get(name, READY["Nothing"])
    height, width = photo.image.shape[:2]
    masks = np.zeros((height, width, len(COLORS)), np.uint8)
    rows = slice(round(top * height), round(bottom * height))
    masks[rows, round(left * width) : round(right * width), 0] = 255
    return masks if masks.any() else None


def over(drawn: np.ndarray | None, below: np.ndarray | None) -> np.ndarray | None:
    """What was drawn over a region that was ready: where a brush was, that one counts.

    Args:
        drawn: uint8 `(h, w, 3)`, see `masks_in`; None where nothing is.
        below: likewise.
    """
    if drawn is None or below is None or drawn.shape != below.shape:
        return below if drawn is None else drawn
    free = 255 - drawn.max(-1, keepdims=True).astype(np.uint16)
    return np.maximum(drawn, (below * free // 255).astype(np.uint8))


def value_of(photo: Photo, masks: np.ndarray | None) -> dict[str, Any]:
    """What the editor shows: the photo, with the masks in their colours on it.

    Not as a layer: the editor puts that beside the photo, and sends it back as an empty one.
    """
    picture = photo.picture()
    if masks is not None:
        colors = np.array(list(COLORS.values()), np.float32)
        shown = np.asarray(picture.convert("RGB"), np.float32)
        opaque = masks.max(-1)[..., None] * np.float32(0.7 / 255)
        mixed = shown + opaque * (colors[masks.argmax(-1)] - shown)
        picture = Image.fromarray(np.rint(mixed).astype(np.uint8))
    return {"background": picture, "layers": [], "composite": None}


def regions_file(masks: np.ndarray) -> str:
    """Writes the masks as a PNG file; returns its path."""
    path = new_file(REGIONS_FILE)
    stream = io.BytesIO()
    Image.fromarray(masks).save(stream, "PNG")
    path.write_bytes(stream.getvalue())
    return str(path)
