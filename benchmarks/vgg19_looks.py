r"""Pictures of the vgg19 engine with several settings side by side, and figures: to choose by.

    python benchmarks/vgg19_looks.py --photos a.jpg b.jpg --paintings c.jpg d.jpg --size 384 \
        --settings gram='{"covariance_weight": 0, "parts_weight": 0}' now='{}' -o looks

Each row of `looks/looks.jpg` is a photo and a painting, the cin network's picture and one for each
setting; `looks/looks.csv` has the figures of `arbitrary-nst evaluate`. Pictures that are there are
not painted again.
"""

from __future__ import annotations

import argparse
import csv
import itertools
import json
from pathlib import Path

import numpy as np

from arbitrary_nst import Cin, load_image, save_image
from arbitrary_nst.checkpoints import vgg19_weights
from arbitrary_nst.engines.vgg19 import Vgg19, Vgg19Settings
from arbitrary_nst.image import resize
from arbitrary_nst.image.sheet import contact_sheet
from arbitrary_nst.networks.vgg import CONTENT_LAYER, STYLE_LAYERS, load_vgg19
from arbitrary_nst.training.evaluate import picture_figures


def main() -> None:
    """Writes looks.jpg and looks.csv, and prints the means."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--photos", nargs="+", type=Path, required=True)
    parser.add_argument("--paintings", nargs="+", type=Path, required=True)
    parser.add_argument("--settings", nargs="+", required=True, metavar="NAME=JSON")
    parser.add_argument("--size", type=int, default=384, help="longer side in pixels")
    parser.add_argument("-o", "--output", type=Path, required=True, help="folder")
    options = parser.parse_args()
    options.output.mkdir(parents=True, exist_ok=True)

    engines = {"cin": Cin()}
    for setting in options.settings:
        name, _, text = setting.partition("=")
        engines[name] = Vgg19(settings=Vgg19Settings(**json.loads(text)))
    vgg = load_vgg19((*STYLE_LAYERS, CONTENT_LAYER), weights=vgg19_weights())
    rows, figures = [], []
    for photo_file, painting_file in itertools.product(options.photos, options.paintings):
        photo = _at_size(photo_file, options.size)
        painting = _at_size(painting_file, options.size)
        pictures = []
        for name, engine in engines.items():
            words = f"{name}-{photo_file.stem}-{painting_file.stem}-{options.size}"
            file = options.output / f"{words}.png"
            if not file.exists():
                style = engine.embed(load_image(painting_file)[0])
                save_image(engine.render(photo, style), file)
            pictures.append(load_image(file)[0])
            found = picture_figures(pictures[-1], photo, painting, vgg)
            figures.append({"name": name, "file": file.name, **found})
            print(words, *(f"{key} {value:.3f}" for key, value in found.items()), flush=True)
        rows.append([photo, painting, *pictures])
    labels = ["photo", "painting", *engines]
    sheet = contact_sheet(rows, column_labels=labels, cell=256)
    save_image(sheet, options.output / "looks.jpg", quality=85)
    with open(options.output / "looks.csv", "w", newline="") as file:
        writer = csv.DictWriter(file, list(figures[0]))
        writer.writeheader()
        writer.writerows(figures)
    for name in engines:
        own = [row for row in figures if row["name"] == name]
        keys = list(own[0])[2:]
        means = (f"{key} {np.mean([row[key] for row in own]):.3f}" for key in keys)
        print(f"mean of {name}:", *means)


def _at_size(file: Path, size: int) -> np.ndarray:
    return resize(load_image(file)[0], longer_side=size)


if __name__ == "__main__":
    main()
