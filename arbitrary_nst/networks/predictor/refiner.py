"""A style's vector fitted to its painting in a second or two, without the loss network.

What the predictor sees in a painting, its first convolutions see in a picture too. They started as
VGG19's and still give features of that kind, so the picture of a few small photos is compared with
the painting by them, Gram matrix by Gram matrix (Gatys et al. 2016), and gamma and beta follow the
gradient. The predicted vector is where this starts, and it needs few steps.
"""

from __future__ import annotations

from collections.abc import Mapping

import keras
import numpy as np
import tensorflow as tf

from arbitrary_nst.networks.cin.fast import FastCin, normalize
from arbitrary_nst.networks.cin.noise import draw_noise
from arbitrary_nst.networks.losses import relative_error, style_loss
from arbitrary_nst.networks.predictor.network import TRUNK
from arbitrary_nst.networks.vgg import gram_matrix

LEARNING_RATE = 0.03  # of Adam, falling to zero
CONTENT_WEIGHT = 0.05


class Refiner:
    """Fits vectors of one network.

    Args:
        network: that paints.
        predictor: of the same network, as `build_predictor` makes it.
        photos: float32 (N, S, S, 3), RGB in `[0, 1]`; each step looks at the next one.
    """

    def __init__(self, network: FastCin, predictor: keras.Model, photos: np.ndarray) -> None:
        self._network = network
        features = [predictor.get_layer(name).output for name in TRUNK]
        self._trunk = keras.Model(predictor.input, features)
        self._photos = [tf.constant(photo[None]) for photo in photos]
        noise = draw_noise(network.layout, photos.shape[1], photos.shape[2], seed=0)
        self._noise = tf.constant(noise[None])
        self._gradients = tf.function(self._compute_gradients)
        self._features = tf.function(self._trunk, reduce_retracing=True)
        self._wanted = [tf.cast(self._trunk(photo)[-1], tf.float32) for photo in self._photos]

    def __call__(
        self, painting: np.ndarray, arrays: Mapping[str, np.ndarray], steps: int
    ) -> dict[str, np.ndarray]:
        """Fits a vector.

        Args:
            painting: float32 (H, W, 3), RGB in `[0, 1]`.
            arrays: "gamma" and "beta", float32 (style_size,), where to start.
            steps: of the optimiser.

        Returns:
            "gamma" and "beta", fitted.
        """
        grams = [gram_matrix(f) for f in self._features(tf.constant(painting[None]))]
        values = [keras.Variable(arrays[name]) for name in ("gamma", "beta")]
        rate = keras.optimizers.schedules.PolynomialDecay(LEARNING_RATE, steps, 0.0)
        optimizer = keras.optimizers.Adam(rate)
        for step in range(steps):
            index = step % len(self._photos)
            photo, wanted = self._photos[index], self._wanted[index]
            gradients = self._gradients(*(v.value for v in values), photo, wanted, grams)
            optimizer.apply(gradients, values)
        gamma, beta = (value.value.numpy() for value in values)
        return {"gamma": gamma, "beta": beta}

    def _compute_gradients(self, gamma, beta, photo, wanted, grams):
        with tf.GradientTape() as tape:
            tape.watch([gamma, beta])
            picture = self._network.apply(
                photo, self._noise, lambda x, step: normalize(x, *step.affine(gamma, beta))
            )
            features = self._trunk(picture)
            style = style_loss([gram_matrix(f) for f in features], grams)
            content = relative_error(features[-1], wanted)
            loss = tf.reduce_sum(style + CONTENT_WEIGHT * content)
        return tape.gradient(loss, [gamma, beta])
