"""The pictures of docs/large-and-regions.md: masks, strokes' scale, and passes over large photos.

    python examples/regions_and_scale.py PHOTO LARGE_PHOTO --horizon 0.4 -o docs/images

Prints the figures that stand beside them.
"""

from __future__ import annotations

import argparse
import json
import time
from pathlib import Path

import numpy as np
from PIL import Image

from arbitrary_nst import Cin, load_image, save_image, stylize
from arbitrary_nst.image import resize, to_pil
from arbitrary_nst.image.sheet import contact_sheet


def floats(picture) -> np.ndarray:
    """A PIL image as float32 (H, W, 3)."""
    return np.asarray(picture.convert("RGB"), np.float32) / 255


def regions(photo: np.ndarray, horizon: float, first: str, second: str) -> Image.Image:
    """A photo, two styles that go into each other from top to bottom, and two with an edge."""
    height, width = photo.shape[:2]
    down = np.linspace(0, 1, height, dtype=np.float32)[:, None].repeat(width, axis=1)
    soft = np.clip((down - 0.3) / 0.4, 0, 1)
    sky = (down < horizon).astype(np.float32)
    pictures = [
        to_pil(photo),
        stylize(photo, [first, second], masks=[1 - soft, soft]),
        stylize(photo, [first, second], masks=[sky, None]),
        stylize(photo, [first], masks=[sky]),
    ]
    labels = ["photo", f"{first} into {second}", f"{first}@sky.png, {second}", f"{first}@sky.png"]
    return contact_sheet([[floats(p) for p in pictures]], column_labels=labels, cell=400)


def scale(photo: np.ndarray, style: str, preview: int, figures: dict) -> Image.Image:
    """Preview, picture at full size, and at full size with the preview's strokes, and crops."""
    small = stylize(photo, style, size=preview)
    plain, scaled = stylize(photo, style), stylize(photo, style, working_size=preview)
    enlarged = small.resize(plain.size, Image.Resampling.BICUBIC)
    for name, picture in (("plain", plain), ("working_size", scaled)):
        again = floats(picture.resize(small.size, Image.Resampling.LANCZOS))
        error = np.mean((again - floats(small)) ** 2)
        figures[name] = float(-10 * np.log10(error))
        print(f"{name}: downscaled {figures[name]:.1f} dB to the preview")
    height, width = photo.shape[:2]
    box = (width // 2, height // 2, width // 2 + 500, height // 2 + 333)
    rows = [
        [floats(p.resize((600, round(600 * height / width)))) for p in (small, plain, scaled)],
        [floats(p.crop(box)) for p in (enlarged, plain, scaled)],
    ]
    labels = [f"preview, {preview} px", f"full size, {width} px", f"working_size={preview}"]
    return contact_sheet(rows, column_labels=labels, row_labels=["whole", "part"], cell=400)


def passes(photo: np.ndarray, style: str, figures: dict) -> Image.Image:
    """A part of a picture that was painted at once, in passes, and their difference, 20 times."""
    engine = Cin()
    whole = engine.render(photo, engine.styles[style])
    strips = engine.render_large(photo, engine.styles[style], max_memory=1e9)
    difference = np.abs(whole - strips)
    figures["highest"] = 255 * float(difference.max())
    figures["mean"] = 255 * float(difference.mean())
    line = "passes against at once: {highest:.2f} levels at most, {mean:.3f} on the mean"
    print(line.format_map(figures))
    cells = [whole, strips, (20 * difference).clip(0, 1)]
    labels = ["at once", "in passes", "difference, 20 times"]
    return contact_sheet([[c[:500, :750] for c in cells]], column_labels=labels, cell=400)


def huge(path: str, style: str, megapixels: float) -> Image.Image:
    """A whole picture of so many pixels, small, and a part of it, pixel by pixel."""
    with Image.open(path) as file:
        factor = (megapixels * 1e6 / (file.width * file.height)) ** 0.5
        size = round(file.width * factor), round(file.height * factor)
        photo = np.asarray(file.convert("RGB").resize(size, Image.Resampling.LANCZOS))
    start = time.perf_counter()
    picture = stylize(photo, style, max_pixels=10**9)
    print(f"{size[0]}x{size[1]} pixels in {time.perf_counter() - start:.0f} s")
    small = picture.resize((900, round(900 * size[1] / size[0])), Image.Resampling.LANCZOS)
    part = picture.crop(
        (size[0] // 2, size[1] // 2, size[0] // 2 + 900, size[1] // 2 + small.height)
    )
    labels = [f"{size[0]} x {size[1]} pixels", "a part of it, pixel by pixel"]
    return contact_sheet([[floats(small), floats(part)]], column_labels=labels, cell=900)


def main() -> None:
    """Writes the pictures."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("photo", help="for the regions")
    parser.add_argument("large_photo", help="for the rest, of a few megapixels at least")
    parser.add_argument("--horizon", type=float, default=0.4, help="where the sky ends, 0..1")
    parser.add_argument(
        "--huge", type=float, metavar="MEGAPIXELS", help="enlarge it and paint that"
    )
    parser.add_argument("--only", choices=("huge",), help="leave the other pictures out")
    parser.add_argument("--json", type=Path, metavar="FILE", help="write the figures")
    parser.add_argument("-o", "--output", type=Path, required=True, metavar="DIR")
    options = parser.parse_args()
    if not options.only:
        photo, _ = load_image(options.photo)
        large, _ = load_image(options.large_photo)
        figures: dict[str, float] = {"width": large.shape[1], "height": large.shape[0]}
        part = resize(large, longer_side=2000)
        sheets = {
            "regions": regions(photo, options.horizon, "starry-night", "great-wave"),
            "scale": scale(large, "starry-night", 800, figures),
            "passes": passes(part, "starry-night", figures),
        }
        for name, sheet in sheets.items():
            save_image(sheet, options.output / f"{name}.jpg", quality=88)
        if options.json:
            options.json.write_text(json.dumps(figures, indent=1) + "\n", encoding="utf-8")
    if options.huge:
        sheet = huge(options.large_photo, "starry-night", options.huge)
        save_image(sheet, options.output / "huge.jpg", quality=85)


if __name__ == "__main__":
    main()
