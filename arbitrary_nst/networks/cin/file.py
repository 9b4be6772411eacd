"""The cin network on disk: kernels and layout in one safetensors file that runs no code."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from dataclasses import asdict
from pathlib import Path

import numpy as np
from safetensors.numpy import save

from arbitrary_nst.errors import CheckpointError
from arbitrary_nst.networks.cin.layout import CinLayout
from arbitrary_nst.networks.weights_file import check_format, open_weights, read_arrays

FORMAT = "arbitrary_nst.cin"
VERSION = "1"


def network_id(kernels: Mapping[str, np.ndarray]) -> str:
    """The name of these very weights: "cin-" and twelve digits of their SHA-256."""
    digest = hashlib.sha256()
    for name in sorted(kernels):
        digest.update(f"{name}{kernels[name].shape}".encode())
        digest.update(np.ascontiguousarray(kernels[name], "<f4").tobytes())
    return f"cin-{digest.hexdigest()[:12]}"


def kernel_shapes(layout: CinLayout) -> dict[str, tuple[int, int, int, int]]:
    """Shape (kernel, kernel, inputs, filters) of every convolution's kernel, by name."""
    return {
        c.name: (c.kernel_size, c.kernel_size, c.inputs, c.filters) for c in layout.convolutions()
    }


def network_bytes(layout: CinLayout, kernels: Mapping[str, np.ndarray]) -> bytes:
    """The contents of a network file, to be written atomically by the caller."""
    metadata = {"format": FORMAT, "version": VERSION, "layout": json.dumps(asdict(layout))}
    arrays = {name: np.ascontiguousarray(array, np.float32) for name, array in kernels.items()}
    return save(arrays, metadata)


def load_network(path: str | Path) -> tuple[CinLayout, dict[str, np.ndarray]]:
    """Reads a network file.

    Returns:
        The layout, and a float32 kernel (kernel, kernel, inputs, filters) for every convolution.

    Raises:
        CheckpointError: missing, damaged, of another kind, or with arrays that do not fit the
            layout; the message names the array that differs.
    """
    path = Path(path)
    if not path.is_file():
        raise CheckpointError(f"There is no network file {path}.")
    with open_weights(path, "a readable network file") as file:
        metadata = file.metadata() or {}
        check_format(path, metadata, FORMAT, VERSION)
        layout = _parse_layout(metadata.get("layout", ""))
        return layout, read_arrays(path, file, kernel_shapes(layout))


def _parse_layout(text: str) -> CinLayout:
    values = json.loads(text)
    channels = tuple(values["channels"])
    blocks, kernel = values["num_residual_blocks"], values["outer_kernel"]
    skips, noise = values["skip_connections"], values["noise_channels"]
    # Files of before the two were there do not name them.
    levels, fine = values.get("noise_levels", 1), values.get("fine_blocks", 0)
    sizes = (*channels, blocks, kernel, noise + 1, levels, fine + 1)
    # Bounds keep a hostile file from asking for a network that fills the memory.
    if not 2 <= len(channels) <= 6 or not all(type(s) is int and 1 <= s <= 1024 for s in sizes):
        raise ValueError(f"layout {values} is out of bounds")
    if max(blocks, fine) > 64 or levels > len(channels) or type(skips) is not bool:
        raise ValueError(f"layout {values} is out of bounds")
    if kernel > 31 or kernel % 2 == 0:
        raise ValueError(f"layout {values} is out of bounds")
    return CinLayout(channels, blocks, kernel, skips, noise, levels, fine)
