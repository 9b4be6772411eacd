"""What of the cin engine is done by TensorFlow; importing this module takes seconds."""

from __future__ import annotations

import functools
import warnings
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import numpy as np

from arbitrary_nst.checkpoints import PREDICTOR_FILE
from arbitrary_nst.common.keras_on_tensorflow import keras, on_tensorflow
from arbitrary_nst.engines.cin.photos import square_photos
from arbitrary_nst.engines.cin.targets import target_arrays, target_grams
from arbitrary_nst.errors import InputError
from arbitrary_nst.networks.cin.fast import FastCin
from arbitrary_nst.networks.cin.large import paint_large
from arbitrary_nst.networks.cin.layout import CinLayout
from arbitrary_nst.networks.predictor.file import load_predictor
from arbitrary_nst.networks.predictor.network import TRUNK, compiled, predict
from arbitrary_nst.networks.predictor.refiner import Refiner


class FullCin:
    """The network in its fast form, its predictor, and what fits vectors to pictures.

    Args:
        folder: of the predictor's file.
        layout: of the network.
        kernels: likewise, see `FastCin`.
        network: its id.
        precision: "float32" or "bfloat16".
    """

    def __init__(
        self,
        folder: Path,
        layout: CinLayout,
        kernels: Mapping[str, np.ndarray],
        network: str,
        precision: str,
    ) -> None:
        self.fast = FastCin(layout, kernels, precision)
        self._folder, self._network, self._precision = folder, network, precision

    def embed(
        self, image: np.ndarray, refine_steps: int, *, with_targets: bool
    ) -> dict[str, np.ndarray]:
        """The arrays of a painting's embedding.

        Args:
            image: the painting, float32 `(H, W, 3)` in `[0, 1]`.
            refine_steps: as for `Cin`.
            with_targets: whether they are for an engine with `fit_steps`.

        Raises:
            CheckpointError: the predictor's file is damaged, or for another network.
        """
        arrays = predict(self._predict, image)
        if (refine_steps or with_targets) and on_tensorflow():
            grams = self.refiner.grams(image)
            if refine_steps:
                arrays = self.refiner(grams, arrays, square_photos(), refine_steps)
            if with_targets:
                arrays |= target_arrays(grams)
        elif refine_steps:
            warnings.warn(
                "The vector of a style image is not refined, because Keras does not run on "
                "TensorFlow here: set KERAS_BACKEND=tensorflow, or `refine_steps=0`.",
                stacklevel=3,
            )
        return arrays

    def targets(self, image: np.ndarray) -> dict[str, np.ndarray]:
        """What styles are fitted to that are to look like an image, see `targets.py`."""
        return target_arrays(self.refiner.grams(image))

    def photo_targets(self) -> dict[str, np.ndarray]:
        """Those of the reference photos, side by side."""
        return self.targets(np.concatenate(square_photos(), axis=1))

    def target_widths(self) -> list[int]:
        """Channels of the layers that are compared."""
        return [self.predictor.get_layer(name).kernel.shape[-1] for name in TRUNK]

    def fitted(
        self, photo: np.ndarray, arrays: Mapping[str, np.ndarray], steps: int, seed: int
    ) -> dict[str, np.ndarray]:
        """A style's arrays with gamma and beta for this photo, of sides that the network takes."""
        grams = target_grams(arrays)
        return {**arrays, **self.refiner(grams, arrays, [photo], steps, seed=seed)}

    def paint_large(self, *arguments: Any, **options: Any) -> np.ndarray:
        """`large.paint_large` by this network."""
        return paint_large(self.fast, *arguments, **options)

    @functools.cached_property
    def predictor(self) -> keras.Model:
        path = self._folder / PREDICTOR_FILE
        dtype = "mixed_bfloat16" if self._precision == "bfloat16" else "float32"
        return load_predictor(path, self.fast.layout.style_size, self._network, dtype=dtype)

    @functools.cached_property
    def _predict(self) -> Callable:
        return compiled(self.predictor)

    @functools.cached_property
    def refiner(self) -> Refiner:
        return Refiner(self.fast, self.predictor)


def check_gradients(fit_steps: int) -> None:
    """Raises `InputError` where the Keras backend cannot fit styles to photos."""
    if not on_tensorflow():
        raise InputError(
            f"`fit_steps` above 0 needs Keras on TensorFlow: set KERAS_BACKEND=tensorflow. "
            f"Received: {fit_steps}, with the backend {keras.backend.backend()}."
        )
