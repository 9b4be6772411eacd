"""Photos read, painted and written at the same time: three pools of threads around one engine."""

from __future__ import annotations

import contextlib
import errno
import functools
import itertools
import math
import threading
from collections import deque
from collections.abc import Callable, Generator, Iterable, Iterator, Sequence
from concurrent.futures import Executor, Future, ThreadPoolExecutor
from dataclasses import dataclass
from typing import Any

from PIL import Image

from arbitrary_nst.batch.files import Job
from arbitrary_nst.batch.settings import BatchSettings
from arbitrary_nst.engines.protocol import Engine
from arbitrary_nst.errors import InputError, RenderError
from arbitrary_nst.image import load_photo
from arbitrary_nst.image.reading import open_file, open_image
from arbitrary_nst.image.resizing import resized_shape
from arbitrary_nst.pipeline.arguments import Options
from arbitrary_nst.pipeline.contents import Content, by_size, load_content
from arbitrary_nst.pipeline.paint import paint
from arbitrary_nst.pipeline.picture import Picture

MAX_GROUP = 8  # photos of one size that go to the engine together
DRAFT_MARGIN = 1.5  # times the wanted size, at which a large JPEG file is decoded at least
# With these no further picture could be written either.
_FATAL_WRITES = (errno.ENOSPC, errno.EDQUOT, errno.EROFS)


@dataclass(frozen=True)
class Outcome:
    """What became of a job: `error` is empty where its output is written."""

    job: Job
    error: str = ""


def paint_jobs(
    engine: Engine, settings: BatchSettings, jobs: Sequence[Job], *, threads: int = 1
) -> Generator[Outcome, None, None]:
    """Paints photos and writes the pictures; yields what became of each, in order.

    Closing the generator, or Ctrl-C, ends the work after the pictures that are being written.

    Args:
        engine: of the settings.
        settings: see `prepare`.
        jobs: in folders that exist.
        threads: that read, and as many that write. One paints.

    Raises:
        OSError: the disk is full.
    """
    stop = threading.Event()
    readers, painting, writers = pools = (
        ThreadPoolExecutor(threads, "read"),
        ThreadPoolExecutor(1, "paint"),
        ThreadPoolExecutor(threads, "write"),
    )
    read = ahead(readers, functools.partial(_read, settings), jobs, threads + 1)
    # Where a picture takes minutes, none is to be lost because a neighbour broke off.
    most = MAX_GROUP if engine.render_steps is None else 1
    groups = by_size(read, lambda entry: entry[1], most)
    try:
        for group in ahead(
            painting, functools.partial(_paint, engine, settings, writers, stop), groups, 3
        ):
            for outcome in group:
                yield outcome.result() if isinstance(outcome, Future) else outcome
    finally:
        stop.set()
        for pool in pools:
            pool.shutdown(cancel_futures=True)


def ahead(pool: Executor, function: Callable, items: Iterable, count: int) -> Iterator:
    """`map` with `count` calls under way, and no more: photos fill the memory."""
    items = iter(items)
    running: deque[Future] = deque()
    while True:
        for item in itertools.islice(items, count - len(running)):
            running.append(pool.submit(function, item))
        if not running:
            return
        yield running.popleft().result()


def _read(settings: BatchSettings, job: Job) -> tuple[Job, Content | None, str]:
    options = settings.look.options
    try:
        return job, _load(job.source, options), ""
    except Exception as error:
        return job, None, _reason(error)


def _load(path: str, options: Options) -> Content:
    """The photo as `stylize` reads it, but for JPEG files far larger than `size`.

    Those are decoded at a half to an eighth of their size, which JPEG does well, and only then
    resized; else the painting would be the least part of the work.
    """
    size, max_pixels = options.size, options.max_pixels
    if size is not None and path.lower().endswith((".jpg", ".jpeg", ".jpe", ".jfif")):
        # What is wrong with a file is found out and said below.
        with (
            contextlib.suppress(Exception),
            open_file(path, "photo") as file,
            open_image(file, "photo", ["JPEG"]) as image,
        ):
            whole = image.size
            scale = size / max(whole)
            wanted = [math.ceil(DRAFT_MARGIN * scale * side) for side in whole]
            draft = image.draft(None, (wanted[0], wanted[1]))
            if draft and image.size != whole and math.prod(whole) <= max_pixels:
                shape = resized_shape((whole[1], whole[0]), size)
                # The box: at the borders there may be parts of pixels.
                small = image.resize(shape[::-1], Image.Resampling.LANCZOS, box=draft[1])
                keep = options.keep_metadata
                return Content(*load_photo(small, max_pixels=max_pixels, metadata=keep))
    return load_content(path, options)


def _paint(
    engine: Engine,
    settings: BatchSettings,
    writers: Executor,
    stop: threading.Event,
    group: list[tuple[Job, Content | None, str]],
) -> list[Outcome | Future[Outcome]]:
    photos = [photo for _, photo, _ in group if photo is not None]
    if not photos:
        return [Outcome(job, error) for job, _, error in group]

    def check(*_: Any, **__: Any) -> None:
        if stop.is_set():
            raise InterruptedError

    # An engine that takes minutes looks at each of its steps whether it should stop.
    progress = check if engine.render_steps is not None else None
    try:
        pictures = paint(engine, settings.look, progress, photos)
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


def _write(settings: BatchSettings, job: Job, picture: Picture) -> Outcome:
    try:
        picture.save(job.target, quality=settings.quality, bits=settings.look.options.bits)
    except Exception as error:
        if isinstance(error, OSError) and error.errno in _FATAL_WRITES:
            raise
        return Outcome(job, _reason(error))
    return Outcome(job)


def _reason(error: Exception) -> str:
    text = " ".join(str(error).split())
    if isinstance(error, (InputError, RenderError, OSError)) and text:
        return text
    if isinstance(error, MemoryError):
        return f"There is not enough memory; a smaller size or fewer workers need less. {text}"
    return f"{type(error).__name__}: {text}"
