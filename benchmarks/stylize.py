"""Time and peak memory of `stylize`, array to array, at several sizes.

Each size runs in a process of its own, so that its peak memory is its own. Times are the best of
a few warm runs; the first call is given too, since it traces the graph. Compare figures of one
run with each other, not with those of another machine or another day.

    python benchmarks/stylize.py --sizes 256 512 1024 2048
    python benchmarks/stylize.py --sizes 1024 1920x1080 3840x2160
"""

from __future__ import annotations

import argparse
import json
import resource
import subprocess
import sys
import time

from tables import write_csv


def size_of(text: str) -> tuple[int, int]:
    """Width and height: "1920x1080", or one number for both."""
    width, _, height = text.partition("x")
    return int(width), int(height or width)


def measure(size: tuple[int, int], precision: str, runs: int) -> dict[str, float]:
    """First and best time and the processor's time, in seconds, and peak memory in MB."""
    import numpy as np

    from arbitrary_nst import stylize
    from arbitrary_nst.engines.cin import Cin

    width, height = size
    photo = np.random.default_rng(0).random((height, width, 3)).astype(np.float32)
    engine = Cin(precision=precision, runtime="tensorflow")  # warm, as for many pictures
    seconds, processor = [], []
    for _ in range(1 + runs):
        start = time.perf_counter(), time.process_time()
        stylize(photo, ["great-wave", "starry-night"], [0.7, 0.3], engine=engine)
        seconds.append(time.perf_counter() - start[0])
        processor.append(time.process_time() - start[1])
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    return {
        "first": seconds[0],
        "best": min(seconds[1:]),
        "cpu": min(processor[1:]),
        "peak": peak,
    }


def main() -> None:
    """Prints the table; `--one SIZE` measures a single size and prints JSON."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument(
        "--sizes",
        type=size_of,
        nargs="+",
        default=[(side, side) for side in (256, 512, 1024, 2048)],
    )
    parser.add_argument("--precisions", nargs="+", default=["float32", "bfloat16"])
    parser.add_argument("--runs", type=int, default=5)
    parser.add_argument("--one", type=size_of, help=argparse.SUPPRESS)
    parser.add_argument("--csv", metavar="FILE", help="write the table")
    options = parser.parse_args()
    if options.one:
        print(json.dumps(measure(options.one, options.precisions[0], options.runs)))
        return
    head = ("pixels", "precision", "first s", "best s", "ns/pixel", "cpu s", "ns/pixel", "peak MB")
    print("{:>12} {:>10} {:>8} {:>8} {:>9} {:>8} {:>9} {:>8}".format(*head))
    rows = []
    for width, height in options.sizes:
        size, pixels = f"{width}x{height}", width * height
        for precision in options.precisions:
            command = [sys.executable, __file__, "--one", size, "--runs", str(options.runs)]
            output = subprocess.run(
                [*command, "--precisions", precision], check=True, capture_output=True, text=True
            ).stdout
            row = json.loads(output.splitlines()[-1])
            side = width if width == height else size  # the docs look squares up by their side
            rows.append({"size": side, "precision": precision, **row})
            print(
                f"{size:>12} {precision:>10} {row['first']:8.3f} {row['best']:8.3f} "
                f"{row['best'] / pixels * 1e9:9.0f} {row['cpu']:8.3f} "
                f"{row['cpu'] / pixels * 1e9:9.0f} {row['peak']:8.0f}",
                flush=True,
            )
    write_csv(options.csv, rows)


if __name__ == "__main__":
    main()
