"""What styles are fitted to, photo by photo: the Gram matrices of their paintings.

They travel in the embeddings of an engine with `fit_steps`, beside gamma and beta, so that a blend
of styles is fitted to the blend of their Gram matrices, as it was trained.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np

from arbitrary_nst.checkpoints import TARGETS_FILE
from arbitrary_nst.embedding import Embedding, load_styles
from arbitrary_nst.errors import CheckpointError, WeightsUnavailable
from arbitrary_nst.image import scaled_photo
from arbitrary_nst.image.arrays import as_floats
from arbitrary_nst.image.resizing import resized_shape
from arbitrary_nst.networks.predictor.layout import TRUNK

FIT_SIZE = 256  # longer side, in pixels, of the photo that vectors are fitted to
KEYS = tuple(f"gram{depth}" for depth, _ in enumerate(TRUNK, start=1))


def target_arrays(grams: Sequence[np.ndarray]) -> dict[str, np.ndarray]:
    """The halves of symmetric matrices (C, C) as arrays (C * (C + 1) / 2,), by the names `KEYS`."""
    halves = (gram[np.triu_indices(len(gram))] for gram in grams)
    return dict(zip(KEYS, halves, strict=True))


def target_grams(arrays: Mapping[str, np.ndarray]) -> list[np.ndarray]:
    """The matrices of `target_arrays`."""
    return [_symmetric(arrays[key]) for key in KEYS]


def _symmetric(half: np.ndarray) -> np.ndarray:
    size = _width(half)
    gram = np.empty((size, size), np.float32)
    rows, columns = np.triu_indices(size)
    gram[rows, columns] = gram[columns, rows] = half
    return gram


def _width(half: np.ndarray) -> int:
    """C of C * (C + 1) / 2 numbers."""
    return round((np.sqrt(8 * half.size + 1) - 1) / 2)


def target_shapes(widths: Sequence[int]) -> dict[str, tuple[int, ...]]:
    """Shape of each of the arrays, for layers of so many channels."""
    return {key: (c * (c + 1) // 2,) for key, c in zip(KEYS, widths, strict=True)}


def with_targets(style: Embedding, targets: Mapping[str, np.ndarray]) -> Embedding:
    """A style of gamma and beta that carries what it is fitted to as well."""
    return replace(style, arrays={**style.arrays, **targets})


def fit_photo(photo: np.ndarray, least: int) -> np.ndarray:
    """The photo as vectors are fitted to it, small.

    Args:
        photo: (H, W, 3), float32 in `[0, 1]` or uint8 in `[0, 255]`.
        least: length in pixels of its shorter side, whatever the longer one is then.

    Returns:
        float32 (h, w, 3) in `[0, 1]`.
    """
    longer, shorter = max(photo.shape[:2]), min(photo.shape[:2])
    size = min(longer, max(FIT_SIZE, least * longer / shorter))
    return as_floats(scaled_photo(photo, resized_shape(photo.shape, size)))


def load_targets(folder: Path, network: str) -> dict[str, Mapping[str, np.ndarray]]:
    """The targets of a network's own styles, by name.

    Raises:
        WeightsUnavailable: the network comes without.
        CheckpointError: they belong to another network.
    """
    path = folder / TARGETS_FILE
    if not path.is_file():
        raise WeightsUnavailable(
            f"The network in {folder} cannot fit styles to photos: it comes without "
            f"{TARGETS_FILE}, which `arbitrary-nst train` writes with a predictor. Set "
            f"`fit_steps` to 0."
        )
    targets = load_styles(path)
    for name, target in targets.items():
        if target.network != network:
            raise CheckpointError(
                f"{path} belongs to another network. Expected {network}. Received: "
                f"{target.network} for {name!r}. Use the files of one training."
            )
    return {name: target.arrays for name, target in targets.items()}
