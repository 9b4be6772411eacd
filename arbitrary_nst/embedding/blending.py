"""The blend of several styles: the weighted mean of their embeddings."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence, Set
from typing import Any

import numpy as np

from arbitrary_nst.common.checks import is_real
from arbitrary_nst.common.text import shortened
from arbitrary_nst.embedding.embedding import (
    MAX_NAME_LENGTH,
    MAX_SOURCE_LENGTH,
    Embedding,
    checked_embedding,
)
from arbitrary_nst.errors import BlendWeightsError, StyleError

Weights = Sequence[float] | np.ndarray
"""Of a blend, one for each style: numbers that are not negative, of any sum above 0."""


def blend(
    embeddings: Iterable[Embedding],
    weights: Weights | None = None,
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

    Examples:
        >>> half_wave = blend([identity, great_wave], [0.5, 0.5])
    """
    if not isinstance(embeddings, Iterable):
        raise StyleError(
            f"`embeddings` must be a list of embeddings. Received: {embeddings!r:.200}"
        )
    parts = [checked_embedding(part, StyleError) for part in embeddings]
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
        source=shortened("; ".join(sources), MAX_SOURCE_LENGTH),
    )


def normalize_weights(weights: Weights | None, count: int) -> list[float]:
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
    return shortened(" + ".join(texts), MAX_NAME_LENGTH)


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
    return f"weights={shortened(repr(given), 300)}"
