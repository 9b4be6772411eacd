"""Draws the losses of training runs, smoothed, one after the other (needs matplotlib).

    python examples/plot_log.py runs/1/log.csv:1500 runs/2/log.csv:1000 runs/3/log.csv -o curves.png

A number after a log's colon is the last step that counts, where the next run took over.
"""

from __future__ import annotations

import argparse
import csv

import matplotlib.pyplot as plt
import numpy as np

WINDOW = 100


def read(text: str) -> list[dict[str, float]]:
    """The rows of a log, up to its last step."""
    path, _, last = text.rpartition(":")
    path, stop = (path, int(last)) if path and last.isdigit() else (text, None)
    with open(path, newline="") as file:
        rows = [{k: float(v) for k, v in row.items()} for row in csv.DictReader(file)]
    return [row for row in rows if stop is None or row["step"] <= stop]


def main() -> None:
    """Writes the plot."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("logs", nargs="+", help="log.csv or log.csv:STEP")
    parser.add_argument("-o", "--output", required=True)
    options = parser.parse_args()
    figure, axes = plt.subplots(figsize=(9, 4.5))
    start = 0
    for log in options.logs:
        rows = read(log)
        steps = start + np.array([row["step"] for row in rows])
        for name, color in (("style", "tab:blue"), ("shift", "tab:green"), ("content", "tab:red")):
            values = np.array([row.get(name, np.nan) for row in rows])
            if len(values) > WINDOW and np.isfinite(values).all():
                smooth = np.convolve(values, np.ones(WINDOW) / WINDOW, "valid")
                label = name if log == options.logs[-1] else None
                axes.plot(steps[WINDOW - 1 :], smooth, color=color, label=label)
        start = steps[-1]
        axes.axvline(start, color="0.8", linewidth=1)
    axes.set(yscale="log", xlabel="step", ylabel=f"loss, mean of {WINDOW} steps")
    axes.set_yticks([0.05, 0.1, 0.2, 0.5, 1, 2], ["0.05", "0.1", "0.2", "0.5", "1", "2"])
    axes.grid(alpha=0.3)
    axes.legend()
    figure.tight_layout()
    figure.savefig(options.output, dpi=110)


if __name__ == "__main__":
    main()
