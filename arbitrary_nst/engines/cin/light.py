"""What of the cin engine is done by ONNX Runtime, beside painting: vectors of style images."""

from __future__ import annotations

import functools
from collections.abc import Mapping
from pathlib import Path

import numpy as np

from arbitrary_nst.checkpoints import PREDICTOR_FILE
from arbitrary_nst.engines.cin.photos import square_photos
from arbitrary_nst.engines.cin.targets import target_arrays
from arbitrary_nst.networks.cin.layout import CinLayout
from arbitrary_nst.networks.predictor.light import LightPredictor
from arbitrary_nst.networks.predictor.light_refiner import LightRefiner


class LightEmbedder:
    """Predicts and refines vectors; called like `FullCin.embed`.

    Args:
        folder: of the predictor's file.
        layout: of the network.
        kernels: likewise, see `LightCin`.
        network: its id.

    Raises:
        CheckpointError: the predictor's file is damaged, or for another network.
    """

    def __init__(
        self, folder: Path, layout: CinLayout, kernels: Mapping[str, np.ndarray], network: str
    ) -> None:
        self._predictor = LightPredictor(folder / PREDICTOR_FILE, layout.style_size, network)
        self._layout, self._kernels = layout, kernels

    def embed(
        self, image: np.ndarray, refine_steps: int, *, with_targets: bool
    ) -> dict[str, np.ndarray]:
        """See `FullCin.embed`."""
        sight = self._predictor(image)
        arrays = sight.arrays
        if refine_steps:
            arrays = self._refiner.fit(sight.grams, arrays, self._seen_photos, refine_steps)
        if with_targets:
            arrays |= target_arrays(sight.grams)
        return arrays

    @functools.cached_property
    def _refiner(self) -> LightRefiner:
        return LightRefiner(self._layout, self._kernels, self._predictor)

    @functools.cached_property
    def _seen_photos(self) -> list[dict[str, np.ndarray]]:
        """They are the same for every painting: a tenth of the work on each."""
        return [self._refiner.inputs(photo) for photo in square_photos()]
