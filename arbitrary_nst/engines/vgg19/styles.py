"""A style of the vgg19 engine as numbers: moments of VGG19's features at several sizes."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence

import numpy as np

from arbitrary_nst.embedding import Embedding
from arbitrary_nst.networks.vgg import STYLE_LAYERS

SMALLEST = 128  # pixels: longer side of the painting for the coarsest scale
PHOTO = "photo"  # array: which share of the style is the photo's own look
START = "start"  # first word of the names of arrays of the same style for a cin network
Moments = tuple[np.ndarray, np.ndarray | None]  # per layer: E[f f^T] (C, C), and E[f] (C,)


def looked_at_sizes(largest: int) -> tuple[int, ...]:
    """Longer sides at which a painting is looked at, falling by the square root of two."""
    count = max(0, round(2 * math.log2(largest / SMALLEST)))
    return tuple(round(largest / 2 ** (step / 2)) for step in range(count + 1))


def style_arrays(
    sizes: Sequence[int], moments_at: Callable[[int], Sequence[Moments]]
) -> dict[str, np.ndarray]:
    """The arrays of an embedding.

    Args:
        sizes: as `looked_at_sizes` gives them.
        moments_at: the moments at `STYLE_LAYERS` of the painting at that longer side.
    """
    arrays = {PHOTO: np.zeros(1, np.float32)}
    for size in sizes:
        for layer, (products, means) in zip(STYLE_LAYERS, moments_at(size), strict=True):
            arrays[f"{layer} {size}"] = products[np.triu_indices(len(products))]
            if means is not None:
                arrays[f"{layer} {size} mean"] = means
    return arrays


def array_shapes(
    sizes: Sequence[int], channels: Mapping[str, int], given: Embedding | None
) -> dict[str, tuple[int, ...]]:
    """Shapes of the arrays that an embedding has to have; a start it may have or not.

    Without one given, those of one without a start. Those of earlier versions have the Gram
    matrices at one size and nothing else.
    """
    triangles: dict[str, tuple[int, ...]] = {
        layer: (size * (size + 1) // 2,) for layer, size in channels.items()
    }
    if given is not None and is_earlier(given):
        return triangles
    arrays = {} if given is None else given.arrays
    shapes = {name: array.shape for name, array in arrays.items() if _is_start(name)}
    shapes[PHOTO] = (1,)
    for size in sizes:
        for layer, shape in triangles.items():
            shapes[f"{layer} {size}"] = shape
            shapes[f"{layer} {size} mean"] = (channels[layer],)
    return shapes


def is_earlier(embedding: Embedding) -> bool:
    """Whether an embedding was made by a version that knew one size of paintings."""
    return set(embedding.arrays) == set(STYLE_LAYERS)


def photo_share(embedding: Embedding) -> float:
    """Which share of the style is the photo's own look, as `strength` mixes it in."""
    return 0.0 if is_earlier(embedding) else float(embedding.arrays[PHOTO][0].clip(0, 1))


def with_start(arrays: dict[str, np.ndarray], vector: Embedding) -> dict[str, np.ndarray]:
    """Arrays of an embedding, and those of the same style for a cin network."""
    named = {f"{START} {vector.network} {name}": array for name, array in vector.arrays.items()}
    return arrays | named


def start_of(embedding: Embedding, network: str) -> dict[str, np.ndarray]:
    """The arrays of the same style for that cin network; empty where it has none."""
    own = f"{START} {network} "
    return {
        name.removeprefix(own): array
        for name, array in embedding.arrays.items()
        if name.startswith(own)
    }


def moments_for(embedding: Embedding, sizes: Sequence[int], side: float) -> list[Moments]:
    """The moments of the painting at the size that is nearest to `side`, per layer."""
    earlier = is_earlier(embedding)
    size = min(sizes, key=lambda size: abs(math.log(size / side)))
    moments: list[Moments] = []
    for layer in STYLE_LAYERS:
        name = layer if earlier else f"{layer} {size}"
        means = None if earlier else embedding.arrays[f"{name} mean"]
        moments.append((_square(embedding.arrays[name]), means))
    return moments


def _square(triangle: np.ndarray) -> np.ndarray:
    """The symmetric matrix of an upper triangle, row by row."""
    size = (math.isqrt(8 * len(triangle) + 1) - 1) // 2
    matrix = np.zeros((size, size), np.float32)
    matrix[np.triu_indices(size)] = triangle
    return matrix + np.triu(matrix, 1).T


def _is_start(name: str) -> bool:
    return name.startswith(f"{START} ")
