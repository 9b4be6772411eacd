"""The cin engine: one pass through our own network with conditional instance normalisation."""

from __future__ import annotations

import functools
import os
from collections.abc import Callable, Sequence
from dataclasses import replace

import keras
import numpy as np
from keras.config import backend
from keras.ops import convert_to_numpy

from arbitrary_nst.checkpoints import (
    IDENTITY,
    NETWORK_FILE,
    PREDICTOR_FILE,
    cin_folder,
    predicts_styles,
    reference_photos,
    trained_styles,
)
from arbitrary_nst.common.checks import check_style_scale, whole_number
from arbitrary_nst.common.forks import check_not_forked
from arbitrary_nst.embedding import Embedding
from arbitrary_nst.engines.shared import REFINE_STEPS, check_embedding
from arbitrary_nst.errors import (
    CheckpointError,
    ImageError,
    InputError,
    StyleError,
    style_image_error,
)
from arbitrary_nst.image import load_image, resize
from arbitrary_nst.image.arrays import check_image
from arbitrary_nst.networks.cin.fast import FastCin
from arbitrary_nst.networks.cin.file import load_network, network_id
from arbitrary_nst.networks.cin.large import paint_large
from arbitrary_nst.networks.cin.network import photo_gamma_beta
from arbitrary_nst.networks.cin.noise import draw_noise
from arbitrary_nst.networks.precision import choose_precision
from arbitrary_nst.networks.predictor.file import load_predictor
from arbitrary_nst.networks.predictor.network import compiled, predict
from arbitrary_nst.networks.predictor.refiner import Refiner

MIN_CONTENT_SIDE = 16
STYLE_SIZE, MIN_STYLE_SIDE = 512, 32  # pixels: longer side of a painting, and its shorter one
# Of a whole picture's work, by bytes of a number; measured, see benchmarks/large.py.
BYTES_PER_PIXEL = {2: 215, 4: 330}
# With regions scales and offsets for every pixel come on top, float32 either way.
REGIONS_BYTES_PER_PIXEL = {2: 290, 4: 330}
WEIGHTS_BYTES_PER_PIXEL = 12  # of each style: its weights, and what is made of them


class Cin:
    """The feed-forward engine, for the styles that its network was trained with.

    Reference: Dumoulin, Shlens, Kudlur 2017, "A Learned Representation For Artistic Style".

    Args:
        folder: of `network.safetensors` and `styles.safetensors`; default
            `$ARBITRARY_NST_CIN`, then the packaged network.
        precision: "float32", "bfloat16", or "auto": bfloat16 where the processor multiplies it
            in hardware (elsewhere it is slower than float32).
        style_scale: size of the strokes that `embed` sees in a painting, which is looked at with
            its longer side at this many times 512 pixels: from 0.25 to 4. Its square is the time.
            Styles known by name have their strokes; those can be scaled with `texture_scale`.
        refine_steps: with which `embed` fits the predicted vector to the painting, see
            `networks/predictor/refiner.py`; 0 for what the predictor says, at once. On another
            Keras backend than TensorFlow it is always 0.

    Raises:
        InputError: a setting is out of range.
        WeightsUnavailable: no network in the folder.
        CheckpointError: the network's file is damaged, or its styles belong to other weights.
    """

    name = "cin"
    render_steps = estimated_seconds = None

    def __init__(
        self,
        folder: str | os.PathLike[str] | None = None,
        *,
        precision: str = "auto",
        style_scale: float = 1.0,
        refine_steps: int = REFINE_STEPS,
    ) -> None:
        check_not_forked()
        self.style_scale = check_style_scale(style_scale)
        self.refine_steps = whole_number(refine_steps, "refine_steps")
        precision = choose_precision(precision)
        self.folder = cin_folder(folder)
        self.layout, kernels = load_network(self.folder / NETWORK_FILE)
        self.network = network_id(kernels)
        self.styles = trained_styles(self.folder)
        for style in self.styles.values():
            self._check(style, CheckpointError)
        self._fast = FastCin(self.layout, kernels, precision=precision)

    def embed(self, style: np.ndarray) -> Embedding:
        """The embedding that the network's predictor gives a painting.

        Args:
            style: float32 `(H, W, 3)`, RGB in `[0, 1]`. It is looked at with its longer side at
                512 pixels (times `style_scale`), the size of the paintings that the network
                learned: strokes come out as large as they are then.

        Raises:
            StyleError: this network has no predictor, and knows its own styles alone.
            ImageError: the painting is too narrow.
            CheckpointError: the predictor's file is damaged, or for another network.
        """
        check_image(style, "style", (3,))
        if not self.takes_images:
            raise style_image_error("The style")
        side = round(STYLE_SIZE * self.style_scale)
        image = resize(style, longer_side=side)
        if min(image.shape[:2]) < MIN_STYLE_SIDE:
            raise ImageError(
                f"The style image is too narrow: {image.shape[1]}x{image.shape[0]} pixels at a "
                f"longer side of {side}. Expected {MIN_STYLE_SIDE} at least. Crop it."
            )
        arrays = predict(self._predict, image)
        if self.refine_steps and backend() == "tensorflow":
            arrays = self._refiner(image, arrays, self.refine_steps)
        return Embedding(self.name, self.network, arrays)

    @property
    def takes_images(self) -> bool:
        """Whether the network comes with a predictor of styles from images."""
        return predicts_styles(self.folder)

    @property
    def precision(self) -> str:
        """In which it paints: "float32" or "bfloat16"."""
        return "bfloat16" if self._fast.dtype.size == 2 else "float32"

    @functools.cached_property
    def _predictor(self) -> keras.Model:
        path = self.folder / PREDICTOR_FILE
        dtype = "mixed_bfloat16" if self._fast.dtype.size == 2 else "float32"
        return load_predictor(path, self.layout.style_size, self.network, dtype=dtype)

    @functools.cached_property
    def _predict(self) -> Callable:
        return compiled(self._predictor)

    @functools.cached_property
    def _refiner(self) -> Refiner:
        strip, _ = load_image(reference_photos(), role="reference photos")
        side = strip.shape[0]
        photos = np.stack(np.split(strip, strip.shape[1] // side, axis=1))
        return Refiner(self._fast, self._predictor, photos)

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
        self._check_side(height, width)
        batch = self._grown(contents[0][None] if len(contents) == 1 else np.stack(contents))
        # Every photo gets the same noise, or its picture would depend on its neighbours.
        noise = np.repeat(draw_noise(self.layout, height, width, seed)[None], len(batch), axis=0)
        pictures = self._fast(batch, *self._vectors(embeddings), noise)
        return [np.ascontiguousarray(picture[:height, :width]) for picture in pictures]

    def render_regions(
        self,
        content: np.ndarray,
        embeddings: Sequence[Embedding],
        weights: np.ndarray,
        *,
        seed: int = 0,
    ) -> np.ndarray:
        """Paints a photo in another blend at every pixel, in one pass: gamma and beta vary.

        Args:
            content: as for `render`.
            embeddings: of the styles.
            weights: float32 `(H, W, num_styles)` of sum 1, how much of each style is where.
            seed: as for `render`.

        Returns:
            float32 `(H, W, 3)`, RGB in `[0, 1]`.
        """
        for embedding in embeddings:
            self._check(embedding, StyleError)
        height, width = _common_shape([content], 1)
        self._check_side(height, width)
        batch, noise = self._grown(content[None]), draw_noise(self.layout, height, width, seed)
        gamma, beta = self._vectors(embeddings)
        picture = self._fast.regions(batch, gamma, beta, self._grown(weights[None]), noise[None])[0]
        return np.ascontiguousarray(picture[:height, :width])

    def render_large(
        self,
        content: np.ndarray,
        embedding: Embedding,
        *,
        seed: int = 0,
        max_memory: float = 2e9,
        progress: Callable[[int, int], None] = lambda done, total: None,
    ) -> np.ndarray:
        """`render` in bounded memory, by passes over strips of the photo.

        The picture is the same but for rounding: the statistics of the normalisation are those of
        the whole photo.

        Args:
            content: `(H, W, 3)`, float32 in `[0, 1]` or uint8 in `[0, 255]`.
            embedding: as for `render`.
            seed: as for `render`.
            max_memory: bytes that may be taken, beside content and picture; more is faster.
            progress: called as progress(done, total) after every pass.

        Returns:
            The picture, of the content's shape, dtype and range.

        Raises:
            InputError: it needs more than `max_memory`.
        """
        self._check(embedding, StyleError)
        self._check_side(*content.shape[:2])
        arrays = embedding.arrays
        return paint_large(
            self._fast,
            content,
            arrays["gamma"],
            arrays["beta"],
            seed=seed,
            max_memory=max_memory,
            progress=progress,
        )

    def render_large_regions(
        self,
        content: np.ndarray,
        embeddings: Sequence[Embedding],
        weights: np.ndarray,
        *,
        seed: int = 0,
        max_memory: float = 2e9,
        progress: Callable[[int, int], None] = lambda done, total: None,
    ) -> np.ndarray:
        """`render_regions` in bounded memory, as `render_large` is `render`.

        Args:
            content: as for `render_large`.
            embeddings: of the styles.
            weights: float16 or float32 `(H, W, num_styles)` of sum 1, how much of each style is
                where; they count as memory that is taken, a third more than they have.
            seed: as for `render`.
            max_memory: as for `render_large`.
            progress: likewise.

        Returns:
            The picture, of the content's shape, dtype and range.

        Raises:
            InputError: it needs more than `max_memory`.
        """
        for embedding in embeddings:
            self._check(embedding, StyleError)
        self._check_side(*content.shape[:2])
        gamma, beta = self._vectors(embeddings)
        return paint_large(
            self._fast,
            content,
            gamma,
            beta,
            weights=weights,
            seed=seed,
            max_memory=max_memory,
            progress=progress,
        )

    def memory_for(self, height: int, width: int, num_regions: int = 0) -> float:
        """About how many bytes a photo of that size takes, beside TensorFlow's own.

        Args:
            height: of the photo.
            width: likewise.
            num_regions: styles that `render_regions` is given; 0 for `render`.
        """
        size = self._fast.dtype.size
        if not num_regions:
            return height * width * BYTES_PER_PIXEL[size]
        per_pixel = REGIONS_BYTES_PER_PIXEL[size] + WEIGHTS_BYTES_PER_PIXEL * num_regions
        return height * width * per_pixel

    def _check_side(self, height: int, width: int) -> None:
        if min(height, width) < MIN_CONTENT_SIDE:
            raise ImageError(
                f"The cin engine needs photos of at least {MIN_CONTENT_SIDE}x{MIN_CONTENT_SIDE} "
                f"pixels. Received: {width}x{height}."
            )

    def _grown(self, batch: np.ndarray) -> np.ndarray:
        """Grown by reflection to the network's multiple, to be cropped back, never resized."""
        below, right = (-side % self.layout.multiple for side in batch.shape[1:3])
        batch = batch.astype(np.float32, copy=False)
        if not below and not right:  # a large photo is not copied for nothing
            return batch
        return np.pad(batch, ((0, 0), (0, below), (0, right), (0, 0)), mode="reflect")

    @staticmethod
    def _vectors(embeddings: Sequence[Embedding]) -> tuple[np.ndarray, np.ndarray]:
        gamma, beta = (np.stack([e.arrays[key] for e in embeddings]) for key in ("gamma", "beta"))
        return gamma, beta

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
