"""One command for every picture and every figure that README, docs and model card print.

    python docs/figures.py --check              # a line for each part: fresh, or stale and why
    python docs/figures.py readme scores        # remake these parts
    python docs/figures.py --stale              # remake what is stale, cheapest first, not costly
    python docs/figures.py --times              # measure times, on an idle machine
    python docs/figures.py --all                # all of it, and what is costly
    python docs/figures.py --write              # only put the figures of docs/data into the texts

Each part runs the commands of `figure_parts.py`, which write pictures into `docs/images` and tables
into `docs/data`, and is stamped in `docs/data/figures.json` with the network that it shows, the
date, the commit, the machine and its load. Then the figures go into the texts (`figure_texts.py`).

Commands need data that is not in the repository, named by the environment:

PHOTOS     folder of Kodak's test photos, kodim01.jpg to kodim24.jpg
PAINTINGS  folder of the paintings of models/cin/training-styles.json
MORE       folder of further paintings, among them the eight of the gallery
MANY       folder to which the paths of docs/data/unseen-paintings.json are relative
LARGE      a photo of some megapixels with a horizon in its middle
CLIPS      folder with fox.mp4 and car-detection.mp4
ARBITRARY_NST_VGG19 and ARBITRARY_NST_MAGENTA name the weights of the other networks.

Beside the extra `dev`, `large` needs matplotlib, `demo` a Chromium, and `batch` the extra `ray`.
"""

from __future__ import annotations

import argparse
import dataclasses
import datetime
import hashlib
import json
import os
import platform
import shlex
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import figure_texts
from figure_parts import PARTS, Part

ROOT = Path(__file__).resolve().parents[1]
STAMPS = ROOT / "docs" / "data" / "figures.json"
STAMPED = {  # what a stamp tells of that which ships
    "styles": ("network", "layout", "styles"),
    "layout": ("network", "layout"),
    "predictor": ("network", "layout", "predictor"),
    "nothing": (),
}


def shipped() -> dict[str, str]:
    """The id of the network in `models/cin`, its layout, its styles, and how it takes images."""
    if str(ROOT) not in sys.path:
        sys.path.insert(0, str(ROOT))
    from arbitrary_nst.engines.shared import REFINE_STEPS
    from arbitrary_nst.networks.cin.file import load_network, network_id

    layout, kernels = load_network(ROOT / "models" / "cin" / "network.safetensors")
    parts = (f"{name} {value}" for name, value in dataclasses.asdict(layout).items())
    network = network_id(kernels)
    styles, predictor = (digest(f"models/cin/{n}.safetensors") for n in ("styles", "predictor"))
    return {
        "network": network,
        "layout": ", ".join(parts),
        "styles": f"{styles} of {network}",
        "predictor": f"{predictor} of {network}, {REFINE_STEPS} steps",
        "nothing": "",
    }


def digest(path: str) -> str:
    """The beginning of a file's SHA-256, or "missing"."""
    file = ROOT / path
    return hashlib.sha256(file.read_bytes()).hexdigest()[:16] if file.exists() else "missing"


def fault(part: Part, stamp: dict[str, Any] | None, now: dict[str, str]) -> str:
    """Why a part is stale, or "" where it is not."""
    if stamp is None:
        return "never made by this command"
    changed = [path for path in part.files if stamp["files"].get(path) != digest(path)]
    if changed:
        return f"{', '.join(changed)}: not as they were made"
    if stamp.get(part.depends_on, "") != now[part.depends_on]:
        made = stamp.get(part.depends_on, "others than now")
        return f"made with {stamp['network'] if part.depends_on == 'layout' else made}"
    return ""


def faults() -> dict[str, str]:
    """Why each part is stale; parts that are fresh have ""."""
    stamps, now = read_stamps(), shipped()
    return {name: fault(part, stamps.get(name), now) for name, part in PARTS.items()}


def must_be_fresh(name: str) -> bool:
    """Whether a part is to be remade with every network."""
    return not (PARTS[name].costly or PARTS[name].times)


def read_stamps() -> dict[str, Any]:
    """What `docs/data/figures.json` holds."""
    return json.loads(STAMPS.read_text("utf-8")) if STAMPS.exists() else {}


def check() -> int:
    """Prints a line for each part and one for all; 1 where something cheap is stale."""
    found, stamps = faults(), read_stamps()
    for name, part in PARTS.items():
        kind = "costly" if part.costly else "times" if part.times else "cheap"
        made = stamps.get(name, {})
        state = f"STALE, {found[name]}" if found[name] else f"fresh, of {made['date']}"
        print(f"{name:14} {kind:6} about {part.minutes:3} min  {state}")
    texts = [str(path.relative_to(ROOT)) for path, old, new in figure_texts.filled() if old != new]
    stale = [name for name, why in found.items() if why]
    cheap = [name for name in stale if must_be_fresh(name)]
    others = [name for name in stale if not must_be_fresh(name)]
    minutes = sum(PARTS[name].minutes for name in cheap)
    print(
        f"ships {shipped()['network']}; stale: {' '.join(cheap) or 'nothing'} ({minutes} min); "
        f"costly or times, as the docs say: {' '.join(others) or 'nothing'}; "
        f"texts to write: {' '.join(texts) or 'none'}"
    )
    return 1 if cheap or texts else 0


def make(name: str) -> None:
    """Runs the commands of a part and stamps it."""
    part = PARTS[name]
    lacking = [key for key in part.needs if key not in os.environ]
    if lacking:
        sys.exit(f"figures: {name} needs {', '.join(lacking)} in the environment; see --help")
    load, start = os.getloadavg()[0], time.time()
    environment = {**os.environ, "PYTHONPATH": str(ROOT)}
    environment.pop("ARBITRARY_NST_CIN", None)  # the network that ships, whatever else is in use
    for line in part.commands:
        print(f"$ {line}", flush=True)
        words = shlex.split(line.format_map(os.environ))
        if words[0] == "arbitrary-nst":
            words[:1] = ["python", "-m", "arbitrary_nst"]
        words[0] = sys.executable
        settings = {**environment, **dict(part.environment)}
        subprocess.run(words, cwd=ROOT, env=settings, check=True)
    # A test that was skipped, say, ends well and makes nothing.
    if old := [path for path in part.files if not _written_since(start, ROOT / path)]:
        sys.exit(f"figures: the commands of {name} did not write {', '.join(old)}")
    minutes = (time.time() - start) / 60
    stamp(name, load=round(load, 1), minutes=round(minutes, 1))


def _written_since(start: float, path: Path) -> bool:
    return path.exists() and path.stat().st_mtime > start - 1


def stamp(name: str, **more: Any) -> None:
    """Notes of what network, when and where a part's files are."""
    stamps, part, now = read_stamps(), PARTS[name], shipped()
    git = ["git", "-C", str(ROOT), "rev-parse", "--short", "HEAD"]
    commit = subprocess.run(git, capture_output=True, text=True, check=False).stdout.strip()
    stamps[name] = {
        **{key: now[key] for key in STAMPED[part.depends_on]},
        "date": datetime.date.today().isoformat(),
        "commit": commit,
        "machine": machine(),
        "command": list(part.commands),
        "files": {path: digest(path) for path in part.files},
        **more,
    }
    text = json.dumps({key: stamps[key] for key in PARTS if key in stamps}, indent=1)
    STAMPS.write_text(text + "\n", encoding="utf-8")


def machine() -> str:
    """What kind of machine this is, such as "2 cores of AMD EPYC, Linux"."""
    model = platform.processor() or platform.machine()
    info = Path("/proc/cpuinfo")
    if info.exists():
        lines = info.read_text("utf-8").splitlines()
        model = next((x.split(":")[1].strip() for x in lines if x.startswith("model name")), model)
    return f"{os.cpu_count()} cores of {model}, {platform.system()}"


def main() -> int:
    """See the docstring of the module."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("parts", nargs="*", metavar="PART", help=f"of {', '.join(PARTS)}")
    parser.add_argument("--check", action="store_true")
    parser.add_argument("--stale", action="store_true")
    parser.add_argument("--times", action="store_true")
    parser.add_argument("--all", action="store_true")
    parser.add_argument("--write", action="store_true")
    options = parser.parse_args()
    if unknown := set(options.parts) - set(PARTS):
        parser.error(f"no part {', '.join(sorted(unknown))}; there are {', '.join(PARTS)}")
    if options.check:
        return check()
    names = options.parts or list(PARTS) * options.all
    if options.stale:
        found = faults()
        names += [name for name in PARTS if found[name] and must_be_fresh(name)]
    if options.times:
        names += [name for name, part in PARTS.items() if part.times and not part.costly]
    if not (names or options.write or options.stale):
        parser.error("name parts, or say --check, --stale, --times, --all or --write")
    for name in sorted(set(names), key=lambda n: PARTS[n].minutes):
        print(f"== {name}, about {PARTS[name].minutes} min", flush=True)
        make(name)
        figure_texts.write()
    figure_texts.write()
    return 0


if __name__ == "__main__":
    sys.exit(main())
