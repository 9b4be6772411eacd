"""Makes the pictures of the README: hero, blend strip, strength strip, contact sheet.

    python examples/readme_pictures.py --photos KODAK_FOLDER --out docs/images

The photos are those of Kodak's set of test photos (kodim01 .. kodim24).
"""

from __future__ import annotations

import argparse
from pathlib import Path

import numpy as np
from blend_strip import blend_strip, strength_strip

from arbitrary_nst import list_styles, load_image, save_image, stylize
from arbitrary_nst.cli.styles import style_sheet
from arbitrary_nst.image.sheet import contact_sheet

HERO = ("kodim21.jpg", "starry-night", "blue-horses")
STRIP = ("kodim07.jpg", "starry-night", "roman-mosaic")
STRENGTH = ("kodim04.jpg", "udnie")
SHEET = ("kodim04.jpg", "kodim07.jpg", "kodim21.jpg", "kodim23.jpg")


def hero(photo: Path, first: str, second: str):
    """The photo, two styles of it, and their blend, side by side."""
    original, _ = load_image(photo)
    looks = {
        "photo": original,
        first: stylize(photo, first),
        f"half {first}, half {second}": stylize(photo, [first, second]),
        second: stylize(photo, second),
    }
    images = [load_image(look)[0] if look is not original else look for look in looks.values()]
    return contact_sheet([images[:2], images[2:]], cell=512)


def main() -> None:
    """Writes the four pictures."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--photos", type=Path, required=True)
    parser.add_argument("--out", type=Path, required=True)
    options = parser.parse_args()
    options.out.mkdir(parents=True, exist_ok=True)
    names = [style.name for style in list_styles()]
    sheet = style_sheet([options.photos / name for name in SHEET], names, cell=256)
    pictures = {
        "hero.jpg": hero(options.photos / HERO[0], *HERO[1:]),
        "blend-strip.jpg": blend_strip(options.photos / STRIP[0], *STRIP[1:], size=768),
        "strength-strip.jpg": strength_strip(options.photos / STRENGTH[0], STRENGTH[1], size=768),
        "styles.jpg": sheet,
    }
    for name, picture in pictures.items():
        save_image(picture, options.out / name, quality=88)
        print(options.out / name, np.asarray(picture).shape)


if __name__ == "__main__":
    main()
