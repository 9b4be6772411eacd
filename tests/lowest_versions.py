"""The lowest versions that setup.cfg allows, as pins for pip; for a machine of their own.

    python tests/lowest_versions.py demo video export tflite sample heif test > lowest.txt
    python -m venv lowest
    lowest/bin/pip install -r lowest.txt
    lowest/bin/pip install --no-deps -e .
    lowest/bin/python -m pytest -m smoke

Python 3.11 is the one of which all of them have wheels.
"""

from __future__ import annotations

import configparser
import re
import sys
from pathlib import Path

REQUIREMENT = re.compile(r"([A-Za-z0-9._-]+(?:\[[a-z]+\])?)>=([0-9.]+)")


def lowest_versions(extras: list[str]) -> dict[str, str]:
    """Of what the package itself and these extras of it require: version by name."""
    settings = configparser.ConfigParser()
    settings.read(Path(__file__).resolve().parents[1] / "setup.cfg")
    lists = [settings["options"]["install_requires"]]
    lists += [settings["options.extras_require"][extra] for extra in extras]
    lines = [line for text in lists for line in text.splitlines() if not line.startswith("#")]
    found: dict[str, str] = {}
    for line in lines:
        match = REQUIREMENT.match(line)
        if match is not None:
            found.setdefault(*match.groups())
    return found


if __name__ == "__main__":
    pins = lowest_versions(sys.argv[1:])
    sys.stdout.write("".join(f"{name}=={version}\n" for name, version in pins.items()))
