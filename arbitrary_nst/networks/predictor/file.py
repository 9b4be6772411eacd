"""The predictor on disk: weights and layout in one safetensors file that runs no code."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import asdict
from pathlib import Path
from typing import Any

import keras
import numpy as np
from safetensors.numpy import save

from arbitrary_nst.errors import CheckpointError
from arbitrary_nst.networks.predictor.network import TRUNK, PredictorLayout, build_predictor
from arbitrary_nst.networks.weights_file import check_format, open_weights, read_arrays

FORMAT = "arbitrary_nst.predictor"
VERSION = "2"


def predictor_bytes(predictor: keras.Model, layout: PredictorLayout, network: str) -> bytes:
    """The contents of a predictor's file, in float16, to be written atomically by the caller.

    Args:
        predictor: the model.
        layout: of which it is.
        network: id of the cin network that its vectors are for.
    """
    metadata = {
        "format": FORMAT,
        "version": VERSION,
        "layout": json.dumps(asdict(layout)),
        "network": network,
    }
    arrays = {name: np.asarray(v, np.float16) for name, v in _variables(predictor).items()}
    return save(arrays, metadata)


def load_predictor(
    path: str | Path, style_size: int, network: str, *, dtype: str = "float32"
) -> keras.Model:
    """Reads a predictor's file.

    Args:
        path: of the file.
        style_size: of the cin network.
        network: id of the cin network; a predictor for another one is refused.
        dtype: see `build_predictor`.

    Raises:
        CheckpointError: missing, damaged, of another kind, or for another network.
    """
    path = Path(path)
    if not path.is_file():
        raise CheckpointError(f"There is no predictor file {path}.")
    with open_weights(path, "a readable predictor file") as file:
        metadata = file.metadata() or {}
        check_format(path, metadata, FORMAT, VERSION)
        if metadata.get("network") != network:
            raise CheckpointError(
                f"{path} predicts styles for another network. Expected {network}. "
                f"Received: {metadata.get('network')!r:.100}."
            )
        layout = _parse_layout(metadata.get("layout", ""))
        predictor = build_predictor(style_size, layout, dtype=dtype)
        variables = _variables(predictor)
        shapes = {name: tuple(variable.shape) for name, variable in variables.items()}
        arrays = read_arrays(path, file, shapes, dtypes=("float16", "float32"))
    for name, variable in variables.items():
        variable.assign(arrays[name])
    return predictor


def _variables(predictor: keras.Model) -> dict[str, keras.Variable]:
    return {
        f"{layer.name}/{variable.name}": variable
        for layer in predictor.layers
        for variable in layer.weights
    }


def predictor_layout(values: Mapping[str, Any]) -> PredictorLayout:
    """The layout of these JSON values, where tuples are lists."""
    tuples = {name: tuple(values[name]) for name in ("trunk", "widths")}
    return PredictorLayout(**{**values, **tuples})


def _parse_layout(text: str) -> PredictorLayout:
    values = json.loads(text)
    layout = predictor_layout(values)
    sizes = (*layout.trunk, *layout.widths, layout.mixed, layout.hidden, layout.bottleneck)
    # Bounds keep a hostile file from asking for a network that fills the memory.
    fits = len(layout.trunk) == len(TRUNK) and 1 <= len(layout.widths) <= 4
    if not fits or not all(type(s) is int and 1 <= s <= 1024 for s in sizes):
        raise ValueError(f"layout {values} is out of bounds")
    return layout
