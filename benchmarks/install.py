"""What installing the package costs: megabytes of the download, and on disk.

    python benchmarks/install.py --json install.json

Makes a virtual environment of its own from the checkout, and fetches every wheel anew.
"""

from __future__ import annotations

import argparse
import json
import subprocess
import sys
import tempfile
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]


def megabytes(folder: Path) -> float:
    """Of all files in a folder, 1,000,000 bytes each."""
    return sum(f.lstat().st_size for f in folder.rglob("*") if f.is_file()) / 1e6


def main() -> None:
    """Prints the figures, and writes them."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--json", type=Path, metavar="FILE")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        wheels, python = folder / "wheels", folder / "venv" / "bin" / "python"
        subprocess.run([sys.executable, "-m", "venv", folder / "venv"], check=True)
        empty = megabytes(folder / "venv")
        pip = [python, "-m", "pip", "--no-cache-dir", "--quiet"]
        subprocess.run([*pip, "download", "--dest", wheels, ROOT], check=True)
        sizes = {f.name.split("-")[0]: f.stat().st_size / 1e6 for f in wheels.glob("*.whl")}
        found = ["--no-index", "--find-links", wheels]
        subprocess.run([*pip, "wheel", "--no-deps", "--wheel-dir", wheels, ROOT], check=True)
        subprocess.run([*pip, "install", *found, "arbitrary-nst"], check=True)
        figures = {
            "download": round(sum(sizes.values())),
            "tensorflow": round(sizes["tensorflow"]),
            "disk": round(megabytes(folder / "venv") - empty),
            "packages": len(sizes),
            "python": sys.version.split()[0],
        }
    print(json.dumps(figures))
    if options.json:
        options.json.write_text(json.dumps(figures, indent=1) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
