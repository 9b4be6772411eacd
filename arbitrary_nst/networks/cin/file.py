"""The cin network on disk: kernels and layout in one safetensors file that runs no code."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from dataclasses import asdict, fields
from pathlib import Path

import numpy as np
from safetensors.numpy import save

from arbitrary_nst.common.json_text import parse_json
from arbitrary_nst.networks.cin.layout import CinLayout
from arbitrary_nst.networks.weights_file import open_own, read_arrays

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
    with open_own(path, "network file", FORMAT, VERSION) as file:
        layout = _parse_layout(file.metadata().get("layout", ""))
        return layout, read_arrays(path, file, kernel_shapes(layout))


def layout_fault(layout: CinLayout) -> str:
    """Why a network of this layout could not be loaded; empty where it could.

    Bounds keep a hostile file from asking for a network that fills the memory. What is trained
    keeps to them too, or it would be of no use.
    """
    bounds = {
        "num_residual_blocks": (1, 64),
        "outer_kernel": (1, 31),
        "noise_channels": (0, 1023),
        "noise_levels": (1, len(layout.channels)),
        "fine_blocks": (0, 64),
    }
    channels = layout.channels
    whole = all(type(width) is int and 1 <= width <= 1024 for width in channels)
    if not 2 <= len(channels) <= 6 or not whole:
        return f"`channels` of the layout needs 2 to 6 numbers from 1 to 1024. Received: {channels}"
    for name, (low, high) in bounds.items():
        value = getattr(layout, name)
        if type(value) is not int or not low <= value <= high:
            return f"`{name}` of the layout goes from {low} to {high}. Received: {value!r}"
    if layout.outer_kernel % 2 == 0:
        return f"`outer_kernel` of the layout is an odd number. Received: {layout.outer_kernel}"
    if type(layout.skip_connections) is not bool:
        return f"`skip_connections` is true or false. Received: {layout.skip_connections!r}"
    return ""


def _parse_layout(text: str) -> CinLayout:
    values = parse_json(text)
    values["channels"] = tuple(values["channels"])
    # Files of before the two were there do not name them.
    values = {"noise_levels": 1, "fine_blocks": 0, **values}
    layout = CinLayout(**{field.name: values[field.name] for field in fields(CinLayout)})
    fault = layout_fault(layout)
    if fault:
        raise ValueError(f"layout {values} is out of bounds: {fault}")
    return layout
