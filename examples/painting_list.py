"""Lists of paintings for the style predictor, from a table of where they come from.

    python examples/painting_list.py manifest.csv --train train.json --held-out held-out.json \
        --paintings MANY_PAINTINGS --more CORE EXTRA --keep-out unseen.json

The table has the columns `file`, `artist` and `source_repo`. A painting's group is its artist,
or else its source. A tenth of the groups, chosen by a hash of their names, is kept out of
training, so that what is measured on them is how the predictor does with painters whom it has
never seen; so is every tenth painting of the groups of more than 90, which are too many to lose.
Paintings of further folders are grouped by the first two words of their names, as in
`claude-monet-haystacks.jpg`; of these only those in the list of --keep-out are held out.

A second table, of --masters, has `file` and `group`, a painter. Beside the painters whom the hash
keeps out, all those are of whom one painting is in the list of --keep-out (its file is named after
the painter, `albrecht-durer-young-hare.jpg` or `monet-004.jpg`): a crop of that very painting might
be among these.
"""

from __future__ import annotations

import argparse
import csv
import hashlib
import json
import os
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


def more_rows(folder: Path, paintings: Path) -> list[dict[str, str]]:
    """Entries for all JPEG files of a folder, with paths relative to `paintings`."""
    return [
        {
            "file": os.path.relpath(file, paintings),
            "group": f"{folder.name} {'-'.join(file.stem.split('-')[:2])}",
        }
        for file in sorted(folder.glob("*.jpg"))
    ]


def master_rows(manifest: Path, paintings: Path, unseen: set[str]) -> list[dict[str, str]]:
    """Entries of a table of painters, less those who are kept out."""
    with manifest.open(newline="", encoding="utf-8") as file:
        rows = list(csv.DictReader(file))
    folder = manifest.with_name(manifest.stem.removesuffix("_manifest"))
    out = set()
    for group in {row["group"] for row in rows}:
        words = group.lower().split()
        starts = ("-".join(words) + "-", words[-1] + "-")
        if is_held_out(group) or any(name.startswith(starts) for name in unseen):
            out.add(group)
    print(f"{manifest}: without {', '.join(sorted(out))}")
    return [
        {
            "file": os.path.relpath(folder / row["file"], paintings),
            "group": f"masters {row['group']}",
        }
        for row in rows
        if row["group"] not in out
    ]


def main() -> None:
    """Writes the two lists."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("manifest", type=Path)
    parser.add_argument("--train", type=Path, required=True)
    parser.add_argument("--held-out", type=Path, required=True)
    parser.add_argument(
        "--paintings", type=Path, default=Path(), help="folder of the table's files"
    )
    parser.add_argument("--more", type=Path, nargs="*", default=[], help="further folders")
    parser.add_argument("--keep-out", type=Path, help="JSON list of {file}, held out of these")
    parser.add_argument(
        "--masters",
        type=Path,
        metavar="NAME_manifest.csv",
        help="table of {file, group} for the paintings in the folder NAME beside it",
    )
    options = parser.parse_args()
    with options.manifest.open(newline="", encoding="utf-8") as file:
        rows = [{"file": row["file"], "group": group_of(row)} for row in csv.DictReader(file)]
    sizes = Counter(row["group"] for row in rows)
    held = [
        row
        for row in rows
        if is_held_out(row["file"] if sizes[row["group"]] > LARGE else row["group"])
    ]
    more = [row for folder in options.more for row in more_rows(folder, options.paintings)]
    unseen = json.loads(options.keep_out.read_text("utf-8")) if options.keep_out else []
    names = {Path(entry["file"]).name for entry in unseen}
    held += [row for row in more if Path(row["file"]).name in names]
    train = [row for row in [*rows, *more] if row not in held]
    if options.masters:
        train += master_rows(options.masters, options.paintings, names)
    for path, part in ((options.train, train), (options.held_out, held)):
        path.write_text(json.dumps(part, indent=1, ensure_ascii=False) + "\n", encoding="utf-8")
        groups = len({row["group"] for row in part})
        print(f"{path}: {len(part)} paintings of {groups} groups")


if __name__ == "__main__":
    main()
