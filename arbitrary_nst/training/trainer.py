"""The model that is fitted: network, style table, and the perceptual losses wired together."""

from __future__ import annotations

import math
from collections.abc import Sequence

import keras
import numpy as np
from keras import ops

from arbitrary_nst.networks.cin.network import build_network
from arbitrary_nst.networks.cin.photo import photo_gamma_beta
from arbitrary_nst.networks.losses import (
    drawing_loss,
    light_loss,
    local_drawing_loss,
    pixel_loss,
    recolored,
    relative_error,
    style_loss,
    tone_loss,
    total_variation_loss,
)
from arbitrary_nst.networks.predictor.network import TRUNK, build_predictor
from arbitrary_nst.training.config import TrainConfig
from arbitrary_nst.training.devices import dtype_policy
from arbitrary_nst.training.statistics import (
    DRAWING_LAYERS,
    LOSS_LAYERS,
    NUM_GRAMS,
    NUM_WHOLE,
    matched,
    style_statistics,
    to_array,
)

# What terms approach that are relative to how much a painting varies. Next to one of one colour
# every picture varies a thousand times too much, and one such step undid a hundred others.
CEILING = 2.0
LOSS_NAMES = (
    "loss",
    "style",
    "detailed",
    "flat",
    "shift",
    "tone",
    "content",
    "drawing",
    "local_drawing",
    "light",
    "identity",
    "stability",
    "variation",
)


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

    Inputs are `{"content": (N, H, W, 3), "mixing": (B, 1 + num_styles)}`, and "noise" for a
    layout that has it, as `BatchSource` makes them; B is N times `config.styles_per_photo`, and
    the samples of one photo stand together. With `config.paintings` a style predictor is trained
    too: then "paintings" (P, S, S, 3) are styles as well, for the last P columns of "mixing".

    Args:
        config: the settings of the run.
        vgg: frozen loss network with the features of `LOSS_LAYERS`.
        targets: statistics of the paintings as `painting_statistics` gives them.
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
            if config.frozen_trunk:
                for name in TRUNK:
                    self.predictor.get_layer(name).trainable = False
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
        content = self._each_style(inputs["content"])
        gamma, beta = self._gamma_beta(inputs["mixing"], content, inputs.get("paintings"))
        noise = {"noise": inputs["noise"]} if "noise" in inputs else {}
        return self.network({"content": content, "gamma": gamma, "beta": beta, **noise})

    def _each_style(self, values):
        """Of each photo (N, ...) -> of each sample (B, ...)."""
        times = self.config.styles_per_photo
        return ops.repeat(values, times, axis=0) if times > 1 else values

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
        pairs = zip((gamma, beta), identity, photo_gamma_beta(content, ops), strict=True)
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
        x = {name: ops.convert_to_tensor(values) for name, values in x.items()}
        config, mixing, detail = self.config, x["mixing"], None
        if config.detailed_weight or config.flat_weight:
            detail = x["detail"]
        drawn = None
        if "paintings" in x:
            paintings = x["paintings"]
            # Without its mask a painting has no parts, and the whole is asked of each.
            drawn = style_statistics(paintings, self.vgg(paintings), x.get("painting_detail"))
            drawn = matched(drawn, config.matched_parts)
            drawn = [ops.stop_gradient(values) for values in drawn]
        photos, content = x["content"], self._each_style(x["content"])
        # Calls of their own, not one on all: the backward pass runs through the picture's alone.
        if config.palette_weight:
            plain = None
            wanted = self.vgg(recolored(content, y_pred, config.palette_weight))
        else:
            plain = [ops.stop_gradient(f) for f in self.vgg(photos)]
            wanted = [self._each_style(f) for f in plain]
        features = self.vgg(y_pred)
        each_detail = None if detail is None else self._each_style(detail)
        found = style_statistics(y_pred, features, each_detail)

        def of_photos():
            own = style_statistics(photos, self.vgg(photos) if plain is None else plain, detail)
            return [self._each_style(values) for values in own]

        # The photo's own are the target of the identity, which not every batch has.
        own = ops.cond(
            ops.any(mixing[:, 0] > 0), of_photos, lambda: [ops.zeros_like(f) for f in found]
        )
        own = [ops.stop_gradient(values) for values in own]
        targets = self.target_statistics(mixing, own, drawn)
        values = _style_terms(found, targets)
        values["content"] = relative_error(features[-1], wanted[-1])
        values["drawing"] = sum(
            drawing_loss(*(f[LOSS_LAYERS.index(layer)] for f in (features, wanted)))
            for layer in DRAWING_LAYERS
        ) / len(DRAWING_LAYERS)
        values["local_drawing"] = ops.zeros(1)
        if config.local_drawing_weight:
            finest = LOSS_LAYERS.index(DRAWING_LAYERS[0])
            values["local_drawing"] = local_drawing_loss(features[finest], wanted[finest])
        values["light"] = light_loss(y_pred, content)
        # Only the identity style alone is asked for the photo's very pixels.
        values["identity"] = pixel_loss(y_pred, content) * ops.cast(mixing[:, 0] > 0.999, "float32")
        values["stability"] = ops.zeros(1)
        if config.stability_weight > 0:  # then the last photo is the first, disturbed
            times = config.styles_per_photo
            values["stability"] = pixel_loss(y_pred[:times], y_pred[-times:])
        values["variation"] = total_variation_loss(y_pred)
        for tracker in self._trackers:
            tracker.update_state(values[tracker.name])
        return ops.mean(self._total(values, ops.matmul(mixing, self._style_weights[:, None])[:, 0]))

    def _total(self, values, style_weight):
        """The weighted sum of all terms, (B,)."""
        config = self.config
        parts = 1.0 + config.detailed_weight + config.flat_weight
        style = values["style"]
        if parts > 1:
            style = style + config.detailed_weight * values["detailed"]
            style = (style + config.flat_weight * values["flat"]) / parts
        style = style + config.shift_weight * values["shift"] + config.tone_weight * values["tone"]
        return (
            style_weight * style
            + config.content_weight * values["content"]
            + config.drawing_weight * values["drawing"]
            + config.local_drawing_weight * values["local_drawing"]
            + config.light_weight * values["light"]
            + config.identity_weight * values["identity"]
            + config.total_variation_weight * values["variation"]
            + config.stability_weight * values["stability"]
        )

    def target_statistics(self, mixing, own=None, drawn=None) -> list:
        """The style target of each sample: its blend of `style_statistics`.

        Blending Gram matrices is what the vgg19 engine does too: the loss to the blended Gram
        and the blended loss have the same gradient. The identity's part is the photo's own. Of
        the detailed and of the flat part of a photo the whole painting is asked, unless
        `matched_parts`, of the run or of the style, says otherwise.

        Args:
            mixing: (B, 1 + num_styles + num_paintings).
            own: of the photos, each (B, ...), with the parts or without. None: of no identity.
            drawn: of the batch's paintings.
        """
        known = 1 + len(self.config.styles)
        targets = []
        for index in range(NUM_WHOLE if own is None else len(own)):
            source = index if index < len(self._targets) else (index - NUM_WHOLE) % NUM_GRAMS
            count, *shape = self._targets[source].shape
            target = ops.matmul(mixing[:, 1:known], ops.reshape(self._targets[source], (count, -1)))
            if own is not None:
                target = target + mixing[:, :1] * ops.reshape(own[index], (-1, math.prod(shape)))
            if drawn is not None:
                flat = ops.reshape(drawn[source], (-1, math.prod(shape)))
                target = target + ops.matmul(mixing[:, known:], flat)
            targets.append(ops.reshape(target, (-1, *shape)))
        return targets


def _style_terms(found: Sequence, targets: Sequence) -> dict:
    """The style losses between two lists of `style_statistics`, by name, each (B,)."""

    def between(start, stop):
        return style_loss(found[start:stop], targets[start:stop])

    def bounded(values):
        return CEILING * values / (CEILING + values)

    tone = tone_loss(found[NUM_WHOLE - 1], targets[NUM_WHOLE - 1])
    terms = {
        "style": between(0, NUM_GRAMS),
        "shift": bounded(between(NUM_GRAMS, NUM_WHOLE - 1)),
        "tone": bounded(tone),
        "detailed": ops.zeros(1),
        "flat": ops.zeros(1),
    }
    if len(found) > NUM_WHOLE:
        middle = NUM_WHOLE + NUM_GRAMS
        terms["detailed"] = between(NUM_WHOLE, middle)
        terms["flat"] = between(middle, middle + NUM_GRAMS)
    return terms
