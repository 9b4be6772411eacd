r"""Pictures of the vgg19 engine with several settings side by side, and figures: to choose by.

    python benchmarks/vgg19_looks.py --photos a.jpg b.jpg --paintings c.jpg d.jpg --size 384 \
        --settings gram='{"covariance_weight": 0, "parts_weight": 0}' now='{}' -o looks

Each row of `looks/looks.jpg` is a photo and a painting, the cin network's picture and one for each
setting; `looks/looks.csv` has the figures of `arbitrary-nst evaluate`, and the seconds that each
picture took. Pictures that are there are not painted again. `--settings-file` names a JSON file of
settings by name, in place of `--settings`; `benchmarks/vgg19_looks.json` has those from which the
defaults were chosen, and the recipes of two other programs as far as these settings can say them:

- `gatys`, after Gatys et al. 2017: half the size, then the whole (of 512), from the photo, average
  pooling, Gram matrices alone.
- `crowson`, after style-transfer-pytorch: Adam from 128 pixels up, the painting at the size of the
  picture. That program weighs its layers 256:64:16:4:1, but a loss of its own is the sum of squares
  over the sum of absolute values, which grows with the features; ours are relative to the painting,
  so the weights are equal here (with 256 to 1 the picture hardly leaves the photo). It averages its
  iterates where ours lets the step fall to nothing, and it takes 500 to 1,000 steps at each scale.
"""

from __future__ import annotations

import argparse
import csv
import functools
import json
import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import keras
import numpy as np

from arbitrary_nst import Cin, load_image, save_image
from arbitrary_nst.checkpoints import vgg19_weights
from arbitrary_nst.embedding import Embedding
from arbitrary_nst.engines.vgg19 import Vgg19, Vgg19Settings
from arbitrary_nst.image import resize
from arbitrary_nst.image.sheet import contact_sheet
from arbitrary_nst.networks.precision import choose_precision
from arbitrary_nst.networks.vgg import CONTENT_LAYER, STYLE_LAYERS, load_vgg19
from arbitrary_nst.training.evaluate import picture_figures

LAYERS = (*STYLE_LAYERS, CONTENT_LAYER)
CIN = "cin"
Row = dict[str, Any]


class Painters:
    """The engines, each made when it first paints; those of one kind of VGG19 share the network."""

    def __init__(self, settings: Mapping[str, Mapping[str, Any]]):
        self._settings = {name: Vgg19Settings(**values) for name, values in settings.items()}
        self._styles: dict[tuple[Any, ...], Embedding] = {}
        self.names = [CIN, *settings]

    @functools.cached_property
    def cin(self) -> Cin:
        return Cin()

    def paint(self, name: str, photo: np.ndarray, painting: Path) -> tuple[np.ndarray, float]:
        """The picture, and the seconds that it took beside the embedding of the painting."""
        if name == CIN:
            packaged = [s for s in self.cin.styles if painting.stem.endswith(s)]
            style = self.cin.styles[packaged[0]] if packaged else self._style(self.cin, painting)
            engine: Cin | Vgg19 = self.cin
        else:
            engine = self._vgg19(name)
            style = self._style(engine, painting)
        start = time.perf_counter()
        picture = engine.render(photo, style)
        return picture, time.perf_counter() - start

    def _style(self, engine: Cin | Vgg19, painting: Path) -> Embedding:
        sizes = engine.settings.style_size if isinstance(engine, Vgg19) else None
        starts = engine.settings.init if isinstance(engine, Vgg19) else None
        key = engine.network, sizes, starts, painting
        if key not in self._styles:
            self._styles[key] = engine.embed(load_image(painting)[0])
        return self._styles[key]

    @functools.cache  # noqa: B019 - as long as the program
    def _vgg19(self, name: str) -> Vgg19:
        settings = self._settings[name]
        engine = Vgg19(settings=settings, vgg=self._network(settings.pooling))
        # One graph for all settings of a network: tracing it takes as long as a small picture.
        engine._eyes = self._eyes.setdefault(settings.pooling, engine._eyes)
        engine._starts.cin = self.cin
        return engine

    @functools.cached_property
    def _eyes(self) -> dict[str, Any]:
        return {}

    @functools.cache  # noqa: B019
    def _network(self, pooling: str) -> keras.Model:
        fast = choose_precision("auto") == "bfloat16"
        dtype = "mixed_bfloat16" if fast else "float32"
        return load_vgg19(LAYERS, weights=vgg19_weights(), pooling=pooling, dtype=dtype)


def main() -> None:
    """Writes looks.jpg and looks.csv, and prints the means."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--photos", nargs="+", type=Path, required=True)
    parser.add_argument("--paintings", nargs="+", type=Path, required=True)
    parser.add_argument("--settings", nargs="+", metavar="NAME=JSON", default=[])
    parser.add_argument("--settings-file", type=Path)
    parser.add_argument("--only", nargs="+", metavar="NAME", help="of the settings")
    parser.add_argument("--size", type=int, default=384, help="longer side in pixels")
    parser.add_argument("-o", "--output", type=Path, required=True, help="folder")
    options = parser.parse_args()
    options.output.mkdir(parents=True, exist_ok=True)

    settings = json.loads(options.settings_file.read_text()) if options.settings_file else {}
    for setting in options.settings:
        name, _, text = setting.partition("=")
        settings[name] = json.loads(text)
    if options.only:
        settings = {name: settings[name] for name in options.only}
    painters = Painters(settings)
    # Whole rows first, of all photos in one painting, so that what was interrupted can be judged.
    pairs = [(photo, painting) for painting in options.paintings for photo in options.photos]
    csv_file = options.output / "looks.csv"
    rows = _read(csv_file)
    known = {row["file"] for row in rows}
    judge: keras.Model | None = None
    for photo_file, painting_file in pairs:
        photo = _at_size(photo_file, options.size)
        painting = _at_size(painting_file, options.size)
        for name in painters.names:
            file = _file(options, name, photo_file, painting_file)
            seconds = float("nan")
            if not file.exists():
                picture, seconds = painters.paint(name, photo, painting_file)
                save_image(picture, file)
            if file.name in known:
                continue
            judge = judge or load_vgg19(LAYERS, weights=vgg19_weights())
            found = picture_figures(load_image(file)[0], photo, painting, judge)
            rows.append({"name": name, "file": file.name, "seconds": seconds, **found})
            _write(csv_file, rows)
            shown = (f"{key} {value:.3f}" for key, value in found.items())
            print(file.stem, f"seconds {seconds:.1f}", *shown, flush=True)
    _print_means(rows, painters.names, [_file(options, "", *pair).name for pair in pairs])
    sheet = []
    for pair in pairs:
        files = [*pair, *(_file(options, name, *pair) for name in painters.names)]
        sheet.append([load_image(file)[0] for file in files])
    labels = ["photo", "painting", *painters.names]
    save_image(
        contact_sheet(sheet, column_labels=labels, cell=256),
        options.output / "looks.jpg",
        quality=85,
    )


def _file(options: argparse.Namespace, name: str, photo: Path, painting: Path) -> Path:
    return options.output / f"{name}-{photo.stem}-{painting.stem}-{options.size}.png"


def _read(file: Path) -> list[Row]:
    if not file.exists():
        return []
    with open(file, newline="") as opened:
        return list(csv.DictReader(opened))


def _write(file: Path, rows: Sequence[Row]) -> None:
    with open(file, "w", newline="") as opened:
        writer = csv.DictWriter(opened, list(rows[0]))
        writer.writeheader()
        writer.writerows(rows)


def _print_means(rows: Sequence[Row], names: Sequence[str], ends: Sequence[str]) -> None:
    for name in names:
        wanted = {name + end for end in ends}
        own = [row for row in rows if row["file"] in wanted]
        if own:
            keys = list(own[0])[2:]
            means = (f"{key} {np.nanmean([float(row[key]) for row in own]):.3f}" for key in keys)
            print(f"mean of {name} ({len(own)}):", *means)


def _at_size(file: Path, size: int) -> np.ndarray:
    return resize(load_image(file)[0], longer_side=size)


if __name__ == "__main__":
    main()
