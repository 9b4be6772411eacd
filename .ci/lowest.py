#!/usr/bin/env python3
"""Prints a constraints file of the lowest versions that setup.cfg declares, for this Python.

    python .ci/lowest.py >lowest.txt
    python -m pip install --constraint lowest.txt .

Needs the package `packaging`.
"""

from __future__ import annotations

import argparse
import configparser
import sys
from collections.abc import Iterable, Sequence
from pathlib import Path

from packaging.requirements import Requirement

SETTINGS = Path(__file__).resolve().parents[1] / "setup.cfg"


def requirements(settings: Path, extras: Sequence[str]) -> list[Requirement]:
    """What an install needs, and what these extras add, as far as it is for this Python."""
    parser = configparser.ConfigParser()
    parser.read(settings, encoding="utf-8")
    known = parser["options.extras_require"]
    if unknown := set(extras) - set(known):
        sys.exit(f"{settings}: there is no extra {', '.join(sorted(unknown))}")
    texts = [parser["options"]["install_requires"], *(known[extra] for extra in extras)]
    lines = [line.strip() for text in texts for line in text.splitlines()]
    found = [Requirement(line) for line in lines if line and not line.startswith("#")]
    return [one for one in found if one.marker is None or one.marker.evaluate({"extra": ""})]


def lowest(wanted: Iterable[Requirement]) -> dict[str, str]:
    """The lowest version of each package: of several that are declared the highest."""
    from packaging.version import Version

    pins: dict[str, str] = {}
    for one in wanted:
        bounds = [s.version for s in one.specifier if s.operator in (">=", "==", "~=")]
        if not bounds and one.name != "arbitrary-nst":
            sys.exit(f"{one} declares no lower bound")
        for bound in bounds:
            if one.name not in pins or Version(bound) > Version(pins[one.name]):
                pins[one.name] = bound
    return pins


def main() -> None:
    """Prints or writes the file."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--extra", action="append", default=[], help="repeat for more")
    parser.add_argument("--output", type=Path, help="default: standard output")
    options = parser.parse_args()
    pins = lowest(requirements(SETTINGS, options.extra))
    text = "".join(f"{name}=={version}\n" for name, version in sorted(pins.items()))
    if options.output:
        options.output.write_text(text, encoding="utf-8")
    else:
        print(text, end="")


if __name__ == "__main__":
    main()
