"""What a run tells whoever waits for it: running means, a log file, sample sheets."""

from __future__ import annotations

import csv
import io
import time
from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np

from arbitrary_nst.checkpoints import IDENTITY
from arbitrary_nst.common.atomic import write_bytes
from arbitrary_nst.image.sheet import contact_sheet
from arbitrary_nst.training.data import draw_noise, one_hot_mixing
from arbitrary_nst.training.statistics import to_array
from arbitrary_nst.training.trainer import LOSS_NAMES, StyleTrainer

COLUMNS = ("step", *LOSS_NAMES, "seconds")


class RunningMeans:
    """Losses averaged over about the last hundred steps."""

    def __init__(self) -> None:
        self.values: dict[str, float] = {}

    def add(self, losses: Mapping[str, float]) -> str:
        """Takes in one step's losses and returns the averages, for people to read."""
        for name, value in losses.items():
            old = self.values.get(name, value)
            self.values[name] = old + 0.01 * (value - old)
        return " ".join(
            f"{name} {self.values[name]:.3f}" for name in ("loss", "style", "flat", "content")
        )


class LossLog:
    """A CSV file with the losses of every step and the seconds that the run has taken so far.

    A resumed run goes on after its checkpoint's step: later rows, of steps that were lost with
    the interruption, are taken out.

    Args:
        path: of the file.
        start: step of the checkpoint.
    """

    def __init__(self, path: Path, start: int) -> None:
        self.path = path
        rows = _read_rows(path, start) if start and path.exists() else []
        text = io.StringIO(newline="")
        writer = csv.DictWriter(text, COLUMNS, restval="", extrasaction="ignore")
        writer.writeheader()
        writer.writerows(rows)
        write_bytes(path, text.getvalue().encode())
        self._began = time.monotonic() - (float(rows[-1]["seconds"]) if rows else 0.0)

    def add(self, step: int, losses: Mapping[str, float]) -> None:
        """Appends one row."""
        values = [f"{losses[name]:.6g}" for name in LOSS_NAMES]
        with self.path.open("a", newline="") as file:
            csv.writer(file).writerow([step, *values, f"{time.monotonic() - self._began:.1f}"])


def _read_rows(path: Path, start: int) -> list[dict[str, str]]:
    """The rows up to step `start`, less those that an interruption cut short."""
    rows = []
    with path.open(newline="", encoding="utf-8", errors="replace") as file:
        for row in csv.DictReader(file):
            try:
                whole = None not in row.values() and int(row["step"]) <= start
                float(row["seconds"])
            except (KeyError, TypeError, ValueError):
                continue
            if whole:
                rows.append(row)
    return rows


def sample_sheet(trainer: StyleTrainer, photos: Sequence[np.ndarray]):
    """Every style on every photo (of one shape), as a labelled `PIL.Image`."""
    names = [IDENTITY, *(style.name for style in trainer.config.styles)]
    times = trainer.config.styles_per_photo
    samples = np.repeat(np.stack(photos), times, axis=0)
    noise = draw_noise(trainer.config.layout, samples.shape, np.random.default_rng(0))
    rows = []
    for index in range(len(names)):
        mixing = np.repeat(one_hot_mixing(index, len(names))[None], len(samples), axis=0)
        picture = trainer({"content": np.stack(photos), "mixing": mixing, **noise})
        rows.append(list(to_array(picture))[::times])
    columns = [[row[i] for row in rows] for i in range(len(photos))]
    return contact_sheet(columns, column_labels=names, cell=192)
