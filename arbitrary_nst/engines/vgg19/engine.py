"""The vgg19 engine: the picture itself is optimised until VGG19 sees the style in it."""

from __future__ import annotations

import hashlib
import logging
import os
import warnings
from collections.abc import Callable, Generator, Iterator, Mapping, Sequence
from pathlib import Path
from types import MappingProxyType
from typing import Any

import numpy as np

from arbitrary_nst.checkpoints import vgg19_weights
from arbitrary_nst.common.atomic import check_target
from arbitrary_nst.common.eager import check_eager, eagerly
from arbitrary_nst.common.forks import check_not_forked
from arbitrary_nst.common.keras_on_tensorflow import keras, on_tensorflow
from arbitrary_nst.embedding import Embedding
from arbitrary_nst.engines.protocol import Step
from arbitrary_nst.engines.shared import check_batch, check_embedding
from arbitrary_nst.engines.vgg19.eyes import Eyes
from arbitrary_nst.engines.vgg19.objective import Objective, Region, moments_of
from arbitrary_nst.engines.vgg19.optimizer import Diverged, minimize_in_steps
from arbitrary_nst.engines.vgg19.resume import fingerprint_of, load_state, save_state
from arbitrary_nst.engines.vgg19.settings import (
    MIN_CONTENT_SIDE,
    Vgg19Settings,
    check_settings,
    scale_shapes,
    steps_of_scales,
)
from arbitrary_nst.engines.vgg19.start import Starts, at_shape, at_size
from arbitrary_nst.engines.vgg19.styles import (
    PHOTO,
    Moments,
    array_shapes,
    looked_at_sizes,
    moments_for,
    photo_share,
    style_arrays,
    with_start,
)
from arbitrary_nst.errors import (
    ImageError,
    InputError,
    RenderError,
    StopPainting,
)
from arbitrary_nst.image import resize
from arbitrary_nst.image.arrays import check_image
from arbitrary_nst.networks.precision import choose_precision
from arbitrary_nst.networks.vgg import CONTENT_LAYER, STYLE_LAYERS, load_vgg19

PAIRS_OF_LARGE = 2
BLURS = ((1.0, 4.0), (2.0, 16.0), (4.0, 64.0))  # see `optimizer`
SO_FAR = "this is the picture so far"
SECONDS_PER_MEGAPIXEL = 2.0  # of one step, on two cores with bfloat16; for the time announced
# Of the work: a second look at each, what they see of their neighbours, and the photo's features
# once more. By count, from 2.4 that were measured with larger tiles and all features kept.
TIMES_IN_TILES = 3.0
LARGEST_MOMENT = 1e12  # of features; VGG19's own reach a hundred million
_log = logging.getLogger(__name__)


class Vgg19:
    """The engine for full quality: minutes for a picture, any style, no training.

    A style is the Gram matrices and means of VGG19's features, with the painting at several sizes,
    and a blend is their weighted mean. For Gram matrices that is the same as blending the losses:
    for weights w_i with the sum 1 and M = sum_i w_i T_i,

        sum_i w_i ||G - T_i||^2 = ||G||^2 - 2 <G, M> + sum_i w_i ||T_i||^2
                                = ||G - M||^2 + (sum_i w_i ||T_i||^2 - ||M||^2),

    and the last bracket does not depend on the picture. So both have the same gradient. The
    covariance of a blend is that of all its paintings' features put together.

    A photo above `whole_pixels` of the settings is looked at in tiles, to the same result.

    Reference: Gatys, Ecker, Bethge 2016, "Image Style Transfer Using Convolutional Neural
    Networks"; coarse to fine after Gatys et al. 2017, "Controlling Perceptual Factors in Neural
    Style Transfer".

    Args:
        source: VGG19 file in Keras' `.h5` layout without the classifier; default
            `$ARBITRARY_NST_VGG19`, else it is downloaded (80 MB) to where Keras keeps it.
        settings: see `Vgg19Settings`.
        checkpoint: file that keeps the state of a picture on its way; with it an interrupted run
            goes on. Refused where it belongs to another picture.
        vgg: the network itself, as `load_vgg19` gives it, in place of a file.
        weights: former name of `source`.

    Raises:
        InputError: a setting is out of range, or Keras was imported with another backend.
        WeightsUnavailable: VGG19 cannot be had.
    """

    name = "vgg19"
    styles: Mapping[str, Embedding] = MappingProxyType({})
    takes_images = True
    render_large = render_large_regions = memory_for = for_pixels = None

    @eagerly
    def __init__(
        self,
        source: str | os.PathLike[str] | None = None,
        *,
        settings: Vgg19Settings | None = None,
        checkpoint: str | os.PathLike[str] | None = None,
        vgg: keras.Model | None = None,
        weights: str | os.PathLike[str] | None = None,
    ) -> None:
        check_not_forked()
        if weights is not None:
            warnings.warn("`weights` of Vgg19 is `source` now.", DeprecationWarning, stacklevel=2)
            source = weights
        if not on_tensorflow():
            raise InputError(
                f"The vgg19 engine needs Keras on TensorFlow. Expected KERAS_BACKEND=tensorflow "
                f"before Keras is imported. Received: {keras.backend.backend()!r}."
            )
        self.settings = settings or Vgg19Settings()
        check_settings(self.settings)
        if checkpoint is not None:
            check_target(checkpoint)
        self.checkpoint = None if checkpoint is None else Path(checkpoint)
        if vgg is None:
            precision = choose_precision(self.settings.precision)
            vgg = load_vgg19(
                (*STYLE_LAYERS, CONTENT_LAYER),
                weights=vgg19_weights(source),
                pooling=self.settings.pooling,
                dtype="mixed_bfloat16" if precision == "bfloat16" else "float32",
            )
        self._vgg = vgg
        self.network = f"vgg19-{self.settings.pooling}-{_digest(vgg.get_weights())}"
        self._eyes = Eyes(vgg)
        self._starts = Starts(self.settings)
        self._looked_at = looked_at_sizes(self.settings.style_size)
        self._channels = {
            layer: int(output.shape[-1])
            for layer, output in zip(STYLE_LAYERS, vgg.outputs, strict=False)
        }

    @eagerly
    def embed(self, style: np.ndarray) -> Embedding:
        """The moments of a style image's features at several sizes, and the start that cin makes.

        Args:
            style: float32 `(H, W, 3)`, RGB in `[0, 1]`, of any size.
        """
        check_image(style, "style", (3,))

        def moments_at(size: int) -> Sequence[Moments]:
            image = _at_least(resize(style, longer_side=size), MIN_CONTENT_SIDE)
            return moments_of(self._eyes, image)

        arrays = style_arrays(self._looked_at, moments_at)
        if (cin := self._starts.embedding_cin) is not None:
            arrays = with_start(arrays, cin.embed(style))
        return Embedding(self.name, self.network, arrays)

    @eagerly
    def identity(self, content: np.ndarray) -> Embedding:
        """The photo's own look: its moments are taken where it is painted, at each scale."""
        check_image(content, "content", (3,))
        arrays = {
            name: np.zeros(shape, np.float32)
            for name, shape in array_shapes(self._looked_at, self._channels, None).items()
        }
        arrays[PHOTO] = np.ones(1, np.float32)
        if (cin := self._starts.embedding_cin) is not None:
            arrays = with_start(arrays, cin.identity(content))
        return Embedding(self.name, self.network, arrays, name="photo")

    def render(
        self,
        content: np.ndarray,
        embedding: Embedding,
        *,
        seed: int = 0,
        on_step: Callable[[Step], None] = lambda step: None,
    ) -> np.ndarray:
        """Paints a photo in a style. Ctrl-C ends it with the picture that is there.

        Args:
            content: float32 `(H, W, 3)`, RGB in `[0, 1]`, both sides at least 16.
            embedding: of this engine and this network.
            seed: of `init="noise"` and of the noise of `init="cin"`.
            on_step: called after each step; `StopPainting` raised there ends the work with the
                picture of that step.

        Returns:
            float32 `(H, W, 3)`, RGB in `[0, 1]`.

        Raises:
            StyleError: the embedding belongs to another engine or network.
            ImageError: the photo is too small or too large.
            RenderError: the loss became NaN or infinite; it has the last good picture.
        """
        return self.render_regions(content, [embedding], None, seed=seed, on_step=on_step)

    def render_regions(
        self,
        content: np.ndarray,
        embeddings: Sequence[Embedding],
        weights: np.ndarray | None,
        *,
        seed: int = 0,
        on_step: Callable[[Step], None] = lambda step: None,
    ) -> np.ndarray:
        """Paints a photo in several styles, each in its region, in one optimisation.

        The statistics of each style are asked of its region; soft edges count to both sides.

        Args:
            content: as for `render`.
            embeddings: of the styles.
            weights: float32 `(H, W, num_styles)` of sum 1 at every pixel; None for a single style.
            seed: as for `render`.
            on_step: as for `render`.

        Returns:
            As `render`, and it raises the same.
        """
        picture = content
        steps = self._steps(content, embeddings, weights, seed)
        try:
            for step in steps:
                picture = step.picture
                on_step(step)
        except StopPainting:
            _log.warning("stopped after %d of %d steps; %s", step.step, step.total, SO_FAR)
        finally:
            steps.close()
        return at_shape(picture, content.shape)

    def render_batch(
        self, contents: Sequence[np.ndarray], embeddings: Sequence[Embedding], *, seed: int = 0
    ) -> list[np.ndarray]:
        """`render` for several photos, one after the other, each with its own embedding."""
        check_batch(contents, embeddings)
        pairs = zip(contents, embeddings, strict=True)
        return [self.render(content, embedding, seed=seed) for content, embedding in pairs]

    def render_steps(
        self, content: np.ndarray, embedding: Embedding, *, seed: int = 0
    ) -> Iterator[Step]:
        """`render`, step by step: closing the generator stops the work.

        Step 0 is the picture that it starts from, where that is not the photo. On Ctrl-C the
        generator ends after the last finished step, and a warning is logged.
        """
        return self._steps(content, [embedding], None, seed)

    def _steps(
        self,
        content: np.ndarray,
        embeddings: Sequence[Embedding],
        weights: np.ndarray | None,
        seed: int,
    ) -> Generator[Step, None, None]:
        check_eager()
        for embedding in embeddings:
            self._check(content, embedding)
        if weights is not None and weights.shape != (*content.shape[:2], len(embeddings)):
            raise InputError(
                f"`weights` has one number for each pixel and style. Expected the shape "
                f"{(*content.shape[:2], len(embeddings))}. Received: {weights.shape}."
            )
        scales = scale_shapes(content.shape, self.settings.coarsest)
        counts = steps_of_scales(self.settings, len(scales))
        fingerprint = fingerprint_of(content, embeddings, weights, self.settings, seed)
        first_scale, first_iteration, loss, picture = load_state(self.checkpoint, fingerprint)
        done = sum(counts[:first_scale]) + first_iteration
        if picture is not None:
            yield Step(done, sum(counts), loss, picture)
        try:
            for index in range(first_scale, len(scales)):
                small = at_shape(content, scales[index])
                if picture is None:
                    picture = self._starts.picture(small, embeddings, weights, seed)
                    if self.settings.init != "content":
                        yield Step(0, sum(counts), loss, picture)
                picture = at_shape(picture, scales[index])
                begun = first_iteration if index == first_scale else 0
                styles = embeddings, weights, seed
                steps = self._at_scale(small, picture, styles, begun, counts[index])
                for iteration, picture, loss in steps:
                    if iteration % self.settings.restart_every == 0:
                        save_state(self.checkpoint, fingerprint, index, iteration, loss, picture)
                    done = sum(counts[:index]) + iteration
                    yield Step(done, sum(counts), loss, picture)
                save_state(self.checkpoint, fingerprint, index + 1, 0, loss, picture)
        except Diverged as error:
            raise RenderError(
                f"The optimisation broke off after {done} steps: {error}. Expected a finite loss; "
                f"lower weights, or precision='float32', may help.",
                at_shape(picture, content.shape) if done and picture is not None else None,
            ) from error
        except KeyboardInterrupt:
            if not done:
                raise
            _log.warning("stopped after %d of %d steps; %s", done, sum(counts), SO_FAR)

    def estimated_seconds(self, height: int, width: int) -> float:
        """About how long a picture takes, for announcing it."""
        scales = scale_shapes((height, width, 3), self.settings.coarsest)
        counts = steps_of_scales(self.settings, len(scales))
        pixels = 0.0
        for count, (h, w, _) in zip(counts, scales, strict=True):
            in_tiles = h * w > self.settings.whole_pixels
            pixels += count * h * w * (TIMES_IN_TILES if in_tiles else 1)
        return SECONDS_PER_MEGAPIXEL * pixels / 1e6

    def _at_scale(
        self,
        small: np.ndarray,
        values: np.ndarray,
        styles: tuple[Sequence[Embedding], np.ndarray | None, int],
        begun: int,
        count: int,
    ) -> Iterator[tuple[int, np.ndarray, float]]:
        """Steps of one scale from `begun` on, in chunks of `restart_every`.

        A generator, so that what a scale needs is let go before the next one needs more.

        Args:
            small: the photo at that scale.
            values: the picture so far.
            styles: embeddings, weights and seed, as `render_regions` has them.
            begun: steps that were made.
            count: steps at most.

        Yields:
            The number of the step, the picture and the loss.
        """
        embeddings, weights, seed = styles
        recolored = self._starts.recolored(small, embeddings, weights, seed)
        function = self._objective(recolored, embeddings, weights)
        settings = self.settings
        large = values.shape[0] * values.shape[1] > settings.whole_pixels
        options: dict[str, Any] = {"blurs": BLURS}
        if settings.optimizer == "adam":
            options = {"learning_rate": settings.learning_rate}
        elif large:
            options |= {"pairs": PAIRS_OF_LARGE, "narrow": True}  # of 12 bytes a pixel
        while begun < count:
            length = min(settings.restart_every, count - begun)
            losses: list[float] = []
            for state in minimize_in_steps(settings.optimizer, function, values, length, **options):
                values = np.asarray(state.values, np.float32)  # as a checkpoint keeps it
                losses.append(state.loss)
                begun += 1
                yield begun, values, state.loss
                if len(losses) > 10 and losses[-11] - losses[-1] < settings.tolerance * losses[-1]:
                    return
            if len(losses) < length:  # L-BFGS found nothing lower
                return

    def _objective(
        self,
        content: np.ndarray,
        embeddings: Sequence[Embedding],
        weights: np.ndarray | None = None,
    ) -> Objective:
        """Loss and gradient at one scale: (h, w, 3) -> (float, (h, w, 3))."""
        height, width = content.shape[:2]
        side = max(height, width) * self.settings.style_scale
        regions = []
        for index, embedding in enumerate(embeddings):
            own = None if weights is None else at_size(weights[..., index], (height, width))
            if own is not None and not own.any():
                continue
            moments = moments_for(embedding, self._looked_at, side)
            regions.append(Region(own, moments, photo_share(embedding)))
        is_whole = height * width <= self.settings.whole_pixels
        tile = None if is_whole else self.settings.tile_side
        return Objective(self._eyes, self.settings, content, regions, tile)

    def _check(self, content: np.ndarray, embedding: Embedding) -> None:
        shapes = array_shapes(self._looked_at, self._channels, embedding)
        check_embedding(embedding, self.name, self.network, shapes, largest=LARGEST_MOMENT)
        check_image(content, "content", (3,))
        height, width = content.shape[:2]
        if min(height, width) < MIN_CONTENT_SIDE or height * width > self.settings.max_pixels:
            raise ImageError(
                f"The vgg19 engine needs photos of at least {MIN_CONTENT_SIDE}x{MIN_CONTENT_SIDE} "
                f"and at most {self.settings.max_pixels} pixels in all. "
                f"Received: {width}x{height}. Give a `size`, or raise `max_pixels` of its settings."
            )


def _at_least(image: np.ndarray, side: int) -> np.ndarray:
    """Repeats a narrow image by reflection, so that the deepest layer sees something of it."""
    extra = [(0, max(0, side - length)) for length in image.shape[:2]]
    return np.pad(image, [*extra, (0, 0)], mode="symmetric")


def _digest(weights: Sequence[np.ndarray]) -> str:
    digest = hashlib.sha256()
    for array in weights:
        digest.update(f"{array.shape}".encode())
        digest.update(np.ascontiguousarray(array, "<f4").tobytes())
    return digest.hexdigest()[:12]
