"""The figures of `arbitrary-nst evaluate`, for photos and styles by name and settings of cin.

python benchmarks/scores.py --photos a.jpg --styles DIR --style-list LIST --refine-steps 0
"""

from __future__ import annotations

import argparse
from collections import defaultdict
from pathlib import Path

import numpy as np

from arbitrary_nst import Cin
from arbitrary_nst.checkpoints import vgg19_weights
from arbitrary_nst.cli.options import ProgressBar
from arbitrary_nst.engines import ENGINES
from arbitrary_nst.image import keep_color, load_image, resize
from arbitrary_nst.networks.losses import relative_error
from arbitrary_nst.networks.vgg import CONTENT_LAYER, load_vgg19
from arbitrary_nst.training.evaluate import evaluate_styles, format_table, write_csv
from arbitrary_nst.training.reading import read_style_list


def main() -> None:
    """Prints the table of the means, and writes one of every pair."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--photos", nargs="+", required=True, type=Path)
    parser.add_argument("--styles", required=True, metavar="DIR", help="folder of the paintings")
    parser.add_argument("--style-list", required=True, metavar="FILE")
    parser.add_argument("--names", nargs="+", help="of the list (default: all)")
    parser.add_argument("--engines", nargs="+", choices=ENGINES, default=["cin"])
    parser.add_argument("--refine-steps", type=int, help="of cin (default: its own)")
    parser.add_argument("--fit-steps", type=int, help="of cin (default: its own)")
    parser.add_argument("--size", type=int, default=512, help="longer side (default: %(default)s)")
    parser.add_argument(
        "--recolored",
        action="store_true",
        help="also the content loss against each photo in its picture's colours",
    )
    parser.add_argument("--csv", metavar="FILE")
    options = parser.parse_args()
    specs = read_style_list(options.style_list, options.styles)
    specs = [s for s in specs if not options.names or s.name in options.names]
    settings = {"refine_steps": options.refine_steps, "fit_steps": options.fit_steps}
    settings = {name: steps for name, steps in settings.items() if steps is not None}
    engines = [Cin(**settings) if name == "cin" else name for name in options.engines]
    watcher = RecoloredContent(options.photos, options.size) if options.recolored else None
    watch = {"on_picture": watcher.add} if watcher else {}
    with ProgressBar("scores", unit="picture") as bar:
        rows = evaluate_styles(
            specs, options.photos, size=options.size, engines=engines, progress=bar, **watch
        )
    if options.csv:
        write_csv(rows, options.csv)
    print(format_table(rows))
    if watcher:
        for (engine, kind), losses in watcher.losses.items():
            print(f"{engine}: content of {kind} {np.mean(losses):.3f}")


class RecoloredContent:
    """Content losses that leave colours to the style, of each picture as `evaluate` makes it."""

    def __init__(self, photos: list[Path], size: int):
        self._vgg = load_vgg19((CONTENT_LAYER,), weights=vgg19_weights())
        self._photos = {}
        for path in photos:
            photo = resize(load_image(path, role="photo")[0], longer_side=size)
            self._photos[path.name] = photo, self._vgg(photo[None])
        self.losses: dict[tuple[str, str], list[float]] = defaultdict(list)

    def add(self, engine: str, style: str, photo: str, picture: np.ndarray) -> None:
        """Measures one picture."""
        own, wanted = self._photos[photo]
        found, between = (self._vgg(i[None]) for i in (picture, keep_color(own, picture)))
        for kind, pair in {
            "the picture, against the photo in its colours": (found, between),
            "the photo in its colours, against the photo": (between, wanted),
        }.items():
            self.losses[engine, kind].append(float(relative_error(*pair)[0]))


if __name__ == "__main__":
    main()
