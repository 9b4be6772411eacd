"""A style as numbers: the embedding, the blend of several, and the file that holds them.

A style file is a safetensors file, so loading one never runs code. It holds one style or a whole
library of them: array `NAME` of the style at position `I` under the key `I/NAME`, everything else
as JSON in the single metadata entry `arbitrary_nst`.
"""

from __future__ import annotations

import hashlib
import json
import math
import os
import stat
import unicodedata
from collections.abc import Iterable, Mapping, Sequence, Set
from dataclasses import dataclass, field, replace
from functools import cached_property
from pathlib import Path
from types import MappingProxyType
from typing import Any

import numpy as np
import safetensors
import safetensors.numpy
from safetensors import SafetensorError

from arbitrary_nst.common.atomic import write_bytes
from arbitrary_nst.common.checks import is_real
from arbitrary_nst.errors import BlendWeightsError, EmbeddingError, StyleError

FILE_VERSION = 1
MAX_FILE_BYTES = 256 * 2**20  # some sixty optimisation styles or ten thousand network styles
MAX_NAME_LENGTH = 200
MAX_SOURCE_LENGTH = 2000

_METADATA_KEY = "arbitrary_nst"
_TEXT_FIELDS = ("engine", "network", "name", "source")
# Control characters, lone surrogates, line and paragraph separators: they garble a terminal or
# cannot be written. Other spaces stay allowed: macOS puts a narrow one into screenshot names.
_FORBIDDEN_CATEGORIES = ("Cc", "Cs", "Zl", "Zp")


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
        for label in _TEXT_FIELDS:
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
        _write_file(path, [self])

    @classmethod
    def load(cls, path: str | os.PathLike[str], *, max_bytes: int = MAX_FILE_BYTES) -> Embedding:
        """Reads a file with a single style.

        Args:
            path: of the file.
            max_bytes: a larger file is refused before it is read.

        Raises:
            EmbeddingError: the file is missing, damaged, of another kind, or holds more styles.
        """
        embeddings = _read_file(path, max_bytes)
        if len(embeddings) > 1:
            raise EmbeddingError(
                f"The style file '{path}' holds {len(embeddings)} styles, not one. Pick one with "
                f"`load_styles(path)[{embeddings[0].name!r}]`."
            )
        return embeddings[0]


def blend(
    embeddings: Iterable[Embedding],
    weights: Sequence[float] | np.ndarray | None = None,
    *,
    name: str | None = None,
) -> Embedding:
    """Mixes styles: the weighted mean of their embeddings.

    Exact where it can be: a style of weight 0 takes no part, equal styles give that style bit for
    bit, and the order of the (embedding, weight) pairs does not matter to any bit.

    Args:
        embeddings: one or more, all of one engine and network.
        weights: one non-negative number per embedding, scaled to the sum 1. Default: all equal.
        name: of the blend. Default: made from the parts, such as
            "0.67 great-wave + 0.33 starry-night".

    Raises:
        StyleError: no embedding, or embeddings of different networks.
        BlendWeightsError: weights that do not fit the embeddings.

    Example:
        >>> half_wave = blend([identity, great_wave], [0.5, 0.5])
    """
    if not isinstance(embeddings, Iterable):
        raise StyleError(
            f"`embeddings` must be a list of embeddings. Received: {embeddings!r:.200}"
        )
    parts = [_checked_embedding(part, StyleError) for part in embeddings]
    shares = normalize_weights(weights, len(parts))
    _check_blendable(parts)
    pairs = [(part, share) for part, share in zip(parts, shares, strict=True) if share > 0]
    label = _blend_name(pairs) if name is None else name
    sources = dict.fromkeys(part.source for part, _ in _largest_first(pairs) if part.source)
    return Embedding(
        engine=parts[0].engine,
        network=parts[0].network,
        arrays=_mean_arrays(pairs),
        name=label,
        source=_shortened("; ".join(sources), MAX_SOURCE_LENGTH),
    )


def normalize_weights(weights: Sequence[float] | np.ndarray | None, count: int) -> list[float]:
    """Checks blend weights and scales them to the sum 1.

    Args:
        weights: `count` non-negative, finite numbers, one above 0 at least; None for equal ones.
        count: of the styles to blend.

    Returns:
        `count` floats in `[0, 1]` with the sum 1.

    Raises:
        StyleError: `count` is 0.
        BlendWeightsError: wrong count, not numbers, negative, not finite, or all zero.
    """
    if count < 1:
        raise StyleError("There is nothing to blend. Expected one style at least.")
    if weights is None:
        return [1.0 / count] * count
    try:
        given = list(weights)
    except TypeError:
        given = None
    if given is None or isinstance(weights, (str, bytes, Mapping, Set)):
        raise BlendWeightsError(
            f"`weights` must be a list of numbers, one per style. Received: {weights!r:.200}"
        )
    if len(given) != count:
        raise BlendWeightsError(
            f"`weights` needs one value per style. Expected {count} value{'s' * (count != 1)}. "
            f"Received {len(given)}: {_listed(given)}"
        )
    values = [_weight(value, given) for value in given]
    largest = max(values)
    if largest == 0:
        raise BlendWeightsError(
            f"`weights` must have one value above 0 at least. Received: {_listed(given)}"
        )
    # Dividing by the largest first keeps 1e308 from overflowing and 5e-324 from vanishing.
    scaled = [value / largest for value in values]
    total = math.fsum(scaled)
    return [value / total for value in scaled]


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
            replace(_checked_embedding(style, EmbeddingError), name=name)
            for name, style in styles.items()
        ]
    else:
        embeddings = [_checked_embedding(style, EmbeddingError) for style in styles]
    if not embeddings:
        raise EmbeddingError("There are no styles to save. Expected one embedding at least.")
    _check_library_names(embeddings)
    _write_file(path, embeddings)


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
    embeddings = _read_file(path, max_bytes)
    try:
        _check_library_names(embeddings)
    except EmbeddingError as error:
        raise EmbeddingError(f"Cannot read the style file '{path}'. {error}") from error
    return {embedding.name: embedding for embedding in embeddings}


def _mean_arrays(pairs: list[tuple[Embedding, float]]) -> dict[str, np.ndarray]:
    """The weighted mean of each array, summed in float64 in an order that only content decides."""
    shares: dict[str, list[float]] = {}
    for part, share in pairs:
        shares.setdefault(part.digest, []).append(share)
    arrays = {part.digest: part.arrays for part, _ in pairs}
    if len(arrays) == 1:
        return dict(pairs[0][0].arrays)
    means = {}
    for key, array in pairs[0][0].arrays.items():
        total = np.zeros(array.shape, np.float64)
        for digest in sorted(arrays):
            total += math.fsum(shares[digest]) * arrays[digest][key].astype(np.float64)
        means[key] = total.astype(np.float32)
    return means


def _largest_first(pairs: list[tuple[Embedding, float]]) -> list[tuple[Embedding, float]]:
    return sorted(pairs, key=lambda pair: (-pair[1], pair[0].name, pair[0].source))


def _blend_name(pairs: list[tuple[Embedding, float]]) -> str:
    """Names a blend by its parts, such as "0.67 great-wave + 0.33 starry-night"."""
    shares: dict[str, list[float]] = {}
    for part, share in pairs:
        shares.setdefault(part.name, []).append(share)
    if len(shares) == 1:
        return pairs[0][0].name
    totals = sorted((-math.fsum(values), name) for name, values in shares.items())
    texts = []
    for negative_total, name in totals:
        nested = f"({name})" if " + " in name else name or "unnamed"
        texts.append(f"{-negative_total:.2g} {nested}")
    return _shortened(" + ".join(texts), MAX_NAME_LENGTH)


def _shortened(text: str, longest: int) -> str:
    return text if len(text) <= longest else text[: longest - 1] + "…"


def _check_blendable(parts: list[Embedding]) -> None:
    """Refuses embeddings that have no mean: of different networks, or of different shapes."""
    if len({(part.engine, part.network) for part in parts}) > 1:
        listed = "; ".join(
            f"{part.name or 'unnamed'} is of engine={part.engine!r}, network={part.network!r}"
            for part in parts
        )
        raise StyleError(
            "Only styles of one engine and network can be blended. Make the embeddings anew with "
            f"one engine. Received: {listed}"
        )
    first = parts[0]
    for part in parts[1:]:
        for key in sorted(first.arrays.keys() | part.arrays.keys()):
            shapes = [e.arrays[key].shape if key in e.arrays else None for e in (first, part)]
            if shapes[0] != shapes[1]:
                raise StyleError(
                    f"Styles to be blended must have the same arrays, but {key!r} differs. "
                    f"Received: shape {shapes[0]} in {first.name or 'unnamed'!r}, "
                    f"{shapes[1]} in {part.name or 'unnamed'!r}"
                )


def _weight(value: Any, given: list[Any]) -> float:
    """Checks one blend weight, of `given` ones."""
    number = math.nan
    if is_real(value):
        try:
            number = float(value)
        except OverflowError:
            number = math.inf
    if not 0 <= number < math.inf:
        raise BlendWeightsError(
            "`weights` must be finite numbers, none of them negative. "
            f"Received {value!r:.100} in {_listed(given)}"
        )
    return number


def _listed(given: list[Any]) -> str:
    return f"weights={_shortened(repr(given), 300)}"


def _checked_embedding(value: Any, error: type[ValueError]) -> Embedding:
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
        or any(unicodedata.category(character) in _FORBIDDEN_CATEGORIES for character in text)
    ):
        raise EmbeddingError(
            f"{label} of an embedding must be text of {'1' if required else '0'} to {longest} "
            f"characters on one line. Received: {_shortened(ascii(text), 200)}"
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


def _write_file(path: str | os.PathLike[str], embeddings: list[Embedding]) -> None:
    target = Path(path)
    if target.is_dir() or not target.parent.is_dir():
        fault = "It is a folder" if target.is_dir() else f"There is no folder '{target.parent}'"
        raise EmbeddingError(
            f"Cannot write the style file '{path}'. {fault}. Expected a file in an existing folder."
        )
    write_bytes(target, _encode(embeddings))


def _read_file(path: str | os.PathLike[str], max_bytes: int) -> list[Embedding]:
    try:
        return _decode(_read_bytes(Path(path), max_bytes))
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


def _encode(embeddings: list[Embedding]) -> bytes:
    """The bytes of a style file; equal styles give equal bytes."""
    arrays = {
        f"{position}/{key}": array
        for position, embedding in enumerate(embeddings)
        for key, array in embedding.arrays.items()
    }
    # One entry only: safetensors writes several metadata entries in random order.
    styles = [{label: getattr(e, label) for label in _TEXT_FIELDS} for e in embeddings]
    metadata = json.dumps({"version": FILE_VERSION, "styles": styles})
    return safetensors.numpy.save(arrays, metadata={_METADATA_KEY: metadata})


def _decode(data: bytes) -> list[Embedding]:
    """The styles in the bytes of a file, which may be anything at all."""
    try:
        # First, because it bounds the header's size and nesting and checks every offset.
        tensors = safetensors.deserialize(data)
        header = json.loads(data[8 : 8 + int.from_bytes(data[:8], "little")])
    except (SafetensorError, ValueError, RecursionError) as error:
        raise EmbeddingError(
            "It is damaged or not a safetensors file at all. Expected a file written by "
            f"`Embedding.save` or `save_styles`. The reader says: {error}"
        ) from error
    records = _decode_metadata((header.get("__metadata__") or {}).get(_METADATA_KEY))
    arrays: list[dict[str, np.ndarray]] = [{} for _ in records]
    positions = {str(position): position for position in range(len(records))}
    for key, tensor in tensors:
        position, slash, name = key.partition("/")
        if position not in positions or not slash:
            raise EmbeddingError(f"Array {key!r} belongs to none of its {len(records)} styles.")
        arrays[positions[position]][name] = _decode_array(key, tensor)
    return [Embedding(arrays=own, **record) for own, record in zip(arrays, records, strict=True)]


def _decode_array(key: str, tensor: Mapping[str, Any]) -> np.ndarray:
    if tensor["dtype"] != "F32":
        raise EmbeddingError(
            f"Array {key!r} must be of dtype F32 (float32). Received: {tensor['dtype']}"
        )
    try:
        return np.frombuffer(tensor["data"], "<f4").astype(np.float32).reshape(tensor["shape"])
    except ValueError as error:  # NumPy has limits of its own, on the number of axes for one
        raise EmbeddingError(f"Array {key!r} has an impossible shape: {error}") from error


def _decode_metadata(text: str | None) -> list[dict[str, Any]]:
    """The text fields of the styles in a file; `Embedding` checks the values."""
    if text is None:
        raise EmbeddingError(
            "It is a safetensors file without styles, perhaps the weights of a network. Expected "
            "a file written by `Embedding.save` or `save_styles`."
        )
    try:
        metadata = json.loads(text)
    except (ValueError, RecursionError) as error:
        raise EmbeddingError(f"Its list of styles is damaged: {error}") from error
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
        or not all(isinstance(s, dict) and s.keys() == set(_TEXT_FIELDS) for s in styles)
    ):
        raise EmbeddingError(
            "Its list of styles is damaged. Expected the format version and for each style "
            f"{', '.join(_TEXT_FIELDS)}. Received: {_shortened(text, 200)!r}"
        )
    return styles
