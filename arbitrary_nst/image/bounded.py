"""Images that nobody trusts, read in a process of their own that may take only so much.

`budget` knows the costs that are known. A decoder may have others, and a fault in one may end the
process that runs it. So what strangers send is read by a child: where it takes too long or too
much memory, or dies, that is one file less and nothing else.
"""

from __future__ import annotations

import contextlib
import json
import math
import os
import subprocess
import sys
from typing import Any, BinaryIO

import numpy as np

from arbitrary_nst import errors
from arbitrary_nst.common.checks import positive_int, positive_number
from arbitrary_nst.errors import ImageError
from arbitrary_nst.image.arrays import as_floats
from arbitrary_nst.image.reading import DEFAULT_MAX_PIXELS, load_image

DEFAULT_SECONDS = 15.0
BYTES_PER_PIXEL = 48  # of reading a picture: decoder, floats, and colours spread under transparency
BYTES_PER_BYTE = 10  # of the file
SPARE_BYTES = 256 * 2**20  # for the modules of Python, and the tables of decoders
_PROGRAM = "from arbitrary_nst.image.bounded import serve; serve()"


def load_untrusted(
    data: bytes,
    *,
    max_pixels: int = DEFAULT_MAX_PIXELS,
    role: str = "content",
    seconds: float = DEFAULT_SECONDS,
) -> tuple[np.ndarray, np.ndarray | None]:
    """`load_image` of a file's bytes, in a process of its own with limits of time and memory.

    It takes a few tenths of a second more. The memory is ten times the file, and what pictures of
    `max_pixels` need. (Where the system has no such limits, as Windows, the time alone is bounded.)

    Args:
        data: the contents of the file.
        max_pixels: largest width times height that is accepted.
        role: as for `load_image`.
        seconds: after which reading is given up.

    Returns:
        As `load_image`, to the bit; remarks that it warns with are dropped.

    Raises:
        ImageTooLarge: the image has more than `max_pixels` pixels.
        ImageError: it cannot be read, or not within these limits.
    """
    max_pixels = positive_int(max_pixels, "max_pixels")
    seconds = positive_number(seconds, "seconds")
    name = f"{role} image (given as bytes)"
    request = {
        "max_pixels": max_pixels,
        "role": role,
        "seconds": seconds,
        "memory": SPARE_BYTES + BYTES_PER_BYTE * len(data) + BYTES_PER_PIXEL * max_pixels,
    }
    try:
        answer = subprocess.run(
            [sys.executable, "-c", _PROGRAM],
            input=json.dumps(request).encode() + b"\n" + data,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            env=_environment(),
            timeout=seconds,
            check=False,
        )
    except subprocess.TimeoutExpired as error:
        raise ImageError(
            f"The {name} takes longer to read than {seconds:g} seconds. Make it smaller, or save "
            f"it anew in an image editor."
        ) from error
    if answer.returncode:  # killed by a limit, or by a fault in a decoder
        raise ImageError(
            f"The {name} cannot be read: its decoder took too much memory or time, or died of it. "
            f"Make it smaller, or save it anew in an image editor."
        )
    return _parsed(answer.stdout)


def _environment() -> dict[str, str]:
    """The child finds what the parent finds, and needs no threads."""
    path = os.pathsep.join(filter(None, sys.path))
    return {**os.environ, "PYTHONPATH": path, "OPENBLAS_NUM_THREADS": "1", "OMP_NUM_THREADS": "1"}


def _parsed(answer: bytes) -> tuple[np.ndarray, np.ndarray | None]:
    """The arrays in an answer; raises the error that is in it."""
    start = answer.index(b"\n") + 1
    head: dict[str, Any] = json.loads(answer[:start])
    if "error" in head:
        raise getattr(errors, head["error"])(head["message"])
    shape = tuple(head["shape"])
    kind = np.dtype(head["dtype"])
    count = math.prod(shape)
    rgb = np.frombuffer(answer, kind, count, start).reshape(shape)
    rgb = as_floats(rgb) if kind == np.uint8 else rgb.copy()
    if not head["has_alpha"]:
        return rgb, None
    return rgb, np.frombuffer(answer, np.float32, offset=start + count * kind.itemsize).reshape(
        shape[:2]
    ).copy()


# In the child.


def serve() -> None:
    """Answers the one request that comes in by the standard input."""
    source, target = sys.stdin.buffer, sys.stdout.buffer
    request = json.loads(source.readline())
    data = source.read()
    _limit(request["memory"], request["seconds"])
    try:
        # In bytes, where that is all there is: an answer a quarter as large.
        rgb, alpha = load_image(
            data, max_pixels=request["max_pixels"], role=request["role"], keep_bytes_above=1
        )
    except errors.InputError as error:
        _send(target, {"error": type(error).__name__, "message": str(error)})
        return
    head = {"shape": rgb.shape, "dtype": rgb.dtype.str, "has_alpha": alpha is not None}
    _send(target, head, rgb, *([] if alpha is None else [alpha]))


def _send(target: BinaryIO, head: dict[str, Any], *arrays: np.ndarray) -> None:
    target.write(json.dumps(head).encode() + b"\n")
    for array in arrays:
        target.write(np.ascontiguousarray(array).data.cast("B"))
    target.flush()


def _limit(memory: int, seconds: float) -> None:
    """Bounds what this process may take from here on."""
    try:
        import resource
    except ImportError:  # Windows
        return
    with contextlib.suppress(OSError, ValueError):
        limit = _address_space() + memory
        resource.setrlimit(resource.RLIMIT_AS, (limit, limit))
    with contextlib.suppress(OSError, ValueError):
        whole = int(seconds) * (os.cpu_count() or 1) + 1  # some decoders use all cores
        resource.setrlimit(resource.RLIMIT_CPU, (whole, whole))


def _address_space() -> int:
    """Bytes of address space that this process has by now."""
    try:
        with open("/proc/self/statm", encoding="ascii") as file:
            return int(file.read().split()[0]) * os.sysconf("SC_PAGE_SIZE")
    except (OSError, ValueError):
        return 2**32
