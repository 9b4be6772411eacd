"""The losses of feed-forward style transfer: small functions, each value per picture.

Style and content losses are relative (divided by the target's own norm), so that no layer and
no style outweighs another because its features happen to be large; a value of 1 means "as far
off as a picture without any features". With max-pooled VGG19 and equal layer weights these are
the scores that `arbitrary-nst evaluate` prints.
"""

from __future__ import annotations

import numpy as np
from keras import ops

LUMA = np.array([0.299, 0.587, 0.114], np.float32)
LOCAL_WINDOW = 9  # side in positions, odd, of the squares of `local_drawing_loss`
# Where a photo's features vary a twentieth of what they do on average, its lines count half.
FAINT = 0.05


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


def drawing_loss(features, photo_features):
    """How little the picture's features follow the photo's, blind to contrast and colour: (B,).

    Each channel of the picture is brought to the mean and deviation that it has in the photo, as
    AdaIN does, before the relative error about the mean is taken. So a style may have its own
    light and dark, but the photo's outlines have to be where they were. 0 is the photo itself, 2
    features that have nothing to do with it.

    Args:
        features: of the picture, (B, H, W, C).
        photo_features: of the photo, of the same shape.
    """
    x, y = (ops.cast(values, "float32") for values in (features, photo_features))
    x = x - ops.mean(x, axis=(1, 2), keepdims=True)
    y = y - ops.mean(y, axis=(1, 2), keepdims=True)
    own, photo = (ops.mean(ops.square(values), axis=(1, 2)) for values in (x, y))  # (B, C)
    return drawing_from_moments(own, ops.mean(x * y, axis=(1, 2)), photo)


def drawing_from_moments(own, together, photo):
    """`drawing_loss` from moments about the means: (..., C) -> (...).

    Args:
        own: variance of each channel in the picture.
        together: its covariance with the same channel in the photo.
        photo: variance in the photo.
    """
    # A channel that is next to silent in the picture has no say in where its lines are.
    floor = 1e-3 * ops.mean(own, axis=-1, keepdims=True) + 1e-8
    # Not the root of zero, whose gradient is infinite, for channels that are silent in the photo.
    followed = together * ops.sqrt((photo + 1e-12) / (own + floor))
    return 2.0 * ops.sum(photo - followed, axis=-1) / (ops.sum(photo, axis=-1) + 1e-8)


def local_drawing_loss(features, photo_features):
    """How little the picture's lines follow the photo's, each place by itself: (B,).

    One less the cosine between the features around a place, about their means there, on average
    over all places. So the faint lines of a dark face count as much as the edge of a bright sky:
    in `relative_error` and `drawing_loss` one strong edge outweighs all of them. Where the photo
    has next to nothing, its noise has no say.

    Reference: the structure term of Wang, Bovik, Sheikh, Simoncelli 2004, "Image Quality
    Assessment: From Error Visibility to Structural Similarity", on features in place of pixels.

    Args:
        features: of the picture, (B, H, W, C).
        photo_features: of the photo, of the same shape.
    """
    margin = LOCAL_WINDOW // 2

    def pooled(values):
        # The mean of a square, along each side by itself: less than a third of the time of a
        # pooling. With padding="same" the gradient of the latter is wrong in TensorFlow, too,
        # where the window is larger than the picture.
        values = ops.pad(values, ((0, 0), (margin, margin), (margin, margin), (0, 0)))
        for shape in ((LOCAL_WINDOW, 1), (1, LOCAL_WINDOW)):
            kernel = ops.full((*shape, values.shape[3], 1), 1.0 / LOCAL_WINDOW)
            values = ops.depthwise_conv(values, kernel, data_format="channels_last")
        return values

    inside = pooled(ops.ones_like(photo_features[:1, :, :, :1], dtype="float32"))

    def around(values):
        return pooled(values) / inside

    def product(a, b):
        return around(ops.sum(a * b, axis=3, keepdims=True))

    def mean(values):
        return ops.mean(values, axis=(1, 2, 3), keepdims=True)

    x, y = (ops.cast(values, "float32") for values in (features, photo_features))
    x, y = x - around(x), y - around(y)
    own, photo = product(x, x), product(y, y)
    sizes = (own + 1e-3 * mean(own) + 1e-8) * (photo + 1e-3 * mean(photo) + 1e-8)
    followed = product(x, y) / ops.sqrt(sizes)
    share = photo / (photo + FAINT * mean(photo) + 1e-8)
    weight = ops.sum(share, axis=(1, 2, 3)) + 1e-8
    return ops.sum(share * (1.0 - followed), axis=(1, 2, 3)) / weight


def recolored(photo, picture, share=1.0):
    """The photo with its own luma and, by `share`, the colours of the picture: (B, H, W, 3).

    Compared with it, a picture is not asked for the photo's colours, which are the style's
    business, but for its drawing alone. No gradient runs through it.

    Reference: Gatys et al. 2016, "Preserving Color in Neural Artistic Style Transfer",
    section 4, the other way round.
    """
    photo, picture = (ops.cast(values, "float32") for values in (photo, picture))
    difference = picture - photo
    luma = ops.matmul(difference, ops.convert_to_tensor(LUMA))[..., None]
    return ops.stop_gradient(ops.clip(photo + share * (difference - luma), 0.0, 1.0))


def light_loss(image, photo):
    """One less the correlation of the lumas at 1/8 of the size: (B, H, W, 3) -> (B,).

    0 where what was dark in the photo stays dark in the picture.
    """
    rows = []
    for values in (image, photo):
        luma = ops.matmul(ops.cast(values, "float32"), ops.convert_to_tensor(LUMA))[..., None]
        small = ops.average_pool(luma, 8, 8, data_format="channels_last")
        small = ops.reshape(small, (ops.shape(small)[0], -1))
        rows.append(small - ops.mean(small, axis=1, keepdims=True))
    x, y = rows
    sizes = ops.mean(ops.square(x), axis=1) * ops.mean(ops.square(y), axis=1)
    # Where both deviate by less than 0.006, one or two levels in 8 bits, there is no order to keep.
    return 1.0 - ops.mean(x * y, axis=1) / ops.sqrt(sizes + 1e-9)


def tone_loss(tone, target):
    """How far the palettes of two pictures are apart: `networks.vgg.tone` of each -> (B,).

    Along each direction the mean squared difference of the quantiles over the target's variance;
    a palette that hardly varies along one counts as if it did by a fiftieth of the whole range.
    """
    spread = ops.mean(ops.square(target - ops.mean(target, axis=1, keepdims=True)), axis=1)
    apart = ops.mean(ops.square(tone - target), axis=1)  # (B, directions)
    return ops.mean(apart / (spread + 0.02**2), axis=1)


def total_variation_loss(image):
    """Mean squared step between neighbouring pixels, down and across: (B, H, W, 3) -> (B,)."""
    down = ops.mean(ops.square(image[:, 1:] - image[:, :-1]), axis=(1, 2, 3))
    across = ops.mean(ops.square(image[:, :, 1:] - image[:, :, :-1]), axis=(1, 2, 3))
    return down + across


def pixel_loss(image, target):
    """Mean absolute difference of the pixels: (B, H, W, 3) -> (B,)."""
    return ops.mean(ops.abs(image - target), axis=(1, 2, 3))
