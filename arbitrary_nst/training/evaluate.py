"""Picture measures: how near a picture is to a style, and to the photo, as full VGG19 sees it.

The scores: *style* is the mean over relu1_1 .. relu5_1 of ||G - T||^2 / ||T||^2 with Gram
matrices per pixel; *content* is ||F - C||^2 / ||C||^2 at relu4_2. Lower is better for both, and
the photo itself has content 0 but the worst style, so neither says much without the other.

Beside them: *edges*, the SSIM of the edges in the luminance of picture and photo, 1 where every
contour is kept; and *unrest*, how far the pictures of a photo and of the same photo with a little
noise are apart, which is what flickers in a film.
"""

from __future__ import annotations

import csv
import io
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass, fields
from pathlib import Path
from typing import Any

import keras
import numpy as np
from keras import ops

from arbitrary_nst.api import embed
from arbitrary_nst.common.atomic import write_bytes
from arbitrary_nst.embedding import Embedding
from arbitrary_nst.engines import load_engine
from arbitrary_nst.errors import InputError
from arbitrary_nst.image import load_image, resize
from arbitrary_nst.networks.losses import relative_error, style_loss
from arbitrary_nst.networks.vgg import CONTENT_LAYER, STYLE_LAYERS, gram_matrix, load_vgg19
from arbitrary_nst.pipeline.paint import Progress
from arbitrary_nst.training.config import StyleSpec

PHOTO_ROW = "photo"


@dataclass(frozen=True)
class Score:
    """The figures of one picture.

    Args:
        engine: its name; "photo" for the photo left as it is.
        style: name of the style.
        photo: file name of the photo.
        style_loss: see the head of this module.
        content_loss: likewise.
        edges: SSIM of Sobel magnitudes, up to 1.
        unrest: mean absolute difference of the pixels, 0 to 1.
    """

    engine: str
    style: str
    photo: str
    style_loss: float
    content_loss: float
    edges: float = 1.0
    unrest: float = 0.0


FIGURES = ("style_loss", "content_loss", "edges", "unrest")
NOISE = 0.02  # standard deviation of the noise behind `unrest`, of values in `[0, 1]`
OnPicture = Callable[[str, str, str, np.ndarray], None]


def evaluate_styles(
    specs: Sequence[StyleSpec],
    photos: Sequence[Path],
    *,
    size: int = 512,
    vgg: keras.Model | None = None,
    vgg_weights: str = "imagenet",
    engines: Sequence[Any] = ("cin",),
    progress: Progress = lambda done, total, message: None,
    on_picture: OnPicture = lambda engine, style, photo, picture: None,
) -> list[Score]:
    """Renders every photo in every style and scores the pictures.

    Args:
        specs: names of styles and the files of their paintings. An engine that knows a style by
            its name paints that; else the painting is embedded.
        photos: files of the photos.
        size: longer side of photos and paintings in pixels.
        vgg: network of the measures; by default the full VGG19 from `vgg_weights`.
        vgg_weights: "imagenet" or a file, as `load_vgg19` takes it.
        engines: names or objects of the engines that are measured.
        progress: called as progress(done, total, message) per style and photo.
        on_picture: called with engine, style, photo's file name and the picture, float32
            `(H, W, 3)`.

    Returns:
        For each style and photo a score of the photo itself and one of each engine's picture.

    Raises:
        InputError: no styles or no photos, or one that cannot be read.
        WeightsUnavailable: no network for the engine, or no VGG19.
    """
    if not specs or not photos:
        raise InputError(
            f"`evaluate_styles` needs at least one style and one photo. "
            f"Received: {len(specs)} styles, {len(photos)} photos."
        )
    runners = [load_engine(e) if isinstance(e, str) else e for e in engines]
    embeddings = [[_embedding(runner, spec) for spec in specs] for runner in runners]
    paintings = [_at_size(spec.file, size, f"style {spec.name!r}") for spec in specs]
    if vgg is None:
        vgg = load_vgg19((*STYLE_LAYERS, CONTENT_LAYER), weights=vgg_weights)
    targets = [[gram_matrix(f) for f in vgg(p[None])[:-1]] for p in paintings]
    noise = np.random.default_rng(0)
    scores = []
    for number, path in enumerate(photos):
        photo = _at_size(path, size, "photo")
        noisy = photo + NOISE * noise.standard_normal(photo.shape, np.float32)
        noisy = noisy.clip(0, 1).astype(np.float32)
        features = vgg(photo[None])
        for index, spec in enumerate(specs):
            names = (PHOTO_ROW, spec.name, path.name)
            scores.append(Score(*names, *_losses(features, targets[index], features)))
            for runner, styles in zip(runners, embeddings, strict=True):
                picture = runner.render(photo, styles[index])
                again = runner.render(noisy, styles[index])
                on_picture(runner.name, spec.name, path.name, picture)
                losses = _losses(vgg(picture[None]), targets[index], features)
                others = edge_similarity(picture, photo), float(np.abs(picture - again).mean())
                scores.append(Score(runner.name, spec.name, path.name, *losses, *others))
            progress(number * len(specs) + index + 1, len(photos) * len(specs), spec.name)
    return scores


def edge_similarity(picture: np.ndarray, photo: np.ndarray) -> float:
    """SSIM of the strength of edges (Sobel) in the luminance of two images (H, W, 3)."""
    import tensorflow as tf

    luminance = tf.image.rgb_to_grayscale(tf.stack([picture, photo]))
    edges = tf.norm(tf.image.sobel_edges(luminance), axis=-1)  # (2, H, W, 1)
    return float(tf.image.ssim(edges[0], edges[1], max_val=4.0, filter_size=7))


def _embedding(engine: Any, spec: StyleSpec) -> Embedding:
    known = getattr(engine, "styles", {})
    if spec.name in known or (known and not getattr(engine, "predicts", False)):
        # An unknown name is refused with the nearest ones.
        return embed(spec.name, engine=engine)
    return engine.embed(load_image(spec.file, role=f"style {spec.name!r}")[0])


def _losses(features: Sequence, target: Sequence, wanted: Sequence) -> tuple[float, float]:
    style = style_loss([gram_matrix(f) for f in features[:-1]], target)
    content = relative_error(features[-1], wanted[-1])
    return float(ops.squeeze(style)), float(ops.squeeze(content))


def format_table(scores: Sequence[Score]) -> str:
    """Mean scores as lines of text: losses per style and engine, then the rest per engine."""
    styles = list(dict.fromkeys(score.style for score in scores))
    engines = list(dict.fromkeys(score.engine for score in scores))
    width = max(len(style) for style in [*styles, "style"])
    head = "".join(f"  {engine + ' style':>13} {'content':>8}" for engine in engines)
    lines = [f"{'style':{width}}{head}"]
    for style in [*styles, None]:
        cells = ""
        for engine in engines:
            chosen = [s for s in scores if s.engine == engine and style in (s.style, None)]
            means = [np.mean([getattr(s, name) for s in chosen]) for name in FIGURES[:2]]
            cells += "  {:13.3f} {:8.3f}".format(*means)
        lines.append(f"{style or 'mean':{width}}{cells}")
    for engine in engines[1:]:
        edges, unrest = (
            np.mean([getattr(s, name) for s in scores if s.engine == engine])
            for name in FIGURES[2:]
        )
        lines.append(f"{engine}: edges {edges:.2f}, unrest {unrest:.4f}")
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
