"""The cin engine: one pass through our own network with conditional instance normalisation."""

from __future__ import annotations

import functools
import os
from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import numpy as np
from keras.ops import convert_to_numpy

from arbitrary_nst.checkpoints import (
    IDENTITY,
    NETWORK_FILE,
    PREDICTOR_FILE,
    cin_folder,
    predicts_styles,
    trained_styles,
)
from arbitrary_nst.embedding import Embedding
from arbitrary_nst.engines import check_embedding
from arbitrary_nst.errors import CheckpointError, ImageError, InputError, StyleError
from arbitrary_nst.image import resize
from arbitrary_nst.image_arrays import check_image
from arbitrary_nst.networks.cin import noise_shape, photo_gamma_beta
from arbitrary_nst.networks.cin_checkpoint import load_network, network_id
from arbitrary_nst.networks.cin_fast import FastCin
from arbitrary_nst.networks.precision import has_fast_bfloat16
from arbitrary_nst.networks.predictor import load_predictor
from arbitrary_nst.styles import style_image_error

MIN_SIDE = 16
STYLE_SIZE, MIN_STYLE_SIDE = 512, 32  # pixels: longer side of a painting, and its shorter one
PRECISIONS = ("auto", "float32", "bfloat16")


class Cin:
    """The feed-forward engine, for the styles that its network was trained with.

    Reference: Dumoulin, Shlens, Kudlur 2017, "A Learned Representation For Artistic Style".

    Args:
        folder: of `network.safetensors` and `styles.safetensors`; default
            `$ARBITRARY_NST_CIN`, then the packaged network.
        precision: "float32", "bfloat16", or "auto": bfloat16 where the processor multiplies it
            in hardware (elsewhere it is slower than float32).

    Raises:
        WeightsUnavailable: no network in the folder.
        CheckpointError: the network's file is damaged, or its styles belong to other weights.
    """

    name = "cin"

    def __init__(
        self, folder: str | os.PathLike[str] | None = None, *, precision: str = "auto"
    ) -> None:
        if precision not in PRECISIONS:
            raise InputError(
                f"`precision` is one of {', '.join(map(repr, PRECISIONS))}. "
                f"Received: {precision!r}."
            )
        self.folder = cin_folder(folder)
        self.layout, kernels = load_network(self.folder / NETWORK_FILE)
        self.network = network_id(kernels)
        self.styles = trained_styles(self.folder)
        for style in self.styles.values():
            self._check(style, CheckpointError)
        if precision == "auto":
            precision = "bfloat16" if has_fast_bfloat16() else "float32"
        self._fast = FastCin(self.layout, kernels, precision=precision)

    def embed(self, style: np.ndarray) -> Embedding:
        """The embedding that the network's predictor gives a painting.

        Args:
            style: float32 `(H, W, 3)`, RGB in `[0, 1]`. It is looked at with its longer side at
                512 pixels, the size of the paintings that the network learned: strokes come out
                as large as they are then.

        Raises:
            StyleError: this network has no predictor, and knows its own styles alone.
            ImageError: the painting is too narrow.
            CheckpointError: the predictor's file is damaged, or for another network.
        """
        check_image(style, "style", (3,))
        if not self.predicts:
            raise style_image_error("The style")
        image = resize(style, longer_side=STYLE_SIZE)
        if min(image.shape[:2]) < MIN_STYLE_SIDE:
            raise ImageError(
                f"The style image is too narrow: {image.shape[1]}x{image.shape[0]} pixels at a "
                f"longer side of {STYLE_SIZE}. Expected {MIN_STYLE_SIDE} at least. Crop it."
            )
        vector = convert_to_numpy(self._predictor(image[None]))[0]
        gamma, beta = np.split(vector, 2)
        return Embedding(self.name, self.network, {"gamma": 1 + gamma, "beta": beta})

    @property
    def predicts(self) -> bool:
        """Whether images can be styles."""
        return predicts_styles(self.folder)

    @functools.cached_property
    def _predictor(self) -> Any:
        path = self.folder / PREDICTOR_FILE
        return load_predictor(path, self.layout.style_size, self.network)

    def identity(self, content: np.ndarray) -> Embedding:
        """The trained style that gives the photo back, with the photo's brightness and contrast."""
        style = self.styles[IDENTITY]
        arrays = {}
        for name, own in zip(("gamma", "beta"), photo_gamma_beta(content[None]), strict=True):
            arrays[name] = style.arrays[name].copy()
            arrays[name][-3:] = convert_to_numpy(own)[0]
        return replace(style, arrays=arrays)

    def render(self, content: np.ndarray, embedding: Embedding, *, seed: int = 0) -> np.ndarray:
        """Paints a photo in a style.

        Args:
            content: float32 `(H, W, 3)`, RGB in `[0, 1]`, both sides at least 16.
            embedding: of this engine and this network.
            seed: of the noise that varies the brush where the photo is flat; the same seed gives
                the same picture.

        Returns:
            float32 `(H, W, 3)`, RGB in `[0, 1]`.

        Raises:
            StyleError: the embedding belongs to another engine or network.
            ImageError: the photo is too small.
        """
        return self.render_batch([content], [embedding], seed=seed)[0]

    def render_batch(
        self, contents: Sequence[np.ndarray], embeddings: Sequence[Embedding], *, seed: int = 0
    ) -> list[np.ndarray]:
        """`render` for several photos of one shape, each with its own embedding."""
        for embedding in embeddings:
            self._check(embedding, StyleError)
        height, width = _common_shape(contents, len(embeddings))
        if min(height, width) < MIN_SIDE:
            raise ImageError(
                f"The cin engine needs photos of at least {MIN_SIDE}x{MIN_SIDE} pixels. "
                f"Received: {width}x{height}."
            )
        # Grown by reflection to the network's multiple and cropped back, never resized.
        below, right = -height % self.layout.multiple, -width % self.layout.multiple
        batch = contents[0][None] if len(contents) == 1 else np.stack(contents)
        batch = batch.astype(np.float32, copy=False)
        if below or right:  # a large photo is not copied for nothing
            batch = np.pad(batch, ((0, 0), (0, below), (0, right), (0, 0)), mode="reflect")
        gamma = np.stack([embedding.arrays["gamma"] for embedding in embeddings])
        beta = np.stack([embedding.arrays["beta"] for embedding in embeddings])
        # Every photo gets the same noise, or its picture would depend on its neighbours.
        shape = noise_shape(self.layout, *batch.shape[1:3])
        noise = np.random.default_rng(seed).standard_normal(shape, np.float32)
        pictures = self._fast(batch, gamma, beta, np.repeat(noise[None], len(batch), axis=0))
        return [np.ascontiguousarray(picture[:height, :width]) for picture in pictures]

    def _check(self, embedding: Embedding, error: type[Exception]) -> None:
        shapes = dict.fromkeys(("beta", "gamma"), (self.layout.style_size,))
        check_embedding(embedding, self.name, self.network, shapes, error)


def _common_shape(contents: Sequence[np.ndarray], num_embeddings: int) -> tuple[int, int]:
    """Height and width of the photos of a batch, which must be the same for all."""
    for content in contents:
        check_image(content, "content", (3,))
    shapes = {content.shape[:2] for content in contents}
    if len(shapes) != 1 or len(contents) != num_embeddings:
        raise InputError(
            f"A batch needs photos of one shape and an embedding for each. Received: "
            f"{len(contents)} photos of shapes {sorted(shapes)}, {num_embeddings} embeddings."
        )
    return shapes.pop()
