"""A batch on a Ray cluster: one engine in each worker, paths in, outcomes out.

Photos and pictures never pass through Ray: a worker reads and writes them itself, so all machines
have to see both folders. What Ray does is share the paths out, hold back what the workers are
not ready for, and give the paths of a worker that died to another one. Doing one twice is
harmless, since a picture appears whole or not at all and is always the same.
"""

from __future__ import annotations

import contextlib
import logging
import math
import os
import re
import socket
from collections.abc import Generator, Iterator, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from arbitrary_nst import errors
from arbitrary_nst.batch import work
from arbitrary_nst.batch.files import MANIFEST, Job, is_done, remove_leftovers
from arbitrary_nst.batch.settings import BatchSettings, make_engine, set_threads
from arbitrary_nst.batch.work import Outcome
from arbitrary_nst.common.extras import require
from arbitrary_nst.errors import InputError

TASK_PHOTOS = 16  # of one call: what is done again when a worker dies
GPU_READERS = 4  # threads that read and write beside a GPU
_ENVIRONMENT = "ARBITRARY_NST_"


class Worker:
    """An engine in a process of its own, called by Ray Data with batches of paths.

    Args:
        settings: of the batch.
        out_dir: the output folder, absolute.
        since: time of its manifest.
        threads: that read, and as many that write.

    Raises:
        InputError: this machine does not see the output folder.
        WeightsUnavailable: it has no network, or another one.
    """

    def __init__(self, settings: BatchSettings, out_dir: str, since: int, threads: int) -> None:
        if not Path(out_dir, MANIFEST).exists():
            raise InputError(
                f"The machine {socket.gethostname()!r} does not see the output folder "
                f"{out_dir!r}. Expected a file system that all machines of the cluster share."
            )
        # Before TensorFlow does anything: the pictures should have the bits of a local run.
        set_threads(settings.engine.threads)
        self._engine = make_engine(settings.engine)
        self._settings, self._since, self._threads = settings, since, threads

    def __call__(self, rows: dict[str, np.ndarray]) -> dict[str, np.ndarray]:
        """Paints a batch of photos.

        Args:
            rows: "source" and "target", arrays `(N,)` of paths as bytes.

        Returns:
            The same, and "error", texts, empty where the picture is written.
        """
        pairs = zip(rows["source"], rows["target"], strict=True)
        jobs = [Job(os.fsdecode(source), os.fsdecode(target)) for source, target in pairs]
        # A worker that died may have come this far already.
        todo = [job for job in jobs if not is_done(job.target, self._since)]
        painted = work.paint_jobs(self._engine, self._settings, todo, threads=self._threads)
        failed = {outcome.job: outcome.error for outcome in painted}
        return {**rows, "error": np.array([failed.get(job, "") for job in jobs], dtype=object)}


def paint_on_cluster(
    settings: BatchSettings,
    jobs: Sequence[Job],
    out_dir: str | os.PathLike[str],
    since: int,
    *,
    address: str,
    size: int | None = None,
) -> Generator[Outcome, None, None]:
    """`work.paint_jobs` on a cluster; yields outcomes as they come, in any order.

    Args:
        settings: of the batch.
        jobs: in folders that exist.
        out_dir: the output folder.
        since: time of its manifest.
        address: "local" for a cluster on this machine, which ends with the generator, or that of
            a running one, as `ray.init` takes it.
        size: workers; default: one for each GPU, or, without any, for each core; of an engine
            that uses all cores for one picture, for each machine.

    Raises:
        ImportError: Ray is not installed.
        InputError: there is no cluster at the address, or a worker cannot start.
        OSError: the disk is full.
    """
    require("ray.data")
    ray = require("ray")
    if not jobs:
        return
    try:
        with _cluster(ray, address, size):
            size, resources = _shares(ray, settings, size or 0, len(jobs))
            rows = [{"source": _path(job.source), "target": _path(job.target)} for job in jobs]
            given = {row["target"]: job for row, job in zip(rows, jobs, strict=True)}
            # Of a few photos smaller shares, or some workers would have none.
            shares = max(math.ceil(len(rows) / TASK_PHOTOS), min(4 * size, len(rows)))
            data = ray.data.from_items(rows, override_num_blocks=shares)
            outcomes = data.map_batches(
                Worker,
                fn_constructor_kwargs={
                    "settings": settings,
                    "out_dir": os.path.abspath(out_dir),
                    "since": since,
                    "threads": GPU_READERS if "num_gpus" in resources else 1,
                },
                batch_size=None,  # a block at a time
                compute=ray.data.ActorPoolStrategy(size=size),
                **resources,
            )
            try:
                for row in outcomes.iter_rows():
                    yield Outcome(given[row["target"]], row["error"])
            except ray.exceptions.RayError as error:
                raise _plain(error) from error
    finally:
        # No worker is left that could be writing; one that was killed may have left half a file.
        remove_leftovers(jobs)


@contextlib.contextmanager
def _cluster(ray: Any, address: str, size: int | None) -> Iterator[None]:
    """Connects to a cluster, or starts one, and says goodbye to it at the end."""
    if ray.is_initialized():
        yield  # the caller's own
        return
    environment = {n: v for n, v in os.environ.items() if n.startswith(_ENVIRONMENT)}
    options: dict[str, Any] = {"log_to_driver": False, "logging_level": logging.ERROR}
    if address == "local":
        options.update(address="local", num_cpus=size, include_dashboard=False)
    else:
        options.update(address=address, runtime_env={"env_vars": environment})
    try:
        _check_reachable(address)
        ray.init(**options)
    except (OSError, ValueError) as error:
        raise InputError(
            f"There is no Ray cluster at {address!r}: {error}. Expected `local`, or `auto` on a "
            f"machine of the cluster, or the address of its head, HOST:6379."
        ) from error
    logger = logging.getLogger("ray.data")
    level = logger.level
    logger.setLevel(logging.ERROR)
    ray.data.DataContext.get_current().enable_progress_bars = False  # there is one of our own
    try:
        yield
    finally:
        logger.setLevel(level)
        ray.shutdown()


def _shares(ray: Any, settings: BatchSettings, size: int, most: int) -> tuple[int, dict[str, Any]]:
    """The number of workers, and what each of them reserves."""
    gpus, cores = (int(ray.cluster_resources().get(kind, 0)) for kind in ("GPU", "CPU"))
    machines = sum(node["Alive"] for node in ray.nodes())
    fast = settings.engine.name == "cin"
    size = max(1, min(size or gpus or (cores if fast else machines), most))
    if gpus >= size:
        return size, {"num_gpus": 1}
    return size, {"num_cpus": 1} if fast else {"num_cpus": 1, "scheduling_strategy": "SPREAD"}


def _path(path: str) -> bytes:
    # Bytes, because not every name is text, and absolute, because workers are elsewhere.
    return os.fsencode(os.path.abspath(path))


def _check_reachable(address: str) -> None:
    """Fails at once where nobody listens; Ray itself tries for minutes."""
    match = re.fullmatch(r"(?:ray://)?([^/]+):(\d+)", address)
    if match:
        with socket.create_connection((match[1], int(match[2])), timeout=10):
            pass


def _plain(error: Exception) -> Exception:
    """What went wrong in a worker, without the story of how it travelled."""
    cause = getattr(error, "cause", None)
    if isinstance(cause, (InputError, OSError)):
        return cause
    # Of a worker that could not start there is only the text of its traceback.
    lines = [line for line in str(error).splitlines() if line.strip()] or [type(error).__name__]
    name, _, text = lines[-1].strip().rpartition("arbitrary_nst.errors.")[2].partition(": ")
    kind = getattr(errors, name, None)
    return kind(text) if kind else RuntimeError(f"A worker failed: {lines[-1].strip()}")
