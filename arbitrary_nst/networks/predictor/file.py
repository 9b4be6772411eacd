"""The predictor on disk: weights and layout in one safetensors file that runs no code."""

from __future__ import annotations

import json
from dataclasses import asdict
from pathlib import Path

import keras
import numpy as np
from safetensors.numpy import save

from arbitrary_nst.networks.predictor.layout import PredictorLayout
from arbitrary_nst.networks.predictor.network import build_predictor
from arbitrary_nst.networks.predictor.reading import FORMAT, VERSION, read_predictor
from arbitrary_nst.networks.predictor.reading import predictor_layout as predictor_layout


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
    layout, arrays = read_predictor(path, style_size, network)
    predictor = build_predictor(style_size, layout, dtype=dtype)
    for name, variable in _variables(predictor).items():
        variable.assign(arrays[name])
    return predictor


def _variables(predictor: keras.Model) -> dict[str, keras.Variable]:
    return {
        f"{layer.name}/{variable.name}": variable
        for layer in predictor.layers
        for variable in layer.weights
    }
