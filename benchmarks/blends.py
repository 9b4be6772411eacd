"""What should hold of every network: blends go steadily from style to style, photos come back.

For pairs of packaged styles and each photo, pictures from the one style to the other; as distance
from a style counts that of the picture from the style's own picture. And the identity style, in
decibels to the photo.

    python benchmarks/blends.py --photos a.jpg b.jpg --json blends.json
"""

from __future__ import annotations

import argparse
import json
from itertools import pairwise
from pathlib import Path

import numpy as np

from arbitrary_nst import Cin, blend, list_styles, load_image
from arbitrary_nst.image import resize

SHARES = (0, 0.25, 0.5, 0.75, 1)


def steady_steps(engine: Cin, photo: np.ndarray, first: str, second: str) -> list[bool]:
    """Of each step: does it lead away from the first style, and nearer to the second?"""
    styles = [engine.styles[first], engine.styles[second]]
    pictures = [engine.render(photo, blend(styles, [1 - x, x])) for x in SHARES]
    away = [float(np.abs(picture - pictures[0]).mean()) for picture in pictures]
    near = [float(np.abs(picture - pictures[-1]).mean()) for picture in pictures]
    return [
        step for distances in (away, near[::-1]) for step in (b > a for a, b in pairwise(distances))
    ]


def main() -> None:
    """Prints the figures, and writes them."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--photos", nargs="+", required=True)
    parser.add_argument("--size", type=int, default=512, help="longer side (default: %(default)s)")
    parser.add_argument("--json", type=Path, metavar="FILE")
    options = parser.parse_args()
    engine = Cin()
    photos = [resize(load_image(path)[0], longer_side=options.size) for path in options.photos]
    names = [style.name for style in list_styles()]
    pairs = list(zip(names, names[1:] + names[:1], strict=True))
    steps = [
        step
        for number, pair in enumerate(pairs)
        for step in steady_steps(engine, photos[number % len(photos)], *pair)
    ]
    decibels = []
    for photo in photos:
        picture = engine.render(photo, engine.identity(photo))
        decibels.append(float(-10 * np.log10(np.mean((picture - photo) ** 2))))
    figures = {"pairs": len(pairs), "steps": len(steps), "steady": sum(steps), "identity": decibels}
    print(json.dumps(figures))
    if options.json:
        options.json.write_text(json.dumps(figures, indent=1) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
