"""The magenta engine: any painting as a style, through Google's arbitrary-stylization network."""

from __future__ import annotations

import itertools
import os
import time
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from types import MappingProxyType
from typing import TYPE_CHECKING

import numpy as np
from PIL import Image

from arbitrary_nst.checkpoints import MAGENTA_VARIABLE, magenta_source
from arbitrary_nst.common.checks import check_style_scale
from arbitrary_nst.common.forks import check_not_forked
from arbitrary_nst.embedding import Embedding, blend
from arbitrary_nst.engines.shared import check_batch, check_embedding
from arbitrary_nst.errors import (
    CheckpointError,
    ImageError,
    WeightsUnavailable,
)
from arbitrary_nst.image.arrays import check_image, resample

if TYPE_CHECKING:  # each brings a library that the other does without
    from arbitrary_nst.networks.magenta.hub import HubNetwork
    from arbitrary_nst.networks.magenta.tflite import TflitePair

STYLE_SIDE = 256  # pixels of the style images that the network was trained with
MIN_CONTENT_SIDE = 2  # reflection needs a neighbour
MAX_WINDOWS = 8  # along one side of a painting

_MULTIPLE = 4
_SMALLEST = 16  # below 8 pixels the network's own padding fails


class Magenta:
    """The engine for any style image: one vector per style, and vectors blend.

    Reference: Ghiasi, Lee, Kudlur, Dumoulin, Shlens 2017, "Exploring the structure of a
    real-time, arbitrary neural artistic stylization network".

    Args:
        source: URL of the TF-Hub model, folder of its SavedModel, or folder of the two .tflite
            files of the phone version; default `$ARBITRARY_NST_MAGENTA`, then the published URL,
            downloaded once (92 MB) and cached as tensorflow-hub does.
        style_scale: size of the strokes: the style is looked at with its shorter side at 256
            pixels times this, from 0.25 to 4.

    Raises:
        InputError: `style_scale` is out of range.
        ImportError: tensorflow-hub or the LiteRT interpreter is missing.
        WeightsUnavailable: the network cannot be had.
        CheckpointError: its files are damaged, or are something else.
    """

    name = "magenta"
    styles: Mapping[str, Embedding] = MappingProxyType({})
    takes_images = True
    render_regions = render_large = render_large_regions = memory_for = for_pixels = None
    render_steps = estimated_seconds = None

    def __init__(
        self, source: str | os.PathLike[str] | None = None, *, style_scale: float = 1.0
    ) -> None:
        check_not_forked()
        self.style_scale = check_style_scale(style_scale)
        self.source = magenta_source(source)
        self._network = _load_network(self.source)
        self.network: str = self._network.network

    def embed(self, style: np.ndarray) -> Embedding:
        """The embedding of a style image: the mean vector of square windows that cover it.

        Args:
            style: float32 `(H, W, 3)`, RGB in `[0, 1]`, of any size.
        """
        vectors = [self._network.predict(window) for window in _windows(style, self.style_scale)]
        vector = np.stack(vectors).astype(np.float64).mean(axis=0).astype(np.float32)
        return Embedding(self.name, self.network, {"bottleneck": vector})

    def identity(self, content: np.ndarray) -> Embedding:
        """The photo's own embedding: a photo painted in its own style stays nearly itself."""
        return self.embed(content)

    def render(self, content: np.ndarray, embedding: Embedding, *, seed: int = 0) -> np.ndarray:
        """Paints a photo in a style.

        Args:
            content: float32 `(H, W, 3)`, RGB in `[0, 1]`, both sides at least 2.
            embedding: of this engine and this network.
            seed: changes nothing here, since nothing is random.

        Returns:
            float32 `(H, W, 3)`, RGB in `[0, 1]`.

        Raises:
            StyleError: the embedding belongs to another engine or network.
            ImageError: the photo is too small.
        """
        shapes = {"bottleneck": (self._network.vector_size,)}
        check_embedding(embedding, self.name, self.network, shapes)
        check_image(content, "content", (3,))
        height, width = content.shape[:2]
        if min(height, width) < MIN_CONTENT_SIDE:
            raise ImageError(
                f"The magenta engine needs photos of at least "
                f"{MIN_CONTENT_SIDE}x{MIN_CONTENT_SIDE} pixels. Received: {width}x{height}."
            )
        # Grown by reflection and cropped back: the bare network rounds both sides up.
        below, right = (max(_SMALLEST - side, -side % _MULTIPLE) for side in (height, width))
        padded = np.pad(content, ((0, below), (0, right), (0, 0)), mode="reflect")
        picture = self._network.transform(padded.astype(np.float32), embedding.arrays["bottleneck"])
        return np.ascontiguousarray(picture[:height, :width]).clip(0, 1)

    def render_batch(
        self, contents: Sequence[np.ndarray], embeddings: Sequence[Embedding], *, seed: int = 0
    ) -> list[np.ndarray]:
        """`render` for several photos, each with its own embedding."""
        check_batch(contents, embeddings)
        pairs = zip(contents, embeddings, strict=True)
        return [self.render(content, embedding, seed=seed) for content, embedding in pairs]


def check(source: str | os.PathLike[str] | None = None) -> Iterator[str]:
    """Looks at a network from end to end: loads, cuts, embeds, blends and paints.

    Args:
        source: as for `Magenta`.

    Yields:
        A line for each thing that was found to be right.

    Raises:
        ImportError, WeightsUnavailable, CheckpointError: the first thing that was not.
    """
    yield f"source: {magenta_source(source)}"
    engine = Magenta(source)
    network = engine._network
    yield f"network: {engine.network}, style vectors of {network.vector_size} numbers"
    yield from network.findings()
    rows, columns = np.mgrid[0:61, 0:90].astype(np.float32) / 90
    photo = np.stack([rows, columns, 1 - rows], axis=-1)
    stripes = np.repeat(np.round(columns * 9 % 1)[..., None], 3, axis=-1)
    embeddings = [engine.embed(stripes), engine.embed(photo)]
    start = time.perf_counter()
    pictures = [
        engine.render(photo, blend(embeddings, weights)) for weights in ([1, 0], [1, 1], [0, 1])
    ]
    seconds = (time.perf_counter() - start) / len(pictures)
    if not all(p.shape == photo.shape and np.isfinite(p).all() for p in pictures):
        raise CheckpointError(f"The network from {engine.source} loads, but does not paint.")
    steps = [float(np.abs(a - b).mean()) for a, b in itertools.pairwise(pictures)]
    yield f"blend: from style to style in steps of {steps[0]:.3f} and {steps[1]:.3f} per pixel"
    yield f"picture: {photo.shape[1]}x{photo.shape[0]} pixels in {seconds:.2f} s"


def _load_network(source: str) -> HubNetwork | TflitePair:
    # The forms need different libraries, and the phone version does without TensorFlow.
    folder = Path(source)
    if "://" not in source and not folder.is_dir():
        raise WeightsUnavailable(
            f"There is no folder {source!r} with the Magenta network. Expected a SavedModel's "
            f"folder, a folder with the two .tflite files, or a URL; without the option and "
            f"{MAGENTA_VARIABLE} the network is downloaded."
        )
    if "://" not in source and any(folder.glob("*.tflite")):
        from arbitrary_nst.networks.magenta.tflite import TflitePair

        return TflitePair(folder)
    from arbitrary_nst.networks.magenta.hub import HubNetwork

    return HubNetwork(source)


def _windows(style: np.ndarray, scale: float) -> list[np.ndarray]:
    """Square windows that together cover the image, each at most 256x256 pixels.

    The network was trained with square images of 256 pixels. Averaging windows gave better scores
    than squeezing the image into a square, or cutting one from its middle; see docs/magenta.md.
    """
    check_image(style, "style", (3,))
    shorter = min(style.shape[:2])
    side = max(1, round(shorter / max(1.0, scale)))
    pixels = round(STYLE_SIDE * min(1.0, scale))
    tops, lefts = (_starts(length, side) for length in style.shape[:2])
    return [
        resample(
            style[top : top + side, left : left + side], (pixels, pixels), Image.Resampling.LANCZOS
        ).clip(0, 1)
        for top in tops
        for left in lefts
    ]


def _starts(length: int, side: int) -> list[int]:
    """Where windows begin along a side: evenly spread, the first and last at the ends."""
    # A strip of less than an eighth of a window is not worth another one.
    count = min(MAX_WINDOWS, max(1, int(np.ceil(length / side - 0.125))))
    if count == 1:
        return [(length - side) // 2]
    return [round(start) for start in np.linspace(0, length - side, count)]
