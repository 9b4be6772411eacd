"""The picture losses of several layouts after equal training, against their size and time.

Every layout sees the same photos and draws of styles for the same number of steps, the learning
rate falling to zero at the last. The losses are those of training (relative, see docs/training.md),
mean of the last fifth of the steps; the time is that of the fast network at 512x512. Each layout
trains in a process of its own.

    python benchmarks/layouts.py --styles PAINTINGS --photos PHOTOS --vgg-weights VGG19 --steps 500
"""

from __future__ import annotations

import argparse
import csv
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from arbitrary_nst.networks.cin.layout import CinLayout

LAYOUTS = {
    "32-64-128, 5 blocks (published)": CinLayout((32, 64, 128), 5),
    "16-32-64, 5 blocks": CinLayout((16, 32, 64), 5),
    "16-32-64-128, 4 blocks": CinLayout((16, 32, 64, 128), 4),
    "16-32-64-128, 2 blocks": CinLayout((16, 32, 64, 128), 2),
    "16-32-64-128, 4 blocks, 5x5 outside": CinLayout((16, 32, 64, 128), 4, 5),
    "16-32-64-128, 4 blocks, skips, noise": CinLayout((16, 32, 64, 128), 4, 9, True, 4),
}


def train_one(options: argparse.Namespace, layout: CinLayout, folder: Path) -> None:
    """Trains one layout."""
    from arbitrary_nst.training.config import TrainConfig
    from arbitrary_nst.training.reading import read_style_list
    from arbitrary_nst.training.train import train

    config = TrainConfig(
        styles=read_style_list(options.style_list, options.styles),
        photos=options.photos,
        layout=layout,
        steps=options.steps,
        crop_size=options.crop_size,
        shift_weight=0.0,
    )
    train(config, folder, vgg_weights=options.vgg_weights, checkpoint_every=options.steps)


def last_losses(log: Path, steps: int) -> tuple[float, float]:
    """Means of style and content loss over the last fifth of the steps."""
    with log.open(newline="") as file:
        rows = [row for row in csv.DictReader(file) if int(row["step"]) > 0.8 * steps]
    return tuple(sum(float(row[name]) for row in rows) / len(rows) for name in ("style", "content"))


def milliseconds(layout: CinLayout, runs: int = 10) -> float:
    """The shortest time of the fast network on a photo of 512x512."""
    from network import random_inputs, variants

    inputs = random_inputs(layout, 512)
    fast = list(variants(layout).values())[-1]
    fast(inputs)
    times = []
    for _ in range(runs):
        start = time.perf_counter()
        fast(inputs)
        times.append(time.perf_counter() - start)
    return min(times) * 1000


def parameters(layout: CinLayout) -> int:
    """Numbers in the convolutions."""
    return sum(step.kernel_size**2 * step.inputs * step.filters for step in layout.convolutions())


def main() -> None:
    """Prints the table; `--one NAME` trains a single layout."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--styles", required=True, metavar="DIR")
    parser.add_argument("--style-list", metavar="FILE")
    parser.add_argument("--photos", required=True, metavar="DIR")
    parser.add_argument("--vgg-weights", default="imagenet", metavar="FILE")
    parser.add_argument("--steps", type=int, default=500)
    parser.add_argument("--crop-size", type=int, default=128)
    parser.add_argument("--one", nargs=2, help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.one:
        train_one(options, LAYOUTS[options.one[0]], Path(options.one[1]))
        return
    print(f"{'layout':38} {'numbers':>9} {'style':>6} {'content':>8} {'train s':>8} {'ms':>6}")
    for name, layout in LAYOUTS.items():
        with tempfile.TemporaryDirectory() as folder:
            start = time.perf_counter()
            command = [sys.executable, __file__, *sys.argv[1:], "--one", name, folder]
            subprocess.run(command, check=True, capture_output=True)
            seconds = time.perf_counter() - start
            style, content = last_losses(Path(folder) / "log.csv", options.steps)
        print(
            f"{name:38} {parameters(layout):9,} {style:6.3f} {content:8.3f} {seconds:8.0f} "
            f"{milliseconds(layout):6.1f}",
            flush=True,
        )


if __name__ == "__main__":
    main()
