"""Photos, paintings and settings so small that a training step takes milliseconds."""

from functools import cache

import numpy as np
from PIL import Image

from arbitrary_nst.networks.cin.layout import CinLayout
from arbitrary_nst.networks.vgg import build_vgg19
from arbitrary_nst.training.config import StyleSpec, TrainConfig
from arbitrary_nst.training.statistics import LOSS_LAYERS

LAYOUT = CinLayout((4, 8, 16), num_residual_blocks=1, outer_kernel=3)
NAMES = ("stripes", "checks", "waves")


@cache
def small_vgg(dtype="float32"):
    """VGG19 with a sixteenth of its filters and random kernels."""
    return build_vgg19(LOSS_LAYERS, width=1 / 16, dtype=dtype)


def write_image(path, image):
    Image.fromarray(np.rint(np.clip(image, 0, 1) * 255).astype(np.uint8)).save(path)
    return path


def draw_photo(seed, height=40, width=48):
    """A gradient with a blob: float (height, width, 3)."""
    rng = np.random.default_rng(seed)
    y, x = np.mgrid[0:height, 0:width] / 40
    blob = np.exp(-((x - rng.uniform()) ** 2 + (y - rng.uniform()) ** 2) * 20)
    return np.stack([x * rng.uniform(), y * rng.uniform(), blob], axis=-1).clip(0, 1)


def draw_painting(name, side=40):
    """Stripes, a chequered board, or waves in two colours: float (side, side, 3)."""
    y, x = np.mgrid[0:side, 0:side]
    mask = {"stripes": x // 3 % 2, "checks": (x // 4 + y // 4) % 2, "waves": np.sin(x / 2 + y / 5)}
    colours = {"stripes": (1, 0.2, 0), "checks": (0.1, 0.9, 0.3), "waves": (0.2, 0.3, 1)}
    return mask[name][..., None] * np.array(colours[name])


def write_data(folder, num_photos=5):
    """Draws `photos/` and `styles/` into the folder."""
    for name in ("photos", "styles"):
        (folder / name).mkdir(parents=True)
    for seed in range(num_photos):
        write_image(folder / "photos" / f"{seed}.png", draw_photo(seed))
    for name in NAMES:
        write_image(folder / "styles" / f"{name}.png", draw_painting(name))
    return folder


def small_config(folder, **changes):
    """Settings for the images of `write_data`."""
    styles = tuple(
        StyleSpec(name, str(folder / "styles" / f"{name}.png"), f"drawn {name}", style_size=40)
        for name in NAMES
    )
    settings = {
        "styles": styles,
        "photos": str(folder / "photos"),
        "layout": LAYOUT,
        "steps": 12,
        "batch_size": 2,
        "crop_size": 32,
        "precision": "float32",
    }
    return TrainConfig(**{**settings, **changes})
