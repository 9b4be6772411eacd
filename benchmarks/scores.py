"""The figures of `arbitrary-nst evaluate`, for photos and styles by name and settings of cin.

python benchmarks/scores.py --photos a.jpg --styles DIR --style-list LIST --refine-steps 0
"""

from __future__ import annotations

import argparse
from pathlib import Path

from arbitrary_nst import Cin
from arbitrary_nst.cli.options import ProgressBar
from arbitrary_nst.engines import ENGINES
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
    parser.add_argument("--csv", metavar="FILE")
    options = parser.parse_args()
    specs = read_style_list(options.style_list, options.styles)
    specs = [s for s in specs if not options.names or s.name in options.names]
    settings = {"refine_steps": options.refine_steps, "fit_steps": options.fit_steps}
    settings = {name: steps for name, steps in settings.items() if steps is not None}
    engines = [Cin(**settings) if name == "cin" else name for name in options.engines]
    with ProgressBar("scores", unit="picture") as bar:
        rows = evaluate_styles(
            specs, options.photos, size=options.size, engines=engines, progress=bar
        )
    if options.csv:
        write_csv(rows, options.csv)
    print(format_table(rows))


if __name__ == "__main__":
    main()
