"""A style as numbers, and a library of several by name."""

from __future__ import annotations

import hashlib
import json
import os
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from functools import cached_property
from pathlib import Path
from types import MappingProxyType
from typing import Any

import numpy as np

from arbitrary_nst.common.text import is_plain, made_plain, shortened
from arbitrary_nst.embedding.style_file import MAX_FILE_BYTES, TEXT_FIELDS, read_file, write_file
from arbitrary_nst.errors import EmbeddingError

MAX_NAME_LENGTH = 200
MAX_SOURCE_LENGTH = 2000


@dataclass(frozen=True, eq=False)
class Embedding:
    """A style, as the numbers that one network needs to paint in it.

    Immutable, hashable and picklable. Two embeddings are equal when all their fields are, the
    arrays bit for bit.

    Args:
        engine: name of the engine that made it and can render it, such as "cin".
        network: id of the network's weights; numbers of other weights mean something else.
        arrays: float32 arrays by name, of any shape, finite. They are copied; the attribute is a
            read-only mapping, sorted by name, of read-only arrays.
        name: short name, such as "great-wave"; may be empty.
        source: free text on one line: artist and title, or the file it was made from.

    Raises:
        EmbeddingError: a field has a wrong type or value.
    """

    engine: str
    network: str
    arrays: Mapping[str, np.ndarray] = field(repr=False)
    name: str = ""
    source: str = ""

    def __post_init__(self) -> None:
        for label in TEXT_FIELDS:
            longest = MAX_SOURCE_LENGTH if label == "source" else MAX_NAME_LENGTH
            _check_text(f"`{label}`", getattr(self, label), longest, label in ("engine", "network"))
        if not isinstance(self.arrays, Mapping) or not self.arrays:
            raise EmbeddingError(
                "`arrays` of an embedding must be a mapping of names to float32 arrays, with one "
                f"at least. Received: {self.arrays!r:.200}"
            )
        for key in self.arrays:
            _check_text("An array name", key, MAX_NAME_LENGTH, True)
        arrays = {key: _frozen_array(key, self.arrays[key]) for key in sorted(self.arrays)}
        object.__setattr__(self, "arrays", MappingProxyType(arrays))

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, Embedding):
            return NotImplemented
        return self._identity == other._identity

    def __hash__(self) -> int:
        return hash(self._identity)

    def __reduce__(self) -> tuple[type[Embedding], tuple[Any, ...]]:
        # A mapping proxy cannot be pickled, and unpickled arrays would be writable.
        return Embedding, (self.engine, self.network, dict(self.arrays), self.name, self.source)

    def named_after(self, path: str | os.PathLike[str]) -> Embedding:
        """The same style with the name of a file, whose name may be anything, as name and source.

        Args:
            path: of the image that it was made from.
        """
        name = made_plain(Path(path).stem, MAX_NAME_LENGTH)
        return replace(self, name=name, source=made_plain(Path(path).name, MAX_SOURCE_LENGTH))

    @cached_property
    def digest(self) -> str:
        """SHA-256 in hex of engine, network and arrays, not of name and source."""
        layout = [(key, array.shape) for key, array in self.arrays.items()]
        digest = hashlib.sha256(json.dumps([self.engine, self.network, layout]).encode())
        for array in self.arrays.values():
            digest.update(array.astype("<f4", copy=False).tobytes())
        return digest.hexdigest()

    @property
    def _identity(self) -> tuple[str, str, str]:
        return self.digest, self.name, self.source

    def save(self, path: str | os.PathLike[str]) -> None:
        """Writes this style into a file; an existing one is replaced at once or left untouched.

        Args:
            path: of the file, by custom ending in `.safetensors`.

        Raises:
            EmbeddingError: the folder does not exist, or `path` is a folder.
        """
        write_file(path, [self])

    @classmethod
    def load(cls, path: str | os.PathLike[str], *, max_bytes: int = MAX_FILE_BYTES) -> Embedding:
        """Reads a file with a single style.

        Args:
            path: of the file.
            max_bytes: a larger file is refused before it is read.

        Raises:
            EmbeddingError: the file is missing, damaged, of another kind, or holds more styles.
        """
        embeddings = read_file(path, max_bytes, cls)
        if len(embeddings) > 1:
            raise EmbeddingError(
                f"The style file '{path}' holds {len(embeddings)} styles, not one. Pick one with "
                f"`load_styles(path)[{embeddings[0].name!r}]`."
            )
        return embeddings[0]


def save_styles(
    styles: Iterable[Embedding] | Mapping[str, Embedding], path: str | os.PathLike[str]
) -> None:
    """Writes a library of styles into one file; they may belong to several networks.

    Args:
        styles: the embeddings, or a mapping of names to embeddings; a mapping's names are the
            ones stored. Names must be unique and not empty.
        path: of the file, by custom ending in `.safetensors`. An existing file is replaced at
            once or left untouched.

    Raises:
        EmbeddingError: no styles, or names missing or used twice; the folder does not exist.
    """
    if isinstance(styles, Mapping):
        embeddings = [
            replace(checked_embedding(style, EmbeddingError), name=name)
            for name, style in styles.items()
        ]
    else:
        embeddings = [checked_embedding(style, EmbeddingError) for style in styles]
    if not embeddings:
        raise EmbeddingError("There are no styles to save. Expected one embedding at least.")
    _check_library_names(embeddings)
    write_file(path, embeddings)


def load_styles(
    path: str | os.PathLike[str], *, max_bytes: int = MAX_FILE_BYTES
) -> dict[str, Embedding]:
    """Reads all styles of a file, by name, in the order in which they were saved.

    Args:
        path: of the file, written by `save_styles` or `Embedding.save`.
        max_bytes: a larger file is refused before it is read.

    Raises:
        EmbeddingError: the file is missing, damaged or of another kind, or a style has no name.
    """
    embeddings = read_file(path, max_bytes, Embedding)
    try:
        _check_library_names(embeddings)
    except EmbeddingError as error:
        raise EmbeddingError(f"Cannot read the style file '{path}'. {error}") from error
    return {embedding.name: embedding for embedding in embeddings}


def checked_embedding(value: Any, error: type[ValueError]) -> Embedding:
    """The value itself; raises `error` where it is no embedding."""
    if not isinstance(value, Embedding):
        raise error(
            f"Expected an Embedding, as `embed` and `load_styles` give. Received: {value!r:.200}"
        )
    return value


def _check_text(label: str, text: Any, longest: int, required: bool) -> None:
    if (
        not isinstance(text, str)
        or len(text) > longest
        or (required and not text.strip())
        or not is_plain(text)
    ):
        raise EmbeddingError(
            f"{label} of an embedding must be text of {'1' if required else '0'} to {longest} "
            f"characters on one line. Received: {shortened(ascii(text), 200)}"
        )


def _frozen_array(key: str, array: Any) -> np.ndarray:
    """Checks an array and copies it into memory that cannot be made writable again."""
    if not isinstance(array, np.ndarray) or array.dtype != np.float32 or not array.size:
        received = (
            f"{array.dtype} array {array.shape}"
            if isinstance(array, np.ndarray)
            else type(array).__name__
        )
        raise EmbeddingError(
            f"Array {key!r} of an embedding must be a float32 NumPy array that is not empty. "
            f"Received: {received}"
        )
    if not np.isfinite(array).all():
        raise EmbeddingError(f"Array {key!r} of an embedding holds NaN or infinite values.")
    return np.frombuffer(array.tobytes(), np.float32).reshape(array.shape)


def _check_library_names(embeddings: list[Embedding]) -> None:
    seen: set[str] = set()
    for position, embedding in enumerate(embeddings):
        if not embedding.name.strip():
            raise EmbeddingError(
                f"Style {position} has no name, and a library finds styles by name. Set one with "
                "`dataclasses.replace(embedding, name=...)`; `Embedding.save` and `Embedding.load` "
                "do without."
            )
        if embedding.name in seen:
            raise EmbeddingError(
                f"The name {embedding.name!r} is used twice. Names in a library must be unique."
            )
        seen.add(embedding.name)
