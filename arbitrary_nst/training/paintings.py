"""Paintings for the style predictor: drawn evenly by group, and widened, since they are few.

Others trained on 80,000 paintings. Here each draw is a new one: a crop at some scale, turned, with
another palette, or two paintings side by side.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from PIL import Image

from arbitrary_nst.image import load_image, resize, to_pil
from arbitrary_nst.training.config import PaintingSpec

SIDE_BY_SIDE = 0.1  # share of draws that show two paintings
OTHER_PALETTE = 0.5  # share of draws whose colours are changed


def by_group(paintings: Sequence[PaintingSpec]) -> list[list[str]]:
    """Files of each group, in the order of the groups' names."""
    groups: dict[str, list[str]] = {}
    for spec in paintings:
        groups.setdefault(spec.group, []).append(spec.file)
    return [groups[name] for name in sorted(groups)]


def draw_files(
    paintings: Sequence[PaintingSpec], count: int, rng: np.random.Generator
) -> list[str]:
    """Files of different paintings, of each group as many as its share in `draw_painting`."""
    groups = by_group(paintings)
    files = [file for group in groups for file in group]
    shares = np.concatenate([np.full(len(group), len(group) ** -0.5) for group in groups])
    count = min(count, len(files))
    return [files[i] for i in rng.choice(len(files), count, replace=False, p=shares / shares.sum())]


def draw_painting(groups: list[list[str]], size: int, rng: np.random.Generator) -> np.ndarray:
    """A painting, widened: float32 (size, size, 3), RGB in `[0, 1]`.

    A group counts by the root of the number of its paintings: a painter of whom there is one
    picture is drawn often, one with three hundred oftener, but not three hundred times.
    """
    shares = np.sqrt([len(files) for files in groups])
    shares /= shares.sum()

    def one(width: int) -> np.ndarray:
        files = groups[int(rng.choice(len(groups), p=shares))]
        image, _ = load_image(files[int(rng.integers(len(files)))], role="painting")
        return random_part(image, (size, width), rng)

    if rng.random() < SIDE_BY_SIDE:
        width = int(rng.integers(size // 4, size - size // 4 + 1))
        image = np.concatenate([one(width), one(size - width)], axis=1)
    else:
        image = one(size)
    if rng.random() < OTHER_PALETTE:
        image = other_palette(image, rng)
    return np.ascontiguousarray(image, np.float32)


def random_part(image: np.ndarray, shape: tuple[int, int], rng: np.random.Generator) -> np.ndarray:
    """A part of an image, of random place and scale, turned and flipped: float32 (*shape, 3)."""
    if rng.random() < 0.25:
        image = np.ascontiguousarray(np.rot90(image, int(rng.integers(1, 4))))
    if rng.random() < 0.5:
        image = np.ascontiguousarray(image[:, ::-1])
    height, width = image.shape[:2]
    # From as fine as the file has it to all of the picture, or as much as has the right shape.
    largest = min(height / shape[0], width / shape[1])
    smallest = min(largest, 0.6)
    scale = float(np.exp(rng.uniform(np.log(smallest), np.log(largest))))
    part = max(1, round(shape[0] * scale)), max(1, round(shape[1] * scale))
    top = int(rng.integers(0, max(1, height - part[0] + 1)))
    left = int(rng.integers(0, max(1, width - part[1] + 1)))
    image = image[top : top + part[0], left : left + part[1]]
    return resize(np.ascontiguousarray(image), shape=shape)


def other_palette(image: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """The image in other colours: its hue turned, its contrast and its channels changed."""
    if rng.random() < 0.3:
        image = image[..., rng.permutation(3)]
    hue, saturation, value = to_pil(image).convert("HSV").split()
    turn = int(rng.integers(-32, 33)) % 256
    hue = hue.point([(level + turn) % 256 for level in range(256)])
    gain = rng.uniform(0.5, 1.6)
    saturation = saturation.point([min(255, round(level * gain)) for level in range(256)])
    turned = Image.merge("HSV", (hue, saturation, value)).convert("RGB")
    colours = np.asarray(turned, np.float32) / 255
    return (colours ** rng.uniform(0.7, 1.4)).astype(np.float32)
