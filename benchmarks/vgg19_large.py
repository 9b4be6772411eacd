"""The vgg19 engine on large photos: peak memory, seconds a step, and seams of its tiles.

    python benchmarks/vgg19_large.py --photo a.jpg --painting b.jpg --megapixels 12 --steps 2
    python benchmarks/vgg19_large.py --photo a.jpg --painting b.jpg --megapixels 2 6 12 --once
    python benchmarks/vgg19_large.py --photo a.jpg --painting b.jpg --seams 1024 --steps 10

The photo is enlarged to that many megapixels, and painted with that many steps at each scale; what
is printed is the highest memory of the process so far, so of several sizes the smallest comes
first. With `--once` the full size alone is painted, from the photo, and one tile of each shape is
looked at in each step; what it gave stands for all others of its shape. That takes the memory of a
whole run in a small part of its time, but makes no picture and no loss; where the photo is compared
in other colours, a copy stands for it. With `--seams` the photo,
at that size, is painted twice from the same start, in one piece and in tiles, and the pictures are
compared along the borders of tiles and elsewhere.
"""

from __future__ import annotations

import argparse
import itertools
import resource
import time
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import numpy as np
import tensorflow as tf

from arbitrary_nst import Embedding, load_image
from arbitrary_nst.engines.vgg19 import Vgg19, Vgg19Settings
from arbitrary_nst.engines.vgg19.eyes import Eyes
from arbitrary_nst.engines.vgg19.objective import _tiles
from arbitrary_nst.image import resize


def peak_gigabytes() -> float:
    """Of this process until now."""
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 2**20


def answer_once(eyes: Eyes) -> Callable[[], None]:
    """Has one tile of each shape looked at, and gives copies of what was seen for the others.

    The loss is made up, and falls, since no step is taken without.

    Returns:
        What has it look anew: each step, or what a step holds beside a tile would be left out.
    """
    losses = itertools.count(0.0, -1e6)
    answers: list[dict[tuple[int, ...], Any]] = []

    def once(look: Callable[..., Any]) -> Callable[..., Any]:
        seen: dict[tuple[int, ...], Any] = {}
        answers.append(seen)

        def answer(picture: tf.Tensor, *rest: Any) -> Any:
            shape = tuple(picture.shape)
            if shape not in seen:
                seen[shape] = look(picture, *rest)
                return seen[shape]
            return tf.nest.map_structure(tf.identity, seen[shape])

        return answer

    for name in ("sums", "all_sums", "drawn", "compared"):
        setattr(eyes, name, once(getattr(eyes, name)))
    gradient = once(eyes.tile_gradient)
    eyes.tile_gradient = lambda *given: (next(losses), gradient(*given)[1])

    def forget() -> None:
        for seen in answers:
            seen.clear()

    return forget


def large(options: argparse.Namespace, settings: Vgg19Settings) -> None:
    """Prints memory and seconds step by step."""
    if options.once:
        settings = replace(settings, init="content", coarsest=10**6)
    engine = Vgg19(options.weights, settings=settings)
    style = engine.embed(load_image(options.painting)[0])
    forget = None
    if options.once:
        forget = answer_once(engine._eyes)
        engine._starts.recolored = lambda small, *rest: small.astype(np.float16)
    for megapixels in options.megapixels:
        paint_large(enlarged(options.photo, megapixels), engine, style, forget)


def enlarged(file: str, megapixels: float) -> np.ndarray:
    """A photo at so many megapixels."""
    photo = load_image(file)[0]
    factor = np.sqrt(megapixels * 1e6 / (photo.shape[0] * photo.shape[1]))
    height, width = (round(side * factor) for side in photo.shape[:2])
    return resize(photo, shape=(height, width))


def paint_large(
    photo: np.ndarray, engine: Vgg19, style: Embedding, forget: Callable[[], None] | None
) -> None:
    """Prints memory and seconds step by step, of one size."""
    (height, width), settings = photo.shape[:2], engine.settings
    side = settings.tile_side if height * width > settings.whole_pixels else None
    tiles = list(_tiles((height, width), side))
    print(f"{width}x{height}, {len(tiles)} tiles of {side} at full size")
    print(f"before the first step {peak_gigabytes():.2f} GiB", flush=True)
    start = time.perf_counter()
    for step in engine.render_steps(photo, style):
        seconds, start = time.perf_counter() - start, time.perf_counter()
        shape = f"{step.picture.shape[1]}x{step.picture.shape[0]}"
        loss = "" if forget else f"loss {step.loss:.4f}"
        if forget:
            forget()
        print(f"{shape:>10} {loss}  {seconds:6.1f} s", end="  ")
        print(f"{peak_gigabytes():.2f} GiB", flush=True)


def seams(options: argparse.Namespace, settings: Vgg19Settings) -> None:
    """Prints how far the pictures in one piece and in tiles are apart."""
    photo = resize(load_image(options.photo)[0], longer_side=options.seams)
    height, width = photo.shape[:2]
    engine = Vgg19(options.weights, settings=settings)
    style = engine.embed(load_image(options.painting)[0])
    pictures = []
    for side in (options.seams, options.tile_side):
        engine.settings = replace(
            settings, coarsest=4 * options.seams, whole_pixels=256, tile_side=side
        )
        function = engine._objective(photo, [style])
        pictures.append((*function(photo), engine.render(photo, style)))
    (loss, gradient, whole), (by_tiles, summed, tiled) = pictures
    print(f"{width}x{height} in {len(function._tiles)} tiles, {settings.precision}")
    print(f"loss of the photo {loss:.6f} and {by_tiles:.6f}")
    scale = np.abs(gradient).mean()
    print(f"gradients apart by {np.abs(summed - gradient).mean() / scale:.2e} of their mean")
    border = np.zeros((height, width), bool)
    for tile in _tiles((height, width), options.tile_side):
        for axis, side in enumerate(tile.core):
            if side.start:
                lines = [slice(None), slice(None)]
                lines[axis] = slice(side.start - 8, side.start + 8)
                border[tuple(lines)] = True
    apart = 255 * np.abs(tiled - whole).mean(axis=-1)
    print(f"the photo moved by {255 * np.abs(whole - photo).mean():.2f} of 255 levels;")
    print(f"pictures apart by {apart[border].mean():.4f} levels within 8 pixels of a tile's border")
    print(f"and {apart[~border].mean():.4f} elsewhere; at most {apart.max():.2f}")


def main() -> None:
    """Prints what was asked for."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--photo", required=True)
    parser.add_argument("--painting", required=True)
    parser.add_argument("--weights", help="VGG19 file (default: $ARBITRARY_NST_VGG19)")
    parser.add_argument("--megapixels", type=float, nargs="+", default=[12])
    parser.add_argument("--once", action="store_true", help="for the memory alone")
    parser.add_argument("--seams", type=int, metavar="PIXELS", help="longer side")
    parser.add_argument("--tile-side", type=int, default=Vgg19Settings.tile_side)
    parser.add_argument("--precision", default="auto")
    parser.add_argument("--coarsest", type=int, default=Vgg19Settings.coarsest)
    parser.add_argument("--steps", type=int, default=2, help="at each scale")
    options = parser.parse_args()
    settings = Vgg19Settings(
        iterations=(options.steps,),
        precision=options.precision,
        coarsest=options.coarsest,
        tile_side=options.tile_side,
    )
    (seams if options.seams else large)(options, settings)


if __name__ == "__main__":
    main()
