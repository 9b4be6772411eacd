"""The reader of weights: safetensors files, which run no code, checked array by array."""

from __future__ import annotations

import contextlib
from collections.abc import Collection, Iterator, Mapping
from pathlib import Path
from typing import Any

import numpy as np
from safetensors import SafetensorError, safe_open

from arbitrary_nst.common.files import check_regular
from arbitrary_nst.common.text import said
from arbitrary_nst.errors import CheckpointError

_DTYPES = {"F32": "float32", "F16": "float16"}  # as safetensors calls them, and NumPy


@contextlib.contextmanager
def open_weights(path: str | Path, kind: str, *, hint: str = "") -> Iterator[Any]:
    """Opens a file of weights; what is wrong with its contents is one error, whatever it is.

    Args:
        path: of the file.
        kind: what it should be, such as "a network file".
        hint: a sentence on what to do, for the end of the message.

    Yields:
        The open file, with `metadata()`, `keys()`, `get_slice(name)` and `get_tensor(name)`.

    Raises:
        CheckpointError: it cannot be read, or the block raised an error of a value or a type.
    """
    try:
        check_regular(path)
        with safe_open(path, framework="numpy") as file:
            yield file
    except CheckpointError:
        raise
    except (SafetensorError, OSError, ValueError, TypeError, KeyError) as error:
        what = f"{type(error).__name__} {error}" if isinstance(error, KeyError) else error
        raise CheckpointError(f"{path} is not {kind}: {said(what)}. {hint}".rstrip()) from error


@contextlib.contextmanager
def open_own(path: str | Path, kind: str, name: str, version: str) -> Iterator[Any]:
    """Opens a file of this package's own format; see `open_weights`.

    Args:
        path: of the file.
        kind: what it should be, such as "network file".
        name: of the format.
        version: of the format.

    Raises:
        CheckpointError: there is none, it cannot be read, or it is of another kind or version.
    """
    if not Path(path).is_file():
        raise CheckpointError(f"There is no {kind} {path}.")
    with open_weights(path, f"a readable {kind}") as file:
        check_format(path, file.metadata() or {}, name, version)
        yield file


def check_format(path: str | Path, metadata: Mapping[str, str], name: str, version: str) -> None:
    """Raises `CheckpointError` where a file is of another kind or of another version."""
    found = metadata.get("format"), metadata.get("version")
    if found != (name, version):
        raise CheckpointError(
            f"{path} is of another kind or version. Expected format {name!r} version {version!r}. "
            f"Received: {found[0]!r:.100} version {found[1]!r:.100}."
        )


def read_arrays(
    path: str | Path,
    file: Any,
    shapes: Mapping[str, tuple[int, ...]],
    *,
    dtypes: Collection[str] = ("float32",),
    exact: bool = True,
) -> dict[str, np.ndarray]:
    """Arrays of a file, each with the expected shape, and finite.

    Args:
        path: of the file, for messages.
        file: as `open_weights` gives it.
        shapes: of the arrays, by name.
        dtypes: that an array may have.
        exact: whether further arrays are refused.

    Returns:
        float32 arrays by name.

    Raises:
        CheckpointError: an array is missing, not wanted, differs or is not finite; it is named.
    """
    found = set(file.keys())
    for name in sorted(set(shapes) ^ found if exact else set(shapes) - found):
        state = "is missing" if name in shapes else "does not belong to the layout"
        raise CheckpointError(f"{path}: array {name!r:.200} {state}.")
    for name, shape in shapes.items():
        part = file.get_slice(name)
        dtype, own = part.get_dtype(), tuple(part.get_shape())
        dtype = _DTYPES.get(dtype, dtype)
        if own != shape or dtype not in dtypes:
            raise CheckpointError(
                f"{path}: array {name!r:.200} differs. Expected {' or '.join(dtypes)} {shape}. "
                f"Received: {dtype} {own}."
            )
    arrays = {name: file.get_tensor(name).astype(np.float32, copy=False) for name in shapes}
    for name, array in arrays.items():
        if not np.isfinite(array).all():
            raise CheckpointError(f"{path}: array {name!r:.200} holds NaN or infinite values.")
    return arrays
