r"""Pictures of the vgg19 engine: photos by paintings, and a row of blends of three paintings.

    export ARBITRARY_NST_VGG19=vgg19_notop.h5
    python examples/vgg19_gallery.py --paintings a.jpg b.jpg c.jpg --photos d.jpg --parts parts \
        -o docs/images

A picture of 512 pixels takes a minute or two on two cores. Finished pictures are kept in the folder
of --parts, so that an interrupted call goes on where it was.
"""

from __future__ import annotations

import argparse
import functools
from pathlib import Path

import numpy as np

from arbitrary_nst import Embedding, embed, load_image, save_image, stylize
from arbitrary_nst.cli.options import ProgressBar
from arbitrary_nst.image.sheet import contact_sheet

BLENDS = ([1, 0, 0], [1, 1, 0], [0, 1, 0], [0, 1, 1], [0, 0, 1], [1, 1, 1])


def main() -> None:
    """Writes vgg19-gallery.jpg and vgg19-blend.jpg."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--paintings", nargs="+", required=True, help="three or more")
    parser.add_argument("--photos", nargs="+", required=True)
    parser.add_argument("--size", type=int, default=512, help="longer side of a picture")
    parser.add_argument("--parts", type=Path, required=True, help="folder of the single pictures")
    parser.add_argument("-o", "--output", type=Path, required=True, help="folder of the sheets")
    options = parser.parse_args()
    options.parts.mkdir(parents=True, exist_ok=True)

    @functools.cache
    def style(painting: str) -> Embedding:
        """A painting as a style: looking at it takes seconds, and it is painted in many times."""
        return embed(painting, engine="vgg19")

    def paint(photo: str, paintings: list[str], weights: list[float]) -> np.ndarray:
        parts = [f"{Path(p).stem}-{w:g}" for p, w in zip(paintings, weights, strict=True) if w]
        file = options.parts / f"{Path(photo).stem}-{'-'.join(parts)}-{options.size}.png"
        if not file.exists():
            styles = [style(painting) for painting in paintings]
            with ProgressBar(file.stem, unit="") as bar:
                picture = stylize(
                    photo, styles, weights, engine="vgg19", size=options.size, progress=bar
                )
            save_image(picture, file)
            print(file, flush=True)
        return load_image(file)[0]

    rows = [[None, *(load_image(photo)[0] for photo in options.photos)]]
    for painting in options.paintings:
        pictures = [paint(photo, [painting], [1]) for photo in options.photos]
        rows.append([load_image(painting)[0], *pictures])
    save_image(contact_sheet(rows, cell=256), options.output / "vgg19-gallery.jpg", quality=80)

    three = options.paintings[:3]
    blends = [paint(options.photos[0], three, weights) for weights in BLENDS]
    labels = [" : ".join(map(str, weights)) for weights in BLENDS]
    sheet = contact_sheet([blends], column_labels=labels, cell=288)
    save_image(sheet, options.output / "vgg19-blend.jpg", quality=80)


if __name__ == "__main__":
    main()
