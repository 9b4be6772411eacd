"""Tables as files, for `docs/figures.py`."""

from __future__ import annotations

import csv
from collections.abc import Mapping, Sequence
from typing import Any


def write_csv(path: str | None, rows: Sequence[Mapping[str, Any]]) -> None:
    """Writes rows under the names of the first one, numbers with four digits; None: nothing."""
    if path is None:
        return
    with open(path, "w", newline="", encoding="utf-8") as file:
        writer = csv.DictWriter(file, list(rows[0]), lineterminator="\n")
        writer.writeheader()
        for row in rows:
            writer.writerow({k: f"{v:.4g}" if isinstance(v, float) else v for k, v in row.items()})
