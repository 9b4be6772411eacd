"""The magenta engine: what embedding and rendering take, and which way of embedding is best.

The first table has the times of one picture with the style given as an image, and as an embedding
made before. The second needs `--vgg-weights`: style and content loss (as `arbitrary-nst evaluate`
has them) of the pictures with three ways to look at a painting that is not square.

    python benchmarks/magenta.py --paintings a.jpg b.jpg --photos c.jpg d.jpg
"""

from __future__ import annotations

import argparse
import time

import numpy as np
from PIL import Image
from tables import write_csv

from arbitrary_nst import stylize
from arbitrary_nst.embedding import Embedding
from arbitrary_nst.engines.magenta import STYLE_SIDE, Magenta
from arbitrary_nst.image import load_image, resize
from arbitrary_nst.image.arrays import resample


def best_time(function, runs: int) -> float:
    """The shortest of a few warm runs, in milliseconds."""
    function()
    seconds = []
    for _ in range(runs):
        start = time.perf_counter()
        function()
        seconds.append(time.perf_counter() - start)
    return 1000 * min(seconds)


def centre(painting: np.ndarray) -> np.ndarray:
    """The square in the middle."""
    height, width = painting.shape[:2]
    side = min(height, width)
    top, left = (height - side) // 2, (width - side) // 2
    return painting[top : top + side, left : left + side]


def squeezed(engine: Magenta, image: np.ndarray) -> Embedding:
    """The vector of an image squeezed into the network's square."""
    square = resample(image, (STYLE_SIDE, STYLE_SIDE), Image.Resampling.LANCZOS).clip(0, 1)
    vector = engine._network.predict(square)
    return Embedding(engine.name, engine.network, {"bottleneck": vector})


def print_times(engine: Magenta, photo: np.ndarray, painting: np.ndarray, runs: int) -> list[dict]:
    """Embed, render, and the whole call with and without an embedding made before."""
    style = engine.embed(painting)
    rows = {
        "embed": lambda: engine.embed(painting),
        "render": lambda: engine.render(photo, style),
        "stylize, style image": lambda: stylize(photo, [painting], engine=engine),
        "stylize, precomputed": lambda: stylize(photo, [style], engine=engine),
    }
    print(f"photo {photo.shape[1]}x{photo.shape[0]}, {engine.network}")
    table = []
    for name, function in rows.items():
        table.append({"step": name, "ms": round(best_time(function, runs))})
        print(f"{name:22} {table[-1]['ms']:7} ms", flush=True)
    return table


def print_losses(engine: Magenta, photos, paintings, weights: str, size: int) -> None:
    """Mean style and content loss over all pairs, for each way to embed a painting."""
    from arbitrary_nst.networks.losses import relative_error, style_loss
    from arbitrary_nst.networks.vgg import CONTENT_LAYER, STYLE_LAYERS, gram_matrix, load_vgg19

    vgg = load_vgg19((*STYLE_LAYERS, CONTENT_LAYER), weights=weights)
    ways = {
        "windows, averaged": engine.embed,
        "squeezed into a square": lambda image: squeezed(engine, image),
        "middle square": lambda image: squeezed(engine, centre(image)),
    }
    found = {way: [] for way in ways}
    targets = [
        [gram_matrix(f) for f in vgg(resize(p, longer_side=size)[None])[:-1]] for p in paintings
    ]
    for photo in photos:
        features = vgg(photo[None])
        for painting, target in zip(paintings, targets, strict=True):
            for way, embed in ways.items():
                rendered = vgg(engine.render(photo, embed(painting))[None])
                style = style_loss([gram_matrix(f) for f in rendered[:-1]], target)
                content = relative_error(rendered[-1], features[-1])
                found[way].append((float(style[0]), float(content[0])))
    print(f"\n{'embedding':24} {'style':>7} {'content':>8}   best style in")
    winners = np.argmin([[style for style, _ in pairs] for pairs in found.values()], axis=0)
    for index, (way, pairs) in enumerate(found.items()):
        style, content = np.mean(pairs, axis=0)
        print(f"{way:24} {style:7.3f} {content:8.3f}   {np.sum(winners == index)} of {len(pairs)}")


def main() -> None:
    """Prints both tables."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--paintings", nargs="+", required=True)
    parser.add_argument("--photos", nargs="+", required=True)
    parser.add_argument("--source", help="as for `Magenta` (default: $ARBITRARY_NST_MAGENTA)")
    parser.add_argument("--size", type=int, default=512, help="longer side")
    parser.add_argument("--runs", type=int, default=5)
    parser.add_argument("--vgg-weights", metavar="FILE", help="for the second table")
    parser.add_argument("--csv", metavar="FILE", help="write the first table")
    options = parser.parse_args()
    engine = Magenta(options.source)
    photos = [resize(load_image(path)[0], longer_side=options.size) for path in options.photos]
    paintings = [load_image(path, role="style")[0] for path in options.paintings]
    write_csv(options.csv, print_times(engine, photos[0], paintings[0], options.runs))
    if options.vgg_weights:
        print_losses(engine, photos, paintings, options.vgg_weights, options.size)


if __name__ == "__main__":
    main()
