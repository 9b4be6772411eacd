"""What a caller may call a style: names, style files, images and embeddings.

Everything is checked and read here before an engine is loaded.
"""

from __future__ import annotations

import difflib
import os
from collections.abc import Iterable, Mapping, Sequence, Set
from pathlib import Path
from typing import Any, BinaryIO

import numpy as np
from PIL import Image

from arbitrary_nst.checkpoints import IDENTITY
from arbitrary_nst.embedding import Embedding
from arbitrary_nst.engines.shared import check_network
from arbitrary_nst.errors import StyleError
from arbitrary_nst.image import load_image

Style = str | os.PathLike[str] | bytes | BinaryIO | np.ndarray | Image.Image | Embedding
"""A style: a packaged name, an image or a style file, by path or as it is in memory."""

Styles = Style | Iterable[Style] | Mapping[str, Embedding]
"""One style or several; a mapping is a library such as `load_styles` reads."""

STYLE_FILE_SUFFIX = ".safetensors"
_SINGLE = (str, bytes, bytearray, memoryview, os.PathLike, np.ndarray, Image.Image, Embedding)
_KINDS = (
    f"the name of a packaged style, a style file ({STYLE_FILE_SUFFIX}), an image, or an Embedding"
)


def list_of_styles(styles: Any) -> list[Any]:
    """The argument `styles` as a list: a single style counts as a list of one.

    Args:
        styles: a style, several in any iterable, or a library as `load_styles` gives it.

    Raises:
        StyleError: there is none, or one is of a kind that cannot be a style.
    """
    if is_style(styles):
        return [styles]
    if isinstance(styles, Mapping):
        parts = list(styles.values())
    elif isinstance(styles, Iterable) and not isinstance(styles, Set):
        parts = list(styles)
    else:
        raise StyleError(
            f"`styles` must be a list of styles; each is {_KINDS}. Received: {styles!r:.100}"
        )
    if not parts:
        raise StyleError("`styles` is empty. Expected at least one name, style image or embedding.")
    for number, part in enumerate(parts, start=1):
        check_style(part, number)
    return parts


def is_style(value: Any) -> bool:
    """Whether a value is of a kind that can be a single style."""
    return isinstance(value, _SINGLE) or hasattr(value, "read") or hasattr(value, "__array__")


def check_style(value: Any, number: int = 1) -> None:
    """Raises `StyleError` for what cannot be a single style."""
    if not is_style(value):
        hint = " Numbers belong into `weights`." if isinstance(value, (int, float)) else ""
        raise StyleError(f"Style {number} must be {_KINDS}. Received: {value!r:.100}.{hint}")


def read_styles(
    styles: Sequence[Any], known: Mapping[str, Embedding], max_pixels: int
) -> list[Embedding | np.ndarray]:
    """An embedding for each name and style file, a float32 array `(H, W, 3)` for each image.

    Args:
        styles: as `list_of_styles` gives them.
        known: embeddings by name. A name wins over a file of the same name, which `./NAME` and
            `Path(NAME)` mean.
        max_pixels: largest image that is read.

    Raises:
        StyleError: an unknown name; the message has the nearest ones.
        EmbeddingError: a style file that cannot be read, or that holds several styles.
        ImageError: an image that cannot be read.
    """
    return [
        _read_style(style, number, known, max_pixels)
        for number, style in enumerate(styles, start=1)
    ]


def _read_style(
    style: Any, number: int, known: Mapping[str, Embedding], max_pixels: int
) -> Embedding | np.ndarray:
    if isinstance(style, Embedding):
        return style
    if isinstance(style, (str, os.PathLike)):
        if isinstance(style, str) and style in known:
            return known[style]
        suffix = Path(style).suffix.lower()
        if suffix == STYLE_FILE_SUFFIX:
            return Embedding.load(style)
        if isinstance(style, str) and not suffix and not os.path.exists(style):
            raise _unknown(style, known)
    return load_image(style, max_pixels=max_pixels, role=f"style {number}")[0]


def name_of(style: Any, read: Embedding | np.ndarray) -> str:
    """What to call a style: its name, else the path that was given, else "unnamed".

    Args:
        style: as it was given.
        read: as `read_styles` has it.
    """
    if isinstance(read, Embedding) and read.name:
        return read.name
    return os.fspath(style) if isinstance(style, (str, os.PathLike)) else "unnamed"


def _unknown(text: str, known: Mapping[str, Embedding]) -> StyleError:
    # Capitals, spaces and underscores are slips that should not hide how near a name is.
    names = {name.lower(): name for name in known if name != IDENTITY}
    plain = text.lower().replace(" ", "-").replace("_", "-")
    near = [names[name] for name in difflib.get_close_matches(plain, names, n=3, cutoff=0.5)]
    if near:
        hint = f"Did you mean {' or '.join(near)}?"
    else:
        hint = f"Known names: {', '.join(names.values()) or 'none'}."
    return StyleError(f"There is no style named {text!r:.200}, and no file of that name. {hint}")


def check_networks(styles: Sequence[Embedding | np.ndarray], engine: str, network: str) -> None:
    """Raises `StyleError`, naming the style, where an embedding is not of this very network."""
    for number, style in enumerate(styles, start=1):
        if isinstance(style, Embedding):
            label = f"Style {number} ({style.name or 'unnamed'!r})"
            check_network(style, engine, network, label)
