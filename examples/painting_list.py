"""Lists of paintings for the style predictor, from a table of where they come from.

    python examples/painting_list.py manifest.csv --train train.json --held-out held-out.json

The table has the columns `file`, `artist` and `source_repo`. A painting's group is its artist,
or else its source. A tenth of the groups, chosen by a hash of their names, is kept out of
training, so that what is measured on them is how the predictor does with painters whom it has
never seen; so is every tenth painting of the groups of more than 90, which are too many to lose.
"""

from __future__ import annotations

import argparse
import csv
import hashlib
import json
import re
from collections import Counter
from pathlib import Path

LARGE = 90


def is_held_out(name: str) -> bool:
    """One name in ten, the same ones on every machine."""
    return hashlib.sha256(name.encode()).digest()[0] % 10 == 0


def group_of(row: dict[str, str]) -> str:
    """The artist, without remarks in brackets or after a semicolon; else the source."""
    artist = re.split(r"[;(,]", row["artist"])[0].strip()
    return artist if artist and artist != "not stated" else row["source_repo"]


def main() -> None:
    """Writes the two lists."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("manifest", type=Path)
    parser.add_argument("--train", type=Path, required=True)
    parser.add_argument("--held-out", type=Path, required=True)
    options = parser.parse_args()
    with options.manifest.open(newline="", encoding="utf-8") as file:
        rows = [{"file": row["file"], "group": group_of(row)} for row in csv.DictReader(file)]
    sizes = Counter(row["group"] for row in rows)
    held = [
        row
        for row in rows
        if is_held_out(row["file"] if sizes[row["group"]] > LARGE else row["group"])
    ]
    train = [row for row in rows if row not in held]
    for path, part in ((options.train, train), (options.held_out, held)):
        path.write_text(json.dumps(part, indent=1, ensure_ascii=False) + "\n", encoding="utf-8")
        groups = len({row["group"] for row in part})
        print(f"{path}: {len(part)} paintings of {groups} groups")


if __name__ == "__main__":
    main()
