"""A style's vector fitted to its painting in a second or two, without the loss network.

What the predictor sees in a painting, its first convolutions see in a picture too. They started as
VGG19's and still give features of that kind, so the picture of a small photo is compared with the
painting by them, Gram matrix by Gram matrix (Gatys et al. 2016), and gamma and beta follow the
gradient. The vector of the predictor, or of training, is where this starts; it needs few steps.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import keras
import numpy as np
import tensorflow as tf

from arbitrary_nst.networks.cin.fast import FastCin, normalize
from arbitrary_nst.networks.cin.noise import draw_noise
from arbitrary_nst.networks.losses import recolored, relative_error, style_loss
from arbitrary_nst.networks.predictor.network import trunk_of
from arbitrary_nst.networks.predictor.refining import CONTENT_WEIGHT, LEARNING_RATE, follow
from arbitrary_nst.networks.vgg import gram_matrix


class Refiner:
    """Fits vectors of one network.

    Args:
        network: that paints.
        predictor: of the same network, as `build_predictor` makes it.
        content_weight: of the deepest layer's distance from the photo, beside the style loss.
        recolor: compares with the photo in the picture's colours (`losses.recolored`), for a look
            of the convolutions more each step: the drawing is held, the photo's colours are not.
    """

    def __init__(
        self,
        network: FastCin,
        predictor: keras.Model,
        *,
        content_weight: float = CONTENT_WEIGHT,
        recolor: bool = False,
    ) -> None:
        self._network = network
        self._content_weight, self._recolor = content_weight, recolor
        self._trunk = trunk_of(predictor)
        layout, widths = network.layout, [f.shape[-1] for f in self._trunk.outputs]

        def spec(*shape: int | None) -> tf.TensorSpec:
            return tf.TensorSpec(shape, tf.float32)

        image, vector = spec(1, None, None, 3), spec(layout.style_size)
        noise = spec(1, None, None, layout.noise_depth)
        # One graph for all sizes, or the first photo of each would wait for seconds.
        self._features = tf.function(self._compute_features, input_signature=[image])
        self._gradients = tf.function(
            self._compute_gradients,
            input_signature=[
                vector,
                vector,
                image,
                noise,
                spec(1, None, None, widths[-1]),
                [spec(1, width, width) for width in widths],
            ],
        )

    def grams(self, painting: np.ndarray) -> list[np.ndarray]:
        """What vectors are fitted to.

        Args:
            painting: float32 (H, W, 3), RGB in `[0, 1]`.

        Returns:
            The Gram matrix, float32 (C, C), of each layer of `TRUNK`.
        """
        return [gram[0].numpy() for gram in self._features(painting[None])[0]]

    def __call__(
        self,
        grams: Sequence[np.ndarray],
        arrays: Mapping[str, np.ndarray],
        photos: Sequence[np.ndarray],
        steps: int,
        *,
        seed: int = 0,
        learning_rate: float = LEARNING_RATE,
    ) -> dict[str, np.ndarray]:
        """Fits a vector.

        Args:
            grams: as `grams` gives them.
            arrays: "gamma" and "beta", float32 (style_size,), where to start.
            photos: each float32 (H, W, 3), RGB in `[0, 1]`, with sides that are multiples of the
                network's; each step looks at the next one.
            steps: of the optimiser.
            seed: of the network's noise.
            learning_rate: of the optimiser at its beginning.

        Returns:
            "gamma" and "beta", fitted.
        """
        targets = [tf.constant(gram[None]) for gram in grams]
        inputs = []
        for photo in photos[:steps]:
            height, width = photo.shape[:2]
            noise = draw_noise(self._network.layout, height, width, seed)
            inputs.append((photo[None], noise[None], self._wanted(photo[None])))

        def gradients(gamma: np.ndarray, beta: np.ndarray, step: int) -> list[np.ndarray]:
            found = self._gradients(gamma, beta, *inputs[step % len(inputs)], targets)
            return [gradient.numpy() for gradient in found]

        return follow(gradients, arrays, steps, learning_rate)

    def _wanted(self, photo: np.ndarray) -> tf.Tensor:
        """The photo's deepest features, or none where each step looks at it in other colours."""
        if self._recolor:
            return tf.zeros((1, 0, 0, self._trunk.outputs[-1].shape[-1]))
        return self._features(photo)[1]

    def _compute_features(self, image):
        """The Gram matrices, and the deepest features in float32."""
        features = self._trunk(image)
        return [gram_matrix(f) for f in features], tf.cast(features[-1], tf.float32)

    def _compute_gradients(self, gamma, beta, photo, noise, wanted, grams):
        with tf.GradientTape() as tape:
            tape.watch([gamma, beta])
            picture = self._network.apply(
                photo, noise, lambda x, step: normalize(x, *step.affine(gamma, beta))
            )
            features = self._trunk(picture)
            style = style_loss([gram_matrix(f) for f in features], grams)
            if self._recolor:
                wanted = self._trunk(recolored(photo, picture))[-1]
            content = relative_error(features[-1], wanted)
            loss = tf.reduce_sum(style + self._content_weight * content)
        return tape.gradient(loss, [gamma, beta])
