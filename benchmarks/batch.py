"""Throughput of `arbitrary-nst batch`: its stages, its workers, and what Ray adds.

The stages are timed one after the other, in one thread, in wall-clock and processor time. The
ways to run a batch take turns, each in a process of its own; a rate is that of the last three
quarters of the photos, so that it holds neither loading nor the first call. On a machine with
other work the ratios within a round say more than the rates, and processor time more than both.

    python benchmarks/batch.py --photos PHOTOS --size 512 --count 192 --rounds 3
"""

from __future__ import annotations

import argparse
import importlib.util
import json
import resource
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from tables import write_csv

STYLES, WEIGHTS = ["great-wave", "starry-night"], [0.7, 0.3]
LARGE = 4000, 3000  # pixels of a phone's photo


def ways(ray: bool) -> list[tuple[str | None, int]]:
    """(Ray's address or None, workers) of each way to run the batch."""
    local = [(None, 1), (None, 2)]
    return [*local, ("local", 1), ("local", 2)] if ray else local


def stages(photos: list[Path], sizes: list[int | None], runs: int) -> list[dict]:
    """Prints and returns what reading, painting and writing of a photo take."""
    from arbitrary_nst.batch import work
    from arbitrary_nst.batch.files import Job
    from arbitrary_nst.batch.settings import prepare
    from arbitrary_nst.pipeline.paint import paint

    print(f"{'photo':>12} {'--size':>7} {'stage':>6} {'wall ms':>8} {'CPU ms':>8} {'of CPU':>7}")
    rows = []
    for size in sizes:
        settings, engine = prepare(STYLES, WEIGHTS, size=size)
        for kind in photos:
            job = Job(str(kind), str(kind.with_name(f"painted{kind.suffix}")))
            times: dict[str, list[tuple[float, float]]] = {"read": [], "paint": [], "write": []}
            for _ in range(runs + 1):
                photo = timed(times["read"], lambda j=job, s=settings: work._read(s, j)[1])
                pictures = timed(
                    times["paint"],
                    lambda e=engine, p=photo, s=settings: paint(e, s.look, None, [p]),
                )
                timed(
                    times["write"],
                    lambda s=settings, j=job, p=pictures: work._write(s, j, p[0]),
                )
            best = {
                name: [min(kind[1:]) for kind in zip(*t, strict=True)] for name, t in times.items()
            }
            whole = sum(cpu for _, cpu in best.values())
            for name, (wall, cpu) in best.items():
                row = {"photo": kind.stem, "size": size or "", "stage": name}
                rows.append({**row, "wall_ms": wall * 1e3, "cpu_ms": cpu * 1e3})
                print(
                    f"{kind.stem:>12} {size or 'own':>7} {name:>6} {wall * 1e3:8.1f} "
                    f"{cpu * 1e3:8.1f} {cpu / whole:7.0%}",
                    flush=True,
                )
    return rows


def timed(times: list[tuple[float, float]], function):
    """Calls a function and notes its wall-clock and processor time."""
    wall, cpu = time.perf_counter(), time.process_time()
    result = function()
    times.append((time.perf_counter() - wall, time.process_time() - cpu))
    return result


def one(in_dir: str, out_dir: str, size: int, ray: str | None, workers: int) -> dict[str, float]:
    """Seconds of a whole batch and pictures a second of its last three quarters."""
    from arbitrary_nst.batch import stylize_folder

    start = time.perf_counter()
    stylize_folder(in_dir, STYLES, out_dir, WEIGHTS, size=size, ray=ray, workers=workers)
    total = time.perf_counter() - start
    # By the files: Ray reports pictures in bundles.
    seen = sorted(path.stat().st_mtime for path in Path(out_dir).glob("*.jpg"))
    quarter = len(seen) // 4
    return {"total": total, "rate": (len(seen) - quarter) / (seen[-1] - seen[quarter - 1])}


def main() -> None:
    """Prints the tables; `--one` measures a single way and prints JSON."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--photos", required=True, help="folder of .jpg photos")
    parser.add_argument("--size", type=int, default=512)
    parser.add_argument("--count", type=int, default=192, help="photos of a batch")
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--runs", type=int, default=5, help="of each stage; 0: no stages")
    parser.add_argument("--no-ray", action="store_true")
    parser.add_argument("--csv", metavar="NAME", help="write NAME-stages.csv and NAME-ways.csv")
    parser.add_argument("--one", nargs=4, help=argparse.SUPPRESS)
    options = parser.parse_args()
    if not (options.no_ray or options.one or importlib.util.find_spec("ray")):
        parser.error("Ray is not installed: pip install '.[ray]', or leave it out by --no-ray")
    if options.one:
        in_dir, out_dir, ray, workers = options.one
        print(json.dumps(one(in_dir, out_dir, options.size, ray or None, int(workers))))
        return
    photos = sorted(
        p for p in Path(options.photos).iterdir() if p.suffix.lower() in (".jpg", ".png")
    )
    with tempfile.TemporaryDirectory() as scratch:
        if options.runs:
            rows = prepare_and_time_stages(photos[0], Path(scratch), options)
            write_csv(options.csv and f"{options.csv}-stages.csv", rows)
        rows = compare(photos, Path(scratch), options)
        write_csv(options.csv and f"{options.csv}-ways.csv", rows)


def prepare_and_time_stages(photo: Path, scratch: Path, options: argparse.Namespace) -> list[dict]:
    """The table of the stages, for a photo as it is and enlarged to a phone's."""
    from PIL import Image

    with Image.open(photo) as image:
        small = image.convert("RGB")
    kinds = []
    for picture in (small, small.resize(LARGE, Image.Resampling.LANCZOS)):
        kinds.append(scratch / f"{picture.width}x{picture.height}.jpg")
        picture.save(kinds[-1], quality=92)
    return stages(kinds, [options.size, 2 * options.size, None], options.runs)


def processor_seconds() -> float:
    """Of all processes that this one started and that have ended, without the workers of Ray."""
    usage = resource.getrusage(resource.RUSAGE_CHILDREN)
    return usage.ru_utime + usage.ru_stime


def compare(photos: list[Path], scratch: Path, options: argparse.Namespace) -> list[dict]:
    """The table of the ways to run a batch, with ratios to the first."""
    in_dir = scratch / "in"
    in_dir.mkdir()
    for number in range(options.count):
        photo = photos[number % len(photos)].resolve()
        (in_dir / f"{number:05d}{photo.suffix}").symlink_to(photo)
    results: dict[tuple[str | None, int], list[dict[str, float]]] = {}
    for round_number in range(options.rounds):
        for ray, workers in ways(not options.no_ray):
            out = scratch / f"out-{round_number}-{ray}-{workers}"
            command = [sys.executable, __file__, "--photos", options.photos]
            command += ["--size", str(options.size)]
            command += ["--one", str(in_dir), str(out), ray or "", str(workers)]
            before = processor_seconds()
            done = subprocess.run(command, check=True, stdout=subprocess.PIPE, text=True)
            result = json.loads(done.stdout.splitlines()[-1])
            result["cpu"] = processor_seconds() - before
            results.setdefault((ray, workers), []).append(result)
    rates = {way: [result["rate"] for result in found] for way, found in results.items()}
    first = rates[None, 1]
    head = ("run by", "workers", "a second", "to first", "start s", "CPU s")
    print("\n{:>9} {:>8} {:>9} {:>9} {:>8} {:>6}  rounds".format(*head))
    table = []
    for (ray, workers), found in rates.items():
        ratio = statistics.median(a / b for a, b in zip(found, first, strict=True))
        processor = round(statistics.median(r["cpu"] for r in results[ray, workers]), 1)
        starts = [r["total"] - options.count / r["rate"] for r in results[ray, workers]]
        print(
            f"{'ray' if ray else 'itself':>9} {workers:8d} {statistics.median(found):9.2f} "
            f"{ratio:9.2f} {statistics.median(starts):8.1f} "
            f"{processor if not ray else '-':>6}  "
            f"{' '.join(f'{rate:.2f}' for rate in found)}"
        )
        row = {"ray": ray or "", "workers": workers, "rate": statistics.median(found)}
        row |= {"lowest": min(found), "highest": max(found), "ratio": ratio}
        table.append({**row, "start": statistics.median(starts)})
    return table


if __name__ == "__main__":
    main()
