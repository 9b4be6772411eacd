"""A strip of pictures from one style to another, or from the photo to the full style.

    python examples/blend_strip.py sample:astronaut great-wave composition-vii -o strip.jpg
    python examples/blend_strip.py photo.jpg udnie -o strength.jpg
    python examples/blend_strip.py photo.jpg great-wave:udnie scream:the-kiss -o strips.jpg

Styles are embedded once; each picture is one render.
"""

from __future__ import annotations

import argparse

import numpy as np

from arbitrary_nst import embed, save_image, stylize
from arbitrary_nst.image.sheet import contact_sheet
from arbitrary_nst.samples import content_or_sample


def blend_strip(photo, first: str, second: str, *, steps: int = 5, size: int = 512):
    """Pictures from all of `first` to all of `second`, as a PIL image."""
    styles = [embed(first), embed(second)]
    shares = np.linspace(0, 1, steps)
    pictures = [stylize(photo, styles, [1 - share, share], size=size) for share in shares]
    return _strip(pictures, [f"{1 - s:.2f} {first} + {s:.2f} {second}" for s in shares])


def strength_strip(photo, style: str, *, steps: int = 5, size: int = 512):
    """Pictures from strength 0, the photo as the network gives it back, to 1, as a PIL image."""
    embedding = embed(style)
    shares = np.linspace(0, 1, steps)
    pictures = [stylize(photo, embedding, strength=share, size=size) for share in shares]
    return _strip(pictures, [f"{style}, strength {share:.2f}" for share in shares])


def blend_strips(photo, pairs, *, steps: int = 5, size: int = 512):
    """A strip for each pair of styles, below one another, as a PIL image."""
    rows = []
    for first, second in pairs:
        styles = [embed(first), embed(second)]
        shares = np.linspace(0, 1, steps)
        pictures = [stylize(photo, styles, [1 - share, share], size=size) for share in shares]
        rows.append([np.asarray(picture, np.float32) / 255 for picture in pictures])
    labels = [f"{first} to {second}" for first, second in pairs]
    return contact_sheet(rows, row_labels=labels, cell=256)


def _strip(pictures, labels):
    images = [np.asarray(picture, np.float32) / 255 for picture in pictures]
    return contact_sheet([images], column_labels=labels, cell=400)


def main() -> None:
    """Renders the strip and saves it."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("photo", help="a photo, or sample:astronaut")
    parser.add_argument(
        "styles",
        nargs="+",
        help="two styles, or one for a strip of strengths, or FIRST:SECOND for a strip of each",
    )
    parser.add_argument("--steps", type=int, default=5)
    parser.add_argument("--size", type=int, default=512)
    parser.add_argument("-o", "--output", required=True)
    options = parser.parse_args()
    photo = content_or_sample(options.photo)
    sizes = {"steps": options.steps, "size": options.size}
    if any(":" in style for style in options.styles):
        picture = blend_strips(photo, [style.split(":") for style in options.styles], **sizes)
    elif len(options.styles) == 1:
        picture = strength_strip(photo, *options.styles, **sizes)
    else:
        picture = blend_strip(photo, *options.styles[:2], **sizes)
    save_image(picture, options.output)
    print(options.output)


if __name__ == "__main__":
    main()
