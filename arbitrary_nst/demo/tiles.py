"""Choices shown as pictures: check boxes and radio buttons with a style sheet of pictures.

Gradio's gallery cannot hold several choices, and tells a screen reader no more than "Thumbnail 3
of 16". A group of check boxes does both, and takes the keyboard; this lends it the pictures.
"""

from __future__ import annotations

import base64
import io
from collections.abc import Iterable

from PIL import Image

SIDE = 128  # pixels


def style_sheet(group: str, pictures: Iterable[Image.Image]) -> str:
    """HTML that puts the pictures, in order, onto the choices of the group of this id."""
    rules = [
        f"#{group} label:nth-of-type({number}) {{ --picture: url({data_url(picture)}); }}"
        for number, picture in enumerate(pictures, start=1)
    ]
    return f"<style>{' '.join(rules)}</style>"


def data_url(picture: Image.Image) -> str:
    """A small picture as an address that holds the picture itself."""
    stream = io.BytesIO()
    small = picture.convert("RGB").resize((SIDE, SIDE), Image.Resampling.LANCZOS)
    small.save(stream, "JPEG", quality=82)
    return f"data:image/jpeg;base64,{base64.b64encode(stream.getvalue()).decode()}"
