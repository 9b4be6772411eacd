"""What the optimisation of the vgg19 engine starts from."""

from __future__ import annotations

import functools
import logging
from collections.abc import Sequence

import numpy as np
from PIL import Image

from arbitrary_nst.embedding import Embedding, blend
from arbitrary_nst.engines.cin import Cin
from arbitrary_nst.engines.vgg19.objective import MANY_NUMBERS
from arbitrary_nst.engines.vgg19.settings import Vgg19Settings
from arbitrary_nst.engines.vgg19.styles import start_of
from arbitrary_nst.errors import CheckpointError, StyleError, WeightsUnavailable
from arbitrary_nst.image import load_image, resize
from arbitrary_nst.image.arrays import keep_color

PALETTE_SIDE = 512  # pixels, at which the network's picture is made for its colours
PALETTE_MIN_SIDE = 32
_log = logging.getLogger(__name__)


class Starts:
    """The pictures that optimisations start from; has the cin network, once it is needed.

    Args:
        settings: of the engine.
    """

    def __init__(self, settings: Vgg19Settings) -> None:
        self._settings = settings

    def picture(
        self,
        small: np.ndarray,
        embeddings: Sequence[Embedding],
        weights: np.ndarray | None,
        seed: int,
    ) -> np.ndarray:
        """What the first scale starts from.

        Args:
            small: float32 (h, w, 3), the photo at that scale; the picture is of its shape.
            embeddings: of the styles.
            weights: of the pixels of the whole photo, as `Vgg19.render_regions` has them.
            seed: of noise.
        """
        init = self._settings.init
        if init == "noise":
            return np.random.default_rng(seed).random(small.shape, np.float32)
        if init not in ("content", "cin"):
            return at_shape(load_image(init, role="init")[0], small.shape)
        vectors = None if init == "content" else self._vectors(embeddings)
        if not vectors or self.cin is None:
            return small
        if weights is None or len(vectors) == 1:
            return self.cin.render(small, vectors[0], seed=seed)
        shares = [at_size(weights[..., i], small.shape[:2]) for i in range(len(vectors))]
        stacked = np.stack(shares, axis=-1)
        return self.cin.render_regions(small, vectors, stacked, seed=seed)

    def recolored(
        self,
        small: np.ndarray,
        embeddings: Sequence[Embedding],
        weights: np.ndarray | None,
        seed: int,
    ) -> np.ndarray:
        """The photo with colours of the cin network's picture, by `palette_weight` of the settings.

        Its luma stays. That picture is made at the size of the scale, up to 512 pixels: colours
        need no more. Where there is none, the photo is as it was.

        Args:
            small: float32 (h, w, 3), the photo at some scale; and the rest as for `picture`.
            embeddings: likewise.
            weights: likewise.
            seed: likewise.
        """
        share = self._settings.palette_weight
        if not share or self.embedding_cin is None:
            return small
        factor = min(1.0, PALETTE_SIDE / max(small.shape))
        # A long strip is not made narrower than what the cin network takes.
        shape = [max(round(side * factor), min(side, PALETTE_MIN_SIDE)) for side in small.shape[:2]]
        seen = at_shape(small, shape)
        picture = at_shape(self.picture(seen, embeddings, weights, seed), small.shape)
        recolored = small + np.float32(share) * (keep_color(small, picture) - small)
        return recolored if small.size <= MANY_NUMBERS else recolored.astype(np.float16)

    def _vectors(self, embeddings: Sequence[Embedding]) -> list[Embedding] | None:
        """The styles as the cin network knows them; None where one of them has no such form."""
        if self.cin is None:
            return None
        if self._settings.init_styles:
            return [blend([_trained(self.cin, name) for name in self._settings.init_styles])]
        vectors = []
        for embedding in embeddings:
            arrays = start_of(embedding, self.cin.network)
            if not arrays:
                return None
            vectors.append(Embedding(self.cin.name, self.cin.network, arrays))
        return vectors

    @property
    def embedding_cin(self) -> Cin | None:
        """The cin network whose vector embeddings have, too; None where they have none."""
        if self._settings.init != "cin" or self._settings.init_styles or self.cin is None:
            return None
        return self.cin if self.cin.takes_images else None

    @functools.cached_property
    def cin(self) -> Cin | None:
        """The network that ships, if it is there."""
        try:
            # What the predictor says will do for a start, and it is there two seconds sooner.
            return Cin(refine_steps=0)
        except (WeightsUnavailable, CheckpointError) as error:
            if self._settings.init_styles:
                raise
            _log.info("no cin network to start from, so it starts from the photo: %s", error)
            return None


def at_shape(image: np.ndarray, shape: Sequence[int]) -> np.ndarray:
    height, width = shape[:2]
    same = image.shape[:2] == (height, width)
    return image if same else resize(image, shape=(height, width))


def at_size(weights: np.ndarray, shape: tuple[int, int]) -> np.ndarray:
    """Weights of pixels (H, W) at another size."""
    if weights.shape == shape:
        return np.asarray(weights, np.float32)
    image = Image.fromarray(np.asarray(weights, np.float32))
    return np.asarray(image.resize(shape[::-1], Image.Resampling.BILINEAR)).clip(0, 1)


def _trained(engine: Cin, name: str) -> Embedding:
    if name not in engine.styles:
        raise StyleError(
            f"`init_styles` are names of packaged styles. Expected one of "
            f"{', '.join(engine.styles)}. Received: {name!r}."
        )
    return engine.styles[name]
