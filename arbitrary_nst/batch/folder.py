"""A folder of photos in one blend of styles: read, painted and written at the same time.

The styles are embedded and blended once. Threads around one engine read photos ahead, paint them
and write the pictures; `processes` has several such engines on a machine, `ray` on
many.
The cin engine paints each picture with a single thread: that takes less work than with several, and
the pictures do not depend on how many cores a machine has.
"""

from __future__ import annotations

import contextlib
import math
import os
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from arbitrary_nst.batch import processes
from arbitrary_nst.batch.files import (
    find_done,
    find_jobs,
    make_folders,
    open_manifest,
    remove_leftovers,
)
from arbitrary_nst.batch.settings import prepare
from arbitrary_nst.batch.work import Outcome, paint_jobs
from arbitrary_nst.common.checks import positive_int
from arbitrary_nst.common.extras import require
from arbitrary_nst.pipeline.arguments import Progress
from arbitrary_nst.pipeline.styles import Styles

MIN_SHARE = 8  # photos for which another process is worth its start
IO_THREADS = 2  # that read, and as many that write
OLD_LEFTOVER = 3600.0  # seconds after which a half-written file belongs to nobody


@dataclass(frozen=True)
class BatchReport:
    """Numbers of pictures painted now and found done, and the photos that failed."""

    painted: int
    skipped: int
    failed: list[Outcome]


def stylize_folder(
    in_dir: str | os.PathLike[str],
    out_dir: str | os.PathLike[str],
    styles: Styles,
    weights: Sequence[float] | None = None,
    *,
    recursive: bool = False,
    workers: int | None = None,
    ray: str | None = None,
    output_format: str = "keep",
    quality: int = 95,
    overwrite: bool = False,
    progress: Progress | None = None,
    **options: Any,
) -> BatchReport:
    """Paints all photos of a folder into another one; a second call continues the first.

    Args:
        in_dir: folder of photos.
        out_dir: folder of the pictures, which have the same paths in it; made if missing. A
            manifest in it says with which settings they were made.
        styles: as for `stylize`.
        weights: as for `stylize`.
        recursive: also photos in the folders below `in_dir`.
        workers: pictures painted at once. Without `ray` more than one are processes (see
            `processes`), of the cin engine alone; the others use all cores for a picture.
            Default: one; with `ray` one for each of the cluster's GPUs or cores.
        ray: None to work in this process, "local" for a Ray cluster on this machine, or the
            address of a cluster whose machines see the same folders.
        output_format: "keep" or a suffix; see `files.find_jobs`.
        quality: of JPEG and WebP, 1 to 100.
        overwrite: paint everything anew, whatever the settings of what is there.
        progress: called as progress(done, total, message), which count photos to paint.
        **options: `strength`, `color`, `size`, `engine`, `seed`, `max_pixels`, `precision`: see
            `prepare`.

    Returns:
        The report. Photos that cannot be read or painted are in it; they stop nothing.

    Raises:
        InputError: an argument that cannot be used, or outputs made with other settings.
        WeightsUnavailable: the engine's network cannot be had.
        ImportError: `ray` is asked for and not installed.
        OSError: the disk is full.
    """
    workers = None if workers is None else positive_int(workers, "workers")
    if ray is not None:
        from arbitrary_nst.batch import ray as batch_ray

        require("ray.data")
    jobs = find_jobs(in_dir, out_dir, recursive=recursive, output_format=output_format)
    settings, engine = prepare(
        styles, weights, output_format=output_format, quality=quality, **options
    )
    since = open_manifest(
        out_dir, jobs, settings.fingerprint(), settings.parts, overwrite=overwrite
    )
    done = find_done(jobs, since)
    todo = [job for job in jobs if job.target not in done]
    make_folders(todo)
    remove_leftovers(todo, min_age=OLD_LEFTOVER)
    if ray is None:
        # A process takes seconds to start: not for a handful of photos.
        workers = min(workers or 1, math.ceil(len(todo) / MIN_SHARE))
        if workers > 1 and settings.engine.precision is not None:
            outcomes = processes.paint_jobs(settings, todo, workers=workers)
        else:
            outcomes = paint_jobs(engine, settings, todo, threads=IO_THREADS)
    else:
        del engine  # each worker has its own
        outcomes = batch_ray.paint_jobs(settings, todo, out_dir, since, address=ray, size=workers)
    failed = []
    with contextlib.closing(outcomes):
        for number, outcome in enumerate(outcomes, start=1):
            if outcome.error:
                failed.append(outcome)
            if progress is not None:
                progress(number, len(todo), f"{len(failed)} failed" if failed else "")
    return BatchReport(len(todo) - len(failed), len(jobs) - len(todo), failed)


def num_cores() -> int:
    """Cores that this process may use."""
    try:
        return len(os.sched_getaffinity(0))
    except AttributeError:  # not on Linux
        return os.cpu_count() or 1
