"""A folder of photos in one blend of styles: read, painted and written at the same time.

The styles are embedded and blended once. Threads around one engine read photos ahead, paint them
and write the pictures; `batch_ray` runs the same steps on many machines. On a CPU the cin engine
paints each picture with a single thread, several pictures at once: that takes less work than one
picture with all threads, and the pictures do not depend on how many cores a machine has.
"""

from __future__ import annotations

import contextlib
import dataclasses
import errno
import functools
import itertools
import math
import os
import threading
from collections import deque
from collections.abc import Callable, Generator, Iterable, Iterator, Sequence
from concurrent.futures import Executor, Future, ThreadPoolExecutor
from dataclasses import dataclass
from typing import Any

from PIL import Image

from arbitrary_nst import api
from arbitrary_nst.batch_files import (
    Job,
    find_jobs,
    is_done,
    make_folders,
    open_manifest,
    remove_leftovers,
)
from arbitrary_nst.embedding import Embedding, blend, normalize_weights
from arbitrary_nst.engines import check_engine, load_engine
from arbitrary_nst.errors import InputError, WeightsUnavailable
from arbitrary_nst.image import DEFAULT_MAX_PIXELS, save_image
from arbitrary_nst.image_arrays import positive_int
from arbitrary_nst.styles import Styles, check_network, list_of_styles, read_styles

MAX_GROUP = 8  # photos of one size that go to the engine together
DRAFT_MARGIN = 1.5  # times the wanted size, at which a large JPEG file is decoded at least
OLD_LEFTOVER = 3600.0  # seconds after which a half-written file belongs to nobody
# With these no further picture could be written either.
_FATAL_WRITES = (errno.ENOSPC, errno.EDQUOT, errno.EROFS)


@dataclass(frozen=True)
class EngineRecipe:
    """What makes the same engine again in another process; see `make_engine`.

    Args:
        name: of the engine.
        network: id of its weights.
        precision: "float32" or "bfloat16" of the cin engine, else None.
        threads: of a single operation of TensorFlow; 0 for as many as there are cores.
        settings: of the vgg19 engine, else None.
    """

    name: str
    network: str
    precision: str | None
    threads: int
    settings: Any = None


@dataclass(frozen=True)
class BatchSettings:
    """All that the pictures of a batch depend on, ready to be sent to another process."""

    engine: EngineRecipe
    style: Embedding
    parts: tuple[str, ...]  # the styles in words, such as "scream:0.3"
    strength: float
    color: str
    size: int | None
    seed: int
    max_pixels: int
    output_format: str
    quality: int

    def fingerprint(self) -> dict[str, Any]:
        """JSON values by name that are equal for equal pictures."""
        values = {
            "style": self.style.digest,
            "engine": self.engine.name,
            "network": self.engine.network,
            "precision": self.engine.precision,
            **{n: getattr(self, n) for n in ("strength", "color", "size", "seed", "quality")},
            "format": self.output_format,
        }
        if self.engine.settings is not None:
            values["vgg19"] = dataclasses.asdict(self.engine.settings)
        return values


@dataclass(frozen=True)
class Outcome:
    """What became of a job: `error` is empty where its output is written."""

    job: Job
    error: str = ""


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
    progress: api.Progress | None = None,
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
        workers: pictures painted at once; default: one for each core, or for each of the
            cluster's GPUs or cores.
        ray: None to work in this process, "local" for a Ray cluster on this machine, or the
            address of a cluster whose machines see the same folders.
        output_format: "keep" or a suffix; see `batch_files.find_jobs`.
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
        from arbitrary_nst import batch_ray

        batch_ray.import_ray()
    jobs = find_jobs(in_dir, out_dir, recursive=recursive, output_format=output_format)
    settings, engine = prepare(
        styles, weights, output_format=output_format, quality=quality, **options
    )
    since = open_manifest(
        out_dir, jobs, settings.fingerprint(), settings.parts, overwrite=overwrite
    )
    todo = [job for job in jobs if not is_done(job.target, since)]
    make_folders(todo)
    remove_leftovers(todo, min_age=OLD_LEFTOVER)
    if ray is None:
        outcomes = paint_jobs(engine, settings, todo, workers=workers or num_cores())
    else:
        del engine  # each worker has its own
        outcomes = batch_ray.paint_jobs(settings, todo, out_dir, since, address=ray, size=workers)
    failed = []
    with contextlib.closing(outcomes):
        for done, outcome in enumerate(outcomes, start=1):
            if outcome.error:
                failed.append(outcome)
            if progress is not None:
                progress(done, len(todo), f"{len(failed)} failed" if failed else "")
    return BatchReport(len(todo) - len(failed), len(jobs) - len(todo), failed)


def num_cores() -> int:
    """Cores that this process may use."""
    try:
        return len(os.sched_getaffinity(0))
    except AttributeError:  # not on Linux
        return os.cpu_count() or 1


def prepare(
    styles: Styles,
    weights: Sequence[float] | None = None,
    *,
    strength: float = 1.0,
    color: str = "style",
    size: int | None = None,
    engine: Any = "auto",
    seed: int = 0,
    max_pixels: int = DEFAULT_MAX_PIXELS,
    precision: str = "auto",
    output_format: str = "keep",
    quality: int = 95,
) -> tuple[BatchSettings, Any]:
    """Checks the options, loads the engine, and embeds and blends the styles.

    `precision` is that of the cin engine: "float32", "bfloat16", or "auto", which is bfloat16
    where this machine's processor multiplies it in hardware; all machines of a batch use the
    same. `output_format` is that of `batch_files.find_jobs`, `quality` that of `save_image`, the
    others are those of `stylize`. Where Magenta's network cannot be had, that is an error: vgg19
    takes its place for one picture, not for thousands.

    Returns:
        The settings, and the engine.

    Raises:
        InputError: an argument that cannot be used.
        WeightsUnavailable: the engine's network cannot be had.
    """
    strength, size, seed = api._check_options(strength, color, size, seed, None)
    check_engine(engine)
    if positive_int(quality, "quality") > 100:
        raise InputError(f"`quality` goes from 1 to 100. Received: {quality}.")
    parts = list_of_styles(styles)
    shares = normalize_weights(weights, len(parts))
    resolved = read_styles(parts, api._known_styles(engine), max_pixels)
    chosen = api._chosen(engine, resolved)
    api._check_styles(resolved, chosen)
    if precision != "auto" and chosen != "cin":
        raise InputError("`precision` is a setting of the cin engine alone.")
    runner, recipe = _engine_and_recipe(chosen, precision)
    check_network(resolved, runner.name, runner.network)
    embeddings = [s if isinstance(s, Embedding) else runner.embed(s) for s in resolved]
    names = [
        e.name or (os.fspath(p) if isinstance(p, (str, os.PathLike)) else "unnamed")
        for e, p in zip(embeddings, parts, strict=True)
    ]
    settings = BatchSettings(
        engine=recipe,
        style=blend(embeddings, shares),
        parts=tuple(f"{n}:{share:.4g}" for n, share in zip(names, shares, strict=True)),
        strength=strength,
        color=color,
        size=size,
        seed=seed,
        max_pixels=max_pixels,
        output_format=output_format,
        quality=quality,
    )
    return settings, runner


def _engine_and_recipe(chosen: Any, precision: str) -> tuple[Any, EngineRecipe]:
    if chosen != "cin":
        runner = load_engine(chosen) if isinstance(chosen, str) else chosen
        settings = getattr(runner, "settings", None)
        return runner, EngineRecipe(runner.name, runner.network, None, 0, settings)
    from arbitrary_nst.engines.cin import PRECISIONS
    from arbitrary_nst.networks.precision import has_fast_bfloat16

    if precision not in PRECISIONS:
        raise InputError(
            f"`precision` is one of {', '.join(PRECISIONS)}. Received: {precision!r:.100}."
        )
    if precision == "auto":
        precision = "bfloat16" if has_fast_bfloat16() else "float32"
    recipe = EngineRecipe("cin", "", precision, set_threads(1))
    runner = make_engine(recipe)
    return runner, dataclasses.replace(recipe, network=runner.network)


def set_threads(threads: int) -> int:
    """Sets the threads of a single operation of TensorFlow, if it is not yet at work.

    The last bits of a picture depend on them: sums are taken in as many parts.

    Returns:
        The number that is set; 0 for as many as there are cores.
    """
    import tensorflow as tf

    # It says so with an error where it is too late; then what is set stays.
    with contextlib.suppress(RuntimeError):
        tf.config.threading.set_intra_op_parallelism_threads(threads)
    return tf.config.threading.get_intra_op_parallelism_threads()


def make_engine(recipe: EngineRecipe) -> Any:
    """The engine of a recipe.

    Raises:
        WeightsUnavailable: its network cannot be had, or this machine has another one.
        InputError: it is an engine object of the caller's, of which there is no recipe.
    """
    if recipe.name == "cin":
        from arbitrary_nst.engines.cin import Cin

        engine: Any = Cin(precision=recipe.precision or "auto")
    elif recipe.name == "vgg19":
        from arbitrary_nst.engines.vgg19 import Vgg19

        engine = Vgg19(settings=recipe.settings)
    else:
        engine = load_engine(recipe.name)
    if recipe.network and engine.network != recipe.network:
        raise WeightsUnavailable(
            f"The {recipe.name} engine has another network here: {engine.network}. Expected "
            f"{recipe.network}. Install the same files on all machines."
        )
    return engine


# The work itself: readers, painters and writers, each a pool of threads.


def paint_jobs(
    engine: Any, settings: BatchSettings, jobs: Sequence[Job], *, workers: int = 1
) -> Generator[Outcome, None, None]:
    """Paints photos and writes the pictures; yields what became of each, in order.

    Closing the generator, or Ctrl-C, ends the work after the pictures that are being written.

    Args:
        engine: of the settings.
        settings: see `prepare`.
        jobs: in folders that exist.
        workers: threads that read, as many that write, and, of the cin engine, as many that
            paint. The others paint one picture at a time, with all cores.

    Raises:
        OSError: the disk is full.
    """
    painters = workers if settings.engine.name == "cin" else 1
    stop = threading.Event()
    readers, painting, writers = pools = (
        ThreadPoolExecutor(workers, "read"),
        ThreadPoolExecutor(painters, "paint"),
        ThreadPoolExecutor(workers, "write"),
    )
    read = _ahead(readers, functools.partial(_read, settings), jobs, 2 * workers)
    paint = functools.partial(_paint, engine, settings, writers, stop)
    try:
        for group in _ahead(painting, paint, _groups(read), painters + 2):
            for outcome in group:
                yield outcome.result() if isinstance(outcome, Future) else outcome
    finally:
        stop.set()
        for pool in pools:
            pool.shutdown(cancel_futures=True)


def _ahead(pool: Executor, function: Callable, items: Iterable, count: int) -> Iterator:
    """`map` with `count` calls under way, and no more: photos fill the memory."""
    items = iter(items)
    running: deque[Future] = deque()
    while True:
        for item in itertools.islice(items, count - len(running)):
            running.append(pool.submit(function, item))
        if not running:
            return
        yield running.popleft().result()


def _read(settings: BatchSettings, job: Job) -> tuple[Job, api.Photo | None, str]:
    try:
        return job, _load(job.source, settings.size, settings.max_pixels), ""
    except Exception as error:
        return job, None, _reason(error)


def _load(path: str, size: int | None, max_pixels: int) -> api.Photo:
    """The photo as `stylize` reads it, but for JPEG files far larger than `size`.

    Those are decoded at a half to an eighth of their size, which JPEG does well, and only then
    resized; else the painting would be the least part of the work.
    """
    if size is not None and path.lower().endswith((".jpg", ".jpeg", ".jpe")):
        # What is wrong with a file is found out and said below.
        with contextlib.suppress(Exception), Image.open(path, formats=["JPEG"]) as image:
            whole = image.size
            scale = DRAFT_MARGIN * size / max(whole)
            image.draft(None, (math.ceil(whole[0] * scale), math.ceil(whole[1] * scale)))
            if image.size != whole and math.prod(whole) <= max_pixels:
                return api._load_content(image, size, max_pixels)
    return api._load_content(path, size, max_pixels)


def _groups(read: Iterable[tuple[Job, api.Photo | None, str]]) -> Iterator[list]:
    """Neighbours of one shape, and those that cannot be read."""
    group: list = []
    shape = None
    for entry in read:
        photo = entry[1]
        new_shape = None if photo is None else photo[0].shape
        room = MAX_GROUP
        if new_shape is not None:
            room = min(room, api.BATCH_PIXELS // (new_shape[0] * new_shape[1]))
        if group and (new_shape != shape or len(group) >= room):
            yield group
            group = []
        group.append(entry)
        shape = new_shape
    if group:
        yield group


def _paint(
    engine: Any,
    settings: BatchSettings,
    writers: Executor,
    stop: threading.Event,
    group: list[tuple[Job, api.Photo | None, str]],
) -> list[Outcome | Future[Outcome]]:
    photos = [photo for _, photo, _ in group if photo is not None]
    if not photos:
        return [Outcome(job, error) for job, _, error in group]

    def check(*_: Any, **__: Any) -> None:
        if stop.is_set():
            raise InterruptedError

    # An engine that takes minutes looks at each of its steps whether it should stop.
    progress = check if hasattr(engine, "render_steps") else None
    look = (settings.style, settings.strength, settings.color, settings.seed)
    try:
        pictures = api._paint(engine, *look, progress, photos)
    except Exception as error:
        if stop.is_set():
            return []
        if len(group) == 1:
            return [Outcome(group[0][0], _reason(error))]
        # One of them, or the memory for all of them: each by itself.
        return [o for one in group for o in _paint(engine, settings, writers, stop, [one])]
    return [
        writers.submit(_write, settings, job, picture)
        for (job, _, _), picture in zip(group, pictures, strict=True)
    ]


def _write(settings: BatchSettings, job: Job, picture: Any) -> Outcome:
    try:
        save_image(picture, job.target, quality=settings.quality)
    except Exception as error:
        if isinstance(error, OSError) and error.errno in _FATAL_WRITES:
            raise
        return Outcome(job, _reason(error))
    return Outcome(job)


def _reason(error: Exception) -> str:
    text = " ".join(str(error).split())
    if isinstance(error, (InputError, OSError)) and text:
        return text
    if isinstance(error, MemoryError):
        return f"There is not enough memory; a smaller size or fewer workers need less. {text}"
    return f"{type(error).__name__}: {text}"
