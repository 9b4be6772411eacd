"""The file that holds styles: bytes and records; what an embedding is, is none of its business.

A style file is a safetensors file, so loading one never runs code. It holds one style or a whole
library of them: array `NAME` of the style at position `I` under the key `I/NAME`, everything else
as JSON in the single metadata entry `arbitrary_nst`.
"""

from __future__ import annotations

import json
import os
import stat
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any, Protocol, TypeVar

import numpy as np
import safetensors
import safetensors.numpy
from safetensors import SafetensorError

from arbitrary_nst.common.atomic import check_is_no_folder, check_name, write_bytes
from arbitrary_nst.common.json_text import parse_json
from arbitrary_nst.common.text import said, shortened
from arbitrary_nst.errors import EmbeddingError

FILE_VERSION = 1
MAX_FILE_BYTES = 256 * 2**20  # some sixty optimisation styles or ten thousand network styles
TEXT_FIELDS = ("engine", "network", "name", "source")

_METADATA_KEY = "arbitrary_nst"

Made = TypeVar("Made")


class Style(Protocol):
    """What is written of a style: these arrays, and the attributes of `TEXT_FIELDS`."""

    @property
    def arrays(self) -> Mapping[str, np.ndarray]: ...


def write_file(path: str | os.PathLike[str], styles: Sequence[Style]) -> None:
    """Writes styles into a file; an existing one is replaced at once or left untouched.

    Raises:
        EmbeddingError: the folder does not exist, or `path` is a folder.
        InputError: no file could be called so.
    """
    check_name(path)
    check_is_no_folder(path)
    target = Path(path)
    if target.is_dir() or not target.parent.is_dir():
        fault = "It is a folder" if target.is_dir() else f"There is no folder '{target.parent}'"
        raise EmbeddingError(
            f"Cannot write the style file '{path}'. {fault}. Expected a file in an existing folder."
        )
    write_bytes(target, _encode(styles))


def read_file(
    path: str | os.PathLike[str], max_bytes: int, make: Callable[..., Made]
) -> list[Made]:
    """The styles of a file, each made by `make(arrays=..., engine=..., network=..., ...)`.

    Raises:
        EmbeddingError: the file is missing, larger than `max_bytes`, damaged, or of another kind.
    """
    try:
        return _decode(_read_bytes(Path(path), max_bytes), make)
    except EmbeddingError as error:
        raise EmbeddingError(f"Cannot read the style file '{path}'. {error}") from error


def _read_bytes(path: Path, max_bytes: int) -> bytes:
    try:
        status = path.stat()
        if not stat.S_ISREG(status.st_mode):  # opening a pipe would wait for ever
            raise EmbeddingError("It is a folder or a device. Expected a file.")
        if status.st_size > max_bytes:
            raise EmbeddingError(
                f"It is larger than allowed. Expected at most max_bytes={max_bytes}. "
                f"Received: {status.st_size} bytes"
            )
        return path.read_bytes()
    except EmbeddingError:
        raise
    except FileNotFoundError as error:
        raise EmbeddingError("There is no such file.") from error
    except (OSError, ValueError) as error:  # ValueError: a NUL character in the path
        raise EmbeddingError(f"It cannot be opened: {error}") from error


def _encode(styles: Sequence[Style]) -> bytes:
    """The bytes of a style file; equal styles give equal bytes."""
    arrays = {
        f"{position}/{key}": array
        for position, style in enumerate(styles)
        for key, array in style.arrays.items()
    }
    # One entry only: safetensors writes several metadata entries in random order.
    records = [{label: getattr(style, label) for label in TEXT_FIELDS} for style in styles]
    metadata = json.dumps({"version": FILE_VERSION, "styles": records})
    return safetensors.numpy.save(arrays, metadata={_METADATA_KEY: metadata})


def _decode(data: bytes, make: Callable[..., Made]) -> list[Made]:
    """The styles in the bytes of a file, which may be anything at all."""
    try:
        # First, because it bounds the header's size and nesting and checks every offset.
        tensors = safetensors.deserialize(data)
        header = parse_json(data[8 : 8 + int.from_bytes(data[:8], "little")])
    except (SafetensorError, ValueError) as error:
        raise EmbeddingError(
            "It is damaged or not a safetensors file at all. Expected a file written by "
            f"`Embedding.save` or `save_styles`. The reader says: {said(error)}"
        ) from error
    records = _decode_metadata((header.get("__metadata__") or {}).get(_METADATA_KEY))
    arrays: list[dict[str, np.ndarray]] = [{} for _ in records]
    positions = {str(position): position for position in range(len(records))}
    for key, tensor in tensors:
        position, slash, name = key.partition("/")
        if position not in positions or not slash:
            raise EmbeddingError(
                f"Array {key!r:.200} belongs to none of its {len(records)} styles."
            )
        arrays[positions[position]][name] = _decode_array(key, tensor)
    return [make(arrays=own, **record) for own, record in zip(arrays, records, strict=True)]


def _decode_array(key: str, tensor: Mapping[str, Any]) -> np.ndarray:
    if tensor["dtype"] != "F32":
        raise EmbeddingError(
            f"Array {key!r:.200} must be of dtype F32 (float32). Received: {tensor['dtype']}"
        )
    try:
        return np.frombuffer(tensor["data"], "<f4").astype(np.float32).reshape(tensor["shape"])
    except ValueError as error:  # NumPy has limits of its own, on the number of axes for one
        raise EmbeddingError(f"Array {key!r:.200} has an impossible shape: {error}") from error


def _decode_metadata(text: str | None) -> list[dict[str, Any]]:
    """The text fields of the styles in a file; `Embedding` checks the values."""
    if text is None:
        raise EmbeddingError(
            "It is a safetensors file without styles, perhaps the weights of a network. Expected "
            "a file written by `Embedding.save` or `save_styles`."
        )
    try:
        metadata = parse_json(text)
    except ValueError as error:
        raise EmbeddingError(f"Its list of styles is damaged: {said(error)}") from error
    version = metadata.get("version") if isinstance(metadata, dict) else None
    if isinstance(version, int) and version > FILE_VERSION:
        raise EmbeddingError(
            f"It has format version {version}, and this arbitrary_nst reads up to {FILE_VERSION}. "
            "Update it with `pip install --upgrade arbitrary-nst`."
        )
    styles = metadata.get("styles") if isinstance(metadata, dict) else None
    if (
        version != FILE_VERSION
        or not isinstance(styles, list)
        or not styles
        or not all(isinstance(s, dict) and s.keys() == set(TEXT_FIELDS) for s in styles)
    ):
        raise EmbeddingError(
            "Its list of styles is damaged. Expected the format version and for each style "
            f"{', '.join(TEXT_FIELDS)}. Received: {shortened(text, 200)!r}"
        )
    return styles
