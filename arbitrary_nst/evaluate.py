"""Picture measures: how near a picture is to a style, and to the photo, as full VGG19 sees it.

The scores: *style* is the mean over relu1_1 .. relu5_1 of ||G - T||^2 / ||T||^2 with Gram
matrices per pixel; *content* is ||F - C||^2 / ||C||^2 at relu4_2. Lower is better for both, and
the photo itself has content 0 but the worst style, so neither says much without the other.
"""

from __future__ import annotations

import csv
import io
from collections.abc import Sequence
from dataclasses import asdict, dataclass, fields
from pathlib import Path
from typing import Any

import keras
import numpy as np
from keras import ops

from arbitrary_nst.api import Progress, embed
from arbitrary_nst.atomic import write_bytes
from arbitrary_nst.engines import load_engine
from arbitrary_nst.errors import InputError
from arbitrary_nst.image import load_image, resize
from arbitrary_nst.networks.vgg import CONTENT_LAYER, STYLE_LAYERS, gram_matrix, load_vgg19
from arbitrary_nst.training.config import StyleSpec
from arbitrary_nst.training.losses import relative_error, style_loss

PHOTO_ROW = "photo"


@dataclass(frozen=True)
class Score:
    """The figures of one picture: `engine` is "photo" for the photo left as it is."""

    engine: str
    style: str
    photo: str
    style_loss: float
    content_loss: float


def evaluate_styles(
    specs: Sequence[StyleSpec],
    photos: Sequence[Path],
    *,
    size: int = 512,
    vgg: keras.Model | None = None,
    vgg_weights: str = "imagenet",
    engine: Any = "cin",
    progress: Progress = lambda done, total, message: None,
) -> list[Score]:
    """Renders every photo in every style and scores the pictures.

    Args:
        specs: names of embedded styles and the files of their paintings.
        photos: files of the photos.
        size: longer side of photos and paintings in pixels.
        vgg: network of the measures; by default the full VGG19 from `vgg_weights`.
        vgg_weights: "imagenet" or a file, as `load_vgg19` takes it.
        engine: name or object of the engine that is measured.
        progress: called as progress(done, total, message) per picture.

    Returns:
        For each style and photo a score of the photo itself and one of the engine's picture.

    Raises:
        InputError: no styles or no photos, or one that cannot be read.
        WeightsUnavailable: no network for the engine, or no VGG19.
    """
    if not specs or not photos:
        raise InputError(
            f"`evaluate_styles` needs at least one style and one photo. "
            f"Received: {len(specs)} styles, {len(photos)} photos."
        )
    runner = load_engine(engine) if isinstance(engine, str) else engine
    embeddings = [embed(spec.name, engine=runner) for spec in specs]
    paintings = [_at_size(spec.file, size, f"style {spec.name!r}") for spec in specs]
    if vgg is None:
        vgg = load_vgg19((*STYLE_LAYERS, CONTENT_LAYER), weights=vgg_weights)
    targets = [[gram_matrix(f) for f in vgg(p[None])[:-1]] for p in paintings]
    scores = []
    for number, path in enumerate(photos):
        photo = _at_size(path, size, "photo")
        features = vgg(photo[None])
        for index, spec in enumerate(specs):
            picture = runner.render(photo, embeddings[index])
            rendered = vgg(picture[None])
            for name, found in ((PHOTO_ROW, features), (runner.name, rendered)):
                style = style_loss([gram_matrix(f) for f in found[:-1]], targets[index])
                content = relative_error(found[-1], features[-1])
                values = (float(ops.squeeze(style)), float(ops.squeeze(content)))
                scores.append(Score(name, spec.name, path.name, *values))
            progress(number * len(specs) + index + 1, len(photos) * len(specs), spec.name)
    return scores


def format_table(scores: Sequence[Score]) -> str:
    """Mean scores per style, the photo's beside the engine's, as lines of text."""
    styles = list(dict.fromkeys(score.style for score in scores))
    engines = list(dict.fromkeys(score.engine for score in scores))
    width = max(len(style) for style in [*styles, "style"])
    head = "".join(f"  {engine + ' style':>12}  {'content':>8}" for engine in engines)
    lines = [f"{'style':{width}}{head}"]
    for style in [*styles, None]:
        cells = ""
        for engine in engines:
            chosen = [s for s in scores if s.engine == engine and style in (s.style, None)]
            means = [
                np.mean([getattr(s, n) for s in chosen]) for n in ("style_loss", "content_loss")
            ]
            cells += f"  {means[0]:12.3f}  {means[1]:8.3f}"
        lines.append(f"{style or 'mean':{width}}{cells}")
    return "\n".join(lines)


def write_csv(scores: Sequence[Score], path: str | Path) -> None:
    """Writes one line per score."""
    text = io.StringIO()
    writer = csv.DictWriter(text, [f.name for f in fields(Score)], lineterminator="\n")
    writer.writeheader()
    writer.writerows(
        {k: f"{v:.5f}" if isinstance(v, float) else v for k, v in asdict(s).items()} for s in scores
    )
    write_bytes(path, text.getvalue().encode())


def _at_size(path: str | Path, size: int, role: str) -> np.ndarray:
    image, _ = load_image(path, role=role)
    return resize(image, longer_side=size)
