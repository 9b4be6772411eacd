"""The demo's functions for programs: `/stylize` and `/embed`, for `gradio_client`."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, cast

import gradio as gr
from gradio.events import api

from arbitrary_nst.api import embed, stylize
from arbitrary_nst.checkpoints import predicts_styles
from arbitrary_nst.demo.files import exact, new_file, original_name, plain, read_upload
from arbitrary_nst.demo.photos import as_large_as_allowed, read_painting
from arbitrary_nst.demo.settings import Settings
from arbitrary_nst.demo.toasts import plainly
from arbitrary_nst.engines import EngineName
from arbitrary_nst.errors import StyleError

if TYPE_CHECKING:
    from arbitrary_nst.pipeline.arguments import Color


def add(settings: Settings, known: Collection[str], options: dict[str, Any]) -> None:
    """Adds the endpoints to the page that is being built.

    Args:
        settings: for the limits.
        known: names of the packaged styles.
        options: of the events.
    """

    # Gradio shows the names and types of the arguments, and the docstrings, to those who call
    # these two. It makes a schema of the types, in which None has no place: hence the 0 and [].
    @plainly
    def stylize_photo(
        photo: gr.FileData,
        styles: list[str],
        weights: list[float] = [],  # noqa: B006
        strength: float = 1.0,
        color: str = "style",
        size: int = 0,
    ) -> gr.FileData:
        """Paints a photo in a blend of packaged styles, and gives a PNG file.

        `weights` has a number for each style (none: all equal), `strength` goes from 0, the
        photo, to 1, `color` is "style" or "content", and `size` is the longer side in pixels
        (0: that of the photo).
        """
        image = as_large_as_allowed(read_upload(photo, settings), size, settings)
        check_names(styles, known)
        wanted = cast("Color", color)  # another one `stylize` refuses
        picture = stylize(image, styles, weights or None, strength=strength, color=wanted)
        return gr.FileData(path=exact(picture, "-".join(styles)))

    @plainly
    def embed_painting(painting: gr.FileData, name: str = "") -> gr.FileData:
        """Makes a style of a painting, and gives a style file.

        The file is for `Embedding.load`, for `stylize` in Python, and for "My styles" here.
        """
        image = read_painting(read_upload(painting, settings), settings)
        source = original_name(painting)
        name = name.strip() or Path(source).stem
        engine: EngineName = "cin" if predicts_styles() else "magenta"
        embedding = replace(embed(image, engine=engine), name=name, source=source)
        path = new_file(f"{plain(name) or 'style'}.safetensors")
        embedding.save(path)
        return gr.FileData(path=str(path), orig_name=path.name)

    api(stylize_photo, api_name="stylize", **{**options, "api_visibility": "public"})
    api(embed_painting, api_name="embed", **{**options, "api_visibility": "public"})


def check_names(styles: Any, known: Collection[str]) -> None:
    """Lets nothing but names of packaged styles through: in Python a style may be a path.

    Raises:
        StyleError: anything else.
    """
    for style in styles if isinstance(styles, list) else [styles]:
        if not isinstance(style, str) or style not in known:
            raise StyleError(
                f"There is no style named {style!r:.100}. Known names: {', '.join(known)}."
            )
