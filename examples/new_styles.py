"""Styles that were added to a trained network, beside their paintings.

arbitrary-nst add-style hare.jpg --name hare --photos PHOTOS -o hare.safetensors
python examples/new_styles.py hare.jpg:hare.safetensors --photos a.jpg b.jpg -o sheet.jpg

The first column has the paintings.
"""

from __future__ import annotations

import argparse

import numpy as np

from arbitrary_nst import load_image, save_image, stylize
from arbitrary_nst.image.sheet import contact_sheet


def main() -> None:
    """Writes the sheet: a row for each style, the painting first."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("styles", nargs="+", metavar="PAINTING:STYLE_FILE")
    parser.add_argument("--photos", nargs="+", required=True)
    parser.add_argument("--cell", type=int, default=320)
    parser.add_argument("-o", "--output", required=True)
    options = parser.parse_args()
    rows = []
    for pair in options.styles:
        painting, _, style = pair.rpartition(":")
        pictures = [stylize(photo, style, size=512) for photo in options.photos]
        images = [np.asarray(picture, np.float32) / 255 for picture in pictures]
        rows.append([load_image(painting, role="painting")[0], *images])
    sheet = contact_sheet(rows, cell=options.cell)
    save_image(sheet, options.output, quality=85)
    print(options.output)


if __name__ == "__main__":
    main()
