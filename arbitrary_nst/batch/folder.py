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
    PictureFormat,
    find_done,
    find_jobs,
    make_folders,
    make_out_dir,
    open_manifest,
    remove_leftovers,
)
from arbitrary_nst.batch.settings import prepare
from arbitrary_nst.batch.work import Outcome, paint_jobs
from arbitrary_nst.checkpoints import trained_styles
from arbitrary_nst.common.alone import alone_in
from arbitrary_nst.common.checks import check_progress, positive_int
from arbitrary_nst.common.extras import require
from arbitrary_nst.embedding import Weights
from arbitrary_nst.engines import EngineName
from arbitrary_nst.engines.protocol import Engine
from arbitrary_nst.errors import InputError
from arbitrary_nst.image import DEFAULT_MAX_PIXELS, ImageSource, KeepMetadata
from arbitrary_nst.image.writing import Bits, check_bits
from arbitrary_nst.networks.precision import Precision
from arbitrary_nst.pipeline.arguments import DEFAULT_MAX_MEMORY, Color, Progress
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
    styles: Styles,
    out_dir: str | os.PathLike[str],
    weights: Weights | None = None,
    *,
    strength: float = 1.0,
    color: Color = "style",
    size: int | None = None,
    working_size: int | None = None,
    texture_scale: float = 1.0,
    masks: Sequence[ImageSource | None] | None = None,
    engine: EngineName | Engine = "auto",
    seed: int = 0,
    max_pixels: int = DEFAULT_MAX_PIXELS,
    max_memory: float = DEFAULT_MAX_MEMORY,
    precision: Precision = "auto",
    recursive: bool = False,
    workers: int | None = None,
    ray: str | None = None,
    output_format: PictureFormat = "keep",
    quality: int = 95,
    bits: Bits = 8,
    keep_metadata: KeepMetadata = False,
    overwrite: bool = False,
    progress: Progress | None = None,
) -> BatchReport:
    """Paints all photos of a folder into another one; a second call continues the first.

    Args:
        in_dir: folder of photos.
        styles: as for `stylize`.
        out_dir: folder of the pictures, which have the same paths in it; made if missing. A
            manifest in it says with which settings they were made.
        weights: as for `stylize`.
        strength: as for `stylize`, from 0 to 1.
        color: as for `stylize`, "style" or "content".
        size: as for `stylize`: longer side in pixels of every picture. Default: each photo's own.
        working_size: as for `stylize`.
        texture_scale: as for `stylize`.
        masks: as for `stylize`: for each style an image, or None. They are scaled to each photo,
            as for the pictures of a camera that stands still.
        engine: as for `stylize`, but where Magenta's network cannot be had, that is an error:
            vgg19 takes its place for one picture, not for thousands.
        seed: as for `stylize`, the same for all photos.
        max_pixels: as for `stylize`; larger photos are among the failed ones.
        max_memory: as for `stylize`, for each of the pictures that are painted at once.
        precision: of the cin engine: "float32", "bfloat16", or "auto", which is bfloat16 where
            this machine's processor multiplies it in hardware. All workers use the same.
        recursive: also photos in the folders below `in_dir`.
        workers: pictures painted at once. Without `ray` more than one are processes (see
            `processes`), of the cin engine alone; the others use all cores for a picture.
            Default: one; with `ray` one for each of the cluster's GPUs or cores. (The command has
            one for each core: processes need `if __name__ == "__main__":` in a program that
            starts them, and of a caller's program nobody knows.)
        ray: None to work in this process, "local" for a Ray cluster on this machine, or the
            address of a cluster whose machines see the same folders.
        output_format: "keep" or a suffix; see `files.find_jobs`.
        quality: of JPEG, WebP and AVIF, 1 to 100.
        bits: of a channel, 8, or 16 where all pictures are .png or .tif; photos that have as many
            are then read with all of them, for which OpenCV has to be there.
        keep_metadata: as for `stylize`.
        overwrite: paint everything anew, whatever the settings of what is there.
        progress: called as progress(done, total, message), which count photos to paint.

    Returns:
        The report. Photos that cannot be read or painted are in it; they stop nothing.

    Raises:
        InputError: an argument or image that cannot be used (its subclasses tell which), or
            outputs made with other settings.
        WeightsUnavailable: the engine's network cannot be had, or a worker has another one.
        CheckpointError: its files are damaged.
        WorkerDied: a worker process was killed; what is painted stays.
        ImportError: `ray` is asked for and not installed.
        OSError: the disk is full.

    Examples:
        >>> stylize_folder("photos", ["great-wave", "scream"], "painted", [0.7, 0.3], size=1024)
    """
    _check_order(styles, out_dir, engine)
    check_progress(progress)
    workers = None if workers is None else positive_int(workers, "workers")
    if ray is not None:
        from arbitrary_nst.batch import ray as batch_ray

        require("ray.data")
    jobs = find_jobs(in_dir, out_dir, recursive=recursive, output_format=output_format)
    check_bits(bits, *(job.target for job in jobs))
    settings, runner = prepare(
        styles,
        weights,
        strength=strength,
        color=color,
        size=size,
        working_size=working_size,
        texture_scale=texture_scale,
        masks=masks,
        engine=engine,
        seed=seed,
        max_pixels=max_pixels,
        max_memory=max_memory,
        precision=precision,
        output_format=output_format,
        quality=quality,
        bits=bits,
        keep_metadata=keep_metadata,
    )
    make_out_dir(out_dir)
    with alone_in(out_dir):
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
                outcomes = processes.paint_by_processes(settings, todo, workers=workers)
            else:
                outcomes = paint_jobs(runner, settings, todo, threads=IO_THREADS)
        else:
            del runner  # each worker has its own
            outcomes = batch_ray.paint_on_cluster(
                settings, todo, out_dir, since, address=ray, size=workers
            )
        failed = []
        with contextlib.closing(outcomes):
            for number, outcome in enumerate(outcomes, start=1):
                if outcome.error:
                    failed.append(outcome)
                if progress is not None:
                    progress(number, len(todo), f"{len(failed)} failed" if failed else "")
        return BatchReport(len(todo) - len(failed), len(jobs) - len(todo), failed)


def _check_order(styles: Any, out_dir: Any, engine: Any) -> None:
    """Refuses the order of arguments that was usual before: folders first, then styles."""
    is_wrong = not isinstance(out_dir, (str, os.PathLike))
    if not is_wrong and isinstance(styles, (str, os.PathLike)) and isinstance(engine, str):
        known = trained_styles()
        is_wrong = out_dir in known and styles not in known
    if is_wrong:
        raise InputError(
            f"The order of arguments is `stylize_folder(in_dir, styles, out_dir, weights)`, as in "
            f"`stylize_video`. Expected a folder as `out_dir`. Received: {out_dir!r:.100}."
        )


def num_cores() -> int:
    """Cores that this process may use."""
    try:
        return len(os.sched_getaffinity(0))
    except AttributeError:  # not on Linux
        return os.cpu_count() or 1
