"""The model that is fitted: network, style table, and the perceptual losses wired together."""

from __future__ import annotations

import math
from collections.abc import Sequence

import keras
import numpy as np
from keras import ops

from arbitrary_nst.networks.cin.network import build_network, photo_gamma_beta
from arbitrary_nst.networks.losses import (
    pixel_loss,
    relative_error,
    style_loss,
    total_variation_loss,
)
from arbitrary_nst.networks.predictor.network import build_predictor
from arbitrary_nst.networks.vgg import CONTENT_LAYER, STYLE_LAYERS, gram_matrix, shifted_covariances
from arbitrary_nst.training.config import TrainConfig
from arbitrary_nst.training.devices import dtype_policy

LOSS_LAYERS = (*STYLE_LAYERS, CONTENT_LAYER)
LOSS_NAMES = ("loss", "style", "shift", "content", "identity", "stability", "variation")
# Shifts down and across of the covariances, in pixels of the layer. They are 8 and 16 pixels of
# the picture, the strides at which lattices appear, and none at all, which is there for scale.
SHIFTS = {
    "relu2_1": ((0, 0), (4, 0), (0, 4), (4, 4), (8, 0), (0, 8)),
    "relu3_1": ((0, 0), (2, 0), (0, 2), (2, 2), (4, 0), (0, 4), (4, 4), (4, 2), (2, 4)),
}


def to_array(values) -> np.ndarray:
    """A tensor or a variable as NumPy array."""
    if isinstance(values, keras.Variable):
        return np.asarray(values)  # with `convert_to_numpy` NumPy 2 complains on TensorFlow
    return ops.convert_to_numpy(values)


def style_grams(vgg: keras.Model, paintings: Sequence[np.ndarray]) -> list[np.ndarray]:
    """The `style_statistics` of the paintings, each one array (num_styles, ...)."""
    per_style = []
    for painting in paintings:
        statistics = style_statistics(vgg(painting[None])[: len(STYLE_LAYERS)])
        per_style.append([to_array(matrix)[0] for matrix in statistics])
    return [np.stack(layer) for layer in zip(*per_style, strict=True)]


def style_statistics(features: Sequence) -> list:
    """Gram matrices of the style layers, each (B, C, C), then for each layer of `SHIFTS` its
    covariances, (B, shifts, C, C).
    """
    covariances = [
        shifted_covariances(features[STYLE_LAYERS.index(layer)], shifts)
        for layer, shifts in SHIFTS.items()
    ]
    return [*map(gram_matrix, features), *covariances]


class StyleTable(keras.layers.Layer):
    """Gamma and beta of every style, one row each; a blend is a weighted mean of rows.

    A style that has weight zero in a sample gets no gradient from it. Since a style is drawn in
    one sample out of many while the kernels learn from all of them, its numbers are kept divided
    by `RATE`, which makes Adam's steps on them that much longer.
    """

    RATE = 4.0

    def __init__(self, num_styles: int, style_size: int, **kwargs):
        super().__init__(**kwargs)
        shape = (num_styles, style_size)
        self.gamma_offset = self.add_weight(shape=shape, initializer="zeros", name="gamma_offset")
        self.beta_offset = self.add_weight(shape=shape, initializer="zeros", name="beta_offset")

    def call(self, mixing):
        # mixing (B, num_styles), rows of sum 1 -> two (B, style_size)
        gamma = 1.0 + self.RATE * ops.matmul(mixing, self.gamma_offset)
        return gamma, self.RATE * ops.matmul(mixing, self.beta_offset)

    def assign(self, index: int, gamma: np.ndarray, beta: np.ndarray) -> None:
        """Sets the numbers of one style."""
        for variable, values in ((self.gamma_offset, gamma - 1.0), (self.beta_offset, beta)):
            table = to_array(variable).copy()
            table[index] = values / self.RATE
            variable.assign(table)


class StyleTrainer(keras.Model):
    """Renders a batch and computes the loss of `Model.fit` on any Keras backend.

    Inputs are `{"content": (B, H, W, 3), "mixing": (B, 1 + num_styles)}`, and "noise" for a
    layout that has it, as `BatchSource` makes them. With `config.paintings` a style predictor is
    trained too: then "paintings" (P, S, S, 3) are styles as well, for the last P columns of
    "mixing".

    Args:
        config: the settings of the run.
        vgg: frozen loss network with the features of `LOSS_LAYERS`.
        targets: statistics of the paintings as `style_grams` gives them.
    """

    def __init__(self, config: TrainConfig, vgg: keras.Model, targets: Sequence[np.ndarray]):
        super().__init__(name="style_trainer")
        self.config = config
        dtype = dtype_policy(config.precision)
        self.network = build_network(config.layout, dtype=dtype, seed=config.seed)
        self.table = StyleTable(
            1 + len(config.styles), config.layout.style_size, name="styles", dtype="float32"
        )
        self.predictor = None
        if config.paintings:
            self.predictor = build_predictor(
                config.layout.style_size, config.predictor, dtype=dtype, seed=config.seed
            )
        self.vgg = vgg
        weights = [style.style_weight for style in config.styles]
        # The identity's target is the photo's own Gram, so its style weight is just a middle one.
        middle = float(np.mean(weights))
        own = middle if config.painting_style_weight is None else config.painting_style_weight
        others = [own] * (config.paintings_per_batch if config.paintings else 0)
        self._style_weights = np.array([middle, *weights, *others], np.float32)
        self._targets = [ops.convert_to_tensor(t, "float32") for t in targets]
        self._trackers = [keras.metrics.Mean(name=name) for name in LOSS_NAMES[1:]]

    def call(self, inputs):
        paintings = inputs.get("paintings")
        gamma, beta = self._gamma_beta(inputs["mixing"], inputs["content"], paintings)
        used = ("content", "noise")
        others = {name: value for name, value in inputs.items() if name in used}
        return self.network({**others, "gamma": gamma, "beta": beta})

    def _gamma_beta(self, mixing, content, paintings=None):
        # As the engine does it: in the last layer the identity's numbers are the photo's own.
        count = 1 + len(self.config.styles)
        gamma, beta = self.table(mixing[:, :count])  # (B, style_size)
        identity = self.table(np.eye(1, count, dtype=np.float32))  # two (1, style_size)
        if self.predictor is not None and paintings is not None:
            predicted = ops.matmul(mixing[:, count:], self.predictor(paintings))
            gamma_offset, beta_offset = ops.split(predicted, 2, axis=1)
            gamma, beta = gamma + gamma_offset, beta + beta_offset
        last = self.config.layout.convolutions()[-1].filters
        pairs = zip((gamma, beta), identity, photo_gamma_beta(content), strict=True)
        return [
            ops.concatenate(
                [own[:, :-last], own[:, -last:] + mixing[:, :1] * (photo - trained[:, -last:])],
                axis=1,
            )
            for own, trained, photo in pairs
        ]

    def compute_loss(self, x=None, y=None, y_pred=None, sample_weight=None, training=True):
        """The mean loss of a batch; the style target of a blend is the blended Gram matrix."""
        # PyTorch's trainer hands the NumPy arrays on as they are.
        content, mixing = (ops.convert_to_tensor(x[name]) for name in ("content", "mixing"))
        paintings = None
        if "paintings" in x:
            paintings = self.vgg(ops.convert_to_tensor(x["paintings"]))[: len(STYLE_LAYERS)]
            paintings = [ops.stop_gradient(f) for f in paintings]
        # Two calls, not one on both: the backward pass then runs through the picture's half only.
        wanted = [ops.stop_gradient(f) for f in self.vgg(content)]
        features = self.vgg(y_pred)

        targets = self.target_statistics(mixing, wanted[:-1], paintings)
        statistics, plain = style_statistics(features[:-1]), len(STYLE_LAYERS)
        style = style_loss(statistics[:plain], targets[:plain])  # (B,)
        shift = style_loss(statistics[plain:], targets[plain:])  # (B,)
        content_error = relative_error(features[-1], wanted[-1])  # (B,)
        # Only the identity style alone is asked for the photo's very pixels.
        identity = pixel_loss(y_pred, content) * ops.cast(mixing[:, 0] > 0.999, "float32")
        variation = total_variation_loss(y_pred)

        config = self.config
        stability = ops.zeros(1)
        if config.stability_weight > 0:  # then the last photo is the first, disturbed
            stability = pixel_loss(y_pred[:1], y_pred[-1:])
        style_weight = ops.matmul(mixing, self._style_weights[:, None])[:, 0]
        loss = ops.mean(
            style_weight * (style + config.shift_weight * shift)
            + config.content_weight * content_error
            + config.identity_weight * identity
            + config.total_variation_weight * variation
            + config.stability_weight * stability
        )
        values = (style, shift, content_error, identity, stability, variation)
        for tracker, value in zip(self._trackers, values, strict=True):
            tracker.update_state(value)
        return loss

    def target_statistics(self, mixing, content_features=None, painting_features=None) -> list:
        """The style target of each sample: its blend of `style_statistics`.

        Blending Gram matrices is what the vgg19 engine does too: the loss to the blended Gram
        and the blended loss have the same gradient. The identity's part is the photo's own, and
        that of the batch's paintings comes from their features.
        """
        known = 1 + len(self.config.styles)
        own = style_statistics(content_features) if content_features is not None else None
        drawn = style_statistics(painting_features) if painting_features is not None else None
        targets = []
        for index, table in enumerate(self._targets):
            count, *shape = table.shape
            target = ops.matmul(mixing[:, 1:known], ops.reshape(table, (count, -1)))
            if own is not None:
                target = target + mixing[:, :1] * ops.reshape(own[index], (-1, math.prod(shape)))
            if drawn is not None:
                flat = ops.reshape(drawn[index], (-1, math.prod(shape)))
                target = target + ops.matmul(mixing[:, known:], flat)
            targets.append(ops.reshape(target, (-1, *shape)))
        return targets
