"""Picture measures: how near a picture is to a style, and to the photo, as full VGG19 sees it.

The scores: *style* is the mean over relu1_1 .. relu5_1 of ||G - T||^2 / ||T||^2 with Gram
matrices per pixel; *content* is ||F - C||^2 / ||C||^2 at relu4_2. Lower is better for both, and
the photo itself has content 0 but the worst style, so neither says much without the other.
*Detailed* and *flat* are the style score over the half of the positions where the photo has the
most and the least detail: a picture whose sky alone is painted, or whose sky alone is not, has one
of them high.

Beside them: *edges*, the SSIM of the edges in the luminance of picture and photo, 1 where every
contour is kept; *unrest*, how far the pictures of a photo and of the same photo with a little
noise are apart, which is what flickers in a film; *order*, the rank correlation of light and dark
in picture and photo at 1/8 of the size; and *contrast* and *saturation*, the deviation of the luma
and the mean chroma at 1/8 of the size over those of the painting, 1 being as much as the painting
has.
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
from PIL import Image
from scipy.stats import spearmanr

from arbitrary_nst.api import embed
from arbitrary_nst.checkpoints import vgg19_weights
from arbitrary_nst.common.atomic import write_bytes
from arbitrary_nst.embedding import Embedding
from arbitrary_nst.engines import load_engine
from arbitrary_nst.engines.protocol import Engine, as_engine
from arbitrary_nst.errors import InputError
from arbitrary_nst.image import load_image, resize, to_pil
from arbitrary_nst.networks.detail import detail_mask
from arbitrary_nst.networks.losses import relative_error, style_loss
from arbitrary_nst.networks.vgg import (
    CONTENT_LAYER,
    STYLE_LAYERS,
    gram_matrices_by_detail,
    gram_matrix,
    load_vgg19,
)
from arbitrary_nst.pipeline.arguments import Progress
from arbitrary_nst.training.config import StyleSpec, check_painting
from arbitrary_nst.training.data import load_painting

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
        detailed: style loss over the photo's detailed half.
        flat: the same over its flat half.
        order: rank correlation of the lumas at 1/8 of the size, -1 to 1.
        contrast: over the painting's.
        saturation: over the painting's.
    """

    engine: str
    style: str
    photo: str
    style_loss: float
    content_loss: float
    edges: float = 1.0
    unrest: float = 0.0
    detailed: float = 0.0
    flat: float = 0.0
    order: float = 1.0
    contrast: float = 1.0
    saturation: float = 1.0


LOSSES = ("style_loss", "content_loss", "detailed", "flat")
OTHERS = ("edges", "unrest", "order", "contrast", "saturation")
NOISE = 0.02  # standard deviation of the noise behind `unrest`, of values in `[0, 1]`
OnPicture = Callable[[str, str, str, np.ndarray], None]


def evaluate_styles(
    specs: Sequence[StyleSpec],
    photos: Sequence[Path],
    *,
    size: int = 512,
    vgg: keras.Model | None = None,
    vgg_weights: str | None = None,
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
        vgg_weights: "imagenet", for Keras' download, or a file, as `load_vgg19` takes them.
            Default: `$ARBITRARY_NST_VGG19`, then "imagenet".
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
    for spec in specs:
        check_painting(spec)
    if vgg is None:  # first: a wrong file should not wait for the pictures
        vgg = load_vgg19((*STYLE_LAYERS, CONTENT_LAYER), weights=vgg19_weights(vgg_weights))
    runners = [load_engine(e) if isinstance(e, str) else as_engine(e) for e in engines]
    embeddings = [[_embedding(runner, spec) for spec in specs] for runner in runners]
    paintings = [resize(load_painting(spec), longer_side=size) for spec in specs]
    targets = [[gram_matrix(f) for f in vgg(p[None])[:-1]] for p in paintings]
    tones = [_tones(painting) for painting in paintings]
    noise = np.random.default_rng(0)
    scores = []
    for number, path in enumerate(photos):
        photo = resize(load_image(path, role="photo")[0], longer_side=size)
        noisy = photo + NOISE * noise.standard_normal(photo.shape, np.float32)
        noisy = noisy.clip(0, 1).astype(np.float32)
        features = vgg(photo[None])
        detail = detail_mask(photo)
        for index, spec in enumerate(specs):
            tone = _tone_figures(photo, photo, tones[index])
            losses = _losses(features, targets[index], features, detail)
            scores.append(Score(PHOTO_ROW, spec.name, path.name, **losses, **tone))
            for runner, styles in zip(runners, embeddings, strict=True):
                picture = runner.render(photo, styles[index])
                again = runner.render(noisy, styles[index])
                on_picture(runner.name, spec.name, path.name, picture)
                figures = {
                    **_losses(vgg(picture[None]), targets[index], features, detail),
                    **_tone_figures(picture, photo, tones[index]),
                    "edges": edge_similarity(picture, photo),
                    "unrest": float(np.abs(picture - again).mean()),
                }
                scores.append(Score(runner.name, spec.name, path.name, **figures))
            progress(number * len(specs) + index + 1, len(photos) * len(specs), spec.name)
    return scores


def picture_figures(
    picture: np.ndarray, photo: np.ndarray, painting: np.ndarray, vgg: keras.Model
) -> dict[str, float]:
    """The figures of one picture that take no second one: those of `LOSSES`, and of its tones.

    Args:
        picture: float32 `(H, W, 3)`, RGB in `[0, 1]`.
        photo: of the same shape.
        painting: float32 `(h, w, 3)`; its longer side is best that of the photo.
        vgg: as for `evaluate_styles`.
    """
    target = [gram_matrix(f) for f in vgg(painting[None])[:-1]]
    return {
        **_losses(vgg(picture[None]), target, vgg(photo[None]), detail_mask(photo)),
        **_tone_figures(picture, photo, _tones(painting)),
    }


def edge_similarity(picture: np.ndarray, photo: np.ndarray) -> float:
    """SSIM of the strength of edges (Sobel) in the luminance of two images (H, W, 3)."""
    import tensorflow as tf

    luminance = tf.image.rgb_to_grayscale(tf.stack([picture, photo]))
    edges = tf.norm(tf.image.sobel_edges(luminance), axis=-1)  # (2, H, W, 1)
    return float(tf.image.ssim(edges[0], edges[1], max_val=4.0, filter_size=7))


def _embedding(engine: Engine, spec: StyleSpec) -> Embedding:
    if spec.name in engine.styles or not engine.takes_images:
        # An unknown name is refused with the nearest ones.
        return embed(spec.name, engine=engine)
    return engine.embed(load_painting(spec))


def _losses(
    features: Sequence, target: Sequence, wanted: Sequence, detail: np.ndarray
) -> dict[str, Any]:
    """The figures of `LOSSES` of one picture."""
    import tensorflow as tf

    parts = [
        gram_matrices_by_detail(f, tf.image.resize(detail[None], f.shape[1:3], "area"))
        for f in features[:-1]
    ]
    detailed, flat, _ = zip(*parts, strict=True)
    whole = [gram_matrix(f) for f in features[:-1]]
    values = (
        style_loss(whole, target),
        relative_error(features[-1], wanted[-1]),
        style_loss(detailed, target),
        style_loss(flat, target),
    )
    return {name: float(ops.squeeze(v)) for name, v in zip(LOSSES, values, strict=True)}


def _tones(image: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Luma and chroma of an image (H, W, 3) at 1/8 of its size, both 0 to 255."""
    picture = to_pil(image).convert("YCbCr")
    size = [max(8, side // 8) for side in picture.size]
    small = np.asarray(picture.resize(size, Image.Resampling.BOX), np.float32)
    return small[..., 0], np.hypot(small[..., 1] - 128, small[..., 2] - 128)


def _tone_figures(
    picture: np.ndarray, photo: np.ndarray, painting: tuple[np.ndarray, np.ndarray]
) -> dict[str, Any]:
    (luma, chroma), (wanted, wanted_chroma) = _tones(picture), painting
    # A photo or a picture of one grey has no order.
    order = np.nan_to_num(spearmanr(luma.ravel(), _tones(photo)[0].ravel()).statistic)
    return {
        "order": float(order),
        "contrast": float(luma.std() / max(wanted.std(), 1.0)),
        "saturation": float(chroma.mean() / max(wanted_chroma.mean(), 1.0)),
    }


def format_table(scores: Sequence[Score]) -> str:
    """Mean scores as lines of text: losses per style and engine, then the rest per engine."""
    styles = list(dict.fromkeys(score.style for score in scores))
    engines = list(dict.fromkeys(score.engine for score in scores))

    def mean(name: str, engine: str, style: str | None = None) -> float:
        chosen = [s for s in scores if s.engine == engine and style in (s.style, None)]
        return float(np.mean([getattr(s, name) for s in chosen]))

    width = max(len(style) for style in [*styles, "style"])
    head = "".join(f"  {e + ' style':>13} {'content':>8}" for e in engines)
    head += "".join(f"  {e + ' detailed':>15} {'flat':>6}" for e in engines[1:])
    lines = [f"{'style':{width}}{head}"]
    for style in [*styles, None]:
        cells = ""
        for engine in engines:
            cells += "  {:13.3f} {:8.3f}".format(*(mean(n, engine, style) for n in LOSSES[:2]))
        for engine in engines[1:]:
            cells += "  {:15.3f} {:6.3f}".format(*(mean(n, engine, style) for n in LOSSES[2:]))
        lines.append(f"{style or 'mean':{width}}{cells}")
    for engine in engines[1:]:
        figures = ", ".join(f"{n} {mean(n, engine):.{4 if n == 'unrest' else 2}f}" for n in OTHERS)
        lines.append(f"{engine}: {figures}")
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
