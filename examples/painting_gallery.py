"""Three pictures of any paintings: paintings by photos, a blend strip, a strength strip.

    python examples/painting_gallery.py --paintings a.jpg b.jpg --photos c.jpg d.jpg -o docs/images
    export ARBITRARY_NST_MAGENTA=FOLDER     # or leave it out: the network is downloaded
    python examples/painting_gallery.py --engine magenta --paintings a.jpg b.jpg \
        --photos c.jpg d.jpg -o docs/images

Each painting is embedded once, and photos are cut square. The strips show the first photo: from
the first painting to the second, and in the first painting from strength 0 to 1.
"""

from __future__ import annotations

import argparse
from pathlib import Path

import numpy as np
from PIL import Image

from arbitrary_nst import Cin, Magenta, load_image, save_image, stylize
from arbitrary_nst.image.sheet import contact_sheet

QUALITY = 75
SHEETS = ("gallery", "blend", "strength")


def main() -> None:
    """Paints and saves ENGINE-gallery.jpg, ENGINE-blend.jpg and ENGINE-strength.jpg, or some."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--paintings", nargs="+", required=True, help="two or more")
    parser.add_argument("--photos", nargs="+", required=True)
    parser.add_argument("--engine", choices=("cin", "magenta"), default="cin")
    parser.add_argument("--style-scale", type=float, default=1.0, help="size of the strokes")
    parser.add_argument("--size", type=int, default=512, help="longer side of a picture")
    parser.add_argument("--only", nargs="+", choices=SHEETS, default=SHEETS)
    parser.add_argument("-o", "--output", required=True, help="folder of the pictures")
    options = parser.parse_args()

    make = Cin if options.engine == "cin" else Magenta
    engine = make(style_scale=options.style_scale)
    paintings = [load_image(path, role="style")[0] for path in options.paintings]
    photos = [_square(load_image(path)[0]) for path in options.photos]
    styles = [engine.embed(painting) for painting in paintings]

    def paint(photo, *args, **kwargs) -> np.ndarray:
        picture = stylize(photo, *args, size=options.size, engine=engine, **kwargs)
        return np.asarray(picture, np.float32) / 255

    def gallery() -> Image.Image:
        rows = [[None, *photos]]
        for painting, style in zip(paintings, styles, strict=True):
            rows.append([painting, *(paint(photo, style) for photo in photos)])
        return contact_sheet(rows, cell=168)

    shares = [0.0, 0.25, 0.5, 0.75, 1.0]

    def blend() -> Image.Image:
        blends = [paint(photos[0], styles[:2], [1 - share, share]) for share in shares]
        labels = [f"{1 - share:.2f} / {share:.2f}" for share in shares]
        return contact_sheet([blends], column_labels=labels, cell=288)

    def strength() -> Image.Image:
        strengths = [paint(photos[0], styles[0], strength=share) for share in shares]
        labels = [f"strength {share:.2f}" for share in shares]
        return contact_sheet([strengths], column_labels=labels, cell=288)

    makers = dict(zip(SHEETS, (gallery, blend, strength), strict=True))
    for name in options.only:
        sheet = makers[name]()
        file = Path(options.output) / f"{options.engine}-{name}.jpg"
        save_image(sheet, file, quality=QUALITY)
        print(f"{file}: {sheet.width}x{sheet.height} pixels, {file.stat().st_size // 1024} kB")


def _square(photo: np.ndarray) -> np.ndarray:
    """The middle of a photo, which fills the cell of a sheet."""
    height, width = photo.shape[:2]
    side = min(height, width)
    top, left = (height - side) // 2, (width - side) // 2
    return photo[top : top + side, left : left + side]


if __name__ == "__main__":
    main()
