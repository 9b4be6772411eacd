"""The vgg19 engine: the picture itself is optimised until VGG19 sees the style in it."""

from __future__ import annotations

import functools
import hashlib
import logging
import os
import warnings
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from types import MappingProxyType

import numpy as np
import tensorflow as tf

from arbitrary_nst.checkpoints import vgg19_weights
from arbitrary_nst.common.atomic import check_target
from arbitrary_nst.common.eager import check_eager, eagerly
from arbitrary_nst.common.forks import check_not_forked
from arbitrary_nst.common.keras_on_tensorflow import keras, on_tensorflow
from arbitrary_nst.embedding import Embedding, blend
from arbitrary_nst.engines.cin import Cin
from arbitrary_nst.engines.protocol import Step
from arbitrary_nst.engines.shared import check_batch, check_embedding
from arbitrary_nst.engines.vgg19.optimizer import Diverged, minimize_in_steps
from arbitrary_nst.engines.vgg19.resume import (
    fingerprint_of,
    load_state,
    path_of,
    save_state,
)
from arbitrary_nst.engines.vgg19.settings import (
    MIN_CONTENT_SIDE,
    Vgg19Settings,
    check_settings,
    scale_shapes,
    steps_of_scales,
)
from arbitrary_nst.errors import ImageError, InputError, RenderError, StyleError
from arbitrary_nst.image import load_image, resize
from arbitrary_nst.image.arrays import check_image
from arbitrary_nst.networks.losses import relative_error, total_variation_loss
from arbitrary_nst.networks.precision import choose_precision
from arbitrary_nst.networks.vgg import CONTENT_LAYER, STYLE_LAYERS, gram_matrix, load_vgg19

SECONDS_PER_MEGAPIXEL = 2.0  # of one step, on two cores with bfloat16; for the time announced
LARGEST_MOMENT = 1e12  # of features; VGG19's own reach a hundred million
_log = logging.getLogger(__name__)


class Vgg19:
    """The engine for full quality: minutes for a picture, any style, no training.

    A style is the Gram matrices of VGG19's features, and a blend is their weighted mean. That is
    the same as blending the losses: for weights w_i with the sum 1 and M = sum_i w_i T_i,

        sum_i w_i ||G - T_i||^2 = ||G||^2 - 2 <G, M> + sum_i w_i ||T_i||^2
                                = ||G - M||^2 + (sum_i w_i ||T_i||^2 - ||M||^2),

    and the last bracket does not depend on the picture. So both have the same gradient.

    Reference: Gatys, Ecker, Bethge 2016, "Image Style Transfer Using Convolutional Neural
    Networks"; coarse to fine after Gatys et al. 2017, "Controlling Perceptual Factors in Neural
    Style Transfer".

    Args:
        source: VGG19 file in Keras' `.h5` layout without the classifier; default
            `$ARBITRARY_NST_VGG19`, else Keras downloads it (80 MB).
        settings: see `Vgg19Settings`.
        checkpoint: file that keeps the state of a picture on its way; with it an interrupted run
            goes on. Refused where it belongs to another picture. With masks every style has a
            picture, and the second and further ones a file beside this one, such as `state-2`.
        vgg: the network itself, as `load_vgg19` gives it, in place of a file.
        weights: former name of `source`.

    Raises:
        InputError: a setting is out of range, or Keras was imported with another backend.
        WeightsUnavailable: VGG19 cannot be had.
    """

    name = "vgg19"
    styles: Mapping[str, Embedding] = MappingProxyType({})
    takes_images = True
    render_regions = render_large = render_large_regions = memory_for = for_pixels = None

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
        self._sizes = {
            layer: int(output.shape[-1])
            for layer, output in zip(STYLE_LAYERS, vgg.outputs, strict=False)
        }

    @eagerly
    def embed(self, style: np.ndarray) -> Embedding:
        """The Gram matrices of a style image, each as its upper triangle row by row.

        Args:
            style: float32 `(H, W, 3)`, RGB in `[0, 1]`, of any size.
        """
        check_image(style, "style", (3,))
        return self._grams(resize(style, longer_side=self.settings.style_size))

    @eagerly
    def identity(self, content: np.ndarray) -> Embedding:
        """The photo's own Gram matrices, at its own size."""
        check_image(content, "content", (3,))
        return self._grams(content)

    @eagerly
    def render(
        self,
        content: np.ndarray,
        embedding: Embedding,
        *,
        seed: int = 0,
        on_step: Callable[[Step], None] = lambda step: None,
        part: int = 0,
    ) -> np.ndarray:
        """Paints a photo in a style. Ctrl-C ends it with the picture that is there.

        Args:
            content: float32 `(H, W, 3)`, RGB in `[0, 1]`, both sides at least 16.
            embedding: of this engine and this network.
            seed: of `init="noise"` and of the noise of `init="cin"`.
            on_step: called after each step.
            part: number from 0 of the pictures that are made for regions of one picture; each
                has a checkpoint of its own, the second `state-2` where the first has `state`.

        Returns:
            float32 `(H, W, 3)`, RGB in `[0, 1]`.

        Raises:
            StyleError: the embedding belongs to another engine or network.
            ImageError: the photo is too small or too large.
            RenderError: the loss became NaN or infinite; it has the last good picture.
        """
        picture = content
        for step in self.render_steps(content, embedding, seed=seed, part=part):
            picture = step.picture
            on_step(step)
        return _at_shape(picture, content.shape)

    def render_batch(
        self, contents: Sequence[np.ndarray], embeddings: Sequence[Embedding], *, seed: int = 0
    ) -> list[np.ndarray]:
        """`render` for several photos, one after the other, each with its own embedding."""
        check_batch(contents, embeddings)
        pairs = zip(contents, embeddings, strict=True)
        return [self.render(content, embedding, seed=seed) for content, embedding in pairs]

    def render_steps(
        self, content: np.ndarray, embedding: Embedding, *, seed: int = 0, part: int = 0
    ) -> Iterator[Step]:
        """`render`, step by step: closing the generator stops the work.

        On Ctrl-C the generator ends after the last finished step, and a warning is logged.
        """
        check_eager()
        self._check(content, embedding)
        scales = scale_shapes(content.shape, self.settings.coarsest)
        counts = steps_of_scales(self.settings, len(scales))
        fingerprint = fingerprint_of(content, embedding, self.settings, seed)
        checkpoint = path_of(self.checkpoint, part)
        first_scale, first_iteration, loss, picture = load_state(checkpoint, fingerprint)
        done = sum(counts[:first_scale]) + first_iteration
        if picture is not None:
            yield Step(done, sum(counts), loss, picture)
        try:
            for index in range(first_scale, len(scales)):
                small = _at_shape(content, scales[index])
                start = self._start(content, scales[index], seed) if picture is None else picture
                start = _at_shape(start, scales[index])
                function = self._objective(small, embedding)
                begun = first_iteration if index == first_scale else 0
                for iteration, state in self._minimize(function, start, begun, counts[index]):
                    picture, loss = state.values.astype(np.float32), state.loss
                    if iteration % self.settings.restart_every == 0:
                        save_state(checkpoint, fingerprint, index, iteration, loss, picture)
                    done = sum(counts[:index]) + iteration
                    yield Step(done, sum(counts), loss, picture)
                picture = start if picture is None else picture
                save_state(checkpoint, fingerprint, index + 1, 0, loss, picture)
        except Diverged as error:
            raise RenderError(
                f"The optimisation broke off after {done} steps: {error}. Expected a finite loss; "
                f"lower weights, or precision='float32', may help.",
                None if picture is None else _at_shape(picture, content.shape),
            ) from error
        except KeyboardInterrupt:
            if picture is None:
                raise
            _log.warning(
                "stopped after %d of %d steps; this is the picture so far", done, sum(counts)
            )

    def estimated_seconds(self, height: int, width: int) -> float:
        """About how long a picture takes, for announcing it."""
        scales = scale_shapes((height, width, 3), self.settings.coarsest)
        counts = steps_of_scales(self.settings, len(scales))
        pixels = sum(n * h * w for n, (h, w, _) in zip(counts, scales, strict=True))
        return SECONDS_PER_MEGAPIXEL * pixels / 1e6

    def _minimize(self, function, start: np.ndarray, begun: int, count: int):
        """Steps of one scale from `begun` on: (iteration, state), in chunks of `restart_every`."""
        settings, values = self.settings, start
        options = {"learning_rate": settings.learning_rate} if settings.optimizer == "adam" else {}
        while begun < count:
            length = min(settings.restart_every, count - begun)
            losses: list[float] = []
            for state in minimize_in_steps(settings.optimizer, function, values, length, **options):
                values = state.values.astype(np.float32)  # as a checkpoint keeps it
                losses.append(state.loss)
                begun += 1
                yield begun, state
                if len(losses) > 10 and losses[-11] - losses[-1] < settings.tolerance * losses[-1]:
                    return
            if len(losses) < length:  # L-BFGS found nothing lower
                return

    def _objective(self, content: np.ndarray, embedding: Embedding):
        """Loss and gradient at one scale, compiled: float64 (h, w, 3) -> (float, (h, w, 3))."""
        wanted = tf.stop_gradient(self._vgg(tf.constant(content[None], tf.float32))[-1])
        targets = [tf.constant(self._square(embedding, layer)[None]) for layer in STYLE_LAYERS]
        settings = self.settings
        shares = np.array(settings.layer_weights) / sum(settings.layer_weights)

        @tf.function(input_signature=[tf.TensorSpec((1, *content.shape), tf.float32)])
        def evaluate(picture):
            with tf.GradientTape() as tape:
                tape.watch(picture)
                features = self._vgg(picture)
                style = tf.add_n(
                    [
                        float(share) * relative_error(gram_matrix(f), t)
                        for share, f, t in zip(shares, features, targets, strict=False)
                    ]
                )
                loss = settings.style_weight * style + relative_error(features[-1], wanted)
                loss += settings.total_variation_weight * total_variation_loss(picture)
                loss = tf.reduce_sum(loss)
            return loss, tape.gradient(loss, picture)

        def function(values: np.ndarray) -> tuple[float, np.ndarray]:
            loss, gradient = evaluate(tf.constant(values[None], tf.float32))
            return float(loss), gradient.numpy()[0].astype(np.float64)

        return function

    def _start(self, content: np.ndarray, shape: tuple[int, ...], seed: int) -> np.ndarray:
        if self.settings.init == "noise":
            return np.random.default_rng(seed).random(shape, np.float32)
        if self.settings.init == "cin":
            styles = [_trained(self._cin, name) for name in self.settings.init_styles]
            return self._cin.render(_at_shape(content, shape), blend(styles), seed=seed)
        if self.settings.init != "content":
            return _at_shape(load_image(self.settings.init, role="init")[0], shape)
        return _at_shape(content, shape)

    @functools.cached_property
    def _cin(self) -> Cin:
        return Cin()

    def _grams(self, image: np.ndarray) -> Embedding:
        image = _at_least(image, MIN_CONTENT_SIDE)
        features = self._vgg(tf.constant(image[None], tf.float32))
        arrays = {}
        for layer, values in zip(STYLE_LAYERS, features, strict=False):
            matrix = gram_matrix(values).numpy()[0]
            arrays[layer] = matrix[np.triu_indices(len(matrix))]
        return Embedding(self.name, self.network, arrays)

    def _square(self, embedding: Embedding, layer: str) -> np.ndarray:
        size = self._sizes[layer]
        matrix = np.zeros((size, size), np.float32)
        matrix[np.triu_indices(size)] = embedding.arrays[layer]
        return matrix + np.triu(matrix, 1).T

    def _check(self, content: np.ndarray, embedding: Embedding) -> None:
        shapes = {layer: (size * (size + 1) // 2,) for layer, size in self._sizes.items()}
        check_embedding(embedding, self.name, self.network, shapes, largest=LARGEST_MOMENT)
        check_image(content, "content", (3,))
        height, width = content.shape[:2]
        if min(height, width) < MIN_CONTENT_SIDE or height * width > self.settings.max_pixels:
            raise ImageError(
                f"The vgg19 engine needs photos of at least {MIN_CONTENT_SIDE}x{MIN_CONTENT_SIDE} "
                f"and at most {self.settings.max_pixels} pixels in all (about 3 GB of memory for a "
                f"megapixel). "
                f"Received: {width}x{height}. Give a `size`, or raise `max_pixels` of its settings."
            )


def _at_shape(image: np.ndarray, shape: Sequence[int]) -> np.ndarray:
    height, width = shape[:2]
    same = image.shape[:2] == (height, width)
    return image if same else resize(image, shape=(height, width))


def _at_least(image: np.ndarray, side: int) -> np.ndarray:
    """Repeats a narrow image by reflection, so that the deepest layer sees something of it."""
    extra = [(0, max(0, side - length)) for length in image.shape[:2]]
    return np.pad(image, [*extra, (0, 0)], mode="symmetric")


def _trained(engine: Cin, name: str) -> Embedding:
    if name not in engine.styles:
        raise StyleError(
            f"`init_styles` are names of packaged styles. Expected one of "
            f"{', '.join(engine.styles)}. Received: {name!r}."
        )
    return engine.styles[name]


def _digest(weights: Sequence[np.ndarray]) -> str:
    digest = hashlib.sha256()
    for array in weights:
        digest.update(f"{array.shape}".encode())
        digest.update(np.ascontiguousarray(array, "<f4").tobytes())
    return digest.hexdigest()[:12]
