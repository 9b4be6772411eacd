"""A mix of styles, the picture it makes, and the line of code that makes it again."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from PIL import Image

from arbitrary_nst.api import embed, list_styles, stylize
from arbitrary_nst.demo.photos import Photo, as_picture, square
from arbitrary_nst.embedding import Embedding, normalize_weights
from arbitrary_nst.engines import load_engine
from arbitrary_nst.engines.protocol import Engine
from arbitrary_nst.image import to_pil
from arbitrary_nst.pipeline.arguments import Progress

MAX_STYLES = 6
THUMBNAIL = 160  # pixels of the pictures in the choice of styles
LIBRARY_FILE = "my-styles.safetensors"


@dataclass(frozen=True, eq=False)
class OwnStyle:
    """A style that a visitor made or loaded, and a small picture of it."""

    embedding: Embedding
    thumbnail: Image.Image


Own = Mapping[str, OwnStyle]


@dataclass(frozen=True)
class Mix:
    """The settings that make a picture of a photo.

    Args:
        styles: names, of packaged styles or of the visitor's own.
        weights: one number for each, none negative.
        strength: from 0 to 1.
        keep_colors: whether the photo's colours stay.
    """

    styles: tuple[str, ...]
    weights: tuple[float, ...]
    strength: float = 1.0
    keep_colors: bool = False

    @property
    def is_empty(self) -> bool:
        """Whether there is nothing to paint with: no style, or none with a weight."""
        return not any(self.weights)

    def shares(self) -> str:
        """The mix in words, such as "67% great-wave, 33% scream"."""
        shares = normalize_weights(self.weights, len(self.weights))
        pairs = zip(shares, self.styles, strict=True)
        return ", ".join(f"{share:.0%} {name}" for share, name in pairs if share > 0)


def embedded_styles() -> dict[str, Embedding]:
    """The styles that ship with the network, by name."""
    return {style.name: embed(style.name) for style in list_styles()}


def embeddings_of(names: tuple[str, ...], embedded: Mapping[str, Embedding], own: Own) -> list:
    """The embeddings of these names. A visitor's own styles have names of their own."""
    return [own[name].embedding if name in own else embedded[name] for name in names]


def paint(
    image: np.ndarray,
    mix: Mix,
    styles: list[Embedding],
    engine: str | Engine = "auto",
    progress: Progress | None = None,
) -> Image.Image:
    """The picture of an image in a mix; without a mix the image itself.

    Args:
        image: float32 `(h, w, 3)` or `(h, w, 4)`, in `[0, 1]`.
        mix: of the styles.
        styles: their embeddings.
        engine: that paints; "auto" is that of the embeddings.
        progress: as for `stylize`.
    """
    if mix.is_empty:
        return as_picture(image)
    return stylize(
        image,
        styles,
        mix.weights,
        strength=mix.strength,
        color="content" if mix.keep_colors else "style",
        engine=engine,
        max_pixels=max(1, image.shape[0] * image.shape[1]),
        progress=progress,
    )


def thumbnails(image: np.ndarray, styles: Mapping[str, Embedding]) -> dict[str, Image.Image]:
    """A small square of the image in each style, by name; all of them in one pass per engine."""
    small = square(image, THUMBNAIL)
    pictures: dict[str, Image.Image] = {}
    for engine in sorted({style.engine for style in styles.values()}):
        names = [name for name, style in styles.items() if style.engine == engine]
        painted = load_engine(engine).render_batch(
            [small] * len(names), [styles[name] for name in names]
        )
        pictures.update(zip(names, map(to_pil, painted), strict=True))
    return {name: pictures[name] for name in styles}


def plain_photo() -> np.ndarray:
    """A picture to show styles on where there is no photo: hills and a sun, `(h, w, 3)`."""
    y, x = np.mgrid[0:THUMBNAIL, 0:THUMBNAIL].astype(np.float32) / THUMBNAIL
    sky = np.stack([0.55 + 0.4 * y, 0.7 + 0.15 * y, 0.95 - 0.2 * y], axis=-1)
    far, near = 0.62 + 0.08 * np.sin(7 * x), 0.78 + 0.06 * np.sin(4 * x + 2)
    image = np.where((y > far)[..., None], (0.35, 0.5, 0.45), sky)
    image = np.where((y > near)[..., None], (0.2, 0.32, 0.18), image)
    sun = (x - 0.7) ** 2 + (y - 0.3) ** 2 < 0.012
    return np.where(sun[..., None], (1.0, 0.85, 0.5), image).astype(np.float32)


def code(photo: Photo, mix: Mix, own: Own, engine: str | None = None) -> str:
    """The Python lines that make this very picture of this photo.

    Args:
        photo: to be painted.
        mix: of which styles; names of files stand for style images.
        own: the visitor's own styles.
        engine: to be named, where it is not the one that the styles lead to.
    """
    imports = ["stylize"]
    lines: list[str] = []
    if any(name in own for name in mix.styles):
        imports.insert(0, "load_styles")
        lines.append(f'mine = load_styles("{LIBRARY_FILE}")')
    content = _quoted(photo.name)
    kind, _, sample = photo.name.partition(":")
    head = [f"from arbitrary_nst import {', '.join(imports)}"]
    if kind == "sample" and isinstance(photo.source, np.ndarray):
        head.append("from arbitrary_nst.samples import sample_photo")
        content = f"sample_photo({_quoted(sample)})"
    styles = (f"mine[{_quoted(n)}]" if n in own else _quoted(n) for n in mix.styles)
    arguments = [content, f"[{', '.join(styles)}]", f"[{', '.join(map(_number, mix.weights))}]"]
    if mix.strength != 1:
        arguments.append(f"strength={_number(mix.strength)}")
    if mix.keep_colors:
        arguments.append('color="content"')
    if engine is not None:
        arguments.append(f"engine={_quoted(engine)}")
    if photo.is_scaled:
        arguments.append(f"size={photo.size}")
    body = ",\n    ".join(arguments)
    return "\n".join([*head, "", *lines, f"picture = stylize(\n    {body},\n)"])


def _quoted(text: str) -> str:
    quoted = repr(text)
    return f'"{text}"' if quoted == f"'{text}'" and '"' not in text else quoted


def _number(value: Any) -> str:
    return f"{float(value):g}"
