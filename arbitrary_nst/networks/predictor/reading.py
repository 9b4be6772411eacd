"""The predictor's file, read into arrays; needs no Keras."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np

from arbitrary_nst.common.json_text import parse_json
from arbitrary_nst.errors import CheckpointError
from arbitrary_nst.networks.predictor.layout import TRUNK, PredictorLayout
from arbitrary_nst.networks.weights_file import open_own, read_arrays

FORMAT = "arbitrary_nst.predictor"
VERSION = "2"


def read_predictor(
    path: str | Path, style_size: int, network: str
) -> tuple[PredictorLayout, dict[str, np.ndarray]]:
    """Reads a predictor's file.

    Args:
        path: of the file.
        style_size: of the cin network.
        network: id of the cin network; a predictor for another one is refused.

    Returns:
        The layout, and float32 arrays by the names of `PredictorLayout.shapes`.

    Raises:
        CheckpointError: missing, damaged, of another kind, or for another network.
    """
    with open_own(path, "predictor file", FORMAT, VERSION) as file:
        metadata = file.metadata()
        if metadata.get("network") != network:
            raise CheckpointError(
                f"{path} predicts styles for another network. Expected {network}. "
                f"Received: {metadata.get('network')!r:.100}."
            )
        layout = _parse_layout(metadata.get("layout", ""))
        shapes = layout.shapes(style_size)
        return layout, read_arrays(path, file, shapes, dtypes=("float16", "float32"))


def predictor_layout(values: Mapping[str, Any]) -> PredictorLayout:
    """The layout of these JSON values, where tuples are lists."""
    tuples = {name: tuple(values[name]) for name in ("trunk", "widths")}
    return PredictorLayout(**{**values, **tuples})


def _parse_layout(text: str) -> PredictorLayout:
    values = parse_json(text)
    layout = predictor_layout(values)
    sizes = (*layout.trunk, *layout.widths, layout.mixed, layout.hidden, layout.bottleneck)
    # Bounds keep a hostile file from asking for a network that fills the memory.
    fits = len(layout.trunk) == len(TRUNK) and 1 <= len(layout.widths) <= 4
    if not fits or not all(type(s) is int and 1 <= s <= 1024 for s in sizes):
        raise ValueError(f"layout {values} is out of bounds")
    return layout
