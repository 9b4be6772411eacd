"""What an image as style costs the cin engine, warm: predicted alone, and refined.

"auto" is what an engine does by itself; "tensorflow" first builds a graph of the gradients.

python benchmarks/images.py painting.jpg --csv images.csv
"""

from __future__ import annotations

import argparse
import time

from tables import write_csv

from arbitrary_nst import Cin, load_image
from arbitrary_nst.engines.shared import REFINE_STEPS


def main() -> None:
    """Prints the table."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("painting")
    steps = [0, REFINE_STEPS]
    parser.add_argument("--steps", type=int, nargs="+", default=steps, help="of the refinement")
    parser.add_argument("--runtime", choices=("auto", "onnx", "tensorflow"), default="auto")
    parser.add_argument("--runs", type=int, default=3, help="of which the best counts")
    parser.add_argument("--csv", metavar="FILE", help="write the table")
    options = parser.parse_args()
    painting, _ = load_image(options.painting, role="style")
    rows = []
    for steps in options.steps:
        engine = Cin(refine_steps=steps, runtime=options.runtime)
        times = []
        for _ in range(1 + options.runs):
            start = time.perf_counter()
            engine.embed(painting)
            times.append(time.perf_counter() - start)
        rows.append({"refine_steps": steps, "first": times[0], "best": min(times[1:])})
        print(
            "{refine_steps:3} steps: {best:.2f} s, the first one {first:.2f} s".format_map(rows[-1])
        )
    write_csv(options.csv, rows)


if __name__ == "__main__":
    main()
