"""From a new process to a picture on disk, by each runtime, and what it takes once it is warm.

Every line of the first table is a process of its own: its wall clock, the processor's time and the
peak of its memory. On a busy machine the processor's time says more. "auto" is what
`arbitrary-nst stylize` chooses by itself. The second table is one process for each runtime, after
a first picture. Compare figures of one run with each other.

    python benchmarks/cold.py --sizes 256 512 1024 --styles name blend image
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from tables import write_csv

RUNTIMES = ("auto", "onnx", "tensorflow")
STYLES = {
    "name": ["great-wave"],
    "blend": ["great-wave", "starry-night", "scream"],
    "image": ["painting.png"],
}
# In a process of its own as well: of a child the system counts what its parent held at the start.
IMAGES = """
import sys
import numpy as np
from PIL import Image
for size in map(int, sys.argv[1:]):
    y, x = np.mgrid[0:size, 0:size] / size
    channels = [np.sin(9 * x + 5 * y), np.cos(7 * y * x), np.sin(40 * x) * np.cos(30 * y)]
    photo = Image.fromarray((np.stack(channels, -1) * 100 + 128).astype(np.uint8))
    photo.save(f"{size}.jpg", quality=95)
photo.resize((400, 400)).rotate(90).save("painting.png")
"""
COLD = """
import sys
from arbitrary_nst import Cin, stylize
runtime, photo, output, *styles = sys.argv[1:]
# As the command does it; only the others need an engine of their own.
engine = "auto" if runtime == "auto" else Cin(runtime=runtime)
stylize(photo, styles, engine=engine).save(output)
"""
WARM = """
import json, sys, time
from arbitrary_nst import Cin, stylize
runtime, runs, *photos = sys.argv[1:]
engine = Cin(runtime=runtime)
seconds = {}
for photo in photos:
    stylize(photo, "great-wave", engine=engine)
    times = []
    for _ in range(int(runs)):
        start = time.perf_counter(), time.process_time()
        stylize(photo, "great-wave", engine=engine)
        times.append((time.perf_counter() - start[0], time.process_time() - start[1]))
    seconds[photo] = min(t[0] for t in times), min(t[1] for t in times)
print(json.dumps(seconds))
"""


def in_a_process(program: str, *arguments: str, folder: Path) -> tuple[str, float, float, float]:
    """Output, wall clock and processor's time in seconds, and peak memory in MiB."""
    command = [sys.executable, "-c", program, *arguments]
    start = time.perf_counter()
    with tempfile.TemporaryFile("w+") as output:
        process = subprocess.Popen(
            command, cwd=folder, stdout=output, stderr=subprocess.DEVNULL, text=True
        )
        _, status, usage = os.wait4(process.pid, 0)
        process.returncode = status  # or it would be waited for again
        wall = time.perf_counter() - start
        output.seek(0)
        text = output.read()
    if status:
        raise RuntimeError(f"{arguments} ended with status {status}")
    return text, wall, usage.ru_utime + usage.ru_stime, usage.ru_maxrss / 1024


def main() -> None:
    """Prints both tables."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--sizes", type=int, nargs="+", default=[256, 512, 1024])
    parser.add_argument("--styles", nargs="+", choices=STYLES, default=list(STYLES))
    parser.add_argument("--runtimes", nargs="+", choices=RUNTIMES, default=list(RUNTIMES))
    parser.add_argument("--runs", type=int, default=3, help="of which the best counts")
    parser.add_argument("--warm", type=int, default=3, help="pictures of the second table; 0: none")
    parser.add_argument("--csv", metavar="FILE", help="write the first table")
    options = parser.parse_args()
    table = []
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        in_a_process(IMAGES, *map(str, options.sizes), folder=folder)
        print(f"{'pixels':>12} {'style':>6} {'runtime':>11} {'wall s':>7} {'cpu s':>7} {'MiB':>6}")
        for size in options.sizes:
            for style in options.styles:
                for runtime in options.runtimes:
                    arguments = (runtime, f"{size}.jpg", "out.png", *STYLES[style])
                    runs = [
                        in_a_process(COLD, *arguments, folder=folder)[1:]
                        for _ in range(options.runs)
                    ]
                    wall, cpu, peak = (min(column) for column in zip(*runs, strict=True))
                    row = {"size": size, "style": style, "runtime": runtime}
                    table.append({**row, "wall": wall, "cpu": cpu, "peak": peak})
                    print(
                        f"{f'{size}x{size}':>12} {style:>6} {runtime:>11} {wall:7.2f} {cpu:7.2f} "
                        f"{peak:6.0f}",
                        flush=True,
                    )
        write_csv(options.csv, table)
        if not options.warm:
            return
        print(f"\n{'pixels':>12} {'runtime':>11} {'wall s':>7} {'cpu s':>7}   warm")
        photos = [f"{size}.jpg" for size in options.sizes]
        for runtime in [r for r in options.runtimes if r != "auto"]:
            text, *_ = in_a_process(WARM, runtime, str(options.warm), *photos, folder=folder)
            for photo, (wall, cpu) in json.loads(text.splitlines()[-1]).items():
                side = photo.removesuffix(".jpg")
                print(f"{f'{side}x{side}':>12} {runtime:>11} {wall:7.2f} {cpu:7.2f}", flush=True)


if __name__ == "__main__":
    main()
