"""Loss and gradient of a picture at one scale: in one piece, or summed over overlapping tiles.

The style loss looks at moments of features over parts of the picture: over all of it, over what is
detailed and flat in the photo, and where there are masks over each region. Moments are sums over
positions. So those of a large picture are had tile by tile, and once the derivative of the loss by
the sums is known, its gradient by the pixels is, too: every tile is looked at once more, and the
gradients of overlapping tiles are added. That is the chain rule, and nothing is approximated, as
long as a tile sees all that the deepest layer sees around the positions that it is to count.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import tensorflow as tf

from arbitrary_nst.engines.vgg19.eyes import DRAWN, Eyes, floats
from arbitrary_nst.engines.vgg19.settings import Vgg19Settings
from arbitrary_nst.engines.vgg19.styles import Moments
from arbitrary_nst.networks.detail import detail_mask
from arbitrary_nst.networks.vgg import STYLE_LAYERS

STRIDE = 16  # pixels to a position of relu5_1
CONTENT_STRIDE = 8  # and to one of relu4_2
DRAWN_STRIDE = 4  # of relu3_1
# Of relu5_1, in pixels to each side: the convolutions of each block, times its stride, and the
# pools; rounded up to whole positions.
HALO = 96
ROWS_PIXELS = 2**20
MANY_NUMBERS = 2**23  # of a photo, above which masks, and a copy in other colours, are in float16
# Of the photo's features that are kept from look to look. Those of 12 megapixels are 1.1 GiB in
# float32, so those of further tiles are computed anew, for up to a quarter more work.
KEPT_BYTES = 2**27


@dataclass(frozen=True)
class Region:
    """A style and where it goes.

    Args:
        weights: float32 `(H, W)` in `[0, 1]`, or None for everywhere.
        moments: of the style at this scale, per layer.
        photo_share: which share of the style is the photo's own look.
    """

    weights: np.ndarray | None
    moments: Sequence[Moments]
    photo_share: float = 0.0


@dataclass(frozen=True)
class _Tile:
    """Rows and columns that a tile counts, and those that it sees."""

    core: tuple[slice, slice]
    seen: tuple[slice, slice]


class Objective:
    """Loss and gradient of the picture at one scale.

    Args:
        eyes: the network.
        settings: for the weights of the losses.
        photo: float32 or float16 `(h, w, 3)`, RGB in `[0, 1]`.
        regions: styles and where they go; their weights sum to 1 at every pixel.
        tile: longest side in pixels that is looked at in one piece; None: the whole picture.
    """

    def __init__(
        self,
        eyes: Eyes,
        settings: Vgg19Settings,
        photo: np.ndarray,
        regions: Sequence[Region],
        tile: int | None = None,
    ):
        self._eyes, self._settings = eyes, settings
        self._masks = _masks(photo, regions, self._settings.parts_weight > 0)
        self._tiles = list(_tiles(photo.shape[:2], tile))
        self._is_whole = len(self._tiles) == 1
        per_region = self._masks.shape[-1] // len(regions)
        self._whole_masks = _tensor(self._masks) if self._is_whole else None
        parts, shares = self._groups(regions, per_region)
        self._photo, norm, kept = photo, 0.0, 0
        self._kept: list[tuple | None] = []  # of each tile the photo's features
        own: Any = None
        for tile_ in self._tiles:
            sums, features = eyes.sums(_tensor(photo[tile_.seen]), self._masks_of(tile_))
            own = _added(own, sums)
            counted = _counted(tile_, *features)
            norm += float(tf.reduce_sum(tf.square(floats(counted[1]))))
            kept += sum(tf.size(values).numpy() * values.dtype.size for values in counted)
            self._kept.append(counted if self._is_whole or kept <= KEPT_BYTES else None)
        self._norm = tf.constant(norm + 1e-8, tf.float32)
        sizes = _sizes(self._masks)
        counts = np.stack([parts @ size for size in sizes]) + 1e-6  # (layers, G)
        targets = self._mixed_targets(regions, parts, counts, own)
        mixing = tf.constant(parts / counts[..., None], tf.float32)
        photo_drawn = self._photo_drawn(own[DRAWN], sizes[DRAWN].sum() + 1e-6)
        self._asked = (targets, mixing, self._weights(targets, shares), photo_drawn)

    def _photo_drawn(self, own: Sequence, count: float) -> tuple:
        """What the drawing loss knows of the photo: its weight, mean, variance, positions."""
        products, sums = (values.numpy().sum(axis=0) for values in own)
        mean = sums / count
        variance = np.maximum(np.diagonal(products) / count - mean**2, 0)
        values = (self._settings.drawing_weight, mean, variance, count)
        return tuple(tf.constant(value, tf.float32) for value in values)

    def _groups(self, regions: Sequence[Region], per_region: int):
        """Which parts are asked for the style together, and what each group weighs."""
        parts, shares = [], []
        spread = self._settings.covariance_weight
        for number, region in enumerate(regions):
            area = 1.0 if region.weights is None else float(region.weights.mean())
            # Styles of earlier versions have no means to take the moments about.
            about = spread if region.moments[0][1] is not None else 0.0
            own = np.zeros((3, self._masks.shape[-1]), np.float32)
            first = number * per_region
            own[0, first : first + per_region] = 1
            weights = [1.0 - self._settings.parts_weight] if per_region == 2 else [1.0]
            if per_region == 2:
                own[1, first], own[2, first + 1] = 1, 1
                weights += [self._settings.parts_weight / 2] * 2
            parts.append(own[: len(weights)])
            shares += [(area * w * (1 - about), area * w * about) for w in weights]
        return np.concatenate(parts), np.array(shares, np.float32).T

    def _mixed_targets(
        self, regions: Sequence[Region], parts: np.ndarray, counts: np.ndarray, own
    ) -> list:
        """Per layer the wanted moments of every group, with the photo's share in them."""
        times = len(parts) // len(regions)
        photo_shares = np.repeat([region.photo_share for region in regions], times)
        targets = []
        for index in range(len(STYLE_LAYERS)):
            grams = [region.moments[index][0] for region in regions]
            given = [region.moments[index][1] for region in regions]
            channels = len(grams[0])
            means = [np.zeros(channels, np.float32) if m is None else m for m in given]
            wanted = [np.repeat(np.stack(a), times, axis=0) for a in (grams, means)]
            if photo_shares.any():
                scale = photo_shares / counts[index]
                for position, sums in enumerate(own[index]):
                    summed = np.tensordot(parts, sums.numpy(), 1)
                    wanted[position] = wanted[position] + summed * scale.reshape(
                        -1, *[1] * (summed.ndim - 1)
                    )
            targets.append(tuple(tf.constant(a, tf.float32) for a in wanted))
        return targets

    def _weights(self, targets: list, shares: np.ndarray):
        """What the squared differences of Gram matrices and covariances count: (layers, 2, G)."""
        layer_weights = np.array(self._settings.layer_weights, np.float32)
        layer_weights *= self._settings.style_weight / layer_weights.sum()
        weights = []
        for layer_weight, (products, means) in zip(layer_weights, targets, strict=True):
            spreads = products - means[:, :, None] * means[:, None, :]
            norms = [tf.reduce_sum(tf.square(t), axis=(1, 2)) + 1e-8 for t in (products, spreads)]
            weights.append(layer_weight * shares / tf.stack(norms))
        return tf.cast(tf.stack(weights), tf.float32)

    def __call__(self, values: np.ndarray) -> tuple[float, np.ndarray]:
        """Loss and gradient: `(h, w, 3)` -> (float, float32 `(h, w, 3)`)."""
        values = np.asarray(values, np.float32)
        loss, gradient = self._in_one(values) if self._is_whole else self._by_tiles(values)
        weight = self._settings.total_variation_weight
        if weight > 0:
            loss += weight * add_total_variation(values, gradient, weight)
        return loss, gradient

    def _in_one(self, values: np.ndarray) -> tuple[float, np.ndarray]:
        (tile,) = self._tiles
        loss, gradient = self._eyes.whole(
            _tensor(values), self._masks_of(tile), self._kept[0], self._norm, *self._asked
        )
        return float(loss), gradient.numpy()[0]

    def _by_tiles(self, values: np.ndarray) -> tuple[float, np.ndarray]:
        sums: Any = None
        for tile, kept in zip(self._tiles, self._kept, strict=True):
            masks = self._masks_of(tile)
            drawn = kept[0] if kept else self._drawn_of(tile)
            own = self._eyes.all_sums(_tensor(values[tile.seen]), masks, drawn, _begin(tile))
            sums = _added(sums, own)
        of_sums, slopes = self._eyes.of_sums(*sums, masks, *self._asked)
        loss, gradient = float(of_sums), np.zeros_like(values)
        for tile, kept in zip(self._tiles, self._kept, strict=True):
            content, slope = self._eyes.tile_gradient(
                _tensor(values[tile.seen]),
                self._masks_of(tile),
                kept or self._wanted_of(tile),
                _begin(tile),
                self._norm,
                slopes,
            )
            loss += float(content)
            gradient[tile.seen] += slope.numpy()[0]
        return loss, gradient

    def _drawn_of(self, tile: _Tile):
        """The photo's features at relu3_1 of what a tile counts."""
        return _counted(tile, self._eyes.drawn(_tensor(self._photo[tile.seen])))[0]

    def _wanted_of(self, tile: _Tile) -> tuple:
        """And with them those at relu4_2."""
        return _counted(tile, *self._eyes.compared(_tensor(self._photo[tile.seen])))

    def _masks_of(self, tile: _Tile):
        """The masks of what a tile sees, 0 beside what it counts."""
        if self._whole_masks is not None:
            return self._whole_masks
        count = self._masks.shape[-1]
        masks = np.zeros((*self._masks[tile.seen].shape[:2], count), np.float32)
        masks[_inside(tile)] = self._masks[tile.core]
        return _tensor(masks)


def moments_of(eyes: Eyes, image: np.ndarray) -> list[tuple[np.ndarray, np.ndarray]]:
    """Per layer E[f f^T] (C, C) and E[f] (C,) of an image (h, w, 3)."""
    height, width = image.shape[:2]
    sums, _ = eyes.sums(_tensor(image), tf.ones((1, height, width, 1)))
    moments = []
    for level, (products, means) in enumerate(sums):
        count = (height >> level) * (width >> level)
        moments.append((products.numpy()[0] / count, means.numpy()[0] / count))
    return moments


def add_total_variation(values: np.ndarray, gradient: np.ndarray, weight: float) -> float:
    """The total variation loss of a picture; `weight` times its gradient is added to `gradient`."""
    height, width = values.shape[:2]
    counts = max(1, (height - 1) * width * 3), max(1, height * (width - 1) * 3)
    total = 0.0
    rows = max(2, ROWS_PIXELS // width)
    for top in range(0, height, rows):
        stop = min(top + rows, height)
        across = np.diff(values[top:stop], axis=1)
        down = np.diff(values[top : stop + 1], axis=0)
        for axis, (steps, count) in enumerate(((down, counts[0]), (across, counts[1]))):
            total += float(np.square(steps, dtype=np.float64).sum()) / count
            steps *= np.float32(2 * weight / count)
            if axis:
                gradient[top:stop, 1:] += steps
                gradient[top:stop, :-1] -= steps
            else:
                gradient[top + 1 : top + 1 + len(steps)] += steps
                gradient[top : top + len(steps)] -= steps
    return total


def _masks(photo: np.ndarray, regions: Sequence[Region], by_detail: bool) -> np.ndarray:
    """By how much each pixel counts to each part: (h, w, P), for each region one part or two."""
    height, width = photo.shape[:2]
    layers = []
    detail = detail_mask(photo)[..., 0] if by_detail else None
    for region in regions:
        weights = region.weights
        own = np.ones((height, width), np.float32) if weights is None else weights
        layers += [own] if detail is None else [own * detail, own * (1 - detail)]
    return np.stack(layers, axis=-1).astype(np.float16 if photo.size > MANY_NUMBERS else np.float32)


def _sizes(masks: np.ndarray) -> list[np.ndarray]:
    """Per layer the number of positions of each part (P,), in strips for the sake of memory."""
    height, width, count = masks.shape
    totals = [np.zeros(count, np.float64) for _ in STYLE_LAYERS]
    rows = max(STRIDE, ROWS_PIXELS // width // STRIDE * STRIDE)
    for top in range(0, height, rows):
        level = _tensor(masks[top : top + rows].astype(np.float32))
        for index, total in enumerate(totals):
            if index:
                level = tf.nn.avg_pool2d(level, 2, 2, "VALID") if min(level.shape[1:3]) > 1 else 0
            if isinstance(level, int):
                break
            total += tf.reduce_sum(level, axis=(0, 1, 2)).numpy()
    return totals


def _tiles(shape: tuple[int, int], side: int | None) -> Iterator[_Tile]:
    """Tiles that together count every position once."""
    spans = []
    for length in shape:
        if side is None or length <= side:
            spans.append([(slice(0, length), slice(0, length))])
            continue
        # Whole positions of the deepest layer, so that pools see what they see in the whole.
        step = max(STRIDE, (side - 2 * HALO) // STRIDE * STRIDE)
        last = length // STRIDE * STRIDE
        starts = list(range(0, max(STRIDE, last), step))
        stops = [*starts[1:], length]
        spans.append(
            [
                (slice(start, stop), slice(max(0, start - HALO), min(length, stop + HALO)))
                for start, stop in zip(starts, stops, strict=True)
            ]
        )
    for rows, rows_seen in spans[0]:
        for columns, columns_seen in spans[1]:
            yield _Tile((rows, columns), (rows_seen, columns_seen))


def _inside(tile: _Tile, stride: int = 1) -> tuple[slice, slice]:
    """What a tile counts, as rows and columns of what it sees."""
    rows, columns = (
        slice((core.start - seen.start) // stride, -(-(core.stop - seen.start) // stride))
        for core, seen in zip(tile.core, tile.seen, strict=True)
    )
    return rows, columns


def _counted(tile: _Tile, *features) -> tuple:
    """Features at relu3_1 and relu4_2 (or the first alone) of what a tile counts of what it sees.

    From (1, h, w, C) each.
    """
    strides = (DRAWN_STRIDE, CONTENT_STRIDE)
    return tuple(
        values[(slice(None), *_inside(tile, stride))]
        for values, stride in zip(features, strides, strict=False)
    )


def _added(total: Any, more: Any) -> Any:
    """Sums of what was seen so far, None at first, and of what is seen now."""
    return more if total is None else tf.nest.map_structure(tf.add, total, more)


def _begin(tile: _Tile):
    """Where what a tile counts begins, in positions of the content layer."""
    return tf.constant([part.start for part in _inside(tile, CONTENT_STRIDE)])


def _tensor(array: np.ndarray):
    return tf.constant(array[None], tf.float32)
