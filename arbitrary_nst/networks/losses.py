"""The losses of feed-forward style transfer: small functions, each value per picture.

Style and content losses are relative (divided by the target's own norm), so that no layer and
no style outweighs another because its features happen to be large; a value of 1 means "as far
off as a picture without any features". With max-pooled VGG19 and equal layer weights these are
the scores that `arbitrary-nst evaluate` prints.
"""

from __future__ import annotations

from keras import ops


def relative_error(values, target):
    """||values - target||^2 / ||target||^2 of each picture: (B, ...) -> float32 (B,)."""
    values, target = ops.cast(values, "float32"), ops.cast(target, "float32")
    axes = tuple(range(1, len(target.shape)))
    error = ops.sum(ops.square(values - target), axis=axes)
    return error / (ops.sum(ops.square(target), axis=axes) + 1e-8)


def style_loss(grams, target_grams):
    """Mean over the layers of the relative error of the Gram matrices: -> (B,)."""
    per_layer = [relative_error(g, t) for g, t in zip(grams, target_grams, strict=True)]
    return sum(per_layer) / len(per_layer)


def total_variation_loss(image):
    """Mean squared step between neighbouring pixels, down and across: (B, H, W, 3) -> (B,)."""
    down = ops.mean(ops.square(image[:, 1:] - image[:, :-1]), axis=(1, 2, 3))
    across = ops.mean(ops.square(image[:, :, 1:] - image[:, :, :-1]), axis=(1, 2, 3))
    return down + across


def pixel_loss(image, target):
    """Mean absolute difference of the pixels: (B, H, W, 3) -> (B,)."""
    return ops.mean(ops.abs(image - target), axis=(1, 2, 3))
