"""The cin engine: one pass through our own network with conditional instance normalisation."""

from __future__ import annotations

import copy
import functools
import os
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np

from arbitrary_nst.checkpoints import (
    IDENTITY,
    NETWORK_FILE,
    cin_folder,
    predicts_styles,
    trained_styles,
)
from arbitrary_nst.common.checks import check_style_scale, whole_number
from arbitrary_nst.common.eager import eagerly
from arbitrary_nst.common.forks import check_not_forked
from arbitrary_nst.embedding import Embedding
from arbitrary_nst.engines.cin.contrast import for_contrast
from arbitrary_nst.engines.cin.memory import bytes_for
from arbitrary_nst.engines.cin.runtime import (
    Runtime,
    check_runtime,
    embeds_light,
    is_sooner_light,
)
from arbitrary_nst.engines.cin.sizes import MIN_CONTENT_SIDE, as_looked_at, check_side, grown
from arbitrary_nst.engines.cin.targets import (
    fit_photo,
    load_targets,
    target_shapes,
    with_targets,
)
from arbitrary_nst.engines.shared import REFINE_STEPS, check_embedding, common_shape
from arbitrary_nst.errors import (
    CheckpointError,
    StyleError,
    style_image_error,
)
from arbitrary_nst.image.arrays import check_image
from arbitrary_nst.networks.cin.file import load_network, network_id
from arbitrary_nst.networks.cin.noise import draw_noise
from arbitrary_nst.networks.cin.photo import photo_gamma_beta
from arbitrary_nst.networks.precision import Precision, choose_precision

if TYPE_CHECKING:  # each of them loads its runtime
    from arbitrary_nst.engines.cin.full import FullCin
    from arbitrary_nst.engines.cin.light import LightEmbedder
    from arbitrary_nst.networks.cin.fast import FastCin
    from arbitrary_nst.networks.cin.light import LightCin
    from arbitrary_nst.networks.predictor.refiner import Refiner


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
            `networks/predictor/refiner.py`; 0 for what the predictor says, at once. Where it takes
            TensorFlow and Keras was imported with another backend it is 0, with a warning.
        fit_steps: with which every style is fitted to each photo before it is painted, see
            `networks/predictor/refiner.py`: some tenths of a second each. Its embeddings then have
            the painting's Gram matrices, too, and those that were made without cannot be painted.
            A film would flicker.
        runtime: what the network runs on. "tensorflow"; "onnx", ONNX Runtime, which starts in a
            tenth of the time, paints in float32, is several times slower where much is painted,
            and leaves large photos to TensorFlow; or "auto": TensorFlow, but for style images, and
            for a single photo that `stylize` is sooner done with by the other, see `for_pixels`.
            Their pictures differ by less than 1/255 from each other in float32.

    Raises:
        InputError: a setting is out of range or does not go with another, or `fit_steps` on
            another Keras backend.
        ImportError: `runtime` is "onnx", and its packages are not installed.
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
        precision: Precision = "auto",
        style_scale: float = 1.0,
        refine_steps: int = REFINE_STEPS,
        fit_steps: int = 0,
        runtime: Runtime = "auto",
    ) -> None:
        check_not_forked()
        self.style_scale = check_style_scale(style_scale)
        self.refine_steps = whole_number(refine_steps, "refine_steps")
        self.precision = choose_precision(precision)
        self.fit_steps = whole_number(fit_steps, "fit_steps")
        self.runtime = check_runtime(runtime, precision, self.fit_steps)
        if self.runtime == "onnx":
            self.precision = "float32"
        self._may_be_light = precision != "bfloat16" and not self.fit_steps
        self._light_pixels = 0  # that the light form was given
        self.folder = cin_folder(folder)
        self.layout, self._kernels = load_network(self.folder / NETWORK_FILE)
        self.network = network_id(self._kernels)
        self.styles = trained_styles(self.folder)
        # The light form of this engine, a copy, shares it.
        self._embedder = functools.cache(self._make_embedder)
        shapes = self._vector_shapes()
        for style in self.styles.values():
            check_embedding(style, self.name, self.network, shapes, CheckpointError)
        if self.fit_steps:
            self.styles = self._styles_with_targets()

    def for_pixels(self, pixels: int) -> Cin:
        """The engine in the form that is soonest done with so much work.

        With `runtime` "auto" that is ONNX Runtime while this process has not loaded TensorFlow, as
        long as all that was asked for so far is not more than TensorFlow would be started for.

        Args:
            pixels: that are to be painted.
        """
        may = self.runtime == "auto" and self._may_be_light
        if not may or not is_sooner_light(self._light_pixels + pixels):
            return self
        self._light_pixels += pixels
        return self._light

    @functools.cached_property
    def _light(self) -> Cin:
        light = copy.copy(self)
        light.runtime, light.precision = "onnx", "float32"
        return light

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
        image = as_looked_at(style, self.style_scale)
        embedder = self._embedder() if embeds_light(self.runtime) else self._full
        arrays = embedder.embed(image, self.refine_steps, with_targets=self.fit_steps > 0)
        return Embedding(self.name, self.network, arrays)

    @property
    def takes_images(self) -> bool:
        """Whether the network comes with a predictor of styles from images."""
        return predicts_styles(self.folder)

    @functools.cached_property
    def _full(self) -> FullCin:
        from arbitrary_nst.engines.cin.full import FullCin

        return FullCin(self.folder, self.layout, self._kernels, self.network, self.precision)

    def _make_embedder(self) -> LightEmbedder:
        from arbitrary_nst.engines.cin.light import LightEmbedder

        return LightEmbedder(self.folder, self.layout, self._kernels, self.network)

    def make_refiner(self, *, content_weight: float, recolor: bool) -> Refiner:
        """A `Refiner` of this network: fits vectors to paintings by TensorFlow."""
        from arbitrary_nst.networks.predictor.refiner import Refiner

        full = self._full
        return Refiner(full.fast, full.predictor, content_weight=content_weight, recolor=recolor)

    @functools.cached_property
    def _painter(self) -> FastCin | LightCin:
        """The network, ready to run."""
        if self.runtime != "onnx":
            return self._full.fast
        from arbitrary_nst.networks.cin.light import LightCin

        return LightCin(self.layout, self._kernels)

    def _styles_with_targets(self) -> Mapping[str, Embedding]:
        from arbitrary_nst.engines.cin.full import check_gradients

        check_gradients(self.fit_steps)
        targets = dict(load_targets(self.folder, self.network))
        # What gives a photo back has no painting; in a blend it stands for a photo like others.
        targets[IDENTITY] = self._full.photo_targets()
        # A style that was learned later has none, and is not offered.
        known = {n: with_targets(s, targets[n]) for n, s in self.styles.items() if n in targets}
        for style in known.values():
            self._check(style, CheckpointError)
        return known

    def _for_photo(
        self, content: np.ndarray, styles: Sequence[Embedding], seed: int
    ) -> list[Embedding]:
        """The styles as this photo gets them."""
        fitted = [self._fitted(content, style, seed) for style in styles]
        return for_contrast(content, fitted, self.identity)

    def _fitted(self, content: np.ndarray, style: Embedding, seed: int) -> Embedding:
        self._check(style, StyleError)
        if not self.fit_steps or style.name == IDENTITY:
            return style
        photo = self._grown(fit_photo(content, MIN_CONTENT_SIDE)[None])[0]
        arrays = self._full.fitted(photo, style.arrays, self.fit_steps, seed)
        return replace(style, arrays=arrays)

    @eagerly
    def identity(self, content: np.ndarray) -> Embedding:
        """The trained style that gives the photo back, with the photo's brightness and contrast."""
        style = self.styles[IDENTITY]
        arrays = {}
        for name, own in zip(("gamma", "beta"), photo_gamma_beta(content), strict=True):
            arrays[name] = style.arrays[name].copy()
            arrays[name][-3:] = own
        if self.fit_steps:  # of this photo, which is what `strength` mixes in
            arrays |= self._full.targets(fit_photo(content, MIN_CONTENT_SIDE))
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
        check_side(height, width)
        pairs = zip(contents, embeddings, strict=True)
        embeddings = [self._for_photo(content, [style], seed)[0] for content, style in pairs]
        batch = self._grown(contents[0][None] if len(contents) == 1 else np.stack(contents))
        # Every photo gets the same noise, or its picture would depend on its neighbours.
        noise = np.repeat(draw_noise(self.layout, height, width, seed)[None], len(batch), axis=0)
        pictures = self._painter(batch, *self._vectors(embeddings), noise)
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
        check_side(height, width)
        embeddings = self._for_photo(content, embeddings, seed)
        batch, noise = self._grown(content[None]), draw_noise(self.layout, height, width, seed)
        gamma, beta = self._vectors(embeddings)
        grown = self._grown(weights[None])
        picture = self._painter.regions(batch, gamma, beta, grown, noise[None])[0]
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
        check_side(*content.shape[:2])
        arrays = self._for_photo(content, [embedding], seed)[0].arrays
        return self._full.paint_large(
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
        check_side(*content.shape[:2])
        embeddings = self._for_photo(content, embeddings, seed)
        gamma, beta = self._vectors(embeddings)
        return self._full.paint_large(
            content,
            gamma,
            beta,
            weights=weights,
            seed=seed,
            max_memory=max_memory,
            progress=progress,
        )

    def memory_for(self, height: int, width: int, num_regions: int = 0) -> float:
        """About how many bytes a photo of that size takes, beside those of the runtime itself.

        Args:
            height: of the photo.
            width: likewise.
            num_regions: styles that `render_regions` is given; 0 for `render`.
        """
        form = "onnx" if self.runtime == "onnx" else self.precision
        return bytes_for(form, height * width, num_regions)

    def _grown(self, batch: np.ndarray) -> np.ndarray:
        return grown(batch, self.layout.multiple)

    @staticmethod
    def _vectors(embeddings: Sequence[Embedding]) -> tuple[np.ndarray, np.ndarray]:
        gamma, beta = (np.stack([e.arrays[key] for e in embeddings]) for key in ("gamma", "beta"))
        return gamma, beta

    def _check(self, embedding: Embedding, error: type[Exception]) -> None:
        shapes = self._vector_shapes()
        if self.fit_steps:
            shapes |= target_shapes(self._full.target_widths())
        check_embedding(embedding, self.name, self.network, shapes, error)

    def _vector_shapes(self) -> dict[str, tuple[int, ...]]:
        return dict.fromkeys(("beta", "gamma"), (self.layout.style_size,))
