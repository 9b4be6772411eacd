"""Batches of photos and style draws, each a pure function of (seed, step).

Because nothing is carried from one batch to the next, a run that resumes at step n sees just
what the uninterrupted run would have seen.
"""

from __future__ import annotations

import logging
import math
import threading
from collections import deque
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np

from arbitrary_nst.errors import ImageError, InputError
from arbitrary_nst.image import load_image, resize
from arbitrary_nst.networks.cin.layout import CinLayout, noise_shape
from arbitrary_nst.networks.detail import detail_mask
from arbitrary_nst.training.config import MIN_TRAINING_SIDE, StyleSpec, TrainConfig
from arbitrary_nst.training.paintings import by_group, draw_painting
from arbitrary_nst.training.reading import find_images

_log = logging.getLogger(__name__)


def random_crop(
    image: np.ndarray, size: int, rng: np.random.Generator, *, zoom: float = 1.0
) -> np.ndarray:
    """A square of the image, of random place and scale, flipped half the time: (size, size, 3).

    It is enlarged `zoom` times at most, and reduced as far as the whole image asks for.
    """
    height, width = image.shape[:2]
    shorter = min(height, width)
    least = min(shorter, round(size / zoom))
    side = int(rng.integers(least, shorter + 1))
    top, left = rng.integers(0, height - side + 1), rng.integers(0, width - side + 1)
    crop = image[top : top + side, left : left + side]
    if rng.random() < 0.5:
        crop = crop[:, ::-1]
    return crop if side == size else resize(crop, shape=(size, size))


def draw_mixing(config: TrainConfig, rng: np.random.Generator) -> np.ndarray:
    """Blend weights of one sample over [identity, *styles, *paintings of the batch], sum 1.

    Returns float32 (1 + num_styles + num_paintings,).
    """
    named, drawn = len(config.styles), config.paintings_per_batch if config.paintings else 0
    count, chances = named + drawn, None
    if drawn:
        share = config.painting_share
        chances = np.repeat([(1 - share) / named, share / drawn], [named, drawn])
    mixing = np.zeros(1 + count, np.float32)
    kind, style = rng.random(), 1 + int(rng.choice(count, p=chances))
    shares = np.cumsum([config.identity_share, config.strength_share, config.blend_share])
    if kind < shares[0]:
        mixing[0] = 1.0
    elif kind < shares[1]:
        strength = rng.uniform(0.2, 0.9)
        mixing[0], mixing[style] = 1.0 - strength, strength
    elif kind < shares[2] and count > 1:
        # Two styles as often as three and four together: that is what people blend.
        possible = count if chances is None else int(np.count_nonzero(chances))
        blended = min(possible, int(rng.choice([2, 3, 4], p=[0.5, 0.25, 0.25])))
        chosen = 1 + rng.choice(count, blended, replace=False, p=chances)
        mixing[chosen] = rng.dirichlet(np.ones(blended))
    else:
        mixing[style] = 1.0
    return mixing


def draw_noise(
    layout: CinLayout, shape: tuple[int, ...], rng: np.random.Generator
) -> dict[str, np.ndarray]:
    """The "noise" input for photos of `shape` (B, H, W, 3); empty for a layout without noise."""
    if not layout.noise_channels:
        return {}
    size = (shape[0], *noise_shape(layout, *shape[1:3]))
    return {"noise": rng.standard_normal(size, np.float32)}


def disturb(image: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """The image with a little noise, brighter or darker, as the next frame of a film may be."""
    gain, offset, deviation = rng.uniform([0.9, -0.05, 0], [1.1, 0.05, 0.05])
    noise = deviation * rng.standard_normal(image.shape, np.float32)
    return (gain * image + offset + noise).clip(0, 1).astype(np.float32)


class BatchSource:
    """Photos on disk turned into training batches, decoded ahead in threads.

    Args:
        config: names the folder and the draws.
    """

    def __init__(self, config: TrainConfig):
        self.config = config
        self.paths = find_images(config.photos)
        self._groups = by_group(config.paintings)
        self._unreadable: set[Path] = set()
        self._lock = threading.Lock()

    def batch(self, step: int) -> dict[str, np.ndarray]:
        """The batch of one step.

        Returns:
            "content": float32 (N, crop_size, crop_size, 3), RGB in `[0, 1]`, N photos for
            B = N * styles_per_photo samples; "mixing": float32 (B, 1 + num_styles), the weights
            of the identity and of each style; with a weight on parts "detail", see `detail_mask`,
            float32 (N, crop_size, crop_size, 1); for a layout with noise "noise": float32, as
            `build_network` takes it; and where a predictor is trained "paintings": float32
            (paintings_per_batch, painting_crop, painting_crop, 3), with as many more columns in
            "mixing", and with `matched_parts` "painting_detail", as "detail". With a stability
            term the last photo and its styles are the first one's again, with the photo disturbed.
        """
        rng = np.random.default_rng([self.config.seed, step])
        samples, times = self.config.batch_size, self.config.styles_per_photo
        content = [self._crop(rng) for _ in range(samples // times)]
        mixing = [draw_mixing(self.config, rng) for _ in range(samples)]
        batch = {"content": np.stack(content), "mixing": np.stack(mixing)}
        shape = (samples, *batch["content"].shape[1:])
        batch.update(draw_noise(self.config.layout, shape, rng))
        if self.config.stability_weight > 0:
            for name, values in batch.items():
                count = 1 if name == "content" else times
                values[-count:] = values[:count]
            batch["content"][-1] = disturb(batch["content"][0], rng)
        if self.config.detailed_weight or self.config.flat_weight:
            batch["detail"] = np.stack([detail_mask(photo) for photo in batch["content"]])
        if self._groups:
            batch["paintings"] = np.stack(
                [
                    draw_painting(self._groups, self.config.painting_crop, rng)
                    for _ in range(self.config.paintings_per_batch)
                ]
            )
            if self.config.shares_of_parts():
                details = [detail_mask(painting) for painting in batch["paintings"]]
                batch["painting_detail"] = np.stack(details)
        return batch

    def paintings(self, count: int) -> list[np.ndarray]:
        """Paintings as they are drawn for training: float32 (painting_crop, painting_crop, 3)."""
        rng = np.random.default_rng(self.config.seed)
        size = self.config.painting_crop
        return [draw_painting(self._groups, size, rng) for _ in range(count)]

    def batches(self, start: int, stop: int) -> Iterator[dict[str, np.ndarray]]:
        """The batches of steps start .. stop - 1, decoded a few steps ahead."""
        pool = ThreadPoolExecutor(2, thread_name_prefix="photos")
        try:
            ahead = deque(
                pool.submit(self.batch, step) for step in range(start, min(start + 4, stop))
            )
            for step in range(start, stop):
                if step + 4 < stop:
                    ahead.append(pool.submit(self.batch, step + 4))
                yield ahead.popleft().result()
        finally:
            pool.shutdown(cancel_futures=True)

    def samples(self, count: int, size: int) -> list[np.ndarray]:
        """Centre squares of up to `count` photos from all over the folder, as `photo_rows`."""
        stride = max(1, len(self.paths) // count)
        squares: list[np.ndarray] = []
        # Every stride-th photo; where one of them is unreadable, its neighbours.
        for index in sorted(range(len(self.paths)), key=lambda index: index % stride):
            image = self._read(self.paths[index])
            if image is not None:
                squares.append(_centre_square(image, size))
            if len(squares) == count:
                break
        if not squares:
            raise InputError(f"None of the {len(self.paths)} photos in {self.config.photos} opens.")
        return squares

    def _crop(self, rng: np.random.Generator) -> np.ndarray:
        for _ in range(100):
            image = self._read(self.paths[int(rng.integers(len(self.paths)))])
            if image is not None:
                return random_crop(image, self.config.crop_size, rng, zoom=self.config.zoom)
        raise InputError(f"100 photos in a row could not be read in {self.config.photos}.")

    def _read(self, path: Path) -> np.ndarray | None:
        """A photo, or None where it is broken, which is said once."""
        try:
            image, _ = load_image(path, role="photo")
        except InputError as error:
            with self._lock:
                if path not in self._unreadable:
                    self._unreadable.add(path)
                    _log.warning("skipping a photo: %s", error)
            return None
        return image


def one_hot_mixing(index: int, count: int) -> np.ndarray:
    """The blend weights of one style alone: float32 (count,)."""
    return np.eye(count, dtype=np.float32)[index]


def load_painting(style: StyleSpec) -> np.ndarray:
    """What is painting in a style's file, with its black and white: (H, W, 3) in `[0, 1]`.

    See `crop` and `levels` of `StyleSpec`.

    Raises:
        ImageError: it cannot be read.
    """
    image, (black, white) = load_cropped(style), style.levels
    if (black, white) == (0, 1):
        return image
    return ((image - np.float32(black)) / np.float32(white - black)).clip(0, 1)


def load_cropped(style: StyleSpec) -> np.ndarray:
    """What is painting in a style's file, as it is there: (H, W, 3) in `[0, 1]`.

    Raises:
        ImageError: it cannot be read.
    """
    image, _ = load_image(style.file, role=f"style {style.name!r}")
    left, top, right, bottom = style.crop
    height, width = image.shape[:2]
    # Rounded outwards: of the smallest crop a pixel is left.
    rows = slice(math.floor(top * height), math.ceil(bottom * height))
    return image[rows, math.floor(left * width) : math.ceil(right * width)]


def load_style(style: StyleSpec, size: int) -> np.ndarray:
    """A painting with its longer side at `size` pixels: float32 (H, W, 3), RGB in `[0, 1]`.

    Raises:
        ImageError: it cannot be read, or is too narrow for the style loss.
    """
    image = resize(load_painting(style), longer_side=size)
    if min(image.shape[:2]) < MIN_TRAINING_SIDE:
        height, width = image.shape[:2]
        raise ImageError(
            f"The style {style.name!r} is too narrow: {width}x{height} pixels at a longer side "
            f"of {size}. Expected {MIN_TRAINING_SIDE} at least. Crop it or raise `style_size`."
        )
    return image


def photo_rows(paths: Sequence[Path], size: int) -> list[np.ndarray]:
    """Fixed photos for sample sheets: centre squares at `size` pixels."""
    return [_centre_square(load_image(path, role="photo")[0], size) for path in paths]


def _centre_square(image: np.ndarray, size: int) -> np.ndarray:
    side = min(image.shape[:2])
    top, left = (image.shape[0] - side) // 2, (image.shape[1] - side) // 2
    return resize(image[top : top + side, left : left + side], shape=(size, size))
