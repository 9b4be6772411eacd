"""Choices shown as pictures: check boxes and radio buttons with a style sheet of pictures.

Gradio's gallery cannot hold several choices, and tells a screen reader no more than "Thumbnail 3
of 16". A group of check boxes does both, and takes the keyboard; this lends it the pictures.
"""

from __future__ import annotations

import base64
import io
from collections.abc import Iterable

from PIL import Image

SIDE = 128  # pixels of the sample photos


def style_sheet(group: str, pictures: Iterable[Image.Image]) -> str:
    """HTML that puts the pictures, in order, onto the choices of the group of this id.

    Each picture has a name as well, `--ID-NUMBER` from 1, by which `slot_sheet` uses it again.
    """
    addresses = [data_url(picture) for picture in pictures]
    names = [f"--{group}-{n}: url({url});" for n, url in enumerate(addresses, start=1)]
    rules = [
        f"#{group} label:nth-of-type({n}) {{ --picture: var(--{group}-{n}); }}"
        for n in range(1, len(addresses) + 1)
    ]
    return f"<style>:root {{ {' '.join(names)} }} {' '.join(rules)}</style>"


def slot_sheet(group: str, places: Iterable[int]) -> str:
    """HTML that puts pictures of a group, by their numbers in it from 0, onto the slots."""
    rules = [
        f"#slot-{slot} {{ --picture: var(--{group}-{place + 1}); }}"
        for slot, place in enumerate(places, start=1)
    ]
    return f"<style>{' '.join(rules)}</style>"


def data_url(picture: Image.Image) -> str:
    """A small picture as an address that holds the picture itself."""
    stream = io.BytesIO()
    picture.convert("RGB").save(stream, "JPEG", quality=82)
    return f"data:image/jpeg;base64,{base64.b64encode(stream.getvalue()).decode()}"
