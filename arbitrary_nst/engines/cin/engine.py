"""The cin engine: one pass through our own network with conditional instance normalisation."""

from __future__ import annotations

import functools
import os
import warnings
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace

import numpy as np

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
from arbitrary_nst.common.eager import eagerly
from arbitrary_nst.common.forks import check_not_forked
from arbitrary_nst.common.keras_on_tensorflow import keras, on_tensorflow
from arbitrary_nst.embedding import Embedding
from arbitrary_nst.engines.cin.targets import (
    fit_photo,
    load_targets,
    target_arrays,
    target_grams,
    target_shapes,
    with_targets,
)
from arbitrary_nst.engines.shared import REFINE_STEPS, check_embedding, common_shape
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
from arbitrary_nst.networks.predictor.network import TRUNK, compiled, predict
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
            `networks/predictor/refiner.py`; 0 for what the predictor says, at once. Where Keras was
            imported with another backend than TensorFlow it is 0, with a warning.
        fit_steps: with which every style is fitted to each photo before it is painted, see
            `networks/predictor/refiner.py`: some tenths of a second each, for a picture that is
            nearer to the painting. Its embeddings then have the painting's Gram matrices, too, and
            those that were made without cannot be painted. A film would flicker.

    Raises:
        InputError: a setting is out of range, or `fit_steps` on another Keras backend.
        WeightsUnavailable: no network in the folder, or one that cannot be fitted.
        CheckpointError: the network's file is damaged, or its styles belong to other weights.
    """

    name = "cin"
    render_steps = estimated_seconds = None

    @eagerly
    def __init__(
        self,
        folder: str | os.PathLike[str] | None = None,
        *,
        precision: str = "auto",
        style_scale: float = 1.0,
        refine_steps: int = REFINE_STEPS,
        fit_steps: int = 0,
    ) -> None:
        check_not_forked()
        self.style_scale = check_style_scale(style_scale)
        self.refine_steps = whole_number(refine_steps, "refine_steps")
        precision = choose_precision(precision)
        self.folder = cin_folder(folder)
        self.layout, kernels = load_network(self.folder / NETWORK_FILE)
        self.network = network_id(kernels)
        self.styles = trained_styles(self.folder)
        shapes = self._vector_shapes()
        for style in self.styles.values():
            check_embedding(style, self.name, self.network, shapes, CheckpointError)
        self._fast = FastCin(self.layout, kernels, precision=precision)
        self.fit_steps = whole_number(fit_steps, "fit_steps")
        if self.fit_steps:
            self.styles = self._styles_with_targets()

    @eagerly
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
        if (self.refine_steps or self.fit_steps) and on_tensorflow():
            grams = self.refiner.grams(image)
            if self.refine_steps:
                arrays = self.refiner(grams, arrays, self._photos, self.refine_steps)
            if self.fit_steps:
                arrays |= target_arrays(grams)
        elif self.refine_steps:
            warnings.warn(
                "The vector of a style image is not refined, because Keras does not run on "
                "TensorFlow here: set KERAS_BACKEND=tensorflow, or `refine_steps=0`.",
                stacklevel=2,
            )
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
    def refiner(self) -> Refiner:
        """What fits vectors of this network; it needs the predictor."""
        return Refiner(self._fast, self._predictor)

    @functools.cached_property
    def _photos(self) -> list[np.ndarray]:
        """The reference photos, square ones."""
        strip, _ = load_image(reference_photos(), role="reference photos")
        return np.split(strip, strip.shape[1] // strip.shape[0], axis=1)

    def _styles_with_targets(self) -> Mapping[str, Embedding]:
        if not on_tensorflow():
            raise InputError(
                f"`fit_steps` above 0 needs Keras on TensorFlow: set KERAS_BACKEND=tensorflow. "
                f"Received: {self.fit_steps}, with the backend {keras.backend.backend()}."
            )
        targets = dict(load_targets(self.folder, self.network))
        # What gives a photo back has no painting; in a blend it stands for a photo like others.
        identity = self.refiner.grams(np.concatenate(self._photos, axis=1))
        targets[IDENTITY] = target_arrays(identity)
        # A style that was learned later has none, and is not offered.
        known = {n: with_targets(s, targets[n]) for n, s in self.styles.items() if n in targets}
        for style in known.values():
            self._check(style, CheckpointError)
        return known

    def _fitted(self, content: np.ndarray, style: Embedding, seed: int) -> Embedding:
        """The style with gamma and beta for this photo."""
        self._check(style, StyleError)
        if not self.fit_steps or style.name == IDENTITY:
            return style
        photo = self._grown(fit_photo(content, MIN_CONTENT_SIDE)[None])[0]
        grams = target_grams(style.arrays)
        fitted = self.refiner(grams, style.arrays, [photo], self.fit_steps, seed=seed)
        return replace(style, arrays={**style.arrays, **fitted})

    @eagerly
    def identity(self, content: np.ndarray) -> Embedding:
        """The trained style that gives the photo back, with the photo's brightness and contrast."""
        style = self.styles[IDENTITY]
        arrays = {}
        for name, own in zip(("gamma", "beta"), photo_gamma_beta(content[None]), strict=True):
            arrays[name] = style.arrays[name].copy()
            arrays[name][-3:] = keras.ops.convert_to_numpy(own)[0]
        if self.fit_steps:  # of this photo, which is what `strength` mixes in
            arrays |= target_arrays(self.refiner.grams(fit_photo(content, MIN_CONTENT_SIDE)))
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

    @eagerly
    def render_batch(
        self, contents: Sequence[np.ndarray], embeddings: Sequence[Embedding], *, seed: int = 0
    ) -> list[np.ndarray]:
        """`render` for several photos of one shape, each with its own embedding."""
        height, width = common_shape(contents, len(embeddings))
        self._check_side(height, width)
        pairs = zip(contents, embeddings, strict=True)
        embeddings = [self._fitted(content, style, seed) for content, style in pairs]
        batch = self._grown(contents[0][None] if len(contents) == 1 else np.stack(contents))
        # Every photo gets the same noise, or its picture would depend on its neighbours.
        noise = np.repeat(draw_noise(self.layout, height, width, seed)[None], len(batch), axis=0)
        pictures = self._fast(batch, *self._vectors(embeddings), noise)
        return [np.ascontiguousarray(picture[:height, :width]) for picture in pictures]

    @eagerly
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
        height, width = common_shape([content], 1)
        self._check_side(height, width)
        embeddings = [self._fitted(content, style, seed) for style in embeddings]
        batch, noise = self._grown(content[None]), draw_noise(self.layout, height, width, seed)
        gamma, beta = self._vectors(embeddings)
        picture = self._fast.regions(batch, gamma, beta, self._grown(weights[None]), noise[None])[0]
        return np.ascontiguousarray(picture[:height, :width])

    @eagerly
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
        self._check_side(*content.shape[:2])
        arrays = self._fitted(content, embedding, seed).arrays
        return paint_large(
            self._fast,
            content,
            arrays["gamma"],
            arrays["beta"],
            seed=seed,
            max_memory=max_memory,
            progress=progress,
        )

    @eagerly
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
        self._check_side(*content.shape[:2])
        embeddings = [self._fitted(content, style, seed) for style in embeddings]
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
        shapes = self._vector_shapes()
        if self.fit_steps:
            widths = [self._predictor.get_layer(name).kernel.shape[-1] for name in TRUNK]
            shapes |= target_shapes(widths)
        check_embedding(embedding, self.name, self.network, shapes, error)

    def _vector_shapes(self) -> dict[str, tuple[int, ...]]:
        return dict.fromkeys(("beta", "gamma"), (self.layout.style_size,))
