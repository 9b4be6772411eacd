r"""One photo in several paintings by all three engines, side by side, and what each took.

    python examples/compare_engines.py --photo a.jpg --styles PAINTINGS \
        --style-list models/cin/training-styles.json --names starry-night udnie -o engines.jpg

The names are styles of the embedded network; the other engines get the paintings themselves.
"""

from __future__ import annotations

import argparse
import time

import numpy as np

from arbitrary_nst import load_image, save_image, stylize
from arbitrary_nst.cli.options import ProgressBar
from arbitrary_nst.engines import ENGINES
from arbitrary_nst.image.sheet import contact_sheet
from arbitrary_nst.training.reading import read_style_list


def main() -> None:
    """Writes the sheet: a column per engine, a row per style."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--photo", required=True)
    parser.add_argument("--styles", required=True, metavar="DIR", help="folder of the paintings")
    parser.add_argument("--style-list", required=True, metavar="FILE")
    parser.add_argument("--names", nargs="+", required=True)
    parser.add_argument("--size", type=int, default=512)
    parser.add_argument("--cell", type=int, default=320)
    parser.add_argument("-o", "--output", required=True)
    options = parser.parse_args()
    files = {spec.name: spec.file for spec in read_style_list(options.style_list, options.styles)}
    rows = []
    for name in options.names:
        row = [load_image(files[name], role="style")[0]]
        for engine in ENGINES:
            style = name if engine == "cin" else files[name]
            with ProgressBar(f"{engine} {name}", unit="") as bar:
                start = time.perf_counter()
                picture = stylize(
                    options.photo, [style], engine=engine, size=options.size, progress=bar
                )
            print(f"{engine:8} {name:20} {time.perf_counter() - start:7.2f} s", flush=True)
            row.append(np.asarray(picture, np.float32) / 255)
        rows.append(row)
    sheet = contact_sheet(rows, column_labels=["painting", *ENGINES], cell=options.cell)
    save_image(sheet, options.output, quality=80)


if __name__ == "__main__":
    main()
