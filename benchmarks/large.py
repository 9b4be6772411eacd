"""Time and peak memory of one picture from 1 to 100 megapixels, each in a process of its own.

    python benchmarks/large.py --megapixels 1 4 8 25 100 --plot docs/images/large.png

The photo is noise over a gradient, made on the fly. Peak is that of the whole process; "beside
it" what the same process holds before it paints.
"""

from __future__ import annotations

import argparse
import json
import resource
import subprocess
import sys
import time

from tables import write_csv


def measure(megapixels: float, max_memory: float) -> dict:
    """One picture, in this process."""
    import numpy as np

    from arbitrary_nst import Cin, stylize

    side = round((megapixels * 1e6) ** 0.5 / 8) * 8
    # By itself the engine would paint the smaller ones by ONNX Runtime, which has no passes.
    engine = Cin(runtime="tensorflow")
    stylize(np.zeros((64, 64, 3), np.uint8), "starry-night", engine=engine)  # its first graph
    ramp = np.linspace(0, 200, side, dtype=np.uint8)
    photo = np.empty((side, side, 3), np.uint8)
    rng = np.random.default_rng(0)
    for row in range(side):
        photo[row] = ramp[:, None] // 2 + ramp[row] // 2 + rng.integers(0, 32, (side, 3), np.uint8)
    before = _peak()
    start = time.perf_counter()
    picture = stylize(photo, "starry-night", engine=engine, max_pixels=10**9, max_memory=max_memory)
    seconds = time.perf_counter() - start
    assert picture.size == (side, side)
    return {"mp": side * side / 1e6, "s": seconds, "before": before, "peak": _peak()}


def _peak() -> float:
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 2**20  # GiB


def main() -> None:
    """Prints the table, and draws the plot."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--megapixels", type=float, nargs="+", default=[1, 4, 8, 25])
    parser.add_argument("--max-memory", type=float, default=2e9, metavar="BYTES")
    parser.add_argument("--plot", metavar="FILE", help="needs matplotlib")
    parser.add_argument("--csv", metavar="FILE", help="write the table")
    parser.add_argument("--one", action="store_true", help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.one:
        print(json.dumps(measure(options.megapixels[0], options.max_memory)))
        return
    if options.plot:
        import matplotlib.pyplot as plt  # where it is missing: said now, not after the minutes
    rows = []
    print("megapixels      s   s/megapixel   peak GiB   beside it")
    for size in options.megapixels:
        command = [sys.executable, __file__, "--one", "--megapixels", str(size)]
        command += ["--max-memory", str(options.max_memory)]
        result = subprocess.run(command, capture_output=True, text=True, check=True)
        row = json.loads(result.stdout.splitlines()[-1])
        rows.append(row)
        line = (row["mp"], row["s"], row["s"] / row["mp"], row["peak"], row["before"])
        print("{:10.1f} {:6.1f} {:13.2f} {:10.2f} {:11.2f}".format(*line), flush=True)
    write_csv(options.csv, rows)
    if options.plot:
        figure, axes = plt.subplots(1, 2, figsize=(9, 3.2))
        for axis, key, label in zip(axes, ("s", "peak"), ("seconds", "peak GiB"), strict=True):
            axis.plot([r["mp"] for r in rows], [r[key] for r in rows], "o-")
            axis.set(xlabel="megapixels", ylabel=label, ylim=(0, None))
            axis.grid(alpha=0.3)
        figure.tight_layout()
        figure.savefig(options.plot, dpi=110)


if __name__ == "__main__":
    main()
